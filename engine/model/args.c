/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/args.c - the little grammar of row arguments. */
#include "engine/model/args.h"

#include <math.h>
#include <string.h>

#include "common/excerpt.h"
#include "engine/model/limits.h"

static const struct {
  const char *name;
  double slope; /* PyTorch's default; NAN: the activation has none */
} activations[] = {
    {"SiLU", NAN},      {"LeakyReLU", 0.01}, {"ReLU", NAN},    {"ReLU6", NAN},
    {"Hardswish", NAN}, {"Mish", NAN},       {"Sigmoid", NAN}, {"Identity", NAN},
};

static const struct {
  const char *text;
  YvArgKind kind;
  double number;
  bool plain_only; /* yaml's own spelling, which quotes turn into text */
} words[] = {
    {"None", YV_ARG_NONE, 0, false},  {"True", YV_ARG_BOOL, 1, false},
    {"False", YV_ARG_BOOL, 0, false}, {"", YV_ARG_NONE, 0, true},
    {"~", YV_ARG_NONE, 0, true},      {"null", YV_ARG_NONE, 0, true},
    {"Null", YV_ARG_NONE, 0, true},   {"NULL", YV_ARG_NONE, 0, true},
    {"true", YV_ARG_BOOL, 1, true},   {"TRUE", YV_ARG_BOOL, 1, true},
    {"yes", YV_ARG_BOOL, 1, true},    {"Yes", YV_ARG_BOOL, 1, true},
    {"YES", YV_ARG_BOOL, 1, true},    {"on", YV_ARG_BOOL, 1, true},
    {"On", YV_ARG_BOOL, 1, true},     {"ON", YV_ARG_BOOL, 1, true},
    {"false", YV_ARG_BOOL, 0, true},  {"FALSE", YV_ARG_BOOL, 0, true},
    {"no", YV_ARG_BOOL, 0, true},     {"No", YV_ARG_BOOL, 0, true},
    {"NO", YV_ARG_BOOL, 0, true},     {"off", YV_ARG_BOOL, 0, true},
    {"Off", YV_ARG_BOOL, 0, true},    {"OFF", YV_ARG_BOOL, 0, true},
};

static void
free_item (gpointer item)
{
  yv_arg_free (item);
}

static YvArg *
new_arg (YvArgKind kind, double number, const char *text)
{
  YvArg *arg = g_new0 (YvArg, 1);

  arg->kind = kind;
  arg->number = number;
  arg->text = g_strdup (text);
  if (kind == YV_ARG_LIST)
    arg->items = g_ptr_array_new_with_free_func (free_item);
  return arg;
}

void
yv_arg_free (YvArg *arg)
{
  if (!arg)
    return;
  g_clear_pointer (&arg->items, g_ptr_array_unref);
  g_free (arg->text);
  g_free (arg);
}

static YvArg *
copy_arg (const YvArg *arg)
{
  YvArg *copy = new_arg (arg->kind, arg->number, arg->text);

  for (guint i = 0; arg->items && i < arg->items->len; i++)
    g_ptr_array_add (copy->items, copy_arg (g_ptr_array_index (arg->items, i)));
  return copy;
}

/* strtod() alone would also take "nan", "infinity" and hexadecimal. */
static bool
parse_number (const char *text, double *number)
{
  if (text[0] == '\0' || text[strspn (text, "0123456789+-.eE")] != '\0' ||
      g_ascii_isalpha (text[0]))
    return false;

  char *end;
  *number = g_ascii_strtod (text, &end);
  return *end == '\0' && isfinite (*number);
}

/* What stands between the parentheses of an activation: "", "0.1", "negative_slope=0.1",
 * "inplace=True" or several of them; false where it is none of these. */
static bool
parse_slope (const char *inside, double *slope)
{
  g_auto (GStrv) parts = g_strsplit (inside, ",", 4);

  for (guint i = 0; parts[i]; i++) {
    const char *part = g_strstrip (parts[i]);
    if (g_str_has_prefix (part, "negative_slope="))
      part += strlen ("negative_slope=");
    else if (g_str_equal (part, "inplace=True") || g_str_equal (part, "inplace=False") ||
             g_str_equal (part, "True") || g_str_equal (part, "False"))
      continue;
    if (isnan (*slope) || !parse_number (part, slope))
      return false;
  }
  return true;
}

/* nn.Name(...), or NULL. */
static YvArg *
parse_activation (const char *text)
{
  const char *open = strchr (text, '(');

  if (!g_str_has_prefix (text, "nn.") || !open || !g_str_has_suffix (text, ")"))
    return NULL;

  g_autofree char *name = g_strndup (text + 3, (gsize) (open - text - 3));
  g_autofree char *inside = g_strndup (open + 1, strlen (open) - 2);
  for (guint i = 0; i < G_N_ELEMENTS (activations); i++) {
    double slope = activations[i].slope;
    if (!g_str_equal (name, activations[i].name))
      continue;
    const bool valid = inside[0] == '\0' || parse_slope (inside, &slope);
    return valid ? new_arg (YV_ARG_ACTIVATION, isnan (slope) ? 0 : slope, name) : NULL;
  }
  return NULL;
}

static YvArg *
evaluate_scalar (const YvYaml *node, const YvArgScope *scope)
{
  double number;

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (node->text, words[i].text) && (node->plain || !words[i].plain_only))
      return new_arg (words[i].kind, words[i].number, NULL);
  if (scope && g_str_equal (node->text, "nc"))
    return new_arg (YV_ARG_NUMBER, scope->n_classes, NULL);
  if (scope && scope->anchors && g_str_equal (node->text, "anchors"))
    return copy_arg (scope->anchors);
  if (parse_number (node->text, &number))
    return new_arg (YV_ARG_NUMBER, number, NULL);

  YvArg *activation = parse_activation (node->text);
  return activation ? activation : new_arg (YV_ARG_TEXT, 0, node->text);
}

YvArg *
yv_arg_new (const YvYaml *node, const YvArgScope *scope)
{
  if (node->kind == YV_YAML_SCALAR)
    return evaluate_scalar (node, scope);
  if (node->kind == YV_YAML_MAPPING)
    return new_arg (YV_ARG_TEXT, 0, "a mapping");

  YvArg *list = new_arg (YV_ARG_LIST, 0, NULL);
  for (guint i = 0; i < node->items->len; i++)
    g_ptr_array_add (list->items, yv_arg_new (g_ptr_array_index (node->items, i), NULL));
  return list;
}

YvArg *
yv_args_new (const YvYaml *row_args, const YvArgScope *scope)
{
  YvArg *args = new_arg (YV_ARG_LIST, 0, NULL);

  g_assert (row_args->kind == YV_YAML_SEQUENCE);
  for (guint i = 0; i < row_args->items->len; i++)
    g_ptr_array_add (args->items, yv_arg_new (g_ptr_array_index (row_args->items, i), scope));
  return args;
}

bool
yv_arg_is_whole (const YvArg *arg, double lowest, double highest)
{
  return arg->kind == YV_ARG_NUMBER && arg->number == floor (arg->number) &&
         arg->number >= lowest && arg->number <= highest;
}

static bool
is_anchor_level (const YvArg *level, guint n_values)
{
  if (level->kind != YV_ARG_LIST || level->items->len != n_values)
    return false;
  for (guint i = 0; i < n_values; i++) {
    const YvArg *value = g_ptr_array_index (level->items, i);
    if (value->kind != YV_ARG_NUMBER || value->number <= 0 || value->number > 1e6)
      return false;
  }
  return true;
}

bool
yv_arg_is_anchors (const YvArg *anchors, uint32_t *n_anchors)
{
  if (anchors->kind == YV_ARG_NUMBER) {
    *n_anchors = (uint32_t) CLAMP (anchors->number, 0, YV_MAX_ANCHORS);
    return yv_arg_is_whole (anchors, 1, YV_MAX_ANCHORS);
  }
  if (anchors->kind != YV_ARG_LIST || anchors->items->len == 0 ||
      anchors->items->len > YV_MAX_LEVELS)
    return false;

  const YvArg *first = g_ptr_array_index (anchors->items, 0);
  const guint n_values = first->kind == YV_ARG_LIST ? first->items->len : 0;
  if (n_values == 0 || n_values % 2 != 0 || n_values > 2 * YV_MAX_ANCHORS)
    return false;
  for (guint i = 0; i < anchors->items->len; i++)
    if (!is_anchor_level (g_ptr_array_index (anchors->items, i), n_values))
      return false;
  *n_anchors = n_values / 2;
  return true;
}

static void
describe_into (const YvArg *arg, GString *text)
{
  if (arg->kind == YV_ARG_NONE)
    g_string_append (text, "None");
  else if (arg->kind == YV_ARG_BOOL)
    g_string_append (text, arg->number != 0 ? "True" : "False");
  else if (arg->kind == YV_ARG_NUMBER)
    g_string_append_printf (text, "%g", arg->number);
  else if (arg->kind == YV_ARG_ACTIVATION)
    g_string_append_printf (text, "nn.%s()", arg->text);
  else if (arg->kind == YV_ARG_TEXT)
    g_string_append_printf (text, "\"%s\"", arg->text);
  else {
    g_string_append_c (text, '[');
    for (guint i = 0; i < arg->items->len && text->len < 60; i++) {
      g_string_append (text, i ? ", " : "");
      describe_into (g_ptr_array_index (arg->items, i), text);
    }
    g_string_append_c (text, ']');
  }
}

char *
yv_arg_describe (const YvArg *arg)
{
  g_autoptr (GString) text = g_string_new (NULL);

  describe_into (arg, text);
  return yv_excerpt (text->str);
}

char *
yv_arg_activations (void)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (activations); i++)
    g_string_append_printf (text, "%snn.%s", i ? ", " : "", activations[i].name);
  return g_string_free (text, FALSE);
}
