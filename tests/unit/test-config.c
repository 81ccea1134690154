/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-config.c - engine/model: yaml -> rows -> layers; good ones and refused ones. */
#include <string.h>

#include "engine/error.h"
#include "engine/model/config.h"
#include "engine/model/from_config.h"
#include "engine/model/model.h"
#include "tests/common/layers.h"
#include "tests/common/paths.h"

#define HEADER "nc: 2\ndepth_multiple: 1.0\nwidth_multiple: 1.0\n"
#define ANCHORS "anchors:\n  - [10,13, 16,30]\n"

static GPtrArray *
parse (const char *text, GError **error)
{
  g_autoptr (YvConfig) config = yv_config_parse (text, strlen (text), "x.yaml", error);

  return config ? yv_layers_from_config (config, config->n_classes, error) : NULL;
}

static const YvModule *
module_at (const GPtrArray *layers, guint row)
{
  const YvLayer *layer = g_ptr_array_index (layers, row);

  return layer->module;
}

/* A backbone of @rows, one level of Detect over the last of them. */
static GPtrArray *
parse_rows (const char *rows)
{
  g_autofree char *text = g_strdup_printf (
      HEADER ANCHORS "backbone: [%s]\nhead: [[-1, 1, Detect, [nc, anchors]]]\n", rows);
  g_autoptr (GError) error = NULL;
  GPtrArray *layers = parse (text, &error);

  g_assert_no_error (error);
  return layers;
}

typedef struct {
  const char *file;
  uint64_t n_params; /* unfused, spec section 6 */
} Total;

static const Total totals[] = {
    {"training/yolov7.yaml", 37622682},        {"training/yolov7x.yaml", 71347394},
    {"training/yolov7-tiny.yaml", 6228762},    {"training/yolov7-w6.yaml", 82312436},
    {"training/yolov7-e6.yaml", 111898292},    {"training/yolov7-d6.yaml", 154709364},
    {"training/yolov7-e6e.yaml", 166408884},   {"deploy/yolov7.yaml", 37620125},
    {"deploy/yolov7x.yaml", 71344389},         {"deploy/yolov7-tiny.yaml", 6227101},
    {"deploy/yolov7-tiny-silu.yaml", 6227101}, {"deploy/yolov7-w6.yaml", 70426236},
    {"deploy/yolov7-e6.yaml", 97246652},       {"deploy/yolov7-d6.yaml", 133810044},
    {"deploy/yolov7-e6e.yaml", 151757244},
};

static void
our_descriptions_have_the_published_parameter_counts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (totals); i++) {
    g_autofree char *in_cfg = g_build_filename ("cfg", totals[i].file, NULL);
    g_autofree char *path = yv_test_source_path (in_cfg);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvModel) model = yv_model_load (NULL, path, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (yv_test_count_params (model), ==, totals[i].n_params);
    g_assert_cmpstr (model->weights_kind, ==, "random");
    g_assert_null (model->tensors);
  }
}

static void
our_descriptions_mean_what_upstreams_mean (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (totals); i++) {
    g_autofree char *in_cfg = g_build_filename ("cfg", totals[i].file, NULL);
    g_autofree char *our_path = yv_test_source_path (in_cfg);
    g_autofree char *in_shared = g_build_filename ("upstream-cfg", totals[i].file, NULL);
    g_autofree char *their_path = yv_test_shared_path (in_shared);
    g_autoptr (GError) error = NULL;
    if (!their_path) {
      g_test_skip ("upstream's descriptions are not here");
      return;
    }
    g_autoptr (YvModel) ours = yv_model_load (NULL, our_path, &error);
    g_assert_no_error (error);
    g_autoptr (YvModel) theirs = yv_model_load (NULL, their_path, &error);
    g_assert_no_error (error);
    yv_test_assert_same_layers (ours, theirs);
    yv_test_assert_same_layers (theirs, ours);
  }
}

/* index from_abs repeat module args c_in c_out stride_out params_unfused, tab separated. */
static void
assert_row_as_in_table (const YvLayer *layer, const char *line)
{
  g_auto (GStrv) columns = g_strsplit (line, "\t", -1);
  g_autoptr (GString) from = g_string_new (NULL);

  for (uint32_t i = 0; i < layer->n_from; i++)
    g_string_append_printf (from, i ? ",%d" : "%d", layer->from[i]);
  g_assert_cmpuint (g_strv_length (columns), ==, 9);
  g_assert_cmpstr (from->str, ==, columns[1]);
  g_assert_cmpuint (yv_layer_n_params (layer), ==, g_ascii_strtoull (columns[8], NULL, 10));
}

static void
assert_model_as_in_table (const char *description, const char *table)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModel) model = yv_model_load (NULL, description, &error);

  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (table, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  g_assert_cmpuint (model->layers->len, ==, g_strv_length (lines) - 1);
  for (guint i = 0; i < model->layers->len; i++)
    assert_row_as_in_table (g_ptr_array_index (model->layers, i), lines[i + 1]);
}

static void
every_upstream_description_gives_the_rows_of_its_table (void)
{
  static const char *const sets[] = {"training", "deploy", "baseline"};
  guint n_tables = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    g_autofree char *in_shared = g_build_filename ("upstream-cfg", sets[i], NULL);
    g_autofree char *folder = yv_test_shared_path (in_shared);
    g_autoptr (GDir) dir = folder ? g_dir_open (folder, 0, NULL) : NULL;
    for (const char *name; dir && (name = g_dir_read_name (dir)); n_tables++) {
      g_autofree char *stem = g_strndup (name, strlen (name) - strlen (".yaml"));
      g_autofree char *file = g_strdup_printf ("spec/graph/%s-%s.tsv", sets[i], stem);
      g_autofree char *table = yv_test_shared_path (file);
      g_autofree char *description = g_build_filename (folder, name, NULL);
      assert_model_as_in_table (description, table);
    }
  }
  if (n_tables == 0)
    g_test_skip ("the tables are not here");
  else
    g_assert_cmpuint (n_tables, ==, 26);
}

static void
channels_are_scaled_up_to_a_multiple_of_eight (void)
{
  g_autoptr (GPtrArray) layers = parse_rows ("[-1, 1, Conv, [4, 3, 2]], [-1, 1, Conv, [9]]");
  const YvModule *first = yv_module_child (module_at (layers, 0), "conv");
  const YvModule *second = yv_module_child (module_at (layers, 1), "conv");

  g_assert_cmpfloat (yv_module_number (first, "in_channels", 0, 0), ==, 3);
  g_assert_cmpfloat (yv_module_number (first, "out_channels", 0, 0), ==, 8);
  g_assert_cmpfloat (yv_module_number (first, "padding", 1, 0), ==, 1);
  g_assert_cmpfloat (yv_module_number (second, "in_channels", 0, 0), ==, 8);
  g_assert_cmpfloat (yv_module_number (second, "out_channels", 0, 0), ==, 16);
}

static void
as_many_channels_as_the_head_has_are_not_scaled (void)
{
  /* 2 anchors * (5 + 2 classes) = 14 */
  g_autoptr (GPtrArray) layers = parse_rows ("[-1, 1, Conv, [14, 1, 1]]");
  const YvModule *conv = yv_module_child (module_at (layers, 0), "conv");

  g_assert_cmpfloat (yv_module_number (conv, "out_channels", 0, 0), ==, 14);
}

static guint
count_repeats (const char *depth_multiple, guint number)
{
  g_autofree char *text = g_strdup_printf (
      "nc: 2\ndepth_multiple: %s\nwidth_multiple: 1\n" ANCHORS "backbone: [[-1, 1, Conv, [8]], "
      "[-1, %u, BottleneckCSPA, [8]]]\nhead: [[-1, 1, Detect, [nc, anchors]]]\n",
      depth_multiple, number);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) layers = parse (text, &error);

  g_assert_no_error (error);
  return yv_module_child (module_at (layers, 1), "m")->children->len;
}

static void
repeats_are_rounded_half_to_even_and_one_is_never_scaled (void)
{
  g_assert_cmpuint (count_repeats ("1.33", 8), ==, 11);
  g_assert_cmpuint (count_repeats ("1.33", 4), ==, 5);
  g_assert_cmpuint (count_repeats ("1.33", 2), ==, 3);
  g_assert_cmpuint (count_repeats ("0.5", 5), ==, 2);
  g_assert_cmpuint (count_repeats ("0.5", 3), ==, 2);
  g_assert_cmpuint (count_repeats ("0.1", 3), ==, 1);
  g_assert_cmpuint (count_repeats ("3.0", 1), ==, 1);
}

static void
a_repeated_block_becomes_a_sequence_of_equals (void)
{
  g_autoptr (GPtrArray) layers =
      parse_rows ("[-1, 1, Conv, [16]], [-1, 3, Bottleneck, [16, False]]");
  const YvModule *sequence = module_at (layers, 1);
  const YvModule *last = yv_module_child (sequence, "2");

  g_assert_true (yv_module_is (sequence, "Sequential"));
  g_assert_cmpuint (sequence->children->len, ==, 3);
  g_assert_cmpstr (yv_module_child (last, "cv2")->path, ==, "model.1.2.cv2");
  g_assert_cmpfloat (yv_module_number (last, "add", 0, -1), ==, 0);
}

static void
activations_are_read_by_name_and_slope (void)
{
  g_autoptr (GPtrArray) layers =
      parse_rows ("[-1, 1, Conv, [8, 1, 1, None, 1, nn.LeakyReLU(0.2)]], "
                  "[-1, 1, Conv, [8, 1, 1, None, 1, False]], [-1, 1, Conv, [8]], "
                  "[-1, 1, Conv, [8, 1, 1, None, 1, 'nn.ReLU(inplace=True)']]");
  const YvModule *leaky = yv_module_child (module_at (layers, 0), "act");

  g_assert_true (yv_module_is (leaky, "LeakyReLU"));
  g_assert_cmpfloat (yv_module_number (leaky, "negative_slope", 0, 0), ==, 0.2);
  g_assert_true (yv_module_is (yv_module_child (module_at (layers, 1), "act"), "Identity"));
  g_assert_true (yv_module_is (yv_module_child (module_at (layers, 2), "act"), "SiLU"));
  g_assert_true (yv_module_is (yv_module_child (module_at (layers, 3), "act"), "ReLU"));
}

static void
a_plain_convolution_has_a_bias_and_no_padding_by_default (void)
{
  g_autoptr (GPtrArray) layers = parse_rows (
      "[-1, 1, nn.Conv2d, [8, [3, 1], 2]], [-1, 1, nn.Conv2d, [8, 3, 1, 1, 1, 4, False]], "
      "[-1, 1, DWConv, [16, 3]]");
  const YvModule *plain = module_at (layers, 0);
  const YvModule *grouped = module_at (layers, 1);
  const YvModule *depthwise = yv_module_child (module_at (layers, 2), "conv");

  g_assert_cmpfloat (yv_module_number (plain, "padding", 0, -1), ==, 0);
  g_assert_cmpfloat (yv_module_number (plain, "kernel_size", 0, -1), ==, 3);
  g_assert_cmpfloat (yv_module_number (plain, "kernel_size", 1, -1), ==, 1);
  g_assert_cmpfloat (yv_module_number (plain, "bias", 0, -1), ==, 1);
  g_assert_cmpuint (yv_layer_n_params (g_ptr_array_index (layers, 1)), ==, 8 * 2 * 9);
  g_assert_cmpfloat (yv_module_number (grouped, "padding", 1, -1), ==, 1);
  g_assert_cmpfloat (yv_module_number (depthwise, "groups", 0, -1), ==, 8);
}

static void
repconv_has_an_identity_only_where_shapes_stay (void)
{
  g_autoptr (GPtrArray) layers =
      parse_rows ("[-1, 1, Conv, [8]], [-1, 1, RepConv, [8, 3, 1]], [-1, 1, RepConv, [8, 3, 2]]");
  const YvModule *with = module_at (layers, 1);
  const YvModule *without = module_at (layers, 2);
  const YvModule *pointwise = yv_module_child (yv_module_child (with, "rbr_1x1"), "0");

  g_assert_true (yv_module_is (yv_module_child (with, "rbr_identity"), "BatchNorm2d"));
  g_assert_null (yv_module_child (without, "rbr_identity"));
  g_assert_cmpfloat (yv_module_number (pointwise, "kernel_size", 0, 0), ==, 1);
  g_assert_cmpfloat (yv_module_number (pointwise, "padding", 0, -1), ==, 0);
}

static void
anchors_are_turned_round_where_strides_shrink (void)
{
  static const char text[] =
      HEADER "anchors:\n  - [10,10]\n  - [90,90]\n"
             "backbone: [[-1, 1, Conv, [8, 3, 2]], [-1, 1, Conv, [8, 3, 2]]]\n"
             "head: [[[1, 0], 1, Detect, [nc, anchors]]]\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) layers = parse (text, &error);

  g_assert_no_error (error);
  const YvModule *head = module_at (layers, 2);
  g_assert_cmpfloat (yv_module_number (head, "stride", 0, 0), ==, 4);
  g_assert_cmpfloat (yv_module_number (head, "anchors", 0, 0), ==, 90);
  g_assert_cmpfloat (yv_module_number (head, "anchors", 2, 0), ==, 10);
}

static void
a_number_of_anchors_stands_for_placeholders (void)
{
  static const char text[] = HEADER "anchors: 3\nbackbone: [[-1, 1, Conv, [8]]]\n"
                                    "head: [[-1, 1, IDetect, [nc, anchors]]]\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) layers = parse (text, &error);

  g_assert_no_error (error);
  const YvModule *head = module_at (layers, 1);
  g_assert_cmpfloat (yv_module_number (head, "na", 0, 0), ==, 3);
  g_assert_cmpfloat (yv_module_number (head, "anchors", 5, 0), ==, 5);
  g_assert_cmpuint (yv_module_child (head, "ia")->children->len, ==, 1);
}

static void
an_absolute_row_and_a_relative_one_may_be_the_same (void)
{
  g_autoptr (GPtrArray) layers =
      parse_rows ("[-1, 1, Conv, [8]], [-1, 1, Conv, [8]], [[-1, 0, -2], 1, Concat, [1]]");
  const YvLayer *concat = g_ptr_array_index (layers, 2);
  const YvLayer *first = g_ptr_array_index (layers, 0);

  g_assert_cmpint (first->from[0], ==, YV_FROM_INPUT);
  g_assert_cmpuint (concat->n_from, ==, 3);
  g_assert_cmpint (concat->from[0], ==, 1);
  g_assert_cmpint (concat->from[1], ==, 0);
  g_assert_cmpint (concat->from[2], ==, 0);
}

/* @row stands in line 8. */
#define BAD_ROW(row)                                                                               \
  HEADER ANCHORS "backbone:\n  - [-1, 1, Conv, [8]]\n  - " row                                     \
                 "\nhead: [[-1, 1, Detect, [nc, anchors]]]\n"

static const struct {
  const char *text;
  const char *message;
} refused[] = {
    {"", "x.yaml:1: the file is empty; expected a mapping"},
    {"just a text", "x.yaml:1: document: found \"just a text\", expected a mapping*"},
    {"nc: [1,\nfoo: 2\n", "x.yaml:3: yaml syntax error: did not find *that began in line 1)"},
    {"nc: 2\n\tch: 3\n", "x.yaml:2: yaml syntax error: *"},
    {"nc: 2\n---\nnc: 3\n", "x.yaml:2: a second yaml document; expected one"},
    {"a: &a [x]\nb: [*a, *a]\n", "x.yaml:2: an alias (?name) is not supported here*"},
    {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "x.yaml:1: nested more than 16 deep"},
    {"ch: 3\n", "x.yaml: no key `nc`; a model description has nc, *"},
    {"nc: many\n", "x.yaml:1: nc: found \"many\", expected a whole number from 1 to 16384"},
    {"nc: 0\n", "x.yaml:1: nc: found \"0\", expected a whole number from 1 to 16384"},
    {"nc: 2\ndepth_multiple: inf\n", "x.yaml:2: depth_multiple: found \"inf\", expected *"},
    {"nc: 2\ndepth_multiple: 1\nwidth_multiple: -1\n", "x.yaml:3: width_multiple: found \"-1\"*"},
    {HEADER "anchors: [[1,2,3]]\n", "x.yaml:4: anchors: found a sequence, expected a list of w,h*"},
    {HEADER "anchors: [[1,2],[1,2,3,4]]\n", "x.yaml:4: anchors: found a sequence, expected *"},
    {HEADER "anchors: [[1,-2]]\n", "x.yaml:4: anchors: found a sequence, expected *"},
    {HEADER "anchors: 17\n", "x.yaml:4: anchors: found \"17\", expected *"},
    {HEADER ANCHORS "backbone: 3\n", "x.yaml:6: backbone: found \"3\", expected a list of rows*"},
    {HEADER ANCHORS "backbone: []\n", "x.yaml:6: backbone: found a sequence, expected a list*"},
    {BAD_ROW ("[-1, 1, Conv]"), "x.yaml:8: row 1 (backbone): found a sequence, expected a row*"},
    {BAD_ROW ("[a, 1, Conv, [8]]"), "x.yaml:8: row 1 (backbone): found \"a\", expected from*"},
    {BAD_ROW ("[[], 1, Conv, [8]]"), "x.yaml:8: row 1 (backbone): found a sequence, *"},
    {BAD_ROW ("[-1, 0, Conv, [8]]"), "x.yaml:8: row 1 (backbone): number: found \"0\"*"},
    {BAD_ROW ("[-1, 1, [Conv], [8]]"), "x.yaml:8: row 1 (backbone): found a sequence, *name of*"},
    {BAD_ROW ("[-1, 1, Conv, 8]"), "x.yaml:8: row 1 (backbone): found \"8\", expected a list *"},
    {BAD_ROW ("[-1, 1, Cnov, [8]]"),
     "x.yaml:8: row 1 (backbone): unsupported module Cnov; supported are Conv, *"},
    {BAD_ROW ("[-1, 1, Conv, [8, 3, 1, 1, 1, True, 7, 8]]"),
     "x.yaml:8: row 1 (backbone): Conv: found 8 arguments, expected at most 6 (channels, k, *"},
    {BAD_ROW ("[-1, 1, Conv, []]"), "*row 1 (backbone): Conv: no arguments, expected the channels"},
    {BAD_ROW ("[-1, 1, Conv, [8, three]]"),
     "x.yaml:8: row 1 (backbone): Conv: argument k is \"three\", expected a whole number *"},
    {BAD_ROW ("[-1, 1, Conv, [8, 1, 0]]"), "*Conv: argument s is 0, expected a whole number*"},
    {BAD_ROW ("[-1, 1, Conv, [8, 1, 1, None, 3]]"),
     "*row 1 (backbone): model.1.conv: 3 groups do not divide the channels, 8 in and 8 out"},
    {BAD_ROW ("[-1, 1, Conv, [8, 1, 1, None, 1, nn.GELU()]]"),
     "*Conv: argument act is \"nn.GELU()\", expected True*one of nn.SiLU, nn.LeakyReLU, *"},
    {BAD_ROW ("[-1, 1, Conv, [8, 1, 1, None, 1, \"__import__('os').system('id')\"]]"),
     "*Conv: argument act is \"__import__('os').system('id')\", expected*"},
    {BAD_ROW ("[-1, 1, Conv, [99999]]"), "*Conv: argument channels is 99999, expected*65536"},
    {BAD_ROW ("[-1, 1, RepConv, [8, 5]]"), "*RepConv: argument k is 5, expected 3, the only*"},
    {BAD_ROW ("[-1, 1, Concat, [2]]"), "*Concat: argument dimension is 2, expected 1 (channels)"},
    {BAD_ROW ("[-1, 1, Shortcut, [1]]"), "*Shortcut: takes 2 sources, found 1 in from"},
    {BAD_ROW ("[[-1, 0], 1, Conv, [8]]"), "*Conv: takes 1 source, found 2 in from"},
    {BAD_ROW ("[-1, 500, Bottleneck, [8]]"), "*Bottleneck: repeated 500 times, at most 128*"},
    {BAD_ROW ("[-1, 1, nn.Upsample, [None, 2, bilinear]]"),
     "*nn.Upsample: argument mode is \"bilinear\", expected 'nearest'*"},
    {BAD_ROW ("[-1, 1, nn.Upsample, [None]]"), "*nn.Upsample: no argument scale_factor, *"},
    {BAD_ROW ("[2, 1, Conv, [8]]"), "x.yaml:8: row 1 (backbone): from 2 is a forward reference*"},
    {BAD_ROW ("[1, 1, Conv, [8]]"), "x.yaml:8: row 1 (backbone): from 1 is a forward reference*"},
    {BAD_ROW ("[7, 1, Conv, [8]]"),
     "x.yaml:8: row 1 (backbone): from 7 is out of range, there are 3 rows (0 to 2)"},
    {BAD_ROW ("[-2, 1, Conv, [8]]"), "x.yaml:8: row 1 (backbone): from -2 reaches back beyond*"},
    {BAD_ROW ("[-1, 1, Detect, [nc, anchors]]"),
     "x.yaml: row 1: Detect is not the last row; a detection head must be"},
    {HEADER ANCHORS "backbone: [[-1, 1, Conv, [8]]]\nhead: [[-1, 1, Conv, [8]]]\n",
     "x.yaml: row 1: the last row is Conv, expected Detect, IDetect or IAuxDetect"},
    {HEADER ANCHORS "backbone: [[-1, 1, Conv, [8]]]\nhead: [[[0, 0], 1, Detect, [nc, anchors]]]\n",
     "x.yaml:7: row 1 (head): Detect: 2 sources in from, expected 1: 1 for each of the 1 levels*"},
    {HEADER ANCHORS "backbone: [[-1, 1, Conv, [8]]]\nhead: [[0, 1, IAuxDetect, [nc, anchors]]]\n",
     "x.yaml:7: row 1 (head): IAuxDetect: 1 sources in from, expected 2: 2 for each of the*"},
    {HEADER ANCHORS "backbone: [[-1, 1, Conv, [8]]]\nhead: [[0, 1, Detect, [nc]]]\n",
     "x.yaml:7: row 1 (head): Detect: no argument anchors, expected *"},
};

static void
what_is_wrong_is_named_with_file_line_and_row (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) layers = parse (refused[i].text, &error);

    g_assert_true (!error || error->domain == YV_ERROR);
    if (layers || !g_pattern_match_simple (refused[i].message, error->message))
      g_test_fail_printf ("expected \"%s\", got \"%s\"", refused[i].message,
                          error ? error->message : "no error");
  }
}

static void
a_text_that_is_too_large_is_refused (void)
{
  g_autofree char *text = g_strnfill (YV_YAML_MAX_BYTES + 1, ' ');
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) layers = parse (text, &error);

  g_assert_null (layers);
  g_assert_cmpstr (error->message, ==,
                   "x.yaml: larger than 1048576 bytes, which no description is");
}

static void
too_many_rows_are_refused (void)
{
  g_autoptr (GString) text = g_string_new (HEADER ANCHORS "backbone:\n");
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < YV_CONFIG_MAX_ROWS + 1; i++)
    g_string_append (text, "- [-1, 1, MP, []]\n");
  g_string_append (text, "head: [[-1, 1, Detect, [nc, anchors]]]\n");
  g_autoptr (GPtrArray) layers = parse (text->str, &error);
  g_assert_null (layers);
  g_assert_true (g_str_has_suffix (error->message, "expected at most 10000 rows"));
}

static void
a_missing_file_and_a_folder_are_named (void)
{
  g_autoptr (GError) missing = NULL;
  g_autoptr (GError) folder = NULL;

  g_assert_null (yv_config_read ("/nonexistent/x.yaml", &missing));
  g_assert_error (missing, YV_ERROR, YV_ERROR_IO);
  g_assert_true (g_str_has_prefix (missing->message, "/nonexistent/x.yaml: can't be opened: "));
  g_assert_null (yv_config_read ("/", &folder));
  g_assert_error (folder, YV_ERROR, YV_ERROR_IO);
  g_assert_true (g_str_has_prefix (folder->message, "/: is a directory; expected a model"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/totals", our_descriptions_have_the_published_parameter_counts);
  g_test_add_func ("/config/upstream", our_descriptions_mean_what_upstreams_mean);
  g_test_add_func ("/config/tables", every_upstream_description_gives_the_rows_of_its_table);
  g_test_add_func ("/config/channels", channels_are_scaled_up_to_a_multiple_of_eight);
  g_test_add_func ("/config/head-channels", as_many_channels_as_the_head_has_are_not_scaled);
  g_test_add_func ("/config/repeats", repeats_are_rounded_half_to_even_and_one_is_never_scaled);
  g_test_add_func ("/config/sequence", a_repeated_block_becomes_a_sequence_of_equals);
  g_test_add_func ("/config/activations", activations_are_read_by_name_and_slope);
  g_test_add_func ("/config/plain", a_plain_convolution_has_a_bias_and_no_padding_by_default);
  g_test_add_func ("/config/repconv", repconv_has_an_identity_only_where_shapes_stay);
  g_test_add_func ("/config/anchor-order", anchors_are_turned_round_where_strides_shrink);
  g_test_add_func ("/config/anchor-count", a_number_of_anchors_stands_for_placeholders);
  g_test_add_func ("/config/from", an_absolute_row_and_a_relative_one_may_be_the_same);
  g_test_add_func ("/config/refused", what_is_wrong_is_named_with_file_line_and_row);
  g_test_add_func ("/config/too-large", a_text_that_is_too_large_is_refused);
  g_test_add_func ("/config/too-many-rows", too_many_rows_are_refused);
  g_test_add_func ("/config/no-file", a_missing_file_and_a_folder_are_named);
  return g_test_run ();
}
