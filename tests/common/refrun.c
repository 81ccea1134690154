/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/refrun.c - small networks on the reference. */
#include "tests/common/refrun.h"

#include "engine/frame.h"
#include "engine/ref/ref.h"

void
yv_test_add_detect (YvGraph *graph, uint32_t head, uint32_t stride)
{
  YvNode *node = yv_graph_add (graph, YV_OP_DETECT, "detect", 1, &head, 1, YV_TEST_ROW);

  node->detect = (YvDetectSpec){
      .n_levels = 1,
      .n_anchors = 1,
      .n_classes = YV_TEST_NC,
      .stride = {stride},
      .anchor_px = {{{10, 20}}},
  };
}

YvNode *
yv_test_add_conv (YvGraph *graph, uint32_t input, YvWeight *weight, uint32_t stride, uint32_t pad)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 1, &input, 1, weight->c_out);

  node->conv.weight = weight;
  node->conv.stride_h = node->conv.stride_w = stride;
  node->conv.pad_h = node->conv.pad_w = pad;
  return node;
}

YvWeight *
yv_test_tensor_weight (const float *data, uint32_t c_out, uint32_t c_in, uint32_t groups,
                       uint32_t k)
{
  YvWeight *weight = yv_weight_new (c_out, c_in, groups, k, k);
  const uint32_t c = c_in / groups;
  const YvTensor tensor = {
      .dtype = YV_DTYPE_F32,
      .n_dims = 4,
      .shape = {c_out, c, k, k},
      .stride_elems = {(uint64_t) c * k * k, k * k, k, 1},
      .data = (const uint8_t *) data,
  };

  yv_weight_add_tensor (weight, &tensor);
  return weight;
}

float *
yv_test_random_floats (GRand *rand, size_t n)
{
  float *values = g_new (float, n);

  for (size_t i = 0; i < n; i++)
    values[i] = (float) g_rand_double_range (rand, -1, 1);
  return values;
}

void
yv_test_run_clear (YvTestRun *run)
{
  yv_executor_free (run->executor);
  yv_plan_free (run->plan);
}

YvTestRun
yv_test_run_graph_for (const YvGraph *graph, const YvCaps *caps, YvDType dtype, uint32_t h,
                       uint32_t w, const float *input)
{
  const YvPlanOptions options = {.n = 1,
                                 .h = h,
                                 .w = w,
                                 .dtype = dtype,
                                 .tensor_input = true,
                                 .dense_rows = true,
                                 .keep_all = true};
  const YvBatch batch = {.confidence = 0.25f};
  g_autoptr (GError) error = NULL;
  YvTestRun run = {0};

  run.plan = yv_plan_new (graph, caps, &options, &error);
  g_assert_no_error (error);
  run.executor = yv_ref_executor_new (run.plan, 1, &error);
  g_assert_no_error (error);
  g_assert_true (run.executor->klass->write (run.executor, &run.plan->input, input, &error));
  g_assert_true (run.executor->klass->submit (run.executor, 0, &batch, &error));
  g_assert_true (run.executor->klass->wait (run.executor, 0, &run.candidates, &run.n_candidates,
                                            NULL, &error));
  return run;
}

YvTestRun
yv_test_run_graph (const YvGraph *graph, YvDType dtype, uint32_t h, uint32_t w, const float *input)
{
  YvCaps caps;

  yv_caps_init_reference (&caps);
  return yv_test_run_graph_for (graph, &caps, dtype, h, w, input);
}

float *
yv_test_read_value (const YvTestRun *run, const YvOperand *operand)
{
  float *values = g_new (float, (size_t) operand->n * operand->c * operand->h * operand->w);

  g_assert_true (run->executor->klass->read (run->executor, operand, values, NULL));
  return values;
}

YvGraph *
yv_test_picture_graph (const float *weight)
{
  YvGraph *graph = yv_graph_new ();
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  YvNode *conv =
      yv_test_add_conv (graph, input, yv_test_tensor_weight (weight, YV_TEST_ROW, 3, 1, 1), 32, 0);

  yv_test_add_detect (graph, conv->id, 32);
  return graph;
}

float *
yv_test_letterbox (const YvImage *image, const YvLetterbox *letterbox)
{
  static const float zeros[YV_TEST_ROW * 3];
  g_autoptr (YvGraph) graph = yv_test_picture_graph (zeros);
  g_autoptr (GError) error = NULL;
  const YvPlanOptions options = {
      .n = 1, .h = letterbox->net_h, .w = letterbox->net_w, .keep_all = true};
  const YvBatch batch = {.n_images = 1, .images = image, .letterboxes = letterbox};
  YvCaps caps;

  g_assert_true (yv_image_check (image, &error));
  yv_caps_init_reference (&caps);
  g_auto (YvTestRun) run = {.plan = yv_plan_new (graph, &caps, &options, &error)};
  g_assert_no_error (error);
  run.executor = yv_ref_executor_new (run.plan, 1, &error);
  g_assert_true (run.executor->klass->submit (run.executor, 0, &batch, &error));
  g_assert_true (run.executor->klass->wait (run.executor, 0, &run.candidates, &run.n_candidates,
                                            NULL, &error));
  float *values = yv_test_read_value (&run, &run.plan->input);
  for (size_t i = 0; i < (size_t) 3 * letterbox->net_h * letterbox->net_w; i++)
    values[i] *= 255;
  return values;
}
