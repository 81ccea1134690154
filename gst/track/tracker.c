/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/tracker.c - a frame goes through predict, match, begin, forget. */
#include "gst/track/tracker.h"

#include <math.h>
#include <stdlib.h>

#include "gst/track/assign.h"

#define NONE YV_ASSIGN_NONE
#define FARTHEST_PX 1e6

typedef struct {
  YvKalman kalman;
  YvTrackBox box; /* what the filter says */
  double confidence;
  double unseen; /* frames since it was seen; 0: it was in the last frame */
  int64_t id;    /* -1: not yet */
  uint32_t class_key;
  uint32_t n_sightings;
  bool just_seen; /* in the frame before */
  bool matched;   /* in this frame */
} Track;

struct _YvTracker {
  GArray *tracks;    /* of Track */
  GArray *predicted; /* of YvPrediction */
  GArray *order;     /* uint32_t: sightings that count, by the left side of their box */
  GArray *track_of;  /* uint32_t a sighting, or NONE */
  GArray *pairs;     /* of YvAssignPair */
  GArray *col_of;    /* uint32_t a track */
  YvAssign *assign;
  double widest;   /* px, of the sightings in order */
  int64_t next_id; /* from 1 on */
};

/* Which tracks and sightings meet. */
typedef struct {
  bool with_id;        /* tracks that have one, or those that have none yet */
  bool only_just_seen; /* in the last frame that was looked at */
  bool high;           /* confident sightings, or the others */
} Round;

const YvTrackerSettings yv_tracker_defaults = {
    .high_confidence = 0.6,
    .birth_confidence = 0.7,
    .min_overlap = 0.2,
    .max_unseen = 30,
    .max_predicted = 1,
    .min_sightings = 2,
};

YvTracker *
yv_tracker_new (void)
{
  YvTracker *tracker = g_new0 (YvTracker, 1);

  tracker->tracks = g_array_new (FALSE, FALSE, sizeof (Track));
  tracker->predicted = g_array_new (FALSE, FALSE, sizeof (YvPrediction));
  tracker->order = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  tracker->track_of = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  tracker->pairs = g_array_new (FALSE, FALSE, sizeof (YvAssignPair));
  tracker->col_of = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  tracker->assign = yv_assign_new ();
  tracker->next_id = 1;
  return tracker;
}

void
yv_tracker_free (YvTracker *tracker)
{
  if (!tracker)
    return;
  yv_assign_free (tracker->assign);
  g_array_unref (tracker->col_of);
  g_array_unref (tracker->pairs);
  g_array_unref (tracker->track_of);
  g_array_unref (tracker->order);
  g_array_unref (tracker->predicted);
  g_array_unref (tracker->tracks);
  g_free (tracker);
}

void
yv_tracker_reset (YvTracker *tracker)
{
  g_array_set_size (tracker->tracks, 0);
  g_array_set_size (tracker->predicted, 0);
}

static Track *
track_at (const YvTracker *tracker, uint32_t i)
{
  return &g_array_index (tracker->tracks, Track, i);
}

/* ---- which sightings count ------------------------------------------------------------------ */

static bool
is_box (const YvTrackBox *box)
{
  /* Comparisons with NaN are false. */
  return fabs (box->x) <= FARTHEST_PX && fabs (box->y) <= FARTHEST_PX && box->w > 0 &&
         box->w <= FARTHEST_PX && box->h > 0 && box->h <= FARTHEST_PX;
}

static gint
compare_confidence (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const YvSighting *seen = user_data;
  const uint32_t i = *(const uint32_t *) a, j = *(const uint32_t *) b;

  if (seen[i].confidence != seen[j].confidence)
    return seen[i].confidence < seen[j].confidence ? 1 : -1;
  return i < j ? -1 : i > j;
}

static gint
compare_left (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const YvSighting *seen = user_data;
  const uint32_t i = *(const uint32_t *) a, j = *(const uint32_t *) b;

  if (seen[i].box.x != seen[j].box.x)
    return seen[i].box.x < seen[j].box.x ? -1 : 1;
  return i < j ? -1 : i > j;
}

static void
choose_sightings (YvTracker *tracker, YvSighting *seen, uint32_t n_seen)
{
  g_array_set_size (tracker->order, 0);
  g_array_set_size (tracker->track_of, n_seen);
  for (uint32_t i = 0; i < n_seen; i++) {
    seen[i].id = -1;
    g_array_index (tracker->track_of, uint32_t, i) = NONE;
    if (is_box (&seen[i].box) && seen[i].confidence >= 0)
      g_array_append_val (tracker->order, i);
  }
  if (tracker->order->len > YV_TRACKER_MOST_SEEN) {
    g_array_sort_with_data (tracker->order, compare_confidence, seen);
    g_array_set_size (tracker->order, YV_TRACKER_MOST_SEEN);
  }
  g_array_sort_with_data (tracker->order, compare_left, seen);
  tracker->widest = 0;
  for (uint32_t i = 0; i < tracker->order->len; i++)
    tracker->widest =
        MAX (tracker->widest, seen[g_array_index (tracker->order, uint32_t, i)].box.w);
}

/* ---- matching ------------------------------------------------------------------------------- */

static double
overlap (const YvTrackBox *a, const YvTrackBox *b)
{
  const double w = MIN (a->x + a->w, b->x + b->w) - MAX (a->x, b->x);
  const double h = MIN (a->y + a->h, b->y + b->h) - MAX (a->y, b->y);

  if (w <= 0 || h <= 0)
    return 0;
  return w * h / (a->w * a->h + b->w * b->h - w * h);
}

/* Returns: the first in order whose box may reach to the right of @left. */
static uint32_t
first_from (const YvTracker *tracker, const YvSighting *seen, double left)
{
  uint32_t low = 0, high = tracker->order->len;

  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (seen[g_array_index (tracker->order, uint32_t, middle)].box.x < left - tracker->widest)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void
find_pairs_of (YvTracker *tracker, const YvTrackerSettings *settings, const Round *round,
               uint32_t row, const YvSighting *seen)
{
  const Track *track = track_at (tracker, row);

  for (uint32_t i = first_from (tracker, seen, track->box.x); i < tracker->order->len; i++) {
    const uint32_t col = g_array_index (tracker->order, uint32_t, i);
    const YvSighting *s = &seen[col];
    if (s->box.x > track->box.x + track->box.w)
      return;
    if (g_array_index (tracker->track_of, uint32_t, col) != NONE ||
        s->class_key != track->class_key ||
        (s->confidence >= settings->high_confidence) != round->high)
      continue;

    const double gain = overlap (&track->box, &s->box);
    const YvAssignPair pair = {row, col, (float) gain};
    if (gain > 0 && gain >= settings->min_overlap)
      g_array_append_val (tracker->pairs, pair);
  }
}

static void
match (YvTracker *tracker, const YvTrackerSettings *settings, const Round *round,
       const YvSighting *seen, uint32_t n_seen)
{
  const uint32_t n_tracks = tracker->tracks->len;

  g_array_set_size (tracker->pairs, 0);
  g_array_set_size (tracker->col_of, n_tracks);
  for (uint32_t i = 0; i < n_tracks; i++) {
    const Track *track = track_at (tracker, i);
    if (track->matched || (track->id >= 0) != round->with_id ||
        (round->only_just_seen && !track->just_seen))
      continue;
    find_pairs_of (tracker, settings, round, i, seen);
  }
  uint32_t *col_of = (uint32_t *) tracker->col_of->data;
  yv_assign_solve (tracker->assign, (const YvAssignPair *) tracker->pairs->data,
                   tracker->pairs->len, n_tracks, n_seen, col_of);
  for (uint32_t i = 0; i < n_tracks; i++) {
    if (col_of[i] == NONE)
      continue;
    track_at (tracker, i)->matched = true;
    g_array_index (tracker->track_of, uint32_t, col_of[i]) = i;
  }
}

/* ---- a frame -------------------------------------------------------------------------------- */

static void
move_on (YvTracker *tracker, double frames)
{
  for (uint32_t i = 0; i < tracker->tracks->len; i++) {
    Track *track = track_at (tracker, i);
    yv_kalman_predict (&track->kalman, frames);
    track->box = yv_kalman_box (&track->kalman);
    track->unseen += frames;
    track->just_seen = track->matched;
    track->matched = false;
  }
}

/* Also decides about its id. */
static void
take (YvTracker *tracker, const YvTrackerSettings *settings, Track *track, YvSighting *s)
{
  track->confidence = s->confidence;
  track->unseen = 0;
  track->n_sightings++;
  track->matched = true;
  if (track->id < 0 && track->n_sightings >= settings->min_sightings)
    track->id = tracker->next_id++;
  s->id = track->id;
}

static void
continue_tracks (YvTracker *tracker, const YvTrackerSettings *settings, YvSighting *seen)
{
  for (uint32_t i = 0; i < tracker->order->len; i++) {
    YvSighting *s = &seen[g_array_index (tracker->order, uint32_t, i)];
    const uint32_t row = g_array_index (tracker->track_of, uint32_t, s - seen);
    if (row == NONE)
      continue;
    Track *track = track_at (tracker, row);
    yv_kalman_update (&track->kalman, &s->box);
    track->box = yv_kalman_box (&track->kalman);
    take (tracker, settings, track, s);
  }
}

static void
begin_tracks (YvTracker *tracker, const YvTrackerSettings *settings, YvSighting *seen)
{
  const double enough = MAX (settings->birth_confidence, settings->high_confidence);

  for (uint32_t i = 0; i < tracker->order->len; i++) {
    YvSighting *s = &seen[g_array_index (tracker->order, uint32_t, i)];
    if (g_array_index (tracker->track_of, uint32_t, s - seen) != NONE || s->confidence < enough ||
        tracker->tracks->len >= YV_TRACKER_MOST_TRACKS)
      continue;
    Track track = {.box = s->box, .id = -1, .class_key = s->class_key};
    yv_kalman_init (&track.kalman, &s->box);
    take (tracker, settings, &track, s);
    g_array_append_val (tracker->tracks, track);
  }
}

static void
forget_old (YvTracker *tracker, const YvTrackerSettings *settings)
{
  for (uint32_t i = tracker->tracks->len; i > 0; i--)
    if (track_at (tracker, i - 1)->unseen > settings->max_unseen)
      g_array_remove_index_fast (tracker->tracks, i - 1);
}

/* One that never got an id, and was not where it should be, was none. */
static void
forget_unconfirmed (YvTracker *tracker)
{
  for (uint32_t i = tracker->tracks->len; i > 0; i--) {
    const Track *track = track_at (tracker, i - 1);
    if (track->id < 0 && !track->matched)
      g_array_remove_index_fast (tracker->tracks, i - 1);
  }
}

static void
append_prediction (YvTracker *tracker, const Track *track, const YvTrackBox *box)
{
  const YvPrediction prediction = {*box, track->confidence, track->class_key, track->id};

  g_array_append_val (tracker->predicted, prediction);
}

void
yv_tracker_see (YvTracker *tracker, const YvTrackerSettings *settings, double frames,
                YvSighting *seen, uint32_t n_seen)
{
  static const Round rounds[] = {
      {.with_id = true, .high = true},
      {.with_id = true, .only_just_seen = true},
      {.high = true},
  };

  g_assert (frames >= 0 && isfinite (frames) && settings->min_sightings >= 1);
  move_on (tracker, frames);
  forget_old (tracker, settings); /* before they match: after a long gap nothing does */
  choose_sightings (tracker, seen, n_seen);
  for (uint32_t i = 0; i < G_N_ELEMENTS (rounds); i++)
    match (tracker, settings, &rounds[i], seen, n_seen);
  continue_tracks (tracker, settings, seen);
  forget_unconfirmed (tracker);
  begin_tracks (tracker, settings, seen);
  g_array_set_size (tracker->predicted, 0);
  for (uint32_t i = 0; i < tracker->tracks->len; i++) {
    const Track *track = track_at (tracker, i);
    if (!track->matched && track->id >= 0 && track->unseen <= settings->max_predicted)
      append_prediction (tracker, track, &track->box);
  }
}

void
yv_tracker_skip (YvTracker *tracker, const YvTrackerSettings *settings, double frames)
{
  g_assert (frames >= 0 && isfinite (frames));
  g_array_set_size (tracker->predicted, 0);
  for (uint32_t i = 0; i < tracker->tracks->len; i++) {
    const Track *track = track_at (tracker, i);
    if (track->id < 0 || track->unseen > settings->max_predicted ||
        track->unseen + frames > settings->max_unseen)
      continue;
    YvKalman later = track->kalman;
    yv_kalman_predict (&later, frames);
    const YvTrackBox box = yv_kalman_box (&later);
    append_prediction (tracker, track, &box);
  }
}

const YvPrediction *
yv_tracker_predicted (const YvTracker *tracker, uint32_t *n_predicted)
{
  *n_predicted = tracker->predicted->len;
  return (const YvPrediction *) tracker->predicted->data;
}
