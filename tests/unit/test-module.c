/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-module.c - engine/model/module.h: the module tree. */
#include "engine/model/module.h"

static void
paths_join_the_names_from_the_root (void)
{
  g_autoptr (YvModule) row = yv_module_new ("SPPCSPC", "model", "51");
  YvModule *conv = yv_module_add (row, yv_module_new ("Conv", row->path, "cv1"));

  g_assert_cmpstr (row->path, ==, "model.51");
  g_assert_cmpstr (conv->path, ==, "model.51.cv1");
  g_assert_cmpstr (conv->name, ==, "cv1");
}

static void
a_root_has_its_name_as_path (void)
{
  g_autoptr (YvModule) root = yv_module_new ("Sequential", NULL, "model");

  g_assert_cmpstr (root->path, ==, "model");
}

static void
children_are_found_by_name_and_keep_their_order (void)
{
  g_autoptr (YvModule) row = yv_module_new ("Conv", "model", "0");
  YvModule *conv = yv_module_add (row, yv_module_new ("Conv2d", row->path, "conv"));
  YvModule *act = yv_module_add (row, yv_module_new ("SiLU", row->path, "act"));

  g_assert_true (yv_module_child (row, "conv") == conv);
  g_assert_true (yv_module_child (row, "act") == act);
  g_assert_null (yv_module_child (row, "bn"));
  g_assert_true (g_ptr_array_index (row->children, 1) == act);
}

static void
a_missing_module_is_of_no_class (void)
{
  g_autoptr (YvModule) row = yv_module_new ("Conv", "model", "0");

  g_assert_true (yv_module_is (row, "Conv"));
  g_assert_false (yv_module_is (row, "Conv2d"));
  g_assert_false (yv_module_is (NULL, "Conv"));
}

static void
setting_an_attribute_again_replaces_it (void)
{
  g_autoptr (YvModule) conv = yv_module_new ("Conv2d", "model.0", "conv");

  yv_module_set (conv, "stride", 1);
  yv_module_set_many (conv, "stride", (const double[]){2, 3}, 2);
  g_assert_cmpuint (conv->attrs->len, ==, 1);
  g_assert_cmpfloat (yv_module_number (conv, "stride", 0, -1), ==, 2);
  g_assert_cmpfloat (yv_module_number (conv, "stride", 1, -1), ==, 3);
}

static void
a_single_number_answers_for_every_index (void)
{
  g_autoptr (YvModule) pool = yv_module_new ("MaxPool2d", "model.12", "m");

  yv_module_set (pool, "kernel_size", 5);
  g_assert_cmpfloat (yv_module_number (pool, "kernel_size", 0, -1), ==, 5);
  g_assert_cmpfloat (yv_module_number (pool, "kernel_size", 1, -1), ==, 5);
}

static void
what_is_absent_or_beyond_the_end_is_the_fallback (void)
{
  g_autoptr (YvModule) head = yv_module_new ("Detect", "model", "77");

  yv_module_set_many (head, "stride", (const double[]){8, 16}, 2);
  g_assert_cmpfloat (yv_module_number (head, "stride", 2, -1), ==, -1);
  g_assert_cmpfloat (yv_module_number (head, "nc", 0, 80), ==, 80);
  g_assert_null (yv_module_attr (head, "nc"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/module/path", paths_join_the_names_from_the_root);
  g_test_add_func ("/module/root-path", a_root_has_its_name_as_path);
  g_test_add_func ("/module/children", children_are_found_by_name_and_keep_their_order);
  g_test_add_func ("/module/missing", a_missing_module_is_of_no_class);
  g_test_add_func ("/module/set-again", setting_an_attribute_again_replaces_it);
  g_test_add_func ("/module/single-number", a_single_number_answers_for_every_index);
  g_test_add_func ("/module/fallback", what_is_absent_or_beyond_the_end_is_the_fallback);
  return g_test_run ();
}
