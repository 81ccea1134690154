/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/framepool.h - frames that the device reads where they lie: buffers of a pool of ours, which
 * is proposed to whoever makes the frames, and buffers of others whose memory comes by again.
 *
 * In:    ALLOCATION queries; then buffers.
 * Out:   the YvFrameMemory of a buffer, for YvImage.memory.
 * Next:  yv_stream_submit().
 *
 * Any thread; several elements may see the same memory, as behind a tee.
 */
#pragma once

#include <gst/video/video.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

/**
 * gst_yolov7_propose_allocation:
 * @srcpad: of an element that passes the buffers of its sink pad on; downstream has the caps of the
 *   query already
 * @query: an ALLOCATION query that its sink pad got
 * @engine: (nullable): that reads the frames; NULL: nothing of ours is proposed
 * @n_held: buffers that the element holds at most, besides the one that it is just given
 *
 * Answers the query. What is good for downstream is good for us, since its buffers are ours: its
 * metas, its pool and its allocator are passed on; the pools' least number of buffers grows by
 * @n_held. Where it brings neither a pool nor an allocator it is ours that is proposed, with
 * downstream's alignment. A GstVideoMeta is proposed only where downstream knows it: whoever
 * doesn't would read padded rows as if they were not. The same holds for a GstVideoCropMeta.
 * Nothing but ours is proposed where downstream refuses the query or is not there.
 *
 * Our allocator keeps @engine as long as upstream keeps it. An element that goes on with another
 * engine sends a RECONFIGURE event upstream, so that the next frames come from a new pool.
 *
 * Returns: whether there is an answer: false only for caps that are no video and that downstream
 * refuses, too.
 */
gboolean gst_yolov7_propose_allocation (GstPad *srcpad, GstQuery *query, YvEngine *engine,
                                        guint n_held);

/**
 * gst_yolov7_frame_memory_of:
 * @buffer: may be mapped for reading
 *
 * Where @engine reads @buffer in place. That is memory of our allocator and of this engine; or
 * system memory of others, from the second frame on that comes in it, as from a pool: this call
 * imports it, which takes about as long as a copy, and the import stays with it. What could not be
 * imported once is not tried again.
 *
 * Returns: (transfer none) (nullable): valid as long as the caller has @buffer and @engine; NULL:
 * the frame has to be copied, as one of several memories always is. The planes of a video frame
 * that is mapped from @buffer lie in it.
 */
YvFrameMemory *gst_yolov7_frame_memory_of (GstBuffer *buffer, YvEngine *engine);

/* Is that memory of our allocator, and no import? */
gboolean gst_yolov7_frame_memory_is_ours (GstBuffer *buffer);

G_END_DECLS
