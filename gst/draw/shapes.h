/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/shapes.h - what is drawn on a frame, as a list in the order of drawing.
 *
 * In:    boxes, tails, zones and the statistics line add their shapes.
 * Out:   the whole list drawn on a picture; or one shape on a part of it, for who keeps parts.
 * Next:  gst/draw/canvas.h.
 *
 * A list is cleared and filled again for each frame; its memory stays, so that nothing is allocated
 * in steady state.
 *
 * Threads: one at a time per list and per font.
 */
#pragma once

#include "gst/draw/canvas.h"
#include "gst/draw/font.h"
#include "gst/draw/lines.h"

G_BEGIN_DECLS

typedef enum {
  YV_SHAPE_PIXELATED, /* hidden, not inked: the only one that needs the picture's pixels */
  YV_SHAPE_FILL,      /* all of the rectangle */
  YV_SHAPE_OUTLINE,   /* its rim */
  YV_SHAPE_DASHES,    /* every other piece of its rim */
  YV_SHAPE_TAG,       /* all of it, and text on it */
  YV_SHAPE_LINE,      /* a line through points */
} YvShapeKind;

typedef struct {
  YvShapeKind kind;
  YvRect rect;        /* px; all that is inked lies in it */
  uint32_t argb;      /* 0xAARRGGBB */
  int32_t line_px;    /* OUTLINE, DASHES, LINE: how wide, >= 1 */
  uint32_t text_argb; /* TAG */
  uint32_t font_px;   /* TAG */
  uint32_t first, n;  /* LINE: points; TAG: the first byte of its text, and how many pieces */
} YvShape;

typedef struct {
  GArray *shapes; /* of YvShape */
  GArray *points; /* of YvPoint: those of all lines */
  GString *text;  /* of all tags: pieces, each ended by a NUL */
} YvShapes;

/* Pieces of a tag's text that come back in other tags: a name, a number. */
#define YV_TAG_MAX_PIECES 11
typedef struct {
  const char *pieces[YV_TAG_MAX_PIECES];
  uint32_t n_pieces;
  uint32_t font_px;         /* >= 1 */
  uint32_t argb, text_argb; /* text_argb 0: black or white, whatever shows on argb */
} YvTag;

YvShapes *yv_shapes_new (void);
void yv_shapes_free (YvShapes *shapes); /* NULL ok */
void yv_shapes_clear (YvShapes *shapes);

/* PIXELATED, FILL, OUTLINE or DASHES. */
void yv_shapes_add_rect (YvShapes *shapes, YvShapeKind kind, YvRect rect, int32_t line_px,
                         uint32_t argb);

/* @points: copied */
void yv_shapes_add_line (YvShapes *shapes, const YvPoint *points, uint32_t n_points,
                         int32_t line_px, uint32_t argb);

/* How many bytes of @text, @most at most, are whole characters. */
size_t yv_shapes_cut (const char *text, size_t most);

/* How large a tag is; 0 x 0 without any text. */
YvRect yv_shapes_tag_size (YvFont *font, const YvTag *tag);
void yv_shapes_add_tag (YvShapes *shapes, YvRect rect, const YvTag *tag);

/* Draws shape @i; @canvas: the picture, or any part of it. */
void yv_shapes_draw (const YvShapes *shapes, uint32_t i, YvFont *font, const YvCanvas *canvas);

/* Whether @i of @a and @k of @b look the same, at the same place. */
bool yv_shapes_equal (const YvShapes *a, uint32_t i, const YvShapes *b, uint32_t k);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvShapes, yv_shapes_free)

G_END_DECLS
