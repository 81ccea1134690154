/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-forward.c - whole checkpoints through the whole engine, against what PyTorch
 * computed from the same files. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/engine.h"
#include "engine/ops/conv.h"
#include "tests/common/device.h"
#include "tests/common/outputs.h"
#include "tests/common/paths.h"
#include "tests/common/ties.h"

/* Of any head or pred, ||out - ref|| / ||ref||, where the network does not amplify rounding. */
static const double bounds[] = {[YV_PRECISION_FP32] = 2e-5, [YV_PRECISION_FP16] = 1e-2};

/* A network of random weights may amplify rounding by a thousand. Then the file itself, which
 * PyTorch computed in float32, lies further than that from what exact arithmetic gives, and so does
 * everybody. The bounds of such a model are these multiples of what was measured on PyTorch: the
 * order of summation is chance, with a tail that 16 draws do not show. */
#define EXACT_SUMS_MARGIN 1.25
#define ANY_ORDER_MARGIN 1.5

/* As tests/golden/exact-error.py prints it, of the worst head or of pred: how far from the file is
 * what float64 arithmetic gives if each value and folded weight is rounded to the precision. */
typedef struct {
  double exact_sums; /* and nothing else is: what engine/ref/ does */
  double any_order;  /* and sums are float32, of the worst of 16 orders of summation */
} Rounding;

typedef struct {
  const char *name;
  const char *config; /* of a bare state dict; NULL: the checkpoint says it itself */
  double exact_error; /* of float64 arithmetic, nothing rounded */
  Rounding fp32, fp16;
  bool is_saturated; /* hundreds of rows tie for confidence: which 300 are kept is undecided */
} Model;

static const Model models[] = {
    {"tiny-train", NULL, 6.49e-6, {7.06e-6, 1.08e-5}, {1.77e-2, 1.82e-2}, false},
    {"v7-best", NULL, 8.13e-5, {8.24e-5, 1.51e-4}, {1.27e-1, 1.39e-1}, false},
    {"tiny-silu", NULL, 2.35e-6, {2.43e-6, 3.96e-6}, {5.53e-3, 6.33e-3}, false},
    {"x-legacy", NULL, 1.61e-4, {1.50e-4, 2.76e-4}, {1.75e-1, 2.12e-1}, false},
    {"v7-deploy-state",
     "v7-deploy-state.yaml",
     5.53e-5,
     {5.78e-5, 1.05e-4},
     {6.95e-2, 7.89e-2},
     false},
    {"w6-train", NULL, 4.35e-5, {4.54e-5, 1.17e-4}, {1.06e-1, 1.06e-1}, false},
    {"e6-best", NULL, 3.33e-3, {3.40e-3, 7.32e-3}, {4.53e-1, 5.01e-1}, false},
    {"d6-best", NULL, 9.90e-3, {1.03e-2, 1.68e-2}, {5.48e-1, 6.10e-1}, false},
    {"e6e-best", NULL, 2.17e-4, {2.31e-4, 4.52e-4}, {1.94e-1, 2.11e-1}, false},
    {"yolor-csp", NULL, 2.93e-5, {2.84e-5, 5.18e-5}, {5.17e-2, 5.44e-2}, true},
    {"yolor-p6", NULL, 1.19e-4, {1.22e-4, 1.89e-4}, {6.48e-2, 7.59e-2}, false},
    {"r50-csp", NULL, 5.67e-5, {5.12e-5, 9.74e-5}, {1.09e-1, 1.21e-1}, false},
    {"yolov3-spp", NULL, 5.55e-6, {5.77e-6, 8.67e-6}, {9.42e-3, 1.23e-2}, true},
};

typedef struct {
  const Model *model;
  const char *device; /* NULL: the best there is */
  YvPrecision precision;
  const YvWay *way; /* of every convolution that can go it; NULL: as by itself */
} Case;

/* What a case found, for the table at the end. */
typedef struct {
  double worst, bound; /* 0: it was not run */
} Measured;

static Measured measured[G_N_ELEMENTS (models)][2][YV_PRECISION_FP16 + 1]; /* the reference first */

static Measured *
measured_of (const Case *c)
{
  return &measured[c->model - models][c->device == NULL][c->precision];
}

/* In the folder of measurements, else in the repository; NULL where it is in neither. */
static char *
find_file (const char *name)
{
  g_autofree char *shared = g_build_filename ("reference", name, NULL);
  g_autofree char *golden = g_build_filename ("tests", "golden", "checkpoints", name, NULL);
  char *path = yv_test_shared_path (shared);

  if (path)
    return path;
  path = yv_test_source_path (golden);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_clear_pointer (&path, g_free);
  return path;
}

static char *
find_reference (const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);

  return find_file (file);
}

/* Returns the error. */
static double
check_tensor (const YvCheckpoint *out, const YvCheckpoint *ref, const char *name, double bound)
{
  const YvTensor *got = yv_test_get_tensor (out, name);
  const YvTensor *want = yv_test_get_tensor (ref, name);

  g_assert_nonnull (got);
  g_assert_true (yv_tensor_has_shape (got, want->n_dims, want->shape));
  const double error = yv_test_relative_error (got, want);
  const bool holds = error <= bound; /* not for NaN */
  g_test_message ("%s: relative error %.2e, bound %.2e%s", name, error, bound,
                  holds ? "" : ": TOO LARGE");
  if (!holds)
    g_test_fail ();
  return error;
}

/* One side of the comparison of one image's detections. */
typedef struct {
  float *rows; /* [n][6] */
  uint32_t n;
  float *pred; /* of this image: [n_rows][5 + n_classes] */
} Side;

static void
side_clear (Side *side)
{
  g_free (side->rows);
  g_free (side->pred);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Side, side_clear)

static void
read_side (Side *side, const YvCheckpoint *file, uint32_t image)
{
  g_autofree char *name = g_strdup_printf ("det.%u", image);
  const YvTensor *rows = yv_test_get_tensor (file, name);
  const YvTensor *pred = yv_test_get_tensor (file, "pred");
  const uint64_t image_elems = pred->shape[1] * pred->shape[2];

  g_assert_nonnull (rows);
  g_assert_cmpuint (rows->shape[1], ==, 6);
  side->n = (uint32_t) rows->shape[0];
  side->rows = yv_test_read_tensor (rows);
  side->pred = g_new (float, image_elems);
  yv_tensor_read_f32 (pred, image * image_elems, image_elems, side->pred);
}

/* The row of each detection, and which rows are among them: [n_rows]. */
static bool *
find_rows (const Side *side, uint32_t n_rows, uint32_t n_classes)
{
  bool *found = g_new0 (bool, n_rows);

  for (uint32_t i = 0; i < side->n; i++)
    found[yv_test_find_row (side->pred, n_rows, n_classes, side->rows + 6 * i)] = true;
  return found;
}

/* What rounding cannot decide has to be the same on both sides: every sure row among the
 * detections, none that is surely out. So whatever differs is a tie at a threshold. */
static void
check_sure_rows (const Side *side, const YvFate *fates, uint32_t n_rows, uint32_t n_classes)
{
  g_autofree bool *found = find_rows (side, n_rows, n_classes);
  uint32_t n_sure = 0, n_ties = 0, n_wrong = 0;

  for (uint32_t i = 0; i < n_rows; i++) {
    n_sure += fates[i] == YV_FATE_KEPT;
    n_ties += fates[i] == YV_FATE_TIE;
    n_wrong += found[i] ? fates[i] == YV_FATE_OUT : fates[i] == YV_FATE_KEPT;
  }
  g_test_message ("%u rows are surely detected, %u are ties, %u are wrong", n_sure, n_ties,
                  n_wrong);
  if (n_wrong > 0)
    g_test_fail ();
}

static void
check_detections (const YvCheckpoint *out, const YvCheckpoint *ref, uint32_t image,
                  bool is_undecided)
{
  const YvTensor *pred = yv_test_get_tensor (ref, "pred");
  const uint32_t n_rows = (uint32_t) pred->shape[1], n_classes = (uint32_t) pred->shape[2] - 5;
  g_auto (Side) ours = {0};
  g_auto (Side) theirs = {0};

  read_side (&ours, out, image);
  read_side (&theirs, ref, image);
  g_autofree bool *matched = g_new0 (bool, MAX (ours.n, theirs.n) + 1);
  const uint32_t n_ours = yv_test_match (ours.rows, ours.n, theirs.rows, theirs.n, matched);
  const uint32_t n_theirs = yv_test_match (theirs.rows, theirs.n, ours.rows, ours.n, matched);

  g_test_message ("det.%u: %u of our %u and %u of their %u detections have a partner", image,
                  n_ours, ours.n, n_theirs, theirs.n);
  if (!is_undecided && (100 * n_ours < 99 * ours.n || 100 * n_theirs < 99 * theirs.n))
    g_test_fail ();
  g_assert_cmpuint (theirs.n, >, 0);

  g_autofree YvFate *fates = yv_test_fates (theirs.pred, ours.pred, n_rows, n_classes);
  check_sure_rows (&ours, fates, n_rows, n_classes);
  check_sure_rows (&theirs, fates, n_rows, n_classes);
}

static double
bound_of (const Case *c)
{
  const Rounding *rounding = c->precision == YV_PRECISION_FP32 ? &c->model->fp32 : &c->model->fp16;
  const double distance =
      c->device ? EXACT_SUMS_MARGIN * rounding->exact_sums : ANY_ORDER_MARGIN * rounding->any_order;

  return MAX (bounds[c->precision], distance);
}

static void
compare_files (const char *out_path, const char *ref_path, const Case *c)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) out = yv_checkpoint_open (out_path, &error);
  g_assert_no_error (error);
  g_autoptr (YvCheckpoint) ref = yv_checkpoint_open (ref_path, &error);
  g_assert_no_error (error);
  const double bound = bound_of (c);
  double worst = 0;

  for (uint32_t level = 0; level < 4; level++) {
    g_autofree char *name = g_strdup_printf ("head.%u", level);

    if (yv_test_get_tensor (ref, name))
      worst = MAX (worst, check_tensor (out, ref, name, bound));
    else
      g_assert_null (yv_test_get_tensor (out, name));
  }
  worst = MAX (worst, check_tensor (out, ref, "pred", bound));
  if (!c->way)
    *measured_of (c) = (Measured){worst, bound};
  if (c->precision != YV_PRECISION_FP32)
    return;
  for (uint32_t i = 0; i < yv_test_get_tensor (ref, "pred")->shape[0]; i++)
    check_detections (out, ref, i,
                      c->model->is_saturated || c->model->exact_error > bounds[YV_PRECISION_FP32]);
}

/* A path that nobody has; the caller removes the file. */
static char *
make_temporary (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yolov7-forward-XXXXXX", NULL);

  g_assert_nonnull (folder);
  return g_build_filename (folder, "out.safetensors", NULL);
}

static void
remove_temporary (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  g_remove (path);
  g_rmdir (folder);
}

/* Asks for the case's way. Returns: how many convolutions go it. */
static uint32_t
force_way (YvEngine *engine, const YvWay *way)
{
  const YvPlanOptions options = {
      .n = 1,
      .h = engine->smallest_size,
      .w = engine->smallest_size,
      .dtype = engine->info.precision == YV_PRECISION_FP16 ? YV_DTYPE_F16 : YV_DTYPE_F32,
      .ways = engine->ways,
  };
  uint32_t n = 0;

  yv_ways_set_for_all (engine->ways, way);
  g_autoptr (YvPlan) plan =
      yv_plan_new (engine->graph, yv_device_caps (engine->device), &options, NULL);
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    n += step->weight_source && step->op == YV_OP_CONV && yv_way_equal (&step->way, way);
  }
  return n;
}

/* Compiled for minutes on a CPU, where the slow mode (-m slow) has them. */
static bool
is_too_slow (const YvEngine *engine, const YvWay *way)
{
  return yv_device_caps (engine->device)->is_cpu && !g_test_slow () &&
         MIN (way->tile_pixels, way->tile_channels) > 32;
}

static void
numbers_are_those_of_pytorch (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *model = find_reference (c->model->name, ".pt");
  g_autofree char *tensors = find_reference (c->model->name, ".safetensors");
  g_autofree char *config = c->model->config ? find_file (c->model->config) : NULL;
  g_autoptr (GError) error = NULL;

  if (!model || !tensors || (c->model->config && !config)) {
    g_test_skip ("the reference files are not here");
    return;
  }
  if (!c->device && !yv_test_needs_vulkan ())
    return;

  const YvEngineOptions options = {
      .model_file = model, .config_file = config, .device = c->device, .precision = c->precision};
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  if (c->way && (is_too_slow (engine, c->way) || force_way (engine, c->way) == 0)) {
    g_test_skip ("no convolution of this model can be computed so on this device, or not soon");
    return;
  }
  g_test_message ("%s on %s", c->model->name, yv_engine_info (engine)->device_name);
  g_autofree char *out = make_temporary ();
  yv_engine_forward_file (engine, tensors, out, &error);
  g_assert_no_error (error);
  compare_files (out, tensors, c);
  remove_temporary (out);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static YvEngine *
make_engine (void)
{
  g_autofree char *model = find_file ("tiny-silu.pt");
  const YvEngineOptions options = {.model_file = model, .device = "reference"};
  g_autoptr (GError) error = NULL;
  YvEngine *engine = yv_engine_new (&options, &error);

  g_assert_no_error (error);
  return engine;
}

static void
inputs_that_do_not_fit_are_refused_by_name (void)
{
  static const struct {
    const char *tensor;
    YvTensor shape;
    const char *message;
  } bad[] = {
      {"picture", {.n_dims = 4, .shape = {1, 3, 32, 32}}, "no tensor \"images\""},
      {"images", {.n_dims = 3, .shape = {3, 32, 32}}, "f32 [3,32,32]"},
      {"images", {.n_dims = 4, .shape = {1, 1, 32, 32}}, "[1,1,32,32]"},
      {"images", {.n_dims = 4, .shape = {0, 3, 32, 32}}, "[0,3,32,32]"},
      {"images", {.n_dims = 4, .shape = {1, 3, 32, 48}}, "multiples of 32"},
      {"images", {.n_dims = 4, .shape = {1, 3, 0, 32}}, "multiples of 32"},
      {"images", {.dtype = YV_DTYPE_U8, .n_dims = 4, .shape = {1, 3, 32, 32}}, "u8 [1,3,32,32]"},
  };
  g_autoptr (YvEngine) engine = make_engine ();
  static const float zeros[3 * 32 * 48];
  g_autofree char *path = make_temporary ();

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    YvNamedTensor named = {.name = bad[i].tensor, .tensor = bad[i].shape};
    g_autoptr (GError) error = NULL;
    uint64_t stride = 1;

    for (uint32_t d = named.tensor.n_dims; d > 0; d--) {
      named.tensor.stride_elems[d - 1] = stride;
      stride *= named.tensor.shape[d - 1];
    }
    named.tensor.data = (const uint8_t *) zeros;
    g_assert_true (yv_safetensors_write (path, &named, 1, NULL));
    g_assert_false (yv_engine_forward_file (engine, path, "/nowhere/out", &error));
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, path));
    g_assert_nonnull (strstr (error->message, bad[i].message));
  }
  remove_temporary (path);
}

static void
files_that_cannot_be_read_or_written_are_named (void)
{
  g_autoptr (YvEngine) engine = make_engine ();
  g_autofree char *tensors = find_file ("tiny-silu.safetensors");
  g_autoptr (GError) error = NULL;

  g_assert_false (yv_engine_forward_file (engine, "/nowhere/in", "/nowhere/out", &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nowhere/in"));
  g_clear_error (&error);
  g_assert_false (yv_engine_forward_file (engine, tensors, "/nowhere/out", &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nowhere/out"));
}

static void
print_measured (GString *line, const Measured *m)
{
  if (m->bound > 0)
    g_string_append_printf (line, " | %.1e <= %.1e", m->worst, m->bound);
  else
    g_string_append (line, " | not run");
}

/* Comes last: the cases before it have filled the table. */
static void
all_figures_in_a_table (void)
{
  g_test_message ("checkpoint | exact | reference: fp32 | fp16 | Vulkan: fp32 | fp16");
  for (size_t i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autoptr (GString) line = g_string_new (models[i].name);

    g_string_append_printf (line, " | %.1e", models[i].exact_error);
    for (uint32_t device = 0; device < 2; device++)
      for (YvPrecision p = YV_PRECISION_FP32; p <= YV_PRECISION_FP16; p++)
        print_measured (line, &measured[i][device][p]);
    g_test_message ("%s", line->str);
  }
}

static void
add_cases (const char *device, const char *label)
{
  for (size_t i = 0; i < G_N_ELEMENTS (models); i++) {
    for (YvPrecision precision = YV_PRECISION_FP32; precision <= YV_PRECISION_FP16; precision++) {
      Case *c = g_new (Case, 1);
      g_autofree char *path = g_strdup_printf ("/forward/%s/%s/%s", label, models[i].name,
                                               precision == YV_PRECISION_FP32 ? "fp32" : "fp16");

      *c = (Case){&models[i], device, precision, NULL};
      g_test_add_data_func_full (path, c, numbers_are_those_of_pytorch, g_free);
    }
  }
}

static void
add_case_of_way (const Model *model, YvPrecision precision, const YvWay *way)
{
  Case *c = g_new (Case, 1);
  g_autofree char *name = yv_way_print (way);
  g_autofree char *path =
      g_strdup_printf ("/ways/%s/%s/%s", g_strdelimit (name, " ", '-'), model->name,
                       precision == YV_PRECISION_FP32 ? "fp32" : "fp16");

  *c = (Case){model, NULL, precision, way};
  g_test_add_data_func_full (path, c, numbers_are_those_of_pytorch, g_free);
}

/* Whatever a tuner may choose keeps the bounds: each way wherever it can be gone. Of all models in
 * the slow mode (-m slow), else of two that are in the repository. */
static void
add_cases_of_ways (YvWay *ways)
{
  for (uint32_t k = 0; k < yv_conv_n_ways (); k++) {
    ways[k] = yv_conv_way (k);
    for (size_t i = 0; i < G_N_ELEMENTS (models); i++)
      if (g_test_slow () || strcmp (models[i].name, "tiny-silu") == 0 ||
          strcmp (models[i].name, "x-legacy") == 0) {
        add_case_of_way (&models[i], YV_PRECISION_FP32, &ways[k]);
        add_case_of_way (&models[i], YV_PRECISION_FP16, &ways[k]);
      }
  }
}

int
main (int argc, char **argv)
{
  g_autofree YvWay *ways = g_new (YvWay, yv_conv_n_ways ());

  g_test_init (&argc, &argv, NULL);
  add_cases ("reference", "reference");
  add_cases (NULL, "vulkan");
  add_cases_of_ways (ways);
  g_test_add_func ("/forward/refused", inputs_that_do_not_fit_are_refused_by_name);
  g_test_add_func ("/forward/files", files_that_cannot_be_read_or_written_are_named);
  g_test_add_func ("/figures/table", all_figures_in_a_table);
  return g_test_run ();
}
