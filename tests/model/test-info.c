/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-info.c - a model described. */
#include <string.h>

#include "engine/yolov7-tools.h"
#include "tests/model/enginecase.h"

static void
inspect_tells_rows_as_trained_and_as_deployed (void)
{
  g_autofree char *path = model_path ();
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModelInfo) info = yv_model_info_new (path, NULL, 0, &error);
  uint64_t n_trained = 0, n_deployed = 0, flops = 0;

  g_assert_no_error (error);
  g_assert_cmpuint (info->n_layers, ==, 122); /* spec 1.3: yolov7x */
  g_assert_cmpstr (info->format, ==, "torch legacy");
  g_assert_cmpuint (info->width, ==, 640);
  g_assert_cmpuint (info->n_levels, ==, 3);
  g_assert_cmpuint (info->strides[2], ==, 32);
  g_assert_cmpuint (info->n_anchors, ==, 3);
  g_assert_cmpstr (info->layers[0].module, ==, "Conv");
  g_assert_cmpstr (info->layers[0].from, ==, "-1");
  g_assert_cmpstr (info->layers[0].trained, ==, "conv 3x3 + bn + silu");
  g_assert_cmpstr (info->layers[0].deployed, ==, "conv 3x3 silu");
  g_assert_cmpuint (info->layers[0].h_out, ==, 640);
  g_assert_cmpuint (info->layers[120].h_out, ==, 20);
  g_assert_nonnull (strstr (info->layers[121].trained, "implicit"));
  g_assert_null (strstr (info->layers[121].deployed, "implicit"));
  for (uint32_t i = 0; i < info->n_layers; i++) {
    n_trained += info->layers[i].n_params_trained;
    n_deployed += info->layers[i].n_params_deployed;
    flops += info->layers[i].flops;
  }
  g_assert_cmpuint (n_trained, ==, info->n_params_trained);
  g_assert_cmpuint (n_deployed, ==, info->n_params_deployed);
  g_assert_cmpuint (n_deployed, <, n_trained);
  g_assert_cmpuint (flops, ==, info->flops);
  g_assert_cmpuint (info->n_passes, >=, 7);
  g_assert_null (yv_model_info_new (path, NULL, 100000, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/info/rows", inspect_tells_rows_as_trained_and_as_deployed);
  return g_test_run ();
}
