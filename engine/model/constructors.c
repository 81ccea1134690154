/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/constructors.c - how the arguments of each module are called and read, and which
 * block it makes (spec 1.4). */
#include "engine/model/constructors.h"

#include <math.h>
#include <string.h>

static uint32_t
greatest_common_divisor (uint32_t a, uint32_t b)
{
  while (b) {
    const uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static YvConvShape
conv_shape (const YvCall *call, const YvValue *kernel, const YvValue *stride)
{
  return (YvConvShape){
      .c1 = call->c1,
      .c2 = call->c2,
      .kernel = {kernel->pair[0], kernel->pair[1]},
      .stride = {stride->pair[0], stride->pair[1]},
      .pad = {YV_AUTOPAD, YV_AUTOPAD},
      .groups = 1,
  };
}

static YvModule *
make_conv (const YvCall *call)
{
  YvConvShape shape = conv_shape (call, &call->values[0], &call->values[1]);

  memcpy (shape.pad, call->values[2].pair, sizeof shape.pad);
  shape.groups = (uint32_t) call->values[3].number;
  return yv_block_conv (call->place, &shape, call->values[4].arg);
}

static YvModule *
make_conv2d (const YvCall *call)
{
  YvConvShape shape = conv_shape (call, &call->values[0], &call->values[1]);

  memcpy (shape.pad, call->values[2].pair, sizeof shape.pad);
  shape.groups = (uint32_t) call->values[4].number;
  return yv_block_conv2d (call->place, &shape, call->values[5].number != 0);
}

static YvModule *
make_depthwise_conv (const YvCall *call)
{
  YvConvShape shape = conv_shape (call, &call->values[0], &call->values[1]);

  shape.groups = greatest_common_divisor (call->c1, call->c2);
  return yv_block_conv (call->place, &shape, call->values[2].arg);
}

static YvModule *
make_repconv (const YvCall *call)
{
  const YvValue kernel = {.pair = {3, 3}};
  YvConvShape shape = conv_shape (call, &kernel, &call->values[1]);

  shape.groups = (uint32_t) call->values[3].number;
  return yv_block_repconv (call->place, &shape, call->values[4].arg);
}

static YvBlockShape
block_shape (const YvCall *call)
{
  return (YvBlockShape){
      .c1 = call->c1,
      .c2 = call->c2,
      .n = call->n,
      .shortcut = call->values[0].number != 0,
      .groups = (uint32_t) call->values[1].number,
      .expansion = call->values[2].number,
  };
}

static YvModule *
make_bottleneck (const YvCall *call)
{
  const YvBlockShape shape = block_shape (call);

  return yv_block_bottleneck (call->place, &shape);
}

static YvModule *
make_res (const YvCall *call)
{
  const YvBlockShape shape = block_shape (call);

  return yv_block_res (call->place, call->row->module, &shape);
}

static YvModule *
make_csp (const YvCall *call)
{
  static const YvCspKind kinds[] = {
      {"BottleneckCSPA", YV_CSP_A, false, 1.0}, {"BottleneckCSPB", YV_CSP_B, false, 1.0},
      {"BottleneckCSPC", YV_CSP_C, false, 1.0}, {"ResCSPA", YV_CSP_A, true, 0.5},
      {"ResXCSPA", YV_CSP_A, true, 1.0},        {"ResCSPB", YV_CSP_B, true, 0.5},
      {"ResCSPC", YV_CSP_C, true, 0.5},         {"ResXCSPB", YV_CSP_B, true, 1.0},
      {"ResXCSPC", YV_CSP_C, true, 1.0},
  };
  const YvBlockShape shape = block_shape (call);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].class_name, call->row->module))
      return yv_block_csp (call->place, &kinds[i], &shape);
  g_assert_not_reached ();
}

static YvModule *
make_sppcspc (const YvCall *call)
{
  const YvBlockShape shape = block_shape (call);

  return yv_block_sppcspc (call->place, &shape, &call->values[3].pools);
}

static YvModule *
make_spp (const YvCall *call)
{
  return yv_block_spp (call->place, call->c1, call->c2, &call->values[0].pools);
}

static YvModule *
make_downc (const YvCall *call)
{
  return yv_block_downc (call->place, call->c1, call->c2, (uint32_t) call->values[0].number);
}

static YvModule *
make_stem (const YvCall *call)
{
  return yv_block_stem (call->place, call->c1, call->c2);
}

static YvModule *
make_pool (const YvCall *call, uint32_t stride, uint32_t pad)
{
  YvModule *module = yv_module_new (call->row->module, call->place.parent_path, call->place.name);
  const YvPlace place = {module->path, "m"};

  yv_module_add (module, yv_block_maxpool (place, (uint32_t) call->values[0].number, stride, pad));
  return module;
}

static YvModule *
make_mp (const YvCall *call)
{
  return make_pool (call, (uint32_t) call->values[0].number, 0);
}

static YvModule *
make_sp (const YvCall *call)
{
  return make_pool (call, (uint32_t) call->values[1].number, (uint32_t) call->values[0].number / 2);
}

static YvModule *
make_plain (const YvCall *call)
{
  return yv_module_new (call->row->module, call->place.parent_path, call->place.name);
}

static YvModule *
make_concat (const YvCall *call)
{
  YvModule *module = make_plain (call);

  yv_module_set (module, "d", call->values[0].number);
  return module;
}

static YvModule *
make_upsample (const YvCall *call)
{
  YvModule *module = yv_module_new ("Upsample", call->place.parent_path, call->place.name);

  yv_module_set (module, "scale_factor", call->values[1].number);
  return module;
}

/* Anchors given only as a number k stand for 0, 1, .. 2k-1 on each level, until training or a
 * checkpoint says otherwise (spec 1.2). */
static double
anchor_value (const YvArg *anchors, uint32_t level, uint32_t index)
{
  if (anchors->kind == YV_ARG_NUMBER)
    return index;

  const YvArg *values = g_ptr_array_index (anchors->items, level);
  const YvArg *value = g_ptr_array_index (values->items, index);
  return value->number;
}

static double
anchor_area (const YvArg *anchors, uint32_t level, uint32_t n_values)
{
  return anchor_value (anchors, level, n_values - 2) * anchor_value (anchors, level, n_values - 1);
}

/* The levels of the anchors are turned round where they shrink while the strides grow, or the other
 * way (spec 3.2). */
static void
set_anchors (YvModule *head, const YvArg *anchors, const double *strides)
{
  const uint32_t n_levels = (uint32_t) yv_module_number (head, "nl", 0, 0);
  const uint32_t n_values = 2 * (uint32_t) yv_module_number (head, "na", 0, 0);
  const double growth =
      anchor_area (anchors, n_levels - 1, n_values) - anchor_area (anchors, 0, n_values);
  const bool turn = growth * (strides[n_levels - 1] - strides[0]) < 0;
  g_autofree double *values = g_new (double, n_levels *n_values);

  for (uint32_t level = 0; level < n_levels; level++)
    for (uint32_t i = 0; i < n_values; i++)
      values[level * n_values + i] = anchor_value (anchors, turn ? n_levels - 1 - level : level, i);
  yv_module_set_many (head, "anchors", values, n_levels * n_values);
  yv_module_set_many (head, "stride", strides, n_levels);
}

static YvModule *
make_head (const YvCall *call)
{
  const YvArg *anchors = call->values[1].arg;
  const YvHeadShape shape = {
      .class_name = call->row->module,
      .n_classes = (uint32_t) call->values[0].number,
      .n_anchors = (uint32_t) call->values[1].number,
      .c_in = call->row->c_in,
      .n_in = call->row->n_in,
  };
  YvModule *head = yv_block_head (call->place, &shape);

  set_anchors (head, anchors, call->row->stride_in);
  return head;
}

/* Strides. */

static double
stride_of_pair_1 (const YvCall *call)
{
  return call->values[1].pair[0];
}

static double
stride_of_number_0 (const YvCall *call)
{
  return call->values[0].number;
}

static double
stride_of_number_1 (const YvCall *call)
{
  return call->values[1].number;
}

static double
stride_of_upsample (const YvCall *call)
{
  return 1 / call->values[1].number;
}

static double
stride_of_reorg (const YvCall *call)
{
  (void) call;
  return 2;
}

static double
stride_of_stem (const YvCall *call)
{
  (void) call;
  return 4;
}

/* Only in this table, to keep a constructor to a line or two. */
#define PASSES YV_CHANNELS_PASSES
#define ADDS YV_CHANNELS_ADDS
#define SCALES YV_CHANNELS_SCALES
#define NESTS YV_CHANNELS_NESTS
#define SUMS YV_CHANNELS_SUMS
#define FOLDS YV_CHANNELS_FOLDS
#define DETECTS YV_CHANNELS_DETECTS
#define WHOLE YV_PARAM_WHOLE
#define PAIR YV_PARAM_PAIR
#define PADDING YV_PARAM_PADDING
#define SWITCH YV_PARAM_SWITCH
#define ACT YV_PARAM_ACT
#define RATIO YV_PARAM_RATIO
#define KERNELS YV_PARAM_KERNELS
#define ONE YV_PARAM_ONE
#define THREE YV_PARAM_THREE
#define NOTHING YV_PARAM_NOTHING
#define NEAREST YV_PARAM_NEAREST
#define CLASSES YV_PARAM_CLASSES
#define ANCHORS YV_PARAM_ANCHORS
#define ANYTHING YV_PARAM_ANYTHING
#define PAD_ONE YV_PARAM_PAD_ONE
/* clang-format off */
static const YvConstructor constructors[] = {
    {"Conv", SCALES, 5,
     {{"k", PAIR, 1}, {"s", PAIR, 1}, {"p", PADDING, YV_AUTOPAD}, {"g", WHOLE, 1}, {"act", ACT, 1}},
     make_conv, stride_of_pair_1},
    {"nn.Conv2d", SCALES, 6,
     {{"kernel_size", PAIR, NAN}, {"stride", PAIR, 1}, {"padding", PADDING, 0},
      {"dilation", ONE, 1}, {"groups", WHOLE, 1}, {"bias", SWITCH, 1}},
     make_conv2d, stride_of_pair_1},
    {"DWConv", SCALES, 3, {{"k", PAIR, 1}, {"s", PAIR, 1}, {"act", ACT, 1}},
     make_depthwise_conv, stride_of_pair_1},
    {"RepConv", SCALES, 5,
     {{"k", THREE, 3}, {"s", PAIR, 1}, {"p", PAD_ONE, 1}, {"g", WHOLE, 1}, {"act", ACT, 1}},
     make_repconv, stride_of_pair_1},
    {"SPPCSPC", NESTS, 4,
     {{"shortcut", SWITCH, 0}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}, {"k", KERNELS, 0}},
     make_sppcspc, NULL},
    {"SPP", SCALES, 1, {{"k", KERNELS, 0}}, make_spp, NULL},
    {"DownC", NESTS, 1, {{"k", WHOLE, 2}}, make_downc, stride_of_number_0},
    {"Stem", SCALES, 5,
     {{"k", ANYTHING, 0}, {"s", ANYTHING, 0}, {"p", ANYTHING, 0}, {"g", ANYTHING, 0},
      {"act", ANYTHING, 0}},
     make_stem, stride_of_stem},
    {"Bottleneck", SCALES, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_bottleneck, NULL},
    {"Res", SCALES, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_res, NULL},
    {"ResX", SCALES, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 32}, {"e", RATIO, 0.5}},
     make_res, NULL},
    {"BottleneckCSPA", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"BottleneckCSPB", NESTS, 3, {{"shortcut", SWITCH, 0}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"BottleneckCSPC", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"ResCSPB", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"ResCSPC", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"ResXCSPB", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 32}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"ResXCSPC", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 32}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"ResCSPA", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 1}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"ResXCSPA", NESTS, 3, {{"shortcut", SWITCH, 1}, {"g", WHOLE, 32}, {"e", RATIO, 0.5}},
     make_csp, NULL},
    {"MP", PASSES, 1, {{"k", WHOLE, 2}}, make_mp, stride_of_number_0},
    {"SP", PASSES, 2, {{"k", WHOLE, 3}, {"s", WHOLE, 1}}, make_sp, stride_of_number_1},
    {"nn.Upsample", PASSES, 3,
     {{"size", NOTHING, 0}, {"scale_factor", WHOLE, NAN}, {"mode", NEAREST, 0}},
     make_upsample, stride_of_upsample},
    {"ReOrg", FOLDS, 0, {{0}}, make_plain, stride_of_reorg},
    {"Concat", SUMS, 1, {{"dimension", ONE, 1}}, make_concat, NULL},
    {"Shortcut", ADDS, 1, {{"dimension", ANYTHING, 0}}, make_plain, NULL},
    {"Detect", DETECTS, 2, {{"nc", CLASSES, NAN}, {"anchors", ANCHORS, NAN}}, make_head, NULL},
    {"IDetect", DETECTS, 2, {{"nc", CLASSES, NAN}, {"anchors", ANCHORS, NAN}}, make_head, NULL},
    {"IAuxDetect", DETECTS, 2, {{"nc", CLASSES, NAN}, {"anchors", ANCHORS, NAN}}, make_head, NULL},
};
/* clang-format on */
#undef PASSES
#undef ADDS
#undef SCALES
#undef NESTS
#undef SUMS
#undef FOLDS
#undef DETECTS
#undef WHOLE
#undef PAIR
#undef PADDING
#undef SWITCH
#undef ACT
#undef RATIO
#undef KERNELS
#undef ONE
#undef THREE
#undef NOTHING
#undef NEAREST
#undef CLASSES
#undef ANCHORS
#undef ANYTHING
#undef PAD_ONE

const YvConstructor *
yv_find_constructor (const char *yaml_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (constructors); i++)
    if (g_str_equal (constructors[i].yaml_name, yaml_name))
      return &constructors[i];
  return NULL;
}

static const char *
class_of (const YvConstructor *constructor)
{
  const char *dot = strrchr (constructor->yaml_name, '.');

  return dot ? dot + 1 : constructor->yaml_name;
}

bool
yv_is_row_class (const char *class_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (constructors); i++)
    if (g_str_equal (class_of (&constructors[i]), class_name))
      return true;
  return false;
}

char *
yv_row_classes (void)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (constructors); i++)
    g_string_append_printf (text, "%s%s", i ? ", " : "", constructors[i].yaml_name);
  return g_string_free (text, FALSE);
}

bool
yv_is_head_class (const char *class_name)
{
  const YvConstructor *constructor = yv_find_constructor (class_name);

  return constructor && constructor->rule == YV_CHANNELS_DETECTS;
}
