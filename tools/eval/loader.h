/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/loader.h - pictures of one batch after the other, the next being decoded meanwhile.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/eval/dataset.h"
#include "tools/eval/picture.h"

G_BEGIN_DECLS

typedef struct _Loader Loader;

/* @order, @batches: of batches_plan(); all borrowed. Threads of its own decode as many pictures at
 * once as there are processors; @size as in picture_load(). */
Loader *loader_new (const Dataset *dataset, const uint32_t *order, const GArray *batches,
                    uint32_t size);
void loader_free (Loader *loader); /* NULL ok; waits for what is being decoded */

/* Waits for the next batch and starts with the one after it. There must be one.
 * Returns: (transfer none): its pictures, valid until the next call; NULL on failure. */
const Picture *loader_next (Loader *loader, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Loader, loader_free)

G_END_DECLS
