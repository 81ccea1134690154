/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/playlist.h - the last segments of a stream, and the HLS playlist that lists them.
 *
 * In:    pieces of an MP4 (examples/web/fragments.h), as they come; each has a number, from 0.
 * Out:   the text of a live playlist with fragmented MP4, and the bytes of any piece it lists.
 *
 * Segments are named RUN-NUMBER.m4s and initializations RUN-NUMBER.mp4. A run has a name that no
 * other one had, and a number stands for the same bytes for ever, so what is behind a name may be
 * cached without asking. When the muxer begins anew (another size of the picture, a failure) an
 * initialization comes again, and what follows stands behind EXT-X-DISCONTINUITY.
 *
 * The target duration is a constant, as the format asks; a segment that is longer (a host that was
 * asleep, an encoder that makes no key frames) is told to last that long, and the next one's date
 * says where it goes on.
 *
 * EXT-X-PROGRAM-DATE-TIME is the wall clock's time of a segment's first frame, exactly its media
 * time and a constant: players that let the media begin at 0 can find media times from it.
 *
 * Pure; one thread at a time, who shares one locks it. Memory: PLAYLIST_SEGMENTS pieces and those
 * that are lent.
 * Format: RFC 8216.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "examples/web/fragments.h"

G_BEGIN_DECLS

/* Kept; a viewer who asks late still finds what was listed. */
#define PLAYLIST_SEGMENTS 10
#define PLAYLIST_LISTED 6 /* of them; three at least, which players want to have behind them */

typedef struct _Playlist Playlist;

/* @run: letters and digits
 * @epoch_us: the time of the wall clock, us since 1970, at media time 0 */
Playlist *playlist_new (const char *run, int64_t epoch_us);
void playlist_free (Playlist *self); /* NULL ok */

/* @piece: (transfer full): a segment before any initialization is dropped. */
void playlist_add (Playlist *self, FragmentsPiece *piece);

/* Nothing is listed any more; numbers go on. */
void playlist_empty (Playlist *self);

/* Whether there is a segment that a viewer can begin with. */
bool playlist_is_ready (const Playlist *self);

/* Appends the playlist, as it is now. */
void playlist_write (const Playlist *self, GString *text);

/* @name: of a piece, from outside
 * Returns: (transfer full) (nullable): its bytes; NULL where none is kept under that name */
GBytes *playlist_get (const Playlist *self, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Playlist, playlist_free)

G_END_DECLS
