/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-cocodata.c - any bytes as COCO's instances: refused with an error, or boxes of
 * the classes that there are. The one picture that is there is called a.ppm. */
#include <math.h>

#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tools/eval/dataset.h"

static const char *const names[] = {"cat", "dog", NULL};

static void
check_labels (const Dataset *dataset, uint32_t index)
{
  g_autoptr (GArray) labels = dataset_labels (dataset, index, 640, 480);

  g_assert_cmpuint (labels->len, <=, DATASET_MAX_LABELS);
  eval_clip_labels ((EvalLabel *) (void *) labels->data, labels->len, 640, 480);
  for (uint32_t i = 0; i < labels->len; i++) {
    const EvalLabel *label = &g_array_index (labels, EvalLabel, i);

    g_assert_cmpuint (label->class_index, <, 2);
    g_assert_true (label->area_px >= 0);
    g_assert_true (label->x >= 0 && label->w >= 0 && label->x + label->w <= 640);
    g_assert_true (label->y >= 0 && label->h >= 0 && label->y + label->h <= 480);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;
  const char *path = fuzz_put ("instances.json", bytes, size_bytes);

  fuzz_put_picture ("a.ppm");
  g_autoptr (Dataset) dataset = dataset_open (path, NULL, names, 2, &error);
  fuzz_check_error (dataset, error);
  for (uint32_t i = 0; dataset && i < dataset->images->len; i++)
    check_labels (dataset, i);
  return 0;
}
