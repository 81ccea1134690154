/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-eltwise.c - eltwise.comp, as ADD, ACT and AFFINE use it, against
 * engine/ref/eltwise.c. */
#include <math.h>

#include "tests/ops/opcase.h"

typedef struct {
  const char *name;
  uint32_t n, c, h, w;
  uint32_t c_before, c_behind; /* of all operands */
} EltwiseShape;

static const EltwiseShape shapes[] = {
    {"one of all", 1, 1, 1, 1, 0, 0},       {"31 pixels", 1, 3, 1, 31, 0, 0},
    {"32 pixels", 1, 24, 4, 8, 0, 0},       {"33 pixels, slices", 1, 40, 3, 11, 8, 16},
    {"primes, slices", 3, 12, 5, 7, 24, 8}, {"a residual", 3, 64, 20, 20, 0, 0},
};

static OpCase
new_case (const EltwiseShape *s, YvOpKind op, uint32_t n_srcs, YvDType dtype)
{
  const OpTensor tensor = {s->c, s->h, s->w, s->c_before, s->c_behind, false};

  return (OpCase){
      .name = s->name,
      .node = {.op = op, .name = (char *) s->name, .n_inputs = n_srcs, .c_out = s->c},
      .n = s->n,
      .dtype = dtype,
      .dst_dtype = dtype,
      .src = {tensor, tensor},
      .n_srcs = n_srcs,
      .dst = tensor,
      .amplitude = 1,
  };
}

/* At most three roundings in fp32, and the activation's (exp is good to a few units); then the
 * result's own. */
static OpBound
eltwise_bound (const OpCase *c, double largest)
{
  return (OpBound){.absolute = 0x1p-23 * 8 * fmax (largest, 2 * c->amplitude) +
                               (c->dtype == YV_DTYPE_F16 ? 0x1p-24 : 0),
                   .relative = op_rounding (c->dtype)};
}

static void
check_affine (const EltwiseShape *s, YvDType dtype)
{
  OpCase c = new_case (s, YV_OP_AFFINE, 1, dtype);
  g_autofree double *scale = g_new (double, s->c);
  g_autofree double *shift = g_new (double, s->c);

  for (uint32_t i = 0; i < s->c; i++) {
    scale[i] = 1 + 0.5 * sin (i);
    shift[i] = 0.25 * cos (i);
  }
  c.node.affine.scale = scale;
  c.node.affine.shift = shift;
  op_case_check (&c, eltwise_bound);
}

static void
check_all (YvDType dtype)
{
  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++) {
    OpCase add = new_case (&shapes[i], YV_OP_ADD, 2, dtype);

    op_case_check (&add, eltwise_bound);
    add.node.act.kind = YV_ACT_SILU;
    op_case_check (&add, eltwise_bound);
    check_affine (&shapes[i], dtype);
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
every_activation (void)
{
  for (int act = 0; act < YV_N_ACTS; act++) {
    OpCase c = new_case (&shapes[4], YV_OP_ACT, 1, YV_DTYPE_F32);

    c.node.act = (YvAct){.kind = (YvActKind) act, .slope = 0.2f};
    c.amplitude = 12;
    op_case_check (&c, eltwise_bound);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/eltwise/fp32", every_shape_in_fp32);
  g_test_add_func ("/eltwise/fp16", every_shape_in_fp16);
  g_test_add_func ("/eltwise/activations", every_activation);
  return op_run_tests ();
}
