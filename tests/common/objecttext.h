/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/objecttext.h - a value of a checkpoint as text, to compare in one line. */
#pragma once

#include <glib.h>

#include "engine/checkpoint/object.h"

G_BEGIN_DECLS

/* As Python prints it, e.g. "{'a': [1, 2.5], 'b': None}"; a tensor is "f32[2,3]=1,2,3,4,5,6", a
 * class
 * "<os.path>", an instance "m.C(args){state}[items]" with what is not there left out, what encloses
 * itself "...". Free with g_free(). */
char *yv_test_object_to_string (const YvObject *object);

G_END_DECLS
