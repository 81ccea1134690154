/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-model.c - any bytes as a checkpoint of whole modules: refused with an error, or a
 * model of which a graph can be built or is refused with an error. */
#include <glib.h>

#include "engine/error.h"
#include "engine/graph/build.h"
#include "tests/fuzz/fuzz.h"

static void
check_error (const void *made, const GError *error)
{
  g_assert_true ((made == NULL) == (error != NULL));
  if (error)
    g_assert_true (error->domain == YV_ERROR && g_utf8_validate (error->message, -1, NULL));
}

static void
build (const YvModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvGraph) graph = yv_graph_build (model, 0, &error);

  check_error (graph, error);
  if (graph)
    yv_graph_assert_valid (graph);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GBytes) file = g_bytes_new (bytes, size_bytes);
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "fuzz", NULL);
  g_autoptr (GError) error = NULL;

  if (!checkpoint)
    return 0;
  g_autoptr (YvModel) model = yv_model_load (checkpoint, NULL, &error);
  check_error (model, error);
  if (model)
    build (model);
  return 0;
}
