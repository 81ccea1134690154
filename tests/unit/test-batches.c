/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-batches.c - tools/eval/batches.h against shapes that test.py chooses (spec 4.4).
 */
#include "tools/eval/batches.h"

static Dataset *
dataset_of (const uint32_t (*sizes)[2], uint32_t n)
{
  Dataset *dataset = dataset_new (1);

  for (uint32_t i = 0; i < n; i++) {
    DatasetImage *image = dataset_add (dataset, g_strdup ("picture"));

    image->width = sizes[i][0];
    image->height = sizes[i][1];
  }
  return dataset;
}

/* Half a stride is added before rounding up: 640 becomes 672. */
static void
batches_are_as_large_as_test_pys (void)
{
  static const struct {
    uint32_t sizes[2][2], size, stride, net_w, net_h;
  } cases[] = {
      {{{768, 576}, {768, 576}}, 640, 32, 672, 512},
      {{{640, 480}, {640, 360}}, 640, 32, 672, 512}, /* the higher one decides */
      {{{480, 640}, {360, 640}}, 640, 32, 512, 672}, /* the wider one */
      {{{640, 480}, {480, 640}}, 640, 32, 672, 672},
      {{{640, 640}, {640, 480}}, 640, 32, 672, 672},
      {{{1920, 1080}, {1920, 1080}}, 1280, 64, 1344, 768},
      {{{640, 480}, {640, 480}}, 320, 8, 352, 256}, /* a stride below 32 counts as 32 */
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Dataset) dataset = dataset_of (cases[i].sizes, 2);
    g_autofree uint32_t *order = NULL;
    g_autoptr (GArray) batches = batches_plan (dataset, cases[i].size, cases[i].stride, 2, &order);
    const Batch *batch = &g_array_index (batches, Batch, 0);

    g_test_message ("case %u", i);
    g_assert_cmpuint (batches->len, ==, 1);
    g_assert_cmpuint (batch->net_w, ==, cases[i].net_w);
    g_assert_cmpuint (batch->net_h, ==, cases[i].net_h);
  }
}

static void
flat_pictures_come_first_and_ties_keep_their_order (void)
{
  static const uint32_t sizes[][2] = {{480, 640}, {640, 360}, {640, 480}, {640, 360}, {640, 480}};
  static const uint32_t expected[] = {1, 3, 2, 4, 0};
  g_autoptr (Dataset) dataset = dataset_of (sizes, 5);
  g_autofree uint32_t *order = NULL;
  g_autoptr (GArray) batches = batches_plan (dataset, 640, 32, 2, &order);
  const Batch *last = &g_array_index (batches, Batch, 2);

  g_assert_cmpmem (order, 5 * sizeof *order, expected, sizeof expected);
  g_assert_cmpuint (batches->len, ==, 3);
  g_assert_cmpuint (last->first, ==, 4);
  g_assert_cmpuint (last->n, ==, 1);
  g_assert_cmpuint (last->net_h, ==, 672);
  g_assert_cmpuint (last->net_w, ==, 512);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batches/shapes", batches_are_as_large_as_test_pys);
  g_test_add_func ("/batches/order", flat_pictures_come_first_and_ties_keep_their_order);
  return g_test_run ();
}
