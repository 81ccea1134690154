/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-maxpool.c - maxpool.comp against engine/ref/maxpool.c, bit for bit. */
#include "tests/ops/opcase.h"

typedef struct {
  const char *name;
  uint32_t n, c, h, w;
  uint32_t kernel, stride, pad;
  uint32_t c_before, c_behind; /* of both sides */
} PoolShape;

static const PoolShape small[] = {
    {"one of all", 1, 1, 1, 1, 1, 1, 0, 0, 0},
    {"2/2", 3, 24, 8, 6, 2, 2, 0, 0, 0},
    {"2/2, odd sides", 1, 12, 9, 7, 2, 2, 0, 0, 0},
    {"3/1", 1, 40, 7, 5, 3, 1, 1, 0, 0},
    {"3/2 padded", 3, 8, 11, 13, 3, 2, 1, 0, 0},
    {"5/1, 31 pixels", 1, 4, 1, 31, 5, 1, 2, 0, 0},
    {"5/1, 32 pixels, slices", 1, 32, 4, 8, 5, 1, 2, 16, 8},
    {"5/1, 33 pixels", 1, 3, 3, 11, 5, 1, 2, 0, 0},
    {"9/1, slices", 3, 24, 10, 10, 9, 1, 4, 8, 24},
    {"13/1, larger than the picture", 1, 16, 6, 7, 13, 1, 6, 0, 0},
    {"a pool of tiny", 1, 64, 40, 40, 2, 2, 0, 0, 64},
};

/* All pools of yolov7-tiny and the pyramid of yolov7, 640 x 640. */
static const PoolShape real[] = {
    {"2/2", 1, 64, 160, 160, 2, 2, 0, 0, 0}, {"2/2", 1, 128, 80, 80, 2, 2, 0, 0, 0},
    {"2/2", 1, 256, 40, 40, 2, 2, 0, 0, 0},  {"5/1", 1, 256, 20, 20, 5, 1, 2, 256, 512},
    {"9/1", 1, 512, 20, 20, 9, 1, 4, 0, 0},  {"13/1", 1, 512, 20, 20, 13, 1, 6, 0, 0},
};

static OpCase
new_case (const PoolShape *s, YvDType dtype)
{
  const uint32_t h = (s->h + 2 * s->pad - s->kernel) / s->stride + 1;
  const uint32_t w = (s->w + 2 * s->pad - s->kernel) / s->stride + 1;

  return (OpCase){
      .name = s->name,
      .node = {.op = YV_OP_MAXPOOL,
               .name = (char *) s->name,
               .n_inputs = 1,
               .c_out = s->c,
               .maxpool = {.kernel = s->kernel, .stride = s->stride, .pad = s->pad}},
      .n = s->n,
      .dtype = dtype,
      .dst_dtype = dtype,
      .src = {{s->c, s->h, s->w, s->c_before, s->c_behind, false}},
      .n_srcs = 1,
      .dst = {s->c, h, w, s->c_before, s->c_behind, false},
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
  const PoolShape s = {"input", 3, 3, 8, 6, 2, 2, 0, 0, 0};
  OpCase c = new_case (&s, YV_DTYPE_F32);

  c.src[0].is_input = true;
  op_case_check (&c, op_bound_exact);
}

static void
bench (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (real); i++) {
    const OpCase c = new_case (&real[i], YV_DTYPE_F32);
    const double n_pixels = c.dst.h * c.dst.w + real[i].h * real[i].w;

    op_case_bench (&c, 0, n_pixels * real[i].c * 4e-9);
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
  return g_test_run ();
}
