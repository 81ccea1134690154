/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/exec.c - the executor: an arena, weights, pipelines and slots for one plan. */
#include <string.h>

#include "engine/error.h"
#include "engine/half.h"
#include "engine/plan/cut.h"
#include "engine/plan/executor.h"
#include "engine/vulkan/bind.h"
#include "engine/vulkan/buffer.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/pipeline.h"
#include "engine/vulkan/slot.h"
#include "engine/vulkan/vulkan.h"
#include "engine/vulkan/weights.h"

typedef struct {
  YvExecutor base;
  YvDevice *device; /* a reference */
  YvBuffer *arena;
  YvBindings *network;
  VkPipeline *pipelines; /* [n steps], borrowed from the device */
  YvPace pace;
  YvShared shared;
  YvSlot **slots; /* [n_slots]; NULL until first used */
} VulkanExecutor;

static void
vulkan_executor_free (YvExecutor *executor)
{
  VulkanExecutor *self = (VulkanExecutor *) executor;

  for (uint32_t i = 0; self->slots && i < executor->n_slots; i++)
    yv_slot_free (self->slots[i]);
  g_free (self->slots);
  yv_bindings_free (self->network);
  g_free (self->pipelines);
  yv_buffer_free (self->arena);
  g_mutex_clear (&self->pace.mutex);
  yv_device_unref (self->device);
  g_free (self);
}

/* Which of several devices it was that went away. */
static bool
name_lost_device (const YvDevice *device, bool done, GError **error)
{
  if (!done && error && g_error_matches (*error, YV_ERROR, YV_ERROR_DEVICE_LOST))
    g_prefix_error (error, "%s: ", device->caps.name);
  return done;
}

/* A slot belongs to one thread at a time, so nobody else makes this one. */
static bool
make_slot (VulkanExecutor *self, uint32_t slot, GError **error)
{
  g_assert (slot < self->base.n_slots);
  if (!self->slots[slot])
    self->slots[slot] = yv_slot_new (&self->shared, slot, error);
  return self->slots[slot] != NULL;
}

static bool
vulkan_executor_submit (YvExecutor *executor, uint32_t slot, const YvBatch *batch, GError **error)
{
  VulkanExecutor *self = (VulkanExecutor *) executor;

  return name_lost_device (
      self->device,
      make_slot (self, slot, error) && yv_slot_submit (self->slots[slot], batch, error), error);
}

static bool
vulkan_executor_wait (YvExecutor *executor, uint32_t slot, const struct YvCandidate **lists,
                      uint32_t *n, YvTiming *timing, GError **error)
{
  VulkanExecutor *self = (VulkanExecutor *) executor;

  g_assert (slot < executor->n_slots);
  return name_lost_device (self->device, yv_slot_wait (self->slots[slot], lists, n, timing, error),
                           error);
}

static void
vulkan_executor_forget_frames (YvExecutor *executor)
{
  VulkanExecutor *self = (VulkanExecutor *) executor;

  for (uint32_t i = 0; i < executor->n_slots; i++)
    if (self->slots[i])
      yv_slot_forget_frames (self->slots[i]);
}

static bool
vulkan_executor_profile (YvExecutor *executor, uint32_t slot, bool is_wanted, GError **error)
{
  VulkanExecutor *self = (VulkanExecutor *) executor;

  return make_slot (self, slot, error) && yv_slot_profile (self->slots[slot], is_wanted, error);
}

/* ---- operands to and from floats ------------------------------------------------------------ */

/* Index of an element in memory, channels-last. */
static uint64_t
element_index (const YvOperand *operand, uint32_t n, uint32_t c, uint32_t y, uint32_t x)
{
  return (((uint64_t) n * operand->h + y) * operand->w + x) * operand->cstride + c;
}

static float
load_element (const uint8_t *bytes, YvDType dtype, uint64_t index)
{
  if (dtype == YV_DTYPE_F16) {
    uint16_t half;
    memcpy (&half, bytes + index * sizeof half, sizeof half);
    return yv_half_to_float (half);
  }
  float value;
  memcpy (&value, bytes + index * sizeof value, sizeof value);
  return value;
}

static void
store_element (uint8_t *bytes, YvDType dtype, uint64_t index, float value)
{
  if (dtype == YV_DTYPE_F16) {
    const uint16_t half = yv_half_from_float (value);
    memcpy (bytes + index * sizeof half, &half, sizeof half);
    return;
  }
  memcpy (bytes + index * sizeof value, &value, sizeof value);
}

static void
unpack (const YvOperand *operand, const uint8_t *bytes, float *dst)
{
  for (uint32_t n = 0; n < operand->n; n++)
    for (uint32_t c = 0; c < operand->c; c++)
      for (uint32_t y = 0; y < operand->h; y++)
        for (uint32_t x = 0; x < operand->w; x++)
          *dst++ = load_element (bytes, operand->dtype, element_index (operand, n, c, y, x));
}

static void
pack (const YvOperand *operand, const float *src, uint8_t *bytes)
{
  for (uint32_t n = 0; n < operand->n; n++)
    for (uint32_t c = 0; c < operand->c; c++)
      for (uint32_t y = 0; y < operand->h; y++)
        for (uint32_t x = 0; x < operand->w; x++)
          store_element (bytes, operand->dtype, element_index (operand, n, c, y, x), *src++);
}

/* Where the arena is not mapped an operand's bytes come over through a buffer of their own. */
static YvBuffer *
fetch (VulkanExecutor *self, const YvOperand *operand, GError **error)
{
  g_autoptr (YvBuffer) copy =
      yv_buffer_new (self->device, YV_BUFFER_READBACK, operand->size_bytes, "operand", error);

  if (!copy ||
      !yv_buffer_copy (self->arena, operand->offset_bytes, copy, 0, operand->size_bytes, error))
    return NULL;
  return g_steal_pointer (&copy);
}

static void
assert_readable (const VulkanExecutor *self, const YvOperand *operand)
{
  g_assert (operand->memory == YV_MEMORY_ARENA);
  g_assert (operand->dtype == YV_DTYPE_F32 || operand->dtype == YV_DTYPE_F16);
  g_assert (operand->offset_bytes + operand->size_bytes <= self->arena->size_bytes);
  for (uint32_t i = 0; i < self->base.n_slots; i++)
    g_assert (!self->slots[i] || !self->slots[i]->running);
}

static bool
vulkan_executor_read (YvExecutor *executor, const YvOperand *operand, float *dst, GError **error)
{
  VulkanExecutor *self = (VulkanExecutor *) executor;

  assert_readable (self, operand);
  if (self->arena->mapped) {
    unpack (operand, self->arena->mapped + operand->offset_bytes, dst);
    return true;
  }
  g_autoptr (YvBuffer) copy = fetch (self, operand, error);
  if (!copy)
    return false;
  unpack (operand, copy->mapped, dst);
  return true;
}

static bool
vulkan_executor_write (YvExecutor *executor, const YvOperand *operand, const float *src,
                       GError **error)
{
  VulkanExecutor *self = (VulkanExecutor *) executor;

  assert_readable (self, operand);
  if (self->arena->mapped) {
    pack (operand, src, self->arena->mapped + operand->offset_bytes);
    return true;
  }
  g_autoptr (YvBuffer) copy = fetch (self, operand, error); /* keeps what lies between */
  if (!copy)
    return false;
  pack (operand, src, copy->mapped);
  return yv_buffer_copy (copy, 0, self->arena, operand->offset_bytes, operand->size_bytes, error);
}

static void
vulkan_executor_footprint (const YvExecutor *executor, YvFootprint *out)
{
  const VulkanExecutor *self = (const VulkanExecutor *) executor;

  *out = (YvFootprint){
      .weights = yv_weight_store_size_bytes (self->shared.weights),
      .arena = self->arena->size_bytes,
  };
  for (uint32_t i = 0; i < executor->n_slots; i++)
    out->slots += self->slots[i] ? yv_slot_size_bytes (self->slots[i]) : 0;
}

static const YvExecutorClass vulkan_executor_class = {
    .free = vulkan_executor_free,
    .submit = vulkan_executor_submit,
    .wait = vulkan_executor_wait,
    .forget_frames = vulkan_executor_forget_frames,
    .profile = vulkan_executor_profile,
    .read = vulkan_executor_read,
    .write = vulkan_executor_write,
    .footprint = vulkan_executor_footprint,
};

YvSlot *
yv_vulkan_executor_slot (YvExecutor *executor, uint32_t slot)
{
  return ((VulkanExecutor *) executor)->slots[slot];
}

/* ---- construction --------------------------------------------------------------------------- */

static bool
zero_arena (VulkanExecutor *self, GError **error)
{
  if (!self->arena->mapped)
    return yv_buffer_zero (self->arena, error);
  memset (self->arena->mapped, 0, self->arena->size_bytes);
  return true;
}

static bool
make_pipelines (VulkanExecutor *self, GError **error)
{
  const GArray *steps = self->base.plan->steps;

  self->pipelines = g_new0 (VkPipeline, steps->len + 1);
  for (guint i = 0; i < steps->len; i++) {
    self->pipelines[i] =
        yv_pipeline_for_step (self->device->pipelines, &g_array_index (steps, YvStep, i), error);
    if (!self->pipelines[i])
      return false;
  }
  return true;
}

static bool
make_network_bindings (VulkanExecutor *self, YvWeightStore *store, GError **error)
{
  const YvPlan *plan = self->base.plan;
  const YvPlaces places = {.weights = store, .arena = self->arena, .n_images = plan->options.n};

  self->network = yv_bindings_new (self->device, &places, plan, plan->first_network_step,
                                   plan->steps->len - plan->first_network_step, error);
  return self->network != NULL;
}

static bool
make_first_slot (VulkanExecutor *self, YvWeightStore *store, GError **error)
{
  self->shared = (YvShared){
      .device = self->device,
      .plan = self->base.plan,
      .weights = store,
      .arena = self->arena,
      .network = self->network,
      .pipelines = self->pipelines,
      .pace = &self->pace,
  };
  self->slots = g_new0 (YvSlot *, self->base.n_slots);
  return make_slot (self, 0, error); /* so that it is known at once whether there is memory */
}

static bool
make_all (VulkanExecutor *self, YvWeightStore *store, GError **error)
{
  const YvPlan *plan = self->base.plan;

  if (!yv_weight_store_fill (store, plan, error))
    return false;
  self->arena = yv_buffer_new (self->device, YV_BUFFER_LOCAL, plan->arena_bytes, "arena", error);
  return self->arena && zero_arena (self, error) && make_pipelines (self, error) &&
         make_network_bindings (self, store, error) && make_first_slot (self, store, error);
}

YvExecutor *
yv_vulkan_executor_new (YvDevice *device, YvWeightStore *store, const YvPlan *plan,
                        uint32_t n_slots, GError **error)
{
  VulkanExecutor *self = g_new0 (VulkanExecutor, 1);
  g_autoptr (YvExecutor) executor = &self->base; /* frees what there is on failure */

  g_assert (n_slots >= 1);
  self->base = (YvExecutor){.klass = &vulkan_executor_class, .plan = plan, .n_slots = n_slots};
  self->device = yv_device_ref (device);
  self->pace.piece_flops = YV_FIRST_PIECE_FLOPS;
  g_mutex_init (&self->pace.mutex);
  if (!name_lost_device (device, make_all (self, store, error), error))
    return NULL;
  return g_steal_pointer (&executor);
}
