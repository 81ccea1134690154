/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/first.c - INPUT, REORG and the first convolution in one: each of them, one after the
 * other, in memory of their own. */
#include "engine/align.h"
#include "engine/ref/refop.h"

/* Behind what lies there; channels as a kernel would store them. */
static YvOperand
add_operand (size_t *size_bytes, YvDType dtype, uint32_t c, uint32_t h, uint32_t w)
{
  const YvOperand operand = {
      .memory = YV_MEMORY_ARENA,
      .dtype = dtype,
      .offset_bytes = *size_bytes,
      .size_bytes = (uint64_t) h * w * yv_round_up (c, 4) * yv_dtype_size_bytes (dtype),
      .n = 1,
      .c = c,
      .h = h,
      .w = w,
      .cstride = (uint32_t) yv_round_up (c, 4),
  };

  *size_bytes += operand.size_bytes;
  return operand;
}

static void
run_part (const YvRefRun *run, uint8_t *arena, void (*op) (const YvRefRun *run),
          const YvOperand *src, const YvOperand *dst)
{
  YvStep step = *run->step;
  YvRefRun part = *run;

  step.src[0] = *src;
  step.dst = *dst;
  part.step = &step;
  part.arena = arena;
  op (&part);
}

void
yv_ref_first (const YvRefRun *run)
{
  const YvStep *step = run->step;
  const YvOperand *frame = &step->src[0], *dst = &step->dst;
  const uint32_t scale = yv_first_is_reorged (step->weight_source) ? 2 : 1;
  size_t size_bytes = 0;
  const YvOperand picture = add_operand (&size_bytes, dst->dtype, 3, frame->h, frame->w);
  const YvOperand reorged =
      add_operand (&size_bytes, dst->dtype, 3 * scale * scale, frame->h / scale, frame->w / scale);
  const YvOperand out = add_operand (&size_bytes, dst->dtype, dst->c, dst->h, dst->w);
  g_autofree uint8_t *arena = g_malloc (size_bytes);
  g_autofree double *channels = g_new (double, dst->c);

  run_part (run, arena, yv_ref_letterbox, frame, &picture);
  if (scale == 2)
    run_part (run, arena, yv_ref_reorg, &picture, &reorged);
  run_part (run, arena, yv_ref_conv, scale == 2 ? &reorged : &picture, &out);
  for (uint64_t pixel = 0; pixel < (uint64_t) dst->h * dst->w; pixel++) {
    yv_ref_load (arena, &out, pixel, 0, dst->c, channels);
    yv_ref_store (run->arena, dst, pixel, 0, dst->c, channels);
  }
}
