/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/outputs.h - the tensors that yv_engine_forward_file() writes, and how far two such
 * files are apart. */
#pragma once

#include <glib.h>

#include "engine/checkpoint/checkpoint.h"

G_BEGIN_DECLS

/* NULL where the file has none of that name. */
const YvTensor *yv_test_get_tensor (const YvCheckpoint *file, const char *name);

/* All elements, row-major. Free with g_free(). */
float *yv_test_read_tensor (const YvTensor *tensor);

/* ||a - b|| / ||b||; the shapes are the same. */
double yv_test_relative_error (const YvTensor *a, const YvTensor *b);

/* The largest of all heads and `pred`; both files have the same ones. */
double yv_test_output_error (const YvCheckpoint *a, const YvCheckpoint *b);

/* Writes `images` [1, 3, h, w] to @path: smooth shapes with a little noise, as a picture has. */
void yv_test_write_picture (const char *path, uint32_t h, uint32_t w);

G_END_DECLS
