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
  GArray *dx, *dy;   /* of double: by how much sightings deviate, px */
  YvAssign *assign;
  double widest;   /* px, of the sightings in order */
  int64_t next_id; /* from 1 on */
};

/* Which tracks and sightings meet, and how near they must be. */
typedef struct {
  bool with_id;        /* tracks that have one, or those that have none yet */
  bool only_just_seen; /* tracks that were seen in the frame before */
  bool high;           /* confident sightings, or the others */
  double margin;       /* around boxes, of their width and height on each side */
  double least;        /* likeness, where settings do not ask for more */
} Round;

static const Round rounds[] = {
    {.with_id = true, .high = true},
    {.with_id = true, .high = true, .margin = 0.5, .least = 0.2},
    {.with_id = true, .only_just_seen = true, .least = 0.58},
    {.high = true},
};

/* All of these were found by trying, on eleven sequences of MOTChallenge: docs/tracking.md. */
const YvTrackerSettings yv_tracker_defaults = {
    .high_confidence = 0.5,
    .birth_confidence = 0.7,
    .min_overlap = 0.03,
    .max_unseen = 60,
    .max_predicted = 1,
    .min_sightings = 1,
};

/* What a difference in height, as the logarithm of the ratio, takes from the overlap. */
#define HEIGHT_WEIGHT 0.78

/* Times are PTS differences, which round and jitter: n frames are anything less than half a frame
 * more. */
#define ROUNDING 0.5

/* Frames that nobody looked at are no misses. Who was seen in the last frame that was looked at is
 * forgotten after as many, all the same: nothing is where it was. */
#define LONG_GAP 60

/* How much of the common deviation is the camera's, from how many sightings that is computed, of
 * tracks how old. */
#define CAMERA_SHARE 0.37
#define CAMERA_LEAST 3
#define CAMERA_SIGHTINGS 3

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
  tracker->dx = g_array_new (FALSE, FALSE, sizeof (double));
  tracker->dy = g_array_new (FALSE, FALSE, sizeof (double));
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
  g_array_unref (tracker->dy);
  g_array_unref (tracker->dx);
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

static YvTrackBox
widen (const YvTrackBox *box, double margin)
{
  return (YvTrackBox){box->x - margin * box->w, box->y - margin * box->h, box->w * (1 + 2 * margin),
                      box->h * (1 + 2 * margin)};
}

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

/* A crowd in one place has a pair for any two: of each track the best are enough. @first: of this
 * track in pairs. */
#define MOST_PAIRS 32

static void
add_pair (YvTracker *tracker, guint first, const YvAssignPair *pair)
{
  YvAssignPair *pairs = (YvAssignPair *) tracker->pairs->data + first;
  uint32_t worst = 0;

  if (tracker->pairs->len - first < MOST_PAIRS) {
    g_array_append_vals (tracker->pairs, pair, 1);
    return;
  }
  for (uint32_t i = 1; i < MOST_PAIRS; i++)
    if (pairs[i].gain < pairs[worst].gain)
      worst = i;
  if (pair->gain > pairs[worst].gain)
    pairs[worst] = *pair;
}

static void
find_pairs_of (YvTracker *tracker, const YvTrackerSettings *settings, const Round *round,
               uint32_t row, const YvSighting *seen)
{
  const Track *track = track_at (tracker, row);
  const YvTrackBox box = widen (&track->box, round->margin);
  const double reach = round->margin * tracker->widest; /* of the margins of sightings */
  const double least = MAX (settings->min_overlap, round->least);
  const guint first = tracker->pairs->len;

  for (uint32_t i = first_from (tracker, seen, box.x - reach); i < tracker->order->len; i++) {
    const uint32_t col = g_array_index (tracker->order, uint32_t, i);
    const YvSighting *s = &seen[col];
    if (s->box.x > box.x + box.w + reach)
      return;
    if (g_array_index (tracker->track_of, uint32_t, col) != NONE ||
        s->class_key != track->class_key ||
        (s->confidence >= settings->high_confidence) != round->high)
      continue;

    const YvTrackBox other = widen (&s->box, round->margin);
    const double shared = overlap (&box, &other);
    if (shared <= 0)
      continue;
    const double gain = shared - HEIGHT_WEIGHT * fabs (log (s->box.h / track->box.h));
    const YvAssignPair pair = {row, col, (float) gain};
    if (pair.gain > 0 && gain >= least)
      add_pair (tracker, first, &pair);
  }
}

/* Leaves in col_of which sighting each track would take. */
static void
match (YvTracker *tracker, const YvTrackerSettings *settings, const Round *round,
       const YvSighting *seen, uint32_t n_seen)
{
  const uint32_t n_tracks = tracker->tracks->len;

  g_array_set_size (tracker->pairs, 0);
  g_array_set_size (tracker->col_of, n_tracks);
  for (uint32_t i = 0; i < n_tracks; i++) {
    const Track *track = track_at (tracker, i);
    if (!track->matched && (track->id >= 0) == round->with_id &&
        (track->just_seen || !round->only_just_seen))
      find_pairs_of (tracker, settings, round, i, seen);
  }
  yv_assign_solve (tracker->assign, (const YvAssignPair *) tracker->pairs->data,
                   tracker->pairs->len, n_tracks, n_seen, (uint32_t *) tracker->col_of->data);
}

static void
accept_matches (YvTracker *tracker)
{
  for (uint32_t i = 0; i < tracker->tracks->len; i++) {
    const uint32_t col = g_array_index (tracker->col_of, uint32_t, i);
    if (col == NONE)
      continue;
    track_at (tracker, i)->matched = true;
    g_array_index (tracker->track_of, uint32_t, col) = i;
  }
}

/* ---- a camera that moves -------------------------------------------------------------------- */

static int
compare_double (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Sorts @values, which are not empty. */
static double
median (GArray *values)
{
  const double *v = (const double *) values->data;
  const guint half = values->len / 2;

  qsort (values->data, values->len, sizeof *v, compare_double);
  return values->len % 2 ? v[half] : (v[half - 1] + v[half]) / 2;
}

/* Matches for a try, and moves all tracks by a part of what most matches deviate by in common. */
static void
follow_camera (YvTracker *tracker, const YvTrackerSettings *settings, const YvSighting *seen,
               uint32_t n_seen)
{
  g_array_set_size (tracker->dx, 0);
  g_array_set_size (tracker->dy, 0);
  match (tracker, settings, &rounds[0], seen, n_seen);
  for (uint32_t i = 0; i < tracker->tracks->len; i++) {
    const Track *track = track_at (tracker, i);
    const uint32_t col = g_array_index (tracker->col_of, uint32_t, i);
    if (col == NONE || track->n_sightings < CAMERA_SIGHTINGS)
      continue;
    const YvTrackBox *box = &seen[col].box;
    const double dx = box->x + box->w / 2 - track->kalman.cx.value;
    const double dy = box->y + box->h / 2 - track->kalman.cy.value;
    g_array_append_val (tracker->dx, dx);
    g_array_append_val (tracker->dy, dy);
  }
  if (tracker->dx->len < CAMERA_LEAST)
    return;
  const double dx = CAMERA_SHARE * median (tracker->dx);
  const double dy = CAMERA_SHARE * median (tracker->dy);
  for (uint32_t i = 0; i < tracker->tracks->len; i++) {
    Track *track = track_at (tracker, i);
    track->kalman.cx.value += dx;
    track->kalman.cy.value += dy;
    track->box = yv_kalman_box (&track->kalman);
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

static gint
compare_unseen (gconstpointer a, gconstpointer b)
{
  const Track *x = a, *y = b;

  if (x->matched != y->matched)
    return x->matched ? -1 : 1;
  if (x->unseen != y->unseen)
    return x->unseen < y->unseen ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* Whoever was not seen for longest goes. All that are in this frame, known or new, have room: of
 * them there are YV_TRACKER_MOST_SEEN at most. */
static void
make_room (YvTracker *tracker, uint32_t n_new)
{
  G_STATIC_ASSERT (YV_TRACKER_MOST_SEEN <= YV_TRACKER_MOST_TRACKS);
  if (tracker->tracks->len + n_new <= YV_TRACKER_MOST_TRACKS)
    return;
  g_array_sort (tracker->tracks, compare_unseen);
  g_array_set_size (tracker->tracks, YV_TRACKER_MOST_TRACKS - n_new);
}

static bool
begins_track (const YvTracker *tracker, const YvTrackerSettings *settings, const YvSighting *seen,
              uint32_t i)
{
  return g_array_index (tracker->track_of, uint32_t, i) == NONE &&
         seen[i].confidence >= MAX (settings->birth_confidence, settings->high_confidence);
}

static void
begin_tracks (YvTracker *tracker, const YvTrackerSettings *settings, YvSighting *seen)
{
  uint32_t n_new = 0;

  for (uint32_t i = 0; i < tracker->order->len; i++)
    n_new += begins_track (tracker, settings, seen, g_array_index (tracker->order, uint32_t, i));
  make_room (tracker, n_new);
  for (uint32_t i = 0; i < tracker->order->len; i++) {
    YvSighting *s = &seen[g_array_index (tracker->order, uint32_t, i)];
    if (!begins_track (tracker, settings, seen, (uint32_t) (s - seen)))
      continue;
    Track track = {.box = s->box, .id = -1, .class_key = s->class_key};
    yv_kalman_init (&track.kalman, &s->box);
    take (tracker, settings, &track, s);
    g_array_append_val (tracker->tracks, track);
  }
}

/* @unseen: frames since it was seen. @missed: frames that were looked at were among them. */
static bool
is_lost (const YvTrackerSettings *settings, double unseen, bool missed)
{
  const double most = missed ? settings->max_unseen : MAX (settings->max_unseen, LONG_GAP);

  return unseen >= most + ROUNDING;
}

static bool
is_predicted (const YvTrackerSettings *settings, const Track *track)
{
  return track->id >= 0 && track->unseen < settings->max_predicted + ROUNDING;
}

/* Before they match: nobody comes back from so long ago. */
static void
forget_old (YvTracker *tracker, const YvTrackerSettings *settings)
{
  for (uint32_t i = tracker->tracks->len; i > 0; i--) {
    const Track *track = track_at (tracker, i - 1);
    if (is_lost (settings, track->unseen, !track->just_seen))
      g_array_remove_index_fast (tracker->tracks, i - 1);
  }
}

/* One that never got an id, and was not where it should be, was none. */
static void
forget_missed (YvTracker *tracker, const YvTrackerSettings *settings)
{
  for (uint32_t i = tracker->tracks->len; i > 0; i--) {
    const Track *track = track_at (tracker, i - 1);
    if (!track->matched && (track->id < 0 || is_lost (settings, track->unseen, true)))
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
  g_assert (frames >= 0 && isfinite (frames) && settings->min_sightings >= 1);
  move_on (tracker, frames);
  forget_old (tracker, settings);
  choose_sightings (tracker, seen, n_seen);
  follow_camera (tracker, settings, seen, n_seen);
  for (uint32_t i = 0; i < G_N_ELEMENTS (rounds); i++) {
    match (tracker, settings, &rounds[i], seen, n_seen);
    accept_matches (tracker);
  }
  continue_tracks (tracker, settings, seen);
  forget_missed (tracker, settings);
  begin_tracks (tracker, settings, seen);
  g_array_set_size (tracker->predicted, 0);
  for (uint32_t i = 0; i < tracker->tracks->len; i++) {
    const Track *track = track_at (tracker, i);
    if (!track->matched && is_predicted (settings, track))
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
    if (!is_predicted (settings, track) ||
        is_lost (settings, track->unseen + frames, !track->matched))
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

void
yv_tracker_list_ids (const YvTracker *tracker, GArray *ids)
{
  for (uint32_t i = 0; i < tracker->tracks->len; i++)
    if (track_at (tracker, i)->id >= 0)
      g_array_append_val (ids, track_at (tracker, i)->id);
}
