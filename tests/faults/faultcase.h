/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/faults/faultcase.h - an engine, and all that a stream does with it, while calls fail.
 *
 * Whatever fails is judged here: an error that a caller can act on and that names the call, or the
 * detections of the undisturbed run, bit for bit; and nothing that is left over.
 */
#pragma once

#include "engine/engine.h"
#include "tests/faults/faults.h"

G_BEGIN_DECLS

/* One order of fault_arm(), of a call that fails once. */
typedef struct {
  const char *call;
  uint32_t nth;
  VkResult result;
} Fault;

/* The n-th uses that are tried where there are @n_uses: the first, one in the middle, the last.
 * Returns: how many, without repetition. */
uint32_t fault_pick_uses (uint32_t n_uses, uint32_t uses[3]);

/* How often each known call is used by what @run does, undisturbed. */
void fault_count_uses (void (*run) (void *data), void *data, GArray *n_uses);

/* Calls @try_fault with each use of each call that is worth trying, armed: all results of its man
 * page for the first use, one of them for another. */
void fault_try_all (const GArray *n_uses, void (*try_fault) (const Fault *fault, void *data),
                    void *data);

/* Of YV_ERROR, with the code that @result means to a caller, naming @call. */
void fault_check_error (const Fault *fault, const GError *error);

/* tests/faults/model.yaml, its random weights always the same. NULL with an error: for
 * fault_check_error(). */
YvEngine *fault_load (YvPrecision precision, GError **error);

/* What engines of its precision are compared with; nothing is armed. */
void fault_note_expected (YvEngine *engine);

/* A stream that does everything once. Whatever fails is tried again, and then doesn't, unless the
 * device is lost: then all that needs the device fails. Everything of the stream is freed.
 * @fault: what is armed; NULL: nothing may fail
 * Returns: how much failed. */
uint32_t fault_stream (YvEngine *engine, const Fault *fault);

/* The same of one that shares batches. How many run together, and so which calls it makes, depends
 * on time. */
uint32_t fault_share (YvEngine *engine, const Fault *fault);

/* What runs of any batch that fault_share() may come to need of their engine is made. */
void fault_prepare_batches (YvEngine *engine);

/* Either where memory is short for all of it, so that nothing need succeed. */
uint32_t fault_stream_short_of_memory (YvEngine *engine, bool shares_batches);

/* One frame, which cannot fail, is what it is always. */
void fault_check_works (YvEngine *engine);

G_END_DECLS
