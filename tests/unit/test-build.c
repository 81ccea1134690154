/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-build.c - engine/graph/build.h on small module trees written out here: what was
 * fused before saving is taken as it is, anchors come from where they should, and nonsense is
 * refused with a message that names row and module.
 */
#include "engine/graph/build.h"

#include <math.h>
#include <string.h>

#include "engine/error.h"

/* A model of [Conv 3 -> 8 stride 2, IDetect of one level, one anchor, two classes], with its
 * tensors in memory. */
typedef struct {
  YvModel model;
  GPtrArray *storage; /* of float * and YvTensor * */
} Fixture;

#define N_OUT 7

static void
free_layer (gpointer data)
{
  YvLayer *layer = data;

  g_free (layer->from);
  yv_module_free (layer->module);
  g_free (layer);
}

static void
fixture_clear (Fixture *fixture)
{
  g_ptr_array_unref (fixture->model.layers);
  g_clear_pointer (&fixture->model.tensors, g_hash_table_unref);
  g_ptr_array_unref (fixture->storage);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static YvModule *
add_part (YvModule *parent, const char *class_name, const char *name)
{
  return yv_module_add (parent, yv_module_new (class_name, parent->path, name));
}

static void
set_conv2d (YvModule *conv, uint32_t c_in, uint32_t c_out, uint32_t kernel, uint32_t stride)
{
  yv_module_set (conv, "in_channels", c_in);
  yv_module_set (conv, "out_channels", c_out);
  yv_module_set (conv, "kernel_size", kernel);
  yv_module_set (conv, "stride", stride);
  yv_module_set (conv, "padding", kernel / 2);
  yv_module_set (conv, "groups", 1);
}

static YvModule *
make_conv (const char *name, uint32_t c_in, uint32_t c_out, uint32_t stride)
{
  YvModule *module = yv_module_new ("Conv", "model", name);

  set_conv2d (add_part (module, "Conv2d", "conv"), c_in, c_out, 3, stride);
  yv_module_set (add_part (module, "BatchNorm2d", "bn"), "num_features", c_out);
  add_part (module, "SiLU", "act");
  return module;
}

static YvModule *
make_repconv (const char *name, uint32_t c)
{
  YvModule *module = yv_module_new ("RepConv", "model", name);
  YvModule *dense = add_part (module, "Sequential", "rbr_dense");
  YvModule *point = add_part (module, "Sequential", "rbr_1x1");

  set_conv2d (add_part (dense, "Conv2d", "0"), c, c, 3, 1);
  add_part (dense, "BatchNorm2d", "1");
  set_conv2d (add_part (point, "Conv2d", "0"), c, c, 1, 1);
  add_part (point, "BatchNorm2d", "1");
  add_part (module, "BatchNorm2d", "rbr_identity");
  add_part (module, "SiLU", "act");
  return module;
}

static YvModule *
make_head (const char *name, const char *class_name, uint32_t c_in)
{
  const double anchors[] = {10, 20};
  YvModule *module = yv_module_new (class_name, "model", name);

  yv_module_set (module, "nc", 2);
  yv_module_set (module, "na", 1);
  yv_module_set (module, "nl", 1);
  yv_module_set_many (module, "anchors", anchors, 2);
  set_conv2d (add_part (add_part (module, "ModuleList", "m"), "Conv2d", "0"), c_in, N_OUT, 1, 1);
  yv_module_set (add_part (add_part (module, "ModuleList", "ia"), "ImplicitA", "0"), "channel",
                 c_in);
  yv_module_set (add_part (add_part (module, "ModuleList", "im"), "ImplicitM", "0"), "channel",
                 N_OUT);
  return module;
}

static void
add_layer (Fixture *fixture, YvModule *module)
{
  YvLayer *layer = g_new0 (YvLayer, 1);

  layer->row = fixture->model.layers->len;
  layer->from = g_new (int32_t, 1);
  layer->from[0] = (int32_t) layer->row - 1;
  layer->n_from = 1;
  layer->module = module;
  g_ptr_array_add (fixture->model.layers, layer);
}

static YvModule *
module_of_row (const Fixture *fixture, uint32_t row)
{
  return ((YvLayer *) fixture->model.layers->pdata[row])->module;
}

static Fixture
make_fixture (void)
{
  static char source[] = "test.pt";
  Fixture fixture = {
      .model =
          {
              .layers = g_ptr_array_new_with_free_func (free_layer),
              .n_input_channels = 3,
              .n_classes = 2,
              .source = source,
          },
      .storage = g_ptr_array_new_with_free_func (g_free),
  };

  return fixture;
}

static Fixture
conv_and_head (void)
{
  Fixture fixture = make_fixture ();

  add_layer (&fixture, make_conv ("0", 3, 8, 2));
  add_layer (&fixture, make_head ("1", "IDetect", 8));
  return fixture;
}

/* Adds a contiguous tensor whose every element is @value. */
static void
add_tensor (Fixture *fixture, const char *name, float value, uint32_t n_dims, const uint64_t *shape)
{
  YvTensor *tensor = g_new0 (YvTensor, 1);
  uint64_t n_elems = 1;

  if (!fixture->model.tensors)
    fixture->model.tensors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  tensor->n_dims = n_dims;
  for (uint32_t i = n_dims; i-- > 0;) {
    tensor->shape[i] = shape[i];
    tensor->stride_elems[i] = n_elems;
    n_elems *= shape[i];
  }
  float *data = g_new (float, n_elems);
  for (uint64_t i = 0; i < n_elems; i++)
    data[i] = value;
  tensor->data = (const uint8_t *) data;
  g_ptr_array_add (fixture->storage, data);
  g_ptr_array_add (fixture->storage, tensor);
  g_hash_table_insert (fixture->model.tensors, g_strdup (name), tensor);
}

#define ADD_TENSOR(fixture, name, value, ...)                                                      \
  add_tensor (fixture, name, value, G_N_ELEMENTS (((const uint64_t[]){__VA_ARGS__})),              \
              (const uint64_t[]){__VA_ARGS__})

static void
add_conv_tensors (Fixture *fixture, const char *path, uint64_t c_out, uint64_t c_in, bool with_bn)
{
  static const char *const bn_names[] = {"weight", "bias", "running_mean", "running_var"};
  g_autofree char *weight = g_strconcat (path, ".conv.weight", NULL);
  g_autofree char *bias = g_strconcat (path, ".conv.bias", NULL);

  ADD_TENSOR (fixture, weight, 0.5f, c_out, c_in, 3, 3);
  if (!with_bn)
    ADD_TENSOR (fixture, bias, 0.25f, c_out);
  for (size_t i = 0; with_bn && i < G_N_ELEMENTS (bn_names); i++) {
    g_autofree char *name = g_strconcat (path, ".bn.", bn_names[i], NULL);
    ADD_TENSOR (fixture, name, i == 3 ? 0.999f : (float) i + 2, c_out);
  }
}

static void
add_head_tensors (Fixture *fixture, const char *path, uint64_t c_in)
{
  g_autofree char *weight = g_strconcat (path, ".m.0.weight", NULL);
  g_autofree char *bias = g_strconcat (path, ".m.0.bias", NULL);
  g_autofree char *ia = g_strconcat (path, ".ia.0.implicit", NULL);
  g_autofree char *im = g_strconcat (path, ".im.0.implicit", NULL);

  ADD_TENSOR (fixture, weight, 0.5f, N_OUT, c_in, 1, 1);
  ADD_TENSOR (fixture, bias, 1, N_OUT);
  ADD_TENSOR (fixture, ia, 3, 1, c_in, 1, 1);
  ADD_TENSOR (fixture, im, 4, 1, N_OUT, 1, 1);
}

static YvGraph *
build (const Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  YvGraph *graph = yv_graph_build (&fixture->model, 1, &error);

  g_assert_no_error (error);
  return graph;
}

static uint32_t
count_ops (const YvGraph *graph, YvOpKind op)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++)
    n += ((const YvNode *) graph->nodes->pdata[i])->op == op;
  return n;
}

static const YvNode *
find_node (const YvGraph *graph, const char *name)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    if (g_str_equal (node->name, name))
      return node;
  }
  g_assert_not_reached ();
}

static void
a_trained_model_becomes_its_parts (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  add_conv_tensors (&fixture, "model.0", 8, 3, true);
  add_head_tensors (&fixture, "model.1", 8);
  g_autoptr (YvGraph) graph = build (&fixture);
  g_autofree char *text = yv_graph_print (graph);

  g_assert_cmpstr (text, ==,
                   "   0 input    images <- : c3\n"
                   "   1 conv     model.0.conv <- 0 : c8 k3 s2 p1\n"
                   "   2 affine   model.0.bn <- 1 : c8 batchnorm\n"
                   "   3 act      model.0.act <- 2 : c8 silu\n"
                   "   4 affine   model.1.ia.0 <- 3 : c8 implicit\n"
                   "   5 conv     model.1.m.0 <- 4 : c7 k1 s1 p0\n"
                   "   6 affine   model.1.im.0 <- 5 : c7 implicit\n"
                   "   7 decode   model.1.decode.0 <- 6 : c7 classes 2 anchors 1 strides 2\n"
                   "   8 detect   model.1 <- 7 : c7 classes 2 anchors 1 of decoded strides 2\n");

  /* gamma 2, beta 3, mean 4, var 0.999 + eps 0.001 */
  const YvNode *bn = find_node (graph, "model.0.bn");
  g_assert_cmpfloat_with_epsilon (bn->affine.scale[7], 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (bn->affine.shift[7], 3 - 4 * 2, 1e-6);
  g_assert_cmpfloat (find_node (graph, "model.1.ia.0")->affine.shift[0], ==, 3);
  g_assert_cmpfloat (find_node (graph, "model.1.ia.0")->affine.scale[0], ==, 1);
  g_assert_cmpfloat (find_node (graph, "model.1.im.0")->affine.scale[0], ==, 4);
  g_assert_cmpfloat (find_node (graph, "model.1.m.0")->conv.weight->bias[0], ==, 1);
}

static void
eps_comes_from_the_module (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  add_conv_tensors (&fixture, "model.0", 8, 3, true);
  add_head_tensors (&fixture, "model.1", 8);
  yv_module_set ((YvModule *) yv_module_child (module_of_row (&fixture, 0), "bn"), "eps",
                 3.001); /* var + eps = 4 */
  g_autoptr (YvGraph) graph = build (&fixture);

  g_assert_cmpfloat_with_epsilon (find_node (graph, "model.0.bn")->affine.scale[0], 1, 1e-6);
}

/* A state dict of a fused model: no batch-norm, so its implicits have been applied, too. */
static void
a_fused_state_dict_is_taken_as_it_is (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  add_conv_tensors (&fixture, "model.0", 8, 3, false);
  add_head_tensors (&fixture, "model.1", 8);
  g_autoptr (YvGraph) graph = build (&fixture);

  g_assert_cmpuint (count_ops (graph, YV_OP_AFFINE), ==, 0);
  g_assert_cmpuint (count_ops (graph, YV_OP_CONV), ==, 2);
  g_assert_cmpuint (count_ops (graph, YV_OP_ACT), ==, 1);
  g_assert_cmpfloat (find_node (graph, "model.0.conv")->conv.weight->bias[0], ==, 0.25);
}

static void
a_head_marked_fused_keeps_its_implicits_out (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  add_conv_tensors (&fixture, "model.0", 8, 3, true);
  add_head_tensors (&fixture, "model.1", 8);
  yv_module_set (module_of_row (&fixture, 1), "fused", 1);
  g_autoptr (YvGraph) graph = build (&fixture);

  g_assert_cmpuint (count_ops (graph, YV_OP_AFFINE), ==, 1); /* the batch-norm */
}

static void
a_merged_repconv_is_one_convolution (void)
{
  g_auto (Fixture) fixture = make_fixture ();
  add_layer (&fixture, make_conv ("0", 3, 8, 2));
  add_layer (&fixture, make_repconv ("1", 8));
  add_layer (&fixture, make_head ("2", "IDetect", 8));
  add_conv_tensors (&fixture, "model.0", 8, 3, true);
  add_head_tensors (&fixture, "model.2", 8);
  ADD_TENSOR (&fixture, "model.1.rbr_reparam.weight", 0.5f, 8, 8, 3, 3);
  ADD_TENSOR (&fixture, "model.1.rbr_reparam.bias", 0.125f, 8);
  g_autoptr (YvGraph) graph = build (&fixture);

  g_assert_cmpuint (count_ops (graph, YV_OP_ADD), ==, 0);
  const YvNode *conv = find_node (graph, "model.1.rbr_reparam");
  g_assert_cmpfloat (conv->conv.weight->bias[7], ==, 0.125);
  g_assert_cmpuint (conv->conv.pad_h, ==, 1);
}

static void
a_repconv_is_a_sum_of_its_branches (void)
{
  g_auto (Fixture) fixture = make_fixture ();
  add_layer (&fixture, make_conv ("0", 3, 8, 2));
  add_layer (&fixture, make_repconv ("1", 8));
  add_layer (&fixture, make_head ("2", "Detect", 8));
  g_autoptr (YvGraph) graph = build (&fixture);
  const YvNode *add = find_node (graph, "model.1.add");

  g_assert_cmpuint (add->n_inputs, ==, 3);
  g_assert_cmpint (yv_graph_node (graph, add->inputs[2])->op, ==, YV_OP_AFFINE);
}

static void
random_models_are_the_same_for_the_same_seed (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  g_autoptr (YvGraph) a = build (&fixture);
  g_autoptr (YvGraph) b = build (&fixture);
  g_autoptr (YvGraph) other = yv_graph_build (&fixture.model, 2, NULL);

  g_assert_cmpmem (find_node (a, "model.0.bn")->affine.shift, 8 * sizeof (double),
                   find_node (b, "model.0.bn")->affine.shift, 8 * sizeof (double));
  g_assert_cmpfloat (find_node (a, "model.0.bn")->affine.shift[0], !=,
                     find_node (other, "model.0.bn")->affine.shift[0]);
}

static void
anchors_come_from_the_best_place_there_is (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  add_conv_tensors (&fixture, "model.0", 8, 3, true);
  add_head_tensors (&fixture, "model.1", 8);
  g_autoptr (YvGraph) from_module = build (&fixture);
  g_assert_cmpfloat (yv_graph_output (from_module)->detect.anchor_px[0][0][1], ==, 20);

  ADD_TENSOR (&fixture, "model.1.anchors", 3, 1, 1, 2); /* cells of 2 pixels */
  g_autoptr (YvGraph) from_cells = build (&fixture);
  g_assert_cmpfloat (yv_graph_output (from_cells)->detect.anchor_px[0][0][1], ==, 6);

  ADD_TENSOR (&fixture, "model.1.anchor_grid", 50, 1, 1, 1, 1, 1, 2);
  g_autoptr (YvGraph) from_grid = build (&fixture);
  g_assert_cmpfloat (yv_graph_output (from_grid)->detect.anchor_px[0][0][1], ==, 50);
}

static void
add_level (YvModule *list, const char *name, uint32_t c_in)
{
  set_conv2d (add_part (list, "Conv2d", name), c_in, N_OUT, 1, 1);
}

/* Two levels whose anchors a yaml gives from large to small. */
static void
anchors_of_a_yaml_are_put_in_the_order_of_the_strides (void)
{
  const double anchors[] = {100, 200, 10, 20};
  g_auto (Fixture) fixture = make_fixture ();
  YvModule *head = make_head ("2", "Detect", 8);
  add_layer (&fixture, make_conv ("0", 3, 8, 2));
  add_layer (&fixture, make_conv ("1", 8, 8, 2));
  add_layer (&fixture, head);
  add_level ((YvModule *) yv_module_child (head, "m"), "1", 8);
  yv_module_set (head, "nl", 2);
  yv_module_set_many (head, "anchors", anchors, 4);
  YvLayer *layer = fixture.model.layers->pdata[2];
  layer->from = g_renew (int32_t, layer->from, 2);
  layer->from[0] = 0;
  layer->from[1] = 1;
  layer->n_from = 2;
  g_autoptr (YvGraph) graph = build (&fixture);
  const YvDetectSpec *spec = &yv_graph_output (graph)->detect;

  g_assert_cmpuint (spec->stride[0], ==, 2);
  g_assert_cmpuint (spec->stride[1], ==, 4);
  g_assert_cmpfloat (spec->anchor_px[0][0][0], ==, 10);
  g_assert_cmpfloat (spec->anchor_px[1][0][0], ==, 100);
}

/* ---- what is refused ---- */

static void
assert_refused (const Fixture *fixture, YvError code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvGraph) graph = yv_graph_build (&fixture->model, 1, &error);

  g_assert_null (graph);
  g_assert_error (error, YV_ERROR, (gint) code);
  if (!strstr (error->message, text))
    g_error ("\"%s\" does not say \"%s\"", error->message, text);
}

static void
an_unknown_module_is_named_with_its_row (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  g_free (module_of_row (&fixture, 0)->class_name);
  module_of_row (&fixture, 0)->class_name = g_strdup ("Unheard");

  assert_refused (&fixture, YV_ERROR_UNSUPPORTED,
                  "test.pt: row 0: model.0 (Unheard): unsupported module Unheard at row 0");
}

static void
channels_that_do_not_fit_are_named (void)
{
  g_auto (Fixture) fixture = make_fixture ();
  add_layer (&fixture, make_conv ("0", 3, 8, 2));
  add_layer (&fixture, make_conv ("1", 16, 8, 2));
  add_layer (&fixture, make_head ("2", "IDetect", 8));

  assert_refused (&fixture, YV_ERROR_MALFORMED,
                  "row 1: model.1.conv (Conv2d): takes 16 channels, but its input "
                  "\"model.0.act\" has 8");
}

static void
a_tensor_of_another_shape_is_named (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  add_conv_tensors (&fixture, "model.0", 8, 4, true);

  assert_refused (&fixture, YV_ERROR_MALFORMED,
                  "row 0: model.0.conv (Conv2d): weight is [8,4,3,3], expected [8,3,3,3]");
}

static void
a_tensor_that_is_not_there_is_named (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  ADD_TENSOR (&fixture, "model.0.conv.weight", 1, 8, 3, 3, 3);

  assert_refused (&fixture, YV_ERROR_MALFORMED, "there is no tensor \"model.0.bn.weight\"");
}

static void
a_stored_stride_must_be_that_of_the_layers (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  yv_module_set (module_of_row (&fixture, 1), "stride", 8);

  assert_refused (&fixture, YV_ERROR_MALFORMED,
                  "level 0 is stored with stride 8, but its layers make 2");
}

static void
a_head_of_the_wrong_width_is_refused (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  yv_module_set (module_of_row (&fixture, 1), "nc", 3);

  assert_refused (&fixture, YV_ERROR_MALFORMED,
                  "has 7 output channels, expected 1 anchors * (5 + 3 classes) = 8");
}

static void
a_model_without_a_head_is_refused (void)
{
  g_auto (Fixture) fixture = make_fixture ();
  add_layer (&fixture, make_conv ("0", 3, 8, 2));

  assert_refused (&fixture, YV_ERROR_UNSUPPORTED, "row 0: model.0 (Conv): is the last layer");
}

static void
a_layer_behind_the_head_is_refused (void)
{
  g_auto (Fixture) fixture = conv_and_head ();
  add_layer (&fixture, make_conv ("2", 7, 8, 2));

  assert_refused (&fixture, YV_ERROR_UNSUPPORTED, "row 2: model.2 (Conv): reads a detection head");
}

/* Attributes are what a stranger's pickle says. */
static void
numbers_out_of_range_are_refused (void)
{
  static const struct {
    const char *key;
    double value;
  } rows[] = {
      {"in_channels", 0},   {"in_channels", NAN},  {"out_channels", -8}, {"out_channels", 1e18},
      {"kernel_size", 2.5}, {"kernel_size", 1000}, {"stride", 0},        {"stride", INFINITY},
      {"padding", -1},      {"padding", 65},       {"groups", 3},        {"groups", 0},
      {"dilation", 2},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (Fixture) fixture = conv_and_head ();
    g_autoptr (GError) error = NULL;
    yv_module_set ((YvModule *) yv_module_child (module_of_row (&fixture, 0), "conv"), rows[i].key,
                   rows[i].value);
    g_autoptr (YvGraph) graph = yv_graph_build (&fixture.model, 1, &error);
    g_assert_null (graph);
    g_assert_true (error->domain == YV_ERROR);
  }
}

static void
head_numbers_out_of_range_are_refused (void)
{
  static const struct {
    const char *key;
    double value;
  } rows[] = {{"nc", 0}, {"nc", 1e9}, {"na", 0},      {"na", 17},     {"nl", 0},  {"nl", 9},
              {"nl", 2}, {"nc", NAN}, {"stride", -2}, {"anchors", 5}, {"na", 1.5}};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (Fixture) fixture = conv_and_head ();
    g_autoptr (GError) error = NULL;
    yv_module_set (module_of_row (&fixture, 1), rows[i].key, rows[i].value);
    g_autoptr (YvGraph) graph = yv_graph_build (&fixture.model, 1, &error);
    g_assert_null (graph);
    g_assert_true (error->domain == YV_ERROR);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/parts", a_trained_model_becomes_its_parts);
  g_test_add_func ("/build/eps", eps_comes_from_the_module);
  g_test_add_func ("/build/fused/state-dict", a_fused_state_dict_is_taken_as_it_is);
  g_test_add_func ("/build/fused/head", a_head_marked_fused_keeps_its_implicits_out);
  g_test_add_func ("/build/fused/repconv", a_merged_repconv_is_one_convolution);
  g_test_add_func ("/build/repconv", a_repconv_is_a_sum_of_its_branches);
  g_test_add_func ("/build/random", random_models_are_the_same_for_the_same_seed);
  g_test_add_func ("/build/anchors/source", anchors_come_from_the_best_place_there_is);
  g_test_add_func ("/build/anchors/order", anchors_of_a_yaml_are_put_in_the_order_of_the_strides);
  g_test_add_func ("/build/refused/module", an_unknown_module_is_named_with_its_row);
  g_test_add_func ("/build/refused/channels", channels_that_do_not_fit_are_named);
  g_test_add_func ("/build/refused/shape", a_tensor_of_another_shape_is_named);
  g_test_add_func ("/build/refused/missing", a_tensor_that_is_not_there_is_named);
  g_test_add_func ("/build/refused/stride", a_stored_stride_must_be_that_of_the_layers);
  g_test_add_func ("/build/refused/width", a_head_of_the_wrong_width_is_refused);
  g_test_add_func ("/build/refused/no-head", a_model_without_a_head_is_refused);
  g_test_add_func ("/build/refused/behind-head", a_layer_behind_the_head_is_refused);
  g_test_add_func ("/build/refused/numbers", numbers_out_of_range_are_refused);
  g_test_add_func ("/build/refused/head-numbers", head_numbers_out_of_range_are_refused);
  return g_test_run ();
}
