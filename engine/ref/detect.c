/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/detect.c - DECODE and DETECT: logits -> rows -> candidates (spec 3.1, 4.2). */
#include <math.h>
#include <string.h>

#include "engine/ref/refop.h"

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

void
yv_ref_decode_row (const YvDetectSpec *spec, uint32_t level, uint32_t anchor, uint32_t y,
                   uint32_t x, const double *logits, float *row)
{
  const float *anchor_px = spec->anchor_px[level][anchor];
  const double stride = spec->stride[level];

  row[0] = (float) ((2 * sigmoid (logits[0]) - 0.5 + x) * stride);
  row[1] = (float) ((2 * sigmoid (logits[1]) - 0.5 + y) * stride);
  row[2] = (float) (4 * pow (sigmoid (logits[2]), 2) * anchor_px[0]);
  row[3] = (float) (4 * pow (sigmoid (logits[3]), 2) * anchor_px[1]);
  for (uint32_t k = 4; k < 5 + spec->n_classes; k++)
    row[k] = (float) sigmoid (logits[k]);
}

/* One level on its own: level 0 of its node's spec. */
void
yv_ref_decode (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0], *dst = &run->step->dst;
  const YvDetectSpec *spec = &run->step->node->detect;
  const uint32_t n_elems = 5 + spec->n_classes;
  g_autofree double *logits = g_new (double, n_elems);
  g_autofree float *row = g_new (float, n_elems);

  for (uint32_t n = 0; n < src->n; n++)
    for (uint32_t a = 0; a < spec->n_anchors; a++)
      for (uint32_t y = 0; y < src->h; y++)
        for (uint32_t x = 0; x < src->w; x++) {
          const uint64_t pixel = yv_ref_pixel (dst, n, a * src->h + y, x);

          yv_ref_load (run->arena, src, yv_ref_pixel (src, n, y, x), a * n_elems, n_elems, logits);
          yv_ref_decode_row (spec, 0, a, y, x, logits, row);
          for (uint32_t k = 0; k < n_elems; k++)
            logits[k] = row[k];
          yv_ref_store (run->arena, dst, pixel, 0, n_elems, logits);
        }
}

/* Row @index of a level: decoded here, or by the DECODE node before. */
static void
read_row (const YvRefRun *run, uint32_t n, uint32_t index, double *values, float *row)
{
  const YvOperand *src = &run->step->src[0];
  const YvDetectSpec *spec = &run->step->node->detect;
  const uint32_t n_elems = 5 + spec->n_classes;
  const uint32_t x = index % src->w, y = index / src->w % src->h, a = index / src->w / src->h;

  if (spec->decoded) {
    yv_ref_load (run->arena, src, yv_ref_pixel (src, n, y, x), 0, n_elems, values);
    for (uint32_t k = 0; k < n_elems; k++)
      row[k] = (float) values[k];
  } else {
    yv_ref_load (run->arena, src, yv_ref_pixel (src, n, y, x), a * n_elems, n_elems, values);
    yv_ref_decode_row (spec, run->step->head, a, y, x, values, row);
  }
}

/* Rows of one image that a level has. */
static uint32_t
level_rows (const YvDetectSpec *spec, const YvOperand *src)
{
  return src->h * src->w * (spec->decoded ? 1 : spec->n_anchors);
}

/* How many rows the levels before this one have: all steps of a plan's DETECT share a node. */
static uint32_t
first_row (const YvRefRun *run)
{
  const YvDetectSpec *spec = &run->plan->detect;
  uint32_t n_rows = 0;

  for (uint32_t i = 0; i < run->step->head; i++)
    n_rows += run->plan->heads[i].h * run->plan->heads[i].w * spec->n_anchors;
  return n_rows;
}

static bool
is_wanted (const YvRefRun *run, uint32_t class_index)
{
  const uint32_t *words = (const uint32_t *) (run->thresholds + 1);

  return words[class_index / 32] >> class_index % 32 & 1;
}

static void
append_candidate (const YvRefRun *run, uint32_t n, uint32_t row_index, const float *row,
                  uint32_t class_index, float confidence)
{
  uint8_t *list = run->candidates + (size_t) n * run->plan->list_bytes;
  struct YvCandidateList *header = (struct YvCandidateList *) list;
  struct YvCandidate *candidates = (struct YvCandidate *) (list + sizeof *header);
  const float threshold = run->thresholds->confidence;

  if (!(row[4] > threshold) || !(confidence > threshold) || !is_wanted (run, class_index))
    return;
  if (header->n_found < run->plan->capacity)
    candidates[header->n_found] = (struct YvCandidate){
        .x = row[0],
        .y = row[1],
        .w = row[2],
        .h = row[3],
        .objectness = row[4],
        .confidence = confidence,
        .class_index = class_index,
        .row = row_index,
    };
  header->n_found++;
}

static void
append_best_class (const YvRefRun *run, uint32_t n, uint32_t row_index, const float *row)
{
  uint32_t best = 0;

  for (uint32_t k = 1; k < run->plan->detect.n_classes; k++)
    if (row[5 + k] > row[5 + best])
      best = k;
  append_candidate (run, n, row_index, row, best,
                    run->thresholds->obj_only ? row[4] : row[4] * row[5 + best]);
}

static void
append_every_class (const YvRefRun *run, uint32_t n, uint32_t row_index, const float *row)
{
  for (uint32_t k = 0; k < run->plan->detect.n_classes; k++)
    append_candidate (run, n, row_index, row, k, row[4] * row[5 + k]);
}

static void
append_candidates (const YvRefRun *run, uint32_t n, uint32_t row_index, const float *row)
{
  if (run->thresholds->multi_label)
    append_every_class (run, n, row_index, row);
  else
    append_best_class (run, n, row_index, row);
}

void
yv_ref_detect (const YvRefRun *run)
{
  const YvStep *step = run->step;
  const YvDetectSpec *spec = &step->node->detect;
  const uint32_t n_elems = 5 + spec->n_classes, n_rows = level_rows (spec, &step->src[0]);
  const uint32_t first = first_row (run);
  g_autofree double *values = g_new (double, n_elems);
  g_autofree float *row = g_new (float, n_elems);

  for (uint32_t n = 0; n < step->src[0].n; n++)
    for (uint32_t i = 0; i < n_rows; i++) {
      read_row (run, n, i, values, row);
      if (step->dst.memory == YV_MEMORY_CANDIDATES)
        append_candidates (run, n, first + i, row);
      else
        memcpy ((float *) (run->arena + step->dst.offset_bytes) +
                    yv_ref_pixel (&step->dst, n, first + i, 0) * step->dst.cstride,
                row, n_elems * sizeof *row);
    }
}

/* The logits of one pixel, by the convolution of 1 x 1 that makes them. */
static void
compute_logits (const YvRefRun *run, uint64_t pixel, double *channels, double *logits)
{
  const YvOperand *src = &run->step->src[0];
  const YvWeight *weight = run->step->weight_source;

  yv_ref_load (run->arena, src, pixel, 0, src->c, channels);
  for (uint32_t o = 0; o < weight->c_out; o++) {
    logits[o] = (float) weight->bias[o];
    for (uint32_t i = 0; i < weight->c_in; i++)
      logits[o] += run->weight[(size_t) o * weight->c_in + i] * channels[i];
  }
}

void
yv_ref_head (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0];
  const YvDetectSpec *spec = &run->step->node->detect;
  const uint32_t n_elems = 5 + spec->n_classes, n_pixels = src->h * src->w;
  const uint32_t first = first_row (run);
  g_autofree double *channels = g_new (double, src->c);
  g_autofree double *logits = g_new (double, spec->n_anchors *n_elems);
  g_autofree float *row = g_new (float, n_elems);

  for (uint32_t n = 0; n < src->n; n++)
    for (uint32_t i = 0; i < n_pixels; i++) {
      compute_logits (run, (uint64_t) n * n_pixels + i, channels, logits);
      for (uint32_t a = 0; a < spec->n_anchors; a++) {
        yv_ref_decode_row (spec, run->step->head, a, i / src->w, i % src->w, logits + a * n_elems,
                           row);
        append_candidates (run, n, first + a * n_pixels + i, row);
      }
    }
}
