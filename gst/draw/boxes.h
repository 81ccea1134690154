/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/boxes.h - what a detection looks like: an outline, and a tag with its name and
 * confidence.
 *
 * In:    boxes in frame px, the most confident first; a style.
 * Out:   their shapes; the first box is drawn last, over the others, and all tags over all
 *        outlines. Boxes that a tracker predicts are dashed.
 * Next:  gst/draw/shapes.h, which draws them.
 *
 * Wherever boxes are, the time they take is bounded. Boxes are drawn until their ink is more than
 * four times the frame, the most confident first. 500 get tags, fewer where text is so large that
 * as many would cover the frame four times. Where more is to be hidden than that, the whole frame
 * is.
 *
 * Threads: one at a time per font.
 */
#pragma once

#include "gst/draw/shapes.h"

G_BEGIN_DECLS

typedef struct {
  double x, y, w, h; /* frame px, top left corner and size; may lie outside */
  double confidence; /* 0..1; negative: not shown */
  const char *label; /* (nullable): not shown */
  int class_index;   /* chooses the color; negative: the label does */
  int64_t id;        /* of a tracker; negative: none */
  bool predicted;    /* nobody saw it in this frame */
} YvBox;

typedef struct {
  uint32_t line_px;      /* 0: by the size of the frame */
  uint32_t font_px;      /* 0: by the size of the frame */
  uint32_t outline_argb; /* 0: by class */
  uint32_t text_argb;    /* 0: black or white, whatever shows on the tag */
  bool tags;             /* label and confidence */
  bool ids;              /* where a tracker gave one, on the tag */
  bool id_colors;        /* boxes with an id have its color, whatever outline_argb is */
  bool filled;           /* the inside too, a quarter opaque */
} YvBoxStyle;

/* Adds outlines and tags. */
void yv_boxes_lay_out (YvShapes *shapes, YvFont *font, const YvBox *boxes, uint32_t n_boxes,
                       const YvBoxStyle *style, uint32_t frame_w, uint32_t frame_h);

/* Adds what hides all that is in the boxes. */
void yv_boxes_hide (YvShapes *shapes, const YvBox *boxes, uint32_t n_boxes, uint32_t frame_w,
                    uint32_t frame_h);

/* The color of a box, 0xAARRGGBB. */
uint32_t yv_boxes_argb (const YvBox *box, const YvBoxStyle *style);

/* What a tag needs to be legible: not outside, and above or on the box where there is room. */
YvRect yv_boxes_place_tag (int32_t x, int32_t y, YvRect size, uint32_t frame_w, uint32_t frame_h);

/* 0xFFRRGGBB: far from those of the classes near it, and never too dark for night pictures. */
uint32_t yv_boxes_class_argb (uint32_t class_index);

/* What a style of 0 means for a frame of this size. */
uint32_t yv_boxes_line_px (uint32_t frame_w, uint32_t frame_h);
uint32_t yv_boxes_font_px (uint32_t frame_w, uint32_t frame_h);

G_END_DECLS
