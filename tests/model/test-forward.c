/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-forward.c - whole checkpoints through the whole engine, against what PyTorch
 * computed from the same files. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/yolov7.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/common/ties.h"

/* Of any head or pred, ||out - ref|| / ||ref||, where the network does not amplify rounding. */
#define FP32_BOUND 2e-5
#define FP16_BOUND 1e-2

/* A network of random weights may amplify rounding by a thousand. Then the file itself, which
 * PyTorch computed in float32, lies further than FP32_BOUND from what exact arithmetic gives, and
 * so does everybody. The bounds of such a model are these multiples of that distance. */
#define FP32_MARGIN 2
#define FP16_MARGIN 1.25

typedef struct {
  const char *name;
  const char *config; /* of a bare state dict; NULL: the checkpoint says it itself */
  /* Of the worst head, or of pred, as tests/golden/exact-error.py prints them. It computes in
   * float64, with PyTorch, from the same checkpoint: */
  double exact_error; /* between that and the file */
  double half_error;  /* between that and the same with folded weights and the value of each
                         convolution rounded to binary16; 0: only fp32 on the reference is run */
  bool is_saturated;  /* hundreds of rows tie for confidence: which 300 are kept is undecided */
} Model;

static const Model models[] = {
    {"tiny-train", NULL, 6.5e-6, 1.77e-2, false},
    {"v7-best", NULL, 8.1e-5, 1.27e-1, false},
    {"tiny-silu", NULL, 2.4e-6, 5.5e-3, false},
    {"x-legacy", NULL, 1.61e-4, 1.75e-1, false},
    {"v7-deploy-state", "v7-deploy-state.yaml", 5.5e-5, 6.95e-2, false},
    /* On Vulkan, or in fp16, some of these go up to half as much again past the bounds. */
    {"w6-train", NULL, 4.4e-5, 0, false},
    {"e6-best", NULL, 3.3e-3, 0, false},
    {"d6-best", NULL, 9.9e-3, 0, false},
    {"e6e-best", NULL, 2.2e-4, 0, false},
    {"yolor-csp", NULL, 2.9e-5, 0, true},
    {"yolor-p6", NULL, 1.2e-4, 0, false},
    {"r50-csp", NULL, 5.7e-5, 0, false},
    {"yolov3-spp", NULL, 5.6e-6, 0, true},
};

typedef struct {
  const Model *model;
  const char *device; /* NULL: the best there is */
  YvPrecision precision;
} Case;

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

static const YvTensor *
get_tensor (const YvCheckpoint *file, const char *name)
{
  const YvObject *object = yv_object_get (yv_checkpoint_root (file), name);

  return object ? &object->tensor : NULL;
}

static float *
read_floats (const YvTensor *tensor)
{
  const uint64_t n = yv_tensor_n_elems (tensor);
  float *values = g_new (float, n + 1);

  yv_tensor_read_f32 (tensor, 0, n, values);
  return values;
}

static double
relative_error (const YvTensor *out, const YvTensor *ref)
{
  const uint64_t n = yv_tensor_n_elems (ref);
  g_autofree float *x = read_floats (out);
  g_autofree float *y = read_floats (ref);
  double difference = 0, norm = 0;

  for (uint64_t i = 0; i < n; i++) {
    difference += pow ((double) x[i] - (double) y[i], 2);
    norm += pow ((double) y[i], 2);
  }
  return sqrt (difference / norm);
}

static void
check_tensor (const YvCheckpoint *out, const YvCheckpoint *ref, const char *name, double bound)
{
  const YvTensor *got = get_tensor (out, name);
  const YvTensor *want = get_tensor (ref, name);

  g_assert_nonnull (got);
  g_assert_true (yv_tensor_has_shape (got, want->n_dims, want->shape));
  const double error = relative_error (got, want);
  const bool holds = error <= bound; /* not for NaN */
  g_test_message ("%s: relative error %.2e, bound %.2e%s", name, error, bound,
                  holds ? "" : ": TOO LARGE");
  if (!holds)
    g_test_fail ();
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
  const YvTensor *rows = get_tensor (file, name);
  const YvTensor *pred = get_tensor (file, "pred");
  const uint64_t image_elems = pred->shape[1] * pred->shape[2];

  g_assert_nonnull (rows);
  g_assert_cmpuint (rows->shape[1], ==, 6);
  side->n = (uint32_t) rows->shape[0];
  side->rows = read_floats (rows);
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
  const YvTensor *pred = get_tensor (ref, "pred");
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
  return c->precision == YV_PRECISION_FP32 ? MAX (FP32_BOUND, FP32_MARGIN * c->model->exact_error)
                                           : MAX (FP16_BOUND, FP16_MARGIN * c->model->half_error);
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

  for (uint32_t level = 0; level < 4; level++) {
    g_autofree char *name = g_strdup_printf ("head.%u", level);

    if (get_tensor (ref, name))
      check_tensor (out, ref, name, bound);
    else
      g_assert_null (get_tensor (out, name));
  }
  check_tensor (out, ref, "pred", bound);
  if (c->precision != YV_PRECISION_FP32)
    return;
  for (uint32_t i = 0; i < get_tensor (ref, "pred")->shape[0]; i++)
    check_detections (out, ref, i, c->model->is_saturated || c->model->exact_error > FP32_BOUND);
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
  g_test_message ("%s on %s", c->model->name, yv_engine_info (engine)->device_name);
  g_autofree char *out = make_temporary ();
  yv_engine_forward_file (engine, tensors, out, &error);
  g_assert_no_error (error);
  compare_files (out, tensors, c);
  remove_temporary (out);
}

/* ---- what is refused -------------------------------------------------------------------------
 */

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
add_cases (const char *device, const char *label)
{
  for (size_t i = 0; i < G_N_ELEMENTS (models); i++) {
    if (models[i].half_error == 0 && device == NULL)
      continue;
    const YvPrecision last = models[i].half_error > 0 ? YV_PRECISION_FP16 : YV_PRECISION_FP32;
    for (YvPrecision precision = YV_PRECISION_FP32; precision <= last; precision++) {
      Case *c = g_new (Case, 1);
      g_autofree char *path = g_strdup_printf ("/forward/%s/%s/%s", label, models[i].name,
                                               precision == YV_PRECISION_FP32 ? "fp32" : "fp16");

      *c = (Case){&models[i], device, precision};
      g_test_add_data_func_full (path, c, numbers_are_those_of_pytorch, g_free);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ("reference", "reference");
  add_cases (NULL, "vulkan");
  g_test_add_func ("/forward/refused", inputs_that_do_not_fit_are_refused_by_name);
  g_test_add_func ("/forward/files", files_that_cannot_be_read_or_written_are_named);
  return g_test_run ();
}
