/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-tracker.c - gst/track/tracker.h: who is followed, who is not, and for how long.
 */
#include "tests/unit/trackercase.h"

static uint32_t
n_predicted (const Fixture *f)
{
  uint32_t n;

  yv_tracker_predicted (f->tracker, &n);
  return n;
}

static const YvPrediction *
only_predicted (const Fixture *f)
{
  uint32_t n;
  const YvPrediction *predicted = yv_tracker_predicted (f->tracker, &n);

  g_assert_cmpuint (n, ==, 1);
  return predicted;
}

/* ---- following ------------------------------------------------------------------------------ */

static void
whoever_moves_steadily_keeps_the_id (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  g_assert_cmpint (id, >, 0);
  for (uint32_t i = 1; i < 100; i++)
    g_assert_cmpint (see_one (f, 100 + 6 * i, 200 - i, 0.9), ==, id);
}

static void
two_who_pass_each_other_keep_their_ids (Fixture *f, gconstpointer data)
{
  int64_t left = 0, right = 0;
  (void) data;

  for (uint32_t i = 0; i < 60; i++) {
    add (f, 100 + 5 * i, 200, 0.9);
    add (f, 400 - 5 * i, 212, 0.9);
    see (f, 1);
    g_assert_true (i == 0 || f->seen[0].id == left);
    g_assert_true (i == 0 || f->seen[1].id == right);
    left = f->seen[0].id;
    right = f->seen[1].id;
  }
  g_assert_cmpint (left, !=, right);
}

/* The same boxes every third frame, and at times that differ. */
static void
frames_may_be_any_time_apart (Fixture *f, gconstpointer data)
{
  static const double steps[] = {3, 1, 0.5, 4, 2, 0.25};
  double time = 0;
  int64_t id = 0;
  (void) data;

  for (uint32_t i = 0; i < 60; i++) {
    const double step = steps[i % G_N_ELEMENTS (steps)];
    time += step;
    add (f, 100 + 5 * time, 200, 0.9);
    see (f, step);
    g_assert_true (i == 0 || f->seen[0].id == id);
    id = f->seen[0].id;
  }
}

/* Half hidden: the detector is not sure any more, and the overlap goes down to a half. */
static void
an_uncertain_sighting_continues_a_track (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  for (uint32_t i = 1; i < 20; i++)
    g_assert_cmpint (see_one (f, 100, 200, 0.3), ==, id);
}

static void
an_uncertain_sighting_begins_none (Fixture *f, gconstpointer data)
{
  (void) data;
  for (uint32_t i = 0; i < 20; i++)
    g_assert_cmpint (see_one (f, 100, 200, 0.3), ==, -1);
  f->settings.birth_confidence = 0; /* it must still be one of the confident ones */
  g_assert_cmpint (see_one (f, 100, 200, 0.3), ==, -1);
}

static void
an_uncertain_sighting_does_not_bring_back_what_was_lost (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  see (f, 1);
  g_assert_cmpint (see_one (f, 100, 200, 0.3), ==, -1);
  g_assert_cmpint (see_one (f, 100, 200, 0.9), ==, id);
}

static void
whoever_jumps_is_somebody_else (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  g_assert_cmpint (see_one (f, 300, 200, 0.9), !=, id);
  g_assert_cmpint (f->seen[0].id, >, 0);
}

static void
a_child_is_not_the_adult_behind_it (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  f->seen[0] = (YvSighting){.box = {85, 205, 30, 45}, .confidence = 0.9};
  f->n_seen = 1;
  see (f, 1);
  g_assert_cmpint (f->seen[0].id, !=, id);
}

static void
other_classes_never_match (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  add (f, 100, 200, 0.9);
  f->seen[0].class_key = 1;
  see (f, 1);
  g_assert_cmpint (f->seen[0].id, >, 0);
  g_assert_cmpint (f->seen[0].id, !=, id);
}

/* Five who stand still, and a sixth who is hidden when the first @n_moved of them jolt by 12 px.
 * Returns: how far to the right the sixth is predicted then. */
static double
jolt (Fixture *f, uint32_t n_moved)
{
  f->settings.max_predicted = 1;
  for (uint32_t i = 0; i <= 20; i++) {
    for (uint32_t k = 0; k < 5; k++)
      add (f, 100 + 100 * k + (i == 20 && k < n_moved ? 12 : 0), 200, 0.9);
    if (i < 20)
      add (f, 800, 200, 0.9);
    see (f, 1);
  }
  uint32_t n;
  const YvPrediction *predicted = yv_tracker_predicted (f->tracker, &n);
  g_assert_cmpuint (n, ==, 1);
  return predicted->box.x + predicted->box.w / 2 - 800;
}

static void
whoever_is_hidden_moves_with_the_camera (Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpfloat (jolt (f, 5), >, 3);
}

static void
one_who_moves_is_no_camera (Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpfloat_with_epsilon (jolt (f, 2), 0, 0.01);
}

/* ---- being lost, and found ------------------------------------------------------------------ */

static void
whoever_is_hidden_for_a_while_keeps_the_id (Fixture *f, gconstpointer data)
{
  int64_t id = 0;
  (void) data;

  for (uint32_t i = 0; i < 30; i++)
    id = see_one (f, 100 + 4 * i, 200, 0.9);
  for (uint32_t i = 30; i < 60; i++)
    see (f, 1);
  g_assert_cmpint (see_one (f, 100 + 4 * 60, 200, 0.9), ==, id);
}

static void
whoever_is_hidden_for_too_long_is_forgotten (Fixture *f, gconstpointer data)
{
  (void) data;
  const int64_t id = see_one (f, 100, 200, 0.9);

  f->settings.max_unseen = 10;
  see (f, 10);
  g_assert_cmpint (see_one (f, 100, 200, 0.9), !=, id); /* the eleventh frame */
}

/* Frames at 30/1 and 30000/1001, whose PTS round to whole ns, and some that jitter by a fifth. */
static void
frames_whose_times_round_or_jitter_count_as_frames (Fixture *f, gconstpointer data)
{
  static const double steps[][3] = {
      {33333333. / 33333333., 33333333. / 33333333., 33333334. / 33333333.},
      {33366666. / 33366666., 33366667. / 33366666., 33366667. / 33366666.},
      {1.2, 0.8, 1.1}};
  (void) data;

  f->settings.max_unseen = 2;
  for (uint32_t i = 0; i < 3 * G_N_ELEMENTS (steps); i++) {
    yv_tracker_reset (f->tracker);
    const int64_t id = see_one (f, 100, 200, 0.9);
    for (uint32_t k = 0; k < 9; k++) {
      const bool is_missed = k % 2 == 1;
      if (!is_missed)
        add (f, 100, 200, 0.9);
      see (f, steps[i / 3][(i + k) % 3]);
      g_assert_cmpint (is_missed ? only_predicted (f)->id : f->seen[0].id, ==, id);
    }
  }
}

/* A detector that looks at every sixth frame has missed nobody in the five between them. */
static void
frames_that_nobody_looked_at_are_no_misses (Fixture *f, gconstpointer data)
{
  static const double most_unseen[] = {0, 1, 5};
  (void) data;

  for (uint32_t i = 0; i < G_N_ELEMENTS (most_unseen); i++) {
    f->settings.max_unseen = most_unseen[i];
    yv_tracker_reset (f->tracker);
    const int64_t id = see_one (f, 100, 200, 0.9);
    for (uint32_t k = 0; k < 10; k++) {
      yv_tracker_skip (f->tracker, &f->settings, 5);
      g_assert_cmpint (only_predicted (f)->id, ==, id);
      add (f, 100, 200, 0.9);
      see (f, 6);
      g_assert_cmpint (f->seen[0].id, ==, id);
    }
    see (f, 6); /* but this is one */
    add (f, 100, 200, 0.9);
    see (f, 6);
    g_assert_cmpint (f->seen[0].id, >, id);
  }
}

static void
after_a_long_gap_nobody_comes_back (Fixture *f, gconstpointer data)
{
  (void) data;
  f->settings.max_unseen = 0;
  const int64_t id = see_one (f, 100, 200, 0.9);

  yv_tracker_skip (f->tracker, &f->settings, 61);
  g_assert_cmpuint (n_predicted (f), ==, 0);
  add (f, 100, 200, 0.9);
  see (f, 61);
  g_assert_cmpint (f->seen[0].id, >, id);
}

static void
whoever_is_not_seen_is_predicted_for_a_while (Fixture *f, gconstpointer data)
{
  int64_t id = 0;
  (void) data;

  f->settings.max_predicted = 3;
  for (uint32_t i = 0; i < 30; i++)
    id = see_one (f, 100 + 4 * i, 200, 0.9);
  g_assert_cmpuint (n_predicted (f), ==, 0);
  for (uint32_t i = 30; i < 33; i++) {
    see (f, 1);
    const YvPrediction *p = only_predicted (f);
    g_assert_cmpint (p->id, ==, id);
    g_assert_cmpfloat (p->confidence, ==, 0.9);
    g_assert_cmpfloat_with_epsilon (p->box.x + p->box.w / 2, 100 + 4 * i, 2);
    g_assert_cmpfloat_with_epsilon (p->box.h, 100, 1);
  }
  see (f, 1);
  g_assert_cmpuint (n_predicted (f), ==, 0);
}

static void
a_frame_that_is_skipped_changes_nothing (Fixture *f, gconstpointer data)
{
  int64_t id = 0;
  (void) data;

  f->settings.max_predicted = 0; /* which is about frames that were looked at */
  for (uint32_t i = 0; i < 30; i++)
    id = see_one (f, 100 + 4 * i, 200, 0.9);
  for (uint32_t i = 1; i <= 20; i++) {
    yv_tracker_skip (f->tracker, &f->settings, i);
    const YvPrediction *p = only_predicted (f);
    g_assert_cmpint (p->id, ==, id);
    g_assert_cmpfloat_with_epsilon (p->box.x + p->box.w / 2, 100 + 4 * (29 + i), 4);
  }
  yv_tracker_skip (f->tracker, &f->settings, 1e9); /* nobody is foretold for ever */
  g_assert_cmpuint (n_predicted (f), ==, 0);
  g_assert_cmpint (see_one (f, 100 + 4 * 30, 200, 0.9), ==, id);
}

static void
whoever_has_no_id_is_not_predicted (Fixture *f, gconstpointer data)
{
  (void) data;
  f->settings.min_sightings = 3;
  see_one (f, 100, 200, 0.9);
  yv_tracker_skip (f->tracker, &f->settings, 1);
  g_assert_cmpuint (n_predicted (f), ==, 0);
  see (f, 1);
  g_assert_cmpuint (n_predicted (f), ==, 0);
}

/* ---- ids ------------------------------------------------------------------------------------ */

static void
an_id_needs_as_many_sightings_as_were_asked_for (Fixture *f, gconstpointer data)
{
  (void) data;
  f->settings.min_sightings = 3;
  g_assert_cmpint (see_one (f, 100, 200, 0.9), ==, -1);
  g_assert_cmpint (see_one (f, 100, 200, 0.9), ==, -1);
  g_assert_cmpint (see_one (f, 100, 200, 0.9), ==, 1);
}

static void
a_miss_ends_a_track_without_an_id (Fixture *f, gconstpointer data)
{
  (void) data;
  f->settings.min_sightings = 2;
  for (uint32_t i = 0; i < 10; i++) {
    g_assert_cmpint (see_one (f, 100, 200, 0.9), ==, -1);
    see (f, 1);
  }
}

static void
no_id_is_given_twice (Fixture *f, gconstpointer data)
{
  int64_t last = 0;
  (void) data;

  for (uint32_t i = 0; i < 100; i++) {
    const int64_t id = see_one (f, 100, 200, 0.9);
    g_assert_cmpint (id, >, last);
    last = id;
    yv_tracker_reset (f->tracker);
    g_assert_cmpuint (n_predicted (f), ==, 0);
  }
}

static void
the_same_frames_give_the_same_ids (Fixture *f, gconstpointer data)
{
  g_autoptr (YvTracker) other = yv_tracker_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  (void) data;

  for (uint32_t frame = 0; frame < 200; frame++) {
    YvSighting copy[MOST];
    const uint32_t n = (uint32_t) g_rand_int_range (rand, 0, MOST);
    for (uint32_t i = 0; i < n; i++)
      add (f, g_rand_double_range (rand, 0, 300), g_rand_double_range (rand, 0, 300),
           g_rand_double (rand));
    for (uint32_t i = 0; i < n; i++)
      copy[i] = f->seen[i];
    see (f, 1);
    yv_tracker_see (other, &f->settings, 1, copy, n);
    for (uint32_t i = 0; i < n; i++) {
      g_assert_cmpint (copy[i].id, ==, f->seen[i].id);
      for (uint32_t k = 0; k < i; k++) /* and nobody is there twice */
        g_assert_true (copy[i].id < 0 || copy[i].id != copy[k].id);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (whoever_moves_steadily_keeps_the_id);
  ADD (two_who_pass_each_other_keep_their_ids);
  ADD (frames_may_be_any_time_apart);
  ADD (an_uncertain_sighting_continues_a_track);
  ADD (an_uncertain_sighting_begins_none);
  ADD (an_uncertain_sighting_does_not_bring_back_what_was_lost);
  ADD (whoever_jumps_is_somebody_else);
  ADD (a_child_is_not_the_adult_behind_it);
  ADD (other_classes_never_match);
  ADD (whoever_is_hidden_moves_with_the_camera);
  ADD (one_who_moves_is_no_camera);
  ADD (whoever_is_hidden_for_a_while_keeps_the_id);
  ADD (whoever_is_hidden_for_too_long_is_forgotten);
  ADD (frames_whose_times_round_or_jitter_count_as_frames);
  ADD (frames_that_nobody_looked_at_are_no_misses);
  ADD (after_a_long_gap_nobody_comes_back);
  ADD (whoever_is_not_seen_is_predicted_for_a_while);
  ADD (a_frame_that_is_skipped_changes_nothing);
  ADD (whoever_has_no_id_is_not_predicted);
  ADD (an_id_needs_as_many_sightings_as_were_asked_for);
  ADD (a_miss_ends_a_track_without_an_id);
  ADD (no_id_is_given_twice);
  ADD (the_same_frames_give_the_same_ids);
  return g_test_run ();
}
