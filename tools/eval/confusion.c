/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/confusion.c - pairs of labels and detections, the best first.
 */
#include "tools/eval/confusion.h"

typedef struct {
  double iou;
  uint32_t detection, label;
} Pair;

Confusion *
confusion_new (uint32_t n_classes, GError **error)
{
  const gsize side = (gsize) n_classes + 1;
  uint64_t *counts = g_try_new0 (uint64_t, side * side);

  if (!counts) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "there is no memory for the confusion matrix of %u classes, %.0f MiB", n_classes,
                 (double) side * (double) side * sizeof *counts / 1048576);
    return NULL;
  }
  Confusion *confusion = g_new0 (Confusion, 1);
  confusion->n_classes = n_classes;
  confusion->counts = counts;
  return confusion;
}

void
confusion_free (Confusion *confusion)
{
  if (!confusion)
    return;
  g_free (confusion->counts);
  g_free (confusion);
}

static uint64_t *
cell (const Confusion *confusion, uint32_t detected, uint32_t labelled)
{
  return &confusion->counts[(gsize) detected * (confusion->n_classes + 1) + labelled];
}

uint64_t
confusion_count (const Confusion *confusion, uint32_t detected, uint32_t labelled)
{
  return *cell (confusion, detected, labelled);
}

static gint
compare_pairs (gconstpointer a, gconstpointer b)
{
  const Pair *x = a, *y = b;

  if (x->iou != y->iou)
    return x->iou > y->iou ? -1 : 1;
  if (x->detection != y->detection)
    return x->detection < y->detection ? -1 : 1;
  return x->label < y->label ? -1 : x->label > y->label;
}

static bool
is_sure (const YvDetection *detection)
{
  return detection->confidence > CONFUSION_CONFIDENCE;
}

static GArray *
find_pairs (const EvalImage *image)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (Pair));

  for (uint32_t i = 0; i < image->n_detections; i++)
    for (uint32_t k = 0; k < image->n_labels; k++) {
      const Pair pair = {eval_iou (&image->detections[i], &image->labels[k]), i, k};

      if (is_sure (&image->detections[i]) && !image->labels[k].is_crowd && pair.iou > CONFUSION_IOU)
        g_array_append_val (pairs, pair);
    }
  g_array_sort (pairs, compare_pairs);
  return pairs;
}

void
confusion_add (Confusion *confusion, const EvalImage *image)
{
  g_autofree bool *is_paired = g_new0 (bool, image->n_detections);
  g_autofree bool *is_found = g_new0 (bool, image->n_labels);
  g_autoptr (GArray) pairs = find_pairs (image);
  const uint32_t background = confusion->n_classes;

  for (uint32_t i = 0; i < pairs->len; i++) {
    const Pair *pair = &g_array_index (pairs, Pair, i);

    if (is_paired[pair->detection] || is_found[pair->label])
      continue;
    is_paired[pair->detection] = is_found[pair->label] = true;
    ++*cell (confusion, image->detections[pair->detection].class_index,
             image->labels[pair->label].class_index);
  }
  for (uint32_t i = 0; i < image->n_detections; i++)
    if (!is_paired[i] && is_sure (&image->detections[i]))
      ++*cell (confusion, image->detections[i].class_index, background);
  for (uint32_t k = 0; k < image->n_labels; k++)
    if (!is_found[k] && !image->labels[k].is_crowd)
      ++*cell (confusion, background, image->labels[k].class_index);
}
