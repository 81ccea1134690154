/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/intake.h - where the frames of a slot come from: memory that the device reads where
 * it lies (YvImage.memory), or else a copy; and the commands that letterbox them from there.
 *
 * The commands for one image of the batch and one memory are recorded when they first meet, and
 * kept. So in steady state, with frames of the same sizes from the same few memories, nothing is
 * allocated, recorded or written to descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/executor.h"
#include "engine/vulkan/buffer.h"
#include "engine/vulkan/record.h"

G_BEGIN_DECLS

/* Memories whose commands are kept for each image of a batch: more than the pools of a few dozen
 * streams have. One that hands in new memory each time pays for it, but does not make the slot
 * grow: the half of them that was met longest ago goes. */
#define YV_INTAKE_MAX_MEMORIES 512

typedef struct {
  const YvShared *shared;
  uint32_t slot;     /* for names */
  YvBuffer *staging; /* where copies go; NULL until the first */
  uint64_t image_bytes;
  VkCommandPool pool;
  GArray **entries;   /* [plan n], of each image: what is recorded; see intake.c */
  uint32_t n_entries; /* of all of them */
  uint64_t n_takes;   /* a clock */
  gint n_given_up;    /* YvDevice.n_given_up when such memories were looked for */
} YvIntake;

/* False with the code of yv_vk_check(); @intake may be cleared all the same. */
bool yv_intake_init (YvIntake *intake, const YvShared *shared, uint32_t slot, GError **error);
void yv_intake_clear (YvIntake *intake); /* zeroed ok; nothing of it is running */

/* Gives up all recorded commands, as when what @recording is changes, or those alone that read a
 * YvImage.memory where it lies, and with them the memories. Nothing of it is running. */
void yv_intake_forget (YvIntake *intake);
void yv_intake_forget_memories (YvIntake *intake);

/**
 * yv_intake_take:
 * @recording: the slot's; its frame is set here
 * @params: (out): of each image of the plan, yv_places_frame_offset() apart
 * @commands: (out) (array length=plan n): what letterboxes each image of the plan; those beyond the
 *   batch become padding
 *
 * Checks and copies the frames of a batch, or notes where they lie. Nothing of the slot is running.
 * False with YV_ERROR_INVALID where an image contradicts itself, or the code of yv_vk_check().
 */
bool yv_intake_take (YvIntake *intake, const YvRecording *recording, const YvBatch *batch,
                     uint8_t *params, VkCommandBuffer *commands, GError **error);

G_END_DECLS
