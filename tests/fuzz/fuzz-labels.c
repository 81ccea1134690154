/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-labels.c - any bytes as the labels of a picture: refused with an error, or boxes
 * of the classes that there are. */
#include <math.h>

#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tools/eval/dataset.h"

static const char *const names[] = {"cat", "dog", NULL};
static const char yaml[] = "val: list.txt\nnc: 2\n", list[] = "picture.ppm\n";

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;

  fuzz_put_picture ("picture.ppm");
  fuzz_put ("list.txt", list, sizeof list - 1);
  fuzz_put ("picture.txt", bytes, size_bytes);
  const char *path = fuzz_put ("data.yaml", yaml, sizeof yaml - 1);
  g_autoptr (Dataset) dataset = dataset_open (path, NULL, names, 2, &error);
  fuzz_check_error (dataset, error);
  if (!dataset)
    return 0;

  g_autoptr (GArray) labels = dataset_labels (dataset, 0, 640, 480);
  g_assert_cmpuint (labels->len, <=, DATASET_MAX_LABELS);
  for (uint32_t i = 0; i < labels->len; i++) {
    const EvalLabel *label = &g_array_index (labels, EvalLabel, i);

    g_assert_cmpuint (label->class_index, <, 2);
    g_assert_true (label->w >= 0 && label->h >= 0 && label->area_px >= 0);
    g_assert_true (isfinite (label->x) && isfinite (label->y));
  }
  return 0;
}
