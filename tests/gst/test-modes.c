/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-modes.c - the detection modes of the element yolov7, each against a second
 * implementation of letterbox, suppression and mapping back (spec 4.1 to 4.3) around the rows that
 * the network gives. */
#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <math.h>

#include "engine/checkpoint/safetensors.h"
#include "engine/yolov7-tools.h"
#include "gst/detectionmeta.h"
#include "tests/common/outputs.h"
#include "tests/common/paths.h"
#include "tests/gst/frames.h"

#define STRIDE 32 /* of both models */
#define GREY 114
#define THRESHOLD 0.1f

typedef struct {
  const char *name;
  const char *model;
  guint w, h; /* of the frame */
  guint size;
  gboolean fixed, shrink_only, agnostic, multi_label, multiply_one_class;
  guint wanted; /* bit i: class i is wanted; 0: all */
  const char *properties;
  guint unlike; /* the mode of the same frame and model whose result is another; itself: none */
} Mode;

/* Five classes; and one, which no other rounding changes (docs/numerics.md). */
#define FIVE "tests/golden/checkpoints/x-legacy.pt"
#define ONE "tests/golden/checkpoints/tiny-silu.pt"
#define COMMON "confidence-threshold=0.1 max-detections=5000 "

static const Mode modes[] = {
    {"plain", FIVE, 192, 128, 192, .properties = COMMON "input-size=192", .unlike = 0},
    {"agnostic", FIVE, 192, 128, 192, .agnostic = TRUE,
     .properties = COMMON "input-size=192 class-agnostic-nms=true", .unlike = 0},
    {"multi-label", FIVE, 192, 128, 192, .multi_label = TRUE,
     .properties = COMMON "input-size=192 multi-label=true", .unlike = 0},
    {"multi-label-agnostic", FIVE, 192, 128, 192, .multi_label = TRUE, .agnostic = TRUE,
     .properties = COMMON "input-size=192 multi-label=true class-agnostic-nms=true", .unlike = 2},
    {"classes", FIVE, 192, 128, 192, .wanted = 1 << 1 | 1 << 4,
     .properties = COMMON "input-size=192 classes=\"1,4\"", .unlike = 0},
    {"multi-label-classes", FIVE, 192, 128, 192, .wanted = 1 << 2, .multi_label = TRUE,
     .properties = COMMON "input-size=192 multi-label=true classes=2", .unlike = 4},
    {"one-class", ONE, 192, 128, 192, .properties = COMMON "input-size=192", .unlike = 6},
    {"one-class-multi-label", ONE, 192, 128, 192, .multi_label = TRUE,
     .properties = COMMON "input-size=192 multi-label=true", .unlike = 7},
    {"square", ONE, 192, 128, 192, .fixed = TRUE,
     .properties = COMMON "input-size=192 letterbox-mode=fixed", .unlike = 6},
    {"raised-size", ONE, 192, 128, 180, .properties = COMMON "input-size=180", .unlike = 10},
    {"small", ONE, 96, 64, 192, .properties = COMMON "input-size=192", .unlike = 10},
    {"small-square", ONE, 96, 64, 192, .fixed = TRUE,
     .properties = COMMON "input-size=192 letterbox-mode=fixed", .unlike = 10},
    {"small-not-scaled", ONE, 96, 64, 192, .shrink_only = TRUE,
     .properties = COMMON "input-size=192 scale-up=false", .unlike = 10},
    {"small-not-scaled-square", ONE, 96, 64, 192, .fixed = TRUE, .shrink_only = TRUE,
     .properties = COMMON "input-size=192 scale-up=false letterbox-mode=fixed", .unlike = 11},
    {"small-not-scaled-odd", ONE, 93, 61, 192, .shrink_only = TRUE,
     .properties = COMMON "input-size=192 scale-up=false", .unlike = 14},
    {"any-multiple", ONE, 96, 64, 96, .properties = COMMON "input-size=96", .unlike = 10},
    {"one-class-multiplied", ONE, 192, 128, 192, .multiply_one_class = TRUE,
     .properties = COMMON "input-size=192 multiply-one-class=true", .unlike = 6},
};

/* ---- the picture ---------------------------------------------------------------------------- */

static guint8
pixel (guint x, guint y, guint c)
{
  const double shape = sin (0.09 * x + 0.11 * y + c) * cos (0.07 * y - 0.13 * x + 2 * c);

  return (guint8) (128 + 110 * shape);
}

static GstBuffer *
make_frame (const Mode *mode)
{
  const guint stride_bytes = GST_ROUND_UP_4 (3 * mode->w);
  g_autofree guint8 *pixels = g_malloc0 ((gsize) stride_bytes * mode->h);

  for (guint y = 0; y < mode->h; y++)
    for (guint x = 0; x < mode->w; x++)
      for (guint c = 0; c < 3; c++)
        pixels[y * stride_bytes + 3 * x + c] = pixel (x, y, c);
  return gst_buffer_new_memdup (pixels, (gsize) stride_bytes * mode->h);
}

/* ---- the letterbox (spec 4.1) --------------------------------------------------------------- */

typedef struct {
  guint w, h;      /* of the tensor */
  guint scale;     /* 1, or 2: the frame is enlarged */
  guint left, top; /* of the frame in it */
  double gain;     /* for the way back */
  double pad_x, pad_y;
} Fit;

static Fit
fit_frame (const Mode *mode)
{
  const guint side = (mode->size + STRIDE - 1) / STRIDE * STRIDE;
  const double room = MIN ((double) side / mode->w, (double) side / mode->h);
  const double gain = mode->shrink_only ? MIN (room, 1) : room;
  Fit fit = {.scale = (guint) gain, .gain = gain};

  g_assert_true (gain == 1 || gain == 2); /* the only ones that this test can resample */
  guint dw = side - fit.scale * mode->w, dh = side - fit.scale * mode->h;
  if (!mode->fixed) {
    dw %= STRIDE;
    dh %= STRIDE;
  }
  fit.w = fit.scale * mode->w + dw;
  fit.h = fit.scale * mode->h + dh;
  fit.left = dw / 2; /* the odd pixel goes to the right and the bottom */
  fit.top = dh / 2;
  fit.pad_x = dw / 2.0;
  fit.pad_y = dh / 2.0;
  return fit;
}

/* At twice the size a pixel lies a quarter from the nearest one of the source. OpenCV's arithmetic:
 * columns exactly, then rows, each cut to a quarter, rounded in the end. */
static guint8
enlarged (const Mode *mode, guint x, guint y, guint c)
{
  const guint x0 = x / 2, x1 = x % 2 ? MIN (x0 + 1, mode->w - 1) : x0 - (x0 > 0);
  const guint y0 = y / 2, y1 = y % 2 ? MIN (y0 + 1, mode->h - 1) : y0 - (y0 > 0);
  const guint near = 3 * pixel (x0, y0, c) + pixel (x1, y0, c);
  const guint far = 3 * pixel (x0, y1, c) + pixel (x1, y1, c);

  return (guint8) ((near * 3 / 4 + far / 4 + 2) / 4);
}

static float *
make_tensor (const Mode *mode, const Fit *fit)
{
  float *tensor = g_new (float, (gsize) 3 * fit->h * fit->w);
  float *dst = tensor;

  for (guint c = 0; c < 3; c++)
    for (guint y = 0; y < fit->h; y++)
      for (guint x = 0; x < fit->w; x++) {
        const guint u = x - fit->left, v = y - fit->top; /* huge where x is left of it */
        const gboolean inside = u < fit->scale * mode->w && v < fit->scale * mode->h;
        const guint8 value = !inside           ? GREY
                             : fit->scale == 2 ? enlarged (mode, u, v, c)
                                               : pixel (u, v, c);
        *dst++ = (float) value / 255;
      }
  return tensor;
}

/* ---- the network: its rows, as yolov7 forward writes them ----------------------------------- */

static void
write_images (const char *path, const Mode *mode, const Fit *fit)
{
  g_autofree float *values = make_tensor (mode, fit);
  const YvNamedTensor images = {.name = "images",
                                .tensor = {.dtype = YV_DTYPE_F32,
                                           .n_dims = 4,
                                           .shape = {1, 3, fit->h, fit->w},
                                           .stride_elems = {(guint64) 3 * fit->h * fit->w,
                                                            (guint64) fit->h * fit->w, fit->w, 1},
                                           .data = (const uint8_t *) values}};

  g_assert_true (yv_safetensors_write (path, &images, 1, NULL));
}

/* [n_rows][row_elems]. Free with g_free(). */
static float *
network_rows (const Mode *mode, const Fit *fit, guint *n_rows, guint *row_elems)
{
  g_autofree char *model = yv_test_source_path (mode->model);
  g_autofree char *folder = g_dir_make_tmp ("yolov7-modes-XXXXXX", NULL);
  g_autofree char *in = g_build_filename (folder, "in.safetensors", NULL);
  g_autofree char *out = g_build_filename (folder, "out.safetensors", NULL);
  const YvEngineOptions options = {.model_file = model, .device = "reference"};
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);

  write_images (in, mode, fit);
  yv_engine_forward_file (engine, in, out, &error);
  g_assert_no_error (error);
  g_autoptr (YvCheckpoint) file = yv_checkpoint_open (out, &error);
  g_assert_no_error (error);
  const YvTensor *pred = yv_test_get_tensor (file, "pred");
  *n_rows = (guint) pred->shape[1];
  *row_elems = (guint) pred->shape[2];
  float *rows = yv_test_read_tensor (pred);
  g_remove (in);
  g_remove (out);
  g_rmdir (folder);
  return rows;
}

/* ---- suppression and the way back (spec 4.2, 4.3) -------------------------------------------- */

typedef struct {
  float box[4]; /* corners, in the tensor */
  float confidence;
  guint class_index;
} Found;

static void
add_found (GArray *all, const Mode *mode, const float *row, guint class_index, float confidence)
{
  const Found found = {
      .box = {row[0] - row[2] / 2, row[1] - row[3] / 2, row[0] + row[2] / 2, row[1] + row[3] / 2},
      .confidence = confidence,
      .class_index = class_index};

  if (confidence > THRESHOLD && (mode->wanted == 0 || mode->wanted >> class_index & 1))
    g_array_append_val (all, found);
}

static void
add_row (GArray *all, const Mode *mode, const float *row, guint n_classes)
{
  guint best = 0;

  if (!(row[4] > THRESHOLD))
    return;
  if (n_classes == 1 && !mode->multiply_one_class) {
    add_found (all, mode, row, 0, row[4]); /* the objectness alone */
    return;
  }
  for (guint k = 0; k < n_classes; k++) {
    if (mode->multi_label)
      add_found (all, mode, row, k, row[4] * row[5 + k]);
    if (row[5 + k] > row[5 + best])
      best = k;
  }
  if (!mode->multi_label)
    add_found (all, mode, row, best, row[4] * row[5 + best]);
}

static gint
more_confident (gconstpointer a, gconstpointer b)
{
  const float difference = ((const Found *) b)->confidence - ((const Found *) a)->confidence;

  return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

static gboolean
overlap (const Mode *mode, const Found *a, const Found *b)
{
  const double w = (double) MIN (a->box[2], b->box[2]) - (double) MAX (a->box[0], b->box[0]);
  const double h = (double) MIN (a->box[3], b->box[3]) - (double) MAX (a->box[1], b->box[1]);
  const double both = MAX (w, 0) * MAX (h, 0);
  const double area_a = (double) (a->box[2] - a->box[0]) * (double) (a->box[3] - a->box[1]);
  const double area_b = (double) (b->box[2] - b->box[0]) * (double) (b->box[3] - b->box[1]);

  return (mode->agnostic || a->class_index == b->class_index) &&
         both / (area_a + area_b - both) > 0.45;
}

/* Of the boxes of all rows, by falling confidence, those that none before them suppresses. */
static GArray *
suppress (GArray *all, const Mode *mode)
{
  GArray *kept = g_array_new (FALSE, FALSE, sizeof (Found));

  g_array_sort (all, more_confident);
  for (guint i = 0; i < all->len; i++) {
    const Found *found = &g_array_index (all, Found, i);
    gboolean suppressed = FALSE;
    for (guint k = 0; k < kept->len && !suppressed; k++)
      suppressed = overlap (mode, &g_array_index (kept, Found, k), found);
    if (!suppressed)
      g_array_append_val (kept, *found);
  }
  return kept;
}

/* To the frame, clamped to it; false where nothing is left. */
static gboolean
map_back (Found *found, const Mode *mode, const Fit *fit)
{
  for (guint i = 0; i < 4; i++) {
    const double pad = i % 2 ? fit->pad_y : fit->pad_x;
    const double side = i % 2 ? mode->h : mode->w;
    found->box[i] = (float) CLAMP (((double) found->box[i] - pad) / fit->gain, 0, side);
  }
  return found->box[2] > found->box[0] && found->box[3] > found->box[1];
}

/* Of Found, in the frame. */
static GArray *
expected_of (const Mode *mode)
{
  const Fit fit = fit_frame (mode);
  guint n_rows, row_elems;
  g_autofree float *rows = network_rows (mode, &fit, &n_rows, &row_elems);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Found));

  for (guint i = 0; i < n_rows; i++)
    add_row (all, mode, rows + (gsize) i * row_elems, row_elems - 5);
  GArray *kept = suppress (all, mode);
  for (guint i = kept->len; i-- > 0;)
    if (!map_back (&g_array_index (kept, Found, i), mode, &fit))
      g_array_remove_index (kept, i);
  return kept;
}

/* ---- the element ---------------------------------------------------------------------------- */

/* Of GstYolov7Detection. */
static GArray *
detect (const Mode *mode)
{
  g_autofree char *model = yv_test_source_path (mode->model);
  g_autofree char *launch =
      g_strdup_printf ("yolov7 model-file=\"%s\" device=reference %s", model, mode->properties);
  GstHarness *h = gst_harness_new_parse (launch);
  g_autoptr (GstCaps) caps = yv_test_caps ("RGB", mode->w, mode->h);
  GArray *found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, make_frame (mode));
  g_assert_nonnull (out);
  g_assert_true (gst_yolov7_detections_read (out, found));
  gst_harness_teardown (h);
  return found;
}

static gboolean
is_same (const Found *a, const GstYolov7Detection *b)
{
  return a->class_index == (guint) b->class_index &&
         fabs ((double) a->confidence - b->confidence) < 1e-4 &&
         fabs ((double) a->box[0] - b->x) < 0.02 && fabs ((double) a->box[1] - b->y) < 0.02 &&
         fabs ((double) a->box[2] - b->x - b->w) < 0.02 &&
         fabs ((double) a->box[3] - b->y - b->h) < 0.02;
}

/* How many of @expected are in @found. */
static guint
count_same (const GArray *expected, const GArray *found)
{
  guint n = 0;

  for (guint i = 0; i < expected->len; i++) {
    gboolean is_there = FALSE;
    for (guint k = 0; k < found->len && !is_there; k++)
      is_there = is_same (&g_array_index (expected, Found, i),
                          &g_array_index (found, GstYolov7Detection, k));
    n += is_there;
  }
  return n;
}

static void
a_mode_finds_what_the_specification_says (gconstpointer data)
{
  const Mode *mode = data;
  g_autoptr (GArray) expected = expected_of (mode);
  g_autoptr (GArray) found = detect (mode);

  g_test_message ("%u expected, %u found, %u the same", expected->len, found->len,
                  count_same (expected, found));
  g_assert_cmpuint (expected->len, >, 3);
  g_assert_cmpuint (found->len, ==, expected->len);
  g_assert_cmpuint (count_same (expected, found), ==, expected->len);

  if (&modes[mode->unlike] != mode) {
    g_autoptr (GArray) other = expected_of (&modes[mode->unlike]);
    g_assert_cmpuint (count_same (other, found), <, MAX (other->len, found->len));
  }
}

/* ---- while playing -------------------------------------------------------------------------- */

static guint
count (GstHarness *h, const Mode *mode)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, make_frame (mode));

  g_assert_true (gst_yolov7_detections_read (out, found));
  return found->len;
}

/* modes: plain, agnostic, multi-label */
static void
modes_that_do_not_shape_the_input_change_while_playing (void)
{
  g_autofree char *model = yv_test_source_path (FIVE);
  g_autofree char *launch =
      g_strdup_printf ("yolov7 model-file=\"%s\" device=reference %s", model, modes[0].properties);
  GstHarness *h = gst_harness_new_parse (launch);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstCaps) caps = yv_test_caps ("RGB", modes[0].w, modes[0].h);
  guint n[3];

  for (guint i = 0; i < G_N_ELEMENTS (n); i++) {
    g_autoptr (GArray) expected = expected_of (&modes[i]);
    n[i] = expected->len;
  }
  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
  g_assert_cmpuint (count (h, &modes[0]), ==, n[0]);
  g_object_set (yolov7, "multi-label", TRUE, NULL);
  g_assert_cmpuint (count (h, &modes[0]), ==, n[2]);
  g_object_set (yolov7, "multi-label", FALSE, "class-agnostic-nms", TRUE, NULL);
  g_assert_cmpuint (count (h, &modes[0]), ==, n[1]);
  g_object_set (yolov7, "scale-up", FALSE, "class-agnostic-nms", FALSE, NULL); /* next start */
  g_assert_cmpuint (count (h, &modes[0]), ==, n[0]);
  gst_harness_teardown (h);
}

static void
a_size_that_is_no_multiple_of_the_stride_is_raised_with_a_warning (void)
{
  g_autofree char *model = yv_test_source_path (ONE);
  g_autoptr (GstElement) yolov7 = gst_object_ref_sink (gst_element_factory_make ("yolov7", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  g_object_set (yolov7, "model-file", model, "device", "reference", "input-size", 180, NULL);
  gst_element_set_bus (yolov7, bus);
  g_assert_cmpint (gst_element_set_state (yolov7, GST_STATE_PAUSED), !=, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_cmpstr (error->message, ==,
                   "input-size 180 is no multiple of the model's stride, 32: 192 is used.");
  gst_element_set_state (yolov7, GST_STATE_NULL);
  gst_element_set_bus (yolov7, NULL);
}

/* Name, whether it may change while playing, default: as gst-inspect-1.0 shows them. */
static void
properties_tell_when_they_may_change (void)
{
  static const struct {
    const char *name;
    gboolean while_playing;
    gboolean default_value;
  } booleans[] = {
      {"class-agnostic-nms", TRUE, FALSE},
      {"multi-label", TRUE, FALSE},
      {"multiply-one-class", TRUE, FALSE},
      {"scale-up", FALSE, TRUE},
  };
  g_autoptr (GstElement) yolov7 = gst_object_ref_sink (gst_element_factory_make ("yolov7", NULL));

  for (guint i = 0; i < G_N_ELEMENTS (booleans); i++) {
    GParamSpec *pspec =
        g_object_class_find_property (G_OBJECT_GET_CLASS (yolov7), booleans[i].name);
    gboolean value;
    g_assert_cmpint (!!(pspec->flags & GST_PARAM_MUTABLE_PLAYING), ==, booleans[i].while_playing);
    g_assert_cmpint (!!(pspec->flags & GST_PARAM_MUTABLE_READY), !=, booleans[i].while_playing);
    g_assert_cmpint (G_PARAM_SPEC_BOOLEAN (pspec)->default_value, ==, booleans[i].default_value);
    g_object_get (yolov7, booleans[i].name, &value, NULL);
    g_assert_cmpint (value, ==, booleans[i].default_value);
    g_object_set (yolov7, booleans[i].name, !value, NULL);
    g_object_get (yolov7, booleans[i].name, &value, NULL);
    g_assert_cmpint (value, !=, booleans[i].default_value);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree char *path = g_strconcat ("/modes/", modes[i].name, NULL);
    g_test_add_data_func (path, &modes[i], a_mode_finds_what_the_specification_says);
  }
  g_test_add_func ("/modes/while-playing", modes_that_do_not_shape_the_input_change_while_playing);
  g_test_add_func ("/modes/raised-with-warning",
                   a_size_that_is_no_multiple_of_the_stride_is_raised_with_a_warning);
  g_test_add_func ("/modes/properties", properties_tell_when_they_may_change);
  return g_test_run ();
}
