/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/machine.h - the state of a pickle that is being read: input, stack, marks,
 * memo.
 *
 * What opcodes do to it is pickle.c's. Here every access is checked: no operand beyond the end, no
 * value popped that is not there or that lies below the last mark, no memo larger than the input.
 * Functions that return bool or NULL give YV_ERROR_MALFORMED.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/checkpoint/storage.h"
#include "engine/span.h"

G_BEGIN_DECLS

/* Embedded; yv_machine_clear() frees it. All values are the pool's. */
typedef struct {
  YvSpan rest;               /* what was not read yet */
  size_t size_bytes;         /* of all of the input */
  YvPool *pool;              /* borrowed: outlives the machine */
  YvStorages *storages;      /* borrowed, likewise */
  GPtrArray *stack;          /* YvObject */
  GArray *marks;             /* uint32_t: heights of the stack */
  GPtrArray *memo;           /* YvObject, NULL where not set */
  YvObject *none, *yes, *no; /* the constants, one each */
} YvMachine;

void yv_machine_init (YvMachine *m, YvSpan input, YvPool *pool, YvStorages *storages);
void yv_machine_clear (YvMachine *m);

/* How many bytes of the input were read. */
size_t yv_machine_n_read (const YvMachine *m);

/* Operands. An unsigned integer is little-endian and @n_bytes <= 8 wide. */
bool yv_machine_take_uint (YvMachine *m, uint32_t n_bytes, uint64_t *out, GError **error);
bool yv_machine_take_f64_be (YvMachine *m, double *out, GError **error);
bool yv_machine_take_line (YvMachine *m, YvSpan *out, GError **error); /* without its end */

/* Bytes behind their number, which is @n_length_bytes wide; at most 16 MiB. */
bool yv_machine_take_counted (YvMachine *m, uint32_t n_length_bytes, YvSpan *out, GError **error);

bool yv_machine_push (YvMachine *m, YvObject *value); /* true, to end an opcode with */

/* True where there are @n_values above the last mark. To be called before top and pop. */
bool yv_machine_need (const YvMachine *m, uint32_t n_values, GError **error);
YvObject *yv_machine_top (const YvMachine *m);
YvObject *yv_machine_pop (YvMachine *m);

/* The height of the stack below which nothing may be popped. */
uint32_t yv_machine_floor (const YvMachine *m);
bool yv_machine_push_mark (YvMachine *m, GError **error);
bool yv_machine_pop_mark (YvMachine *m, uint32_t *height, GError **error);

/* A new sequence of all values above @height, which leave the stack. */
YvObject *yv_machine_collect (YvMachine *m, YvObjectKind kind, uint32_t height);

/* Remembers the top of the stack; pushes what was remembered. */
bool yv_machine_memoize (YvMachine *m, uint64_t index, GError **error);
bool yv_machine_recall (YvMachine *m, uint64_t index, GError **error);

G_END_DECLS
