/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-tracker-bad.c - gst/track/tracker.h: input that makes no sense, or far too much.
 */
#include <math.h>

#include "tests/unit/trackercase.h"

static void
what_is_no_box_is_not_followed (Fixture *f, gconstpointer data)
{
  static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300};
  (void) data;

  for (uint32_t i = 0; i < 4 * G_N_ELEMENTS (bad); i++) {
    for (uint32_t k = 0; k < 3; k++) {
      add (f, 100, 200, 0.9);
      add (f, 300, 200, 0.9);
      YvTrackBox *box = &f->seen[0].box;
      double *const sides[] = {&box->x, &box->y, &box->w, &box->h};
      *sides[i % 4] = bad[i / 4];
      see (f, 1);
      g_assert_cmpint (f->seen[0].id, ==, -1);
      g_assert_cmpint (f->seen[1].id, ==, 1);
    }
  }
}

static void
a_box_without_an_area_is_not_followed (Fixture *f, gconstpointer data)
{
  static const double sizes[][2] = {{0, 100}, {40, 0}, {-40, 100}, {40, -100}, {0, 0}};
  (void) data;

  for (uint32_t i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (uint32_t k = 0; k < 3; k++) {
      add (f, 100, 200, 0.9);
      f->seen[0].box.w = sizes[i][0];
      f->seen[0].box.h = sizes[i][1];
      see (f, 1);
      g_assert_cmpint (f->seen[0].id, ==, -1);
    }
}

static void
a_confidence_that_is_none_is_not_followed (Fixture *f, gconstpointer data)
{
  (void) data;
  for (uint32_t i = 0; i < 3; i++) {
    g_assert_cmpint (see_one (f, 100, 200, NAN), ==, -1);
    g_assert_cmpint (see_one (f, 100, 200, -1), ==, -1);
  }
}

static uint32_t
n_alive (const Fixture *f)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (int64_t));

  yv_tracker_list_ids (f->tracker, ids);
  return ids->len;
}

/* A bounded number of tracks, whatever comes, and always the most confident sightings. */
static void
a_flood_is_bounded (Fixture *f, gconstpointer data)
{
  enum { N = 10000 };
  g_autofree YvSighting *flood = g_new0 (YvSighting, N);
  (void) data;

  for (uint32_t frame = 0; frame < 5; frame++) {
    for (uint32_t i = 0; i < N; i++) /* another place each frame, so that all are new */
      flood[i] = (YvSighting){.box = {60 * (i % 100), 5e4 * frame + 150 * (i / 100), 40, 100},
                              .confidence = i % 7 == 0 ? 0.9 : 0.8};
    yv_tracker_see (f->tracker, &f->settings, 1, flood, N);
    uint32_t n_now = 0;
    for (uint32_t i = 0; i < N; i++) {
      g_assert_true (flood[i].id < 0 || flood[i].confidence > 0.85);
      n_now += flood[i].id >= 0;
    }
    g_assert_cmpuint (n_now, ==, YV_TRACKER_MOST_SEEN);
    g_assert_cmpuint (n_alive (f), ==,
                      MIN ((frame + 1) * YV_TRACKER_MOST_SEEN, YV_TRACKER_MOST_TRACKS));
  }
}

/* One is seen in each frame, the others once: it is never they who have the room. */
static void
whoever_was_not_seen_for_longest_makes_room (Fixture *f, gconstpointer data)
{
  enum { N = 1000 };
  g_autofree YvSighting *seen = g_new0 (YvSighting, N);
  (void) data;

  f->settings.max_unseen = 1e6;
  for (uint32_t frame = 0; frame < 6; frame++) {
    seen[0] = (YvSighting){.box = {-1000, 0, 40, 100}, .confidence = 0.9};
    for (uint32_t i = 1; i < N; i++)
      seen[i] = (YvSighting){.box = {60 * i, 300 * frame, 40, 100}, .confidence = 0.9};
    yv_tracker_see (f->tracker, &f->settings, 1, seen, N);
    g_assert_cmpint (seen[0].id, ==, 1);
    for (uint32_t i = 0; i < N; i++)
      g_assert_cmpint (seen[i].id, >, 0);
  }
  g_assert_cmpuint (n_alive (f), ==, YV_TRACKER_MOST_TRACKS);
  for (uint32_t i = 0; i < N; i++) /* those of the frame before are still known */
    seen[i] = (YvSighting){.box = {60 * i, 300 * 4, 40, 100}, .confidence = 0.9};
  yv_tracker_see (f->tracker, &f->settings, 1, seen, N);
  for (uint32_t i = 1; i < N; i++)
    g_assert_cmpint (seen[i].id, <=, 1 + 5 * (N - 1));
}

static void
a_crowd_in_one_place_is_bounded (Fixture *f, gconstpointer data)
{
  enum { N = 10000 };
  g_autofree YvSighting *crowd = g_new0 (YvSighting, N);
  uint32_t n_kept = 0;
  (void) data;

  for (uint32_t frame = 0; frame < 3; frame++) {
    n_kept = 0;
    for (uint32_t i = 0; i < N; i++)
      crowd[i] = (YvSighting){.box = {100 + 0.01 * i, 100, 200, 200}, .confidence = 0.9};
    yv_tracker_see (f->tracker, &f->settings, 1, crowd, N);
    for (uint32_t i = 0; i < N; i++)
      n_kept += crowd[i].id > 0 && crowd[i].id <= YV_TRACKER_MOST_SEEN;
  }
  g_assert_cmpuint (n_kept, ==, YV_TRACKER_MOST_SEEN);
}

static void
no_time_at_all_is_no_harm (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  for (uint32_t i = 0; i < 1000; i++) {
    add (f, 100, 200, 0.9);
    see (f, 0);
    g_assert_cmpint (f->seen[0].id, ==, id);
  }
}

static void
after_ages_everybody_is_new (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  add (f, 100, 200, 0.9);
  see (f, 1e18);
  g_assert_cmpint (f->seen[0].id, >, id);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (what_is_no_box_is_not_followed);
  ADD (a_box_without_an_area_is_not_followed);
  ADD (a_confidence_that_is_none_is_not_followed);
  ADD (a_flood_is_bounded);
  ADD (whoever_was_not_seen_for_longest_makes_room);
  ADD (a_crowd_in_one_place_is_bounded);
  ADD (no_time_at_all_is_no_harm);
  ADD (after_ages_everybody_is_new);
  return g_test_run ();
}
