/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-copy.c - copy.comp, as concats use it, against engine/ref/move.c, bit for bit. */
#include "tests/ops/opcase.h"

#define N 3
#define H 5
#define W 7

/* Concatenates two tensors of @c0 and @c1 channels. */
static void
check (const char *name, uint32_t c0, uint32_t c1, bool first_is_input, YvDType dtype)
{
  const OpCase c = {
      .name = name,
      .node = {.op = YV_OP_CONCAT, .name = (char *) name, .n_inputs = 2, .c_out = c0 + c1},
      .n = N,
      .dtype = dtype,
      .dst_dtype = dtype,
      .src = {{c0, H, W, first_is_input ? 0 : 8, 0, first_is_input}, {c1, H, W, 0, 24, false}},
      .n_srcs = 2,
      .dst = {c0 + c1, H, W, 8, 16, false},
      .amplitude = 1,
      .exact_channels = c0 % 8 != 0,
  };

  op_case_check (&c, op_bound_exact);
}

static void
check_all (YvDType dtype)
{
  check ("by 8", 16, 40, false, dtype);
  check ("by 8, the last one odd", 24, 13, false, dtype);
  check ("one by one", 3, 12, false, dtype);
  check ("one by one, odd halves", 7, 9, false, dtype);
  check ("the network's input", 3, 40, true, dtype);
}

static void
every_concat_in_fp32 (void)
{
  check_all (YV_DTYPE_F32);
}

static void
every_concat_in_fp16 (void)
{
  check_all (YV_DTYPE_F16);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/copy/fp32", every_concat_in_fp32);
  g_test_add_func ("/copy/fp16", every_concat_in_fp16);
  return op_run_tests ();
}
