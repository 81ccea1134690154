/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/playlist.c - the last segments of a stream, and the playlist that lists them. */
#include "examples/web/playlist.h"

#include <string.h>
#include <time.h>

#define NS_PER_S UINT64_C (1000000000)
#define TARGET_S 2 /* segments are a second long; a playlist may not change this while it lives */
#define LONGEST_NS (TARGET_S * NS_PER_S + NS_PER_S / 2 - 1000) /* that rounds to it */

typedef struct {
  GBytes *init;
  uint64_t init_number;
} Init;

typedef struct {
  uint64_t number;
  Init init;
  FragmentsPiece piece;
} Segment;

struct _Playlist {
  char *run;
  int64_t epoch_us;
  Init init;
  uint64_t next_number;     /* of a segment */
  uint64_t next_init;       /* number */
  uint64_t n_discontinuity; /* that are no longer listed */
  uint64_t n_dropped_init;  /* the init number of the last segment that is no longer listed */
  bool has_dropped;
  Segment segments[PLAYLIST_SEGMENTS]; /* a ring, by number */
  uint32_t n_segments;
};

/* ---- the ring ------------------------------------------------------------------------------- */

static Segment *
segment_of (const Playlist *self, uint64_t number)
{
  return (Segment *) &self->segments[number % PLAYLIST_SEGMENTS];
}

static uint64_t
first_kept (const Playlist *self)
{
  return self->next_number - self->n_segments;
}

static uint64_t
first_listed (const Playlist *self)
{
  return self->next_number - MIN (self->n_segments, PLAYLIST_LISTED);
}

static void
drop_segment (Segment *segment)
{
  g_clear_pointer (&segment->init.init, g_bytes_unref);
  fragments_piece_clear (&segment->piece);
}

/* Called before the first of the list leaves it: EXT-X-DISCONTINUITY-SEQUENCE counts the marks that
 * are gone, and one stands before each segment whose initialization is another. */
static void
count_unlisted (Playlist *self, uint64_t number)
{
  const uint64_t init = segment_of (self, number)->init.init_number;

  if (self->has_dropped && init != self->n_dropped_init)
    self->n_discontinuity++;
  self->n_dropped_init = init;
  self->has_dropped = true;
}

static void
add_segment (Playlist *self, FragmentsPiece *piece)
{
  if (self->n_segments == PLAYLIST_SEGMENTS) {
    drop_segment (segment_of (self, first_kept (self)));
    self->n_segments--;
  }
  if (self->n_segments >= PLAYLIST_LISTED)
    count_unlisted (self, first_listed (self));
  Segment *segment = segment_of (self, self->next_number);
  *segment = (Segment){
      .number = self->next_number++,
      .init = {g_bytes_ref (self->init.init), self->init.init_number},
      .piece = *piece,
  };
  self->n_segments++;
}

/* ---- the text ------------------------------------------------------------------------------- */

static void
write_date (GString *text, int64_t us)
{
  const time_t s = (time_t) (us / G_USEC_PER_SEC);
  struct tm parts;
  char date[32];

  gmtime_r (&s, &parts);
  g_string_append_len (text, date,
                       (gssize) strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts));
  g_string_append_printf (text, ".%06uZ", (unsigned) (us % G_USEC_PER_SEC));
}

/* Not "%.6f": its point depends on the locale. */
static void
write_seconds (GString *text, uint64_t ns)
{
  const uint64_t us = (ns + 500) / 1000;

  g_string_append_printf (text, "%" G_GUINT64_FORMAT ".%06u", us / 1000000,
                          (unsigned) (us % 1000000));
}

static void
write_segment (const Playlist *self, const Segment *segment, GString *text)
{
  const FragmentsPiece *piece = &segment->piece;

  g_string_append (text, "#EXT-X-PROGRAM-DATE-TIME:");
  write_date (text, self->epoch_us + (int64_t) (piece->pts_ns / 1000));
  g_string_append (text, "\n#EXTINF:");
  write_seconds (text, MIN (piece->duration_ns, LONGEST_NS));
  g_string_append_printf (text, ",\n%s-%" G_GUINT64_FORMAT ".m4s\n", self->run, segment->number);
}

static void
write_head (const Playlist *self, GString *text)
{
  g_string_append_printf (text,
                          "#EXTM3U\n"
                          "#EXT-X-VERSION:7\n"
                          "#EXT-X-INDEPENDENT-SEGMENTS\n"
                          "#EXT-X-TARGETDURATION:%d\n"
                          "#EXT-X-MEDIA-SEQUENCE:%" G_GUINT64_FORMAT "\n"
                          "#EXT-X-DISCONTINUITY-SEQUENCE:%" G_GUINT64_FORMAT "\n",
                          TARGET_S, first_listed (self), self->n_discontinuity);
}

/* ---- exported ------------------------------------------------------------------------------- */

Playlist *
playlist_new (const char *run, int64_t epoch_us)
{
  Playlist *self = g_new0 (Playlist, 1);

  self->run = g_strdup (run);
  self->epoch_us = epoch_us;
  return self;
}

void
playlist_free (Playlist *self)
{
  if (!self)
    return;
  playlist_empty (self);
  g_free (self->run);
  g_free (self);
}

void
playlist_add (Playlist *self, FragmentsPiece *piece)
{
  if (piece->is_init) {
    g_clear_pointer (&self->init.init, g_bytes_unref);
    self->init = (Init){piece->bytes, self->next_init++};
  } else if (self->init.init) {
    add_segment (self, piece);
  } else {
    fragments_piece_clear (piece);
  }
  *piece = (FragmentsPiece){0};
}

void
playlist_empty (Playlist *self)
{
  while (self->n_segments > 0) {
    if (self->n_segments <= PLAYLIST_LISTED)
      count_unlisted (self, first_kept (self));
    drop_segment (segment_of (self, first_kept (self)));
    self->n_segments--;
  }
  g_clear_pointer (&self->init.init, g_bytes_unref);
}

bool
playlist_is_ready (const Playlist *self)
{
  return self->n_segments > 0;
}

void
playlist_write (const Playlist *self, GString *text)
{
  uint64_t init = UINT64_MAX;

  write_head (self, text);
  for (uint64_t i = first_listed (self); i < self->next_number; i++) {
    const Segment *segment = segment_of (self, i);
    /* A mark that leaves the list is counted in its head. */
    const bool is_after_another = init == UINT64_MAX ? self->has_dropped : true;
    const uint64_t before = init == UINT64_MAX ? self->n_dropped_init : init;
    if (is_after_another && segment->init.init_number != before)
      g_string_append (text, "#EXT-X-DISCONTINUITY\n");
    if (segment->init.init_number != init)
      g_string_append_printf (text, "#EXT-X-MAP:URI=\"%s-%" G_GUINT64_FORMAT ".mp4\"\n", self->run,
                              segment->init.init_number);
    init = segment->init.init_number;
    write_segment (self, segment, text);
  }
}

/* Returns: whether @name is the run, "-", a number as we write it, and @suffix */
static bool
parse_name (const Playlist *self, const char *name, const char *suffix, uint64_t *number)
{
  g_autofree char *expected = NULL;

  if (!g_str_has_prefix (name, self->run) || name[strlen (self->run)] != '-')
    return false;
  *number = g_ascii_strtoull (name + strlen (self->run) + 1, NULL, 10);
  expected = g_strdup_printf ("%s-%" G_GUINT64_FORMAT "%s", self->run, *number, suffix);
  return g_str_equal (name, expected);
}

GBytes *
playlist_get (const Playlist *self, const char *name)
{
  uint64_t number;

  if (parse_name (self, name, ".m4s", &number)) {
    const bool is_kept = number >= first_kept (self) && number < self->next_number;
    return is_kept ? g_bytes_ref (segment_of (self, number)->piece.bytes) : NULL;
  }
  if (!parse_name (self, name, ".mp4", &number))
    return NULL;
  if (self->init.init && self->init.init_number == number)
    return g_bytes_ref (self->init.init);
  for (uint64_t i = first_kept (self); i < self->next_number; i++) {
    const Init *init = &segment_of (self, i)->init;
    if (init->init_number == number)
      return g_bytes_ref (init->init);
  }
  return NULL;
}
