/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/model.h - a YOLOv7 network as a list of layers, and its tensors by name.
 *
 * In:   a checkpoint that holds whole modules; or a yaml in the grammar of spec section 1, alone
 *       (random weights) or with a checkpoint that holds a state dict.
 * Out:  YvModel: plain data.
 * Next: engine/graph/build.h.
 *
 * Anchors, strides, class names, activations and batch-norm eps come from the checkpoint wherever
 * it has them (spec 1.5, 1.6, 3.2). Immutable once made.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/model/module.h"

G_BEGIN_DECLS

#define YV_FROM_INPUT (-1)

/* One row of the network. */
typedef struct {
  uint32_t row;
  int32_t *from; /* absolute rows, or YV_FROM_INPUT; each < row */
  uint32_t n_from;
  YvModule *module; /* owned; path "model.<row>" */
} YvLayer;

typedef struct {
  GPtrArray *layers; /* of YvLayer *; the last is the detection head */
  /* Name ("model.0.conv.weight") -> const YvTensor *, borrowed from the checkpoint, which must
   * outlive the model. NULL: no checkpoint, so whoever builds a graph makes up random weights. */
  GHashTable *tensors;
  uint32_t n_input_channels; /* 3 */
  uint32_t n_classes;
  char **class_names; /* n_classes and a NULL; "class7" where the file names none */
  char *source;       /* what to name in messages: the file(s) */
  char *weights_kind; /* "ema", "model", "state dict", "random": which the tensors are */
} YvModel;

/**
 * yv_model_load:
 * @checkpoint: (nullable): borrowed, must outlive the model
 * @config_file: (nullable): a yaml
 *
 * With a checkpoint of whole modules the layers come from it, `ema` before `model`, DataParallel
 * wrappers taken off; @config_file is then not needed and refused if its rows contradict. With a
 * state dict (a dict of name to tensor, or such a dict under `state_dict`, `model_state_dict`,
 * `ema` or `model`, prefixes `module.` and a second `model.` taken off) @config_file is required
 * and the whole set of keys is checked against it. With @config_file alone the tensors are NULL.
 * A description of the deployed model goes with the tensors of training, too: auxiliary rows are
 * left out, implicits are kept. The number of classes is always the file's.
 *
 * Unknown modules are refused as "unsupported module X at row i"; yaml errors name file, line and
 * row. Tensors are checked to exist, to have the shape that their module says, and to be finite
 * (running_var also >= 0), by name.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_IO, _MALFORMED, _UNSUPPORTED or _INVALID.
 */
YvModel *yv_model_load (const YvCheckpoint *checkpoint, const char *config_file, GError **error);

void yv_model_free (YvModel *model); /* NULL ok */

/* Number of elements of all tensors that training optimises (weights, biases, batch-norm gamma and
 * beta, implicits) of one layer as it was trained: the "params" of upstream's summary. */
uint64_t yv_layer_n_params (const YvLayer *layer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvModel, yv_model_free)

G_END_DECLS
