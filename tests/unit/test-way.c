/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-way.c - engine/plan/way.c: ways as text and the table of them, and the families
 * of engine/ops/conv.h. */
#include "engine/plan/way.h"

#include <string.h>

#include "engine/ops/conv.h"

#define SHAPE "f16>f16 3x3/1,1+1,1 64>128 g1 80x80>80x80 silu"
#define OTHER "f16>f16 1x1/1,1+0,0 64>128 g1 80x80>80x80 silu"

static const YvWay lanes = {.kernel = YV_KERNEL_CONV_LANES32};
static const YvWay winograd = {.kernel = YV_KERNEL_CONV_LANES32, .winograd = true};
static const YvWay small_tile = {YV_KERNEL_CONV_COOPMAT, false, 32, 64};
static const YvWay large_tile = {YV_KERNEL_CONV_COOPMAT, false, 128, 128};

static void
every_way_is_text_and_back (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (uint32_t i = 0; i < yv_conv_n_ways (); i++) {
    const YvWay way = yv_conv_way (i);
    char *text = yv_way_print (&way);
    YvWay again = {0};

    g_test_message ("%s", text);
    g_assert_true (yv_way_parse (text, &again));
    g_assert_true (yv_way_equal (&way, &again));
    g_assert_true (g_hash_table_add (seen, text));
  }
  g_assert_true (g_hash_table_contains (seen, "winograd conv_lanes64"));
  g_assert_true (g_hash_table_contains (seen, "conv_coopmat 64x128"));
  g_assert_true (g_hash_table_contains (seen, "conv_tile"));
}

static void
other_texts_are_no_ways (void)
{
  static const char *const bad[] = {
      "",
      " ",
      "conv",
      "winograd",
      "winograd ",
      "conv_tile ",
      " conv_tile",
      "conv_tile x",
      "conv_coopmat 64x",
      "conv_coopmat 064x128",
      "conv_coopmat +64x128",
      "conv_coopmat 64x128 ",
      "winograd winograd conv_lanes32",
      "conv_coopmat 0x128",
      "conv_coopmat 99999999999999999999x1",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    YvWay way = lanes;

    g_test_message ("'%s'", bad[i]);
    g_assert_false (yv_way_parse (bad[i], &way));
    g_assert_true (yv_way_equal (&way, &lanes));
  }
}

static void
assert_finds (YvWays *ways, const char *shape, uint32_t n_images, const YvWay *expected)
{
  YvWay found = {0};

  g_assert_true (yv_ways_find (ways, shape, n_images, &found) == (expected != NULL));
  if (expected)
    g_assert_true (yv_way_equal (&found, expected));
}

static void
a_shape_is_found_for_its_images_or_for_others (void)
{
  g_autoptr (YvWays) ways = yv_ways_new ();

  assert_finds (ways, SHAPE, 1, NULL);
  yv_ways_add (ways, SHAPE, 1, &small_tile);
  assert_finds (ways, SHAPE, 1, &small_tile);
  assert_finds (ways, SHAPE, 8, &small_tile);
  g_assert_false (yv_ways_has (ways, SHAPE, 8));
  yv_ways_add (ways, SHAPE, 8, &large_tile);
  assert_finds (ways, SHAPE, 8, &large_tile);
  assert_finds (ways, SHAPE, 1, &small_tile);
  assert_finds (ways, OTHER, 1, NULL);
  yv_ways_set_for_all (ways, &lanes);
  assert_finds (ways, OTHER, 1, &lanes);
  assert_finds (ways, SHAPE, 1, &small_tile);
}

/* Or detections would depend on how many frames are analysed at once. */
static void
all_numbers_of_images_have_the_same_sums (void)
{
  g_autoptr (YvWays) ways = yv_ways_new ();

  yv_ways_add (ways, SHAPE, 1, &small_tile);
  yv_ways_add (ways, SHAPE, 4, &large_tile);
  yv_ways_add (ways, SHAPE, 8, &lanes);
  assert_finds (ways, SHAPE, 1, &lanes);
  assert_finds (ways, SHAPE, 4, &lanes);
  g_assert_false (yv_ways_has (ways, SHAPE, 4));
}

static void
what_is_refused_is_remembered_until_it_is_forgotten (void)
{
  g_autoptr (YvWays) ways = yv_ways_new ();

  yv_ways_refuse (ways, SHAPE, &winograd);
  yv_ways_refuse (ways, OTHER, &winograd);
  yv_ways_add (ways, SHAPE, 2, &lanes);
  g_assert_true (yv_ways_refused (ways, SHAPE, &winograd));
  g_assert_false (yv_ways_refused (ways, SHAPE, &lanes));
  yv_ways_forget (ways, SHAPE);
  g_assert_false (yv_ways_refused (ways, SHAPE, &winograd));
  g_assert_true (yv_ways_refused (ways, OTHER, &winograd));
  assert_finds (ways, SHAPE, 2, NULL);
}

static void
what_was_added_since_is_no_longer_refused (void)
{
  g_autoptr (YvWays) ways = yv_ways_new ();

  yv_ways_refuse (ways, SHAPE, &winograd);
  yv_ways_refuse (ways, SHAPE, &large_tile);
  yv_ways_add (ways, SHAPE, 2, &winograd);
  g_assert_false (yv_ways_refused (ways, SHAPE, &winograd));
  g_assert_true (yv_ways_refused (ways, SHAPE, &large_tile));
}

static void
a_shape_is_replaced_by_a_copy (void)
{
  g_autoptr (YvWays) from = yv_ways_new ();
  g_autoptr (YvWays) to = yv_ways_new ();

  yv_ways_add (from, SHAPE, 2, &lanes);
  yv_ways_refuse (from, SHAPE, &large_tile);
  yv_ways_add (from, OTHER, 2, &lanes);
  yv_ways_add (to, SHAPE, 1, &small_tile);
  yv_ways_refuse (to, SHAPE, &winograd);
  yv_ways_add (to, OTHER, 1, &small_tile);
  yv_ways_copy (to, from, SHAPE);
  g_autofree char *text = yv_ways_print (to);
  g_assert_cmpstr (text, ==,
                   "1 of " OTHER " = conv_coopmat 32x64\n"
                   "2 of " SHAPE " = conv_lanes32\n" SHAPE " ! conv_coopmat 128x128\n");
  assert_finds (to, SHAPE, 8, &lanes);
}

/* Twins with an epilogue are other kernels, which are compared and timed by themselves. */
static void
an_epilogue_makes_another_shape (void)
{
  YvNode node = {.op = YV_OP_CONV, .n_inputs = 1, .act.kind = YV_ACT_SILU};
  const YvOperand src = {.dtype = YV_DTYPE_F16, .h = 80, .w = 80};
  YvOperand dst = src;

  node.conv.weight = yv_weight_new (128, 64, 1, 3, 3);
  node.conv.stride_h = node.conv.stride_w = node.conv.pad_h = node.conv.pad_w = 1;
  g_autofree char *plain = yv_way_shape (&node, &src, &dst);
  node.n_inputs = 2;
  g_autofree char *sum = yv_way_shape (&node, &src, &dst);
  node.conv.act_last = true;
  g_autofree char *sum_first = yv_way_shape (&node, &src, &dst);
  node.n_inputs = 1;
  node.conv.act_last = false;
  node.conv.is_doubled = true;
  dst.h = dst.w = 160;
  g_autofree char *doubled = yv_way_shape (&node, &src, &dst);
  yv_weight_free (node.conv.weight);

  g_assert_cmpstr (plain, ==, SHAPE);
  g_assert_cmpstr (sum, ==, SHAPE "+add");
  g_assert_cmpstr (sum_first, ==, "f16>f16 3x3/1,1+1,1 64>128 g1 80x80>80x80 add+silu");
  g_assert_cmpstr (doubled, ==, SHAPE " x2");
}

static void
a_table_is_text_and_back (void)
{
  g_autoptr (YvWays) ways = yv_ways_new ();
  g_autoptr (YvWays) again = yv_ways_new ();

  yv_ways_add (ways, SHAPE, 1, &small_tile);
  yv_ways_add (ways, SHAPE, 8, &large_tile);
  yv_ways_keep (ways, OTHER, 1, &lanes); /* not measured, so not printed */
  yv_ways_refuse (ways, SHAPE, &winograd);
  g_autofree char *text = yv_ways_print (ways);
  g_assert_cmpstr (text, ==,
                   "1 of " SHAPE " = conv_coopmat 32x64\n"
                   "8 of " SHAPE " = conv_coopmat 128x128\n" SHAPE " ! winograd conv_lanes32\n");
  g_assert_true (yv_ways_parse (again, text));
  g_autofree char *text_again = yv_ways_print (again);
  g_assert_cmpstr (text, ==, text_again);
  assert_finds (again, SHAPE, 8, &large_tile);
  g_assert_true (yv_ways_refused (again, SHAPE, &winograd));
  g_assert_true (yv_ways_parse (again, ""));
}

static void
assert_is_readable (YvWays *ways)
{
  g_autoptr (YvWays) again = yv_ways_new ();
  g_autofree char *text = yv_ways_print (ways);

  g_assert_true (yv_ways_parse (again, text));
  g_autofree char *text_again = yv_ways_print (again);
  g_assert_cmpstr (text, ==, text_again);
}

/* Cut short and with every bit changed a text is refused whole, or is a table of something. */
static void
hostile_tables_are_refused_whole (void)
{
  static const char *const bad[] = {
      "\n",
      "x",
      "x\n",
      "1 of " SHAPE "\n",
      "0 of " SHAPE " = conv_tile\n",
      "-1 of " SHAPE " = conv_tile\n",
      "1 of " SHAPE " = conv_tile",
      "1 of " SHAPE " = conv_tile\n1 of " SHAPE " = nothing\n",
      "4294967296 of " SHAPE " = conv_tile\n",
      "1 of 2 of " SHAPE " = conv_tile\n",
  };
  const char good[] = "1 of " SHAPE " = conv_tile\n" SHAPE " ! conv_lanes32\n";
  g_autoptr (GString) many = g_string_new (NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (YvWays) ways = yv_ways_new ();

    g_test_message ("%s", bad[i]);
    g_assert_false (yv_ways_parse (ways, bad[i]));
    g_autofree char *text = yv_ways_print (ways);
    g_assert_cmpstr (text, ==, "");
  }
  for (size_t bit = 0; bit < 8 * strlen (good); bit++) {
    g_autofree char *text = g_strdup (good);
    g_autoptr (YvWays) ways = yv_ways_new ();

    text[bit / 8] = (char) (text[bit / 8] ^ 1 << bit % 8);
    const bool is_taken = yv_ways_parse (ways, text);
    g_autofree char *again = yv_ways_print (ways);
    g_assert_true (is_taken || *again == '\0');
    assert_is_readable (ways);
  }
  for (int i = 0; i < 20000; i++)
    g_string_append (many, "1 of x = conv_tile\n");
  g_autoptr (YvWays) ways = yv_ways_new ();
  g_assert_false (yv_ways_parse (ways, many->str));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/way/text", every_way_is_text_and_back);
  g_test_add_func ("/way/bad", other_texts_are_no_ways);
  g_test_add_func ("/ways/find", a_shape_is_found_for_its_images_or_for_others);
  g_test_add_func ("/ways/sums", all_numbers_of_images_have_the_same_sums);
  g_test_add_func ("/ways/refused", what_is_refused_is_remembered_until_it_is_forgotten);
  g_test_add_func ("/ways/added", what_was_added_since_is_no_longer_refused);
  g_test_add_func ("/ways/copy", a_shape_is_replaced_by_a_copy);
  g_test_add_func ("/way/epilogue", an_epilogue_makes_another_shape);
  g_test_add_func ("/ways/text", a_table_is_text_and_back);
  g_test_add_func ("/ways/hostile", hostile_tables_are_refused_whole);
  return g_test_run ();
}
