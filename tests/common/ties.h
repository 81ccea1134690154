/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/ties.h - which detections hang on a threshold, so that the last digit decides.
 *
 * Two implementations that agree to 1e-5 may still differ in a detection whose confidence is the
 * threshold plus 1e-6. These functions tell such a case from a mistake.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

#define YV_TEST_CONFIDENCE 0.25
#define YV_TEST_IOU 0.45
#define YV_TEST_MAX_DETECTIONS 300

typedef enum {
  YV_FATE_OUT,  /* not detected, whatever the rounding */
  YV_FATE_KEPT, /* detected, whatever the rounding */
  YV_FATE_TIE,  /* within the tolerances it could be either */
} YvFate;

/**
 * yv_test_fates:
 * @pred: [n_rows][5 + n_classes], decoded rows (spec 3.1)
 * @other: the same from another implementation
 *
 * Carries out suppression on @pred with every comparison answered yes, no or maybe: each number of
 * a row may be off by twice what the two differ there, and no more.
 *
 * Returns: [n_rows]. Free with g_free().
 */
YvFate *yv_test_fates (const float *pred, const float *other, uint32_t n_rows, uint32_t n_classes);

/* The row of @pred that a detection (x1 y1 x2 y2 conf cls) came from: the one whose corners are
 * nearest. */
uint32_t yv_test_find_row (const float *pred, uint32_t n_rows, uint32_t n_classes,
                           const float *detection);

/* Marks in @matched [n_a] the rows of @a [n_a][6] that have a partner in @b: the same class, IoU
 * >= 0.99, confidence within 1e-3; each of @b partners one. Returns how many are matched. */
uint32_t yv_test_match (const float *a, uint32_t n_a, const float *b, uint32_t n_b, bool *matched);

G_END_DECLS
