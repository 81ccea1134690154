/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/outbox.h - records on their way: those that wait, and those that were sent and have
 * not been answered for.
 *
 * In:    records in order.
 * Out:   the same order, the oldest first; each is forgotten when it is answered for, or dropped.
 *
 *        | sent, not answered for ... | not sent ... |
 *        oldest                                      newest
 *
 * Bounded in records and bytes, both parts together (the mark of those sent again may exceed it).
 * Bytes are those of texts; memory for them is taken and given back in blocks.
 * Where it is full the oldest of those not sent goes, so what is left is still in order, and as new
 * as it can be.
 *
 * Pure: no threads, no clock. One thread at a time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "gst/publish/blocks.h"

G_BEGIN_DECLS

typedef struct {
  uint64_t id;      /* rising, >= 1 */
  char *text;       /* a JSON object; borrowed: the outbox's; a zero follows */
  size_t n_bytes;   /* of it, without the zero */
  YvBlock *block;   /* the outbox's */
  bool again;       /* was sent before a connection broke; its text says so, too */
  bool is_answered; /* and waits for older ones to be */
} YvRecord;

typedef struct _YvOutbox YvOutbox;

/* @max_records: >= 1 */
YvOutbox *yv_outbox_new (uint32_t max_records, size_t max_bytes);
void yv_outbox_free (YvOutbox *outbox); /* NULL ok */

/* @text: a JSON object of @n_bytes; copied. Returns: how many records were dropped to make room; 1
 * is this one alone where those that were sent leave none, or it is larger than all the room. */
uint32_t yv_outbox_add (YvOutbox *outbox, const char *text, size_t n_bytes);

/* The oldest record that is not sent becomes the newest that is. It stays valid until it is
 * answered for or taken back. Returns: NULL where all are sent. */
const YvRecord *yv_outbox_send (YvOutbox *outbox);

/* Undoes the last yv_outbox_send(): nobody took the record. */
void yv_outbox_unsend (YvOutbox *outbox);

/* Returns: whether a record of this id was sent and not answered for. */
bool yv_outbox_answer (YvOutbox *outbox, uint64_t id);

/* The connection broke: all that were sent and not answered for are to be sent again, and say so
 * ("redelivered": true). Returns: how many. */
uint32_t yv_outbox_take_back (YvOutbox *outbox);

/* Returns: how many there were that nobody has answered for. */
uint32_t yv_outbox_drop_all (YvOutbox *outbox);

uint32_t yv_outbox_n_records (const YvOutbox *outbox); /* answered for, but behind others, too */
uint32_t yv_outbox_n_unsent (const YvOutbox *outbox);
size_t yv_outbox_n_bytes (const YvOutbox *outbox);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvOutbox, yv_outbox_free)

G_END_DECLS
