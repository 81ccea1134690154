/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/statistics.c - a line of figures in the corner. */
#include "gst/draw/statistics.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1e9
#define MAX_SHOWN 8    /* classes */
#define MAX_COUNTED 64 /* a model has more, a frame seldom; the rest is an object of no class */
#define MAX_NAME_BYTES 40
#define PIECE_BYTES 64

/* ---- frames a second ------------------------------------------------------------------------ */

void
yv_frame_rate_add (YvFrameRate *rate, uint64_t time_ns)
{
  if (time_ns == YV_TIME_NONE)
    return;
  if (rate->n_frames == 0 || time_ns < rate->start_ns) {
    *rate = (YvFrameRate){.start_ns = time_ns, .n_frames = 1};
    return;
  }
  const double passed_ns = (double) (time_ns - rate->start_ns);
  const bool is_second = passed_ns >= SECOND_NS;
  if (passed_ns > 0 && (is_second || !rate->is_whole))
    rate->rate = rate->n_frames * SECOND_NS / passed_ns;
  rate->n_frames++;
  if (!is_second)
    return;
  rate->start_ns = time_ns;
  rate->n_frames = 1;
  rate->is_whole = true;
}

/* ---- classes -------------------------------------------------------------------------------- */

typedef struct {
  const char *label; /* (nullable) */
  int class_index;
  uint32_t n;
} ClassCount;

static ClassCount *
find_class (ClassCount *counts, uint32_t n_counts, const YvBox *box)
{
  for (uint32_t i = 0; i < n_counts; i++)
    if (counts[i].class_index == box->class_index && g_strcmp0 (counts[i].label, box->label) == 0)
      return &counts[i];
  return NULL;
}

/* The most frequent first; the same order in each frame. */
static int
compare_counts (const void *a, const void *b)
{
  const ClassCount *x = a, *y = b;

  if (x->n != y->n)
    return x->n > y->n ? -1 : 1;
  if (x->class_index != y->class_index)
    return x->class_index < y->class_index ? -1 : 1;
  return g_strcmp0 (x->label, y->label);
}

static uint32_t
count_classes (const YvBox *boxes, uint32_t n_boxes, ClassCount counts[MAX_COUNTED])
{
  uint32_t n_counts = 0;

  for (uint32_t i = 0; i < n_boxes; i++) {
    ClassCount *count = find_class (counts, n_counts, &boxes[i]);
    if (count)
      count->n++;
    else if (n_counts < MAX_COUNTED)
      counts[n_counts++] = (ClassCount){boxes[i].label, boxes[i].class_index, 1};
  }
  qsort (counts, n_counts, sizeof (*counts), compare_counts);
  return n_counts;
}

/* ---- the line ------------------------------------------------------------------------------- */

static const char more[] = "..."; /* classes than are shown */

typedef struct {
  YvTag tag;
  char pieces[2 + MAX_SHOWN][PIECE_BYTES];
} Line;

static char *
add_piece (Line *line)
{
  char *piece = line->pieces[line->tag.n_pieces];

  line->tag.pieces[line->tag.n_pieces++] = piece;
  return piece;
}

static void
add_class (Line *line, const ClassCount *count)
{
  char *piece = add_piece (line);

  if (count->label && *count->label)
    g_snprintf (piece, PIECE_BYTES, "%.*s %u", (int) yv_shapes_cut (count->label, MAX_NAME_BYTES),
                count->label, count->n);
  else
    g_snprintf (piece, PIECE_BYTES, "class %d %u", count->class_index, count->n);
}

/* Leaves out the last classes until the line fits; "..." stands for them, where that fits. */
static void
shorten (Line *line, YvFont *font, uint32_t n_figures, int32_t max_px)
{
  YvTag *tag = &line->tag;

  while (tag->n_pieces > n_figures && yv_shapes_tag_size (font, tag).w > max_px) {
    if (tag->pieces[tag->n_pieces - 1] == more)
      tag->n_pieces--;
    if (tag->n_pieces > n_figures)
      tag->pieces[tag->n_pieces - 1] = more;
  }
}

void
yv_statistics_lay_out (YvShapes *shapes, YvFont *font, const YvFrameRate *rate, const YvBox *boxes,
                       uint32_t n_boxes, uint32_t font_px, uint32_t frame_w)
{
  ClassCount counts[MAX_COUNTED];
  const uint32_t n_counts = count_classes (boxes, n_boxes, counts);
  const int32_t margin = (int32_t) font_px / 3;
  Line line = {.tag = {.font_px = font_px, .argb = 0xc0000000, .text_argb = 0xffffffff}};
  char number[16];

  if (rate->rate > 0) {
    g_ascii_formatd (number, sizeof (number), "%.1f", MIN (rate->rate, 1e6));
    g_snprintf (add_piece (&line), PIECE_BYTES, "%s fps", number);
  }
  g_snprintf (add_piece (&line), PIECE_BYTES, "%u %s", n_boxes,
              n_boxes == 1 ? "object" : "objects");
  const uint32_t n_figures = line.tag.n_pieces;
  for (uint32_t i = 0; i < MIN (n_counts, MAX_SHOWN); i++)
    if (counts[i].label || counts[i].class_index >= 0)
      add_class (&line, &counts[i]);
  if (n_counts > MAX_SHOWN)
    line.tag.pieces[line.tag.n_pieces++] = more;
  shorten (&line, font, n_figures, (int32_t) MIN (frame_w, INT32_MAX) - 2 * margin);

  YvRect rect = yv_shapes_tag_size (font, &line.tag);
  rect.x = rect.y = margin;
  yv_shapes_add_tag (shapes, rect, &line.tag);
}
