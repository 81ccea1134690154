/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/chart.c - the bar chart of a profile. Lengths are in px of the picture, colours 0xRRGGBB.
 */
#include "tools/chart.h"

#include <cairo-svg.h>

#include "tools/graph/pen.h"

#define MARGIN 16.0
#define TOP 76.0
#define LEGEND_Y 42.0
#define ROW_H 15.0
#define TEXT_PX 9.5
#define TITLE_PX 14.0
#define NAME_W 250.0
#define BARS_X 285.0
#define BARS_W 480.0
#define COLUMN_W 62.0
#define NUMBERS_X (BARS_X + BARS_W + 8)
#define N_COLUMNS 4
#define WIDTH (NUMBERS_X + N_COLUMNS * COLUMN_W + MARGIN)

enum { INK = 0x21242b, FAINT = 0xdee0e6, STRIPE = 0xf5f6f8 };

/* What a step needs at the ceiling, dark, and what it takes beyond that, pale. */
typedef struct {
  const char *name;
  uint32_t dark, pale;
} Bound;

static const Bound arithmetic = {"arithmetic", 0x0a4dad, 0xa9c3ea};
static const Bound memory = {"memory", 0xb3530a, 0xf0c49c};

Ceilings
ceilings_of (const YvProfile *profile)
{
  Ceilings ceilings = {0};

  for (uint32_t i = 0; i < profile->n_steps; i++) {
    const YvProfileStep *step = &profile->steps[i];

    if (step->median_ms <= 0)
      continue;
    ceilings.flops_per_ms = MAX (ceilings.flops_per_ms, step->flops / step->median_ms);
    ceilings.bytes_per_ms = MAX (ceilings.bytes_per_ms, step->bytes / step->median_ms);
  }
  return ceilings;
}

static double
ms_of_arithmetic (const Ceilings *ceilings, const YvProfileStep *step)
{
  return ceilings->flops_per_ms > 0 ? step->flops / ceilings->flops_per_ms : 0;
}

static double
ms_of_memory (const Ceilings *ceilings, const YvProfileStep *step)
{
  return ceilings->bytes_per_ms > 0 ? step->bytes / ceilings->bytes_per_ms : 0;
}

double
roofline_share (const Ceilings *ceilings, const YvProfileStep *step)
{
  const double least_ms = MAX (ms_of_arithmetic (ceilings, step), ms_of_memory (ceilings, step));

  return step->median_ms > 0 ? least_ms / step->median_ms : 0;
}

/* Ends at @x; its middle is at @y. */
static void
write_right (Pen *pen, const char *text, double x, double y)
{
  const PenSize size = pen_set_text (pen, text, TEXT_PX, false, 0);

  pen_show_text (pen, x - size.w, y - size.h / 2, INK);
}

static void
write_numbers (Pen *pen, double y, const char *const *texts)
{
  for (uint32_t i = 0; i < N_COLUMNS; i++)
    write_right (pen, texts[i], NUMBERS_X + (i + 1) * COLUMN_W, y);
}

static void
draw_numbers (Pen *pen, const YvProfileStep *step, double share, double y)
{
  const double ms = step->median_ms;
  g_autofree char *us = g_strdup_printf ("%.1f", ms * 1e3);
  g_autofree char *gflops = g_strdup_printf ("%.1f", ms > 0 ? step->flops / ms / 1e6 : 0);
  g_autofree char *gbytes = g_strdup_printf ("%.1f", ms > 0 ? step->bytes / ms / 1e6 : 0);
  g_autofree char *percent = g_strdup_printf ("%.0f %%", share * 100);
  const char *const texts[N_COLUMNS] = {us, step->flops > 0 ? gflops : "-", gbytes, percent};

  write_numbers (pen, y, texts);
}

static void
draw_step (Pen *pen, const Ceilings *ceilings, const YvProfileStep *step, double px_per_ms,
           uint32_t row)
{
  const double y = TOP + row * ROW_H;
  const double share = roofline_share (ceilings, step);
  const bool computes = ms_of_arithmetic (ceilings, step) > ms_of_memory (ceilings, step);
  const Bound *bound = computes ? &arithmetic : &memory;
  const double w = step->median_ms * px_per_ms;

  if (row % 2)
    pen_fill_rectangle (pen, MARGIN, y, WIDTH - 2 * MARGIN, ROW_H, STRIPE);
  cairo_save (pen->cairo);
  cairo_rectangle (pen->cairo, MARGIN, y, NAME_W, ROW_H);
  cairo_clip (pen->cairo);
  const double kernel_end =
      pen_write (pen, step->kernel, MARGIN + 2, y + ROW_H / 2, TEXT_PX, true, INK);
  pen_write (pen, step->name, kernel_end + 6, y + ROW_H / 2, TEXT_PX, false, INK);
  cairo_restore (pen->cairo);
  pen_fill_rectangle (pen, BARS_X, y + 2, w, ROW_H - 4, bound->pale);
  pen_fill_rectangle (pen, BARS_X, y + 2, w * share, ROW_H - 4, bound->dark);
  draw_numbers (pen, step, share, y + ROW_H / 2);
}

/* Returns the x where it ends. */
static double
draw_bound (Pen *pen, const Bound *bound, double rate, const char *unit, double x)
{
  g_autofree char *needed = g_strdup_printf ("needed at %.1f %s", rate, unit);
  g_autofree char *rest = g_strdup_printf ("the rest, bound by %s", bound->name);

  pen_fill_rectangle (pen, x, LEGEND_Y - 5, 10, 10, bound->dark);
  x = pen_write (pen, needed, x + 14, LEGEND_Y, TEXT_PX, false, INK) + 8;
  pen_fill_rectangle (pen, x, LEGEND_Y - 5, 10, 10, bound->pale);
  return pen_write (pen, rest, x + 14, LEGEND_Y, TEXT_PX, false, INK) + 18;
}

static void
draw_legend (Pen *pen, const Ceilings *ceilings)
{
  double x = MARGIN;

  x = draw_bound (pen, &arithmetic, ceilings->flops_per_ms / 1e6, "GFLOP/s", x);
  x = draw_bound (pen, &memory, ceilings->bytes_per_ms / 1e6, "GB/s", x);
  pen_write (pen, "rates: the best of any step here", x, LEGEND_Y, TEXT_PX, false, INK);
}

static void
draw (Pen *pen, const YvProfile *profile, const char *title, double height)
{
  const Ceilings ceilings = ceilings_of (profile);
  static const char *const heads[N_COLUMNS] = {"us", "GFLOP/s", "GB/s", "roofline"};
  double longest_ms = 0;

  pen_fill_rectangle (pen, 0, 0, WIDTH, height, 0xffffff);
  pen_write (pen, title, MARGIN, 20, TITLE_PX, true, INK);
  draw_legend (pen, &ceilings);
  write_numbers (pen, TOP - 10, heads);
  pen_line (pen, MARGIN, WIDTH - MARGIN, TOP - 1, FAINT, false);
  for (uint32_t i = 0; i < profile->n_steps; i++)
    longest_ms = MAX (longest_ms, profile->steps[i].median_ms);
  for (uint32_t i = 0; i < profile->n_steps; i++)
    draw_step (pen, &ceilings, &profile->steps[i], longest_ms > 0 ? BARS_W / longest_ms : 0, i);
}

bool
chart_profile (const YvProfile *profile, const char *title, const char *path, GError **error)
{
  const double height = TOP + profile->n_steps * ROW_H + MARGIN;
  cairo_surface_t *surface = cairo_svg_surface_create (path, WIDTH, height);
  Pen pen;

  pen_init (&pen);
  pen.cairo = cairo_create (surface);
  draw (&pen, profile, title, height);
  cairo_surface_finish (surface);
  const cairo_status_t drawing = cairo_status (pen.cairo);
  const cairo_status_t writing = cairo_surface_status (surface);
  cairo_destroy (pen.cairo);
  cairo_surface_destroy (surface);
  pen_clear (&pen);
  if (drawing == CAIRO_STATUS_SUCCESS && writing == CAIRO_STATUS_SUCCESS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't draw into this file: %s", path,
               cairo_status_to_string (writing != CAIRO_STATUS_SUCCESS ? writing : drawing));
  return false;
}
