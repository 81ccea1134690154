/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/executor.c - what all executors do alike. */
#include "engine/plan/executor.h"

#include <string.h>
#include <time.h>

uint64_t
yv_executor_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static uint32_t
n_class_words (const YvDetectSpec *detect)
{
  return (detect->n_classes + 31) / 32;
}

size_t
yv_thresholds_size_bytes (const YvDetectSpec *detect)
{
  return sizeof (struct YvThresholds) + n_class_words (detect) * sizeof (uint32_t);
}

void
yv_thresholds_write (struct YvThresholds *thresholds, const YvDetectSpec *detect,
                     const YvBatch *batch)
{
  uint32_t *class_wanted = (uint32_t *) (thresholds + 1);

  thresholds->confidence = batch->confidence;
  thresholds->obj_only = batch->obj_only;
  thresholds->multi_label = batch->multi_label;
  G_STATIC_ASSERT (sizeof thresholds->anchor_px == sizeof detect->anchor_px);
  memcpy (thresholds->anchor_px, detect->anchor_px, sizeof detect->anchor_px);
  for (uint32_t word = 0; word < n_class_words (detect); word++) {
    uint32_t bits = 0;

    for (uint32_t k = 32 * word; k < MIN (32 * (word + 1), detect->n_classes); k++)
      bits |= (uint32_t) (!batch->class_wanted || batch->class_wanted[k]) << k % 32;
    class_wanted[word] = bits;
  }
}

void
yv_executor_free (YvExecutor *executor)
{
  if (executor)
    executor->klass->free (executor);
}
