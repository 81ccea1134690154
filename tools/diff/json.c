/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/diff/json.c - what differs between two models, all of it, as JSON. */
#include "tools/diff/diff.h"

#include <stdio.h>

#include "tools/json.h"

static void
add_difference (JsonBuilder *json, const YvDifference *difference)
{
  json_add_text (json, "equality", diff_equality_name (difference->equality));
  json_add_count (json, "elements", difference->n_elems);
  json_add_count (json, "unequal", difference->n_unequal);
  json_add_number (json, "relative", difference->relative);
  json_add_number (json, "max_abs", difference->max_abs);
  json_add_number (json, "cosine", difference->cosine);
}

static void
add_model (JsonBuilder *json, const char *name, const YvModelInfo *info)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  json_add_text (json, "source", info->source);
  json_add_text (json, "format", info->format);
  json_add_text (json, "weights", info->weights_kind);
  json_builder_end_object (json);
}

static void
add_settings (JsonBuilder *json, const YvModelDiff *diff)
{
  json_builder_set_member_name (json, "settings");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < diff->n_settings; i++) {
    const YvSettingDiff *s = &diff->settings[i];

    json_builder_begin_object (json);
    json_add_text (json, "name", s->name);
    json_add_text (json, "a", s->a);
    json_add_text (json, "b", s->b);
    json_add_flag (json, "equal", s->equal);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_row (JsonBuilder *json, const char *name, const YvLayerInfo *layer)
{
  json_builder_set_member_name (json, name);
  if (layer)
    json_builder_add_int_value (json, layer->row);
  else
    json_builder_add_null_value (json);
}

static void
add_layers (JsonBuilder *json, const YvModelDiff *diff)
{
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < diff->n_layers; i++) {
    const YvLayerDiff *l = &diff->layers[i];

    json_builder_begin_object (json);
    add_row (json, "row_a", l->a);
    add_row (json, "row_b", l->b);
    json_add_text (json, "module", (l->a ? l->a : l->b)->module);
    json_add_text (json, "changes", l->changes);
    json_add_flag (json, "same_network", l->same_network);
    add_difference (json, &l->weights);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_shape (JsonBuilder *json, const char *name, const char *shape)
{
  json_builder_set_member_name (json, name);
  if (shape)
    json_builder_add_string_value (json, shape);
  else
    json_builder_add_null_value (json);
}

static void
add_tensors (JsonBuilder *json, const YvModelDiff *diff)
{
  json_builder_set_member_name (json, "tensors");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < diff->n_tensors; i++) {
    const YvTensorDiff *t = &diff->tensors[i];

    json_builder_begin_object (json);
    json_add_text (json, "name", t->name);
    add_shape (json, "shape_a", t->shape_a);
    add_shape (json, "shape_b", t->shape_b);
    add_difference (json, &t->difference);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

void
diff_print_json (const YvModelDiff *diff)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  add_model (json, "a", diff->a);
  add_model (json, "b", diff->b);
  json_add_text (json, "deployed", diff_equality_name (diff->deployed));
  json_builder_set_member_name (json, "deployed_weights");
  json_builder_begin_object (json);
  add_difference (json, &diff->weights);
  json_builder_end_object (json);
  add_settings (json, diff);
  add_layers (json, diff);
  add_tensors (json, diff);
  json_builder_end_object (json);

  g_autofree char *text = json_finish (json, TRUE);
  printf ("%s\n", text);
}
