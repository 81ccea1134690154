/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/intake.c - frames from host memory to a letterbox's source. */
#include "engine/vulkan/intake.h"

#include <stdlib.h>
#include <string.h>

#include "engine/align.h"
#include "engine/frame.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/memory.h"
#include "engine/vulkan/pipeline.h"

#define TEXEL_BYTES 2 /* of a frame, shaders/params.h */

/* One image of the batch from one memory. */
typedef struct {
  uint32_t image;
  YvFrameMemory *memory; /* a reference; NULL: staging */
  YvBindings *bindings;
  VkCommandBuffer commands;
  uint64_t last_take; /* of intake->n_takes */
  bool is_old;
} Entry;

static void
clear_entry (YvIntake *intake, Entry *entry)
{
  YvDevice *device = intake->shared->device;

  if (entry->commands)
    device->vk.vkFreeCommandBuffers (device->handle, intake->pool, 1, &entry->commands);
  yv_bindings_free (entry->bindings);
  yv_memory_unref (entry->memory);
}

static bool
is_any (const Entry *entry)
{
  (void) entry;
  return true;
}

static bool
is_in_place (const Entry *entry)
{
  return entry->memory != NULL;
}

/* Its pool is gone, but here it would keep its memory for ever. */
static bool
is_given_up (const Entry *entry)
{
  return entry->memory && yv_memory_is_given_up (entry->memory);
}

static bool
is_old (const Entry *entry)
{
  return entry->is_old;
}

static void
forget (YvIntake *intake, bool (*is_unwanted) (const Entry *))
{
  for (uint32_t image = 0; image < intake->shared->plan->options.n; image++) {
    GArray *entries = intake->entries[image];

    for (guint i = entries->len; i > 0; i--) {
      Entry *entry = &g_array_index (entries, Entry, i - 1);

      if (!is_unwanted (entry))
        continue;
      clear_entry (intake, entry);
      g_array_remove_index_fast (entries, i - 1);
      intake->n_entries--;
    }
  }
}

static void
forget_given_up (YvIntake *intake)
{
  const gint n_given_up = g_atomic_int_get (&intake->shared->device->n_given_up);

  if (n_given_up == intake->n_given_up)
    return;
  intake->n_given_up = n_given_up;
  forget (intake, is_given_up);
}

static int
compare_takes (const void *a, const void *b)
{
  const uint64_t first = *(const uint64_t *) a, second = *(const uint64_t *) b;

  return (first > second) - (first < second);
}

/* Of the half of all entries that was used longest ago the youngest. */
static uint64_t
last_take_of_old_half (const YvIntake *intake)
{
  g_autofree uint64_t *takes = g_new (uint64_t, intake->n_entries);
  uint32_t n = 0;

  for (uint32_t image = 0; image < intake->shared->plan->options.n; image++) {
    const GArray *entries = intake->entries[image];

    for (guint i = 0; i < entries->len; i++)
      takes[n++] = g_array_index (entries, Entry, i).last_take;
  }
  qsort (takes, n, sizeof *takes, compare_takes);
  return takes[n / 2];
}

static void
forget_old_half (YvIntake *intake)
{
  const uint64_t last_take = last_take_of_old_half (intake);

  for (uint32_t image = 0; image < intake->shared->plan->options.n; image++) {
    GArray *entries = intake->entries[image];

    for (guint i = 0; i < entries->len; i++) {
      Entry *entry = &g_array_index (entries, Entry, i);
      entry->is_old = entry->last_take <= last_take;
    }
  }
  forget (intake, is_old);
}

bool
yv_intake_init (YvIntake *intake, const YvShared *shared, uint32_t slot, GError **error)
{
  YvDevice *device = shared->device;
  const VkCommandPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .queueFamilyIndex = device->queue_family,
  };

  *intake = (YvIntake){.shared = shared, .slot = slot};
  intake->entries = g_new (GArray *, shared->plan->options.n);
  for (uint32_t i = 0; i < shared->plan->options.n; i++)
    intake->entries[i] = g_array_new (FALSE, FALSE, sizeof (Entry));
  return yv_vk_check (device->vk.vkCreateCommandPool (device->handle, &info, NULL, &intake->pool),
                      "vkCreateCommandPool", error);
}

void
yv_intake_forget (YvIntake *intake)
{
  forget (intake, is_any);
}

void
yv_intake_forget_memories (YvIntake *intake)
{
  forget (intake, is_in_place);
}

void
yv_intake_clear (YvIntake *intake)
{
  if (!intake->shared)
    return;

  YvDevice *device = intake->shared->device;
  yv_intake_forget (intake);
  for (uint32_t i = 0; i < intake->shared->plan->options.n; i++)
    g_array_unref (intake->entries[i]);
  g_free (intake->entries);
  device->vk.vkDestroyCommandPool (device->handle, intake->pool, NULL);
  yv_buffer_free (intake->staging);
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* Frames of any size up to @image_bytes fit from now on; addresses and views of the old memory are
 * in commands and descriptors, so those are made again. */
static bool
grow_staging (YvIntake *intake, uint64_t image_bytes, GError **error)
{
  const YvShared *shared = intake->shared;
  const uint64_t aligned = yv_round_up (image_bytes, shared->device->caps.align_bytes);
  g_autofree char *name = g_strdup_printf ("slot %u frames", intake->slot);

  yv_intake_forget (intake);
  g_clear_pointer (&intake->staging, yv_buffer_free);
  intake->image_bytes = 0;
  intake->staging = yv_buffer_new (shared->device, YV_BUFFER_UPLOAD,
                                   aligned * shared->plan->options.n, name, error);
  if (!intake->staging)
    return false;
  intake->image_bytes = aligned;
  return true;
}

static bool
is_read_in_place (const YvIntake *intake, const YvImage *image)
{
  return yv_image_is_read_in_place (image, intake->shared->device);
}

/* All images are sound, and there is room for those that are copied. */
static bool
check_images (YvIntake *intake, const YvBatch *batch, GError **error)
{
  uint64_t largest = 0;

  for (uint32_t i = 0; i < batch->n_images; i++) {
    if (!yv_image_check (&batch->images[i], error))
      return false;
    if (!is_read_in_place (intake, &batch->images[i]))
      largest = MAX (largest, yv_image_size_bytes (&batch->images[i]));
  }
  return largest <= intake->image_bytes || grow_staging (intake, largest, error);
}

/* ---- commands -------------------------------------------------------------------------------- */

static YvPlace
frame_of_entry (const YvIntake *intake, const Entry *entry)
{
  if (entry->memory) {
    const YvBuffer *buffer = yv_memory_buffer (entry->memory);
    return (YvPlace){.buffer = buffer, .size_bytes = buffer->size_bytes};
  }
  return (YvPlace){.buffer = intake->staging,
                   .offset_bytes = entry->image * intake->image_bytes,
                   .size_bytes = intake->image_bytes};
}

/* Through a texel buffer where the plan says so and the frame fits, else by address, with a
 * pipeline that all images of all batches share. */
static bool
bind_frame (const YvIntake *intake, const YvPlaces *places, Entry *entry, VkPipeline *by_address,
            GError **error)
{
  const YvShared *shared = intake->shared;

  if (yv_pieces (places->frame.size_bytes, TEXEL_BYTES) <= shared->device->caps.max_texels) {
    entry->bindings =
        yv_bindings_new (shared->device, places, shared->plan, entry->image, 1, error);
    return entry->bindings != NULL;
  }
  YvStep step = g_array_index (shared->plan->steps, YvStep, entry->image);
  step.texel = false;
  *by_address = yv_pipeline_for_step (shared->device->pipelines, &step, error);
  return *by_address != VK_NULL_HANDLE;
}

static bool
record_entry (const YvIntake *intake, const YvRecording *recording, Entry *entry, GError **error)
{
  YvDevice *device = intake->shared->device;
  YvRecording own = *recording;
  YvLetterboxing letterboxing = {.image = entry->image};
  const VkCommandBufferAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = intake->pool,
      .commandBufferCount = 1,
  };

  own.places.frame = frame_of_entry (intake, entry);
  if (!bind_frame (intake, &own.places, entry, &letterboxing.by_address, error))
    return false;
  letterboxing.bindings = entry->bindings;
  return yv_vk_check (device->vk.vkAllocateCommandBuffers (device->handle, &info, &entry->commands),
                      "vkAllocateCommandBuffers", error) &&
         yv_record_letterbox (&own, &letterboxing, entry->commands, error);
}

static bool
add_entry (YvIntake *intake, const YvRecording *recording, uint32_t image, YvFrameMemory *memory,
           GError **error)
{
  Entry entry = {.image = image, .memory = memory ? yv_memory_ref (memory) : NULL};

  forget_given_up (intake);
  if (!record_entry (intake, recording, &entry, error)) {
    clear_entry (intake, &entry);
    return false;
  }
  g_array_append_val (intake->entries[image], entry);
  intake->n_entries++;
  return true;
}

static VkCommandBuffer
find_commands (const YvIntake *intake, uint32_t image, const YvFrameMemory *memory)
{
  GArray *entries = intake->entries[image];

  for (guint i = 0; i < entries->len; i++) {
    Entry *entry = &g_array_index (entries, Entry, i);

    if (entry->memory != memory)
      continue;
    entry->last_take = intake->n_takes;
    return entry->commands;
  }
  return VK_NULL_HANDLE;
}

static bool
find_or_record (YvIntake *intake, const YvRecording *recording, uint32_t image,
                YvFrameMemory *memory, VkCommandBuffer *commands, GError **error)
{
  *commands = find_commands (intake, image, memory);
  if (!*commands && add_entry (intake, recording, image, memory, error))
    *commands = find_commands (intake, image, memory);
  return *commands != VK_NULL_HANDLE;
}

static void
take_image (YvIntake *intake, const YvBatch *batch, uint32_t i, struct YvFrameParams *params)
{
  const YvImage *image = &batch->images[i];

  if (is_read_in_place (intake, image)) {
    yv_frame_params_init_in_place (params, image, &batch->letterboxes[i]);
    return;
  }
  yv_image_pack (image, intake->staging->mapped + i * intake->image_bytes);
  yv_frame_params_init (params, image, &batch->letterboxes[i], 0);
}

bool
yv_intake_take (YvIntake *intake, const YvRecording *recording, const YvBatch *batch,
                uint8_t *params, VkCommandBuffer *commands, GError **error)
{
  const uint32_t n = intake->shared->plan->options.n;

  intake->n_takes++;
  if (intake->n_entries > YV_INTAKE_MAX_MEMORIES * n)
    forget_old_half (intake);
  if (!check_images (intake, batch, error))
    return false;

  for (uint32_t i = 0; i < n; i++) {
    struct YvFrameParams *own =
        (struct YvFrameParams *) (void *) (params + yv_places_frame_offset (i));
    /* An image beyond the batch is an empty picture, padding everywhere; it, too, is read from
     * somewhere. */
    const YvImage *image = &batch->images[i < batch->n_images ? i : 0];
    YvFrameMemory *memory = is_read_in_place (intake, image) ? image->memory : NULL;

    if (!find_or_record (intake, recording, i, memory, &commands[i], error))
      return false;
    if (i < batch->n_images)
      take_image (intake, batch, i, own);
    else
      memset (own, 0, sizeof *own);
  }
  return true;
}
