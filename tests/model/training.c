/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/training.c - made-up weights, as if they had been trained. */
#include "tests/model/training.h"

#include <math.h>

#include "engine/model/tensorspec.h"
#include "tests/model/dict.h"

/* Of mean 0 and variance 1, and a float, so that a file of floats holds it. */
static double
normal (GRand *rand)
{
  double sum = 0;

  for (int i = 0; i < 12; i++)
    sum += g_rand_double (rand);
  return (double) (float) (sum - 6);
}

/* Rows that sum to about zero and with this gain keep values within a few units through the deepest
 * model, as engine/graph/weight.c says. */
static void
fill_weight (GRand *rand, Array *array)
{
  const uint64_t n_row = array->n_elems / array->shape[0];

  for (uint64_t o = 0; o < array->shape[0]; o++) {
    double *row = array->values + o * n_row;
    double sum = 0;
    for (uint64_t i = 0; i < n_row; i++)
      sum += row[i] = normal (rand) * sqrt (2.7 / (double) n_row);
    for (uint64_t i = 0; n_row > 1 && i < n_row; i++)
      row[i] = (double) (float) (row[i] - sum / (double) n_row);
  }
}

static void
fill_around (GRand *rand, Array *array, double mean, double deviation)
{
  for (uint64_t i = 0; i < array->n_elems; i++)
    array->values[i] = (double) (float) (mean + deviation * normal (rand));
}

static void
fill (GRand *rand, Array *array, const YvModule *module, const char *name)
{
  const bool is_batchnorm = yv_module_is (module, "BatchNorm2d");

  if (!is_batchnorm && g_str_equal (name, "weight"))
    fill_weight (rand, array);
  else if (g_str_equal (name, "weight") || yv_module_is (module, "ImplicitM"))
    fill_around (rand, array, 1, 0.05);
  else if (g_str_equal (name, "running_var"))
    for (uint64_t i = 0; i < array->n_elems; i++)
      array->values[i] = (double) (float) g_rand_double_range (rand, 0.9, 1.1);
  else
    fill_around (rand, array, 0, is_batchnorm ? 0.3 : 0.1);
}

static void
train_module (GHashTable *dict, GRand *rand, const YvModule *module)
{
  YvTensorSpec specs[YV_MAX_TENSOR_SPECS];
  const uint32_t n_specs = yv_module_tensor_specs (module, specs);

  for (uint32_t i = 0; i < n_specs; i++)
    fill (rand,
          dict_add (dict, g_strconcat (module->path, ".", specs[i].name, NULL), specs[i].n_dims,
                    specs[i].shape),
          module, specs[i].name);
  for (guint i = 0; i < module->children->len; i++)
    train_module (dict, rand, g_ptr_array_index (module->children, i));
}

/* Autoanchor found others than the description has. */
static void
train_anchors (GHashTable *dict, const YvModule *head)
{
  const uint64_t shape[] = {(uint64_t) yv_module_number (head, "nl", 0, 0),
                            (uint64_t) yv_module_number (head, "na", 0, 0), 2};
  Array *grid =
      dict_add (dict, g_strconcat (head->path, ".anchor_grid", NULL), G_N_ELEMENTS (shape), shape);

  for (uint64_t i = 0; i < grid->n_elems; i++)
    grid->values[i] = 11 + 7.5 * (double) i;
}

void
train (GHashTable *dict, GRand *rand, const YvModel *model)
{
  const YvLayer *head = g_ptr_array_index (model->layers, model->layers->len - 1);

  for (guint i = 0; i < model->layers->len; i++)
    train_module (dict, rand, ((const YvLayer *) g_ptr_array_index (model->layers, i))->module);
  train_anchors (dict, head->module);
}
