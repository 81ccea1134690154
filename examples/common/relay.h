/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/relay.h - the picture of a camera, for any number of consumers that come and go.
 *
 * Each frame is passed on without a copy. While nothing comes the last one is repeated 5 times a
 * second with a note, so that encoders and their clients go on; where there never was one, a grey
 * picture of 640x360. A consumer that does not keep up loses frames, and nobody else does.
 *
 * A consumer is a pipeline with the relay's clock, that begins with
 *   appsrc name=frames ! ... ! textoverlay name=note ! ...
 * and has a base time that stays: gst_element_set_start_time (pipeline, GST_CLOCK_TIME_NONE).
 *
 * Threads: relay_give() on any one thread, all else on the one that made the relay, whose main
 * context runs. One lock, which nobody holds while he waits.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _Relay Relay;
typedef struct _RelayOutput RelayOutput;

/* @clock, @base_time: those of the samples that relay_give() gets. */
Relay *relay_new (GstClock *clock, GstClockTime base_time);
void relay_free (Relay *relay); /* NULL ok; consumers that are left get nothing any more */

/* A frame: to all consumers at once. Clears the note. */
void relay_give (Relay *relay, GstSample *sample);

/* Nothing comes: from now on the last picture is repeated with this note. @note: (nullable): with
 * none */
void relay_set_note (Relay *relay, const char *note);

/**
 * relay_add:
 * @bin: with the elements "frames" and "note"; "note" may be missing
 * @base_time: of the pipeline that it is in, now or later
 *
 * The consumer gets the last picture at once, and all that follow.
 *
 * Returns: (transfer full): until relay_remove()
 */
RelayOutput *relay_add (Relay *relay, GstElement *bin, GstClockTime base_time);

/* From any thread. After it nothing is pushed any more. */
void relay_remove (Relay *relay, RelayOutput *output);

guint64 relay_n_dropped (Relay *relay); /* frames that consumers lost, of all so far */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Relay, relay_free)

G_END_DECLS
