/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/call.h - what becomes of a call in a pickle.
 *
 * A pickle makes objects by asking for calls. None is ever made: a few callables whose result is
 * plain data (containers, tensors) are answered with that data, all others with an INSTANCE that
 * notes what was asked.
 */
#pragma once

#include <glib.h>

#include "engine/checkpoint/storage.h"

G_BEGIN_DECLS

/* The value of callable (*args). @callable is a CLASS, or an INSTANCE that stands for one; @args a
 * TUPLE. NULL with YV_ERROR_MALFORMED. Neither argument is changed, both may become part of the
 * value. */
YvObject *yv_call (YvPool *pool, YvStorages *storages, const YvObject *callable,
                   const YvObject *args, GError **error);

G_END_DECLS
