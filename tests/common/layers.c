/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/layers.c - assertions on layers and module trees. */
#include "tests/common/layers.h"

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
