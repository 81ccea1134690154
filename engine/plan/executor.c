/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/executor.c - what all executors do alike. */
#include "engine/plan/executor.h"

void
yv_executor_free (YvExecutor *executor)
{
  if (executor)
    executor->klass->free (executor);
}
