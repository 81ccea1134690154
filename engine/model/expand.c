/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/expand.c - the rules of channels, sources and repeats (spec 1.2). */
#include "engine/model/expand.h"

#include <math.h>

#include "common/excerpt.h"
#include "engine/error.h"
#include "engine/model/constructors.h"
#include "engine/model/limits.h"

/* Channels. */

static YvSignature
signature_of (const YvConstructor *constructor)
{
  const bool scales =
      constructor->rule == YV_CHANNELS_SCALES || constructor->rule == YV_CHANNELS_NESTS;

  return (YvSignature){
      .name = constructor->yaml_name,
      .n_leading = scales ? 1 : 0,
      .n_params = constructor->n_params,
      .params = constructor->params,
  };
}

static bool
read_channels (const YvConstructor *constructor, const YvExpandRow *row, uint32_t *c2,
               GError **error)
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
find_channels (const YvConstructor *constructor, const YvExpandRow *row, uint32_t *c2,
               GError **error)
{
  uint64_t sum = 0;

  if (constructor->rule == YV_CHANNELS_SCALES || constructor->rule == YV_CHANNELS_NESTS)
    return read_channels (constructor, row, c2, error);
  for (uint32_t i = 0; i < row->n_in; i++)
    sum += row->c_in[i];
  if (constructor->rule == YV_CHANNELS_PASSES || constructor->rule == YV_CHANNELS_ADDS ||
      constructor->rule == YV_CHANNELS_DETECTS)
    sum = row->c_in[0];
  else if (constructor->rule == YV_CHANNELS_FOLDS)
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
check_n_sources (const YvConstructor *constructor, const YvExpandRow *row, GError **error)
{
  const uint32_t wanted = constructor->rule == YV_CHANNELS_ADDS ? 2 : 1;

  if (constructor->rule == YV_CHANNELS_SUMS || constructor->rule == YV_CHANNELS_DETECTS ||
      row->n_in == wanted)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: takes %u source%s, found %u in from",
               constructor->yaml_name, wanted, wanted > 1 ? "s" : "", row->n_in);
  return false;
}

static bool
check_levels (const YvConstructor *constructor, const YvExpandRow *row, const YvArg *anchors,
              GError **error)
{
  const uint32_t per_level = g_str_equal (constructor->yaml_name, "IAuxDetect") ? 2 : 1;
  const bool is_list = anchors->kind == YV_ARG_LIST;
  const uint32_t n_levels = is_list ? anchors->items->len : row->n_in / per_level;

  if (row->n_in == per_level * n_levels && n_levels >= 1 && n_levels <= YV_MAX_LEVELS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: %u sources in from, expected %u: %u for each of the %u levels of anchors",
               constructor->yaml_name, row->n_in, per_level * n_levels, per_level, n_levels);
  return false;
}

static bool
check_repeats (const YvConstructor *constructor, const YvExpandRow *row, GError **error)
{
  const bool may_repeat = row->n_in == 1 && constructor->rule != YV_CHANNELS_DETECTS;

  if (row->n_repeats == 1 || (may_repeat && row->n_repeats <= YV_MAX_REPEATS))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: repeated %u times, at most %d are supported", constructor->yaml_name,
               row->n_repeats, may_repeat ? YV_MAX_REPEATS : 1);
  return false;
}

/* n equal modules in a Sequential; each takes what the first one takes, as in YOLOv7. */
static YvModule *
make_repeated (const YvConstructor *constructor, const YvCall *call)
{
  YvModule *sequence = yv_module_new ("Sequential", call->place.parent_path, call->place.name);

  for (uint32_t i = 0; i < call->row->n_repeats; i++) {
    g_autofree char *name = g_strdup_printf ("%u", i);
    YvCall inner = *call;
    inner.place = (YvPlace){sequence->path, name};
    yv_module_add (sequence, constructor->make (&inner));
  }
  return sequence;
}

static bool
check_row (const YvConstructor *constructor, const YvExpandRow *row, const YvValue *values,
           GError **error)
{
  return check_n_sources (constructor, row, error) && check_repeats (constructor, row, error) &&
         (constructor->rule != YV_CHANNELS_DETECTS ||
          check_levels (constructor, row, values[1].arg, error));
}

static const YvConstructor *
require_constructor (const char *yaml_name, GError **error)
{
  const YvConstructor *constructor = yv_find_constructor (yaml_name);

  if (!constructor) {
    g_autofree char *known = yv_row_classes ();
    g_autofree char *name = yv_excerpt (yaml_name);
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "unsupported module %s; supported are %s",
                 name, known);
  }
  return constructor;
}

bool
yv_expand_row (const YvExpandRow *row, YvExpanded *out, GError **error)
{
  const YvConstructor *constructor = require_constructor (row->module, error);
  YvValue values[YV_MAX_PARAMS] = {0};

  if (!constructor)
    return false;

  const YvSignature signature = signature_of (constructor);
  if (!yv_signature_read (&signature, row->args, values, error) ||
      !find_channels (constructor, row, &out->c_out, error) ||
      !check_row (constructor, row, values, error))
    return false;

  g_autofree char *name = g_strdup_printf ("%u", row->row);
  const bool nests = constructor->rule == YV_CHANNELS_NESTS;
  const YvCall call = {
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
