/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/news.c - what a publisher tells its user, and how often. */
#include "gst/publish/news.h"

#include "engine/error.h"

/* Between two words about trouble. */
#define TELL_US (10 * G_USEC_PER_SEC)

#define NEVER G_MAXINT64

void
yv_news_init (YvNews *self, const YvPublisherOptions *options, const YvPublisherEvents *events)
{
  *self = (YvNews){.options = options, .events = events, .told_us = NEVER, .outage_us = NEVER};
}

/* Unless another was said a moment ago. */
static bool
tell (YvNews *self, const GError *error, int64_t now_us)
{
  if (self->told_us != NEVER && now_us - self->told_us < TELL_US)
    return false;
  self->told_us = now_us;
  self->events->trouble (self->events->user_data, error);
  return true;
}

void
yv_news_refusal (YvNews *self, const char *refusal, int64_t now_us)
{
  g_autoptr (GError) error =
      g_error_new (YV_ERROR, YV_ERROR_IO, "a record was refused, and is lost: %s", refusal);

  tell (self, error, now_us);
}

void
yv_news_drops (YvNews *self, const YvPublisherStats *stats, int64_t now_us)
{
  if (stats->n_waiting == 0) {
    self->are_drops_told = false;
    self->n_dropped_before = stats->n_dropped;
  }
  if (self->are_drops_told || stats->n_dropped == self->n_dropped_before)
    return;
  g_autoptr (GError) error = g_error_new (
      YV_ERROR, YV_ERROR_IO,
      "the queue of %u records or %" G_GSIZE_FORMAT " bytes is full: the oldest that were not sent "
      "are dropped, %" G_GUINT64_FORMAT " so far. A larger queue, or fewer records, would help",
      self->options->max_records, self->options->max_bytes, stats->n_dropped);
  if (!tell (self, error, now_us))
    return;
  self->are_drops_told = true;
  self->n_dropped_before = stats->n_dropped;
}

bool
yv_news_is_outage (const YvNews *self)
{
  return self->outage_us != NEVER;
}

void
yv_news_outage (YvNews *self, const GError *error, uint64_t n_sent_again, int64_t now_us)
{
  if (!yv_news_is_outage (self)) {
    self->outage_us = now_us;
    self->n_again_before = n_sent_again;
    self->is_outage_told = false;
  }
  if (!self->is_outage_told)
    self->is_outage_told = tell (self, error, now_us);
}

void
yv_news_recovery (YvNews *self, uint64_t n_sent_again, int64_t now_us)
{
  const int64_t outage_us = self->outage_us;

  if (!yv_news_is_outage (self))
    return;
  self->outage_us = NEVER;
  if (!self->is_outage_told)
    return;
  g_autofree char *text = g_strdup_printf (
      "records go out again after %.1f s; %" G_GUINT64_FORMAT " were sent a second time",
      (double) (now_us - outage_us) / G_USEC_PER_SEC, n_sent_again - self->n_again_before);
  self->events->recovery (self->events->user_data, text);
}

void
yv_news_end (YvNews *self, const GError *error, uint32_t n_attempts)
{
  g_autoptr (GError) last_word = g_error_copy (error);

  g_prefix_error (&last_word,
                  "gave up after %u attempts, and all records are dropped from here: ", n_attempts);
  self->events->trouble (self->events->user_data, last_word);
}
