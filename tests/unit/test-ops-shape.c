/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-ops-shape.c - engine/ops/: shapes, costs, and what an op lowers to. */
#include <string.h>

#include "engine/error.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

static const YvCaps lavapipe = {
    .name = "a lavapipe",
    .texel_lanes = true,
    .wide_lanes = true,
    .subgroup_size = 8,
    .max_groups = {65535, 65535, 65535},
    .max_storage_range_bytes = 1u << 27,
    .max_texels = 1u << 27,
    .align_bytes = 64,
    .slice_align_bytes = 16,
};

/* A channels-last f32 operand. */
static YvOperand
operand (uint32_t c, uint32_t h, uint32_t w, uint32_t cstride, uint64_t offset_bytes)
{
  return (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = YV_DTYPE_F32,
      .offset_bytes = offset_bytes,
      .size_bytes = ((uint64_t) (h * w - 1) * cstride + (c + 7) / 8 * 8) * 4,
      .n = 1,
      .c = c,
      .h = h,
      .w = w,
      .cstride = cstride,
  };
}

static void
free_steps (GArray *steps)
{
  for (uint32_t i = 0; i < steps->len; i++)
    g_free (g_array_index (steps, YvStep, i).name);
  g_array_unref (steps);
}

static GArray *
lower (const YvNode *node, const YvCaps *caps, const YvOperand *inputs, YvOperand output)
{
  YvLowering lowering = {
      .caps = caps,
      .dtype = YV_DTYPE_F32,
      .n = 1,
      .inputs = inputs,
      .output = output,
      .steps = g_array_new (FALSE, FALSE, sizeof (YvStep)),
  };
  g_autoptr (GError) error = NULL;

  g_assert_true (yv_op (node->op)->lower (node, &lowering, &error));
  g_assert_no_error (error);
  return lowering.steps;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static void
check_shape (const YvNode *node, const YvShape *in, YvShape expected)
{
  g_autoptr (GError) error = NULL;
  YvShape out = {0};

  g_assert_true (yv_op (node->op)->shape (node, in, &out, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (&out, sizeof out, &expected, sizeof expected);
}

static void
check_refused (const YvNode *node, const YvShape *in, const char *what)
{
  g_autoptr (GError) error = NULL;
  YvShape out;

  g_assert_false (yv_op (node->op)->shape (node, in, &out, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
  g_assert_true (g_str_has_prefix (error->message, node->name));
  g_assert_nonnull (strstr (error->message, what));
}

static void
a_convolution_slides_over_its_padded_input (void)
{
  g_autoptr (YvWeight) weight = yv_weight_new (64, 32, 1, 3, 5);
  YvNode node = {.op = YV_OP_CONV, .name = (char *) "c", .n_inputs = 1};
  const YvShape in = {32, 17, 20}, wrong = {31, 17, 20}, small = {32, 1, 2};

  node.conv.weight = weight;
  node.conv.stride_h = 2, node.conv.stride_w = 1;
  node.conv.pad_h = 1, node.conv.pad_w = 2;
  check_shape (&node, &in, (YvShape){64, 9, 20});
  check_refused (&node, &wrong, "32 input channels, its input has 31");
  node.conv.pad_h = 0;
  check_refused (&node, &small, "larger input size");

  const YvShape out = {64, 9, 20};
  g_assert_cmpuint (yv_op (YV_OP_CONV)->flops (&node, &in, &out), ==,
                    2ull * 64 * 9 * 20 * 32 * 3 * 5);
}

static void
groups_cost_what_they_compute (void)
{
  g_autoptr (YvWeight) weight = yv_weight_new (32, 32, 32, 3, 3);
  YvNode node = {.op = YV_OP_CONV, .name = (char *) "c", .n_inputs = 1};
  const YvShape in = {32, 8, 8}, out = {32, 8, 8};

  node.conv.weight = weight;
  g_assert_cmpuint (yv_op (YV_OP_CONV)->flops (&node, &in, &out), ==, 2ull * 32 * 8 * 8 * 9);
}

static void
pools_reorgs_and_upsamples_change_sizes (void)
{
  YvNode pool = {.op = YV_OP_MAXPOOL, .name = (char *) "p", .n_inputs = 1};
  YvNode up = {.op = YV_OP_UPSAMPLE, .name = (char *) "u", .n_inputs = 1};
  YvNode reorg = {.op = YV_OP_REORG, .name = (char *) "r", .n_inputs = 1};
  const YvShape in = {3, 7, 12}, even = {3, 6, 12};

  pool.maxpool.kernel = pool.maxpool.stride = 2;
  check_shape (&pool, &in, (YvShape){3, 3, 6}); /* the odd row is dropped */
  pool.maxpool.kernel = 5, pool.maxpool.stride = 1, pool.maxpool.pad = 2;
  check_shape (&pool, &in, in);
  pool.maxpool.kernel = 9, pool.maxpool.pad = 0;
  check_refused (&pool, &in, "9x9");
  pool.maxpool.kernel = 2, pool.maxpool.pad = 2; /* windows of nothing but padding */
  check_refused (&pool, &in, "padding 2");

  up.upsample.factor = 2;
  check_shape (&up, &in, (YvShape){3, 14, 24});
  up.upsample.factor = 1u << 30;
  check_refused (&up, &in, "px a side");

  check_shape (&reorg, &even, (YvShape){12, 3, 6});
  check_refused (&reorg, &in, "even");
}

static void
concat_and_add_want_inputs_that_fit (void)
{
  YvNode concat = {.op = YV_OP_CONCAT, .name = (char *) "cat", .n_inputs = 2, .c_out = 7};
  YvNode add = {.op = YV_OP_ADD, .name = (char *) "sum", .n_inputs = 2};
  const YvShape good[] = {{3, 4, 5}, {4, 4, 5}}, bad[] = {{3, 4, 5}, {4, 5, 4}};
  const YvShape same[] = {{3, 4, 5}, {3, 4, 5}};

  check_shape (&concat, good, (YvShape){7, 4, 5});
  check_refused (&concat, bad, "5x4");
  check_refused (&concat, same, "expected 7");
  check_shape (&add, same, (YvShape){3, 4, 5});
  check_refused (&add, good, "[4,4,5]");
}

static void
detect_counts_the_rows_of_all_levels (void)
{
  YvNode node = {
      .op = YV_OP_DETECT,
      .name = (char *) "d",
      .n_inputs = 2,
      .detect = {.n_levels = 2, .n_anchors = 3, .n_classes = 80, .stride = {8, 16}},
  };
  const YvShape logits[] = {{255, 8, 4}, {255, 4, 2}}, wrong[] = {{255, 8, 4}, {254, 4, 2}};
  const YvShape rows[] = {{85, 24, 4}, {85, 12, 2}};

  check_shape (&node, logits, (YvShape){85, 3 * (32 + 8), 1});
  check_refused (&node, wrong, "head 1 has 254 channels, expected 255");
  node.detect.decoded = true;
  check_shape (&node, rows, (YvShape){85, 3 * (32 + 8), 1});
}

/* ---- lowering -------------------------------------------------------------------------------- */

static void
an_input_that_is_in_place_is_not_copied (void)
{
  const YvNode node = {.op = YV_OP_CONCAT, .name = (char *) "cat", .n_inputs = 3, .c_out = 40};
  const YvOperand inputs[] = {
      operand (16, 4, 4, 40, 4096),     /* where it belongs */
      operand (8, 4, 4, 8, 65536),      /* elsewhere */
      operand (16, 4, 4, 40, 4096 + 4), /* in the buffer, at the wrong channel */
  };
  GArray *steps = lower (&node, &lavapipe, inputs, operand (40, 4, 4, 40, 4096));

  g_assert_cmpuint (steps->len, ==, 2);
  const YvStep *aligned = &g_array_index (steps, YvStep, 0);
  const YvStep *odd = &g_array_index (steps, YvStep, 1);
  g_assert_cmpstr (aligned->name, ==, "cat[1]");
  g_assert_cmpuint (aligned->dst.offset_bytes, ==, 4096 + 16 * 4);
  g_assert_true (aligned->texel);
  g_assert_cmpuint (aligned->spec[1], ==, 1);
  g_assert_cmpuint (odd->dst.offset_bytes, ==, 4096 + 24 * 4);
  g_assert_false (odd->texel);
  g_assert_cmpuint (odd->spec[1], ==, 0);
  free_steps (steps);
}

/* 12 channels in front of 4: a copy by 8 would write over the second input's place. */
static void
a_copy_never_writes_into_the_next_input (void)
{
  const YvNode node = {.op = YV_OP_CONCAT, .name = (char *) "cat", .n_inputs = 2, .c_out = 16};
  const YvOperand inputs[] = {operand (12, 4, 4, 16, 8192), operand (4, 4, 4, 8, 65536)};
  GArray *steps = lower (&node, &lavapipe, inputs, operand (16, 4, 4, 16, 0));

  g_assert_cmpuint (steps->len, ==, 2);
  g_assert_cmpuint (g_array_index (steps, YvStep, 0).spec[1], ==, 0);
  g_assert_cmpuint (g_array_index (steps, YvStep, 0).dst.c, ==, 12);
  free_steps (steps);
}

static void
three_inputs_are_added_two_at_a_time (void)
{
  const YvNode node = {
      .op = YV_OP_ADD, .name = (char *) "sum", .n_inputs = 3, .act = {.kind = YV_ACT_SILU}};
  const YvOperand inputs[] = {operand (8, 2, 2, 8, 0), operand (8, 2, 2, 8, 1024),
                              operand (8, 2, 2, 8, 2048)};
  GArray *steps = lower (&node, &lavapipe, inputs, operand (8, 2, 2, 8, 4096));

  g_assert_cmpuint (steps->len, ==, 2);
  const YvStep *first = &g_array_index (steps, YvStep, 0);
  const YvStep *second = &g_array_index (steps, YvStep, 1);
  g_assert_cmpint (first->act.kind, ==, YV_ACT_NONE);
  g_assert_cmpint (second->act.kind, ==, YV_ACT_SILU);
  g_assert_cmpuint (second->spec[1], ==, YV_ACT_SILU);
  g_assert_cmpuint (second->src[0].offset_bytes, ==, 4096);
  g_assert_cmpuint (second->src[1].offset_bytes, ==, 2048);
  free_steps (steps);
}

/* The push block begins with one address for each entry of addresses[]. */
static void
eltwise_says_which_address_is_which (void)
{
  double scale[8] = {0}, shift[8] = {0};
  YvNode node = {.op = YV_OP_AFFINE, .name = (char *) "bn", .n_inputs = 1, .c_out = 8};
  const YvOperand input = operand (8, 2, 2, 8, 0);

  node.affine.scale = scale, node.affine.shift = shift;
  GArray *steps = lower (&node, &lavapipe, &input, operand (8, 2, 2, 8, 4096));
  const YvStep *step = &g_array_index (steps, YvStep, 0);
  const uint8_t expected[] = {YV_ADDRESS_SRC0, YV_ADDRESS_NONE, YV_ADDRESS_WEIGHT, YV_ADDRESS_DST};

  g_assert_cmpuint (step->n_addresses, ==, 4);
  g_assert_cmpmem (step->addresses, 4, expected, 4);
  g_assert_cmpint (step->pack, ==, YV_PACK_AFFINE);
  g_assert_cmpuint (step->spec[2], ==, 0); /* HAS_SRC1 */
  g_assert_cmpuint (step->spec[3], ==, 1); /* HAS_SCALE */
  g_assert_cmpuint (step->n_push_bytes, ==, sizeof (struct YvEltwiseParams));
  free_steps (steps);
}

static void
a_convolution_takes_the_kernel_that_fits (void)
{
  static const struct {
    uint32_t c_out;
    bool wide_lanes;
    uint32_t subgroup_size;
    YvKernel kernel;
    uint32_t groups[2]; /* of channels, and of 35 pixels */
  } cases[] = {
      {32, true, 8, YV_KERNEL_CONV_LANES32, {1, 1}},
      {64, true, 8, YV_KERNEL_CONV_LANES64, {1, 2}},
      {96, true, 8, YV_KERNEL_CONV_LANES32, {3, 1}},
      {255, true, 8, YV_KERNEL_CONV_LANES64, {4, 2}},
      {8, true, 8, YV_KERNEL_CONV_LANES8, {1, 1}},
      {9, true, 8, YV_KERNEL_CONV_LANES16, {1, 1}},
      {16, true, 8, YV_KERNEL_CONV_LANES16, {1, 1}},
      {17, true, 8, YV_KERNEL_CONV_LANES32, {1, 1}},
      {40, true, 8, YV_KERNEL_CONV_LANES16, {3, 1}},
      {49, true, 8, YV_KERNEL_CONV_LANES64, {1, 2}},
      {40, false, 8, YV_KERNEL_CONV_LANES16, {3, 1}},
      {16, true, 16, YV_KERNEL_CONV_LANES32X16, {1, 1}},
      {64, false, 8, YV_KERNEL_CONV_LANES32, {2, 1}},
      {64, true, 16, YV_KERNEL_CONV_LANES32X16, {2, 1}},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const uint32_t c_out = cases[i].c_out;
    g_autoptr (YvWeight) weight = yv_weight_new (c_out, 8, 1, 1, 1);
    YvNode node = {.op = YV_OP_CONV, .name = (char *) "c", .n_inputs = 1, .c_out = c_out};
    const YvOperand input = operand (8, 5, 7, 8, 0);

    YvCaps caps = lavapipe;

    caps.wide_lanes = cases[i].wide_lanes;
    caps.subgroup_size = cases[i].subgroup_size;
    node.conv.weight = weight;
    node.conv.stride_h = node.conv.stride_w = 1;
    GArray *steps = lower (&node, &caps, &input, operand (c_out, 5, 7, (c_out + 7) / 8 * 8, 4096));
    const YvStep *step = &g_array_index (steps, YvStep, 0);
    g_assert_true (step->texel);
    g_assert_cmpint (step->kernel, ==, cases[i].kernel);
    g_assert_cmpuint (step->groups[0], ==, cases[i].groups[0]);
    g_assert_cmpuint (step->groups[1], ==, cases[i].groups[1]);
    g_assert_cmpuint (step->spec[3], ==, 1); /* IS_1X1 */
    free_steps (steps);
  }
}

/* A slice that starts between two offsets that the device can bind goes by its address. */
static void
a_misaligned_slice_is_not_bound (void)
{
  g_autoptr (YvWeight) weight = yv_weight_new (8, 8, 1, 1, 1);
  YvNode node = {.op = YV_OP_CONV, .name = (char *) "c", .n_inputs = 1, .c_out = 8};
  const YvOperand input = operand (8, 4, 4, 24, 8 * 4);
  YvCaps coarse = lavapipe;

  node.conv.weight = weight;
  node.conv.stride_h = node.conv.stride_w = 1;
  GArray *fine_steps = lower (&node, &lavapipe, &input, operand (8, 4, 4, 8, 4096));
  coarse.slice_align_bytes = 0; /* as align_bytes, 64 */
  GArray *coarse_steps = lower (&node, &coarse, &input, operand (8, 4, 4, 8, 4096));
  g_assert_true (g_array_index (fine_steps, YvStep, 0).texel);
  g_assert_false (g_array_index (coarse_steps, YvStep, 0).texel);
  g_assert_cmpint (g_array_index (coarse_steps, YvStep, 0).kernel, ==, YV_KERNEL_CONV_TILE);
  g_assert_cmpint (g_array_index (coarse_steps, YvStep, 0).pack, ==, YV_PACK_TILE);
  free_steps (fine_steps);
  free_steps (coarse_steps);
}

static void
more_groups_than_the_device_takes_are_refused (void)
{
  YvNode node = {.op = YV_OP_ACT, .name = (char *) "act", .n_inputs = 1};
  YvOperand input = operand (8, 2048, 2048, 8, 0);
  YvLowering lowering = {
      .caps = &lavapipe,
      .n = 1,
      .inputs = &input,
      .output = input,
      .steps = g_array_new (FALSE, FALSE, sizeof (YvStep)),
  };
  g_autoptr (GError) error = NULL;

  /* 131072 blocks of pixels go on in z; as many blocks of channels have nowhere to go. */
  g_assert_true (yv_op (YV_OP_ACT)->lower (&node, &lowering, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (g_array_index (lowering.steps, YvStep, 0).groups[2], ==, 3);
  input = lowering.output = operand (8 * 131072, 2, 2, 8 * 131072, 0);
  g_assert_false (yv_op (YV_OP_ACT)->lower (&node, &lowering, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "131072"));
  free_steps (lowering.steps);
}

static void
decoded_rows_are_for_the_reference_only (void)
{
  YvNode node = {.op = YV_OP_DETECT, .name = (char *) "d", .n_inputs = 0};
  YvLowering lowering = {.caps = &lavapipe, .n = 1};
  g_autoptr (GError) error = NULL;

  node.detect.decoded = true;
  g_assert_false (yv_op (YV_OP_DETECT)->lower (&node, &lowering, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ops/shape/conv", a_convolution_slides_over_its_padded_input);
  g_test_add_func ("/ops/shape/groups", groups_cost_what_they_compute);
  g_test_add_func ("/ops/shape/sizes", pools_reorgs_and_upsamples_change_sizes);
  g_test_add_func ("/ops/shape/joins", concat_and_add_want_inputs_that_fit);
  g_test_add_func ("/ops/shape/detect", detect_counts_the_rows_of_all_levels);
  g_test_add_func ("/ops/lower/in-place", an_input_that_is_in_place_is_not_copied);
  g_test_add_func ("/ops/lower/copy", a_copy_never_writes_into_the_next_input);
  g_test_add_func ("/ops/lower/add", three_inputs_are_added_two_at_a_time);
  g_test_add_func ("/ops/lower/eltwise", eltwise_says_which_address_is_which);
  g_test_add_func ("/ops/lower/conv", a_convolution_takes_the_kernel_that_fits);
  g_test_add_func ("/ops/lower/misaligned", a_misaligned_slice_is_not_bound);
  g_test_add_func ("/ops/lower/groups", more_groups_than_the_device_takes_are_refused);
  g_test_add_func ("/ops/lower/decoded", decoded_rows_are_for_the_reference_only);
  return g_test_run ();
}
