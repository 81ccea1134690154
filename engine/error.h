/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/error.h - the one error domain of the engine. Part of the public API through yolov7.h.
 */
#pragma once

#include <glib.h>

#include "engine/api.h"

G_BEGIN_DECLS

#define YV_ERROR (yv_error_quark ())

/* A code exists only where a caller acts on it. The message always names what was wrong, where
 * (file, row, tensor), what was found and what was expected, and where possible what to do. */
typedef enum {
  YV_ERROR_IO,            /* a file can't be opened, read or written */
  YV_ERROR_MALFORMED,     /* a file is damaged, or not what it claims to be */
  YV_ERROR_UNSUPPORTED,   /* a valid file or request that this engine has no code for */
  YV_ERROR_INVALID,       /* a caller's option is out of range or contradicts another */
  YV_ERROR_NO_DEVICE,     /* no Vulkan device, or none of the name asked for */
  YV_ERROR_OUT_OF_MEMORY, /* of the device or the host */
  YV_ERROR_DEVICE_LOST,   /* the device went away; the engine object is dead */
} YvError;

YV_API GQuark yv_error_quark (void);

G_END_DECLS
