/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/forward.c - the forward rule of each module class, and the table of them.
 *
 * A class from a checkpoint is known by its last component, so one that was renamed or subclassed
 * under the same name is still found. To support another module, write its rule and add a row.
 */
#include "engine/graph/forward.h"

#include <string.h>

/* Runs the child @name, which must be there, on one value. */
static YvNode *
child (YvBuilder *builder, const YvModule *module, const char *name, YvNode *x)
{
  const YvModule *found = yv_module_child (module, name);

  if (!x || builder->error)
    return NULL;
  if (!found)
    return yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has no part \"%s\"", name);
  return yv_forward (builder, found, &x, 1);
}

/* Runs the child @name on one value where it is there. */
static YvNode *
optional_child (YvBuilder *builder, const YvModule *module, const char *name, YvNode *x)
{
  return yv_module_child (module, name) ? child (builder, module, name, x) : x;
}

static YvNode *
concat_two (YvBuilder *builder, const YvModule *module, YvNode *a, YvNode *b)
{
  return yv_builder_concat (builder, module, (YvNode *[]){a, b}, 2);
}

/* Runs the one MaxPool2d among the children, whatever its name. */
static YvNode *
pool (YvBuilder *builder, const YvModule *module, YvNode *x)
{
  for (uint32_t i = 0; i < module->children->len; i++) {
    const YvModule *candidate = module->children->pdata[i];
    if (yv_module_is (candidate, "MaxPool2d"))
      return x ? yv_forward (builder, candidate, &x, 1) : NULL;
  }
  return yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has no MaxPool2d");
}

/* cat [x, pool_0 (x), pool_1 (x), ...] over the pools of the ModuleList m. */
static YvNode *
pool_pyramid (YvBuilder *builder, const YvModule *module, YvNode *x)
{
  const YvModule *pools = yv_module_child (module, "m");
  g_autoptr (GPtrArray) values = g_ptr_array_new ();

  if (!x)
    return NULL;
  if (!pools)
    return yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has no list of pools \"m\"");
  g_ptr_array_add (values, x);
  for (uint32_t i = 0; i < pools->children->len; i++)
    g_ptr_array_add (values, yv_forward (builder, pools->children->pdata[i], &x, 1));
  return yv_builder_concat (builder, module, (YvNode *const *) values->pdata, values->len);
}

/* ---- containers and plain operations ---- */

static YvNode *
forward_sequential (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *x = in[0];

  (void) n_in;
  for (uint32_t i = 0; i < module->children->len && x; i++)
    x = yv_forward (builder, module->children->pdata[i], &x, 1);
  return x;
}

static YvNode *
forward_concat (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  yv_builder_number (builder, module, "d", 0, 1, 1, 1); /* along the channels */
  return yv_builder_concat (builder, module, in, n_in);
}

static YvNode *
forward_shortcut (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  return yv_builder_sum (builder, module, in, n_in);
}

static YvNode *
forward_reorg (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  (void) n_in;
  return yv_builder_add (builder, module, YV_OP_REORG, module->path, in, 1,
                         in[0] ? 4 * in[0]->c_out : 0, 2);
}

static YvNode *
forward_pool (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  (void) n_in;
  return pool (builder, module, in[0]);
}

/* ---- convolutions ---- */

/* act (bn (conv (x))) */
static YvNode *
forward_conv (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  const YvModule *conv = yv_module_child (module, "conv");

  (void) n_in;
  if (!conv)
    return yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has no part \"conv\"");

  const YvModule *bn = yv_module_child (module, "bn");
  YvNode *x = yv_forward_conv_at (builder, conv, conv->path, bn == NULL, in[0]);
  x = yv_forward_batchnorm_if_any (builder, bn, x);
  return optional_child (builder, module, "act", x);
}

/* One branch of a RepConv: Sequential (Conv2d, BatchNorm2d). */
static YvNode *
rep_branch (YvBuilder *builder, const YvModule *module, const char *name, YvNode *x)
{
  const YvModule *branch = yv_module_child (module, name);
  const YvModule *conv = branch ? yv_module_child (branch, "0") : NULL;
  const YvModule *bn = branch ? yv_module_child (branch, "1") : NULL;

  if (!conv || !bn)
    return yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has no \"%s\" of two parts",
                            name);
  x = yv_forward_conv_at (builder, conv, conv->path, false, x);
  return x ? yv_forward_batchnorm (builder, bn, &x, 1) : NULL;
}

static YvNode *
rep_branches (YvBuilder *builder, const YvModule *module, YvNode *x)
{
  const YvModule *identity = yv_module_child (module, "rbr_identity");
  YvNode *branches[3] = {
      rep_branch (builder, module, "rbr_dense", x),
      rep_branch (builder, module, "rbr_1x1", x),
      identity && x ? yv_forward_batchnorm (builder, identity, &x, 1) : NULL,
  };

  return yv_builder_sum (builder, module, branches, identity ? 3 : 2);
}

/* The one convolution that the branches of a RepConv were merged to before they were saved: its
 * numbers are those of the dense branch where only the tensors tell of it. */
static const YvModule *
merged_conv (const YvBuilder *builder, const YvModule *module, const char *path)
{
  const YvModule *merged = yv_module_child (module, "rbr_reparam");
  const YvModule *dense = yv_module_child (module, "rbr_dense");

  if (merged)
    return merged;
  return dense && yv_builder_has_tensor (builder, path, "weight") ? yv_module_child (dense, "0")
                                                                  : NULL;
}

/* act (bn (conv3x3 (x)) + bn (conv1x1 (x)) [+ bn (x)]) */
static YvNode *
forward_repconv (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  g_autofree char *merged_path = g_strconcat (module->path, ".rbr_reparam", NULL);
  const YvModule *merged = merged_conv (builder, module, merged_path);
  YvNode *x = merged ? yv_forward_conv_at (builder, merged, merged_path, true, in[0])
                     : rep_branches (builder, module, in[0]);

  (void) n_in;
  return optional_child (builder, module, "act", x);
}

/* ---- blocks ---- */

/* cv7 (cat [cv6 (cv5 (pyramid (cv4 (cv3 (cv1 (x)))))), cv2 (x)]) */
static YvNode *
forward_sppcspc (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *a = child (builder, module, "cv1", in[0]);

  (void) n_in;
  a = child (builder, module, "cv4", child (builder, module, "cv3", a));
  a = child (builder, module, "cv5", pool_pyramid (builder, module, a));
  a = child (builder, module, "cv6", a);

  YvNode *b = child (builder, module, "cv2", in[0]);
  return child (builder, module, "cv7", concat_two (builder, module, a, b));
}

/* cv2 (pyramid (cv1 (x))) */
static YvNode *
forward_spp (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *a = child (builder, module, "cv1", in[0]);

  (void) n_in;
  return child (builder, module, "cv2", pool_pyramid (builder, module, a));
}

/* cat [cv2 (cv1 (x)), cv3 (pool (x))] */
static YvNode *
forward_downc (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *a = child (builder, module, "cv2", child (builder, module, "cv1", in[0]));
  YvNode *b = child (builder, module, "cv3", pool (builder, module, in[0]));

  (void) n_in;
  return concat_two (builder, module, a, b);
}

/* a = cv1 (x); cv4 (cat [cv3 (cv2 (a)), pool (a)]) */
static YvNode *
forward_stem (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *a = child (builder, module, "cv1", in[0]);
  YvNode *b = child (builder, module, "cv3", child (builder, module, "cv2", a));

  (void) n_in;
  return child (builder, module, "cv4", concat_two (builder, module, b, pool (builder, module, a)));
}

/* Sums of random blocks in a row would double with each block; training keeps them small, too. */
#define RANDOM_RESIDUAL 0.2

static void
damp_random (const YvBuilder *builder, const YvNode *y)
{
  const YvNode *bn = y->op == YV_OP_ACT ? yv_graph_node (builder->graph, y->inputs[0]) : y;

  if (builder->model->tensors || bn->op != YV_OP_AFFINE)
    return;
  for (uint32_t c = 0; c < bn->c_out; c++) {
    bn->affine.scale[c] *= RANDOM_RESIDUAL;
    bn->affine.shift[c] *= RANDOM_RESIDUAL;
  }
}

/* x + y, or y alone where the block has no shortcut. */
static YvNode *
residual (YvBuilder *builder, const YvModule *module, YvNode *x, YvNode *y)
{
  if (!y || yv_builder_number (builder, module, "add", 0, 0, 0, 1) == 0)
    return y;
  damp_random (builder, y);
  return yv_builder_sum (builder, module, (YvNode *[]){x, y}, 2);
}

static YvNode *
forward_bottleneck (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *y = child (builder, module, "cv2", child (builder, module, "cv1", in[0]));

  (void) n_in;
  return residual (builder, module, in[0], y);
}

static YvNode *
forward_res (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *y = child (builder, module, "cv2", child (builder, module, "cv1", in[0]));

  (void) n_in;
  return residual (builder, module, in[0], child (builder, module, "cv3", y));
}

/* cv3 (cat [m (cv1 (x)), cv2 (x)]) */
static YvNode *
forward_csp_a (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *a = child (builder, module, "m", child (builder, module, "cv1", in[0]));
  YvNode *b = child (builder, module, "cv2", in[0]);

  (void) n_in;
  return child (builder, module, "cv3", concat_two (builder, module, a, b));
}

/* t = cv1 (x); cv3 (cat [m (t), cv2 (t)]) */
static YvNode *
forward_csp_b (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *t = child (builder, module, "cv1", in[0]);
  YvNode *a = child (builder, module, "m", t);
  YvNode *b = child (builder, module, "cv2", t);

  (void) n_in;
  return child (builder, module, "cv3", concat_two (builder, module, a, b));
}

/* cv4 (cat [cv3 (m (cv1 (x))), cv2 (x)]) */
static YvNode *
forward_csp_c (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  YvNode *a = child (builder, module, "m", child (builder, module, "cv1", in[0]));
  YvNode *b = child (builder, module, "cv2", in[0]);

  (void) n_in;
  a = child (builder, module, "cv3", a);
  return child (builder, module, "cv4", concat_two (builder, module, a, b));
}

/* ---- the table ---- */

typedef struct {
  const char *class_name;
  uint32_t min_inputs, max_inputs;
  YvForward forward;
} ForwardRow;

static const ForwardRow forward_table[] = {
    {"Conv", 1, 1, forward_conv},
    {"DWConv", 1, 1, forward_conv},
    {"RepConv", 1, 1, forward_repconv},
    {"MP", 1, 1, forward_pool},
    {"SP", 1, 1, forward_pool},
    {"Concat", 1, UINT32_MAX, forward_concat},
    {"Shortcut", 2, 2, forward_shortcut},
    {"ReOrg", 1, 1, forward_reorg},
    {"SPPCSPC", 1, 1, forward_sppcspc},
    {"SPP", 1, 1, forward_spp},
    {"DownC", 1, 1, forward_downc},
    {"Stem", 1, 1, forward_stem},
    {"Bottleneck", 1, 1, forward_bottleneck},
    {"Res", 1, 1, forward_res},
    {"ResX", 1, 1, forward_res},
    {"BottleneckCSPA", 1, 1, forward_csp_a},
    {"BottleneckCSPB", 1, 1, forward_csp_b},
    {"BottleneckCSPC", 1, 1, forward_csp_c},
    {"ResCSPA", 1, 1, forward_csp_a},
    {"ResCSPB", 1, 1, forward_csp_b},
    {"ResCSPC", 1, 1, forward_csp_c},
    {"ResXCSPA", 1, 1, forward_csp_a},
    {"ResXCSPB", 1, 1, forward_csp_b},
    {"ResXCSPC", 1, 1, forward_csp_c},
    {"Sequential", 1, 1, forward_sequential},
    {"Detect", 1, YV_MAX_LEVELS, yv_forward_detect},
    {"IDetect", 1, YV_MAX_LEVELS, yv_forward_detect},
    {"IAuxDetect", 2, 2 * YV_MAX_LEVELS, yv_forward_detect},
    {"Conv2d", 1, 1, yv_forward_conv2d},
    {"BatchNorm2d", 1, 1, yv_forward_batchnorm},
    {"MaxPool2d", 1, 1, yv_forward_maxpool},
    {"Upsample", 1, 1, yv_forward_upsample},
    {"SiLU", 1, 1, yv_forward_activation},
    {"LeakyReLU", 1, 1, yv_forward_activation},
    {"ReLU", 1, 1, yv_forward_activation},
    {"ReLU6", 1, 1, yv_forward_activation},
    {"Hardswish", 1, 1, yv_forward_activation},
    {"Mish", 1, 1, yv_forward_activation},
    {"Sigmoid", 1, 1, yv_forward_activation},
    {"Identity", 1, 1, yv_forward_activation},
};

static const ForwardRow *
find_row (const YvModule *module)
{
  for (size_t i = 0; i < G_N_ELEMENTS (forward_table); i++)
    if (yv_module_is (module, forward_table[i].class_name))
      return &forward_table[i];
  return NULL;
}

/* Inputs are values that a layer may read: not those of a detection head. */
static bool
inputs_are_values (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  for (uint32_t i = 0; i < n_in; i++) {
    if (!in[i])
      return false;
    if (in[i]->op == YV_OP_DETECT) {
      yv_builder_fail (builder, module, YV_ERROR_UNSUPPORTED, "reads a detection head");
      return false;
    }
  }
  return true;
}

YvNode *
yv_forward (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  const ForwardRow *row = find_row (module);

  if (builder->error || !inputs_are_values (builder, module, in, n_in))
    return NULL;
  if (!row)
    return yv_builder_fail (builder, module, YV_ERROR_UNSUPPORTED,
                            "unsupported module %s at row %u", module->class_name, builder->row);
  if (n_in < row->min_inputs || n_in > row->max_inputs)
    return yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has %u inputs, expected %u to %u",
                            n_in, row->min_inputs, row->max_inputs);
  return row->forward (builder, module, in, n_in);
}
