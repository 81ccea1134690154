/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/crc.c - the checksum of zip archives, eight bytes at a time: table[k][b] is
 * what byte b becomes after k more zero bytes ("slicing-by-8", Kounavis and Berry 2005). */
#include "engine/checkpoint/crc.h"

#include <string.h>

#define POLYNOMIAL 0xedb88320u
#define N_SLICES 8

void
yv_crc_init (YvCrc *crc)
{
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++)
      value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
    crc->table[0][byte] = value;
  }
  for (uint32_t slice = 1; slice < N_SLICES; slice++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      const uint32_t before = crc->table[slice - 1][byte];
      crc->table[slice][byte] = before >> 8 ^ crc->table[0][before & 0xff];
    }
  }
}

static uint32_t
add_slice (const YvCrc *crc, uint32_t value, const uint8_t *p)
{
  uint32_t words[2];

  memcpy (words, p, sizeof words);
  const uint32_t low = value ^ GUINT32_FROM_LE (words[0]);
  const uint32_t high = GUINT32_FROM_LE (words[1]);
  return crc->table[7][low & 0xff] ^ crc->table[6][low >> 8 & 0xff] ^
         crc->table[5][low >> 16 & 0xff] ^ crc->table[4][low >> 24] ^ crc->table[3][high & 0xff] ^
         crc->table[2][high >> 8 & 0xff] ^ crc->table[1][high >> 16 & 0xff] ^
         crc->table[0][high >> 24];
}

uint32_t
yv_crc_of (const YvCrc *crc, YvSpan bytes)
{
  uint32_t value = ~0u;
  size_t i = 0;

  for (; i + N_SLICES <= bytes.size_bytes; i += N_SLICES)
    value = add_slice (crc, value, bytes.data + i);
  for (; i < bytes.size_bytes; i++)
    value = value >> 8 ^ crc->table[0][(value ^ bytes.data[i]) & 0xff];
  return ~value;
}
