/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/executor.c - what all executors do alike. */
#include "engine/plan/executor.h"

#include <time.h>

uint64_t
yv_executor_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

void
yv_executor_free (YvExecutor *executor)
{
  if (executor)
    executor->klass->free (executor);
}
