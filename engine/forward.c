/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/forward.c - tensors in a file through the network and into another file, for whoever wants
 * to compare numbers.
 */
#include <string.h>

#include "engine/checkpoint/safetensors.h"
#include "engine/engine.h"
#include "engine/post/nms.h"

/* detect.py's thresholds. */
#define CONFIDENCE 0.25f
#define IOU 0.45f
#define MAX_DETECTIONS 300

/* A few images at a time are enough to keep a device busy, and bound the memory. */
#define MAX_BATCH 8

/* One tensor to write, for all images. */
typedef struct {
  char name[32];
  float *values; /* owned */
  uint32_t n_dims;
  uint64_t shape[5];
} Output;

typedef struct {
  YvEngine *engine;
  YvTensor images; /* [b, 3, h, w] */
  YvRunner *runner;
  uint32_t n_batch; /* images in one run: divides b */
  GArray *outputs;  /* of Output: the heads, pred, and det.I as they are found */
  YvNms *nms;
  float *scratch; /* an input or a head of one batch */
} Forward;

static void
clear_output (gpointer output)
{
  g_free (((Output *) output)->values);
}

static void
forward_clear (Forward *forward)
{
  if (forward->outputs)
    g_array_unref (forward->outputs);
  g_free (forward->scratch);
  yv_nms_free (forward->nms);
  yv_runner_free (forward->runner);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Forward, forward_clear)

static bool
check_images (const YvTensor *images, uint32_t stride, GError **error)
{
  g_autofree char *shape = yv_tensor_shape_to_string (images);
  const bool is_float = images->dtype == YV_DTYPE_F32 || images->dtype == YV_DTYPE_F16 ||
                        images->dtype == YV_DTYPE_BF16 || images->dtype == YV_DTYPE_F64;

  if (images->n_dims != 4 || images->shape[0] == 0 || images->shape[1] != 3 || !is_float) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "images is %s %s, expected f32 [b,3,h,w], RGB from 0 to 1",
                 yv_dtype_name (images->dtype), shape);
    return false;
  }
  if (images->shape[2] == 0 || images->shape[3] == 0 || images->shape[2] % stride != 0 ||
      images->shape[3] % stride != 0 || images->shape[2] > UINT16_MAX ||
      images->shape[3] > UINT16_MAX) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "images is %s, expected height and width that are multiples of %u (the model's "
                 "largest stride), up to %d",
                 shape, stride, UINT16_MAX);
    return false;
  }
  return true;
}

static bool
find_images (const YvCheckpoint *file, uint32_t stride, YvTensor *images, GError **error)
{
  const YvObject *found = yv_object_get (yv_checkpoint_root (file), "images");

  if (!found || found->kind != YV_OBJECT_TENSOR) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "found no tensor \"images\", expected one of f32 [b,3,h,w], RGB from 0 to 1");
    return false;
  }
  *images = found->tensor;
  return check_images (images, stride, error);
}

static uint32_t
largest_divisor (uint64_t n, uint32_t limit)
{
  for (uint32_t divisor = limit; divisor > 1; divisor--) {
    if (n % divisor == 0)
      return divisor;
  }
  return 1;
}

/* Its own: the input is written into the arena, where streams must not be. */
static bool
make_runner (Forward *forward, GError **error)
{
  const YvPlanOptions options = {
      .n = largest_divisor (forward->images.shape[0], MAX_BATCH),
      .h = (uint32_t) forward->images.shape[2],
      .w = (uint32_t) forward->images.shape[3],
      .tensor_input = true,
      .dense_rows = true,
  };

  forward->n_batch = options.n;
  forward->runner = yv_engine_make_runner (forward->engine, &options, error);
  return forward->runner != NULL;
}

/* Sizes come from a file: false where they are beyond memory. */
static float *
try_floats (const uint64_t *shape, uint32_t n_dims, GError **error)
{
  gsize n_elems = 1;

  for (uint32_t i = 0; i < n_dims; i++) {
    if (!g_size_checked_mul (&n_elems, n_elems, shape[i]))
      n_elems = G_MAXSIZE / sizeof (float);
  }
  float *values = g_try_malloc_n (MAX (n_elems, 1), sizeof (float));
  if (!values)
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY,
                 "no memory for %" G_GSIZE_FORMAT " floats; give fewer or smaller images", n_elems);
  return values;
}

static bool
add_output (Forward *forward, const char *name, const uint64_t *shape, uint32_t n_dims,
            GError **error)
{
  Output output = {.n_dims = n_dims};

  g_strlcpy (output.name, name, sizeof output.name);
  memcpy (output.shape, shape, n_dims * sizeof *shape);
  output.values = try_floats (shape, n_dims, error);
  if (!output.values)
    return false;
  g_array_append_val (forward->outputs, output);
  return true;
}

static bool
add_outputs (Forward *forward, GError **error)
{
  const YvPlan *plan = forward->runner->plan;
  const YvDetectSpec *detect = &plan->detect;
  const uint64_t b = forward->images.shape[0];
  const uint64_t row = 5 + (uint64_t) detect->n_classes;

  for (uint32_t level = 0; level < detect->n_levels; level++) {
    const YvOperand *head = &plan->heads[level];
    const uint64_t shape[] = {b, detect->n_anchors, head->h, head->w, row};
    g_autofree char *name = g_strdup_printf ("head.%u", level);

    if (!add_output (forward, name, shape, 5, error))
      return false;
  }
  return add_output (forward, "pred", (const uint64_t[]){b, plan->n_rows, row}, 3, error);
}

/* Large enough for the input and for each of what is read back. */
static bool
make_scratch (Forward *forward, GError **error)
{
  const YvPlan *plan = forward->runner->plan;
  const YvOperand *operands[YV_MAX_LEVELS + 2] = {&plan->input, &plan->rows};
  uint64_t largest = 0;

  for (uint32_t i = 0; i < plan->detect.n_levels; i++)
    operands[2 + i] = &plan->heads[i];
  for (uint32_t i = 0; i < plan->detect.n_levels + 2; i++)
    largest = MAX (largest, (uint64_t) operands[i]->c * operands[i]->h * operands[i]->w);
  forward->scratch = try_floats ((const uint64_t[]){largest, forward->n_batch}, 2, error);
  return forward->scratch != NULL;
}

/* [groups, c, n_places] -> [groups, n_places, c] */
static void
transpose (const float *src, float *dst, size_t n_groups, size_t c, size_t n_places)
{
  for (size_t group = 0; group < n_groups; group++, src += c * n_places, dst += c * n_places) {
    for (size_t k = 0; k < c; k++) {
      for (size_t place = 0; place < n_places; place++)
        dst[place * c + k] = src[k * n_places + place];
    }
  }
}

/* Reads an operand [n, groups * c, h, w] into its place in an output [b, groups, h, w, c]. */
static bool
read_output (Forward *forward, const YvOperand *operand, uint32_t groups, uint32_t index,
             uint64_t first_image, GError **error)
{
  YvExecutor *executor = forward->runner->executor;
  const size_t n_places = (size_t) operand->h * operand->w;
  float *values = g_array_index (forward->outputs, Output, index).values;

  if (!executor->klass->read (executor, operand, forward->scratch, error))
    return false;
  transpose (forward->scratch, values + first_image * operand->c * n_places,
             (size_t) operand->n * groups, operand->c / groups, n_places);
  return true;
}

static bool
read_outputs (Forward *forward, uint64_t first_image, GError **error)
{
  const YvPlan *plan = forward->runner->plan;
  const uint32_t n_levels = plan->detect.n_levels;

  for (uint32_t level = 0; level < n_levels; level++) {
    if (!read_output (forward, &plan->heads[level], plan->detect.n_anchors, level, first_image,
                      error))
      return false;
  }
  return read_output (forward, &plan->rows, 1, n_levels, first_image, error);
}

static bool
add_detections (Forward *forward, uint64_t image, const struct YvCandidate *candidates,
                uint32_t n_candidates, GError **error)
{
  const YvNmsOptions options = {
      .iou_threshold = IOU,
      .max_detections = MAX_DETECTIONS,
      .n_classes = forward->engine->info.n_classes,
  };
  g_autofree char *name = g_strdup_printf ("det.%" G_GUINT64_FORMAT, image);
  uint32_t n_kept;
  const YvKept *kept = yv_nms_run (forward->nms, candidates, n_candidates, &options, &n_kept);

  if (!add_output (forward, name, (const uint64_t[]){n_kept, 6}, 2, error))
    return false;
  float *row = g_array_index (forward->outputs, Output, forward->outputs->len - 1).values;
  for (uint32_t i = 0; i < n_kept; i++, row += 6) {
    memcpy (row, kept[i].box, sizeof kept[i].box);
    row[4] = kept[i].confidence;
    row[5] = (float) kept[i].class_index;
  }
  return true;
}

static bool
write_input (Forward *forward, uint64_t first_image, GError **error)
{
  const YvTensor *images = &forward->images;
  const uint64_t image_elems = 3 * images->shape[2] * images->shape[3];
  YvExecutor *executor = forward->runner->executor;

  yv_tensor_read_f32 (images, first_image * image_elems, forward->n_batch * image_elems,
                      forward->scratch);
  return executor->klass->write (executor, &forward->runner->plan->input, forward->scratch, error);
}

static bool
run_batch (Forward *forward, uint32_t slot, uint64_t first_image, GError **error)
{
  const YvBatch batch = {.n_images = forward->n_batch,
                         .confidence = CONFIDENCE,
                         .obj_only = yv_engine_obj_only (forward->engine)};
  const struct YvCandidate *lists[MAX_BATCH];
  uint32_t n[MAX_BATCH];
  YvTiming timing;

  if (!write_input (forward, first_image, error) ||
      !yv_runner_run (forward->runner, slot, &batch, lists, n, &timing, error))
    return false;
  for (uint32_t i = 0; i < forward->n_batch; i++) {
    if (!add_detections (forward, first_image + i, lists[i], n[i], error))
      return false;
  }
  return read_outputs (forward, first_image, error);
}

static bool
write_file (const Forward *forward, const char *path, GError **error)
{
  g_autofree YvNamedTensor *tensors = g_new0 (YvNamedTensor, forward->outputs->len);

  for (uint32_t i = 0; i < forward->outputs->len; i++) {
    const Output *output = &g_array_index (forward->outputs, Output, i);
    YvTensor *tensor = &tensors[i].tensor;
    uint64_t stride = 1;

    tensors[i].name = output->name;
    *tensor = (YvTensor){
        .dtype = YV_DTYPE_F32, .n_dims = output->n_dims, .data = (const uint8_t *) output->values};
    for (uint32_t d = output->n_dims; d > 0; d--) {
      tensor->shape[d - 1] = output->shape[d - 1];
      tensor->stride_elems[d - 1] = stride;
      stride *= output->shape[d - 1];
    }
  }
  return yv_safetensors_write (path, tensors, forward->outputs->len, error);
}

static bool
run_all (Forward *forward, GError **error)
{
  uint32_t slot;
  bool done = yv_runner_take_slot (forward->runner, false, &slot, error);

  for (uint64_t i = 0; done && i < forward->images.shape[0]; i += forward->n_batch)
    done = run_batch (forward, slot, i, error);
  yv_runner_give_slot (forward->runner, slot);
  return done;
}

/* From the tensor in the file to the outputs in memory. */
static bool
compute (Forward *forward, const YvCheckpoint *file, GError **error)
{
  if (!find_images (file, forward->engine->info.max_stride, &forward->images, error) ||
      !make_runner (forward, error))
    return false;
  forward->outputs = g_array_new (FALSE, FALSE, sizeof (Output));
  g_array_set_clear_func (forward->outputs, clear_output);
  forward->nms = yv_nms_new ();
  return add_outputs (forward, error) && make_scratch (forward, error) && run_all (forward, error);
}

bool
yv_engine_forward_file (YvEngine *engine, const char *in_path, const char *out_path, GError **error)
{
  g_autoptr (YvCheckpoint) file = yv_checkpoint_open (in_path, error);
  g_auto (Forward) forward = {.engine = engine};

  if (!file)
    return false;
  if (!compute (&forward, file, error)) {
    g_prefix_error (error, "%s: ", in_path);
    return false;
  }
  return write_file (&forward, out_path, error);
}
