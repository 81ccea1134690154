/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/tracker.h - detections of frame after frame become tracks: one id for one object.
 *
 * In:    what a detector saw in a frame, and how much time passed since the frame before.
 * Out:   the id of each sighting's track, and where objects should be that were not seen.
 * Next:  gst/gstyolov7tracker.c, and `yolov7 track`.
 *
 * A track predicts its box (gst/track/kalman.h). Tracks and sightings are matched in rounds:
 *
 *   1. All tracks with confident sightings, by intersection over union, less a share of the
 *      difference in height, which tells people who pass each other apart.
 *   2. The tracks that are left with the confident sightings that are left, both with a margin
 *      around them (Yang et al., "Hard to Track Objects with Irregular Motions and Similar
 *      Appearances? Make It Easier by Buffering the Matching Space", 2023): objects that were
 *      hidden for a while, or turned.
 *   3. The tracks that are left and were seen in the frame before with less confident sightings,
 *      which are mostly objects half hidden by others (Zhang et al., "ByteTrack: Multi-Object
 *      Tracking by Associating Every Detection Box", 2022).
 *
 * Before that, all tracks are moved by a part of what most sightings deviate by in common, which is
 * what a moving camera looks like.
 *
 * A sighting that is confident enough and left begins a track, which gets its id when it was seen
 * often enough; until then one miss ends it. A track with an id is kept while it is not seen.
 *
 * Time is counted in frames of the nominal rate and may be any fraction or multiple of one; counts
 * of frames that are compared with it are met until half a frame later, because times round and
 * jitter.
 * Work for a frame is bounded: only the YV_TRACKER_MOST_SEEN most confident sightings count, and
 * where there would be more than YV_TRACKER_MOST_TRACKS, those not seen for longest are forgotten.
 *
 * Pure; the same input gives the same output. Threads: one at a time per tracker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gst/track/kalman.h"

G_BEGIN_DECLS

#define YV_TRACKER_MOST_SEEN 1024
#define YV_TRACKER_MOST_TRACKS 2048

/* What a detector saw. */
typedef struct {
  YvTrackBox box;     /* one that is not finite, has no area, or lies further away than a million
                         px, is never tracked */
  double confidence;  /* 0..1 */
  uint32_t class_key; /* objects of different keys never match */
  int64_t id;         /* out: of its track; -1: it has none, or none yet */
} YvSighting;

/* An object with an id that was not seen in this frame. */
typedef struct {
  YvTrackBox box;     /* where it should be */
  double confidence;  /* of the last sighting */
  uint32_t class_key; /* of the sightings */
  int64_t id;
} YvPrediction;

/* May be others with each frame. */
typedef struct {
  double high_confidence;  /* 0..1: from here on a sighting is a confident one */
  double birth_confidence; /* 0..1: and from here on, if confident, begins a track */
  double min_overlap;      /* 0..1: intersection over union that a match needs at least */
  double max_unseen;       /* frames after which an object that was not seen is forgotten: only one
                              that was missed in a frame, or after 60 frames without any */
  double max_predicted;    /* frames for which an object that was not seen is predicted */
  uint32_t min_sightings;  /* that make a track one with an id, >= 1 */
} YvTrackerSettings;

typedef struct _YvTracker YvTracker;

extern const YvTrackerSettings yv_tracker_defaults;

YvTracker *yv_tracker_new (void);
void yv_tracker_free (YvTracker *tracker); /* NULL ok */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvTracker, yv_tracker_free)

/* Forgets all tracks, but not which ids there were: none is given twice. */
void yv_tracker_reset (YvTracker *tracker);

/**
 * yv_tracker_see:
 * @frames: >= 0, finite: since the frame that was seen before
 * @seen: (inout): in any order; n_seen may be 0: the frame was looked at, nothing was there
 *
 * Keeps its memory: allocates where there are more sightings or tracks than ever before, and what
 * sorting some hundred sightings takes.
 */
void yv_tracker_see (YvTracker *tracker, const YvTrackerSettings *settings, double frames,
                     YvSighting *seen, uint32_t n_seen);

/* Where objects should be in a frame that nobody looked at, @frames (>= 0, finite) after the last
 * one that was seen. The tracks stay as they are. */
void yv_tracker_skip (YvTracker *tracker, const YvTrackerSettings *settings, double frames);

/* Returns: (array length=n_predicted): for the last frame that was seen or skipped, valid until
 * the next one */
const YvPrediction *yv_tracker_predicted (const YvTracker *tracker, uint32_t *n_predicted);

/* Appends to @ids (element-type int64_t) those of all objects that are not forgotten, seen or not.
 */
void yv_tracker_list_ids (const YvTracker *tracker, GArray *ids);

G_END_DECLS
