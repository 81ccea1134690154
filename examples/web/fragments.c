/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/fragments.c - a fragmented MP4 in the pieces that HLS serves. */
#include "examples/web/fragments.h"

#include <string.h>

#include "engine/yolov7.h"
#include "examples/web/mp4.h"

#define NS_PER_S UINT64_C (1000000000)

#define FULL_BYTES 12 /* and version and flags */
#define TFDT_BYTES 20 /* of version 1 */

/* Flags of tfhd and trun. */
#define TFHD_BASE_DATA_OFFSET 0x1u
#define TFHD_DESCRIPTION_INDEX 0x2u
#define TFHD_DEFAULT_DURATION 0x8u
#define TFHD_DEFAULT_SIZE 0x10u
#define TFHD_DEFAULT_FLAGS 0x20u
#define TRUN_DATA_OFFSET 0x1u
#define TRUN_FIRST_FLAGS 0x4u
#define TRUN_DURATION 0x100u
#define TRUN_SIZE 0x200u
#define TRUN_FLAGS 0x400u
#define TRUN_SHIFT 0x800u

#define FRAME_NO_SYNC 0x10000u /* of the flags of a frame */

/* What a fragment says of its frames. */
typedef struct {
  Mp4Box moof, traf, tfdt;
  uint32_t default_duration;
  uint32_t default_flags;
  uint32_t first_flags; /* of the first frame */
  uint64_t duration;    /* of all frames, in the track's timescale */
  uint64_t n_frames;
  int64_t first_shift; /* from when the first frame is decoded to when it is shown */
  GArray *offsets;     /* size_t: where the data offsets of its truns are */
} Moof;

struct _Fragments {
  GByteArray *bytes; /* of the piece that is not whole yet, and what came behind it */
  size_t n_whole;    /* so far it is whole boxes */
  GQueue pieces;     /* FragmentsPiece * */
  bool has_moof;     /* of the piece: where it is follows */
  Mp4Box moof;
  uint64_t pts_ns;
  uint64_t pushed_ns; /* of the bytes that came last */
  uint32_t timescale; /* 0: before the moov */
  uint32_t default_duration;
  uint32_t default_flags;
  GArray *offsets; /* size_t: see Moof */
};

/* ---- the initialization --------------------------------------------------------------------- */

static bool
read_timescale (Fragments *self, const uint8_t *bytes, const Mp4Box *moov, GError **error)
{
  Mp4Box trak, mdia, mdhd;

  if (!mp4_find_only (bytes, moov, "trak", &trak, error) ||
      !mp4_find_only (bytes, &trak, "mdia", &mdia, error) ||
      !mp4_find_only (bytes, &mdia, "mdhd", &mdhd, error))
    return false;
  if (mp4_size (&mdhd) < FULL_BYTES)
    return mp4_fail (error, "mdhd is too short");
  /* Two times come before, of 4 or 8 bytes. */
  const size_t at = bytes[mdhd.start + MP4_HEADER_BYTES] == 1 ? FULL_BYTES + 16 : FULL_BYTES + 8;
  if (mp4_size (&mdhd) < at + 4)
    return mp4_fail (error, "mdhd is too short");
  self->timescale = mp4_get_u32 (bytes + mdhd.start + at);
  return self->timescale > 0 || mp4_fail (error, "the timescale is 0");
}

static bool
read_moov (Fragments *self, const Mp4Box *moov, GError **error)
{
  const uint8_t *bytes = self->bytes->data;
  Mp4Box mvex, trex;

  if (!read_timescale (self, bytes, moov, error) ||
      !mp4_find_only (bytes, moov, "mvex", &mvex, error) ||
      !mp4_find_only (bytes, &mvex, "trex", &trex, error))
    return false;
  if (mp4_size (&trex) < FULL_BYTES + 20)
    return mp4_fail (error, "trex is too short");
  self->default_duration = mp4_get_u32 (bytes + trex.start + FULL_BYTES + 8);
  self->default_flags = mp4_get_u32 (bytes + trex.start + FULL_BYTES + 16);
  return true;
}

/* ---- a fragment ----------------------------------------------------------------------------- */

/* Takes the next field of a tfhd that is there or not. */
static bool
take_field (const uint8_t *bytes, const Mp4Box *tfhd, bool is_there, size_t *at, uint32_t *value,
            GError **error)
{
  if (!is_there)
    return true;
  if (mp4_size (tfhd) < *at + 4)
    return mp4_fail (error, "tfhd is too short");
  *value = mp4_get_u32 (bytes + tfhd->start + *at);
  *at += 4;
  return true;
}

static bool
read_tfhd (const uint8_t *bytes, const Mp4Box *tfhd, Moof *moof, GError **error)
{
  if (mp4_size (tfhd) < FULL_BYTES + 4)
    return mp4_fail (error, "tfhd is too short");
  const uint32_t flags = mp4_get_u32 (bytes + tfhd->start + MP4_HEADER_BYTES) & 0xffffff;
  if (flags & TFHD_BASE_DATA_OFFSET) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "the MP4 of the muxer: a fragment says where it is in a file");
    return false;
  }
  size_t at = FULL_BYTES + 4;
  uint32_t unused;
  return take_field (bytes, tfhd, flags & TFHD_DESCRIPTION_INDEX, &at, &unused, error) &&
         take_field (bytes, tfhd, flags & TFHD_DEFAULT_DURATION, &at, &moof->default_duration,
                     error) &&
         take_field (bytes, tfhd, flags & TFHD_DEFAULT_SIZE, &at, &unused, error) &&
         take_field (bytes, tfhd, flags & TFHD_DEFAULT_FLAGS, &at, &moof->default_flags, error);
}

/* Where the field of a frame in a trun is, and how much a frame takes: fields are there or not. */
static size_t
n_fields (uint32_t flags)
{
  size_t n = 0;

  for (uint32_t field = TRUN_DURATION; field <= TRUN_SHIFT; field <<= 1)
    n += flags & field ? 1 : 0;
  return n;
}

/* @head: of the trun, behind its offset. Its own flags of the first frame go before those that each
 * has. */
static uint32_t
first_flags_of (const uint8_t *head, const uint8_t *frames, uint32_t flags, const Moof *moof)
{
  if (flags & TRUN_FIRST_FLAGS)
    return mp4_get_u32 (head);
  if (!(flags & TRUN_FLAGS))
    return moof->default_flags;
  return mp4_get_u32 (frames + 4 * n_fields (flags & (TRUN_DURATION | TRUN_SIZE)));
}

static void
count_frames (const uint8_t *at, uint32_t n_frames, uint32_t flags, Moof *moof)
{
  const size_t frame_bytes = 4 * n_fields (flags);

  if (moof->n_frames == 0 && n_frames > 0 && flags & TRUN_SHIFT)
    moof->first_shift = (int32_t) mp4_get_u32 (at + frame_bytes - 4);
  moof->n_frames += n_frames;
  if (!(flags & TRUN_DURATION)) {
    moof->duration += (uint64_t) n_frames * moof->default_duration;
    return;
  }
  for (uint32_t i = 0; i < n_frames; i++)
    moof->duration += mp4_get_u32 (at + i * frame_bytes);
}

static bool
read_trun (const uint8_t *bytes, const Mp4Box *trun, Moof *moof, GError **error)
{
  if (mp4_size (trun) < FULL_BYTES + 4)
    return mp4_fail (error, "trun is too short");
  const uint32_t flags = mp4_get_u32 (bytes + trun->start + MP4_HEADER_BYTES) & 0xffffff;
  const uint32_t n_frames = mp4_get_u32 (bytes + trun->start + FULL_BYTES);
  const size_t head = FULL_BYTES + 4 + (flags & TRUN_DATA_OFFSET ? 4 : 0);
  const size_t at = head + (flags & TRUN_FIRST_FLAGS ? 4 : 0);
  if (mp4_size (trun) < at || (mp4_size (trun) - at) / 4 < (uint64_t) n_frames * n_fields (flags))
    return mp4_fail (error, "trun is too short for its frames");
  if (flags & TRUN_DATA_OFFSET) {
    const size_t offset = trun->start + FULL_BYTES + 4;
    g_array_append_val (moof->offsets, offset);
  }
  if (moof->n_frames == 0 && n_frames > 0)
    moof->first_flags =
        first_flags_of (bytes + trun->start + head, bytes + trun->start + at, flags, moof);
  count_frames (bytes + trun->start + at, n_frames, flags, moof);
  return true;
}

static bool
read_truns (const uint8_t *bytes, Moof *moof, GError **error)
{
  GError *failure = NULL;
  Mp4Box box;

  for (size_t at = moof->traf.start + MP4_HEADER_BYTES;
       mp4_next (bytes, at, moof->traf.end, &box, &failure); at = box.end) {
    if (mp4_is (&box, "trun") && !read_trun (bytes, &box, moof, error))
      return false;
  }
  if (!failure)
    return moof->n_frames > 0 || mp4_fail (error, "a fragment has no frames");
  g_propagate_error (error, failure);
  return false;
}

static bool
read_moof (Fragments *self, Moof *moof, GError **error)
{
  const uint8_t *bytes = self->bytes->data;
  Mp4Box tfhd;

  if (!mp4_find_only (bytes, &moof->moof, "traf", &moof->traf, error) ||
      !mp4_find_only (bytes, &moof->traf, "tfhd", &tfhd, error) ||
      !mp4_find_only (bytes, &moof->traf, "tfdt", &moof->tfdt, error))
    return false;
  if (mp4_size (&moof->tfdt) > TFDT_BYTES)
    return mp4_fail (error, "tfdt is too long");
  return read_tfhd (bytes, &tfhd, moof, error) && read_truns (bytes, moof, error);
}

static uint64_t
in_ns (uint64_t units, uint32_t timescale)
{
  return units / timescale * NS_PER_S + units % timescale * NS_PER_S / timescale;
}

static uint64_t
in_units (uint64_t ns, uint32_t timescale)
{
  return ns / NS_PER_S * timescale + (ns % NS_PER_S * timescale + NS_PER_S / 2) / NS_PER_S;
}

/* Frames that are decoded before they are shown can't be so before time began. */
static uint64_t
decode_time_of (const Fragments *self, const Moof *moof)
{
  const uint64_t shown = in_units (self->pts_ns, self->timescale);

  if (moof->first_shift > 0 && (uint64_t) moof->first_shift > shown)
    return 0;
  return shown - (uint64_t) moof->first_shift;
}

static void
write_tfdt (uint8_t *at, uint64_t decode_time)
{
  mp4_put_u32 (at, TFDT_BYTES);
  memcpy (at + 4, "tfdt", 4);
  mp4_put_u32 (at + MP4_HEADER_BYTES, 1u << 24); /* version 1: 64 bits */
  mp4_put_u32 (at + FULL_BYTES, (uint32_t) (decode_time >> 32));
  mp4_put_u32 (at + FULL_BYTES + 4, (uint32_t) decode_time);
}

/* With a tfdt of 64 bits; what is around it, and the way to the frames, grow by as much. */
static GBytes *
write_fragment (const Fragments *self, const Moof *moof)
{
  const uint8_t *from = self->bytes->data;
  const size_t head = moof->tfdt.start;
  const uint32_t grown = (uint32_t) (TFDT_BYTES - mp4_size (&moof->tfdt));
  uint8_t *to = g_malloc (self->n_whole + grown);

  memcpy (to, from, head);
  write_tfdt (to + head, decode_time_of (self, moof));
  memcpy (to + head + TFDT_BYTES, from + moof->tfdt.end, self->n_whole - moof->tfdt.end);
  mp4_put_u32 (to + moof->moof.start, (uint32_t) mp4_size (&moof->moof) + grown);
  mp4_put_u32 (to + moof->traf.start, (uint32_t) mp4_size (&moof->traf) + grown);
  for (guint i = 0; i < moof->offsets->len; i++) {
    size_t at = g_array_index (moof->offsets, size_t, i);
    at += at > head ? grown : 0;
    mp4_put_u32 (to + at, mp4_get_u32 (to + at) + grown);
  }
  return g_bytes_new_take (to, self->n_whole + grown);
}

/* ---- pieces --------------------------------------------------------------------------------- */

static void
give_piece (Fragments *self, GBytes *bytes, const Moof *moof)
{
  FragmentsPiece *piece = g_new0 (FragmentsPiece, 1);

  piece->bytes = bytes;
  piece->is_init = !moof;
  if (moof) {
    piece->is_sync = !(moof->first_flags & FRAME_NO_SYNC);
    piece->pts_ns = self->pts_ns;
    piece->duration_ns = in_ns (moof->duration, self->timescale);
  }
  g_queue_push_tail (&self->pieces, piece);
  g_byte_array_remove_range (self->bytes, 0, (guint) self->n_whole);
  self->n_whole = 0;
  self->has_moof = false;
  self->pts_ns = self->pushed_ns;
}

static bool
end_init (Fragments *self, const Mp4Box *moov, GError **error)
{
  if (self->timescale > 0)
    return mp4_fail (error, "there is a second moov");
  if (!read_moov (self, moov, error))
    return false;
  give_piece (self, g_bytes_new (self->bytes->data, self->n_whole), NULL);
  return true;
}

static bool
end_fragment (Fragments *self, GError **error)
{
  if (!self->has_moof)
    return mp4_fail (error, "an mdat comes without a moof");
  if (self->pts_ns == FRAGMENTS_NO_TIME)
    return mp4_fail (error, "nobody knows when the frames of a fragment are shown");
  g_array_set_size (self->offsets, 0);
  Moof moof = {
      .moof = self->moof,
      .default_duration = self->default_duration,
      .default_flags = self->default_flags,
      .offsets = self->offsets,
  };
  if (!read_moof (self, &moof, error))
    return false;
  give_piece (self, write_fragment (self, &moof), &moof);
  return true;
}

static bool
end_box (Fragments *self, const Mp4Box *box, GError **error)
{
  self->n_whole = box->end;
  if (mp4_is (box, "moov"))
    return end_init (self, box, error);
  if (mp4_is (box, "mdat"))
    return end_fragment (self, error);
  if (!mp4_is (box, "moof"))
    return true;
  if (self->timescale == 0)
    return mp4_fail (error, "a moof comes before the moov");
  if (self->has_moof)
    return mp4_fail (error, "two moof come without an mdat between");
  self->has_moof = true;
  self->moof = *box;
  return true;
}

/* Whether a whole box follows those that are known. One of size 0 or 1, to the end or of more than
 * 4 GiB, is none that we take. */
static bool
has_whole_box (const Fragments *self, GError **error)
{
  const size_t n_left = self->bytes->len - self->n_whole;

  if (n_left < MP4_HEADER_BYTES)
    return false;
  const uint32_t n = mp4_get_u32 (self->bytes->data + self->n_whole);
  if (n < MP4_HEADER_BYTES)
    return mp4_fail (error, "a box has no size");
  if (n > FRAGMENTS_MAX_BYTES - self->n_whole)
    return mp4_fail (error, "a piece is larger than 32 MiB");
  return n_left >= n;
}

static bool
end_boxes (Fragments *self, GError **error)
{
  GError *failure = NULL;

  while (has_whole_box (self, &failure)) {
    Mp4Box box;
    if (!mp4_next (self->bytes->data, self->n_whole, self->bytes->len, &box, error) ||
        !end_box (self, &box, error))
      return false;
  }
  if (!failure)
    return true;
  g_propagate_error (error, failure);
  return false;
}

/* ---- exported ------------------------------------------------------------------------------- */

Fragments *
fragments_new (void)
{
  Fragments *self = g_new0 (Fragments, 1);

  self->bytes = g_byte_array_new ();
  self->offsets = g_array_new (FALSE, FALSE, sizeof (size_t));
  self->pts_ns = FRAGMENTS_NO_TIME;
  g_queue_init (&self->pieces);
  return self;
}

void
fragments_free (Fragments *self)
{
  FragmentsPiece piece;

  if (!self)
    return;
  while (fragments_take (self, &piece))
    fragments_piece_clear (&piece);
  g_byte_array_unref (self->bytes);
  g_array_unref (self->offsets);
  g_free (self);
}

bool
fragments_push (Fragments *self, const uint8_t *bytes, size_t n_bytes, uint64_t pts_ns,
                GError **error)
{
  if (n_bytes > FRAGMENTS_MAX_BYTES)
    return mp4_fail (error, "a piece is larger than 32 MiB");
  if (self->bytes->len == 0 || self->pts_ns == FRAGMENTS_NO_TIME)
    self->pts_ns = pts_ns;
  self->pushed_ns = pts_ns;
  g_byte_array_append (self->bytes, bytes, (guint) n_bytes);
  return end_boxes (self, error);
}

bool
fragments_take (Fragments *self, FragmentsPiece *out)
{
  g_autofree FragmentsPiece *piece = g_queue_pop_head (&self->pieces);

  if (!piece)
    return false;
  *out = *piece;
  return true;
}

static GBytes *
join_bytes (GBytes *a, GBytes *b)
{
  GByteArray *bytes =
      g_byte_array_sized_new ((guint) (g_bytes_get_size (a) + g_bytes_get_size (b)));

  g_byte_array_append (bytes, g_bytes_get_data (a, NULL), (guint) g_bytes_get_size (a));
  g_byte_array_append (bytes, g_bytes_get_data (b, NULL), (guint) g_bytes_get_size (b));
  return g_byte_array_free_to_bytes (bytes);
}

void
fragments_piece_join (FragmentsPiece *piece, FragmentsPiece *more)
{
  FragmentsPiece joined = *more;

  if (piece->bytes) {
    joined = *piece;
    joined.bytes = join_bytes (piece->bytes, more->bytes);
    joined.duration_ns = more->pts_ns + more->duration_ns - piece->pts_ns;
    fragments_piece_clear (piece);
    fragments_piece_clear (more);
  }
  *piece = joined;
  *more = (FragmentsPiece){0};
}

void
fragments_piece_clear (FragmentsPiece *piece)
{
  g_clear_pointer (&piece->bytes, g_bytes_unref);
}
