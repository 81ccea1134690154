/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/layers.c - assertions on layers and module trees. */
#include "tests/common/layers.h"

#include "engine/checkpoint/safetensors.h"
#include "engine/half.h"
#include "engine/model/tensorspec.h"
#include "tests/common/ptwrite.h"

#define MAX_TENSOR_ELEMS (16u << 20) /* none of a YOLOv7 has more */

void
yv_test_assert_same_tree (const YvModule *a, const YvModule *b)
{
  g_assert_cmpstr (a->path, ==, b->path);
  g_assert_cmpstr (a->class_name, ==, b->class_name);
  for (guint i = 0; i < a->attrs->len; i++) {
    const YvAttr *attr = &g_array_index (a->attrs, YvAttr, i);
    for (uint32_t k = 0; k < attr->n_values; k++)
      g_assert_cmpfloat (attr->values[k], ==, yv_module_number (b, attr->key, k, -1e9));
  }
  g_assert_cmpuint (a->children->len, ==, b->children->len);
  for (guint i = 0; i < a->children->len; i++)
    yv_test_assert_same_tree (g_ptr_array_index (a->children, i),
                              g_ptr_array_index (b->children, i));
}

void
yv_test_assert_same_layers (const YvModel *a, const YvModel *b)
{
  g_assert_cmpuint (a->layers->len, ==, b->layers->len);
  for (guint i = 0; i < a->layers->len; i++) {
    const YvLayer *x = g_ptr_array_index (a->layers, i);
    const YvLayer *y = g_ptr_array_index (b->layers, i);
    g_assert_cmpmem (x->from, x->n_from * sizeof *x->from, y->from, y->n_from * sizeof *y->from);
    yv_test_assert_same_tree (x->module, y->module);
  }
}

uint64_t
yv_test_count_params (const YvModel *model)
{
  uint64_t sum = 0;

  for (guint i = 0; i < model->layers->len; i++)
    sum += yv_layer_n_params (g_ptr_array_index (model->layers, i));
  return sum;
}

char *
yv_test_resize_description (const char *description, double width, guint n_classes)
{
  g_autofree char *text = NULL;
  g_autofree char *folder = g_dir_make_tmp ("yv-test-XXXXXX", NULL);
  char *path = g_build_filename (folder, "x.yaml", NULL);
  g_autoptr (GRegex) key = g_regex_new ("^(nc|width_multiple):.*$", G_REGEX_MULTILINE, 0, NULL);

  g_assert_true (g_file_get_contents (description, &text, NULL, NULL));
  g_autofree char *rest = g_regex_replace_literal (key, text, -1, 0, "", 0, NULL);
  g_autofree char *resized =
      g_strdup_printf ("nc: %u\nwidth_multiple: %g\n%s", n_classes, width, rest);
  g_assert_true (g_file_set_contents (path, resized, -1, NULL));
  return path;
}

/* Appends the tensors that the modules of a tree want, all over the same @elems. */
static void
add_tensors (const YvModule *module, YvDType dtype, const void *elems, GStringChunk *names,
             GArray *tensors)
{
  YvTensorSpec specs[YV_MAX_TENSOR_SPECS];
  const uint32_t n_specs = yv_module_tensor_specs (module, specs);

  for (uint32_t i = 0; i < n_specs; i++) {
    g_autofree char *name = g_strdup_printf ("%s.%s", module->path, specs[i].name);
    YvNamedTensor named = {
        .name = g_string_chunk_insert (names, name),
        .tensor = {.dtype = dtype, .n_dims = specs[i].n_dims, .data = elems},
    };
    uint64_t stride = 1;

    for (uint32_t dim = specs[i].n_dims; dim-- > 0; stride *= specs[i].shape[dim]) {
      named.tensor.shape[dim] = specs[i].shape[dim];
      named.tensor.stride_elems[dim] = stride;
    }
    g_assert_cmpuint (stride, <=, MAX_TENSOR_ELEMS);
    g_array_append_val (tensors, named);
  }
  for (guint i = 0; i < module->children->len; i++)
    add_tensors (g_ptr_array_index (module->children, i), dtype, elems, names, tensors);
}

static GArray *
list_tensors (const char *config, YvDType dtype, const void *elems, GStringChunk *names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModel) model = yv_model_load (NULL, config, &error);
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (YvNamedTensor));

  g_assert_no_error (error);
  for (guint i = 0; i < model->layers->len; i++)
    add_tensors (((const YvLayer *) g_ptr_array_index (model->layers, i))->module, dtype, elems,
                 names, tensors);
  return tensors;
}

/* Variances are not negative. */
static float
made_up (uint32_t i)
{
  return 0.001f * (float) (1 + i % 17);
}

void
yv_test_write_state_dict (const char *config, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GStringChunk) names = g_string_chunk_new (4096);
  g_autofree float *elems = g_new (float, MAX_TENSOR_ELEMS);
  g_autoptr (GArray) tensors = list_tensors (config, YV_DTYPE_F32, elems, names);

  for (uint32_t i = 0; i < MAX_TENSOR_ELEMS; i++)
    elems[i] = made_up (i);
  yv_safetensors_write (path, (const YvNamedTensor *) (gpointer) tensors->data, tensors->len,
                        &error);
  g_assert_no_error (error);
}

GBytes *
yv_test_make_checkpoint (const char *config)
{
  g_autoptr (GStringChunk) names = g_string_chunk_new (4096);
  g_autofree uint16_t *elems = g_new (uint16_t, MAX_TENSOR_ELEMS);
  g_autoptr (GArray) tensors = list_tensors (config, YV_DTYPE_F16, elems, names);
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();

  for (uint32_t i = 0; i < MAX_TENSOR_ELEMS; i++)
    elems[i] = yv_half_from_float (made_up (i));
  yv_ptwriter_be_for_torch (writer);
  yv_ptwriter_put_state_dict (writer, (const YvNamedTensor *) (gpointer) tensors->data,
                              tensors->len);
  return yv_ptwriter_finish (writer, YV_PT_ZIP, YV_PT_INTACT);
}
