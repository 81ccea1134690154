/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/scan.h - looking for numbers that no network should hold.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/tensor.h"

G_BEGIN_DECLS

/* True, and *index (row-major) set, where an element is NaN or infinite. Reads at the speed of
 * memory where the elements lie densely, in whatever order of dimensions. */
bool yv_scan_non_finite (const YvTensor *tensor, uint64_t *index);

/* True, and *index set, where an element is below zero. */
bool yv_scan_negative (const YvTensor *tensor, uint64_t *index);

G_END_DECLS
