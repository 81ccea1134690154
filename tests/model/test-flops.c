/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-flops.c - multiply-adds of every row of upstream's descriptions, counted a
 * second time: from the tables of rows that were derived from them, by a formula a module.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/graph/build.h"
#include "engine/passes/passes.h"
#include "engine/plan/plan.h"
#include "tests/common/paths.h"

#define N_OUTPUTS_PER_CELL 255 /* 3 anchors of 5 + 80 */

static const char *const names[] = {
    "training/yolov7-tiny", "training/yolov7",     "training/yolov7x",    "training/yolov7-w6",
    "training/yolov7-e6",   "training/yolov7-d6",  "training/yolov7-e6e", "deploy/yolov7-tiny",
    "deploy/yolov7",        "deploy/yolov7x",      "deploy/yolov7-w6",    "deploy/yolov7-e6",
    "deploy/yolov7-d6",     "deploy/yolov7-e6e",   "baseline/r50-csp",    "deploy/yolov7-tiny-silu",
    "baseline/x50-csp",     "baseline/yolor-csp",  "baseline/yolor-p6",   "baseline/yolor-csp-x",
    "baseline/yolor-w6",    "baseline/yolor-e6",   "baseline/yolor-d6",   "baseline/yolov3",
    "baseline/yolov3-spp",  "baseline/yolov4-csp",
};

/* A row of a table. */
typedef struct {
  const char *module;
  uint64_t n_repeats, c1, c2;
  uint64_t kernel_area, stride; /* of a Conv */
  uint64_t out_side;            /* cells */
  char **from, **channels, **strides;
} Row;

static uint64_t
number (const char *text)
{
  return g_ascii_strtoull (text, NULL, 10);
}

/* "128 3 2": channels, kernel, stride; the kernel may be "[1,1]". */
static void
parse_args (const char *args, Row *row)
{
  g_auto (GStrv) words = g_strsplit (args, " ", -1);
  const guint n = g_strv_length (words);
  const char *kernel = n > 1 ? words[1] : "1";

  row->kernel_area = *kernel == '[' ? number (kernel + 1) * number (strchr (kernel, ',') + 1)
                                    : number (kernel) * number (kernel);
  row->stride = n > 2 ? number (words[2]) : 1;
}

static uint64_t
macs_of_bottlenecks (const Row *row, uint64_t c)
{
  return row->n_repeats * (c * c + 9 * c * c);
}

/* Res and ResX blocks: 1x1 to @middle channels, 3x3 in groups, 1x1 back. */
static uint64_t
macs_of_residuals (const Row *row, uint64_t c, uint64_t middle, uint64_t groups)
{
  return row->n_repeats * (2 * c * middle + 9 * middle * middle / groups);
}

static uint64_t
macs_of_blocks (const Row *row, uint64_t c)
{
  if (g_str_has_prefix (row->module, "ResX"))
    return macs_of_residuals (row, c, c, 32);
  if (g_str_has_prefix (row->module, "Res"))
    return macs_of_residuals (row, c, c / 2, 1);
  return macs_of_bottlenecks (row, c);
}

/* Multiply-adds of one output cell as trained; spec 1.4 has the modules. */
static uint64_t
macs_per_cell (const Row *row)
{
  const uint64_t c1 = row->c1, c2 = row->c2, half = c2 / 2;

  if (strcmp (row->module, "Conv") == 0)
    return row->kernel_area * c1 * c2;
  if (strcmp (row->module, "RepConv") == 0)
    return (9 + 1) * c1 * c2;
  if (strcmp (row->module, "DownC") == 0)
    return 4 * c1 * c1 + 9 * c1 * half + c1 * half;
  if (strcmp (row->module, "SPPCSPC") == 0)
    return 2 * c1 * c2 + (9 + 1 + 4 + 9 + 2) * c2 * c2;
  if (strcmp (row->module, "SPP") == 0)
    return c1 * (c1 / 2) + 4 * (c1 / 2) * c2;
  if (strcmp (row->module, "Stem") == 0)
    return 4 * (9 * c1 * half + half * half) + 9 * half * half + 2 * half * c2;
  if (strcmp (row->module, "Bottleneck") == 0)
    return row->n_repeats * (c1 * half + 9 * half * c2);
  if (g_str_has_suffix (row->module, "CSPA"))
    return 2 * c1 * half + 2 * half * c2 + macs_of_blocks (row, half);
  if (g_str_has_suffix (row->module, "CSPB"))
    return c1 * c2 + c2 * c2 + 2 * c2 * c2 + macs_of_blocks (row, c2);
  if (g_str_has_suffix (row->module, "CSPC"))
    return 2 * c1 * half + half * half + 2 * half * c2 + macs_of_blocks (row, half);
  return 0;
}

static uint64_t
macs_of_head (const Row *row, uint32_t n_inputs, uint64_t size)
{
  uint64_t sum = 0;

  for (uint32_t i = 0; i < n_inputs; i++) {
    const uint64_t side = size / number (row->strides[i]);
    sum += number (row->channels[i]) * N_OUTPUTS_PER_CELL * side * side;
  }
  return sum;
}

/* Only the first half of what an IAuxDetect reads is deployed: the rest is never computed. */
static uint32_t
n_deployed_inputs (const Row *head)
{
  const uint32_t n_inputs = g_strv_length (head->from);

  return strcmp (head->module, "IAuxDetect") == 0 ? n_inputs / 2 : n_inputs;
}

static void
add_row (char **fields, uint64_t size, uint64_t *trained, uint64_t *deployed)
{
  g_auto (GStrv) from = g_strsplit (fields[1], ",", -1);
  g_auto (GStrv) channels = g_strsplit (fields[5], ",", -1);
  g_auto (GStrv) strides = g_strsplit (fields[7], ",", -1);
  Row row = {.module = fields[3],
             .n_repeats = number (fields[2]),
             .c1 = number (fields[5]),
             .c2 = number (fields[6]),
             .out_side = size / number (fields[7]),
             .from = from,
             .channels = channels,
             .strides = strides};

  parse_args (fields[4], &row);
  if (g_str_has_suffix (row.module, "Detect")) {
    const uint32_t n_kept = n_deployed_inputs (&row);
    *trained = macs_of_head (&row, g_strv_length (from), size);
    *deployed = macs_of_head (&row, n_kept, size);
    return;
  }
  *trained = *deployed = macs_per_cell (&row) * row.out_side * row.out_side;
  if (strcmp (row.module, "RepConv") == 0)
    *deployed = *trained / 10 * 9;
}

/* As many rows before an IAuxDetect as it has levels are auxiliary. */
static void
drop_auxiliary_rows (uint64_t *deployed, guint n_rows, char **head_fields)
{
  g_auto (GStrv) from = g_strsplit (head_fields[1], ",", -1);
  const guint n_from = g_strv_length (from);

  if (strcmp (head_fields[3], "IAuxDetect") != 0)
    return;
  for (guint i = n_from / 2; i < n_from; i++) {
    g_assert_cmpuint (number (from[i]), <, n_rows);
    deployed[number (from[i])] = 0;
  }
}

static void
compare_rows (const YvGraph *graph, uint64_t size, const uint64_t *macs)
{
  g_autofree uint64_t *flops = g_new0 (uint64_t, graph->nodes->len);
  g_autofree uint64_t *of_rows = g_new0 (uint64_t, graph->n_rows);
  const uint64_t total = yv_graph_flops (graph, (uint32_t) size, (uint32_t) size, flops);
  uint64_t expected = 0;

  for (guint i = 0; i < graph->nodes->len; i++)
    of_rows[((const YvNode *) graph->nodes->pdata[i])->row] += flops[i];
  for (guint row = 0; row < graph->n_rows; row++) {
    if (of_rows[row] != 2 * macs[row])
      g_test_message ("row %u", row);
    g_assert_cmpuint (of_rows[row], ==, 2 * macs[row]);
    expected += 2 * macs[row];
  }
  g_assert_cmpuint (total, ==, expected);
}

static YvGraph *
build (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModel) model = yv_model_load (NULL, path, &error);
  g_assert_no_error (error);
  YvGraph *graph = yv_graph_build (model, 1, &error);
  g_assert_no_error (error);
  return graph;
}

static void
compare_table (const char *name, const char *yaml, const char *table)
{
  g_autoptr (YvGraph) graph = build (yaml);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (table, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  const guint n_rows = g_strv_length (lines) - 1;
  g_auto (GStrv) head = g_strsplit (lines[n_rows], "\t", -1);
  const uint64_t size = strstr (head[7], "64") ? 1280 : 640;
  g_autofree uint64_t *trained = g_new0 (uint64_t, n_rows);
  g_autofree uint64_t *deployed = g_new0 (uint64_t, n_rows);
  uint64_t sums[2] = {0};

  g_assert_cmpuint (n_rows, ==, graph->n_rows);
  for (guint i = 0; i < n_rows; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[1 + i], "\t", -1);
    add_row (fields, size, &trained[i], &deployed[i]);
  }
  drop_auxiliary_rows (deployed, n_rows, head);
  for (guint i = 0; i < n_rows; i++) {
    sums[0] += 2 * trained[i];
    sums[1] += 2 * deployed[i];
  }
  g_test_message ("%-24s %3u rows   GFLOP at %4u: %6.2f as trained, %6.2f as deployed", name,
                  n_rows, (guint) size, (double) sums[0] / 1e9, (double) sums[1] / 1e9);
  compare_rows (graph, size, trained);
  yv_passes_run (graph, NULL);
  compare_rows (graph, size, deployed);
}

static void
every_row_costs_what_the_derived_tables_say (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *yaml_file = g_strdup_printf ("upstream-cfg/%s.yaml", names[i]);
    g_autofree char *yaml = yv_test_shared_path (yaml_file);
    g_autofree char *table_name = g_strdelimit (g_strdup (names[i]), "/", '-');
    g_autofree char *table_file = g_strdup_printf ("spec/graph/%s.tsv", table_name);
    g_autofree char *table = yv_test_shared_path (table_file);

    if (!yaml || !table) {
      g_test_skip ("upstream's descriptions or their tables are not here");
      return;
    }
    compare_table (names[i], yaml, table);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flops/tables", every_row_costs_what_the_derived_tables_say);
  return g_test_run ();
}
