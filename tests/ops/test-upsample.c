/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-upsample.c - upsample.comp against engine/ref/move.c, bit for bit. */
#include "tests/ops/opcase.h"

typedef struct {
  const char *name;
  uint32_t n, c, h, w, factor;
  uint32_t c_before, c_behind; /* of the destination */
} UpsampleShape;

static const UpsampleShape small[] = {
    {"one of all", 1, 1, 1, 1, 1, 0, 0},
    {"31 pixels", 1, 12, 1, 31, 2, 0, 0},
    {"32 pixels, into a concat", 3, 24, 4, 8, 2, 40, 16},
    {"33 pixels", 1, 3, 3, 11, 2, 0, 0},
    {"by 3", 3, 40, 5, 7, 3, 0, 8},
    {"by 4", 1, 8, 6, 5, 4, 0, 0},
};

static const UpsampleShape real[] = {
    {"tiny, 20 -> 40", 1, 128, 20, 20, 2, 0, 128},
    {"tiny, 40 -> 80", 1, 64, 40, 40, 2, 0, 64},
};

static OpCase
new_case (const UpsampleShape *s, YvDType dtype)
{
  return (OpCase){
      .name = s->name,
      .node = {.op = YV_OP_UPSAMPLE,
               .name = (char *) s->name,
               .n_inputs = 1,
               .c_out = s->c,
               .upsample = {.factor = s->factor}},
      .n = s->n,
      .dtype = dtype,
      .dst_dtype = dtype,
      .src = {{s->c, s->h, s->w, s->c_behind, s->c_before, false}},
      .n_srcs = 1,
      .dst = {s->c, s->h * s->factor, s->w * s->factor, s->c_before, s->c_behind, false},
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

static void
bench (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (real); i++) {
    const OpCase c = new_case (&real[i], YV_DTYPE_F32);

    op_case_bench (&c, 0, 5.0 * real[i].h * real[i].w * real[i].c * 4e-9);
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
  g_test_add_func ("/upsample/fp32", every_shape_in_fp32);
  g_test_add_func ("/upsample/fp16", every_shape_in_fp16);
  return op_run_tests ();
}
