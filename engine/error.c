/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/error.c - the error quark. */
#include "engine/error.h"

/* Not by G_DEFINE_QUARK(), which keeps it in a variable that threads may write at the same time. */
GQuark
yv_error_quark (void)
{
  return g_quark_from_static_string ("yv-error-quark");
}
