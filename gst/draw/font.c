/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/font.c - text as masks, laid out once and kept. */
#include "gst/draw/font.h"

#include <string.h>

#include <pango/pangocairo.h>

/* 80 classes and a hundred numbers fit; when a tracker's ids have filled it, all goes at once,
 * which costs a few milliseconds every few thousand objects. */
#define MAX_KEPT 4096
#define MAX_KEPT_BYTES (64 << 20) /* of masks: at 500 px one may be a megabyte */
/* Longer and wider texts are cut: labels come from outside. A name of 20 letters is 12 em wide. */
#define MAX_BYTES 256
#define MAX_WIDTH_EM 24
#define MAX_WIDTH_PX 2048

/* Held while Pango measures or lays out, which is seldom, because texts are kept: of threads that
 * do so at the same time, each with a font map of its own, some get wrong widths (Pango 1.50). */
static GMutex pango_lock;

struct _YvFont {
  PangoFontMap *map; /* our own: Pango's default one is bound to the thread */
  PangoContext *context;
  PangoLayout *layout;
  PangoFontDescription *description;
  uint32_t size_px; /* of the layout and of all that is kept */
  YvFontMetrics metrics;
  GHashTable *texts;   /* text -> KeptText */
  size_t n_kept_bytes; /* of their masks */
  uint64_t n_layouts;
};

typedef struct {
  YvText text;
  uint8_t *bytes; /* owned; text.mask.bytes */
} KeptText;

static void
kept_text_free (gpointer kept)
{
  g_free (((KeptText *) kept)->bytes);
  g_free (kept);
}

YvFont *
yv_font_new (const char *family)
{
  YvFont *font = g_new0 (YvFont, 1);

  font->map = pango_cairo_font_map_new ();
  font->context = pango_font_map_create_context (font->map);
  font->layout = pango_layout_new (font->context);
  font->description = pango_font_description_from_string (family);
  font->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, kept_text_free);
  pango_layout_set_single_paragraph_mode (font->layout, TRUE);
  pango_layout_set_ellipsize (font->layout, PANGO_ELLIPSIZE_END);
  return font;
}

void
yv_font_free (YvFont *font)
{
  if (!font)
    return;
  g_hash_table_unref (font->texts);
  pango_font_description_free (font->description);
  g_object_unref (font->layout);
  g_object_unref (font->context);
  g_object_unref (font->map);
  g_free (font);
}

static YvFontMetrics
measure (YvFont *font)
{
  PangoFontMetrics *metrics = pango_context_get_metrics (font->context, font->description, NULL);
  const YvFontMetrics px = {
      .ascent_px = PANGO_PIXELS_CEIL (pango_font_metrics_get_ascent (metrics)),
      .descent_px = PANGO_PIXELS_CEIL (pango_font_metrics_get_descent (metrics)),
      .space_px =
          MAX (1, PANGO_PIXELS (pango_font_metrics_get_approximate_digit_width (metrics)) / 2),
  };

  pango_font_metrics_unref (metrics);
  return px;
}

static void
forget_texts (YvFont *font)
{
  g_hash_table_remove_all (font->texts);
  font->n_kept_bytes = 0;
}

static void
set_size (YvFont *font, uint32_t size_px)
{
  if (font->size_px == size_px)
    return;
  g_assert (size_px > 0);
  forget_texts (font);
  pango_font_description_set_absolute_size (font->description, (double) size_px * PANGO_SCALE);
  pango_layout_set_font_description (font->layout, font->description);
  font->size_px = size_px;
  g_mutex_lock (&pango_lock);
  font->metrics = measure (font);
  g_mutex_unlock (&pango_lock);
}

/* Room for what leans out of the box that the font promises. */
static void
render (PangoLayout *layout, const PangoRectangle *ink, KeptText *kept)
{
  YvMask *mask = &kept->text.mask;
  const int stride = cairo_format_stride_for_width (CAIRO_FORMAT_A8, (int) mask->w);

  kept->bytes = g_malloc0 ((size_t) stride * mask->h);
  mask->bytes = kept->bytes;
  mask->stride_bytes = (uint32_t) stride;

  cairo_surface_t *surface = cairo_image_surface_create_for_data (
      kept->bytes, CAIRO_FORMAT_A8, (int) mask->w, (int) mask->h, stride);
  cairo_t *cairo = cairo_create (surface);
  cairo_move_to (cairo, -MIN (ink->x, 0), -ink->y);
  pango_cairo_show_layout (cairo, layout);
  cairo_destroy (cairo);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
}

/* Ends a text that is too wide with an ellipsis. Only such a text may have a width: within one,
 * text that is written from right to left would begin on its far side. */
static void
cut (YvFont *font, PangoRectangle *ink, PangoRectangle *logical)
{
  const int32_t max_px = MIN (MAX_WIDTH_EM * (int32_t) font->size_px, MAX_WIDTH_PX);

  if (logical->width <= max_px)
    return;
  pango_layout_set_width (font->layout, max_px * PANGO_SCALE);
  pango_layout_get_pixel_extents (font->layout, ink, logical);
}

/* The mask begins where the text does, so the ink of a letter that leans to the left of that is
 * moved right by a pixel rather than cut. */
static KeptText *
lay_out (YvFont *font, const char *text)
{
  KeptText *kept = g_new0 (KeptText, 1);
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) strnlen (text, MAX_BYTES));
  PangoRectangle ink, logical;

  pango_layout_set_text (font->layout, valid, -1);
  pango_layout_set_width (font->layout, -1);
  pango_layout_get_pixel_extents (font->layout, &ink, &logical);
  cut (font, &ink, &logical);
  font->n_layouts++;

  kept->text.advance_px = MIN (logical.width, MAX_WIDTH_PX);
  kept->text.baseline_px = PANGO_PIXELS (pango_layout_get_baseline (font->layout)) - ink.y;
  if (ink.width <= 0 || ink.height <= 0)
    return kept; /* only spaces */
  kept->text.mask.w = (uint32_t) MIN (MAX (ink.x, 0) + ink.width, MAX_WIDTH_PX);
  kept->text.mask.h = MIN ((uint32_t) ink.height, 4 * font->size_px);
  render (font->layout, &ink, kept);
  return kept;
}

YvFontMetrics
yv_font_metrics (YvFont *font, uint32_t size_px)
{
  set_size (font, size_px);
  return font->metrics;
}

const YvText *
yv_font_text (YvFont *font, const char *text, uint32_t size_px)
{
  set_size (font, size_px);
  KeptText *kept = g_hash_table_lookup (font->texts, text);
  if (kept)
    return &kept->text;

  if (g_hash_table_size (font->texts) >= MAX_KEPT || font->n_kept_bytes >= MAX_KEPT_BYTES)
    forget_texts (font);
  g_mutex_lock (&pango_lock);
  kept = lay_out (font, text);
  g_mutex_unlock (&pango_lock);
  font->n_kept_bytes += (size_t) kept->text.mask.stride_bytes * kept->text.mask.h;
  g_hash_table_insert (font->texts, g_strdup (text), kept);
  return &kept->text;
}

uint64_t
yv_font_n_layouts (const YvFont *font)
{
  return font->n_layouts;
}
