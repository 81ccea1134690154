/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/batches.h - which pictures go through the network together, and how large it is then
 * (spec 4.4): test.py's rectangular batches.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "tools/eval/dataset.h"

G_BEGIN_DECLS

typedef struct {
  uint32_t first, n;     /* in the order that batches_plan() gives */
  uint32_t net_w, net_h; /* px: large enough for each of them, and half a stride more */
} Batch;

/**
 * batches_plan:
 * @size: px that the long side of a picture has in the network
 * @stride: of the model; test.py takes at least 32
 * @order: (out) (transfer full): the images' indices, flat ones first
 *
 * Returns: (transfer full): of Batch, each of @n_batch images, the last of what is left.
 */
GArray *batches_plan (const Dataset *dataset, uint32_t size, uint32_t stride, uint32_t n_batch,
                      uint32_t **order);

G_END_DECLS
