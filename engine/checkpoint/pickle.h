/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/pickle.h - a Python pickle, read as data.
 *
 * In:   the bytes of a pickle, protocols 0 to 5, hostile until checked.
 * Out:  the value it describes (object.h), made in a pool, and the storages it refers to.
 * Next: the container (torchzip.c, legacy.c) tells where those are and binds them (storage.h).
 *
 * A pickle is a program for a small stack machine. This one runs it without ever resolving a name
 * or making a call (call.h), without recursion, in memory and time proportional to its bytes.
 */
#pragma once

#include <glib.h>

#include "engine/checkpoint/storage.h"
#include "engine/span.h"

G_BEGIN_DECLS

/**
 * yv_pickle_read:
 * @input: (inout): at the first opcode; advanced past STOP on success
 * @name: what the bytes are called in errors, e.g. "entry 'best/data.pkl'"
 * @pool: where the values are made; must outlive them
 * @storages: takes the storages that are mentioned
 *
 * Returns: (transfer none): the pool's; or NULL with YV_ERROR_MALFORMED or _UNSUPPORTED, the
 * message beginning with @name and the byte of the opcode at fault.
 */
const YvObject *yv_pickle_read (YvSpan *input, const char *name, YvPool *pool, YvStorages *storages,
                                GError **error);

G_END_DECLS
