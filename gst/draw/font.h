/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/font.h - text as masks, laid out once and kept.
 *
 * In:    UTF-8 text and a size in pixels.
 * Out:   a mask of the text in one line, for yv_canvas_stamp().
 *
 * The same words come back in every frame (class names, two-digit numbers), so a mask is rendered
 * the first time it is asked for and found again after that: no layout and no allocation per frame
 * in steady state. Text that keeps changing does not make the font grow without bound.
 *
 * Threads: one at a time per font; fonts share no more than a lock around Pango.
 */
#pragma once

#include "gst/draw/canvas.h"

G_BEGIN_DECLS

typedef struct _YvFont YvFont;

/* Rows above and below the baseline that every line of text has room in. */
typedef struct {
  int32_t ascent_px, descent_px;
  int32_t space_px; /* how far a space moves on */
} YvFontMetrics;

typedef struct {
  YvMask mask;
  int32_t baseline_px; /* the mask's row that lies on the baseline */
  int32_t advance_px;  /* from the start of this text to the start of the next */
} YvText;

/* @family: as fontconfig and Pango know it, "Sans Bold"; never fails, the system has some font. */
YvFont *yv_font_new (const char *family);
void yv_font_free (YvFont *font); /* NULL ok */

/* @size_px: of an em, >= 1 */
YvFontMetrics yv_font_metrics (YvFont *font, uint32_t size_px);

/* @text: invalid UTF-8 shows as boxes, line breaks as symbols; what is wider than 24 em, or 2048
 * px, ends with an ellipsis. Returns: valid until the font's next call. */
const YvText *yv_font_text (YvFont *font, const char *text, uint32_t size_px);

/* How many texts have been laid out so far: for tests. */
uint64_t yv_font_n_layouts (const YvFont *font);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvFont, yv_font_free)

G_END_DECLS
