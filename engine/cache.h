/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/cache.h - what is worth keeping from one process to the next: files in
 * $XDG_CACHE_HOME/gst-yolov7/, which may be deleted at any time.
 *
 * A file is of one kind and one device, and says in a header what it is for: it is taken only where
 * that is, to the letter, what is asked for, its length is right, and its checksum is. Anything
 * else, of another driver or build, cut short or changed, is as if it weren't there, and is
 * replaced by the next write. Files are written aside and renamed: any number of processes may do
 * so at once, and the last one wins.
 *
 * Nothing here is an error: who cannot read or write goes on without, and g_debug() tells why.
 * YV_CACHE=off (environment) turns it off. Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

#define YV_CACHE_MAX_BYTES (64u << 20) /* of a file; a larger one is neither read nor written */

/**
 * yv_cache_path:
 * @kind: "tuning", "pipelines"
 * @owner: what there is one file for: a device's UUID
 *
 * Returns: (transfer full): or NULL where it is turned off.
 */
char *yv_cache_path (const char *kind, const char *owner);

/**
 * yv_cache_read:
 * @identity: one line that tells all that the content depends on: device, driver, build
 *
 * Returns: (transfer full): the content of the file, with a 0 behind it that does not count; NULL
 * where there is none for this @identity.
 */
GBytes *yv_cache_read (const char *kind, const char *owner, const char *identity);

/* Returns: whether it was written. */
bool yv_cache_write (const char *kind, const char *owner, const char *identity, const void *content,
                     size_t size_bytes);

G_END_DECLS
