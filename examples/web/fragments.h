/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/fragments.h - a fragmented MP4, as a muxer writes it, in the pieces that HLS serves.
 *
 * In:    the bytes of mp4mux with one track, in any portions, and when the first frame of a portion
 *        is shown.
 * Out:   one initialization piece (ftyp, moov), then one for each fragment (moof, mdat).
 * Next:  examples/web/encoding.c makes segments of them.
 *
 * mp4mux lets the time of its first frame be 0. Here each fragment is told the time at which its
 * first frame is shown (its box tfdt is written anew), so the time of the media is the frames'
 * time, to half a unit of the track's timescale, however often the muxer began anew; and what comes
 * later does not add up the rounding of what came before.
 *
 * Pure: bytes in, bytes out; one thread at a time. The bytes may be hostile: each box is checked
 * against the one around it, and no piece is larger than FRAGMENTS_MAX_BYTES.
 * Format: ISO/IEC 14496-12.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

#define FRAGMENTS_MAX_BYTES (32 * 1024 * 1024)
#define FRAGMENTS_NO_TIME UINT64_MAX

typedef struct _Fragments Fragments;

typedef struct {
  GBytes *bytes;        /* (transfer full) */
  bool is_init;         /* else the next three are known */
  bool is_sync;         /* its first frame is a key frame */
  uint64_t pts_ns;      /* when that is shown */
  uint64_t duration_ns; /* of its frames */
} FragmentsPiece;

Fragments *fragments_new (void);
void fragments_free (Fragments *self); /* NULL ok */

/**
 * fragments_push:
 * @pts_ns: when the frame is shown that these bytes are of; FRAGMENTS_NO_TIME for headers. The
 * first one of a fragment is the one that counts.
 *
 * Returns: false with YV_ERROR_MALFORMED, or _UNSUPPORTED for what mp4mux does not write; then
 * nothing can follow.
 */
bool fragments_push (Fragments *self, const uint8_t *bytes, size_t n_bytes, uint64_t pts_ns,
                     GError **error);

/* Returns: whether there was a whole piece; it is the caller's, and the next one may be there. */
bool fragments_take (Fragments *self, FragmentsPiece *out);

/* Appends @more to @piece, which may be empty, and clears it. Neither is an initialization. */
void fragments_piece_join (FragmentsPiece *piece, FragmentsPiece *more);

void fragments_piece_clear (FragmentsPiece *piece); /* zeroed ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fragments, fragments_free)

G_END_DECLS
