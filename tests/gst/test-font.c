/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-font.c - gst/draw/font.h: masks that hold their text, laid out once. */
#include "gst/draw/font.h"

#include <string.h>

static uint64_t
sum_of (const YvMask *mask)
{
  uint64_t sum = 0;

  for (uint32_t y = 0; y < mask->h; y++)
    for (uint32_t x = 0; x < mask->w; x++)
      sum += mask->bytes[y * mask->stride_bytes + x];
  return sum;
}

static void
a_text_is_laid_out_once_per_size (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");

  for (int frame = 0; frame < 100; frame++) {
    yv_font_text (font, "person", 15);
    yv_font_text (font, "0.87", 15);
    yv_font_metrics (font, 15);
  }
  g_assert_cmpuint (yv_font_n_layouts (font), ==, 2);
  yv_font_text (font, "person", 16);
  g_assert_cmpuint (yv_font_n_layouts (font), ==, 3);
}

static void
a_mask_holds_the_text_and_no_more (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");

  for (uint32_t size = 1; size <= 60; size += 7) {
    const YvFontMetrics metrics = yv_font_metrics (font, size);
    const YvText text = *yv_font_text (font, "Hjg|", size);
    g_assert_cmpuint (sum_of (&text.mask), >, 0);
    g_assert_cmpint (text.advance_px, >, 0);
    g_assert_cmpuint (text.mask.w, <=, (uint32_t) text.advance_px + size);
    g_assert_cmpint (text.baseline_px, <=, metrics.ascent_px + 1);
    g_assert_cmpint ((int) text.mask.h - text.baseline_px, <=, metrics.descent_px + 1);
  }
}

static void
text_grows_with_the_size (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvText small = *yv_font_text (font, "person", 12);
  const YvText large = *yv_font_text (font, "person", 24);

  g_assert_cmpint (large.advance_px, >, small.advance_px * 18 / 10);
  g_assert_cmpint (large.advance_px, <, small.advance_px * 22 / 10);
}

static void
any_bytes_make_some_text (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autofree char *endless = g_strnfill (1 << 20, 'W');

  g_assert_cmpuint (yv_font_text (font, "", 12)->mask.w, ==, 0);
  g_assert_cmpuint (yv_font_text (font, "   ", 12)->mask.w, ==, 0);
  g_assert_cmpuint (yv_font_text (font, "\xff\xfe", 12)->mask.w, >, 0);
  g_assert_cmpuint (yv_font_text (font, "two\nlines\r\n", 12)->mask.h, <, 2 * 12);
  const YvText *cut = yv_font_text (font, endless, 30);
  g_assert_cmpuint (cut->mask.w, <=, 2048);
  g_assert_cmpint (cut->advance_px, <=, 2048);
}

/* In any direction of writing: neither is pushed to the far side of the room it may take. */
static void
a_text_that_is_too_wide_is_cut (void)
{
  static const char *const letters[] = {"W", "\xd7\x90", "\xe4\xba\xba"};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");

  for (guint i = 0; i < G_N_ELEMENTS (letters); i++) {
    g_autoptr (GString) text = g_string_new (letters[i]);
    const int32_t one_px = yv_font_text (font, text->str, 20)->advance_px;
    while (text->len < 200)
      g_string_append (text, letters[i]);
    const YvText wide = *yv_font_text (font, text->str, 20);
    g_assert_cmpint (wide.advance_px, <=, 24 * 20);
    g_assert_cmpint (wide.advance_px, >, 20 * 20);
    g_assert_cmpint ((int) wide.mask.w, >, 20 * 20);
    g_assert_cmpint ((int) wide.mask.w, <=, 24 * 20 + 20);
    g_assert_cmpint (yv_font_text (font, letters[i], 20)->advance_px, ==, one_px);
    const YvText small = *yv_font_text (font, letters[i], 21);
    g_assert_cmpint ((int) small.mask.w, <, 3 * 21);
  }
}

static void
texts_that_keep_changing_are_forgotten (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");

  for (int i = 0; i < 5000; i++) {
    g_autofree char *text = g_strdup_printf ("#%d", i);
    yv_font_text (font, text, 8);
  }
  yv_font_text (font, "#0", 8);
  g_assert_cmpuint (yv_font_n_layouts (font), ==, 5001);
}

/* By their size, too: masks of a hundred megabytes. */
static void
large_texts_are_forgotten_sooner (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");

  for (int i = 0; i < 120; i++) {
    g_autofree char *text = g_strdup_printf ("%dWWWWW", i);
    yv_font_text (font, text, 500);
  }
  yv_font_text (font, "0WWWWW", 500);
  g_assert_cmpuint (yv_font_n_layouts (font), ==, 121);
}

typedef struct {
  YvFont *font;
  YvFontMetrics metrics;
  int32_t advance_px;
} Measured;

static gpointer
measure (gpointer data)
{
  Measured *m = data;

  m->metrics = yv_font_metrics (m->font, 15);
  m->advance_px = yv_font_text (m->font, "person", 15)->advance_px;
  return NULL;
}

/* As the streams of a process do with their first frames. */
static void
fonts_measure_alike_in_threads (void)
{
  Measured alone = {.font = yv_font_new ("Sans Bold")}, all[4];
  GThread *threads[G_N_ELEMENTS (all)];

  for (uint32_t i = 0; i < G_N_ELEMENTS (all); i++)
    all[i] = (Measured){.font = yv_font_new ("Sans Bold")};
  for (uint32_t i = 0; i < G_N_ELEMENTS (all); i++)
    threads[i] = g_thread_new ("measure", measure, &all[i]);
  for (uint32_t i = 0; i < G_N_ELEMENTS (all); i++)
    g_thread_join (threads[i]);
  measure (&alone);
  for (uint32_t i = 0; i < G_N_ELEMENTS (all); i++) {
    g_assert_cmpint (all[i].metrics.space_px, ==, alone.metrics.space_px);
    g_assert_cmpint (all[i].metrics.ascent_px, ==, alone.metrics.ascent_px);
    g_assert_cmpint (all[i].advance_px, ==, alone.advance_px);
    yv_font_free (all[i].font);
  }
  yv_font_free (alone.font);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/font/threads", fonts_measure_alike_in_threads);
  g_test_add_func ("/font/kept", a_text_is_laid_out_once_per_size);
  g_test_add_func ("/font/mask", a_mask_holds_the_text_and_no_more);
  g_test_add_func ("/font/size", text_grows_with_the_size);
  g_test_add_func ("/font/any-bytes", any_bytes_make_some_text);
  g_test_add_func ("/font/too-wide", a_text_that_is_too_wide_is_cut);
  g_test_add_func ("/font/bounded", texts_that_keep_changing_are_forgotten);
  g_test_add_func ("/font/large", large_texts_are_forgotten_sooner);
  return g_test_run ();
}
