/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/settings.c - what is true of a model as a whole, as texts that are equal or not. */
#include "engine/diff/settings.h"

#include <string.h>

static char *
levels_text (const YvModelInfo *info, bool is_strides)
{
  GString *text = g_string_new (NULL);

  for (uint32_t level = 0; level < info->n_levels; level++) {
    if (level > 0)
      g_string_append (text, is_strides ? " " : " | ");
    if (is_strides)
      g_string_append_printf (text, "%u", info->strides[level]);
    for (uint32_t i = 0; !is_strides && i < info->n_anchors; i++) {
      const float *wh = &info->anchors_px[(level * info->n_anchors + i) * 2];
      g_string_append_printf (text, "%s%gx%g", i > 0 ? " " : "", (double) wh[0], (double) wh[1]);
    }
  }
  return g_string_free (text, FALSE);
}

static void
add_word (GPtrArray *words, char *word)
{
  if (!g_ptr_array_find_with_equal_func (words, word, g_str_equal, NULL))
    g_ptr_array_add (words, word);
  else
    g_free (word);
}

static char *
join_words (GPtrArray *words)
{
  g_ptr_array_add (words, NULL);
  return words->len == 1 ? g_strdup ("none") : g_strjoinv (", ", (char **) words->pdata);
}

/* Each activation that occurs: "silu", "leaky_relu 0.1". */
static char *
activations_text (const YvGraph *graph)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < graph->nodes->len; i++) {
    const YvAct *act = &((const YvNode *) graph->nodes->pdata[i])->act;

    if (act->kind == YV_ACT_LEAKY_RELU)
      add_word (words, g_strdup_printf ("leaky_relu %g", (double) act->slope));
    else if (act->kind != YV_ACT_NONE)
      add_word (words, g_strdup (yv_act_name (act->kind)));
  }
  return join_words (words);
}

static void
collect_eps (const YvModule *module, GPtrArray *words)
{
  if (yv_module_is (module, "BatchNorm2d"))
    add_word (words, g_strdup_printf ("%g", yv_module_number (module, "eps", 0, 0)));
  for (guint i = 0; i < module->children->len; i++)
    collect_eps (module->children->pdata[i], words);
}

/* "none" where all batch-norms are folded. */
static char *
eps_text (const YvModel *model)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < model->layers->len; i++)
    collect_eps (((const YvLayer *) model->layers->pdata[i])->module, words);
  return join_words (words);
}

typedef struct {
  GArray *settings;
  GStringChunk *strings;
} Out;

/* Takes both texts. */
static void
add_setting (const Out *out, const char *name, char *a, char *b)
{
  const YvSettingDiff setting = {.name = name,
                                 .a = g_string_chunk_insert (out->strings, a),
                                 .b = g_string_chunk_insert (out->strings, b),
                                 .equal = strcmp (a, b) == 0};

  g_array_append_val (out->settings, setting);
  g_free (a);
  g_free (b);
}

static char *
count_text (uint64_t count)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, count);
}

static char *
names_text (const YvSide *side)
{
  return side->has_names ? g_strjoinv (", ", side->model->class_names) : g_strdup ("not told");
}

void
yv_settings_compare (const YvPair *pair, GStringChunk *strings, GArray *settings)
{
  const YvSide *a = &pair->a, *b = &pair->b;
  const Out out = {settings, strings};

  add_setting (&out, "classes", count_text (a->info->n_classes), count_text (b->info->n_classes));
  add_setting (&out, "class names", names_text (a), names_text (b));
  add_setting (&out, "strides", levels_text (a->info, true), levels_text (b->info, true));
  add_setting (&out, "anchors", levels_text (a->info, false), levels_text (b->info, false));
  add_setting (&out, "activation", activations_text (a->graph), activations_text (b->graph));
  add_setting (&out, "input channels", count_text (a->model->n_input_channels),
               count_text (b->model->n_input_channels));
  add_setting (&out, "layers", count_text (a->info->n_layers), count_text (b->info->n_layers));
  add_setting (&out, "parameters as deployed", count_text (a->info->n_params_deployed),
               count_text (b->info->n_params_deployed));
  add_setting (&out, "parameters as stored", count_text (a->info->n_params_trained),
               count_text (b->info->n_params_trained));
  add_setting (&out, "batch-norm eps", eps_text (a->model), eps_text (b->model));
  add_setting (&out, "stored as", g_strdup (yv_dtype_name (a->dtype)),
               g_strdup (yv_dtype_name (b->dtype)));
}
