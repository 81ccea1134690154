/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/objects.h - values as a checkpoint reader gives them, made by hand: modules as
 * PyTorch pickles them, to be spoiled one at a time. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/checkpoint/object.h"

G_BEGIN_DECLS

/* Owns all values made from it. Names and texts are borrowed: literals. */
typedef struct _YvTestObjects YvTestObjects;

YvTestObjects *yv_test_objects_new (void);
void yv_test_objects_free (YvTestObjects *objects);

YvObject *yv_test_none (YvTestObjects *objects);
YvObject *yv_test_bool (YvTestObjects *objects, bool value);
YvObject *yv_test_number (YvTestObjects *objects, double value); /* INT where it is whole */
YvObject *yv_test_text (YvTestObjects *objects, const char *text);
YvObject *yv_test_tuple (YvTestObjects *objects, const double *values, uint32_t n_values);
YvObject *yv_test_dict (YvTestObjects *objects);

/* f32, contiguous, every element @value. */
YvObject *yv_test_tensor (YvTestObjects *objects, double value, uint32_t n_dims,
                          const uint64_t *shape);
#define yv_test_tensor_of(objects, value, ...)                                                     \
  yv_test_tensor (objects, value, G_N_ELEMENTS (((uint64_t[]){__VA_ARGS__})),                      \
                  (uint64_t[]){__VA_ARGS__})

/* Adds a key to a DICT or an INSTANCE's state, or replaces its value; @value NULL takes it out.
 * Returns @value. */
YvObject *yv_test_set (YvTestObjects *objects, YvObject *object, const char *key, YvObject *value);

/* An INSTANCE of class @name in @module with empty _modules, _parameters and _buffers. */
YvObject *yv_test_module (YvTestObjects *objects, const char *module, const char *name);
YvObject *yv_test_add_module (YvTestObjects *objects, YvObject *parent, const char *name,
                              YvObject *child); /* returns @child */
void yv_test_add_parameter (YvTestObjects *objects, YvObject *module, const char *name,
                            YvObject *tensor);
void yv_test_add_buffer (YvTestObjects *objects, YvObject *module, const char *name,
                         YvObject *tensor);

/* The module under a path like "model.0.conv"; "" is @root itself. */
YvObject *yv_test_find (YvObject *root, const char *path);

YvObject *yv_test_conv2d (YvTestObjects *objects, uint32_t c1, uint32_t c2, uint32_t kernel,
                          uint32_t stride, bool has_bias);
YvObject *yv_test_batchnorm (YvTestObjects *objects, uint32_t channels);
YvObject *yv_test_conv (YvTestObjects *objects, uint32_t c1, uint32_t c2, uint32_t kernel,
                        uint32_t stride); /* models.common.Conv with SiLU */

/* rows: 0 Conv 3 -> 8 stride 2, 1 MP, 2 Conv 8 -> 8 from 1, 3 Concat of 2 and 1, 4 IDetect (2
 * classes, 1 level, 1 anchor) over 3; as a models.yolo.Model. */
YvObject *yv_test_model (YvTestObjects *objects);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvTestObjects, yv_test_objects_free)

G_END_DECLS
