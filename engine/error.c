/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/error.c - the error quark. */
#include "engine/error.h"

G_DEFINE_QUARK (yv - error - quark, yv_error)
