/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/encoding.h - one run of an encoder: a pipeline from frames to pieces of MP4.
 *
 * In:    frames, by its appsrc (examples/web/encoderinput.h).
 * Out:   initialization segments and segments (examples/web/fragments.h). One goes on into another
 *        second of media time, and begins with a key frame.
 *
 * Threads: any one, but for what is given, which comes from a streaming thread.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#include "examples/web/fragments.h"

G_BEGIN_DECLS

typedef struct _Encoding Encoding;

/* @piece: (transfer full). Under a lock that encoding_free() takes, too. */
typedef void (*EncodingGive) (FragmentsPiece *piece, gpointer user_data);

/* @encoder, @bitrate_kbps, @key_frame_interval: of encoder_launch(). Returns: NULL with an error */
Encoding *encoding_new (const char *encoder, guint32 bitrate_kbps, guint32 key_frame_interval,
                        EncodingGive piece, gpointer user_data, GError **error);

/* Gives nothing any more. Blocks until the pipeline has ended, or leaves that to a thread that
 * nobody waits for, where the encoder is stuck. */
void encoding_free (Encoding *self);

/* Returns: whoever plays it sets its clock; its appsrc is "frames" */
GstElement *encoding_pipeline (Encoding *self);

/* Returns: whether frames have another size now, which this one takes no more */
bool encoding_wants_restart (Encoding *self);

/* Returns: how long the encoder has had a frame and given nothing; 0: it owes none */
gint64 encoding_waits_us (Encoding *self);

G_END_DECLS
