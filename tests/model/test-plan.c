/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-plan.c - engine/plan/: plans of whole models, as text and as a promise that no
 * step of a level touches what another writes.
 *
 * The texts are tests/golden/NAME.plan; YV_UPDATE_GOLDEN=1 writes them anew. */
#include "engine/plan/plan.h"

#include <string.h>

#include <glib/gstdio.h>

#include "engine/error.h"
#include "engine/graph/build.h"
#include "engine/passes/passes.h"
#include "engine/plan/pack.h"
#include "tests/common/paths.h"

/* Devices that never change, so that the texts don't. */
static const YvCaps lavapipe = {
    .name = "a lavapipe",
    .is_cpu = true,
    .texel_lanes = true,
    .wide_lanes = true,
    .winograd = true,
    .fp16_storage = true,
    .subgroup_size = 8,
    .max_groups = {65535, 65535, 65535},
    .max_storage_range_bytes = 1u << 27,
    .max_texels = 1u << 27,
    .align_bytes = 64,
    .slice_align_bytes = 16,
};

static const YvCaps gpu = {
    .name = "a GPU",
    .fp16_storage = true,
    .subgroup_size = 32,
    .max_groups = {2147483647, 65535, 65535},
    .max_storage_range_bytes = 1ull << 32,
    .max_texels = 1u << 27,
    .align_bytes = 256,
};

/* As NVIDIA's large ones are. */
static const YvCaps coopmat_gpu = {
    .name = "a GPU with cooperative matrices",
    .fp16_storage = true,
    .subgroup_size = 32,
    .coopmat_m = 16,
    .coopmat_n = 16,
    .coopmat_k = 16,
    .max_shared_bytes = 49152,
    .n_cores = 132,
    .max_groups = {2147483647, 65535, 65535},
    .max_storage_range_bytes = 1ull << 32,
    .max_texels = 1u << 27,
    .align_bytes = 256,
};

/* With matrices of workgroups, too, in the units that are usual there. */
static const YvCaps coopmat2_gpu = {
    .name = "a GPU with matrices of workgroups",
    .fp16_storage = true,
    .subgroup_size = 32,
    .coopmat_m = 16,
    .coopmat_n = 16,
    .coopmat_k = 16,
    .coopmat2 = {{32, 16, 16}, {32, 32, 16}},
    .coopmat2_max_side = 1024,
    .coopmat2_wanted = true,
    .max_shared_bytes = 49152,
    .n_cores = 132,
    .max_groups = {2147483647, 65535, 65535},
    .max_storage_range_bytes = 1ull << 32,
    .max_texels = 1u << 27,
    .align_bytes = 256,
};

/* @left_out: (nullable): the name of a pass not to run */
static YvGraph *
load_file (const char *path, const char *left_out)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModel) model = yv_model_load (NULL, path, &error);
  g_assert_no_error (error);
  YvGraph *graph = yv_graph_build (model, 1, &error);

  g_assert_no_error (error);
  uint32_t n_passes;
  const YvPass *passes = yv_passes (&n_passes);

  for (uint32_t i = 0; i < n_passes; i++)
    if (g_strcmp0 (passes[i].name, left_out) != 0)
      passes[i].run (graph);
  yv_graph_sort (graph);
  return graph;
}

static YvGraph *
load_graph_without (const char *config, const char *left_out)
{
  g_autofree char *path = yv_test_source_path (config);

  return load_file (path, left_out);
}

static YvGraph *
load_graph (const char *config)
{
  return load_graph_without (config, NULL);
}

static YvPlan *
make_plan (const YvGraph *graph, const YvCaps *caps, YvPlanOptions options)
{
  g_autoptr (GError) error = NULL;
  YvPlan *plan = yv_plan_new (graph, caps, &options, &error);

  g_assert_no_error (error);
  return plan;
}

/* ---- golden texts ---------------------------------------------------------------------------- */

static const struct {
  const char *config, *golden;
  const YvCaps *caps;
  YvPlanOptions options;
} plans[] = {
    {"cfg/deploy/yolov7-tiny.yaml",
     "yolov7-tiny-640-lavapipe-f32.plan",
     &lavapipe,
     {.n = 1, .h = 640, .w = 640, .dtype = YV_DTYPE_F32}},
    {"cfg/deploy/yolov7-tiny.yaml",
     "yolov7-tiny-384x640-gpu-f16-batch4.plan",
     &gpu,
     {.n = 4, .h = 384, .w = 640, .dtype = YV_DTYPE_F16}},
    {"cfg/deploy/yolov7.yaml",
     "yolov7-640-lavapipe-f32.plan",
     &lavapipe,
     {.n = 1, .h = 640, .w = 640, .dtype = YV_DTYPE_F32}},
    {"cfg/deploy/yolov7.yaml",
     "yolov7-640-gpu-f16-tensors.plan",
     &gpu,
     {.n = 1, .h = 640, .w = 640, .dtype = YV_DTYPE_F16, .tensor_input = true, .dense_rows = true}},
    {"cfg/deploy/yolov7.yaml",
     "yolov7-640-coopmat-f16.plan",
     &coopmat_gpu,
     {.n = 1, .h = 640, .w = 640, .dtype = YV_DTYPE_F16}},
    {"cfg/deploy/yolov7.yaml",
     "yolov7-640-coopmat2-f16.plan",
     &coopmat2_gpu,
     {.n = 1, .h = 640, .w = 640, .dtype = YV_DTYPE_F16}},
};

/* Names the first line that differs: a diff of two plans is for git. */
static void
compare_lines (const char *name, const char *got, const char *expected)
{
  g_auto (GStrv) a = g_strsplit (got, "\n", -1), b = g_strsplit (expected, "\n", -1);

  for (uint32_t i = 0; a[i] || b[i]; i++) {
    if (a[i] && b[i] && strcmp (a[i], b[i]) == 0)
      continue;
    g_test_message ("%s:%u: run with YV_UPDATE_GOLDEN=1 where the change is meant", name, i + 1);
    g_assert_cmpstr (a[i], ==, b[i]);
  }
}

static void
plans_are_as_written_down (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (plans); i++) {
    g_autofree char *relative = g_build_filename ("tests/golden", plans[i].golden, NULL);
    g_autofree char *path = yv_test_source_path (relative);
    g_autoptr (YvGraph) graph = load_graph (plans[i].config);
    g_autoptr (YvPlan) plan = make_plan (graph, plans[i].caps, plans[i].options);
    g_autofree char *got = yv_plan_print (plan);
    g_autofree char *expected = NULL;

    if (g_getenv ("YV_UPDATE_GOLDEN"))
      g_assert_true (g_file_set_contents (path, got, -1, NULL));
    g_assert_true (g_file_get_contents (path, &expected, NULL, NULL));
    compare_lines (plans[i].golden, got, expected);
  }
}

/* 8192 px is the promise of yv_stream_new(): more blocks of pixels than a dimension has groups. */
static void
the_largest_input_fits_into_the_groups_of_a_device (void)
{
  const YvPlanOptions options = {.n = 2, .h = 8192, .w = 8192, .dtype = YV_DTYPE_F16};
  YvCaps narrow = gpu;
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7-tiny.yaml");

  narrow.max_groups[0] = 65535;
  narrow.max_storage_range_bytes = UINT64_MAX;
  g_autoptr (YvPlan) plan = make_plan (graph, &narrow, options);
  g_assert_cmpuint (g_array_index (plan->steps, YvStep, 0).groups[2], ==, 5);
  for (uint32_t i = 0; i < plan->steps->len; i++)
    for (int d = 0; d < 3; d++)
      g_assert_cmpuint (g_array_index (plan->steps, YvStep, i).groups[d], <=, 65535);
}

/* ---- promises -------------------------------------------------------------------------------- */

/* Do two operands of the arena share an element? Where both have the same cstride and start in the
 * same pixel they are slices of one value: then channels decide. */
static bool
overlap (const YvOperand *a, const YvOperand *b)
{
  const YvOperand *first = a->offset_bytes <= b->offset_bytes ? a : b;
  const YvOperand *second = first == a ? b : a;
  const uint64_t distance = second->offset_bytes - first->offset_bytes;
  const uint64_t channel = distance / yv_dtype_size_bytes (first->dtype);

  if (a->memory != YV_MEMORY_ARENA || b->memory != YV_MEMORY_ARENA || distance >= first->size_bytes)
    return false;
  if (a->cstride != b->cstride || a->dtype != b->dtype || channel >= a->cstride)
    return true;
  return channel < first->c || channel + second->c > a->cstride;
}

static void
check_step_alone (const YvPlan *plan, const YvStep *step, uint32_t level, uint32_t n_levels)
{
  const YvOperand *operands[] = {&step->src[0], &step->src[1], &step->dst};

  g_assert_cmpuint (step->level, >=, level);
  g_assert_cmpuint (step->level, <, n_levels);
  for (size_t i = 0; i < G_N_ELEMENTS (operands); i++)
    if (operands[i]->memory == YV_MEMORY_ARENA)
      g_assert_cmpuint (operands[i]->offset_bytes + operands[i]->size_bytes, <=, plan->arena_bytes);
}

/* No step of a level reads or writes what another step of it writes; images of a batch and rows of
 * levels are different parts of one operand. */
static void
check_level (const YvStep *a, const YvStep *b)
{
  if (a->level != b->level || (a->op == YV_OP_DETECT && b->op == YV_OP_DETECT))
    return;
  for (uint32_t i = 0; i < a->n_srcs; i++)
    if (overlap (&a->src[i], &b->dst))
      g_error ("%s reads what %s writes in level %u", a->name, b->name, a->level);
  for (uint32_t i = 0; i < b->n_srcs; i++)
    if (overlap (&b->src[i], &a->dst))
      g_error ("%s reads what %s writes in level %u", b->name, a->name, a->level);
  if (overlap (&a->dst, &b->dst))
    g_error ("%s and %s write the same in level %u", a->name, b->name, a->level);
}

/* What a step reads, the last step that touched it wrote: nothing else was put there meanwhile. */
static void
check_reads (const YvPlan *plan, uint32_t index, const YvOperand *src)
{
  for (uint32_t i = index; i-- > 0;) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    if (!overlap (src, &step->dst))
      continue;
    /* The producer, or one of them: of a concat's value, each step wrote a slice. */
    g_assert_cmpuint (step->dst.cstride, ==, src->cstride);
    g_assert_cmpuint (step->dst.h * step->dst.w, ==, src->h * src->w);
    return;
  }
  g_assert_true (plan->options.tensor_input && src->offset_bytes == plan->input.offset_bytes);
}

static void
check_plan (const YvPlan *plan)
{
  uint32_t level = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    check_step_alone (plan, step, level, plan->n_levels);
    level = step->level;
    for (uint32_t k = 0; k < i; k++)
      check_level (step, &g_array_index (plan->steps, YvStep, k));
    for (uint32_t k = 0; k < step->n_srcs; k++)
      if (step->src[k].memory == YV_MEMORY_ARENA)
        check_reads (plan, i, &step->src[k]);
    if (step->kernel != YV_KERNEL_NONE && step->weight_source)
      g_assert_cmpuint (yv_pack_size_bytes (step), >, 0);
  }
}

static const char *const configs[] = {
    "cfg/deploy/yolov7-tiny.yaml", "cfg/deploy/yolov7.yaml",    "cfg/deploy/yolov7x.yaml",
    "cfg/training/yolov7-w6.yaml", "cfg/deploy/yolov7-e6.yaml", "cfg/deploy/yolov7-d6.yaml",
    "cfg/deploy/yolov7-e6e.yaml",
};

static void
steps_of_a_level_are_independent (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (YvGraph) graph = load_graph (configs[i]);
    YvPlanOptions options = {.n = 2, .h = 256, .w = 320, .dtype = YV_DTYPE_F16};
    g_autoptr (YvPlan) on_gpu = make_plan (graph, &gpu, options);

    options.dtype = YV_DTYPE_F32;
    options.tensor_input = options.dense_rows = true;
    g_autoptr (YvPlan) on_lavapipe = make_plan (graph, &lavapipe, options);
    check_plan (on_gpu);
    check_plan (on_lavapipe);
    g_test_message ("%s: %u steps in %u levels, arena %.1f MB", configs[i], on_gpu->steps->len,
                    on_gpu->n_levels, (double) on_gpu->arena_bytes / 1e6);
  }
}

static uint32_t
count_later_siblings (const YvGraph *graph)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    n += node->op == YV_OP_CONV && node->conv.by_sibling;
  }
  return n;
}

/* They compute as much in as many levels and as much memory, but read the value once. (How a sum is
 * cut into parts depends on the channels of a step.) */
static void
every_sibling_merged_is_a_step_less (void)
{
  YvCaps caps = gpu;

  caps.conv_parts = 1;
  for (size_t i = 0; i < G_N_ELEMENTS (configs); i++) {
    const YvPlanOptions options = {.n = 1, .h = 256, .w = 320, .dtype = YV_DTYPE_F16};
    g_autoptr (YvGraph) graph = load_graph (configs[i]);
    g_autoptr (YvGraph) apart = load_graph_without (configs[i], "merge_siblings");
    g_autoptr (YvPlan) merged_plan = make_plan (graph, &caps, options);
    g_autoptr (YvPlan) apart_plan = make_plan (apart, &caps, options);
    const uint32_t n = count_later_siblings (graph);

    g_test_message ("%s: %u steps, %u with siblings merged", configs[i], apart_plan->steps->len,
                    merged_plan->steps->len);
    g_assert_cmpuint (n, >=, 8); /* each block of ELAN has a pair */
    g_assert_cmpuint (merged_plan->steps->len + n, ==, apart_plan->steps->len);
    g_assert_cmpuint (merged_plan->n_levels, ==, apart_plan->n_levels);
    g_assert_cmpuint (merged_plan->flops, ==, apart_plan->flops);
    g_assert_cmpuint (merged_plan->arena_bytes, <=, apart_plan->arena_bytes);
  }
}

/* "model.4.conv 1: conv_lanes32 texel", each once, in the order of the plan's nodes. */
static GHashTable *
ways_of (const YvPlan *plan)
{
  GHashTable *ways = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    if (step->op != YV_OP_INPUT && step->op != YV_OP_DETECT)
      g_hash_table_add (ways, g_strdup_printf ("%s %d: %s %d", step->name, step->part,
                                               yv_kernel_name (step->kernel), step->texel));
  }
  return ways;
}

/* Else an image's detections would depend on what else is in its batch. */
static void
a_batch_runs_the_kernels_that_one_image_runs (void)
{
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7.yaml");
  YvCaps caps = lavapipe;
  YvPlanOptions options = {.n = 1, .h = 320, .w = 320, .dtype = YV_DTYPE_F32};

  caps.max_storage_range_bytes = 20u << 20; /* the largest value of one image takes 6.5 MB */
  g_autoptr (YvPlan) one = make_plan (graph, &caps, options);
  g_autoptr (GHashTable) of_one = ways_of (one);
  for (options.n = 2; options.n <= 7; options.n += 5) {
    g_autoptr (YvPlan) many = make_plan (graph, &caps, options);
    g_autoptr (GHashTable) of_many = ways_of (many);
    GHashTableIter iter;
    gpointer way;

    g_assert_cmpuint (many->flops, ==, options.n * one->flops);
    g_assert_cmpuint (g_hash_table_size (of_many), ==, g_hash_table_size (of_one));
    g_hash_table_iter_init (&iter, of_many);
    while (g_hash_table_iter_next (&iter, &way, NULL))
      g_assert_true (g_hash_table_contains (of_one, way));
    check_plan (many);
  }
}

static void
heads_live_to_the_end (void)
{
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7.yaml");
  g_autoptr (YvPlan) plan = make_plan (
      graph, &gpu,
      (YvPlanOptions){.n = 1, .h = 320, .w = 320, .dtype = YV_DTYPE_F16, .dense_rows = true});

  g_assert_cmpuint (plan->n_rows, ==, 3 * (40 * 40 + 20 * 20 + 10 * 10));
  for (uint32_t k = 0; k < 3; k++) {
    g_assert_cmpint (plan->heads[k].dtype, ==, YV_DTYPE_F32);
    for (uint32_t i = 0; i < plan->steps->len; i++) {
      const YvStep *step = &g_array_index (plan->steps, YvStep, i);
      const bool is_producer = step->dst.offset_bytes == plan->heads[k].offset_bytes &&
                               step->dst.dtype == YV_DTYPE_F32 &&
                               step->part != YV_PART_SPLIT_PRODUCT;

      /* Nothing is written over them from their own level on. */
      if (is_producer)
        for (uint32_t later = i + 1; later < plan->steps->len; later++)
          g_assert_false (
              overlap (&plan->heads[k], &g_array_index (plan->steps, YvStep, later).dst));
    }
  }
}

static uint32_t
count_kernel (const YvPlan *plan, YvKernel kernel)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++)
    n += g_array_index (plan->steps, YvStep, i).kernel == kernel;
  return n;
}

/* They are a part of the steps that make candidates, with as much work in less memory. */
static void
logits_that_nobody_reads_are_never_stored (void)
{
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7-tiny.yaml");
  YvPlanOptions options = {.n = 1, .h = 320, .w = 320, .dtype = YV_DTYPE_F16};
  YvCaps whole_sums = gpu; /* a head in parts would be one step more */
  whole_sums.conv_parts = 1;
  g_autoptr (YvPlan) fused = make_plan (graph, &whole_sums, options);
  g_autoptr (YvPlan) on_lavapipe = make_plan (graph, &lavapipe, options);
  g_autoptr (YvPlan) with_coopmat = make_plan (graph, &coopmat_gpu, options);
  options.keep_all = true;
  g_autoptr (YvPlan) kept = make_plan (graph, &whole_sums, options);
  options.keep_all = false;
  options.dense_rows = true;
  g_autoptr (YvPlan) dense = make_plan (graph, &whole_sums, options);

  g_assert_cmpuint (count_kernel (fused, YV_KERNEL_HEAD_TILE), ==, 3);
  g_assert_cmpuint (count_kernel (fused, YV_KERNEL_DECODE), ==, 0);
  g_assert_cmpuint (fused->steps->len, ==, kept->steps->len - 3 - 1);
  g_assert_cmpuint (fused->flops, ==, kept->flops);
  for (uint32_t i = 0; i < 3; i++) {
    g_assert_cmpint (fused->heads[i].memory, ==, YV_MEMORY_NONE);
    g_assert_cmpuint (fused->heads[i].h, ==, 40 >> i);
  }
  const YvPlan *unfused[] = {on_lavapipe, with_coopmat, kept, dense};
  for (uint32_t i = 0; i < G_N_ELEMENTS (unfused); i++)
    g_assert_cmpuint (count_kernel (unfused[i], YV_KERNEL_HEAD_TILE), ==, 0);
  g_assert_cmpuint (fused->arena_bytes, <=, dense->arena_bytes);
}

/* It is a part of the steps of the first convolution, with REORG or without, one an image. */
static void
a_picture_that_only_one_reads_is_never_stored (void)
{
  static const char *const of[] = {"cfg/deploy/yolov7-tiny.yaml", "cfg/deploy/yolov7.yaml",
                                   "cfg/deploy/yolov7-e6.yaml"};

  for (size_t i = 0; i < G_N_ELEMENTS (of); i++) {
    const bool has_reorg = i == 2;
    g_autoptr (YvGraph) graph = load_graph (of[i]);
    YvPlanOptions options = {.n = 2, .h = 320, .w = 320, .dtype = YV_DTYPE_F16};
    g_autoptr (YvPlan) fused = make_plan (graph, &gpu, options);
    g_autoptr (YvPlan) on_lavapipe = make_plan (graph, &lavapipe, options);
    options.dense_rows = true;
    g_autoptr (YvPlan) dense = make_plan (graph, &gpu, options);
    options.tensor_input = true;
    g_autoptr (YvPlan) tensor = make_plan (graph, &gpu, options);

    g_assert_cmpuint (count_kernel (fused, YV_KERNEL_CONV_FIRST), ==, 2);
    g_assert_cmpuint (count_kernel (dense, YV_KERNEL_CONV_FIRST), ==, 2);
    g_assert_cmpuint (count_kernel (fused, YV_KERNEL_LETTERBOX), ==, 0);
    g_assert_cmpuint (count_kernel (fused, YV_KERNEL_REORG), ==, 0);
    g_assert_cmpuint (fused->first_network_step, ==, 2);
    g_assert_cmpint (fused->input.memory, ==, YV_MEMORY_NONE);
    g_assert_cmpuint (dense->steps->len, ==, tensor->steps->len + 1 - has_reorg);
    g_assert_cmpuint (dense->flops, ==, tensor->flops);
    g_assert_cmpuint (count_kernel (on_lavapipe, YV_KERNEL_CONV_FIRST), ==, 0);
    g_assert_cmpuint (count_kernel (tensor, YV_KERNEL_CONV_FIRST), ==, 0);
    check_plan (fused);
  }
}

/* conv_first has no epilogue. */
static void
a_first_convolution_that_enlarges_is_none_of_conv_first (void)
{
  static const char text[] = "nc: 3\ndepth_multiple: 1.0\nwidth_multiple: 1.0\n"
                             "anchors:\n  - [10,16, 20,24]\n"
                             "backbone:\n"
                             "  - [-1, 1, Conv, [16, 3, 2]]\n"
                             "  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]\n"
                             "  - [-1, 1, Conv, [16, 3, 2]]\n"
                             "head:\n  - [[-1], 1, Detect, [nc, anchors]]\n";
  g_autofree char *path = NULL;
  const int fd = g_file_open_tmp ("yv-test-XXXXXX.yaml", &path, NULL);

  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_autoptr (YvGraph) graph = load_file (path, NULL);
  g_unlink (path);
  const YvPlanOptions options = {.n = 1, .h = 64, .w = 64, .dtype = YV_DTYPE_F16};
  g_autoptr (YvPlan) plan = make_plan (graph, &gpu, options);
  const YvStep *letterbox = &g_array_index (plan->steps, YvStep, 0);
  const YvStep *first = &g_array_index (plan->steps, YvStep, 1);

  g_assert_cmpuint (count_kernel (plan, YV_KERNEL_CONV_FIRST), ==, 0);
  g_assert_cmpint (letterbox->kernel, ==, YV_KERNEL_LETTERBOX);
  g_assert_true (first->node->conv.is_doubled);
  g_assert_cmpuint (first->dst.h, ==, 64);
}

static void
lists_have_room_for_every_class_up_to_a_bound (void)
{
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7-tiny.yaml");
  YvPlanOptions options = {.n = 1, .h = 64, .w = 64, .dtype = YV_DTYPE_F32, .multi_label = true};
  g_autoptr (YvPlan) small = make_plan (graph, &gpu, options);

  g_assert_cmpuint (small->capacity, ==, 80 * small->n_rows);
  options.h = options.w = 640;
  g_autoptr (YvPlan) large = make_plan (graph, &gpu, options);
  g_assert_cmpuint (large->capacity, ==, 65536);
  options.h = options.w = 1280;
  g_autoptr (YvPlan) larger = make_plan (graph, &gpu, options);
  g_assert_cmpuint (larger->capacity, ==, larger->n_rows);
}

static void
lists_have_room_for_the_best_class_of_each_row (void)
{
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7-tiny.yaml");
  const YvPlanOptions options = {.n = 1, .h = 640, .w = 640, .dtype = YV_DTYPE_F32};
  g_autoptr (YvPlan) plan = make_plan (graph, &gpu, options);

  g_test_message ("%u bytes an image", plan->list_bytes);
  g_assert_cmpuint (plan->capacity, ==, plan->n_rows);
  g_assert_cmpuint (plan->list_bytes, <=, 33 * plan->n_rows);
}

static void
flops_are_those_of_the_specification (void)
{
  g_autoptr (YvGraph) tiny = load_graph ("cfg/deploy/yolov7-tiny.yaml");
  g_autoptr (YvGraph) v7 = load_graph ("cfg/training/yolov7.yaml");

  g_assert_cmpfloat_with_epsilon ((double) yv_graph_flops (tiny, 640, 640, NULL) / 1e9, 13.70,
                                  0.005);
  g_assert_cmpfloat_with_epsilon ((double) yv_graph_flops (v7, 640, 640, NULL) / 1e9, 104.51,
                                  0.005);
}

static void
sizes_that_do_not_fit_are_refused (void)
{
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7-tiny.yaml");
  YvPlanOptions options = {.n = 1, .h = 640, .w = 650, .dtype = YV_DTYPE_F32};
  g_autoptr (GError) error = NULL;

  g_assert_null (yv_plan_new (graph, &gpu, &options, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "650x640"));
  g_assert_nonnull (strstr (error->message, "32"));

  g_clear_error (&error);
  options.h = options.w = 32768;
  g_assert_null (yv_plan_new (graph, &gpu, &options, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);

  g_clear_error (&error);
  options = (YvPlanOptions){.n = 1, .h = 64, .w = 64, .dtype = YV_DTYPE_F16};
  YvCaps no_half = gpu;
  no_half.fp16_storage = false;
  g_assert_null (yv_plan_new (graph, &no_half, &options, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
}

/* Texel buffers have limits; what exceeds them goes by addresses. */
static void
operands_too_large_for_texel_buffers_go_by_addresses (void)
{
  g_autoptr (YvGraph) graph = load_graph ("cfg/deploy/yolov7-tiny.yaml");
  YvCaps small = lavapipe;
  uint32_t n_texel = 0, n_tile = 0;

  small.max_storage_range_bytes = 4u << 20;
  g_autoptr (YvPlan) plan =
      make_plan (graph, &small, (YvPlanOptions){.n = 1, .h = 640, .w = 640, .dtype = YV_DTYPE_F32});
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    n_texel += step->texel;
    n_tile += step->kernel == YV_KERNEL_CONV_TILE;
    if (step->texel)
      g_assert_cmpuint (step->dst.size_bytes, <=, 4u << 20);
    if (step->op == YV_OP_CONV)
      g_assert_true (step->texel == (step->kernel != YV_KERNEL_CONV_TILE));
  }
  g_assert_cmpuint (n_texel, >, 20);
  g_assert_cmpuint (n_tile, >, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/golden", plans_are_as_written_down);
  g_test_add_func ("/plan/largest", the_largest_input_fits_into_the_groups_of_a_device);
  g_test_add_func ("/plan/independent-steps", steps_of_a_level_are_independent);
  g_test_add_func ("/plan/siblings", every_sibling_merged_is_a_step_less);
  g_test_add_func ("/plan/heads-live", heads_live_to_the_end);
  g_test_add_func ("/plan/heads-fused", logits_that_nobody_reads_are_never_stored);
  g_test_add_func ("/plan/first-fused", a_picture_that_only_one_reads_is_never_stored);
  g_test_add_func ("/plan/first-enlarges", a_first_convolution_that_enlarges_is_none_of_conv_first);
  g_test_add_func ("/plan/capacity/best", lists_have_room_for_the_best_class_of_each_row);
  g_test_add_func ("/plan/capacity/multi-label", lists_have_room_for_every_class_up_to_a_bound);
  g_test_add_func ("/plan/flops", flops_are_those_of_the_specification);
  g_test_add_func ("/plan/refused", sizes_that_do_not_fit_are_refused);
  g_test_add_func ("/plan/too-large-for-texels",
                   operands_too_large_for_texel_buffers_go_by_addresses);
  g_test_add_func ("/plan/batch-runs-the-same", a_batch_runs_the_kernels_that_one_image_runs);
  return g_test_run ();
}
