/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/feed.h - frames on their way from one input after another into an analysis that
 * stays: each gets its time, and what the analysis has no room for is dropped.
 *
 * Threads: any.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _Feed Feed;

typedef struct {
  guint64 n_frames, n_dropped;          /* of all inputs */
  gint64 first_frame_us, last_frame_us; /* monotonic, of the newest input; 0: none yet */
} FeedCounters;

/**
 * feed_new:
 * @source: an appsrc; frames get their PTS by @clock, less @base_time, and none goes back
 * @first: called with each input's first frame, on its streaming thread; it should not block
 */
Feed *feed_new (GstElement *source, GstClock *clock, GstClockTime base_time,
                void (*first) (gpointer user_data), gpointer user_data);

/* As feed_end(): inputs that play on may outlive it. NULL ok */
void feed_free (Feed *feed);

/* From now on frames come from the appsink "frames" of @pipeline, which does not play yet, and no
 * longer from any other. It gets the feed's clock. */
void feed_begin (Feed *feed, GstElement *pipeline);

/* From now on frames come from nowhere: what an input that can't be closed still gives is dropped.
 */
void feed_end (Feed *feed);

/* The analysis begins anew: it has to be told caps again. */
void feed_forget (Feed *feed);

void feed_get (Feed *feed, FeedCounters *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Feed, feed_free)

G_END_DECLS
