/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/random.h - random numbers that are the same on every machine, for models without
 * weights.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The start of a sequence of its own for each name. */
uint64_t yv_random_seed (uint64_t seed, const char *name);

/* 64 independent bits; @state is advanced. */
uint64_t yv_random_next (uint64_t *state);

/* Mean 0, variance 1, within +-3.5: close to normal, and fast. */
double yv_random_normal (uint64_t *state);

G_END_DECLS
