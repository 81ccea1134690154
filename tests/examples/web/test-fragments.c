/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/web/test-fragments.c - examples/web/fragments.h: pieces of an MP4, and hostile
 * bytes.
 */
#define _GNU_SOURCE /* memmem() */
#include "examples/web/fragments.h"

#include <string.h>

#include "engine/yolov7.h"

#define TIMESCALE 90000

/* ---- boxes ---------------------------------------------------------------------------------- */

static void
add_u32 (GByteArray *to, uint32_t value)
{
  const uint8_t bytes[] = {(uint8_t) (value >> 24), (uint8_t) (value >> 16), (uint8_t) (value >> 8),
                           (uint8_t) value};

  g_byte_array_append (to, bytes, 4);
}

static void
set_u32 (GByteArray *in, guint at, uint32_t value)
{
  for (guint i = 0; i < 4; i++)
    in->data[at + i] = (uint8_t) (value >> (24 - 8 * i));
}

static uint32_t
u32_at (const uint8_t *bytes, gsize at)
{
  return (uint32_t) bytes[at] << 24 | (uint32_t) bytes[at + 1] << 16 |
         (uint32_t) bytes[at + 2] << 8 | bytes[at + 3];
}

static guint
begin (GByteArray *to, const char *type)
{
  const guint start = to->len;

  add_u32 (to, 0);
  g_byte_array_append (to, (const uint8_t *) type, 4);
  return start;
}

static void
end (GByteArray *to, guint start)
{
  set_u32 (to, start, to->len - start);
}

static void
add_box (GByteArray *to, const char *type, const uint32_t *words, guint n_words)
{
  const guint start = begin (to, type);

  for (guint i = 0; i < n_words; i++)
    add_u32 (to, words[i]);
  end (to, start);
}

#define ADD(to, type, ...)                                                                         \
  add_box (to, type, (const uint32_t[]){__VA_ARGS__}, sizeof ((const uint32_t[]){__VA_ARGS__}) / 4)

static void
add_init (GByteArray *to)
{
  ADD (to, "ftyp", 0x69736f6d, 0);
  const guint moov = begin (to, "moov"), trak = begin (to, "trak"), mdia = begin (to, "mdia");
  ADD (to, "mdhd", 0, 0, 0, TIMESCALE, 0, 0);
  end (to, mdia);
  end (to, trak);
  const guint mvex = begin (to, "mvex");
  ADD (to, "trex", 0, 1, 1, 3600, 0, 0);
  end (to, mvex);
  end (to, moov);
}

/* Two frames of 3000 and 4500 units, whose bytes are 4 and 4. */
static void
add_fragment (GByteArray *to)
{
  const guint start = to->len, moof = begin (to, "moof");
  ADD (to, "mfhd", 0, 1);
  const guint traf = begin (to, "traf");
  ADD (to, "tfhd", 0, 1);
  ADD (to, "tfdt", 0, 12345);
  const guint trun = to->len;
  ADD (to, "trun", 0x301, 2, 0, 3000, 4, 4500, 4);
  end (to, traf);
  end (to, moof);
  set_u32 (to, trun + 16, to->len - start + 8);
  ADD (to, "mdat", 0x11111111, 0x22222222);
}

static GByteArray *
whole_stream (void)
{
  GByteArray *stream = g_byte_array_new ();

  add_init (stream);
  add_fragment (stream);
  return stream;
}

/* ---- good ----------------------------------------------------------------------------------- */

static void
check_fragment (const FragmentsPiece *piece, uint64_t time)
{
  gsize n;
  const uint8_t *bytes = g_bytes_get_data (piece->bytes, &n);
  const char *tfdt = memmem (bytes, n, "tfdt", 4);
  const char *trun = memmem (bytes, n, "trun", 4);

  g_assert_false (piece->is_init);
  g_assert_nonnull (tfdt);
  const gsize tfdt_at = (gsize) ((const uint8_t *) tfdt - bytes);
  g_assert_cmpuint (u32_at (bytes, tfdt_at - 4), ==, 20);
  g_assert_cmphex (u32_at (bytes, tfdt_at + 4), ==, 1u << 24);
  g_assert_cmpuint ((uint64_t) u32_at (bytes, tfdt_at + 8) << 32 | u32_at (bytes, tfdt_at + 12), ==,
                    time);
  /* The way to the frames is still right. */
  g_assert_nonnull (trun);
  const gsize trun_at = (gsize) ((const uint8_t *) trun - bytes);
  g_assert_cmphex (u32_at (bytes, u32_at (bytes, trun_at + 12)), ==, 0x11111111);
  g_assert_cmpuint (u32_at (bytes, 0), ==, n - 16); /* moof; the mdat is 16 bytes */
}

static void
a_stream_is_cut_however_it_comes (void)
{
  g_autoptr (GByteArray) stream = whole_stream ();
  add_fragment (stream);

  for (guint portion = 1; portion <= stream->len; portion++) {
    g_autoptr (Fragments) fragments = fragments_new ();
    g_autoptr (GError) error = NULL;
    FragmentsPiece piece;
    guint n_pieces = 0;
    for (guint at = 0; at < stream->len; at += portion) {
      g_assert_true (fragments_push (fragments, stream->data + at, MIN (portion, stream->len - at),
                                     UINT64_C (1) << 60, &error));
      g_assert_no_error (error);
    }
    while (fragments_take (fragments, &piece)) {
      g_assert_cmpint (piece.is_init, ==, n_pieces == 0);
      n_pieces++;
      fragments_piece_clear (&piece);
    }
    g_assert_cmpuint (n_pieces, ==, 3);
  }
}

static void
a_fragment_has_the_time_of_its_frames (void)
{
  g_autoptr (GByteArray) stream = whole_stream ();
  g_autoptr (Fragments) fragments = fragments_new ();
  g_autoptr (GError) error = NULL;
  FragmentsPiece piece;

  /* 30 hours, which 32 bits of the timescale have no room for. */
  const uint64_t pts_ns = UINT64_C (108000) * 1000000000 + 33333333;
  g_assert_true (
      fragments_push (fragments, stream->data, stream->len - 8, FRAGMENTS_NO_TIME, &error));
  g_assert_true (fragments_push (fragments, stream->data + stream->len - 8, 8, pts_ns, &error));
  g_assert_no_error (error);
  g_assert_true (fragments_take (fragments, &piece));
  g_assert_true (piece.is_init);
  fragments_piece_clear (&piece);
  g_assert_true (fragments_take (fragments, &piece));
  g_assert_cmpuint (piece.pts_ns, ==, pts_ns);
  g_assert_cmpuint (piece.duration_ns, ==, UINT64_C (7500) * 1000000000 / TIMESCALE);
  check_fragment (&piece, UINT64_C (108000) * TIMESCALE + 3000);
  fragments_piece_clear (&piece);
  g_assert_false (fragments_take (fragments, &piece));
}

static void
what_is_decoded_early_is_shown_in_time (void)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (Fragments) fragments = fragments_new ();
  g_autoptr (GError) error = NULL;
  FragmentsPiece piece;

  add_init (stream);
  const guint moof = begin (stream, "moof"), traf = begin (stream, "traf");
  ADD (stream, "tfhd", 0x8, 1, 1800);
  ADD (stream, "tfdt", 1 << 24, 0, 7);
  ADD (stream, "trun", 0x800, 1, 900);
  end (stream, traf);
  end (stream, moof);
  ADD (stream, "mdat", 0);
  g_assert_true (fragments_push (fragments, stream->data, stream->len, 1000000000, &error));
  g_assert_true (fragments_take (fragments, &piece));
  fragments_piece_clear (&piece);
  g_assert_true (fragments_take (fragments, &piece));
  g_assert_cmpuint (piece.duration_ns, ==, 20000000); /* by the default of tfhd */
  const uint8_t *bytes = g_bytes_get_data (piece.bytes, NULL);
  const uint8_t *tfdt = memmem (bytes, g_bytes_get_size (piece.bytes), "tfdt", 4);
  g_assert_cmpuint (u32_at (tfdt, 12), ==, TIMESCALE - 900);
  fragments_piece_clear (&piece);
}

/* A fragment of one frame, whose flags are said in one of the places for them. */
static void
check_sync (uint32_t tfhd_flags, uint32_t tfhd_word, uint32_t trun_flags, uint32_t trun_word,
            bool is_sync)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (Fragments) fragments = fragments_new ();
  g_autoptr (GError) error = NULL;
  FragmentsPiece piece;

  add_init (stream);
  const guint moof = begin (stream, "moof"), traf = begin (stream, "traf");
  ADD (stream, "tfhd", tfhd_flags, 1, tfhd_word);
  ADD (stream, "tfdt", 0, 0);
  ADD (stream, "trun", trun_flags, 1, trun_word);
  end (stream, traf);
  end (stream, moof);
  ADD (stream, "mdat", 0);
  g_assert_true (fragments_push (fragments, stream->data, stream->len, 0, &error));
  g_assert_true (fragments_take (fragments, &piece));
  fragments_piece_clear (&piece);
  g_assert_true (fragments_take (fragments, &piece));
  g_assert_cmpint (piece.is_sync, ==, is_sync);
  fragments_piece_clear (&piece);
}

static void
key_frames_are_known (void)
{
  check_sync (0, 0, 0, 0, true); /* by trex */
  check_sync (0x20, 0x10000, 0, 0, false);
  check_sync (0x20, 0x2000000, 0, 0, true);
  check_sync (0x20, 0x10000, 0x4, 0, true); /* that of the first frame goes before */
  check_sync (0x20, 0, 0x400, 0x1010000, false);
  check_sync (0x20, 0x10000, 0x400, 0, true);
}

static void
pieces_are_joined (void)
{
  FragmentsPiece whole = {0};
  FragmentsPiece parts[] = {
      {g_bytes_new_static ("moof1", 5), false, true, 1000, 500},
      {g_bytes_new_static ("moof2!", 6), false, false, 1501, 700},
  };

  fragments_piece_join (&whole, &parts[0]);
  g_assert_null (parts[0].bytes);
  g_assert_cmpuint (g_bytes_get_size (whole.bytes), ==, 5);
  fragments_piece_join (&whole, &parts[1]);
  g_assert_null (parts[1].bytes);
  g_assert_cmpmem (g_bytes_get_data (whole.bytes, NULL), g_bytes_get_size (whole.bytes),
                   "moof1moof2!", 11);
  g_assert_true (whole.is_sync);
  g_assert_cmpuint (whole.pts_ns, ==, 1000);
  g_assert_cmpuint (whole.duration_ns, ==, 1201);
  fragments_piece_clear (&whole);
}

/* ---- bad ------------------------------------------------------------------------------------ */

static void
expect_error (const GByteArray *stream, uint64_t pts_ns, YvError code, const char *text)
{
  g_autoptr (Fragments) fragments = fragments_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (fragments_push (fragments, stream->data, stream->len, pts_ns, &error));
  g_assert_error (error, YV_ERROR, (int) code);
  if (!strstr (error->message, text))
    g_error ("\"%s\" does not say \"%s\"", error->message, text);
}

static void
boxes_out_of_order_are_refused (void)
{
  g_autoptr (GByteArray) fragment = g_byte_array_new ();
  g_autoptr (GByteArray) twice = whole_stream ();
  g_autoptr (GByteArray) mdat = g_byte_array_new ();
  g_autoptr (GByteArray) moofs = g_byte_array_new ();

  add_fragment (fragment);
  expect_error (fragment, 0, YV_ERROR_MALFORMED, "a moof comes before the moov");
  add_init (twice);
  expect_error (twice, 0, YV_ERROR_MALFORMED, "second moov");
  add_init (mdat);
  ADD (mdat, "mdat", 0);
  expect_error (mdat, 0, YV_ERROR_MALFORMED, "without a moof");
  add_init (moofs);
  ADD (moofs, "moof", 0);
  ADD (moofs, "moof", 0);
  expect_error (moofs, 0, YV_ERROR_MALFORMED, "two moof");
}

static void
sizes_that_can_not_be_are_refused (void)
{
  static const struct {
    uint32_t size;
    const char *text;
  } cases[] = {
      {0, "no size"},
      {1, "no size"},
      {7, "no size"},
      {FRAGMENTS_MAX_BYTES + 1, "larger than 32 MiB"},
      {UINT32_MAX, "larger than 32 MiB"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GByteArray) stream = g_byte_array_new ();
    add_u32 (stream, cases[i].size);
    g_byte_array_append (stream, (const uint8_t *) "mdat", 4);
    expect_error (stream, 0, YV_ERROR_MALFORMED, cases[i].text);
  }
}

static void
a_fragment_that_nobody_knows_the_time_of_is_refused (void)
{
  g_autoptr (GByteArray) stream = whole_stream ();

  expect_error (stream, FRAGMENTS_NO_TIME, YV_ERROR_MALFORMED, "nobody knows when");
}

static void
a_second_track_is_refused (void)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();

  const guint moov = begin (stream, "moov");
  ADD (stream, "trak", 0);
  ADD (stream, "trak", 0);
  end (stream, moov);
  expect_error (stream, 0, YV_ERROR_UNSUPPORTED, "one track is expected");
}

/* Replaces the word @words behind the type of the first box @type by @value. */
static void
expect_error_with (const char *type, gssize words, uint32_t value, YvError code, const char *text)
{
  g_autoptr (GByteArray) stream = whole_stream ();
  uint8_t *box = memmem (stream->data, stream->len, type, 4);

  set_u32 (stream, (guint) (box - stream->data + 4 + 4 * words), value);
  expect_error (stream, 0, code, text);
}

static void
fields_that_lie_are_refused (void)
{
  expect_error_with ("mdhd", 3, 0, YV_ERROR_MALFORMED, "timescale is 0");
  expect_error_with ("mdhd", -2, 1000, YV_ERROR_MALFORMED, "ends outside");
  expect_error_with ("tfhd", 0, 1, YV_ERROR_UNSUPPORTED, "where it is in a file");
  expect_error_with ("tfhd", 0, 8, YV_ERROR_MALFORMED, "tfhd is too short");
  expect_error_with ("trun", 1, UINT32_MAX, YV_ERROR_MALFORMED, "too short for its frames");
  expect_error_with ("trun", 1, 3, YV_ERROR_MALFORMED, "too short for its frames");
  expect_error_with ("trun", 1, 0, YV_ERROR_MALFORMED, "no frames");
  expect_error_with ("trun", 0, 0xf01, YV_ERROR_MALFORMED, "too short for its frames");
  expect_error_with ("traf", -2, 12, YV_ERROR_MALFORMED, "ends outside");
  expect_error_with ("tfdt", -1, 0x66726565, YV_ERROR_MALFORMED, "there is no tfdt");
  expect_error_with ("trex", -2, 0, YV_ERROR_MALFORMED, "ends outside");
}

/* Bytes changed by chance: whatever comes of it, nothing outside is read (which the sanitizers
 * see), and what is given is whole. */
static void
random_damage_is_survived (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (int round = 0; round < 20000; round++) {
    g_autoptr (GByteArray) stream = whole_stream ();
    g_autoptr (Fragments) fragments = fragments_new ();
    g_autoptr (GError) error = NULL;
    FragmentsPiece piece;
    add_fragment (stream);
    for (int i = g_rand_int_range (rand, 1, 4); i > 0; i--)
      stream->data[g_rand_int_range (rand, 0, (gint32) stream->len)] =
          (uint8_t) g_rand_int_range (rand, 0, 256);
    const bool is_good = fragments_push (fragments, stream->data, stream->len, 0, &error);
    g_assert_cmpint (is_good, ==, error == NULL);
    while (fragments_take (fragments, &piece)) {
      g_assert_cmpuint (g_bytes_get_size (piece.bytes), <=, stream->len + 8);
      fragments_piece_clear (&piece);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fragments/a_stream_is_cut_however_it_comes", a_stream_is_cut_however_it_comes);
  g_test_add_func ("/fragments/a_fragment_has_the_time_of_its_frames",
                   a_fragment_has_the_time_of_its_frames);
  g_test_add_func ("/fragments/what_is_decoded_early_is_shown_in_time",
                   what_is_decoded_early_is_shown_in_time);
  g_test_add_func ("/fragments/key_frames_are_known", key_frames_are_known);
  g_test_add_func ("/fragments/pieces_are_joined", pieces_are_joined);
  g_test_add_func ("/fragments/boxes_out_of_order_are_refused", boxes_out_of_order_are_refused);
  g_test_add_func ("/fragments/sizes_that_can_not_be_are_refused",
                   sizes_that_can_not_be_are_refused);
  g_test_add_func ("/fragments/a_fragment_that_nobody_knows_the_time_of_is_refused",
                   a_fragment_that_nobody_knows_the_time_of_is_refused);
  g_test_add_func ("/fragments/a_second_track_is_refused", a_second_track_is_refused);
  g_test_add_func ("/fragments/fields_that_lie_are_refused", fields_that_lie_are_refused);
  g_test_add_func ("/fragments/random_damage_is_survived", random_damage_is_survived);
  return g_test_run ();
}
