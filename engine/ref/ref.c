/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/ref.c - the reference executor: a plan's steps, one after the other, in submit(). */
#include "engine/ref/ref.h"

#include <string.h>

#include "engine/error.h"
#include "engine/frame.h"
#include "engine/ref/refop.h"

typedef struct {
  uint8_t *staging;
  size_t staging_bytes;
  uint32_t n_images;            /* of the last batch */
  struct YvFrameParams *frames; /* [plan n] */
  struct YvThresholds *thresholds;
  uint8_t *candidates; /* [plan n] lists */
  const struct YvCandidate **lists;
  YvTiming timing;
  uint64_t *step_ns; /* [plan steps] */
  bool is_profiled;
} Slot;

typedef struct {
  YvExecutor base;
  uint8_t *arena;
  float **weights; /* one a step, NULL where it is no convolution */
  uint64_t weights_bytes;
  Slot *slots;
  GMutex mutex; /* the arena has one user at a time */
} RefExecutor;

static void (*const ops[YV_N_OPS]) (const YvRefRun *run) = {
    [YV_OP_INPUT] = yv_ref_letterbox, [YV_OP_CONV] = yv_ref_conv,
    [YV_OP_AFFINE] = yv_ref_affine,   [YV_OP_ACT] = yv_ref_act,
    [YV_OP_MAXPOOL] = yv_ref_maxpool, [YV_OP_UPSAMPLE] = yv_ref_upsample,
    [YV_OP_CONCAT] = yv_ref_concat,   [YV_OP_ADD] = yv_ref_add,
    [YV_OP_REORG] = yv_ref_reorg,     [YV_OP_DECODE] = yv_ref_decode,
    [YV_OP_DETECT] = yv_ref_detect,
};

static void (*const parts[]) (const YvRefRun *run) = {
    [YV_PART_WINOGRAD_INPUT] = yv_ref_winograd_input,
    [YV_PART_WINOGRAD_PRODUCT] = yv_ref_winograd_product,
    [YV_PART_WINOGRAD_OUTPUT] = yv_ref_winograd_output,
    [YV_PART_HEAD] = yv_ref_head,
    [YV_PART_SPLIT_PRODUCT] = yv_ref_split_product,
    [YV_PART_SPLIT_SUM] = yv_ref_split_sum,
    [YV_PART_FIRST] = yv_ref_first,
};

static const YvStep *
step_at (const YvPlan *plan, uint32_t i)
{
  return &g_array_index (plan->steps, YvStep, i);
}

/* ---- making and freeing ---------------------------------------------------------------------- */

static void
clear_slot (Slot *slot)
{
  g_free (slot->staging);
  g_free (slot->frames);
  g_free (slot->thresholds);
  g_free (slot->candidates);
  g_free (slot->lists);
  g_free (slot->step_ns);
}

static void
free_executor (YvExecutor *executor)
{
  RefExecutor *ref = (RefExecutor *) executor;

  for (uint32_t i = 0; ref->slots && i < executor->n_slots; i++)
    clear_slot (&ref->slots[i]);
  for (uint32_t i = 0; ref->weights && i < executor->plan->steps->len; i++)
    g_free (ref->weights[i]);
  g_free (ref->slots);
  g_free (ref->weights);
  g_free (ref->arena);
  g_mutex_clear (&ref->mutex);
  g_free (ref);
}

static bool
init_slot (Slot *slot, const YvPlan *plan, GError **error)
{
  const uint32_t n = plan->options.n;
  const size_t list_bytes = (size_t) n * plan->list_bytes;

  slot->frames = g_new0 (struct YvFrameParams, n);
  slot->thresholds = g_malloc0 (yv_thresholds_size_bytes (&plan->detect));
  slot->step_ns = g_new0 (uint64_t, plan->steps->len);
  slot->lists = g_new0 (const struct YvCandidate *, n);
  slot->candidates = g_try_malloc0 (list_bytes);
  for (uint32_t i = 0; i < n && slot->candidates; i++)
    slot->lists[i] =
        (const struct YvCandidate *) (slot->candidates + (size_t) i * plan->list_bytes +
                                      sizeof (struct YvCandidateList));
  if (slot->candidates)
    return true;

  clear_slot (slot);
  *slot = (Slot){0};
  g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory for %zu bytes of candidates",
               list_bytes);
  return false;
}

static void
load_weights (RefExecutor *ref)
{
  const YvPlan *plan = ref->base.plan;

  ref->weights = g_new0 (float *, plan->steps->len);
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = step_at (plan, i);

    if (step->part == YV_PART_HEAD || step->part == YV_PART_FIRST ||
        step->part == YV_PART_SPLIT_PRODUCT ||
        (step->op == YV_OP_CONV && step->part == YV_PART_WHOLE))
      ref->weights[i] = yv_ref_conv_weight (step);
    else if (step->part == YV_PART_WINOGRAD_PRODUCT)
      ref->weights[i] = yv_ref_winograd_weight (step);
    if (ref->weights[i])
      ref->weights_bytes += yv_weight_n_elems (step->weight_source) * sizeof (float);
  }
}

/* ---- running --------------------------------------------------------------------------------- */

/* The images follow each other in the staging memory, which grows to the largest batch seen. */
static bool
upload (Slot *slot, const YvBatch *batch, GError **error)
{
  size_t size_bytes = 0;

  for (uint32_t i = 0; i < batch->n_images; i++)
    size_bytes += yv_image_size_bytes (&batch->images[i]);
  if (size_bytes > slot->staging_bytes) {
    uint8_t *staging = g_try_realloc (slot->staging, size_bytes);

    if (!staging) {
      g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory for %zu bytes of frames",
                   size_bytes);
      return false;
    }
    slot->staging = staging;
    slot->staging_bytes = size_bytes;
  }

  size_t offset_bytes = 0;
  for (uint32_t i = 0; i < batch->n_images; i++) {
    yv_image_pack (&batch->images[i], slot->staging + offset_bytes);
    yv_frame_params_init (&slot->frames[i], &batch->images[i], &batch->letterboxes[i],
                          offset_bytes);
    offset_bytes += yv_image_size_bytes (&batch->images[i]);
  }
  return true;
}

static uint64_t *
timing_of (YvTiming *timing, const YvPlan *plan, uint32_t step_index)
{
  if (step_index < plan->first_network_step)
    return &timing->letterbox_ns;
  return step_index < plan->first_decode_step ? &timing->network_ns : &timing->decode_ns;
}

static void
run_steps (RefExecutor *ref, Slot *slot)
{
  const YvPlan *plan = ref->base.plan;
  YvRefRun run = {
      .plan = plan,
      .arena = ref->arena,
      .staging = slot->staging,
      .frames = slot->frames,
      .thresholds = slot->thresholds,
      .candidates = slot->candidates,
  };

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const uint64_t start_ns = yv_executor_now_ns ();

    run.step = step_at (plan, i);
    run.weight = ref->weights[i];
    if (run.step->op != YV_OP_INPUT || run.step->image < slot->n_images)
      (run.step->part == YV_PART_WHOLE ? ops[run.step->op] : parts[run.step->part]) (&run);
    slot->step_ns[i] = yv_executor_now_ns () - start_ns;
    *timing_of (&slot->timing, plan, i) += slot->step_ns[i];
  }
}

static struct YvCandidateList *
list_of (const RefExecutor *ref, const Slot *slot, uint32_t image)
{
  const size_t offset_bytes = (size_t) image * ref->base.plan->list_bytes;

  return (struct YvCandidateList *) (slot->candidates + offset_bytes);
}

static bool
submit (YvExecutor *executor, uint32_t slot_index, const YvBatch *batch, GError **error)
{
  RefExecutor *ref = (RefExecutor *) executor;
  const YvPlan *plan = executor->plan;
  Slot *slot = &ref->slots[slot_index];
  const uint64_t start_ns = yv_executor_now_ns ();

  g_assert (slot_index < executor->n_slots);
  g_assert (plan->options.tensor_input ||
            (batch->n_images >= 1 && batch->n_images <= plan->options.n));
  if (!slot->candidates && !init_slot (slot, plan, error))
    return false;
  slot->n_images = plan->options.tensor_input ? plan->options.n : batch->n_images;
  if (!plan->options.tensor_input && batch->images && !upload (slot, batch, error))
    return false;
  yv_thresholds_write (slot->thresholds, &plan->detect, batch);
  for (uint32_t i = 0; i < plan->options.n; i++)
    list_of (ref, slot, i)->n_found = 0;
  slot->timing = (YvTiming){.upload_ns = yv_executor_now_ns () - start_ns,
                            .step_ns = slot->is_profiled ? slot->step_ns : NULL};

  g_mutex_lock (&ref->mutex);
  run_steps (ref, slot);
  g_mutex_unlock (&ref->mutex);
  return true;
}

static bool
wait_for (YvExecutor *executor, uint32_t slot_index, const struct YvCandidate **lists, uint32_t *n,
          YvTiming *timing, GError **error)
{
  RefExecutor *ref = (RefExecutor *) executor;
  Slot *slot = &ref->slots[slot_index];

  (void) error;
  g_assert (slot_index < executor->n_slots);
  for (uint32_t i = 0; i < slot->n_images; i++) {
    lists[i] = slot->lists[i];
    n[i] = MIN (list_of (ref, slot, i)->n_found, executor->plan->capacity);
  }
  if (timing)
    *timing = slot->timing;
  return true;
}

static bool
profile (YvExecutor *executor, uint32_t slot_index, bool is_wanted, GError **error)
{
  (void) error;
  ((RefExecutor *) executor)->slots[slot_index].is_profiled = is_wanted;
  return true;
}

/* ---- operands -------------------------------------------------------------------------------- */

static bool
read_operand (YvExecutor *executor, const YvOperand *operand, float *dst, GError **error)
{
  const RefExecutor *ref = (const RefExecutor *) executor;
  const uint64_t n_image_pixels = (uint64_t) operand->h * operand->w;
  g_autofree double *channels = g_new (double, operand->c);

  (void) error;
  for (uint64_t pixel = 0; pixel < operand->n * n_image_pixels; pixel++) {
    const uint64_t n = pixel / n_image_pixels, yx = pixel % n_image_pixels;

    yv_ref_load (ref->arena, operand, pixel, 0, operand->c, channels);
    for (uint32_t c = 0; c < operand->c; c++)
      dst[(n * operand->c + c) * n_image_pixels + yx] = (float) channels[c];
  }
  return true;
}

/* Channels that kernels touch beyond c become 0. */
static bool
write_operand (YvExecutor *executor, const YvOperand *operand, const float *src, GError **error)
{
  RefExecutor *ref = (RefExecutor *) executor;
  const uint64_t n_image_pixels = (uint64_t) operand->h * operand->w;
  const uint64_t n_pixels = operand->n * n_image_pixels;
  const uint32_t touched = (uint32_t) (operand->size_bytes / yv_dtype_size_bytes (operand->dtype) -
                                       (n_pixels - 1) * operand->cstride);
  g_autofree double *channels = g_new0 (double, touched);

  (void) error;
  for (uint64_t pixel = 0; pixel < n_pixels; pixel++) {
    const uint64_t n = pixel / n_image_pixels, yx = pixel % n_image_pixels;

    for (uint32_t c = 0; c < operand->c; c++)
      channels[c] = src[(n * operand->c + c) * n_image_pixels + yx];
    yv_ref_store (ref->arena, operand, pixel, 0, touched, channels);
  }
  return true;
}

/* All of them are copied. */
static void
forget_frames (YvExecutor *executor)
{
  (void) executor;
}

static void
footprint (const YvExecutor *executor, YvFootprint *out)
{
  const RefExecutor *ref = (const RefExecutor *) executor;
  const YvPlan *plan = executor->plan;

  *out = (YvFootprint){.weights = ref->weights_bytes, .arena = plan->arena_bytes};
  for (uint32_t i = 0; i < executor->n_slots; i++)
    if (ref->slots[i].candidates)
      out->slots += ref->slots[i].staging_bytes + (uint64_t) plan->options.n * plan->list_bytes;
}

static const YvExecutorClass ref_class = {
    .free = free_executor,
    .submit = submit,
    .wait = wait_for,
    .forget_frames = forget_frames,
    .profile = profile,
    .read = read_operand,
    .write = write_operand,
    .footprint = footprint,
};

YvExecutor *
yv_ref_executor_new (const YvPlan *plan, uint32_t n_slots, GError **error)
{
  RefExecutor *ref = g_new0 (RefExecutor, 1);
  g_autoptr (YvExecutor) executor = &ref->base;

  executor->klass = &ref_class;
  executor->plan = plan;
  executor->n_slots = n_slots;
  g_mutex_init (&ref->mutex);
  ref->slots = g_new0 (Slot, n_slots);
  ref->arena = g_try_malloc0 (plan->arena_bytes);
  if (!ref->arena) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY,
                 "no memory for an arena of %" G_GUINT64_FORMAT " bytes", plan->arena_bytes);
    return NULL;
  }
  load_weights (ref);
  return g_steal_pointer (&executor);
}
