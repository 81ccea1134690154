/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/batchsize.c - when a batch starts, and of what size. */
#include "engine/batchsize.h"

#define GPU_LIMIT 16

/* On lavapipe 4 frames at once are a tenth faster than one by one, more are not, and wait longer:
 * measured with nets of usual width. A quarter of it gains from 8, too (docs/performance.md). */
#define CPU_LIMIT 4

bool
yv_batch_is_complete (const YvBatchCase *batch)
{
  const uint32_t n_streams = batch->n_running > 0 ? batch->n_expected : batch->n_active;

  return batch->n_waiting >= batch->limit || batch->n_streams_waiting >= n_streams;
}

uint64_t
yv_batch_delay_ns (const YvBatchCase *batch)
{
  if (batch->n_waiting == 0 || batch->n_running >= batch->max_running)
    return UINT64_MAX;
  if (yv_batch_is_complete (batch))
    return 0;
  if (batch->n_running > 0)
    return UINT64_MAX;
  return batch->timeout_ns - MIN (batch->timeout_ns, batch->waited_ns);
}

uint32_t
yv_batch_take (uint32_t n_waiting, uint32_t limit)
{
  uint32_t n = 1;

  if (n_waiting >= limit)
    return limit;
  while (2 * n <= n_waiting)
    n *= 2;
  return n;
}

uint32_t
yv_batch_usual_limit (bool is_cpu)
{
  return is_cpu ? CPU_LIMIT : GPU_LIMIT;
}
