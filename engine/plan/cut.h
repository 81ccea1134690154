/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/cut.h - where a plan may be cut into pieces that are submitted one after the other,
 * so that none keeps a device longer than its watchdog allows.
 *
 * Pure.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/plan/plan.h"

G_BEGIN_DECLS

/* How long a piece shall take. Watchdogs end what takes 2 s, some drivers' less; people notice a
 * screen that hangs for longer than this. */
#define YV_PIECE_NS UINT64_C (100000000)

/* FLOPs of a piece on a device of which nothing is known yet: those that one of 20 GFLOP/s, the
 * weakest GPUs on boards and in old laptops, does in YV_PIECE_NS. */
#define YV_FIRST_PIECE_FLOPS (20 * YV_PIECE_NS)

/* Cuts the steps, letterboxes too, since they may compute the first convolution (YV_PART_FIRST),
 * into pieces of at most @max_flops each, or of one step that has more: a step can't be cut. Writes
 * the index behind the last step of each piece to @ends, which has room for one a step and one
 * more. Returns: how many pieces there are, at least 1. */
uint32_t yv_plan_cut (const YvPlan *plan, uint64_t max_flops, uint32_t *ends);

/* @max_flops for a device that took @device_ns for all of the plan's steps: what it does in
 * YV_PIECE_NS. */
uint64_t yv_plan_piece_flops (const YvPlan *plan, uint64_t device_ns);

G_END_DECLS
