/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/weight.c - sums of scaled tensors, carried out a row at a time. */
#include "engine/graph/weight.h"

#include <math.h>
#include <string.h>

#include "engine/graph/random.h"

static void
clear_term (gpointer data)
{
  YvWeightTerm *term = data;

  g_free (term->scale);
}

YvWeight *
yv_weight_new (uint32_t c_out, uint32_t c_in, uint32_t groups, uint32_t kernel_h, uint32_t kernel_w)
{
  g_assert (groups > 0 && c_in % groups == 0 && c_out % groups == 0);
  g_assert (c_out > 0 && c_in > 0 && kernel_h > 0 && kernel_w > 0);

  YvWeight *weight = g_new0 (YvWeight, 1);

  weight->c_out = c_out;
  weight->c_in = c_in;
  weight->groups = groups;
  weight->kernel_h = kernel_h;
  weight->kernel_w = kernel_w;
  weight->terms = g_array_new (FALSE, TRUE, sizeof (YvWeightTerm));
  g_array_set_clear_func (weight->terms, clear_term);
  weight->bias = g_new0 (double, c_out);
  return weight;
}

void
yv_weight_free (YvWeight *weight)
{
  if (!weight)
    return;
  g_array_unref (weight->terms);
  g_free (weight->parts);
  g_free (weight->bias);
  g_free (weight);
}

static YvWeightTerm *
add_term (YvWeight *weight, YvTermKind kind, uint32_t kernel_h, uint32_t kernel_w)
{
  YvWeightTerm term = {
      .kind = kind,
      .kernel_h = kernel_h,
      .kernel_w = kernel_w,
      .scale = g_new (double, weight->c_out),
  };

  for (uint32_t o = 0; o < weight->c_out; o++)
    term.scale[o] = 1;
  g_array_append_val (weight->terms, term);
  return &g_array_index (weight->terms, YvWeightTerm, weight->terms->len - 1);
}

void
yv_weight_add_tensor (YvWeight *weight, const YvTensor *tensor)
{
  const uint64_t shape[] = {weight->c_out, weight->c_in / weight->groups, weight->kernel_h,
                            weight->kernel_w};

  g_assert (yv_tensor_has_shape (tensor, G_N_ELEMENTS (shape), shape));
  add_term (weight, YV_TERM_TENSOR, weight->kernel_h, weight->kernel_w)->tensor = *tensor;
}

void
yv_weight_add_identity (YvWeight *weight)
{
  g_assert (weight->c_in == weight->c_out);
  add_term (weight, YV_TERM_IDENTITY, 1, 1);
}

void
yv_weight_add_random (YvWeight *weight, uint64_t seed)
{
  add_term (weight, YV_TERM_RANDOM, weight->kernel_h, weight->kernel_w)->seed = seed;
}

void
yv_weight_scale (YvWeight *weight, const double *scale, const double *shift)
{
  g_assert (!weight->parts);
  for (uint32_t i = 0; i < weight->terms->len; i++) {
    YvWeightTerm *term = &g_array_index (weight->terms, YvWeightTerm, i);
    for (uint32_t o = 0; o < weight->c_out; o++)
      term->scale[o] *= scale[o];
  }
  for (uint32_t o = 0; o < weight->c_out; o++)
    weight->bias[o] = weight->bias[o] * scale[o] + shift[o];
  weight->has_bias = true;
}

void
yv_weight_merge (YvWeight *weight, YvWeight *other)
{
  g_assert (weight->c_out == other->c_out && weight->c_in == other->c_in);
  g_assert (weight->groups == other->groups && !weight->parts && !other->parts);
  g_assert (other->kernel_h <= weight->kernel_h && other->kernel_w <= weight->kernel_w);
  g_assert ((weight->kernel_h - other->kernel_h) % 2 == 0);
  g_assert ((weight->kernel_w - other->kernel_w) % 2 == 0);

  g_array_append_vals (weight->terms, other->terms->data, other->terms->len);
  g_array_set_clear_func (other->terms, NULL); /* the scales are ours now */
  for (uint32_t o = 0; o < weight->c_out; o++)
    weight->bias[o] += other->bias[o];
  weight->has_bias = weight->has_bias || other->has_bias;
  yv_weight_free (other);
}

YvWeight *
yv_weight_stack (const YvWeight *const *parts, uint32_t n_parts)
{
  const YvWeight *like = parts[0];
  uint32_t c_out = 0;

  for (uint32_t i = 0; i < n_parts; i++) {
    g_assert (parts[i]->groups == 1 && parts[i]->c_in == like->c_in && !parts[i]->parts);
    g_assert (parts[i]->kernel_h == like->kernel_h && parts[i]->kernel_w == like->kernel_w);
    c_out += parts[i]->c_out;
  }
  YvWeight *stack = yv_weight_new (c_out, like->c_in, 1, like->kernel_h, like->kernel_w);
  double *bias = stack->bias;

  stack->parts = g_memdup2 (parts, n_parts * sizeof (YvWeight *));
  for (uint32_t i = 0; i < n_parts; i++) {
    memcpy (bias, parts[i]->bias, parts[i]->c_out * sizeof *bias);
    bias += parts[i]->c_out;
    stack->has_bias = stack->has_bias || parts[i]->has_bias;
  }
  return stack;
}

/* The rows sum to zero, so that they pass on how values vary and not their mean: with the usual
 * uncentred rows the mean grows and the output hardly depends on the picture. Of the variance of
 * its input a SiLU lets through 0.26 where it is small and 0.35 where it is large, a LeakyReLU
 * (0.1) 0.38. With this gain and the shifts of leaf.c values stay within a few units through the
 * deepest model (yolov7-e6e), and two pictures still differ in the output. */
#define RANDOM_GAIN 2.7

static void
add_random_row (const YvWeightTerm *term, uint32_t o, double *row, uint32_t n_elems)
{
  uint64_t state = term->seed ^ (uint64_t) o << 40;
  const double scale = term->scale[o] * sqrt (RANDOM_GAIN / n_elems);
  double sum = 0;

  state = yv_random_next (&state); /* neighbouring rows start far apart */
  for (uint32_t i = 0; i < n_elems; i++) {
    const double value = scale * yv_random_normal (&state);
    row[i] += value;
    sum += value;
  }
  for (uint32_t i = 0; n_elems > 1 && i < n_elems; i++)
    row[i] -= sum / n_elems;
}

#define CHUNK 512

/* Reads through floats, which is exact for all that is stored in practice, without the division per
 * dimension that yv_tensor_get() needs. Doubles go one by one. */
static void
read_elems (const YvTensor *tensor, uint64_t first, uint32_t n_elems, double *dst)
{
  float floats[CHUNK];

  if (tensor->dtype == YV_DTYPE_F64) {
    for (uint32_t i = 0; i < n_elems; i++)
      dst[i] = yv_tensor_get (tensor, first + i);
    return;
  }
  yv_tensor_read_f32 (tensor, first, n_elems, floats);
  for (uint32_t i = 0; i < n_elems; i++)
    dst[i] = (double) floats[i];
}

/* Adds a term of the weight's own kernel size. */
static void
add_tensor_row (const YvWeightTerm *term, uint32_t o, double *row, uint32_t n_elems)
{
  const uint64_t first = (uint64_t) o * n_elems;
  const double scale = term->scale[o];
  double chunk[CHUNK];

  for (uint32_t done = 0; done < n_elems; done += CHUNK) {
    const uint32_t n = MIN (CHUNK, n_elems - done);
    read_elems (&term->tensor, first + done, n, chunk);
    for (uint32_t i = 0; i < n; i++)
      row[done + i] += scale * chunk[i];
  }
}

static void
add_term_row (const YvWeight *weight, const YvWeightTerm *term, uint32_t o, double *row)
{
  const uint32_t c_in = weight->c_in / weight->groups;

  switch (term->kind) {
  case YV_TERM_TENSOR:
    add_tensor_row (term, o, row, c_in * term->kernel_h * term->kernel_w);
    return;
  case YV_TERM_IDENTITY:
    row[o % c_in] += term->scale[o];
    return;
  case YV_TERM_RANDOM:
    add_random_row (term, o, row, c_in * term->kernel_h * term->kernel_w);
    return;
  }
  g_assert_not_reached ();
}

/* Computes a term with a smaller kernel on its own and lays it in the centre of the row. */
static void
add_centred_row (const YvWeight *weight, const YvWeightTerm *term, uint32_t o, double *row)
{
  const uint32_t c_in = weight->c_in / weight->groups;
  const uint32_t top = (weight->kernel_h - term->kernel_h) / 2;
  const uint32_t left = (weight->kernel_w - term->kernel_w) / 2;
  g_autofree double *small = g_new0 (double, (size_t) c_in * term->kernel_h * term->kernel_w);
  const double *src = small;

  add_term_row (weight, term, o, small);
  for (uint32_t c = 0; c < c_in; c++)
    for (uint32_t y = 0; y < term->kernel_h; y++)
      for (uint32_t x = 0; x < term->kernel_w; x++)
        row[(c * weight->kernel_h + top + y) * weight->kernel_w + left + x] += *src++;
}

static void
stacked_row (const YvWeight *stack, uint32_t o, double *row)
{
  const YvWeight **part = stack->parts;

  for (; o >= (*part)->c_out; part++)
    o -= (*part)->c_out;
  yv_weight_row (*part, o, row);
}

void
yv_weight_row (const YvWeight *weight, uint32_t o, double *row)
{
  const uint32_t c_in = weight->c_in / weight->groups;

  g_assert (o < weight->c_out);
  if (weight->parts) {
    stacked_row (weight, o, row);
    return;
  }
  g_assert (weight->terms->len > 0);
  memset (row, 0, sizeof *row * c_in * weight->kernel_h * weight->kernel_w);
  for (uint32_t i = 0; i < weight->terms->len; i++) {
    const YvWeightTerm *term = &g_array_index (weight->terms, YvWeightTerm, i);
    if (term->kernel_h == weight->kernel_h && term->kernel_w == weight->kernel_w)
      add_term_row (weight, term, o, row);
    else
      add_centred_row (weight, term, o, row);
  }
}

uint64_t
yv_weight_n_elems (const YvWeight *weight)
{
  return (uint64_t) weight->c_out * (weight->c_in / weight->groups) * weight->kernel_h *
         weight->kernel_w;
}
