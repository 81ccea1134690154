/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/gate.h - a device that is held until a test lets it go on, and a bell to hear of it.
 *
 * There is one gate in a program. Any thread may open it, look at it and wait, but not while it is
 * closed or removed. Bells are for any thread.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Nobody hears that a batch of this engine's device is done until the gate opens. */
void close_gate (YvEngine *engine);
void open_gate (void);
bool gate_is_open (void);
void wait_for_gate (void);

/* Once all is collected. */
void remove_gate (void);

/* Zeroed: was never rung. */
typedef struct {
  GMutex mutex;
  GCond changed;
  uint32_t n_calls;
} Bell;

/* As a YvReadyFunc. @data: a Bell */
void ring (void *data);

/* Until it was rung at all. */
void wait_for_ring (Bell *bell);

/* Until it was rung so often, which must not be more. */
void wait_for_rings (Bell *bell, uint32_t n);

G_END_DECLS
