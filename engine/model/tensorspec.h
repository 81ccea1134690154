/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/tensorspec.h - which tensors a module owns, and of what shape.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/model/module.h"

G_BEGIN_DECLS

/* Far beyond any YOLOv7 (D6 has 2^27), and what counts of elements further on can hold. */
#define YV_MAX_MODEL_PARAMS ((uint64_t) 1 << 31)

typedef struct {
  const char *name; /* under the module: "weight" */
  uint32_t n_dims;
  uint64_t shape[4];
  bool is_trained;      /* counts as a parameter; false for running statistics */
  bool is_non_negative; /* running_var */
} YvTensorSpec;

#define YV_MAX_TENSOR_SPECS 4

/* Those of the module itself, not of its children. @specs has room for YV_MAX_TENSOR_SPECS. Returns
 * how many. The module has passed yv_geometry_check(). */
uint32_t yv_module_tensor_specs (const YvModule *module, YvTensorSpec *specs);

/* Elements of all trained ones of a tree. */
uint64_t yv_module_n_params (const YvModule *module);

G_END_DECLS
