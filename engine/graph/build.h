/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/build.h - layers + tensors -> a graph that computes exactly what training computed.
 *
 * The only place that sees module trees and tensors together. Nothing is folded here: a Conv
 * becomes CONV, AFFINE (batch-norm) and ACT; a RepConv three branches and an ADD; IDetect its
 * implicits as AFFINE nodes around the head's CONV; IAuxDetect also the auxiliary convolutions,
 * which nobody reads. The forward rule of each module class is one row of a table in forward.c.
 */
#pragma once

#include <glib.h>

#include "engine/graph/graph.h"
#include "engine/model/model.h"

G_BEGIN_DECLS

/**
 * yv_graph_build:
 * @model: its tensors' memory (the checkpoint) must outlive the graph; the model itself need not
 *
 * Anchors: the head's anchor_grid tensor, else its anchors tensor times stride, else the module's
 * numbers (spec 3.2). Strides are derived from the graph and checked against the stored ones. A
 * Conv without batch-norm tensors but with a bias, an rbr_reparam, and a head marked fused are
 * taken as they are (spec 2.6). Without tensors, weights are RANDOM terms seeded by @seed and the
 * name.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_MALFORMED or _UNSUPPORTED, naming row and module.
 */
YvGraph *yv_graph_build (const YvModel *model, uint64_t seed, GError **error);

G_END_DECLS
