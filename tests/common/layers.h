/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/layers.h - models layer by layer: compared, resized, written. */
#pragma once

#include <glib.h>

#include "engine/model/model.h"

G_BEGIN_DECLS

/* Same classes, names, paths, children and, where @a has them, numbers. */
void yv_test_assert_same_tree (const YvModule *a, const YvModule *b);

/* Same sources and trees. */
void yv_test_assert_same_layers (const YvModel *a, const YvModel *b);

uint64_t yv_test_count_params (const YvModel *model);

/* @description with another width and number of classes, as a temporary file. Remove with
 * yv_test_remove() of writeobject.h, then g_free(). */
char *yv_test_resize_description (const char *description, double width, guint n_classes);

/* All tensors that the network of @config has, made up, in fp32 as a safetensors file at @path. */
void yv_test_write_state_dict (const char *config, const char *path);

/* The same in fp16 as torch.save writes it. (transfer full) */
GBytes *yv_test_make_checkpoint (const char *config);

G_END_DECLS
