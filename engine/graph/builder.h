/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/builder.h - what the forward rules share while one graph is being built.
 *
 * Internal to engine/graph/. The first failure is kept in the builder; from then on every function
 * here and every rule gives NULL and does nothing, and a NULL input gives a NULL output. So a rule
 * reads as the formula it is, without a check after each term.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/error.h"
#include "engine/graph/graph.h"
#include "engine/model/limits.h"
#include "engine/model/model.h"

G_BEGIN_DECLS

typedef struct {
  const YvModel *model; /* borrowed */
  YvGraph *graph;       /* borrowed */
  uint64_t seed;        /* of random weights */
  uint32_t row;         /* the layer that is being built */
  GArray *strides;      /* of double by node id: network pixels per pixel of the value */
  uint32_t n_batchnorms, n_missing_batchnorms; /* used; in the module but not among the tensors */
  GError *error;                               /* owned; the first failure */
} YvBuilder;

/* Sets the error, with file, row, path and class in front of the text. Returns: NULL, always. */
YvNode *yv_builder_fail (YvBuilder *builder, const YvModule *module, YvError code,
                         const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Appends a node of this row. @stride_factor: output's stride over that of the inputs, which all
 * must have the same. @module: for messages. */
YvNode *yv_builder_add (YvBuilder *builder, const YvModule *module, YvOpKind op, const char *name,
                        YvNode *const *in, uint32_t n_in, uint32_t c_out, double stride_factor);

double yv_builder_stride (const YvBuilder *builder, const YvNode *node);

/* Concatenation and sum of values, named after @module. */
YvNode *yv_builder_concat (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                           uint32_t n_in);
YvNode *yv_builder_sum (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                        uint32_t n_in);

/* Element @index of an attribute as a whole number in @min..@max, which it is checked to be; @min
 * on failure. @fallback: where absent; NAN: it must be there. */
uint32_t yv_builder_number (YvBuilder *builder, const YvModule *module, const char *key,
                            uint32_t index, double fallback, uint32_t min, uint32_t max);

/* True where the model has tensors, and one named "<path>.<name>". */
bool yv_builder_has_tensor (const YvBuilder *builder, const char *path, const char *name);

/* The tensor "<path>.<name>" of exactly this shape, or a failure and NULL. */
const YvTensor *yv_builder_tensor (YvBuilder *builder, const YvModule *module, const char *path,
                                   const char *name, uint32_t n_dims, const uint64_t *shape);

/* Its @n_elems elements, whatever their shape, as doubles. Free with g_free(). */
double *yv_builder_vector (YvBuilder *builder, const YvModule *module, const char *path,
                           const char *name, uint32_t n_elems);

G_END_DECLS
