/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-reorg.c - reorg.comp against engine/ref/move.c, bit for bit. */
#include "tests/ops/opcase.h"

typedef struct {
  const char *name;
  uint32_t n, c, h, w;
  bool is_input;
  uint32_t c_before, c_behind; /* of the destination */
} ReorgShape;

static const ReorgShape small[] = {
    {"one of all", 1, 1, 2, 2, false, 0, 0},
    {"the network's input", 3, 3, 6, 10, true, 0, 0},
    {"31 pixels", 1, 4, 2, 62, false, 0, 0},
    {"32 pixels, into a concat", 3, 24, 8, 16, false, 8, 40},
    {"33 pixels", 1, 5, 6, 22, false, 0, 0},
    {"12 channels", 1, 12, 14, 26, false, 0, 0},
};

static const ReorgShape real[] = {{"yolov7-w6", 1, 3, 1280, 1280, true, 0, 0}};

static OpCase
new_case (const ReorgShape *s, YvDType dtype)
{
  return (OpCase){
      .name = s->name,
      .node = {.op = YV_OP_REORG, .name = (char *) s->name, .n_inputs = 1, .c_out = 4 * s->c},
      .n = s->n,
      .dtype = dtype,
      .dst_dtype = dtype,
      .src = {{s->c, s->h, s->w, s->c_behind, s->c_before, s->is_input}},
      .n_srcs = 1,
      .dst = {4 * s->c, s->h / 2, s->w / 2, s->c_before, s->c_behind, false},
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

    op_case_bench (&c, 0, 2.0 * real[i].h * real[i].w * real[i].c * 4e-9);
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
  g_test_add_func ("/reorg/fp32", every_shape_in_fp32);
  g_test_add_func ("/reorg/fp16", every_shape_in_fp16);
  return op_run_tests ();
}
