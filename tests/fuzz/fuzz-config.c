/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-config.c - any bytes as a model description: refused with an error, or layers
 * whose sources are earlier rows. */
#include <glib.h>

#include "engine/error.h"
#include "engine/model/config.h"
#include "engine/model/from_config.h"
#include "tests/fuzz/fuzz.h"

static void
check_layers (const GPtrArray *layers)
{
  for (guint i = 0; i < layers->len; i++) {
    const YvLayer *layer = g_ptr_array_index (layers, i);
    g_assert_nonnull (layer->module);
    g_assert_cmpuint (layer->n_from, >, 0);
    for (uint32_t k = 0; k < layer->n_from; k++)
      g_assert_true (layer->from[k] >= YV_FROM_INPUT && layer->from[k] < (int) i);
    g_assert_cmpuint (yv_layer_n_params (layer), <=, (uint64_t) 1 << 31);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvConfig) config = yv_config_parse ((const char *) bytes, size_bytes, "fuzz", &error);
  g_autoptr (GPtrArray) layers =
      config ? yv_layers_from_config (config, config->n_classes, &error) : NULL;

  g_assert_true ((layers == NULL) == (error != NULL));
  if (layers)
    check_layers (layers);
  else
    g_assert_true (error->domain == YV_ERROR && g_utf8_validate (error->message, -1, NULL));
  return 0;
}
