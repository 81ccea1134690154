/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-params.c - parameters and GFLOPs, as trained and as deployed, of whole families
 * of descriptions: ours in cfg/, and upstream's where they are at hand.
 */
#include <string.h>

#include "engine/graph/build.h"
#include "engine/passes/passes.h"
#include "engine/plan/plan.h"
#include "tests/common/paths.h"

/* Spec section 6; what it does not tell, the rows of the derived tables sum up to (below, and
 * test-flops.c). */
typedef struct {
  const char *name; /* <folder>/<name>.yaml */
  uint64_t trained, deployed;
  double gflop_trained, gflop_deployed; /* at 640 px, or 1280 where the last stride is 64 */
  double gflop_published; /* upstream's, whose counter takes in batch-norms, too; 0: none */
} Expected;

/* A training description deploys to the same network as its deploy description. */
static const Expected expected[] = {
    {"training/yolov7-tiny", 6228762, 6219709, 13.70, 13.70, 0},
    {"deploy/yolov7-tiny", 6227101, 6219709, 13.70, 13.70, 0},
    {"deploy/yolov7-tiny-silu", 6227101, 6219709, 13.70, 13.70, 13.8},
    {"training/yolov7", 37622682, 36905341, 105.77, 104.51, 104.7},
    {"deploy/yolov7", 37620125, 36905341, 105.77, 104.51, 104.7},
    {"training/yolov7x", 71347394, 71311741, 189.67, 189.67, 189.9},
    {"deploy/yolov7x", 71344389, 71311741, 189.67, 189.67, 189.9},
    {"training/yolov7-w6", 82312436, 70394300, 420.11, 359.72, 360.0},
    {"deploy/yolov7-w6", 70426236, 70394300, 359.72, 359.72, 360.0},
    {"training/yolov7-e6", 111898292, 97202940, 588.09, 514.43, 515.2},
    {"deploy/yolov7-e6", 97246652, 97202940, 514.43, 514.43, 515.2},
    {"training/yolov7-d6", 154709364, 133757052, 806.06, 701.74, 0},
    {"deploy/yolov7-d6", 133810044, 133757052, 701.74, 701.74, 0},
    {"training/yolov7-e6e", 166408884, 151687420, 915.85, 842.18, 843.2},
    {"deploy/yolov7-e6e", 151757244, 151687420, 842.18, 842.18, 843.2},
    {"baseline/r50-csp", 34299578, 34267581, 65.15, 65.15, 0},
    {"baseline/x50-csp", 32299962, 32261885, 60.27, 60.27, 0},
    {"baseline/yolor-csp", 52923994, 52889053, 120.24, 120.24, 120.4},
    {"baseline/yolor-csp-x", 96943410, 96892725, 226.52, 226.52, 226.8},
    {"baseline/yolor-p6", 37265016, 37230012, 325.12, 325.12, 325.6},
    {"baseline/yolor-w6", 79873400, 79824444, 452.65, 452.65, 453.2},
    {"baseline/yolor-e6", 115899960, 115835900, 682.12, 682.12, 683.2},
    {"baseline/yolor-d6", 151773240, 151692540, 934.43, 934.43, 935.6},
    {"baseline/yolov3", 61949149, 61922845, 155.89, 155.89, 0},
    {"baseline/yolov3-spp", 62998749, 62971933, 156.73, 156.73, 0},
    {"baseline/yolov4-csp", 52921437, 52889053, 120.24, 120.24, 120.4},
};

static uint64_t
graph_n_params (const YvGraph *graph)
{
  uint64_t sum = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++)
    sum += yv_node_n_params (graph->nodes->pdata[i]);
  return sum;
}

static uint64_t
row_n_params (const YvGraph *graph, uint32_t row)
{
  uint64_t sum = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    sum += node->row == row ? yv_node_n_params (node) : 0;
  }
  return sum;
}

/* The channels that a row gives: of its last node. */
static uint32_t
row_c_out (const YvGraph *graph, uint32_t row)
{
  uint32_t c_out = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->row == row && node->op != YV_OP_INPUT)
      c_out = node->c_out;
  }
  return c_out;
}

static uint32_t
published_size (const YvGraph *graph)
{
  const YvDetectSpec *detect = &yv_graph_output (graph)->detect;

  return detect->stride[detect->n_levels - 1] == 64 ? 1280 : 640;
}

static double
graph_gflop (const YvGraph *graph, uint32_t size)
{
  return (double) yv_graph_flops (graph, size, size, NULL) / 1e9;
}

static YvModel *
load (const char *path)
{
  g_autoptr (GError) error = NULL;
  YvModel *model = yv_model_load (NULL, path, &error);

  g_assert_no_error (error);
  return model;
}

static YvGraph *
build (const YvModel *model)
{
  g_autoptr (GError) error = NULL;
  YvGraph *graph = yv_graph_build (model, 1, &error);

  g_assert_no_error (error);
  return graph;
}

/* Every parameter of every row is in the graph, and no other. */
static void
compare_rows_with_layers (const YvGraph *graph, const YvModel *model)
{
  for (uint32_t i = 0; i < model->layers->len; i++)
    g_assert_cmpuint (row_n_params (graph, i), ==, yv_layer_n_params (model->layers->pdata[i]));
}

static void
compare_totals (const char *path, const Expected *numbers)
{
  g_autoptr (YvModel) model = load (path);
  g_autoptr (YvGraph) graph = build (model);
  const uint32_t size = published_size (graph);
  const uint64_t trained = graph_n_params (graph);
  const double gflop_trained = graph_gflop (graph, size);

  compare_rows_with_layers (graph, model);
  yv_passes_run (graph, NULL);
  const double gflop = graph_gflop (graph, size);
  g_test_message ("%-24s parameters %9" G_GUINT64_FORMAT " -> %9" G_GUINT64_FORMAT
                  "   GFLOP at %4u: %6.2f -> %6.2f   published %g",
                  numbers->name, trained, graph_n_params (graph), size, gflop_trained, gflop,
                  numbers->gflop_published);
  g_assert_cmpuint (trained, ==, numbers->trained);
  g_assert_cmpuint (graph_n_params (graph), ==, numbers->deployed);
  g_assert_cmpfloat_with_epsilon (gflop_trained, numbers->gflop_trained, 0.0051);
  g_assert_cmpfloat_with_epsilon (gflop, numbers->gflop_deployed, 0.0051);
  if (numbers->gflop_published > 0)
    g_assert_cmpfloat_with_epsilon (gflop / numbers->gflop_published, 1, 0.01);
}

static void
our_descriptions_have_the_published_totals (void)
{
  uint32_t n_found = 0;

  for (size_t i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autofree char *file = g_strdup_printf ("cfg/%s.yaml", expected[i].name);
    g_autofree char *path = yv_test_source_path (file);
    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      continue;
    compare_totals (path, &expected[i]);
    n_found++;
  }
  g_assert_cmpuint (n_found, >, 0);
}

static void
upstream_descriptions_have_the_published_totals (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autofree char *file = g_strdup_printf ("upstream-cfg/%s.yaml", expected[i].name);
    g_autofree char *path = yv_test_shared_path (file);
    if (!path) {
      g_test_skip ("upstream's descriptions are not here");
      return;
    }
    compare_totals (path, &expected[i]);
  }
}

/* One row of the tables that were derived from upstream's descriptions: row, sources, repeats,
 * module, arguments, c_in, c_out, stride, parameters. */
static void
compare_table_row (const YvGraph *graph, uint32_t row, char **fields)
{
  g_assert_cmpuint (g_strv_length (fields), ==, 9);
  g_assert_cmpuint (row, ==, g_ascii_strtoull (fields[0], NULL, 10));
  g_assert_cmpuint (row_n_params (graph, row), ==, g_ascii_strtoull (fields[8], NULL, 10));
  if (!g_str_has_suffix (fields[3], "Detect"))
    g_assert_cmpuint (row_c_out (graph, row), ==, g_ascii_strtoull (fields[6], NULL, 10));
}

static bool
compare_with_table (const Expected *numbers)
{
  g_autofree char *yaml_file = g_strdup_printf ("upstream-cfg/%s.yaml", numbers->name);
  g_autofree char *yaml = yv_test_shared_path (yaml_file);
  g_autofree char *table_name = g_strdelimit (g_strdup (numbers->name), "/", '-');
  g_autofree char *table_file = g_strdup_printf ("spec/graph/%s.tsv", table_name);
  g_autofree char *table = yv_test_shared_path (table_file);
  g_autofree char *text = NULL;

  if (!yaml || !table)
    return false;
  g_assert_true (g_file_get_contents (table, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  g_autoptr (YvModel) model = load (yaml);
  g_autoptr (YvGraph) graph = build (model);
  g_assert_cmpuint (g_strv_length (lines), ==, 1 + graph->n_rows);
  for (uint32_t row = 0; row < graph->n_rows; row++) {
    g_auto (GStrv) fields = g_strsplit (lines[1 + row], "\t", -1);
    compare_table_row (graph, row, fields);
  }
  return true;
}

static void
every_row_has_the_count_and_channels_of_the_derived_tables (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (expected); i++)
    if (!compare_with_table (&expected[i])) {
      g_test_skip ("upstream's descriptions or their tables are not here");
      return;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/params/ours", our_descriptions_have_the_published_totals);
  g_test_add_func ("/params/upstream", upstream_descriptions_have_the_published_totals);
  g_test_add_func ("/params/tables", every_row_has_the_count_and_channels_of_the_derived_tables);
  return g_test_run ();
}
