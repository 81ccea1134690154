/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/expand.c - the table of constructors: how the arguments of each are called and read,
 * and which block it makes. */
#include "engine/model/expand.h"

#include <math.h>
#include <string.h>

#include "engine/error.h"
#include "engine/model/blocks.h"
#include "engine/model/signature.h"

typedef struct {
  YvPlace place;
  uint32_t c1, c2;
  uint32_t n; /* CSP blocks only: how many blocks inside */
  const YvValue *values;
  const YvExpandRow *row;
} Call;

typedef enum {
  PASSES,  /* as many channels as it takes */
  ADDS,    /* as PASSES, of two sources */
  SCALES,  /* first argument: channels out, scaled by width_multiple */
  NESTS,   /* as SCALES, and takes the repeats as its third argument */
  SUMS,    /* as many channels as all sources together */
  FOLDS,   /* four times as many: space to depth */
  DETECTS, /* sees all sources */
} ChannelRule;

typedef struct {
  const char *yaml_name;
  ChannelRule rule;
  uint32_t n_params;
  YvParam params[YV_MAX_PARAMS]; /* after the channels and the repeats */
  YvModule *(*make) (const Call *call);
  double (*stride) (const Call *call); /* cells of the input per cell of the output; NULL: 1 */
} Constructor;

/* Constructors, in the words of blocks.h. */

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
conv_shape (const Call *call, const YvValue *kernel, const YvValue *stride)
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
make_conv (const Call *call)
{
  YvConvShape shape = conv_shape (call, &call->values[0], &call->values[1]);

  memcpy (shape.pad, call->values[2].pair, sizeof shape.pad);
  shape.groups = (uint32_t) call->values[3].number;
  return yv_block_conv (call->place, &shape, call->values[4].arg);
}

static YvModule *
make_depthwise_conv (const Call *call)
{
  YvConvShape shape = conv_shape (call, &call->values[0], &call->values[1]);

  shape.groups = greatest_common_divisor (call->c1, call->c2);
  return yv_block_conv (call->place, &shape, call->values[2].arg);
}

static YvModule *
make_repconv (const Call *call)
{
  const YvValue kernel = {.pair = {3, 3}};
  YvConvShape shape = conv_shape (call, &kernel, &call->values[1]);

  shape.groups = (uint32_t) call->values[3].number;
  return yv_block_repconv (call->place, &shape, call->values[4].arg);
}

static YvBlockShape
block_shape (const Call *call)
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
make_bottleneck (const Call *call)
{
  const YvBlockShape shape = block_shape (call);

  return yv_block_bottleneck (call->place, &shape);
}

static YvModule *
make_res (const Call *call)
{
  const YvBlockShape shape = block_shape (call);

  return yv_block_res (call->place, call->row->module, &shape);
}

static YvModule *
make_csp (const Call *call)
{
  static const YvCspKind kinds[] = {
      {"BottleneckCSPA", YV_CSP_A, false, 1.0}, {"BottleneckCSPB", YV_CSP_B, false, 1.0},
      {"BottleneckCSPC", YV_CSP_C, false, 1.0}, {"ResCSPB", YV_CSP_B, true, 0.5},
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
make_sppcspc (const Call *call)
{
  const YvBlockShape shape = block_shape (call);

  return yv_block_sppcspc (call->place, &shape, &call->values[3].pools);
}

static YvModule *
make_spp (const Call *call)
{
  return yv_block_spp (call->place, call->c1, call->c2, &call->values[0].pools);
}

static YvModule *
make_downc (const Call *call)
{
  return yv_block_downc (call->place, call->c1, call->c2, (uint32_t) call->values[0].number);
}

static YvModule *
make_stem (const Call *call)
{
  return yv_block_stem (call->place, call->c1, call->c2);
}

static YvModule *
make_pool (const Call *call, uint32_t stride, uint32_t pad)
{
  YvModule *module = yv_module_new (call->row->module, call->place.parent_path, call->place.name);
  const YvPlace place = {module->path, "m"};

  yv_module_add (module, yv_block_maxpool (place, (uint32_t) call->values[0].number, stride, pad));
  return module;
}

static YvModule *
make_mp (const Call *call)
{
  return make_pool (call, (uint32_t) call->values[0].number, 0);
}

static YvModule *
make_sp (const Call *call)
{
  return make_pool (call, (uint32_t) call->values[1].number, (uint32_t) call->values[0].number / 2);
}

static YvModule *
make_plain (const Call *call)
{
  return yv_module_new (call->row->module, call->place.parent_path, call->place.name);
}

static YvModule *
make_concat (const Call *call)
{
  YvModule *module = make_plain (call);

  yv_module_set (module, "d", call->values[0].number);
  return module;
}

static YvModule *
make_upsample (const Call *call)
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
make_head (const Call *call)
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
stride_of_pair_1 (const Call *call)
{
  return call->values[1].pair[0];
}

static double
stride_of_number_0 (const Call *call)
{
  return call->values[0].number;
}

static double
stride_of_number_1 (const Call *call)
{
  return call->values[1].number;
}

static double
stride_of_upsample (const Call *call)
{
  return 1 / call->values[1].number;
}

static double
stride_of_reorg (const Call *call)
{
  (void) call;
  return 2;
}

static double
stride_of_stem (const Call *call)
{
  (void) call;
  return 4;
}

/* Only in this table, to keep a constructor to a line or two. */
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
static const Constructor constructors[] = {
    {"Conv", SCALES, 5,
     {{"k", PAIR, 1}, {"s", PAIR, 1}, {"p", PADDING, 0}, {"g", WHOLE, 1}, {"act", ACT, 1}},
     make_conv, stride_of_pair_1},
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

static const Constructor *
find_constructor (const char *yaml_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (constructors); i++)
    if (g_str_equal (constructors[i].yaml_name, yaml_name))
      return &constructors[i];
  return NULL;
}

static const char *
class_of (const Constructor *constructor)
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
  const Constructor *constructor = find_constructor (class_name);

  return constructor && constructor->rule == DETECTS;
}

/* Channels. */

static YvSignature
signature_of (const Constructor *constructor)
{
  const bool scales = constructor->rule == SCALES || constructor->rule == NESTS;

  return (YvSignature){
      .name = constructor->yaml_name,
      .n_leading = scales ? 1 : 0,
      .n_params = constructor->n_params,
      .params = constructor->params,
  };
}

static bool
read_channels (const Constructor *constructor, const YvExpandRow *row, uint32_t *c2, GError **error)
{
  const YvArg *arg = row->args->items->len ? g_ptr_array_index (row->args->items, 0) : NULL;
  const YvParam param = {"channels", YV_PARAM_WHOLE, NAN};
  const YvSignature signature = signature_of (constructor);
  YvValue value;

  if (!arg) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: no arguments, expected the channels",
                 constructor->yaml_name);
    return false;
  }
  if (!yv_signature_read_one (&signature, &param, arg, &value, error))
    return false;

  const double wanted = arg->number;
  const double scaled =
      wanted == row->c_head ? wanted : ceil (wanted * row->width_multiple / 8) * 8;
  if (scaled > YV_MAX_CHANNELS) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %g channels after width_multiple %g, at most %d are supported",
                 constructor->yaml_name, scaled, row->width_multiple, YV_MAX_CHANNELS);
    return false;
  }
  *c2 = (uint32_t) scaled;
  return true;
}

static bool
find_channels (const Constructor *constructor, const YvExpandRow *row, uint32_t *c2, GError **error)
{
  uint64_t sum = 0;

  if (constructor->rule == SCALES || constructor->rule == NESTS)
    return read_channels (constructor, row, c2, error);
  for (uint32_t i = 0; i < row->n_in; i++)
    sum += row->c_in[i];
  if (constructor->rule == PASSES || constructor->rule == ADDS || constructor->rule == DETECTS)
    sum = row->c_in[0];
  else if (constructor->rule == FOLDS)
    sum = 4 * (uint64_t) row->c_in[0];
  if (sum > YV_MAX_CHANNELS) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %" G_GUINT64_FORMAT " channels, at most %d are supported",
                 constructor->yaml_name, sum, YV_MAX_CHANNELS);
    return false;
  }
  *c2 = (uint32_t) sum;
  return true;
}

/* Sources and repeats. */

static bool
check_n_sources (const Constructor *constructor, const YvExpandRow *row, GError **error)
{
  const uint32_t wanted = constructor->rule == ADDS ? 2 : 1;

  if (constructor->rule == SUMS || constructor->rule == DETECTS || row->n_in == wanted)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: takes %u source%s, found %u in from",
               constructor->yaml_name, wanted, wanted > 1 ? "s" : "", row->n_in);
  return false;
}

static bool
check_levels (const Constructor *constructor, const YvExpandRow *row, const YvArg *anchors,
              GError **error)
{
  const uint32_t per_level = g_str_equal (constructor->yaml_name, "IAuxDetect") ? 2 : 1;
  const bool is_list = anchors->kind == YV_ARG_LIST;
  const uint32_t n_levels = is_list ? anchors->items->len : row->n_in / per_level;

  if (row->n_in == per_level * n_levels && n_levels >= 1 && n_levels <= YV_MAX_HEAD_LEVELS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: %u sources in from, expected %u: %u for each of the %u levels of anchors",
               constructor->yaml_name, row->n_in, per_level * n_levels, per_level, n_levels);
  return false;
}

static bool
check_repeats (const Constructor *constructor, const YvExpandRow *row, GError **error)
{
  const bool may_repeat = row->n_in == 1 && constructor->rule != DETECTS;

  if (row->n_repeats == 1 || (may_repeat && row->n_repeats <= YV_MAX_REPEATS))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: repeated %u times, at most %d are supported", constructor->yaml_name,
               row->n_repeats, may_repeat ? YV_MAX_REPEATS : 1);
  return false;
}

/* n equal modules in a Sequential; each takes what the first one takes, as in YOLOv7. */
static YvModule *
make_repeated (const Constructor *constructor, const Call *call)
{
  YvModule *sequence = yv_module_new ("Sequential", call->place.parent_path, call->place.name);

  for (uint32_t i = 0; i < call->row->n_repeats; i++) {
    g_autofree char *name = g_strdup_printf ("%u", i);
    Call inner = *call;
    inner.place = (YvPlace){sequence->path, name};
    yv_module_add (sequence, constructor->make (&inner));
  }
  return sequence;
}

static bool
check_row (const Constructor *constructor, const YvExpandRow *row, const YvValue *values,
           GError **error)
{
  return check_n_sources (constructor, row, error) && check_repeats (constructor, row, error) &&
         (constructor->rule != DETECTS || check_levels (constructor, row, values[1].arg, error));
}

static const Constructor *
require_constructor (const char *yaml_name, GError **error)
{
  const Constructor *constructor = find_constructor (yaml_name);

  if (!constructor) {
    g_autofree char *known = yv_row_classes ();
    g_autofree char *name = g_strescape (yaml_name, NULL);
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "unsupported module %.60s; supported are %s", name, known);
  }
  return constructor;
}

bool
yv_expand_row (const YvExpandRow *row, YvExpanded *out, GError **error)
{
  const Constructor *constructor = require_constructor (row->module, error);
  YvValue values[YV_MAX_PARAMS] = {0};

  if (!constructor)
    return false;

  const YvSignature signature = signature_of (constructor);
  if (!yv_signature_read (&signature, row->args, values, error) ||
      !find_channels (constructor, row, &out->c_out, error) ||
      !check_row (constructor, row, values, error))
    return false;

  g_autofree char *name = g_strdup_printf ("%u", row->row);
  const bool nests = constructor->rule == NESTS;
  const Call call = {
      .place = {"model", name},
      .c1 = row->c_in[0],
      .c2 = out->c_out,
      .n = nests ? row->n_repeats : 1,
      .values = values,
      .row = row,
  };
  const uint32_t n_repeats = nests ? 1 : row->n_repeats;
  const double stride = constructor->stride ? constructor->stride (&call) : 1;
  out->module = n_repeats > 1 ? make_repeated (constructor, &call) : constructor->make (&call);
  out->stride = row->stride_in[0] * pow (stride, n_repeats);
  return true;
}
