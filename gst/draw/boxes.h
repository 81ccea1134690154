/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/boxes.h - what a detection looks like: an outline, and a tag with its name and
 * confidence.
 *
 * In:    boxes in frame px, the most confident first; a style.
 * Out:   the picture with them on it; the first box is drawn last, over the others, and all tags
 *        over all outlines.
 *
 * Threads: one at a time per font.
 */
#pragma once

#include "gst/draw/canvas.h"
#include "gst/draw/font.h"

G_BEGIN_DECLS

typedef struct {
  double x, y, w, h; /* frame px, top left corner and size; may lie outside */
  double confidence; /* 0..1; negative: not shown */
  const char *label; /* (nullable): not shown */
  int class_index;   /* chooses the color; negative: the label does */
} YvBox;

typedef struct {
  uint32_t line_px;      /* 0: by the size of the frame */
  uint32_t font_px;      /* 0: by the size of the frame */
  uint32_t outline_argb; /* 0: by class */
  uint32_t text_argb;    /* 0: black or white, whatever shows on the tag */
  bool tags;             /* label and confidence */
  bool filled;           /* the inside too, a quarter opaque */
} YvBoxStyle;

void yv_boxes_draw (const YvCanvas *canvas, YvFont *font, const YvBox *boxes, uint32_t n_boxes,
                    const YvBoxStyle *style);

/* 0xFFRRGGBB: far from those of the classes near it, and never too dark for night pictures. */
uint32_t yv_boxes_class_argb (uint32_t class_index);

/* What a style of 0 means for a frame of this size. */
uint32_t yv_boxes_line_px (uint32_t frame_w, uint32_t frame_h);
uint32_t yv_boxes_font_px (uint32_t frame_w, uint32_t frame_h);

G_END_DECLS
