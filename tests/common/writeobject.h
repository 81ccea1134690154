/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/writeobject.h - values made by objects.h -> a checkpoint file. */
#pragma once

#include <glib.h>

#include "engine/checkpoint/object.h"
#include "tests/common/ptwrite.h"

G_BEGIN_DECLS

/* Pickles a tree (what is shared is written twice) of NONE, BOOL, INT, FLOAT, STRING, TUPLE, DICT,
 * TENSOR and INSTANCE. */
void yv_test_put_object (YvPtWriter *writer, const YvObject *object);

/* The same as a file in a new temporary folder; its path. Free with g_free(). */
char *yv_test_write_object (const YvObject *object, YvPtContainer container);

/* Deletes a file of yv_test_write_object() and its folder. */
void yv_test_remove (const char *path);

G_END_DECLS
