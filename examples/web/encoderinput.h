/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/encoderinput.h - the frames of a camera into an encoder, each with the time that it
 * has.
 *
 * In:    frames behind the analysis, as examples/common/camera.h gives them.
 * Out:   the same memory in an appsrc; PTS is the camera's, never another: boxes are drawn by it.
 *
 * Where nothing came for a second, of a camera that is lost, slow or still, its last picture is
 * repeated 5 times a second, so that segments end and players go on. Their times stay 0.8 s behind
 * what the next frame should have; one that would have to go back in time nevertheless is left out.
 * What the encoder has not taken for a second is dropped, the oldest first.
 *
 * (examples/common/relay.h is for consumers who want frames evenly and soon, and changes times to
 * that end.)
 *
 * Threads: encoder_input_give() on a streaming thread of the camera, all else on the one whose
 * main context was the default when it was made. One lock, held while a frame is queued.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _EncoderInput EncoderInput;

/* @clock: that of the frames */
EncoderInput *encoder_input_new (GstClock *clock);
void encoder_input_free (EncoderInput *self); /* NULL ok */

/* A frame without PTS is left out. */
void encoder_input_give (EncoderInput *self, GstSample *sample);

/* Returns: from one frame to the next, in the mean of the last ones; 0: not known yet */
GstClockTime encoder_input_interval (EncoderInput *self);

/* @source: (nullable): the appsrc that gets frames from now on; with the clock and the base time
 * above. NULL: none */
void encoder_input_connect (EncoderInput *self, GstElement *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EncoderInput, encoder_input_free)

G_END_DECLS
