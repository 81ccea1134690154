/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/leaf.c - forward rules of the modules of PyTorch that YOLOv7 is made of. */
#include <math.h>

#include "engine/graph/forward.h"
#include "engine/graph/random.h"

/* Of random models: the spread of the shifts of a batch-norm, which keeps the values of later
 * layers from dying out (see RANDOM_GAIN in weight.c). */
#define RANDOM_SHIFT 0.4

static void
fill_random_bias (YvBuilder *builder, const char *path, YvWeight *weight)
{
  g_autofree char *name = g_strconcat (path, ".bias", NULL);
  uint64_t state = yv_random_seed (builder->seed, name);

  for (uint32_t o = 0; o < weight->c_out; o++)
    weight->bias[o] = 0.1 * yv_random_normal (&state);
  weight->has_bias = true;
}

/* Weights and bias of @weight, from tensors or made up. */
static bool
fill_weight (YvBuilder *builder, const YvModule *module, const char *path, bool random_bias,
             YvWeight *weight)
{
  if (!builder->model->tensors) {
    yv_weight_add_random (weight, yv_random_seed (builder->seed, path));
    if (random_bias)
      fill_random_bias (builder, path, weight);
    return true;
  }

  const uint64_t shape[] = {weight->c_out, weight->c_in / weight->groups, weight->kernel_h,
                            weight->kernel_w};
  const YvTensor *tensor =
      yv_builder_tensor (builder, module, path, "weight", G_N_ELEMENTS (shape), shape);
  if (!tensor)
    return false;
  yv_weight_add_tensor (weight, tensor);
  if (!yv_builder_has_tensor (builder, path, "bias"))
    return true;

  double *bias = yv_builder_vector (builder, module, path, "bias", weight->c_out);
  if (!bias)
    return false;
  g_free (weight->bias);
  weight->bias = bias;
  weight->has_bias = true;
  return true;
}

/* An empty weight of the size that a Conv2d says; NULL after a failure. */
static YvWeight *
new_weight (YvBuilder *builder, const YvModule *module)
{
  const uint32_t c_in =
      yv_builder_number (builder, module, "in_channels", 0, NAN, 1, YV_MAX_CHANNELS);
  const uint32_t c_out =
      yv_builder_number (builder, module, "out_channels", 0, NAN, 1, YV_MAX_CHANNELS);
  const uint32_t groups = yv_builder_number (builder, module, "groups", 0, 1, 1, YV_MAX_CHANNELS);
  const uint32_t kernel_h =
      yv_builder_number (builder, module, "kernel_size", 0, NAN, 1, YV_MAX_KERNEL);
  const uint32_t kernel_w =
      yv_builder_number (builder, module, "kernel_size", 1, NAN, 1, YV_MAX_KERNEL);

  if (c_in % groups != 0 || c_out % groups != 0)
    yv_builder_fail (builder, module, YV_ERROR_MALFORMED,
                     "%u input and %u output channels can't be split into %u groups", c_in, c_out,
                     groups);
  if (builder->error)
    return NULL;
  return yv_weight_new (c_out, c_in, groups, kernel_h, kernel_w);
}

YvNode *
yv_forward_conv_at (YvBuilder *builder, const YvModule *module, const char *path, bool random_bias,
                    YvNode *x)
{
  const uint32_t stride_h = yv_builder_number (builder, module, "stride", 0, 1, 1, YV_MAX_KERNEL);
  const uint32_t stride_w = yv_builder_number (builder, module, "stride", 1, 1, stride_h, stride_h);
  const uint32_t pad_h = yv_builder_number (builder, module, "padding", 0, 0, 0, YV_MAX_KERNEL);
  const uint32_t pad_w = yv_builder_number (builder, module, "padding", 1, 0, 0, YV_MAX_KERNEL);
  yv_builder_number (builder, module, "dilation", 0, 1, 1, 1);
  yv_builder_number (builder, module, "dilation", 1, 1, 1, 1);
  g_autoptr (YvWeight) weight = new_weight (builder, module);

  if (!weight || !x || !fill_weight (builder, module, path, random_bias, weight))
    return NULL;
  if (weight->c_in != x->c_out)
    return yv_builder_fail (builder, module, YV_ERROR_MALFORMED,
                            "takes %u channels, but its input \"%s\" has %u", weight->c_in, x->name,
                            x->c_out);

  YvNode *node = yv_builder_add (builder, module, YV_OP_CONV, path, &x, 1, weight->c_out, stride_h);
  if (!node)
    return NULL;
  node->conv.stride_h = stride_h;
  node->conv.stride_w = stride_w;
  node->conv.pad_h = pad_h;
  node->conv.pad_w = pad_w;
  node->conv.weight = g_steal_pointer (&weight);
  return node;
}

/* On its own, as a row `nn.Conv2d`, it has a bias, as PyTorch makes it. */
YvNode *
yv_forward_conv2d (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  (void) n_in;
  return yv_forward_conv_at (builder, module, module->path, true, in[0]);
}

/* y = gamma (x - mean) / sqrt (var + eps) + beta (spec 1.5) */
static bool
read_batchnorm (YvBuilder *builder, const YvModule *module, YvNode *node)
{
  const char *path = module->path;
  const uint32_t c = node->c_out;
  const double eps = yv_module_number (module, "eps", 0, 1e-3);
  g_autofree double *gamma = yv_builder_vector (builder, module, path, "weight", c);
  g_autofree double *beta = yv_builder_vector (builder, module, path, "bias", c);
  g_autofree double *mean = yv_builder_vector (builder, module, path, "running_mean", c);
  g_autofree double *var = yv_builder_vector (builder, module, path, "running_var", c);

  if (!gamma || !beta || !mean || !var)
    return false;
  for (uint32_t o = 0; o < c; o++) {
    if (!(var[o] + eps > 0)) {
      yv_builder_fail (builder, module, YV_ERROR_MALFORMED,
                       "running_var[%u] is %g and eps %g, expected a sum above 0", o, var[o], eps);
      return false;
    }
    node->affine.scale[o] = gamma[o] / sqrt (var[o] + eps);
    node->affine.shift[o] = beta[o] - mean[o] * node->affine.scale[o];
  }
  return true;
}

/* Near the identity, but never it, so that a pass which forgets it changes the output. */
static void
make_up_batchnorm (const YvBuilder *builder, const YvModule *module, YvNode *node)
{
  uint64_t state = yv_random_seed (builder->seed, module->path);

  for (uint32_t o = 0; o < node->c_out; o++) {
    node->affine.scale[o] = 1 + 0.05 * yv_random_normal (&state);
    node->affine.shift[o] = RANDOM_SHIFT * yv_random_normal (&state);
  }
}

YvNode *
yv_forward_batchnorm (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  (void) n_in;
  YvNode *node = yv_builder_add (builder, module, YV_OP_AFFINE, module->path, in, 1,
                                 in[0] ? in[0]->c_out : 0, 1);

  if (!node)
    return NULL;
  node->affine.role = YV_AFFINE_BATCHNORM;
  node->affine.n_params = 2 * node->c_out;
  node->affine.scale = g_new0 (double, node->c_out);
  node->affine.shift = g_new0 (double, node->c_out);
  builder->n_batchnorms++;
  if (!builder->model->tensors)
    make_up_batchnorm (builder, module, node);
  else if (!read_batchnorm (builder, module, node))
    return NULL;
  return node;
}

YvNode *
yv_forward_batchnorm_if_any (YvBuilder *builder, const YvModule *module, YvNode *conv)
{
  if (!module)
    return conv;
  if (conv && conv->conv.weight->has_bias &&
      !yv_builder_has_tensor (builder, module->path, "running_mean")) {
    builder->n_missing_batchnorms++;
    return conv;
  }
  return yv_forward_batchnorm (builder, module, &conv, 1);
}

static const struct {
  const char *class_name;
  YvActKind kind;
} activations[] = {
    {"SiLU", YV_ACT_SILU},       {"LeakyReLU", YV_ACT_LEAKY_RELU}, {"ReLU", YV_ACT_RELU},
    {"ReLU6", YV_ACT_RELU6},     {"Hardswish", YV_ACT_HARDSWISH},  {"Mish", YV_ACT_MISH},
    {"Sigmoid", YV_ACT_SIGMOID}, {"Identity", YV_ACT_NONE},
};

static YvActKind
find_activation (const YvModule *module)
{
  for (size_t i = 0; i < G_N_ELEMENTS (activations); i++)
    if (yv_module_is (module, activations[i].class_name))
      return activations[i].kind;
  g_assert_not_reached (); /* forward.c calls with these classes only */
}

YvNode *
yv_forward_activation (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  const YvAct act = {
      .kind = find_activation (module),
      .slope = (float) yv_module_number (module, "negative_slope", 0, 0.01), /* PyTorch's */
  };

  (void) n_in;
  if (!in[0] || act.kind == YV_ACT_NONE)
    return in[0];
  if (!isfinite (act.slope))
    return yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "negative_slope is not finite");

  YvNode *node = yv_builder_add (builder, module, YV_OP_ACT, module->path, in, 1, in[0]->c_out, 1);
  if (node)
    node->act = act;
  return node;
}

YvNode *
yv_forward_maxpool (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  const uint32_t kernel =
      yv_builder_number (builder, module, "kernel_size", 0, NAN, 1, YV_MAX_KERNEL);
  const uint32_t stride =
      yv_builder_number (builder, module, "stride", 0, kernel, 1, YV_MAX_KERNEL);
  const uint32_t pad = yv_builder_number (builder, module, "padding", 0, 0, 0, kernel / 2);

  (void) n_in;
  yv_builder_number (builder, module, "kernel_size", 1, kernel, kernel, kernel);
  yv_builder_number (builder, module, "stride", 1, stride, stride, stride);
  yv_builder_number (builder, module, "padding", 1, pad, pad, pad);
  yv_builder_number (builder, module, "dilation", 0, 1, 1, 1);
  yv_builder_number (builder, module, "ceil_mode", 0, 0, 0, 0);

  YvNode *node = yv_builder_add (builder, module, YV_OP_MAXPOOL, module->path, in, 1,
                                 in[0] ? in[0]->c_out : 0, stride);
  if (!node)
    return NULL;
  node->maxpool.kernel = kernel;
  node->maxpool.stride = stride;
  node->maxpool.pad = pad;
  return node;
}

YvNode *
yv_forward_upsample (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  const uint32_t factor =
      yv_builder_number (builder, module, "scale_factor", 0, NAN, 1, YV_MAX_UPSAMPLE);

  (void) n_in;
  yv_builder_number (builder, module, "scale_factor", 1, factor, factor, factor);

  YvNode *node = yv_builder_add (builder, module, YV_OP_UPSAMPLE, module->path, in, 1,
                                 in[0] ? in[0]->c_out : 0, 1.0 / factor);
  if (node)
    node->upsample.factor = factor;
  return node;
}
