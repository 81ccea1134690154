/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/composition.h - shapes attached to a frame as a GstVideoOverlayComposition: small pictures
 * that a sink, or a later element, draws over it.
 *
 * In:    a list of shapes.
 * Out:   a rectangle of pixels for each tag, side of an outline and tile of a line, and a few
 * pixels that are to be scaled for each fill. Tiles that would be more than four times the frame
 *        are left out; gst/draw/boxes.h bounds the others.
 *
 * What looks the same in the next frame is not drawn again; where nothing changed it is the same
 * composition, and a sink that keeps textures keeps them.
 *
 * Threads: one at a time.
 */
#pragma once

#include <gst/video/video.h>

#include "gst/draw/shapes.h"

G_BEGIN_DECLS

typedef struct _GstYolov7Composition GstYolov7Composition;

GstYolov7Composition *gst_yolov7_composition_new (void);
void gst_yolov7_composition_free (GstYolov7Composition *composition); /* NULL ok */

/**
 * gst_yolov7_composition_attach:
 * @shapes: (inout): what is drawn; what it holds afterwards means nothing, it is to be cleared.
 *   Pixelated ones are none of a composition's business
 * @buffer: writable; a composition that it carries already stays below ours
 */
void gst_yolov7_composition_attach (GstYolov7Composition *composition, YvShapes *shapes,
                                    YvFont *font, guint frame_w, guint frame_h, GstBuffer *buffer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstYolov7Composition, gst_yolov7_composition_free)

G_END_DECLS
