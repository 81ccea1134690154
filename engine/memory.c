/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/memory.c - counting who uses a frame's memory. */
#include "engine/memory.h"

#include "engine/error.h"

static void
release_plain (YvFrameMemory *memory)
{
  g_free (memory->bytes);
}

YvFrameMemory *
yv_memory_new_plain (size_t size_bytes, GError **error)
{
  uint8_t *bytes = g_try_malloc0 (MAX (size_bytes, 1));

  if (!bytes) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory for a frame of %zu bytes",
                 size_bytes);
    return NULL;
  }
  YvFrameMemory *memory = g_new0 (YvFrameMemory, 1);
  memory->bytes = bytes;
  memory->start = bytes;
  memory->size_bytes = size_bytes;
  memory->release = release_plain;
  g_atomic_ref_count_init (&memory->n_refs);
  return memory;
}

YvFrameMemory *
yv_memory_ref (YvFrameMemory *memory)
{
  g_atomic_ref_count_inc (&memory->n_refs);
  return memory;
}

void
yv_memory_unref (YvFrameMemory *memory)
{
  if (memory && g_atomic_ref_count_dec (&memory->n_refs))
    g_free (memory);
}

void
yv_memory_give_up (YvFrameMemory *memory)
{
  if (!memory)
    return;
  g_atomic_int_set (&memory->is_given_up, TRUE);
  memory->release (memory);
  yv_memory_unref (memory);
}

bool
yv_memory_is_given_up (const YvFrameMemory *memory)
{
  return g_atomic_int_get (&memory->is_given_up);
}
