/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/plot.c - two drawings with Cairo; lengths are in points of the picture.
 */
#include "tools/eval/plot.h"

#include <math.h>

#include <cairo-svg.h>
#include <cairo.h>

#define MARGIN 70.0
#define FONT_SIZE 13.0
#define SMALL_FONT_SIZE 10.0
#define NAME_CHARS 17

typedef struct {
  double r, g, b;
} Colour;

static const Colour ink = {0.13, 0.14, 0.17};
static const Colour faint = {0.87, 0.88, 0.90};
static const Colour pale = {0.62, 0.66, 0.72};
static const Colour blue = {0.04, 0.30, 0.68};

/* Apart for those who see few colours, too (Okabe and Ito's). */
static const Colour palette[] = {
    {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.00, 0.62, 0.45}, {0.80, 0.47, 0.65},
    {0.84, 0.37, 0.00}, {0.00, 0.45, 0.70}, {0.70, 0.65, 0.10}, {0.35, 0.35, 0.35},
};

static void
set_colour (cairo_t *cr, Colour colour)
{
  cairo_set_source_rgb (cr, colour.r, colour.g, colour.b);
}

/* Names of classes may be long. Free with g_free(). */
static char *
shorten (const char *name, glong n_chars)
{
  if (g_utf8_strlen (name, -1) <= n_chars)
    return g_strdup (name);
  g_autofree char *start = g_utf8_substring (name, 0, n_chars - 2);
  return g_strconcat (start, "..", NULL);
}

typedef enum { LEFT, CENTRE, RIGHT } Align;

/* @y: where the text stands in the middle of. */
static void
draw_text (cairo_t *cr, double x, double y, Align align, const char *text)
{
  cairo_text_extents_t extents;
  cairo_font_extents_t font;

  cairo_text_extents (cr, text, &extents);
  cairo_font_extents (cr, &font);
  cairo_move_to (cr, x - extents.x_advance * align / 2, y + (font.ascent - font.descent) / 2);
  cairo_show_text (cr, text);
}

/* Upwards. */
static void
draw_turned_text (cairo_t *cr, double x, double y, Align align, const char *text)
{
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_rotate (cr, -G_PI / 2);
  draw_text (cr, 0, 0, align, text);
  cairo_restore (cr);
}

static cairo_t *
begin (const char *path, double width, double height)
{
  cairo_surface_t *surface = cairo_svg_surface_create (path, width, height);
  cairo_t *cr = cairo_create (surface);

  cairo_surface_destroy (surface); /* cr keeps it */
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, FONT_SIZE);
  return cr;
}

/* Writes the file. */
static bool
end (cairo_t *cr, const char *path, GError **error)
{
  cairo_surface_t *surface = cairo_get_target (cr);

  cairo_surface_finish (surface);
  const cairo_status_t drawing = cairo_status (cr), writing = cairo_surface_status (surface);
  cairo_destroy (cr);
  if (drawing == CAIRO_STATUS_SUCCESS && writing == CAIRO_STATUS_SUCCESS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't draw into this file: %s", path,
               cairo_status_to_string (writing != CAIRO_STATUS_SUCCESS ? writing : drawing));
  return false;
}

/* ---- precision and recall ------------------------------------------------------------------- */

#define CURVES_WIDTH 750.0
#define CURVES_HEIGHT 480.0
#define PLOT_WIDTH 450.0 /* the rest of the width is the legend */
#define PLOT_TOP 40.0
#define PLOT_HEIGHT (CURVES_HEIGHT - PLOT_TOP - MARGIN)
#define MAX_LEGEND 16 /* classes that are told apart */

static double
x_of (double recall)
{
  return MARGIN + recall * PLOT_WIDTH;
}

static double
y_of (double precision)
{
  return PLOT_TOP + (1 - precision) * PLOT_HEIGHT;
}

static void
draw_axes (cairo_t *cr)
{
  cairo_set_line_width (cr, 1);
  for (int i = 0; i <= 5; i++) {
    g_autofree char *text = g_strdup_printf ("%d.%d", i / 5, i % 5 * 2);

    set_colour (cr, faint);
    cairo_move_to (cr, x_of (i / 5.0), y_of (0));
    cairo_line_to (cr, x_of (i / 5.0), y_of (1));
    cairo_move_to (cr, x_of (0), y_of (i / 5.0));
    cairo_line_to (cr, x_of (1), y_of (i / 5.0));
    cairo_stroke (cr);
    set_colour (cr, ink);
    draw_text (cr, x_of (i / 5.0), y_of (0) + 16, CENTRE, text);
    draw_text (cr, x_of (0) - 8, y_of (i / 5.0), RIGHT, text);
  }
  draw_text (cr, x_of (0.5), y_of (0) + 42, CENTRE, "recall");
  draw_turned_text (cr, MARGIN - 46, y_of (0.5), CENTRE, "precision");
  draw_text (cr, x_of (0.5), PLOT_TOP / 2, CENTRE, "Precision over recall, IoU 0.5");
}

static void
draw_curve (cairo_t *cr, const double *precision, Colour colour, double width)
{
  cairo_new_path (cr); /* text leaves a point behind */
  for (uint32_t i = 0; i < METRIC_N_POINTS; i++)
    cairo_line_to (cr, x_of (i / (METRIC_N_POINTS - 1.0)), y_of (precision[i]));
  set_colour (cr, colour);
  cairo_set_line_width (cr, width);
  cairo_stroke (cr);
}

static void
draw_legend (cairo_t *cr, uint32_t row, Colour colour, double width, const char *name, double ap)
{
  const double x = x_of (1) + 18, y = PLOT_TOP + 10 + row * 22;
  g_autofree char *shown = shorten (name, NAME_CHARS);
  g_autofree char *text = g_strdup_printf ("%.3f  %s", ap, shown);

  set_colour (cr, colour);
  cairo_set_line_width (cr, width);
  cairo_move_to (cr, x, y);
  cairo_line_to (cr, x + 22, y);
  cairo_stroke (cr);
  set_colour (cr, ink);
  draw_text (cr, x + 30, y, LEFT, text);
}

/* Where there are many classes, their lines show how far they spread, not which is which. */
static void
draw_class (cairo_t *cr, const MetricResult *result, uint32_t class_index, uint32_t row,
            bool is_named, const char *name)
{
  const MetricClass *c = &result->classes[class_index];
  const Colour colour = is_named ? palette[(row - 1) % G_N_ELEMENTS (palette)] : pale;
  double precision[METRIC_N_POINTS];

  for (uint32_t i = 0; i < METRIC_N_POINTS; i++)
    precision[i] = (double) c->curve[i];
  draw_curve (cr, precision, colour, is_named ? 1.6 : 0.8);
  if (is_named)
    draw_legend (cr, row, colour, 1.6, name, c->ap[0]);
}

static uint32_t
count_with_labels (const MetricResult *result)
{
  uint32_t n = 0;

  for (uint32_t k = 0; k < result->n_classes; k++)
    n += result->classes[k].n_labels > 0;
  return n;
}

static void
draw_mean (cairo_t *cr, const MetricResult *result)
{
  const uint32_t n = MAX (count_with_labels (result), 1);
  double mean[METRIC_N_POINTS] = {0};

  for (uint32_t k = 0; k < result->n_classes; k++)
    for (uint32_t i = 0; i < METRIC_N_POINTS; i++)
      mean[i] += (double) result->classes[k].curve[i] / n;
  draw_curve (cr, mean, blue, 3);
  draw_legend (cr, 0, blue, 3, "all classes", result->map50);
}

bool
plot_curves (const MetricResult *result, const char *const *class_names, const char *path,
             GError **error)
{
  cairo_t *cr = begin (path, CURVES_WIDTH, CURVES_HEIGHT);
  const uint32_t n_shown = count_with_labels (result);
  uint32_t row = 0;

  draw_axes (cr);
  for (uint32_t k = 0; k < result->n_classes && n_shown > 1; k++)
    if (result->classes[k].n_labels > 0)
      draw_class (cr, result, k, ++row, n_shown <= MAX_LEGEND, class_names[k]);
  draw_mean (cr, result);
  return end (cr, path, error);
}

/* ---- confusion ------------------------------------------------------------------------------ */

#define MATRIX_PX 560.0 /* at most */
#define CELL_PX 120.0   /* at most */
#define TITLE_PX 400.0
#define NAMES_PX 120.0 /* room for class names at the left and below */
#define MAX_WITH_NUMBERS 20

typedef struct {
  const Confusion *confusion;
  const char *const *class_names;
  uint32_t n;             /* classes and background */
  const uint64_t *totals; /* [n]: of each column */
  double cell_px, side_px, left, top;
  double width; /* of the whole drawing */
} Matrix;

static const char *
name_of (const Matrix *matrix, uint32_t index)
{
  return index < matrix->confusion->n_classes ? matrix->class_names[index] : "background";
}

/* Of each column. Free with g_free(). */
static uint64_t *
sum_columns (const Confusion *confusion)
{
  const uint32_t n = confusion->n_classes + 1;
  uint64_t *totals = g_new0 (uint64_t, n);

  for (uint32_t detected = 0; detected < n; detected++)
    for (uint32_t labelled = 0; labelled < n; labelled++)
      totals[labelled] += confusion_count (confusion, detected, labelled);
  return totals;
}

/* Also how often, since shares of a rare class say little. */
static void
draw_numbers (cairo_t *cr, const Matrix *matrix, double x, double y, double part, uint64_t count)
{
  g_autofree char *percent = g_strdup_printf ("%.2f", part);
  g_autofree char *times = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
  const bool is_roomy = matrix->cell_px >= 40;

  if (part > 0.5)
    cairo_set_source_rgb (cr, 1, 1, 1);
  else
    set_colour (cr, ink);
  draw_text (cr, x, is_roomy ? y - 7 : y, CENTRE, percent);
  if (is_roomy)
    draw_text (cr, x, y + 9, CENTRE, times);
}

static void
draw_cell (cairo_t *cr, const Matrix *matrix, uint32_t detected, uint32_t labelled)
{
  const double x = matrix->left + labelled * matrix->cell_px;
  const double y = matrix->top + detected * matrix->cell_px;
  const uint64_t count = confusion_count (matrix->confusion, detected, labelled);

  if (count == 0)
    return;
  const double part = (double) count / (double) matrix->totals[labelled];
  cairo_set_source_rgb (cr, 1 - part * (1 - blue.r), 1 - part * (1 - blue.g),
                        1 - part * (1 - blue.b));
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_NONE); /* no seams between neighbours */
  cairo_rectangle (cr, x, y, matrix->cell_px, matrix->cell_px);
  cairo_fill (cr);
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_DEFAULT);
  if (matrix->n <= MAX_WITH_NUMBERS)
    draw_numbers (cr, matrix, x + matrix->cell_px / 2, y + matrix->cell_px / 2, part, count);
}

static void
draw_names (cairo_t *cr, const Matrix *matrix)
{
  const double size = CLAMP (matrix->cell_px * 0.8, 4, FONT_SIZE);

  set_colour (cr, ink);
  cairo_set_font_size (cr, size);
  for (uint32_t i = 0; i < matrix->n; i++) {
    const double middle = (i + 0.5) * matrix->cell_px;
    g_autofree char *name = shorten (name_of (matrix, i), NAME_CHARS);

    draw_text (cr, matrix->left - 6, matrix->top + middle, RIGHT, name);
    draw_turned_text (cr, matrix->left + middle, matrix->top + matrix->side_px + 6, RIGHT, name);
  }
}

static void
draw_titles (cairo_t *cr, const Matrix *matrix)
{
  const double centre = matrix->left + matrix->side_px / 2;
  g_autofree char *title = g_strdup_printf ("Detected and labelled, confidence %.2f, IoU %.2f",
                                            (double) CONFUSION_CONFIDENCE, CONFUSION_IOU);

  cairo_set_font_size (cr, FONT_SIZE);
  draw_text (cr, matrix->width / 2, matrix->top / 2, CENTRE, title);
  draw_text (cr, centre, matrix->top + matrix->side_px + NAMES_PX + 12, CENTRE, "labelled");
  draw_turned_text (cr, 16, matrix->top + matrix->side_px / 2, CENTRE, "detected");
}

bool
plot_confusion (const Confusion *confusion, const char *const *class_names, const char *path,
                GError **error)
{
  const uint32_t n = confusion->n_classes + 1;
  const double cell_px = MIN (CELL_PX, MATRIX_PX / n);
  const double side_px = cell_px * n, left = NAMES_PX + 24;
  g_autofree uint64_t *totals = sum_columns (confusion);
  const Matrix matrix = {
      .confusion = confusion,
      .class_names = class_names,
      .n = n,
      .totals = totals,
      .cell_px = cell_px,
      .side_px = side_px,
      .left = left,
      .top = 40,
      .width = MAX (left + side_px + 24, TITLE_PX),
  };
  cairo_t *cr = begin (path, matrix.width, matrix.top + side_px + NAMES_PX + 28);

  cairo_set_font_size (cr, matrix.cell_px >= 40 ? FONT_SIZE : SMALL_FONT_SIZE);
  for (uint32_t detected = 0; detected < n; detected++)
    for (uint32_t labelled = 0; labelled < n; labelled++)
      draw_cell (cr, &matrix, detected, labelled);
  set_colour (cr, pale);
  cairo_set_line_width (cr, 1);
  cairo_rectangle (cr, matrix.left, matrix.top, matrix.side_px, matrix.side_px);
  cairo_stroke (cr);
  draw_names (cr, &matrix);
  draw_titles (cr, &matrix);
  return end (cr, path, error);
}
