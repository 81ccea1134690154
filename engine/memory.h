/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/memory.h - what is inside a YvFrameMemory (image.h), for those who make and read it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/image.h"

G_BEGIN_DECLS

/* Counted: the user's is one reference, and each slot that has recorded commands for it has one.
 * The bytes go with the user's, so that the memory of somebody else, too, may go then; the others
 * keep nothing but the address, which no newer memory has as long as a slot may know it.
 * Made with g_new(); makers put this first. */
struct _YvFrameMemory {
  uint8_t *bytes; /* the host's view of it */
  size_t size_bytes;
  const uint8_t *start; /* of the device's view: bytes, or the page they begin in where it was
                           imported */
  const void *device;   /* the YvDevice that reads it, of which the maker has a reference until
                           release(); NULL: none does */
  void (*release) (YvFrameMemory *memory); /* gives back all but the struct; nobody reads it */
  gatomicrefcount n_refs;
  gint is_given_up; /* atomic: the user has let go of it */
};

/* Without a device. NULL with YV_ERROR_OUT_OF_MEMORY. */
YvFrameMemory *yv_memory_new_plain (size_t size_bytes, GError **error);

YvFrameMemory *yv_memory_ref (YvFrameMemory *memory);
void yv_memory_unref (YvFrameMemory *memory); /* NULL ok */

/* The user's reference; NULL ok. */
void yv_memory_give_up (YvFrameMemory *memory);
bool yv_memory_is_given_up (const YvFrameMemory *memory);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvFrameMemory, yv_memory_give_up)

G_END_DECLS
