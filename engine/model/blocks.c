/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/blocks.c - the constructors of spec 1.4. */
#include "engine/model/blocks.h"

#include "engine/model/expand.h"

static YvModule *
new_at (YvPlace place, const char *class_name)
{
  return yv_module_new (class_name, place.parent_path, place.name);
}

static YvPlace
under (const YvModule *parent, const char *name)
{
  return (YvPlace){parent->path, name};
}

static void
set_pair (YvModule *module, const char *key, uint32_t first, uint32_t second)
{
  yv_module_set_many (module, key, (const double[]){first, second}, 2);
}

static uint32_t
padding_of (const YvConvShape *shape, int axis)
{
  return shape->pad[axis] == YV_AUTOPAD ? shape->kernel[axis] / 2 : shape->pad[axis];
}

YvModule *
yv_block_conv2d (YvPlace place, const YvConvShape *shape, bool has_bias)
{
  YvModule *module = new_at (place, "Conv2d");

  yv_module_set (module, "in_channels", shape->c1);
  yv_module_set (module, "out_channels", shape->c2);
  set_pair (module, "kernel_size", shape->kernel[0], shape->kernel[1]);
  set_pair (module, "stride", shape->stride[0], shape->stride[1]);
  set_pair (module, "padding", padding_of (shape, 0), padding_of (shape, 1));
  yv_module_set (module, "groups", shape->groups);
  yv_module_set (module, "bias", has_bias);
  return module;
}

static YvModule *
new_batchnorm (YvPlace place, uint32_t channels)
{
  YvModule *module = new_at (place, "BatchNorm2d");

  yv_module_set (module, "num_features", channels);
  yv_module_set (module, "eps", YV_BATCHNORM_EPS);
  return module;
}

static YvModule *
new_activation (YvPlace place, const YvArg *act)
{
  if (act->kind == YV_ARG_BOOL && act->number != 0)
    return new_at (place, "SiLU");
  if (act->kind != YV_ARG_ACTIVATION)
    return new_at (place, "Identity");

  YvModule *module = new_at (place, act->text);
  if (yv_module_is (module, "LeakyReLU"))
    yv_module_set (module, "negative_slope", act->number);
  return module;
}

YvModule *
yv_block_maxpool (YvPlace place, uint32_t kernel, uint32_t stride, uint32_t pad)
{
  YvModule *module = new_at (place, "MaxPool2d");

  yv_module_set (module, "kernel_size", kernel);
  yv_module_set (module, "stride", stride);
  yv_module_set (module, "padding", pad);
  return module;
}

YvModule *
yv_block_conv (YvPlace place, const YvConvShape *shape, const YvArg *act)
{
  YvModule *module = new_at (place, "Conv");

  yv_module_add (module, yv_block_conv2d (under (module, "conv"), shape, false));
  yv_module_add (module, new_batchnorm (under (module, "bn"), shape->c2));
  yv_module_add (module, new_activation (under (module, "act"), act));
  return module;
}

/* A Sequential of a convolution and its batch-norm. */
static void
add_branch (YvModule *repconv, const char *name, const YvConvShape *shape)
{
  YvModule *branch = yv_module_new ("Sequential", repconv->path, name);

  yv_module_add (branch, yv_block_conv2d (under (branch, "0"), shape, false));
  yv_module_add (branch, new_batchnorm (under (branch, "1"), shape->c2));
  yv_module_add (repconv, branch);
}

YvModule *
yv_block_repconv (YvPlace place, const YvConvShape *shape, const YvArg *act)
{
  YvModule *module = new_at (place, "RepConv");
  YvConvShape pointwise = *shape;

  for (int axis = 0; axis < 2; axis++) {
    pointwise.pad[axis] = padding_of (shape, axis) - shape->kernel[axis] / 2;
    pointwise.kernel[axis] = 1;
  }
  yv_module_add (module, new_activation (under (module, "act"), act));
  if (shape->c1 == shape->c2 && shape->stride[0] == 1 && shape->stride[1] == 1)
    yv_module_add (module, new_batchnorm (under (module, "rbr_identity"), shape->c1));
  add_branch (module, "rbr_dense", shape);
  add_branch (module, "rbr_1x1", &pointwise);
  return module;
}

void
yv_block_add_conv (YvModule *module, const char *name, uint32_t c1, uint32_t c2, uint32_t kernel,
                   uint32_t stride, uint32_t groups)
{
  const YvArg silu = {.kind = YV_ARG_BOOL, .number = 1};
  const YvConvShape shape = {
      .c1 = c1,
      .c2 = c2,
      .kernel = {kernel, kernel},
      .stride = {stride, stride},
      .pad = {YV_AUTOPAD, YV_AUTOPAD},
      .groups = groups,
  };

  yv_module_add (module, yv_block_conv (under (module, name), &shape, &silu));
}

static void
add_pools (YvModule *module, const YvPools *pools)
{
  YvModule *list = yv_module_add (module, yv_module_new ("ModuleList", module->path, "m"));

  for (uint32_t i = 0; i < pools->n; i++) {
    const uint32_t kernel = pools->kernel[i];
    g_autofree char *name = g_strdup_printf ("%u", i);
    yv_module_add (list, yv_block_maxpool (under (list, name), kernel, 1, kernel / 2));
  }
}

static uint32_t
hidden_channels (const YvBlockShape *shape)
{
  return (uint32_t) (shape->c2 * shape->expansion);
}

YvModule *
yv_block_bottleneck (YvPlace place, const YvBlockShape *shape)
{
  YvModule *module = new_at (place, "Bottleneck");
  const uint32_t hidden = hidden_channels (shape);

  yv_block_add_conv (module, "cv1", shape->c1, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv2", hidden, shape->c2, 3, 1, shape->groups);
  yv_module_set (module, "add", shape->shortcut && shape->c1 == shape->c2);
  return module;
}

YvModule *
yv_block_res (YvPlace place, const char *class_name, const YvBlockShape *shape)
{
  YvModule *module = new_at (place, class_name);
  const uint32_t hidden = hidden_channels (shape);

  yv_block_add_conv (module, "cv1", shape->c1, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv2", hidden, hidden, 3, 1, shape->groups);
  yv_block_add_conv (module, "cv3", hidden, shape->c2, 1, 1, 1);
  yv_module_set (module, "add", shape->shortcut && shape->c1 == shape->c2);
  return module;
}

/* The Sequential "m" of a CSP block. */
static void
add_inner_blocks (YvModule *csp, const YvCspKind *kind, const YvBlockShape *shape, uint32_t hidden)
{
  YvModule *blocks = yv_module_add (csp, yv_module_new ("Sequential", csp->path, "m"));
  YvBlockShape inner = *shape;

  inner.c1 = inner.c2 = hidden;
  inner.expansion = kind->inner_expansion;
  for (uint32_t i = 0; i < shape->n; i++) {
    g_autofree char *name = g_strdup_printf ("%u", i);
    const YvPlace place = under (blocks, name);
    yv_module_add (blocks, kind->of_res ? yv_block_res (place, "Res", &inner)
                                        : yv_block_bottleneck (place, &inner));
  }
}

YvModule *
yv_block_csp (YvPlace place, const YvCspKind *kind, const YvBlockShape *shape)
{
  YvModule *module = new_at (place, kind->class_name);
  const uint32_t c1 = shape->c1;
  const uint32_t c2 = shape->c2;
  const uint32_t hidden = kind->wiring == YV_CSP_B ? c2 : hidden_channels (shape);

  yv_block_add_conv (module, "cv1", c1, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv2", kind->wiring == YV_CSP_B ? hidden : c1, hidden, 1, 1, 1);
  if (kind->wiring == YV_CSP_C)
    yv_block_add_conv (module, "cv3", hidden, hidden, 1, 1, 1);
  yv_block_add_conv (module, kind->wiring == YV_CSP_C ? "cv4" : "cv3", 2 * hidden, c2, 1, 1, 1);
  add_inner_blocks (module, kind, shape, hidden);
  return module;
}

YvModule *
yv_block_sppcspc (YvPlace place, const YvBlockShape *shape, const YvPools *pools)
{
  YvModule *module = new_at (place, "SPPCSPC");
  const uint32_t hidden = (uint32_t) (2 * shape->c2 * shape->expansion);
  const uint32_t n_parts = pools->n + 1;

  yv_block_add_conv (module, "cv1", shape->c1, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv2", shape->c1, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv3", hidden, hidden, 3, 1, 1);
  yv_block_add_conv (module, "cv4", hidden, hidden, 1, 1, 1);
  add_pools (module, pools);
  yv_block_add_conv (module, "cv5", n_parts * hidden, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv6", hidden, hidden, 3, 1, 1);
  yv_block_add_conv (module, "cv7", 2 * hidden, shape->c2, 1, 1, 1);
  return module;
}

YvModule *
yv_block_spp (YvPlace place, uint32_t c1, uint32_t c2, const YvPools *pools)
{
  YvModule *module = new_at (place, "SPP");
  const uint32_t hidden = c1 / 2;

  yv_block_add_conv (module, "cv1", c1, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv2", (pools->n + 1) * hidden, c2, 1, 1, 1);
  add_pools (module, pools);
  return module;
}

YvModule *
yv_block_downc (YvPlace place, uint32_t c1, uint32_t c2, uint32_t kernel)
{
  YvModule *module = new_at (place, "DownC");

  yv_block_add_conv (module, "cv1", c1, c1, 1, 1, 1);
  yv_block_add_conv (module, "cv2", c1, c2 / 2, 3, kernel, 1);
  yv_block_add_conv (module, "cv3", c1, c2 / 2, 1, 1, 1);
  yv_module_add (module, yv_block_maxpool (under (module, "mp"), kernel, kernel, 0));
  return module;
}

YvModule *
yv_block_stem (YvPlace place, uint32_t c1, uint32_t c2)
{
  YvModule *module = new_at (place, "Stem");
  const uint32_t hidden = c2 / 2;

  yv_block_add_conv (module, "cv1", c1, hidden, 3, 2, 1);
  yv_block_add_conv (module, "cv2", hidden, hidden, 1, 1, 1);
  yv_block_add_conv (module, "cv3", hidden, hidden, 3, 2, 1);
  yv_module_add (module, yv_block_maxpool (under (module, "pool"), 2, 2, 0));
  yv_block_add_conv (module, "cv4", 2 * hidden, c2, 1, 1, 1);
  return module;
}

/* A ModuleList of 1x1 convolutions with bias, one a level. */
static void
add_head_convs (YvModule *head, const char *name, const uint32_t *c_in, uint32_t n_in,
                uint32_t c_out)
{
  YvModule *list = yv_module_add (head, yv_module_new ("ModuleList", head->path, name));

  for (uint32_t i = 0; i < n_in; i++) {
    g_autofree char *level = g_strdup_printf ("%u", i);
    const YvConvShape shape = {
        .c1 = c_in[i], .c2 = c_out, .kernel = {1, 1}, .stride = {1, 1}, .groups = 1};
    yv_module_add (list, yv_block_conv2d (under (list, level), &shape, true));
  }
}

/* A ModuleList of ImplicitA or ImplicitM; @key: the number of each convolution that it matches. */
static void
add_implicit_list (YvModule *head, const char *name, const char *class_name, const char *key)
{
  const YvModule *convs = yv_module_child (head, "m");
  YvModule *list = yv_module_add (head, yv_module_new ("ModuleList", head->path, name));

  for (guint i = 0; i < convs->children->len; i++) {
    const YvModule *conv = g_ptr_array_index (convs->children, i);
    YvModule *implicit = yv_module_new (class_name, list->path, conv->name);
    yv_module_set (implicit, "channel", yv_module_number (conv, key, 0, 0));
    yv_module_add (list, implicit);
  }
}

void
yv_block_add_implicits (YvModule *head)
{
  add_implicit_list (head, "ia", "ImplicitA", "in_channels");
  add_implicit_list (head, "im", "ImplicitM", "out_channels");
}

YvModule *
yv_block_head (YvPlace place, const YvHeadShape *shape)
{
  YvModule *head = new_at (place, shape->class_name);
  const bool has_aux = yv_module_is (head, "IAuxDetect");
  const uint32_t n_levels = has_aux ? shape->n_in / 2 : shape->n_in;
  const uint32_t c_out = shape->n_anchors * (5 + shape->n_classes);

  add_head_convs (head, "m", shape->c_in, n_levels, c_out);
  if (has_aux)
    add_head_convs (head, "m2", shape->c_in + n_levels, n_levels, c_out);
  if (!yv_module_is (head, "Detect"))
    yv_block_add_implicits (head);
  yv_module_set (head, "nc", shape->n_classes);
  yv_module_set (head, "na", shape->n_anchors);
  yv_module_set (head, "nl", n_levels);
  return head;
}
