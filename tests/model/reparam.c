/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/reparam.c - re-parameterisation by arithmetic of its own (spec 2.1 to 2.4). */
#include "tests/model/reparam.h"

#include <math.h>
#include <string.h>

#include "tests/model/dict.h"

#define EPS 1e-3 /* of upstream's batch-norms (spec 1.5); a state dict does not tell */

/* A convolution with what follows it: y = scale * (W x + b) + shift, channel by channel. */
static void
scale_conv (GHashTable *dict, const char *path, const double *scale, const double *shift)
{
  Array *weight = dict_get (dict, path, "weight");
  const uint64_t n_out = weight->shape[0], n_row = weight->n_elems / n_out;
  Array *bias = dict_get (dict, path, "bias");

  if (!bias)
    bias = dict_add (dict, g_strconcat (path, ".bias", NULL), 1, &n_out);
  for (uint64_t o = 0; o < n_out; o++) {
    for (uint64_t i = 0; i < n_row; i++)
      weight->values[o * n_row + i] *= scale[o];
    bias->values[o] = bias->values[o] * scale[o] + shift[o];
  }
}

/* What a batch-norm multiplies with and adds. */
static void
read_batchnorm (GHashTable *dict, const char *path, double **scale, double **shift)
{
  const Array *gamma = dict_get (dict, path, "weight"), *beta = dict_get (dict, path, "bias");
  const Array *mean = dict_get (dict, path, "running_mean");
  const Array *var = dict_get (dict, path, "running_var");

  *scale = g_new (double, gamma->n_elems);
  *shift = g_new (double, gamma->n_elems);
  for (uint64_t i = 0; i < gamma->n_elems; i++) {
    (*scale)[i] = gamma->values[i] / sqrt (var->values[i] + EPS);
    (*shift)[i] = beta->values[i] - mean->values[i] * (*scale)[i];
  }
}

static void
fold_batchnorm (GHashTable *dict, const char *parent, const char *conv, const char *bn)
{
  g_autofree char *conv_path = g_strconcat (parent, ".", conv, NULL);
  g_autofree char *bn_path = g_strconcat (parent, ".", bn, NULL);
  g_autofree double *scale = NULL;
  g_autofree double *shift = NULL;

  read_batchnorm (dict, bn_path, &scale, &shift);
  scale_conv (dict, conv_path, scale, shift);
  dict_remove (dict, bn_path);
}

/* Adds the identity with a batch-norm to a 3x3 convolution without groups. */
static void
fold_identity (GHashTable *dict, const char *path, Array *weight, Array *bias)
{
  g_autofree char *identity = g_strconcat (path, ".rbr_identity", NULL);
  g_autofree double *scale = NULL;
  g_autofree double *shift = NULL;

  if (!dict_get (dict, identity, "weight"))
    return;
  read_batchnorm (dict, identity, &scale, &shift);
  for (uint64_t o = 0; o < weight->shape[0]; o++) {
    weight->values[(o * weight->shape[1] + o) * 9 + 4] += scale[o];
    bias->values[o] += shift[o];
  }
}

static void
merge_repconv (GHashTable *dict, const char *path)
{
  static const char *const gone[] = {"rbr_dense", "rbr_1x1", "rbr_identity"};

  fold_batchnorm (dict, path, "rbr_dense.0", "rbr_dense.1");
  fold_batchnorm (dict, path, "rbr_1x1.0", "rbr_1x1.1");
  const Array *dense = dict_get (dict, path, "rbr_dense.0.weight");
  const Array *dense_bias = dict_get (dict, path, "rbr_dense.0.bias");
  const Array *point = dict_get (dict, path, "rbr_1x1.0.weight");
  const Array *point_bias = dict_get (dict, path, "rbr_1x1.0.bias");
  Array *weight = dict_add (dict, g_strconcat (path, ".rbr_reparam.weight", NULL), 4, dense->shape);
  Array *bias = dict_add (dict, g_strconcat (path, ".rbr_reparam.bias", NULL), 1, dense->shape);

  for (uint64_t i = 0; i < weight->n_elems; i++)
    weight->values[i] = dense->values[i] + (i % 9 == 4 ? point->values[i / 9] : 0);
  for (uint64_t o = 0; o < bias->n_elems; o++)
    bias->values[o] = dense_bias->values[o] + point_bias->values[o];
  fold_identity (dict, path, weight, bias);
  for (guint i = 0; i < G_N_ELEMENTS (gone); i++) {
    g_autofree char *branch = g_strconcat (path, ".", gone[i], NULL);
    dict_remove (dict, branch);
  }
}

static void
fuse_module (GHashTable *dict, const YvModule *module)
{
  if (yv_module_is (module, "Conv"))
    fold_batchnorm (dict, module->path, "conv", "bn");
  else if (yv_module_is (module, "RepConv"))
    merge_repconv (dict, module->path);
  for (guint i = 0; i < module->children->len; i++)
    fuse_module (dict, g_ptr_array_index (module->children, i));
}

void
fuse (GHashTable *dict, const YvModel *model)
{
  for (guint i = 0; i < model->layers->len; i++)
    fuse_module (dict, ((const YvLayer *) g_ptr_array_index (model->layers, i))->module);
}

/* im * (W (x + ia) + b) */
static void
fold_implicits (GHashTable *dict, const char *head, uint32_t level)
{
  g_autofree char *conv = g_strdup_printf ("%s.m.%u", head, level);
  g_autofree char *ia = g_strdup_printf ("%s.ia.%u", head, level);
  g_autofree char *im = g_strdup_printf ("%s.im.%u", head, level);
  const Array *weight = dict_get (dict, conv, "weight");
  const double *added = dict_get (dict, ia, "implicit")->values;
  const double *scale = dict_get (dict, im, "implicit")->values;
  g_autofree double *shift = g_new0 (double, weight->shape[0]);

  for (uint64_t o = 0; o < weight->shape[0]; o++)
    for (uint64_t i = 0; i < weight->shape[1]; i++)
      shift[o] += scale[o] * weight->values[o * weight->shape[1] + i] * added[i];
  scale_conv (dict, conv, scale, shift);
  dict_remove (dict, ia);
  dict_remove (dict, im);
}

static void
rename_head (GHashTable *dict, const char *from, const char *to)
{
  g_autoptr (GList) names = g_hash_table_get_keys (dict);
  g_autofree char *prefix = g_strconcat (from, ".", NULL);

  for (const GList *item = names; item; item = item->next) {
    gpointer name, value;

    if (!g_str_has_prefix (item->data, prefix))
      continue;
    g_hash_table_steal_extended (dict, item->data, &name, &value);
    g_hash_table_replace (dict, g_strconcat (to, (char *) name + strlen (from), NULL), value);
    g_free (name);
  }
}

static const YvModule *
head_of (const YvModel *model)
{
  return ((const YvLayer *) g_ptr_array_index (model->layers, model->layers->len - 1))->module;
}

void
deploy (GHashTable *dict, const YvModel *model)
{
  const YvModule *head = head_of (model);
  const uint32_t n_levels = (uint32_t) yv_module_number (head, "nl", 0, 0);
  const uint32_t row = model->layers->len - 1;

  for (uint32_t level = 0; level < n_levels; level++)
    fold_implicits (dict, head->path, level);
  if (!yv_module_is (head, "IAuxDetect"))
    return;
  g_autofree char *aux = g_strconcat (head->path, ".m2", NULL);
  g_autofree char *deployed = g_strdup_printf ("model.%u", row - n_levels);
  dict_remove (dict, aux);
  for (uint32_t i = row - n_levels; i < row; i++) {
    g_autofree char *path = g_strdup_printf ("model.%u", i);
    dict_remove (dict, path);
  }
  rename_head (dict, head->path, deployed);
}
