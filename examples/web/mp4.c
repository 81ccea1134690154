/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/mp4.c - the boxes of an MP4. */
#include "examples/web/mp4.h"

#include <string.h>

#include "engine/yolov7.h"

bool
mp4_fail (GError **error, const char *message)
{
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "the MP4 of the muxer: %s", message);
  return false;
}

uint32_t
mp4_get_u32 (const uint8_t *at)
{
  return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}

void
mp4_put_u32 (uint8_t *at, uint32_t value)
{
  for (int i = 0; i < 4; i++)
    at[i] = (uint8_t) (value >> (24 - 8 * i));
}

bool
mp4_next (const uint8_t *bytes, size_t start, size_t end, Mp4Box *box, GError **error)
{
  if (start == end)
    return false;
  if (end - start < MP4_HEADER_BYTES)
    return mp4_fail (error, "a box has no room for its header");
  const size_t n = mp4_get_u32 (bytes + start);
  if (n < MP4_HEADER_BYTES || n > end - start)
    return mp4_fail (error, "a box ends outside of the one around it");
  *box = (Mp4Box){.start = start, .end = start + n};
  memcpy (box->type, bytes + start + 4, 4);
  return true;
}

bool
mp4_is (const Mp4Box *box, const char *type)
{
  return memcmp (box->type, type, 4) == 0;
}

bool
mp4_find_only (const uint8_t *bytes, const Mp4Box *parent, const char *type, Mp4Box *out,
               GError **error)
{
  GError *failure = NULL;
  Mp4Box box;
  bool is_found = false;

  for (size_t at = parent->start + MP4_HEADER_BYTES;
       mp4_next (bytes, at, parent->end, &box, &failure); at = box.end) {
    if (!mp4_is (&box, type))
      continue;
    if (is_found) {
      g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                   "the MP4 of the muxer: there is more than one %s, and one track is expected",
                   type);
      return false;
    }
    *out = box;
    is_found = true;
  }
  if (failure) {
    g_propagate_error (error, failure);
    return false;
  }
  if (is_found)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "the MP4 of the muxer: there is no %s", type);
  return false;
}

size_t
mp4_size (const Mp4Box *box)
{
  return box->end - box->start;
}
