/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-maxpool.c - maxpool.comp against engine/ref/maxpool.c, bit for bit. */
#include "shaders/params.h"
#include "tests/ops/opcase.h"

typedef struct {
  const char *name;
  uint32_t n, c, h, w;
  uint32_t kernel, stride, pad;
  uint32_t c_before, c_behind; /* of both sides */
  YvPyramid pyramid;           /* c is that of the source */
} PoolShape;

#define K5 5, 1, 2

static const PoolShape small[] = {
    {"one of all", 1, 1, 1, 1, 1, 1, 0, 0, 0, YV_PYRAMID_NONE},
    {"2/2", 3, 24, 8, 6, 2, 2, 0, 0, 0, YV_PYRAMID_NONE},
    {"2/2, odd sides", 1, 12, 9, 7, 2, 2, 0, 0, 0, YV_PYRAMID_NONE},
    {"3/1", 1, 40, 7, 5, 3, 1, 1, 0, 0, YV_PYRAMID_NONE},
    {"3/2 padded", 3, 8, 11, 13, 3, 2, 1, 0, 0, YV_PYRAMID_NONE},
    {"5/1, 31 pixels", 1, 4, 1, 31, K5, 0, 0, YV_PYRAMID_NONE},
    {"5/1, 32 pixels, slices", 1, 32, 4, 8, K5, 16, 8, YV_PYRAMID_NONE},
    {"5/1, 33 pixels", 1, 3, 3, 11, K5, 0, 0, YV_PYRAMID_NONE},
    {"9/1, slices", 3, 24, 10, 10, 9, 1, 4, 8, 24, YV_PYRAMID_NONE},
    {"13/1, larger than the picture", 1, 16, 6, 7, 13, 1, 6, 0, 0, YV_PYRAMID_NONE},
    {"a pool of tiny", 1, 64, 40, 40, 2, 2, 0, 0, 64, YV_PYRAMID_NONE},
    {"pyramid, a pixel", 1, 8, 1, 1, K5, 0, 0, YV_PYRAMID_RISING},
    {"pyramid, smaller than a window", 3, 16, 4, 3, K5, 0, 8, YV_PYRAMID_RISING},
    {"pyramid, falling", 1, 24, 5, 12, K5, 8, 0, YV_PYRAMID_FALLING},
    {"pyramid, 9 x 11", 1, 8, 11, 9, K5, 0, 0, YV_PYRAMID_FALLING},
    {"pyramid, 10 x 20", 3, 40, 20, 10, K5, 16, 24, YV_PYRAMID_RISING},
    {"pyramid, 31 x 21", 1, 16, 21, 31, K5, 0, 0, YV_PYRAMID_RISING},
    {"pyramid of tiny", 1, 256, 20, 20, K5, 0, 256, YV_PYRAMID_FALLING},
};

/* All pools of yolov7-tiny and the pyramid of yolov7, 640 x 640. */
static const PoolShape real[] = {
    {"2/2", 1, 64, 160, 160, 2, 2, 0, 0, 0, YV_PYRAMID_NONE},
    {"2/2", 1, 128, 80, 80, 2, 2, 0, 0, 0, YV_PYRAMID_NONE},
    {"2/2", 1, 256, 40, 40, 2, 2, 0, 0, 0, YV_PYRAMID_NONE},
    {"5/1", 1, 256, 20, 20, K5, 256, 512, YV_PYRAMID_NONE},
    {"9/1", 1, 512, 20, 20, 9, 1, 4, 0, 0, YV_PYRAMID_NONE},
    {"13/1", 1, 512, 20, 20, 13, 1, 6, 0, 0, YV_PYRAMID_NONE},
    {"pyramid", 1, 256, 20, 20, K5, 0, 256, YV_PYRAMID_FALLING},
    {"pyramid", 1, 512, 20, 20, K5, 512, 0, YV_PYRAMID_RISING},
};

static OpCase
new_case (const PoolShape *s, YvDType dtype)
{
  const uint32_t h = (s->h + 2 * s->pad - s->kernel) / s->stride + 1;
  const uint32_t w = (s->w + 2 * s->pad - s->kernel) / s->stride + 1;
  const uint32_t n_levels = s->pyramid == YV_PYRAMID_NONE ? 1 : YV_PYRAMID_LEVELS;

  return (OpCase){
      .name = s->name,
      .node = {.op = YV_OP_MAXPOOL,
               .name = (char *) s->name,
               .n_inputs = 1,
               .c_out = s->c,
               .maxpool = {.kernel = s->kernel,
                           .stride = s->stride,
                           .pad = s->pad,
                           .pyramid = s->pyramid}},
      .n = s->n,
      .dtype = dtype,
      .dst_dtype = dtype,
      .src = {{s->c, s->h, s->w, s->c_before, s->c_behind, false}},
      .n_srcs = 1,
      .dst = {n_levels * s->c, h, w, s->c_before, s->c_behind, false},
      .amplitude = 1,
  };
}

static void
check_all (YvDType dtype)
{
  for (size_t i = 0; i < G_N_ELEMENTS (small); i++) {
    const OpCase c = new_case (&small[i], dtype);
    op_case_check (&c, op_bound_exact);
  }
}

static void
every_shape_in_fp32 (void)
{
  check_all (YV_DTYPE_F32);
}

static void
every_shape_in_fp16 (void)
{
  check_all (YV_DTYPE_F16);
}

/* A model may pool the picture itself, whose pixels have 4 channels. */
static void
the_networks_input (void)
{
  const PoolShape s = {"input", 3, 3, 8, 6, 2, 2, 0, 0, 0, YV_PYRAMID_NONE};
  OpCase c = new_case (&s, YV_DTYPE_F32);

  c.src[0].is_input = true;
  op_case_check (&c, op_bound_exact);
}

static void
bench (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (real); i++) {
    const OpCase c = new_case (&real[i], YV_DTYPE_F32);
    const double n_elems =
        (double) c.dst.h * c.dst.w * c.dst.c + (double) real[i].h * real[i].w * real[i].c;

    op_case_bench (&c, 0, n_elems * 4e-9);
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
  g_test_add_func ("/maxpool/fp32", every_shape_in_fp32);
  g_test_add_func ("/maxpool/fp16", every_shape_in_fp16);
  g_test_add_func ("/maxpool/input", the_networks_input);
  return op_run_tests ();
}
