/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/header.c - what stands above the rows of a picture: the model, totals, the legend. */
#include "tools/graph/header.h"

#include "tools/graph/edges.h"
#include "tools/graph/kinds.h"

#define LEGEND_GAP 22.0 /* px */

static void
draw_titles (Picture *picture)
{
  for (Cell cell = 0; cell < N_CELLS; cell++) {
    const Span *span = &picture->cells[cell];
    const PenSize size = pen_set_text (&picture->pen, cell_styles[cell].title, TEXT_SIZE, false, 0);

    pen_show_text (&picture->pen, span->x + (cell_styles[cell].is_right ? span->w - size.w : 0),
                   picture->top - 22, QUIET_COLOR);
  }
}

static void
draw_totals (Picture *picture, guint column, const char *title, uint64_t n_params, uint64_t flops)
{
  g_autofree char *params = format_count (n_params);
  g_autofree char *gflop = format_gflop (flops);
  g_autofree char *text = g_strdup_printf ("%s parameters, %s GFLOP", params, gflop);
  const double x = picture->boxes[column].x, y = picture->top - 38;
  const double end_x = pen_write (&picture->pen, title, x, y, 14, true, TEXT_COLOR);

  pen_write (&picture->pen, text, end_x + CELL_GAP, y, 12, false, TEXT_COLOR);
}

/* What a sample at @x means. Returns where the next one goes. */
static double
explain (Pen *pen, const char *text, double x, double sample_w, double y)
{
  return pen_write (pen, text, x + sample_w + 6, y, TEXT_SIZE, false, TEXT_COLOR) + LEGEND_GAP;
}

static void
draw_kinds (Pen *pen, double x, double y)
{
  for (guint i = 0; i < N_KINDS; i++) {
    pen_fill_rectangle (pen, x, y - 5, 10, 10, kind_styles[i].color);
    x = explain (pen, kind_styles[i].name, x, 10, y);
  }
}

static void
draw_samples (Pen *pen, double x, double y)
{
  const double w = 24, h = 12;

  draw_direct (pen, x + 5, y - ROW_GAP / 2);
  x = explain (pen, "reads the row above", x, 10, y);
  draw_sample_edge (pen, x, y, w);
  x = explain (pen, "reads an earlier row", x, w, y);
  pen_fill_funnel (pen, x, x + w, y - h / 2, h, kind_styles[KIND_CONV].tint);
  x = explain (pen, "folded into what is deployed", x, w, y);
  pen_fill_rectangle (pen, x, y - h / 2, w, h, kind_styles[KIND_JOIN].color);
  pen_fill_rectangle (pen, x + 1, y - h / 2 + 1, w - 2, h - 2, PAPER_COLOR);
  x = explain (pen, "in place: costs nothing", x, w, y);
  pen_line (pen, x, x + w, y - h / 2, FADED_COLOR, true);
  pen_line (pen, x, x + w, y + h / 2, FADED_COLOR, true);
  explain (pen, "dropped", x, w, y);
}

void
draw_header (Picture *picture)
{
  const YvModelInfo *info = picture->info;
  g_autofree char *name = g_filename_display_basename (info->source);
  g_autofree char *about = g_strdup_printf (
      "%s, %s;  %u rows, %u class%s;  shapes and GFLOP at %ux%u", info->format, info->weights_kind,
      info->n_layers, info->n_classes, info->n_classes == 1 ? "" : "es", info->width, info->height);

  pen_write (&picture->pen, name, MARGIN, MARGIN + 8, 20, true, TEXT_COLOR);
  pen_write (&picture->pen, about, MARGIN, MARGIN + 32, 11, false, QUIET_COLOR);
  draw_totals (picture, LAYOUT_TRAINED, "as trained", info->n_params_trained, info->flops_trained);
  draw_totals (picture, LAYOUT_DEPLOYED, "as deployed", info->n_params_deployed, info->flops);
  draw_titles (picture);
  draw_kinds (&picture->pen, MARGIN, MARGIN + 56);
  draw_samples (&picture->pen, MARGIN, MARGIN + 76);
}
