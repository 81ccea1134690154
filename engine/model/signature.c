/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/signature.c - one reader a kind of parameter. */
#include "engine/model/signature.h"

#include <math.h>

#include "engine/error.h"
#include "engine/model/limits.h"

#define TEXT(limit) G_STRINGIFY (limit)

static const char *const expected_texts[] = {
    [YV_PARAM_WHOLE] = "a whole number from 1 to " TEXT (YV_MAX_CHANNELS),
    [YV_PARAM_PAIR] = "a whole number from 1 to " TEXT (YV_MAX_KERNEL) ", or a list of two",
    [YV_PARAM_PADDING] = "None, a whole number up to " TEXT (YV_MAX_KERNEL) ", or a list of two",
    [YV_PARAM_SWITCH] = "True or False",
    [YV_PARAM_ACT] = "True (SiLU), False, None or one of",
    [YV_PARAM_RATIO] = "a number above 0 and up to 8",
    [YV_PARAM_KERNELS] =
        "a list of 1 to " TEXT (YV_MAX_POOLS) " odd numbers up to " TEXT (YV_MAX_KERNEL),
    [YV_PARAM_ONE] = "1 (channels)",
    [YV_PARAM_PAD_ONE] = "None or 1",
    [YV_PARAM_THREE] = "3, the only kernel that re-parameterisation knows",
    [YV_PARAM_NOTHING] = "None",
    [YV_PARAM_NEAREST] = "'nearest', the only mode supported",
    [YV_PARAM_CLASSES] = "the number of classes (nc)",
    [YV_PARAM_ANCHORS] = "lists of w,h pairs, or the number of anchors (anchors)",
    [YV_PARAM_ANYTHING] = "anything",
};

#undef TEXT

static bool
read_pair (const YvArg *arg, double lowest, double highest, YvValue *value)
{
  const bool is_list = arg->kind == YV_ARG_LIST;

  if (is_list && arg->items->len != 2)
    return false;
  for (guint i = 0; i < 2; i++) {
    const YvArg *item = is_list ? g_ptr_array_index (arg->items, i) : arg;
    if (!yv_arg_is_whole (item, lowest, highest))
      return false;
    value->pair[i] = (uint32_t) item->number;
  }
  value->number = value->pair[0];
  return true;
}

static bool
read_padding (const YvArg *arg, YvValue *value)
{
  if (arg->kind != YV_ARG_NONE)
    return read_pair (arg, 0, YV_MAX_KERNEL, value);
  value->pair[0] = value->pair[1] = YV_AUTOPAD;
  return true;
}

static bool
read_kernels (const YvArg *arg, YvPools *pools)
{
  if (arg->kind != YV_ARG_LIST || arg->items->len == 0 || arg->items->len > YV_MAX_POOLS)
    return false;
  pools->n = arg->items->len;
  for (guint i = 0; i < arg->items->len; i++) {
    const YvArg *item = g_ptr_array_index (arg->items, i);
    if (!yv_arg_is_whole (item, 1, YV_MAX_KERNEL) || (uint32_t) item->number % 2 == 0)
      return false;
    pools->kernel[i] = (uint32_t) item->number;
  }
  return true;
}

static bool
read_number (const YvArg *arg, YvParamKind kind, YvValue *value)
{
  value->number = arg->number;
  if (kind == YV_PARAM_WHOLE || kind == YV_PARAM_CLASSES)
    return yv_arg_is_whole (arg, 1, kind == YV_PARAM_WHOLE ? YV_MAX_CHANNELS : YV_MAX_CLASSES);
  if (kind == YV_PARAM_RATIO)
    return arg->kind == YV_ARG_NUMBER && arg->number > 0 && arg->number <= 8;
  if (kind == YV_PARAM_SWITCH)
    return arg->kind == YV_ARG_BOOL || yv_arg_is_whole (arg, 0, 1);
  return yv_arg_is_whole (arg, kind == YV_PARAM_ONE ? 1 : 3, kind == YV_PARAM_ONE ? 1 : 3);
}

static bool
read_anchors (const YvArg *arg, YvValue *value)
{
  uint32_t n_anchors;

  if (!yv_arg_is_anchors (arg, &n_anchors))
    return false;
  value->number = n_anchors;
  return true;
}

static bool
read_value (const YvArg *arg, YvParamKind kind, YvValue *value)
{
  value->arg = arg;
  if (kind == YV_PARAM_PAIR)
    return read_pair (arg, 1, YV_MAX_KERNEL, value);
  if (kind == YV_PARAM_PADDING)
    return read_padding (arg, value);
  if (kind == YV_PARAM_KERNELS)
    return read_kernels (arg, &value->pools);
  if (kind == YV_PARAM_ANCHORS)
    return read_anchors (arg, value);
  if (kind == YV_PARAM_ACT)
    return arg->kind == YV_ARG_ACTIVATION || arg->kind == YV_ARG_BOOL || arg->kind == YV_ARG_NONE;
  if (kind == YV_PARAM_NOTHING)
    return arg->kind == YV_ARG_NONE;
  if (kind == YV_PARAM_PAD_ONE)
    return arg->kind == YV_ARG_NONE || yv_arg_is_whole (arg, 1, 1);
  if (kind == YV_PARAM_NEAREST)
    return arg->kind == YV_ARG_TEXT && g_str_equal (arg->text, "nearest");
  return kind == YV_PARAM_ANYTHING || read_number (arg, kind, value);
}

static YvValue
default_value (const YvParam *param)
{
  static const YvArg silu = {.kind = YV_ARG_BOOL, .number = 1};
  const uint32_t whole = isnan (param->fallback) ? 0 : (uint32_t) param->fallback;

  return (YvValue){
      .number = param->fallback,
      .pair = {whole, whole},
      .pools = {3, {5, 9, 13}},
      .arg = &silu,
  };
}

static bool
fail_at_argument (const YvSignature *signature, const YvParam *param, const YvArg *arg,
                  GError **error)
{
  g_autofree char *found = yv_arg_describe (arg);
  g_autofree char *names = param->kind == YV_PARAM_ACT ? yv_arg_activations () : g_strdup ("");

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: argument %s is %s, expected %s%s%s",
               signature->name, param->name, found, expected_texts[param->kind],
               param->kind == YV_PARAM_ACT ? " " : "", names);
  return false;
}

bool
yv_signature_read_one (const YvSignature *signature, const YvParam *param, const YvArg *arg,
                       YvValue *value, GError **error)
{
  return read_value (arg, param->kind, value) || fail_at_argument (signature, param, arg, error);
}

static bool
fail_at_count (const YvSignature *signature, const YvArg *args, GError **error)
{
  g_autoptr (GString) names = g_string_new (signature->n_leading ? "channels" : "");

  for (uint32_t i = 0; i < signature->n_params; i++)
    g_string_append_printf (names, "%s%s", names->len ? ", " : "", signature->params[i].name);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: found %u arguments, expected at most %u (%s)", signature->name,
               args->items->len, signature->n_leading + signature->n_params, names->str);
  return false;
}

bool
yv_signature_read (const YvSignature *signature, const YvArg *args, YvValue *values, GError **error)
{
  const uint32_t first = signature->n_leading;

  if (args->items->len > first + signature->n_params)
    return fail_at_count (signature, args, error);
  for (uint32_t i = 0; i < signature->n_params; i++) {
    const YvParam *param = &signature->params[i];
    values[i] = default_value (param);
    if (first + i < args->items->len) {
      const YvArg *arg = g_ptr_array_index (args->items, first + i);
      if (!yv_signature_read_one (signature, param, arg, &values[i], error))
        return false;
    } else if (isnan (param->fallback)) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: no argument %s, expected %s",
                   signature->name, param->name, expected_texts[param->kind]);
      return false;
    }
  }
  return true;
}
