/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-conv.c - conv_lanes, conv_tile, conv_coopmat, conv_sum and winograd_*.comp against
 * engine/ref/conv.c.
 *
 * Tiles are 40 pixels x 32 channels and 32 x 64 (conv_lanes), 64 x 64 and 128 x 32 (conv_tile);
 * those of conv_coopmat are in engine/ops/coopmat.c. */
#include <math.h>

#include "engine/ops/conv.h"
#include "tests/ops/opcase.h"

typedef enum {
  PLAIN,
  SLICED, /* both operands are channels of a wider one */
  INPUT,  /* the source is the network's input */
  HEAD,   /* the destination is f32 */
} Place;

typedef struct {
  const char *name;
  uint32_t n, c_in, h, w, c_out;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  uint32_t groups;
  YvActKind act;
  Place place;
} ConvShape;

#define K1 1, 1, 1, 1, 0, 0
#define K3 3, 3, 1, 1, 1, 1
#define K3S2 3, 3, 2, 2, 1, 1

static const ConvShape small[] = {
    {"one of all", 1, 1, 1, 1, 1, K1, 1, YV_ACT_NONE, PLAIN},
    {"31 pixels, 8 -> 31", 1, 8, 1, 31, 31, K1, 1, YV_ACT_SILU, PLAIN},
    {"32 pixels, 4 -> 32", 1, 4, 4, 8, 32, K1, 1, YV_ACT_SILU, PLAIN},
    {"33 pixels, 12 -> 33", 1, 12, 3, 11, 33, K1, 1, YV_ACT_SILU, PLAIN},
    {"39 pixels, 3 -> 40", 1, 3, 3, 13, 40, K1, 1, YV_ACT_SILU, PLAIN},
    {"40 pixels, 24 -> 24", 3, 24, 5, 8, 24, K1, 1, YV_ACT_SILU, PLAIN},
    {"41 pixels, 40 -> 63", 3, 40, 1, 41, 63, K1, 1, YV_ACT_SILU, PLAIN},
    {"63 pixels, 16 -> 64", 1, 16, 7, 9, 64, K1, 1, YV_ACT_SILU, PLAIN},
    {"64 pixels, 17 -> 65", 1, 17, 8, 8, 65, K1, 1, YV_ACT_SILU, PLAIN},
    {"65 pixels, 20 -> 129", 1, 20, 5, 13, 129, K1, 1, YV_ACT_SILU, PLAIN},
    {"127 pixels, 8 -> 32", 1, 8, 1, 127, 32, K1, 1, YV_ACT_SILU, PLAIN},
    {"128 pixels, 12 -> 25", 3, 12, 8, 16, 25, K3, 1, YV_ACT_SILU, PLAIN},
    {"129 pixels, 20 -> 32", 1, 20, 3, 43, 32, K1, 1, YV_ACT_SILU, SLICED},
    {"slices, 1x1", 3, 24, 5, 9, 40, K1, 1, YV_ACT_LEAKY_RELU, SLICED},
    {"3x3, one pixel", 1, 8, 1, 1, 8, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3, primes", 3, 12, 13, 17, 40, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3/2, odd sides", 3, 12, 13, 17, 40, K3S2, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3/2, even sides, slices", 1, 32, 12, 20, 64, K3S2, 1, YV_ACT_LEAKY_RELU, SLICED},
    {"3x3 without padding", 1, 8, 7, 9, 16, 3, 3, 1, 1, 0, 0, 1, YV_ACT_NONE, PLAIN},
    {"3x3 with much padding", 1, 8, 4, 5, 16, 3, 3, 1, 1, 2, 2, 1, YV_ACT_NONE, PLAIN},
    {"1x1/2", 3, 24, 9, 7, 24, 1, 1, 2, 2, 0, 0, 1, YV_ACT_NONE, PLAIN},
    {"1x1 with padding", 1, 4, 3, 3, 8, 1, 1, 1, 1, 1, 1, 1, YV_ACT_NONE, PLAIN},
    {"1x3", 1, 12, 6, 11, 16, 1, 3, 1, 1, 0, 1, 1, YV_ACT_NONE, PLAIN},
    {"5x2, stride 1 down, 3 across", 3, 4, 11, 14, 24, 5, 2, 1, 3, 2, 0, 1, YV_ACT_NONE, PLAIN},
    {"6x6/2", 1, 3, 16, 20, 32, 6, 6, 2, 2, 2, 2, 1, YV_ACT_NONE, INPUT},
    {"7x7, larger than the picture", 1, 8, 4, 4, 8, 7, 7, 1, 1, 3, 3, 1, YV_ACT_NONE, PLAIN},
    {"64 pixels, 4 -> 8", 1, 4, 8, 8, 8, K1, 1, YV_ACT_SILU, PLAIN},
    {"65 pixels, 20 -> 9", 1, 20, 5, 13, 9, K1, 1, YV_ACT_SILU, PLAIN},
    {"63 pixels of three images", 3, 12, 3, 7, 16, K1, 1, YV_ACT_SILU, SLICED},
    {"a tile of five images, 3x3", 5, 8, 3, 4, 7, K3, 1, YV_ACT_SILU, PLAIN},
    {"a tile of five images, 3x3/2", 5, 8, 5, 7, 16, K3S2, 1, YV_ACT_SILU, SLICED},
    {"3x3, three images, 12 -> 48", 3, 12, 9, 11, 48, K3, 1, YV_ACT_SILU, PLAIN},
    {"first layer of a narrow net", 3, 3, 18, 14, 8, K3S2, 1, YV_ACT_SILU, INPUT},
    {"groups", 1, 24, 6, 7, 16, K3, 4, YV_ACT_NONE, PLAIN},
    {"depthwise", 3, 40, 6, 7, 40, K3, 40, YV_ACT_NONE, PLAIN},
    {"depthwise, four tiles", 1, 200, 5, 6, 200, K3S2, 200, YV_ACT_SILU, SLICED},
    {"groups across tiles", 3, 72, 5, 6, 160, K3, 8, YV_ACT_SILU, PLAIN},
    {"32 groups", 1, 256, 5, 6, 256, K3, 32, YV_ACT_SILU, PLAIN},
    {"wider than lanes take", 1, 3080, 2, 3, 3080, K3, 3080, YV_ACT_SILU, PLAIN},
    {"first layer", 3, 3, 32, 48, 32, K3S2, 1, YV_ACT_SILU, INPUT},
    {"winograd, one tile", 1, 48, 4, 4, 48, K3, 1, YV_ACT_SILU, PLAIN},
    {"winograd, part of a tile", 1, 64, 1, 3, 40, K3, 1, YV_ACT_NONE, PLAIN},
    {"winograd, primes, slices", 3, 52, 13, 17, 49, K3, 1, YV_ACT_LEAKY_RELU, SLICED},
    {"winograd, 41 tiles", 1, 96, 4, 164, 64, K3, 1, YV_ACT_MISH, PLAIN},
    {"winograd, two bands", 1, 512, 4, 912, 32, K3, 1, YV_ACT_NONE, PLAIN},
    {"winograd, a head", 1, 64, 9, 8, 45, K3, 1, YV_ACT_NONE, PLAIN},
    {"a layer of tiny", 1, 64, 20, 20, 64, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"a head", 3, 72, 10, 9, 255, K1, 1, YV_ACT_NONE, HEAD},
};

/* A layer of each class of yolov7-tiny at 640 x 640, and two of yolov7. */
static const ConvShape real[] = {
    {"first layer", 1, 3, 640, 640, 32, K3S2, 1, YV_ACT_LEAKY_RELU, INPUT},
    {"3x3/2 32 -> 64", 1, 32, 320, 320, 64, K3S2, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"1x1 64 -> 32", 1, 64, 160, 160, 32, K1, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3 32 -> 32", 1, 32, 160, 160, 32, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"1x1 128 -> 64", 1, 128, 160, 160, 64, K1, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3 32 -> 32, 80", 1, 32, 80, 80, 32, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3 64 -> 64", 1, 64, 80, 80, 64, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3 64 -> 64, SiLU", 1, 64, 80, 80, 64, K3, 1, YV_ACT_SILU, PLAIN},
    {"3x3 64 -> 64, none", 1, 64, 80, 80, 64, K3, 1, YV_ACT_NONE, PLAIN},
    {"1x1 256 -> 128", 1, 256, 80, 80, 128, K1, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3 128 -> 128", 1, 128, 40, 40, 128, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"1x1 512 -> 256", 1, 512, 20, 20, 256, K1, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"3x3 256 -> 256", 1, 256, 20, 20, 256, K3, 1, YV_ACT_LEAKY_RELU, PLAIN},
    {"head 128 -> 255", 1, 128, 80, 80, 255, K1, 1, YV_ACT_NONE, HEAD},
    {"3x3 256 -> 256, yolov7", 1, 256, 40, 40, 256, K3, 1, YV_ACT_SILU, PLAIN},
    {"3x3 256 in 32 groups", 1, 256, 40, 40, 256, K3, 32, YV_ACT_SILU, PLAIN},
    {"3x3 512 depthwise", 1, 512, 20, 20, 512, K3, 512, YV_ACT_SILU, PLAIN},
    {"1x1 1024 -> 512, yolov7", 1, 1024, 20, 20, 512, K1, 1, YV_ACT_SILU, PLAIN},
};

static uint32_t
window_positions (uint32_t in, uint32_t kernel, uint32_t stride, uint32_t pad)
{
  return (in + 2 * pad - kernel) / stride + 1;
}

static YvWeight *
new_weight (const ConvShape *s)
{
  YvWeight *weight = yv_weight_new (s->c_out, s->c_in, s->groups, s->kernel_h, s->kernel_w);

  yv_weight_add_random (weight, 7);
  for (uint32_t o = 0; o < s->c_out; o++)
    weight->bias[o] = 0.25 * sin (o);
  return weight;
}

static OpCase
new_case (const ConvShape *s, YvWeight *weight, YvDType dtype)
{
  return (OpCase){
      .name = s->name,
      .node = {.op = YV_OP_CONV,
               .name = (char *) s->name,
               .n_inputs = 1,
               .c_out = s->c_out,
               .act = {.kind = s->act, .slope = 0.1f},
               .conv = {.weight = weight,
                        .stride_h = s->stride_h,
                        .stride_w = s->stride_w,
                        .pad_h = s->pad_h,
                        .pad_w = s->pad_w}},
      .n = s->n,
      .dtype = dtype,
      .dst_dtype = s->place == HEAD ? YV_DTYPE_F32 : dtype,
      .src = {{.c = s->c_in,
               .h = s->h,
               .w = s->w,
               .c_before = s->place == SLICED ? 16 : 0,
               .c_behind = s->place == SLICED ? 8 : 0,
               .is_input = s->place == INPUT}},
      .n_srcs = 1,
      .dst = {.c = s->c_out,
              .h = window_positions (s->h, s->kernel_h, s->stride_h, s->pad_h),
              .w = window_positions (s->w, s->kernel_w, s->stride_w, s->pad_w),
              .c_before = s->place == SLICED ? 24 : 0,
              .c_behind = s->place == SLICED ? 16 : 0},
      .amplitude = 1,
  };
}

/* A sum of k products in fp32: each addition rounds a partial sum, in a random direction, so the
 * error grows as sqrt (k). Sums are about normal with the deviation of the source, so none is much
 * larger than 5 times its amplitude, also where the activation hides that. A few units more for the
 * activation. Winograd loses 1.9 times as much (winograd.h). The result is rounded once;
 * biases of conv_lanes are stored in the dtype too. */
static OpBound
conv_bound (const OpCase *c, double largest)
{
  const YvWeight *weight = c->node.conv.weight;
  const double k = (double) weight->c_in / weight->groups * weight->kernel_h * weight->kernel_w;
  const double winograd = c->way && !c->way->winograd ? 1 : 2;
  const double sum = 0x1p-23 * winograd * (sqrt (k) + 8) * fmax (largest, 5 * c->amplitude);
  const double bias = c->dtype == YV_DTYPE_F16 ? 0x1p-12 * 0.25 + 0x1p-24 : 0;

  return (OpBound){.absolute = sum + bias, .relative = op_rounding (c->dst_dtype)};
}

/* On a CPU the ways by cooperative matrices are compiled for minutes, and have a test below; and so
 * has conv_tile, where the device is asked for the kernels for GPUs. */
static bool
is_for_all_shapes (const YvWay *way, const YvCaps *caps)
{
  if (way->kernel == YV_KERNEL_CONV_COOPMAT)
    return caps->coopmat_m > 0 && !caps->is_cpu;
  return way->kernel != YV_KERNEL_CONV_TILE || !caps->is_cpu;
}

/* Each of these ways that the device can, or else as it does it by itself. */
static void
check (const ConvShape *s, YvDType dtype, uint32_t *n_of_way)
{
  g_autoptr (YvDevice) device = op_open_device ();
  g_autoptr (YvWeight) weight = new_weight (s);
  OpCase c = new_case (s, weight, dtype);
  bool has_run = false;

  if (!device)
    return;
  for (uint32_t i = 0; i < yv_conv_n_ways (); i++) {
    const YvWay way = yv_conv_way (i);

    c.way = &way;
    const bool ran =
        is_for_all_shapes (&way, yv_device_caps (device)) && op_case_check (&c, conv_bound);
    n_of_way[i] += ran;
    has_run |= ran;
  }
  c.way = NULL;
  if (!has_run)
    op_case_check (&c, conv_bound);
}

/* NULL: it is another kernel. */
static const YvLanes *
find_lanes (YvKernel kernel)
{
  for (uint32_t i = 0; i < YV_N_LANES; i++)
    if (yv_lanes_at (i)->kernel == kernel)
      return yv_lanes_at (i);
  return NULL;
}

/* No way is left out because of a mistake in what it can. */
static void
assert_each_way_ran (YvDType dtype, const uint32_t *n_of_way)
{
  g_autoptr (YvDevice) device = op_open_device ();
  const YvCaps *caps = device ? yv_device_caps (device) : NULL;

  for (uint32_t i = 0; caps && i < yv_conv_n_ways (); i++) {
    const YvWay way = yv_conv_way (i);
    g_autofree char *text = yv_way_print (&way);
    const YvLanes *lanes = find_lanes (way.kernel);
    const bool by_lanes = lanes && caps->texel_lanes && lanes->lanes <= caps->subgroup_size;
    const bool takes_f16 = !way.winograd && by_lanes && lanes->lanes == 8;

    g_test_message ("%s: %u shapes", text, n_of_way[i]);
    if (by_lanes && (dtype == YV_DTYPE_F32 || takes_f16))
      g_assert_cmpuint (n_of_way[i], >, 5);
  }
}

static uint32_t
count_runs (YvKernel kernel, const uint32_t *n_of_way)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < yv_conv_n_ways (); i++)
    if (yv_conv_way (i).kernel == kernel)
      n += n_of_way[i];
  return n;
}

/* Some of their tiles may not fit a device. */
static void
assert_matrices_ran (const uint32_t *n_of_way)
{
  g_autoptr (YvDevice) device = op_open_device ();
  const YvCaps *caps = device ? yv_device_caps (device) : NULL;

  if (caps && caps->coopmat_m > 0 && !caps->is_cpu)
    g_assert_cmpuint (count_runs (YV_KERNEL_CONV_COOPMAT, n_of_way), >, 0);
  if (caps && caps->coopmat2_wanted)
    g_assert_cmpuint (count_runs (YV_KERNEL_CONV_COOPMAT2, n_of_way), >, 0);
}

static void
every_shape (YvDType dtype)
{
  g_autofree uint32_t *n_of_way = g_new0 (uint32_t, yv_conv_n_ways ());

  for (size_t i = 0; i < G_N_ELEMENTS (small); i++)
    check (&small[i], dtype, n_of_way);
  assert_each_way_ran (dtype, n_of_way);
  if (dtype == YV_DTYPE_F16)
    assert_matrices_ran (n_of_way);
}

static void
every_shape_in_fp32 (void)
{
  every_shape (YV_DTYPE_F32);
}

static void
every_shape_in_fp16 (void)
{
  every_shape (YV_DTYPE_F16);
}

/* Compiled for minutes on a CPU, where the slow mode (-m slow) has them. */
static bool
is_too_large (const YvWay *way, const YvCaps *caps)
{
  return caps->is_cpu && !g_test_slow () && MIN (way->tile_pixels, way->tile_channels) > 32;
}

/* What epilogue.glsl does, in each kernel; few cases, as each is a pipeline of its own. */
static const struct {
  ConvShape shape;
  YvDType dtype;
  bool has_residual, act_last, is_doubled, winograd;
} epilogues[] = {
    {{"residual", 3, 24, 5, 7, 40, K1, 1, YV_ACT_LEAKY_RELU, SLICED},
     YV_DTYPE_F32,
     true,
     false,
     false,
     false},
    {{"residual before the activation", 1, 8, 5, 7, 33, K3S2, 1, YV_ACT_SILU, PLAIN},
     YV_DTYPE_F32,
     true,
     true,
     false,
     false},
    {{"doubled", 3, 24, 5, 7, 40, K1, 1, YV_ACT_SILU, SLICED},
     YV_DTYPE_F32,
     false,
     false,
     true,
     false},
    {{"all in fp16", 3, 8, 13, 11, 33, K3S2, 1, YV_ACT_RELU, SLICED},
     YV_DTYPE_F16,
     true,
     true,
     true,
     false},
    {{"winograd, residual", 1, 64, 9, 6, 64, K3, 1, YV_ACT_SILU, SLICED},
     YV_DTYPE_F32,
     true,
     false,
     false,
     true},
    {{"winograd, all", 3, 64, 9, 6, 64, K3, 1, YV_ACT_RELU, PLAIN},
     YV_DTYPE_F32,
     true,
     true,
     true,
     true},
};

/* Whatever is asked for: conv_sum has no epilogue. */
static void
assert_is_not_cut (const OpCase *c)
{
  OpCase cut = *c;

  cut.way = NULL;
  cut.by_address = true;
  cut.n_parts = 3;
  g_autoptr (OpRun) run = op_run_new (&cut);
  if (run)
    g_assert_cmpuint (op_run_n_steps (run), ==, 1);
}

static void
every_epilogue (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (epilogues); i++) {
    const ConvShape *s = &epilogues[i].shape;
    g_autoptr (YvWeight) weight = new_weight (s);
    OpCase c = new_case (s, weight, epilogues[i].dtype);

    c.node.conv.act_last = epilogues[i].act_last;
    c.node.conv.is_doubled = epilogues[i].is_doubled;
    c.node.n_inputs = c.n_srcs = epilogues[i].has_residual ? 2 : 1;
    c.src[1] = (OpTensor){.c = s->c_out, .h = c.dst.h, .w = c.dst.w, .c_before = 8, .c_behind = 24};
    c.dst.h *= epilogues[i].is_doubled ? 2 : 1;
    c.dst.w *= epilogues[i].is_doubled ? 2 : 1;
    const YvWay way = {.kernel = YV_KERNEL_CONV_LANES32, .winograd = epilogues[i].winograd};

    c.way = &way;
    op_case_check (&c, conv_bound);
    if (!epilogues[i].winograd)
      assert_is_not_cut (&c);
  }
}

/* The larger ones are compiled for minutes on a CPU, where the slow mode (-m slow) has them. */
static void
every_tile_of_coopmat (void)
{
  static const ConvShape shapes[] = {
      {"3x3/2, primes, a tile and a bit", 3, 40, 17, 19, 136, K3S2, 1, YV_ACT_SILU, SLICED},
      {"1x1, one pixel short of tiles", 1, 72, 17, 15, 127, K1, 1, YV_ACT_SILU, PLAIN},
  };
  g_autoptr (YvDevice) device = op_open_device ();
  if (!device)
    return;
  const YvCaps *caps = yv_device_caps (device);
  if (caps->coopmat_m == 0) {
    g_assert_null (g_getenv ("YV_REQUIRE_COOPMAT"));
    g_test_skip ("the device has no cooperative matrices, or they are not asked for");
    return;
  }

  for (uint32_t i = 0; i < yv_conv_n_ways (); i++)
    for (size_t k = 0; k < G_N_ELEMENTS (shapes); k++) {
      const YvWay way = yv_conv_way (i);
      g_autoptr (YvWeight) weight = new_weight (&shapes[k]);
      OpCase c = new_case (&shapes[k], weight, YV_DTYPE_F16);

      c.way = &way;
      if (way.kernel == YV_KERNEL_CONV_COOPMAT && !is_too_large (&way, caps))
        g_assert_true (op_case_check (&c, conv_bound));
    }
}

static void
check_parts (const ConvShape *s, uint32_t n_parts, YvDType dtype)
{
  g_autoptr (YvWeight) weight = new_weight (s);
  OpCase c = new_case (s, weight, dtype);

  c.n_parts = n_parts;
  c.by_address = true;
  op_case_check (&c, conv_bound);

  g_autoptr (OpRun) run = op_run_new (&c);
  if (run)
    g_assert_cmpuint (op_run_n_steps (run), ==, n_parts > 1 ? 2 : 1);
}

/* Each sum in parts that K's steps of 16 and 32 do not divide, and in more parts than steps; by
 * address, so that conv_tile has it on lavapipe, too. */
static void
every_number_of_parts (void)
{
  static const ConvShape shapes[] = {
      {"parts, 3x3/2, primes", 3, 40, 11, 13, 72, K3S2, 1, YV_ACT_SILU, SLICED},
      {"parts, 3x3, no activation", 1, 72, 5, 9, 24, K3, 1, YV_ACT_NONE, PLAIN},
      {"parts, a head", 3, 104, 10, 9, 75, K1, 1, YV_ACT_NONE, HEAD},
      {"parts, first layer", 2, 3, 12, 14, 16, K3S2, 1, YV_ACT_LEAKY_RELU, INPUT},
  };
  static const uint32_t n_parts[] = {1, 2, 3, 4, 8};

  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (size_t k = 0; k < G_N_ELEMENTS (n_parts); k++)
      for (int dtype = YV_DTYPE_F32; dtype <= YV_DTYPE_F16; dtype++)
        check_parts (&shapes[i], n_parts[k], (YvDType) dtype);
}

static void
every_activation (void)
{
  for (int act = 0; act < YV_N_ACTS; act++) {
    ConvShape s = {"activation", 1, 16, 6, 7, 16, K3, 1, (YvActKind) act, PLAIN};
    g_autoptr (YvWeight) weight = new_weight (&s);
    OpCase c = new_case (&s, weight, YV_DTYPE_F32);

    c.amplitude = 8; /* both ends of every curve */
    op_case_check (&c, conv_bound);
  }
}

/* exp overflows in SiLU, Mish and the sigmoid. */
static void
activations_of_large_values_are_finite (void)
{
  static const YvActKind acts[] = {YV_ACT_SILU, YV_ACT_MISH, YV_ACT_SIGMOID};

  for (size_t i = 0; i < G_N_ELEMENTS (acts); i++) {
    ConvShape s = {"large values", 1, 16, 6, 7, 16, K3, 1, acts[i], PLAIN};
    g_autoptr (YvWeight) weight = new_weight (&s);
    OpCase c = new_case (&s, weight, YV_DTYPE_F32);

    c.amplitude = 1000;
    op_case_check (&c, conv_bound);
  }
}

static void
fp16_stops_at_its_largest_value (void)
{
  const ConvShape s = {"overflow", 1, 16, 6, 7, 16, K1, 1, YV_ACT_NONE, PLAIN};
  g_autoptr (YvWeight) weight = new_weight (&s);
  OpCase c = new_case (&s, weight, YV_DTYPE_F16);
  uint32_t n_largest = 0;

  c.amplitude = 60000;
  g_autoptr (OpRun) run = op_run_new (&c);
  if (!run)
    return;
  op_run_submit (run, NULL, NULL, NULL, NULL);
  g_autofree float *got = op_run_got (run);
  for (uint64_t i = 0; i < op_run_n_elems (run); i++) {
    g_assert_cmpfloat (fabsf (got[i]), <=, 65504);
    n_largest += fabsf (got[i]) == 65504;
  }
  g_assert_cmpuint (n_largest, >, 0);
}

static void
bench (void)
{
  g_autoptr (YvDevice) device = op_open_device ();
  if (!device)
    return;
  for (int dtype = YV_DTYPE_F32; dtype <= YV_DTYPE_F16; dtype++)
    for (size_t i = 0; i < G_N_ELEMENTS (real); i++) {
      const ConvShape *s = &real[i];
      g_autoptr (YvWeight) weight = new_weight (s);
      OpCase c = new_case (s, weight, (YvDType) dtype);
      const double k = (double) s->c_in * s->kernel_h * s->kernel_w;
      const double n_out = (double) s->n * s->c_out * c.dst.h * c.dst.w;
      const double n_elems = n_out + s->c_out * k + (double) s->n * s->c_in * s->h * s->w;

      for (uint32_t k_way = 0; k_way < yv_conv_n_ways (); k_way++) {
        const YvWay way = yv_conv_way (k_way);

        c.way = &way;
        if (is_for_all_shapes (&way, yv_device_caps (device)) || g_getenv ("YV_KERNELS"))
          op_case_bench (&c, 2 * n_out * k * 1e-9,
                         n_elems * (double) yv_dtype_size_bytes ((YvDType) dtype) * 1e-9);
      }
    }
}

int
main (int argc, char **argv)
{
  if (op_bench_wanted (argc, argv)) {
    bench ();
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conv/fp32", every_shape_in_fp32);
  g_test_add_func ("/conv/fp16", every_shape_in_fp16);
  g_test_add_func ("/conv/epilogues", every_epilogue);
  g_test_add_func ("/conv/tiles", every_tile_of_coopmat);
  g_test_add_func ("/conv/parts", every_number_of_parts);
  g_test_add_func ("/conv/activations", every_activation);
  g_test_add_func ("/conv/large-values", activations_of_large_values_are_finite);
  g_test_add_func ("/conv/overflow", fp16_stops_at_its_largest_value);
  return op_run_tests ();
}
