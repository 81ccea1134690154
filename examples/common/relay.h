/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/relay.h - the picture of a camera, for any number of consumers that come and go.
 *
 * Each frame is passed on without a copy. Where nothing comes for half a second the last one is
 * repeated 5 times a second, so that encoders and their clients go on; where there never was one, a
 * grey picture of 640x360; such buffers have GST_BUFFER_FLAG_GAP. A consumer that does not keep up
 * loses frames, and nobody else does.
 *
 * A consumer is a pipeline with the relay's clock, that begins with
 *   appsrc name=frames is-live=true format=time ! ... ! textoverlay name=note ! ...
 * and has a base time that stays: gst_element_set_start_time (pipeline, GST_CLOCK_TIME_NONE). A
 * frame's PTS there says when it was captured, and is later than all before it.
 *
 * Threads: relay_new() and relay_free() on one whose main context runs, all else on any. Nobody
 * holds a lock while he waits.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _Relay Relay;
typedef struct _RelayOutput RelayOutput;

/* @clock, @base_time: those of the samples that relay_give() gets. */
Relay *relay_new (GstClock *clock, GstClockTime base_time);

/* Consumers that are left get nothing any more; their outputs are still to be removed. NULL ok */
void relay_free (Relay *relay);

/* A frame: to all consumers at once. @sample: (transfer none) */
void relay_give (Relay *relay, GstSample *sample);

/* What to write into the picture from now on. @note: (nullable): nothing */
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
RelayOutput *relay_add (Relay *relay, GstBin *bin, GstClockTime base_time);

/* After it nothing is pushed any more. Takes @output. */
void relay_remove (RelayOutput *output);

/* Frames that consumers lost because they did not keep up, of all so far. */
guint64 relay_n_dropped (Relay *relay);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Relay, relay_free)

G_END_DECLS
