/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/web/test-playlist.c - examples/web/playlist.h: what is listed, kept, and found. */
#include "examples/web/playlist.h"

#include <string.h>

#define RUN "r4nd0m"
#define EPOCH_US G_GINT64_CONSTANT (1767323045678901) /* 2026-01-02T03:04:05.678901Z */

static void
add_init (Playlist *playlist)
{
  FragmentsPiece piece = {.bytes = g_bytes_new_static ("init", 4), .is_init = true};

  playlist_add (playlist, &piece);
  g_assert_null (piece.bytes);
}

static void
add_segment (Playlist *playlist, uint64_t second, uint64_t duration_ms)
{
  g_autofree char *text = g_strdup_printf ("segment %u", (unsigned) second);
  FragmentsPiece piece = {
      .bytes = g_bytes_new (text, strlen (text)),
      .pts_ns = second * 1000000000,
      .duration_ns = duration_ms * 1000000,
  };

  playlist_add (playlist, &piece);
}

static char *
text_of (const Playlist *playlist)
{
  GString *text = g_string_new (NULL);

  playlist_write (playlist, text);
  return g_string_free (text, FALSE);
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  for (const char *at = strstr (text, part); at; at = strstr (at + 1, part))
    n++;
  return n;
}

static void
assert_says (const Playlist *playlist, const char *part)
{
  g_autofree char *text = text_of (playlist);

  if (!strstr (text, part))
    g_error ("\"%s\" is not in\n%s", part, text);
}

static void
the_text_is_what_players_expect (void)
{
  g_autoptr (Playlist) playlist = playlist_new (RUN, EPOCH_US);

  g_assert_false (playlist_is_ready (playlist));
  add_init (playlist);
  g_assert_false (playlist_is_ready (playlist));
  add_segment (playlist, 7, 1000);
  add_segment (playlist, 8, 960);
  g_assert_true (playlist_is_ready (playlist));
  g_autofree char *text = text_of (playlist);
  g_assert_cmpstr (text, ==,
                   "#EXTM3U\n"
                   "#EXT-X-VERSION:7\n"
                   "#EXT-X-INDEPENDENT-SEGMENTS\n"
                   "#EXT-X-TARGETDURATION:2\n"
                   "#EXT-X-MEDIA-SEQUENCE:0\n"
                   "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
                   "#EXT-X-MAP:URI=\"r4nd0m-0.mp4\"\n"
                   "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:12.678901Z\n"
                   "#EXTINF:1.000000,\n"
                   "r4nd0m-0.m4s\n"
                   "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:13.678901Z\n"
                   "#EXTINF:0.960000,\n"
                   "r4nd0m-1.m4s\n");
}

static void
the_last_ones_are_listed_and_some_more_kept (void)
{
  g_autoptr (Playlist) playlist = playlist_new (RUN, EPOCH_US);

  add_init (playlist);
  for (uint64_t i = 0; i < 25; i++)
    add_segment (playlist, i, 1000);
  g_autofree char *text = text_of (playlist);
  g_assert_cmpuint (count (text, "#EXTINF"), ==, PLAYLIST_LISTED);
  assert_says (playlist, "#EXT-X-MEDIA-SEQUENCE:19\n");
  assert_says (playlist, "r4nd0m-24.m4s");
  for (unsigned i = 0; i < 26; i++) {
    g_autofree char *name = g_strdup_printf (RUN "-%u.m4s", i);
    g_autoptr (GBytes) bytes = playlist_get (playlist, name);
    const bool is_kept = i >= 25 - PLAYLIST_SEGMENTS && i < 25;
    g_assert_cmpint (bytes != NULL, ==, is_kept);
  }
}

static void
another_initialization_is_a_discontinuity (void)
{
  g_autoptr (Playlist) playlist = playlist_new (RUN, EPOCH_US);

  add_init (playlist);
  add_segment (playlist, 0, 1000);
  add_init (playlist);
  for (uint64_t i = 1; i < PLAYLIST_LISTED; i++)
    add_segment (playlist, i, 1000);
  g_autofree char *text = text_of (playlist);
  g_assert_cmpuint (count (text, "#EXT-X-DISCONTINUITY\n"), ==, 1);
  assert_says (playlist, "r4nd0m-0.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"r4nd0m-1.mp4\"");
  assert_says (playlist, "#EXT-X-DISCONTINUITY-SEQUENCE:0\n");

  /* The mark stays with the segment behind it, and is counted when that leaves. */
  add_segment (playlist, 100, 1000);
  assert_says (playlist, "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-DISCONTINUITY\n");
  add_segment (playlist, 101, 1000);
  g_autofree char *later = text_of (playlist);
  g_assert_cmpuint (count (later, "#EXT-X-DISCONTINUITY\n"), ==, 0);
  assert_says (playlist, "#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-MAP:URI=\"r4nd0m-1.mp4\"");
}

static void
numbers_go_on_after_a_pause (void)
{
  g_autoptr (Playlist) playlist = playlist_new (RUN, EPOCH_US);

  add_init (playlist);
  for (uint64_t i = 0; i < PLAYLIST_SEGMENTS + 3; i++)
    add_segment (playlist, i, 1000);
  playlist_empty (playlist);
  g_assert_false (playlist_is_ready (playlist));
  g_assert_null (playlist_get (playlist, RUN "-12.m4s"));
  g_assert_null (playlist_get (playlist, RUN "-0.mp4"));
  add_init (playlist);
  add_segment (playlist, 50, 1000);
  assert_says (playlist, "#EXT-X-MEDIA-SEQUENCE:13\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
                         "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"r4nd0m-1.mp4\"");
}

static void
a_segment_before_any_initialization_is_dropped (void)
{
  g_autoptr (Playlist) playlist = playlist_new (RUN, EPOCH_US);

  add_segment (playlist, 0, 1000);
  g_assert_false (playlist_is_ready (playlist));
  g_assert_null (playlist_get (playlist, RUN "-0.m4s"));
}

static void
the_target_never_changes (void)
{
  g_autoptr (Playlist) playlist = playlist_new (RUN, EPOCH_US);

  add_init (playlist);
  add_segment (playlist, 0, 2300);
  assert_says (playlist, "#EXT-X-TARGETDURATION:2\n");
  assert_says (playlist, "#EXTINF:2.300000,\n");
  add_segment (playlist, 3, 4600);
  assert_says (playlist, "#EXT-X-TARGETDURATION:2\n");
  assert_says (playlist, "#EXTINF:2.499999,\n");
}

static void
names_that_are_none_find_nothing (void)
{
  static const char *const names[] = {
      "",
      "-",
      RUN,
      RUN "-",
      RUN "-.m4s",
      RUN "-0",
      RUN "-00.m4s",
      RUN "-+0.m4s",
      RUN "--0.m4s",
      RUN "- 0.m4s",
      RUN "-0x0.m4s",
      RUN "-1.m4s",
      RUN "-1.mp4",
      RUN "-0.m4s/",
      RUN "-0.m4s?",
      RUN "-0.M4S",
      RUN "-18446744073709551615.m4s",
      RUN "-18446744073709551616.m4s",
      RUN "-99999999999999999999999.mp4",
      "r4nd0-0.m4s",
      "R4ND0M-0.m4s",
      "../" RUN "-0.m4s",
      "/etc/passwd",
  };
  g_autoptr (Playlist) playlist = playlist_new (RUN, EPOCH_US);

  add_init (playlist);
  add_segment (playlist, 0, 1000);
  g_autoptr (GBytes) init = playlist_get (playlist, RUN "-0.mp4");
  g_autoptr (GBytes) segment = playlist_get (playlist, RUN "-0.m4s");
  g_assert_cmpuint (g_bytes_get_size (init), ==, 4);
  g_assert_cmpuint (g_bytes_get_size (segment), ==, 9);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_null (playlist_get (playlist, names[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/playlist/the_text_is_what_players_expect", the_text_is_what_players_expect);
  g_test_add_func ("/playlist/the_last_ones_are_listed_and_some_more_kept",
                   the_last_ones_are_listed_and_some_more_kept);
  g_test_add_func ("/playlist/another_initialization_is_a_discontinuity",
                   another_initialization_is_a_discontinuity);
  g_test_add_func ("/playlist/numbers_go_on_after_a_pause", numbers_go_on_after_a_pause);
  g_test_add_func ("/playlist/a_segment_before_any_initialization_is_dropped",
                   a_segment_before_any_initialization_is_dropped);
  g_test_add_func ("/playlist/the_target_never_changes", the_target_never_changes);
  g_test_add_func ("/playlist/names_that_are_none_find_nothing", names_that_are_none_find_nothing);
  return g_test_run ();
}
