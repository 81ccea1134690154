/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/executor.h - what engine/vulkan/ and engine/ref/ have in common: they run a plan.
 *
 * An executor holds one plan's arena, its packed weights, and up to n_slots frame slots, each made
 * when it is first used. One slot goes submit -> wait, by one thread at a time; different slots may
 * be used by different threads. Submits run in the order they were made.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/image.h"
#include "engine/letterbox.h"
#include "engine/plan/plan.h"
#include "shaders/params.h"

G_BEGIN_DECLS

typedef struct _YvExecutor YvExecutor;

/* One batch to run. Images beyond n_images are padding or nothing, and their results are not read.
 */
typedef struct {
  uint32_t n_images; /* 1..plan n; with tensor_input ignored */
  /* (nullable): copied before submit returns, or read where they lie (YvImage.memory) until wait
   * does; NULL: those of the slot's last submit once more, as many, which are then still, or again,
   * where they lay */
  const YvImage *images;
  const YvLetterbox *letterboxes;
  float confidence;           /* threshold of candidates, 0..1 */
  bool obj_only, multi_label; /* see YvThresholds */
  const bool *class_wanted;   /* (nullable): [n_classes]; NULL: all */
} YvBatch;

/* What decode reads of a batch: YvThresholds and the classes wanted behind it. */
size_t yv_thresholds_size_bytes (const YvDetectSpec *detect);
void yv_thresholds_write (struct YvThresholds *thresholds, const YvDetectSpec *detect,
                          const YvBatch *batch);

/* Where the time of one run went, ns; 0 where the device has no timestamps. */
typedef struct {
  uint64_t upload_ns; /* host copy of the frames */
  /* On the device. The first convolution counts as letterbox and the heads as decode where the plan
   * has them in one step (YV_PART_FIRST, YV_PART_HEAD). */
  uint64_t letterbox_ns, network_ns, decode_ns;
  uint64_t readback_ns;    /* host copy of the candidates */
  const uint64_t *step_ns; /* [n steps], while the slot is profiled, else NULL; as the lists */
} YvTiming;

/* The clock that YvTiming's host times are taken with. */
uint64_t yv_executor_now_ns (void);

/* The memory an executor took, bytes. */
typedef struct {
  uint64_t weights, arena, slots;
} YvFootprint;

typedef struct {
  void (*free) (YvExecutor *executor);

  /* Copies the frames and starts. Does not wait for the device. */
  bool (*submit) (YvExecutor *executor, uint32_t slot, const YvBatch *batch, GError **error);

  /* Blocks until the slot is done. lists[i] and n[i], one for each image, are then valid until the
   * slot's next submit; n[i] is at most the plan's capacity. */
  bool (*wait) (YvExecutor *executor, uint32_t slot, const struct YvCandidate **lists, uint32_t *n,
                YvTiming *timing, GError **error);

  /* Lets go of every YvImage.memory that slots know, so that the next frame in one takes longer,
   * and cannot be run once more. Only while no slot is running or being submitted. */
  void (*forget_frames) (YvExecutor *executor);

  /* From now on each of the slot's runs tells how long each step took; steps no longer overlap, so
   * their sum is more than a run takes. Its frames cannot be run once more. Fails where the device
   * has no timestamps. Only while the slot is not running. */
  bool (*profile) (YvExecutor *executor, uint32_t slot, bool is_wanted, GError **error);

  /* An operand of the arena to or from plain float [n, c, h, w]. Only while no slot is running. */
  bool (*read) (YvExecutor *executor, const YvOperand *operand, float *dst, GError **error);
  bool (*write) (YvExecutor *executor, const YvOperand *operand, const float *src, GError **error);

  void (*footprint) (const YvExecutor *executor, YvFootprint *out);
} YvExecutorClass;

/* Implementations put this first. */
struct _YvExecutor {
  const YvExecutorClass *klass;
  const YvPlan *plan; /* borrowed: outlives the executor */
  uint32_t n_slots;
};

void yv_executor_free (YvExecutor *executor); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvExecutor, yv_executor_free)

G_END_DECLS
