/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/tensorspec.c - the tensors of PyTorch's and YOLOv7's leaf modules. */
#include "engine/model/tensorspec.h"

static uint64_t
size_of (const YvModule *module, const char *key, uint32_t index)
{
  return (uint64_t) yv_module_number (module, key, index, 1);
}

static uint32_t
conv2d_specs (const YvModule *conv, YvTensorSpec *specs)
{
  const uint64_t c_out = size_of (conv, "out_channels", 0);
  const uint64_t c_in = size_of (conv, "in_channels", 0) / size_of (conv, "groups", 0);

  specs[0] = (YvTensorSpec){
      .name = "weight",
      .n_dims = 4,
      .shape = {c_out, c_in, size_of (conv, "kernel_size", 0), size_of (conv, "kernel_size", 1)},
      .is_trained = true,
  };
  specs[1] = (YvTensorSpec){.name = "bias", .n_dims = 1, .shape = {c_out}, .is_trained = true};
  return yv_module_number (conv, "bias", 0, 0) != 0 ? 2 : 1;
}

static uint32_t
batchnorm_specs (const YvModule *bn, YvTensorSpec *specs)
{
  static const YvTensorSpec all[] = {
      {.name = "weight", .n_dims = 1, .is_trained = true},
      {.name = "bias", .n_dims = 1, .is_trained = true},
      {.name = "running_mean", .n_dims = 1},
      {.name = "running_var", .n_dims = 1, .is_non_negative = true},
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    specs[i] = all[i];
    specs[i].shape[0] = size_of (bn, "num_features", 0);
  }
  return G_N_ELEMENTS (all);
}

uint32_t
yv_module_tensor_specs (const YvModule *module, YvTensorSpec *specs)
{
  if (yv_module_is (module, "Conv2d"))
    return conv2d_specs (module, specs);
  if (yv_module_is (module, "BatchNorm2d"))
    return batchnorm_specs (module, specs);
  if (!yv_module_is (module, "ImplicitA") && !yv_module_is (module, "ImplicitM"))
    return 0;
  specs[0] = (YvTensorSpec){
      .name = "implicit",
      .n_dims = 4,
      .shape = {1, size_of (module, "channel", 0), 1, 1},
      .is_trained = true,
  };
  return 1;
}

static uint64_t
n_own_params (const YvModule *module)
{
  YvTensorSpec specs[YV_MAX_TENSOR_SPECS];
  const uint32_t n_specs = yv_module_tensor_specs (module, specs);
  uint64_t sum = 0;

  for (uint32_t i = 0; i < n_specs; i++) {
    uint64_t n_elems = specs[i].is_trained ? 1 : 0;
    for (uint32_t dim = 0; dim < specs[i].n_dims; dim++)
      n_elems *= specs[i].shape[dim];
    sum += n_elems;
  }
  return sum;
}

uint64_t
yv_module_n_params (const YvModule *module)
{
  uint64_t sum = n_own_params (module);

  for (guint i = 0; i < module->children->len; i++)
    sum += yv_module_n_params (g_ptr_array_index (module->children, i));
  return sum;
}
