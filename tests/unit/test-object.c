/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-object.c - engine/checkpoint/object.h: looking into values, and where there are
 * none.
 */
#include "engine/checkpoint/object.h"

#include <string.h>

#include "engine/checkpoint/pool.h"

static YvObject *
make_dict (YvPool *pool, const char *key, int64_t value)
{
  YvObject *dict = yv_pool_object (pool, YV_OBJECT_DICT);

  yv_pool_append (pool, dict, yv_pool_string (pool, key, strlen (key)));
  yv_pool_append (pool, dict, yv_pool_int (pool, value));
  return dict;
}

static YvObject *
make_instance (YvPool *pool, const char *name, const YvObject *state)
{
  YvObject *instance = yv_pool_object (pool, YV_OBJECT_INSTANCE);

  instance->instance.class_name = yv_pool_class (pool, "models.common", name);
  instance->instance.state = state;
  return instance;
}

static void
a_key_is_found_in_a_dict_and_in_the_state_of_an_instance (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  YvObject *dict = make_dict (pool, "nc", 80);
  YvObject *slots = yv_pool_object (pool, YV_OBJECT_TUPLE);

  yv_pool_append (pool, slots, dict);
  yv_pool_append (pool, slots, yv_pool_object (pool, YV_OBJECT_NONE));
  g_assert_cmpint (yv_object_get (dict, "nc")->integer, ==, 80);
  g_assert_true (yv_object_get (make_instance (pool, "Conv", dict), "nc") ==
                 yv_object_get (dict, "nc"));
  g_assert_true (yv_object_get (make_instance (pool, "Conv", slots), "nc") ==
                 yv_object_get (dict, "nc"));
}

static void
nothing_is_found_where_there_is_nothing (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  YvObject *pair = yv_pool_object (pool, YV_OBJECT_TUPLE);

  yv_pool_append (pool, pair, make_dict (pool, "nc", 80));
  yv_pool_append (pool, pair, yv_pool_int (pool, 1));
  g_assert_null (yv_object_get (NULL, "nc"));
  g_assert_null (yv_object_get (make_dict (pool, "nc", 80), "n"));
  g_assert_null (yv_object_get (yv_pool_int (pool, 1), "nc"));
  g_assert_null (yv_object_get (make_instance (pool, "Conv", NULL), "nc"));
  g_assert_null (yv_object_get (pair, "nc")); /* only a state may be (dict, slots) */
}

static void
the_later_of_two_equal_keys_counts (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  YvObject *dict = make_dict (pool, "nc", 80);

  yv_pool_append (pool, dict, yv_pool_int (pool, 7)); /* a key that is no string is passed by */
  yv_pool_append (pool, dict, yv_pool_int (pool, 8));
  yv_pool_append (pool, dict, yv_pool_string (pool, "nc", 2));
  yv_pool_append (pool, dict, yv_pool_int (pool, 3));
  g_assert_cmpint (yv_object_get (dict, "nc")->integer, ==, 3);
}

static void
classes_are_named_by_their_last_part (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  YvObject *conv = make_instance (pool, "Conv", NULL);
  YvObject *inner = make_instance (pool, "Outer.Inner", NULL);
  g_autofree char *of_instance = yv_object_class_path (conv);
  g_autofree char *of_class = yv_object_class_path (conv->instance.class_name);
  g_autofree char *of_int = yv_object_class_path (yv_pool_int (pool, 1));
  g_autofree char *of_null = yv_object_class_path (NULL);

  g_assert_cmpstr (yv_object_class_name (conv), ==, "Conv");
  g_assert_cmpstr (yv_object_class_name (inner), ==, "Inner");
  g_assert_null (yv_object_class_name (conv->instance.class_name));
  g_assert_null (yv_object_class_name (NULL));
  g_assert_cmpstr (of_instance, ==, "models.common.Conv");
  g_assert_cmpstr (of_class, ==, "models.common.Conv");
  g_assert_cmpstr (of_int, ==, "int");
  g_assert_cmpstr (of_null, ==, "nothing");
}

static void
numbers_are_ints_bools_and_floats (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  YvObject *yes = yv_pool_object (pool, YV_OBJECT_BOOL);
  double number;

  yes->boolean = true;
  g_assert_true (yv_object_get_number (yes, &number));
  g_assert_cmpfloat (number, ==, 1);
  g_assert_true (yv_object_get_number (yv_pool_int (pool, -4), &number));
  g_assert_cmpfloat (number, ==, -4);
  g_assert_true (yv_object_get_number (yv_pool_float (pool, 0.5), &number));
  g_assert_cmpfloat (number, ==, 0.5);
  g_assert_false (yv_object_get_number (yv_pool_string (pool, "1", 1), &number));
  g_assert_false (yv_object_get_number (NULL, &number));
  g_assert_cmpfloat (number, ==, 0.5);
}

static void
only_strings_have_text (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();

  g_assert_cmpstr (yv_object_get_string (yv_pool_string (pool, "abc", 2)), ==, "ab");
  g_assert_null (yv_object_get_string (yv_pool_bytes (pool, "abc", 3)));
  g_assert_null (yv_object_get_string (NULL));
  g_assert_cmpstr (yv_object_kind_name (yv_pool_bytes (pool, "", 0)), ==, "bytes");
}

static void
a_pool_holds_large_and_small_values (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  YvObject *list = yv_pool_object (pool, YV_OBJECT_LIST);

  for (int i = 0; i < 100000; i++)
    yv_pool_append (pool, list, yv_pool_int (pool, i));
  for (int i = 0; i < 100000; i++)
    g_assert_cmpint (list->sequence.items[i]->integer, ==, i);
  char *large = yv_pool_alloc (pool, 1 << 20);
  g_assert_cmpint (large[0] | large[(1 << 20) - 1], ==, 0);
  g_assert_cmpuint (yv_pool_size_bytes (pool), >=, 1 << 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/object/get", a_key_is_found_in_a_dict_and_in_the_state_of_an_instance);
  g_test_add_func ("/object/get-nothing", nothing_is_found_where_there_is_nothing);
  g_test_add_func ("/object/equal-keys", the_later_of_two_equal_keys_counts);
  g_test_add_func ("/object/class", classes_are_named_by_their_last_part);
  g_test_add_func ("/object/number", numbers_are_ints_bools_and_floats);
  g_test_add_func ("/object/string", only_strings_have_text);
  g_test_add_func ("/object/pool", a_pool_holds_large_and_small_values);
  return g_test_run ();
}
