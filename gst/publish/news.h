/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/news.h - what a publisher tells its user, and how often.
 *
 * In:    what happens, from gst/publish/publisher.c.
 * Out:   trouble() and recovery() of YvPublisherEvents, in words that say what to do.
 *
 * Between two words about trouble are ten seconds, but for the one that is the last. An outage that
 * begins in between is told later, while it lasts; one that was never told has no word about its
 * end. A full queue is told once, until it was empty.
 *
 * Threads: the worker's alone, without any lock.
 */
#pragma once

#include "gst/publish/publisher.h"

G_BEGIN_DECLS

typedef struct {
  const YvPublisherOptions *options; /* borrowed, and so are the events, for its life */
  const YvPublisherEvents *events;
  int64_t told_us;   /* the last word about trouble; G_MAXINT64: none yet */
  int64_t outage_us; /* since when; G_MAXINT64: there is none */
  bool is_outage_told;
  bool are_drops_told;       /* since the queue was empty */
  uint64_t n_dropped_before; /* when the queue was empty, or drops were told */
  uint64_t n_again_before;   /* when the outage began */
} YvNews;

/* There is nothing to clear. */
void yv_news_init (YvNews *self, const YvPublisherOptions *options,
                   const YvPublisherEvents *events);

/* A record is lost; @refusal: why */
void yv_news_refusal (YvNews *self, const char *refusal, int64_t now_us);

/* @stats: of now; to be called often, so that an empty queue is seen */
void yv_news_drops (YvNews *self, const YvPublisherStats *stats, int64_t now_us);

bool yv_news_is_outage (const YvNews *self);

/* There is no connection for the reason in @error; the first call begins an outage.
 * @n_sent_again: records that were, before this */
void yv_news_outage (YvNews *self, const GError *error, uint64_t n_sent_again, int64_t now_us);

/* The outage is over, where there was one. @n_sent_again: records that were by now */
void yv_news_recovery (YvNews *self, uint64_t n_sent_again, int64_t now_us);

/* Nothing is tried any more after @n_attempts, the last of which failed with @error. */
void yv_news_end (YvNews *self, const GError *error, uint32_t n_attempts);

G_END_DECLS
