/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/publisher.c - records on their way out, whatever the network does. */
#include "gst/publish/publisher.h"

#include <signal.h>

#include "gst/publish/news.h"
#include "gst/publish/outbox.h"

#define FIRST_WAIT_US G_USEC_PER_SEC
#define CONNECT_MS 10000
#define POLL_MS 1000
/* Records that are sent in one step, so that answers are looked at, and the clock, while a long
 * queue goes out. */
#define MAX_PER_STEP 256
#define NEVER G_MAXINT64

struct _YvPublisher {
  const YvTransport *transport; /* borrowed: a table */
  void *carrier;                /* what the transport made */
  YvPublisherOptions options;
  YvPublisherEvents events;
  GThread *worker;

  GMutex lock;
  GCond work_came; /* for the worker while it is not connected */
  GCond emptied;   /* for drain() */

  /* protected by the lock */
  YvOutbox *outbox;
  YvPublisherStats stats;
  bool is_idle;        /* the worker waits in poll() for records */
  bool is_hurried;     /* the worker shall not finish its wait */
  bool is_finishing;   /* stop() was called */
  bool is_cancelled;   /* so was the transport's cancel() */
  bool is_ended;       /* the worker has nothing left to do */
  bool is_interrupted; /* nobody shall wait in drain() */
  uint32_t n_draining; /* threads in drain() */
  int64_t until_us;    /* of stop() */

  /* the worker's */
  GRand *random;
  int64_t now_us;            /* when this step began */
  uint32_t n_failed;         /* attempts to connect, since a connection was of use */
  bool is_useful;            /* this connection has carried a record, or had none to */
  int64_t rest_until_us;     /* nothing is sent before, but at the end */
  int64_t wait_us;           /* before the next attempt; begins with the next step */
  int64_t next_attempt_us;   /* may have passed */
  uint64_t n_arrived_before; /* when this connection was made */
  YvNews news;
};

/* ---- what the transport says ---------------------------------------------------------------- */

static void
done (void *user_data, uint64_t id, const char *refusal)
{
  YvPublisher *self = user_data;

  g_mutex_lock (&self->lock);
  if (yv_outbox_answer (self->outbox, id))
    *(refusal ? &self->stats.n_refused : &self->stats.n_arrived) += 1;
  if (yv_outbox_n_records (self->outbox) == 0)
    g_cond_broadcast (&self->emptied);
  g_mutex_unlock (&self->lock);
  if (refusal)
    yv_news_refusal (&self->news, refusal, self->now_us);
}

static void
pass_on_log (void *user_data, const char *text)
{
  YvPublisher *self = user_data;

  self->events.log (self->events.user_data, text);
}

/* ---- the worker ----------------------------------------------------------------------------- */

int64_t
yv_publisher_wait_us (uint32_t n_failed, int64_t max_us)
{
  int64_t wait_us = FIRST_WAIT_US;

  for (uint32_t i = 1; i < n_failed && wait_us < max_us; i++)
    wait_us *= 2;
  return MIN (wait_us, max_us);
}

static void
give_up_locked (YvPublisher *self)
{
  self->stats.has_given_up = true;
  self->is_hurried = false; /* there is no next attempt */
  self->stats.n_dropped += yv_outbox_drop_all (self->outbox);
  g_cond_broadcast (&self->emptied);
}

/* An attempt to connect failed, or the connection broke. */
static void
fail (YvPublisher *self, const GError *error, int64_t now_us)
{
  self->n_failed = self->is_useful ? 0 : self->n_failed + 1;
  const bool gives_up =
      self->options.max_attempts > 0 && self->n_failed >= (uint32_t) self->options.max_attempts;

  g_mutex_lock (&self->lock);
  const uint64_t n_sent_again = self->stats.n_sent_again;
  self->stats.is_connected = false;
  self->stats.n_sent_again += yv_outbox_take_back (self->outbox);
  self->stats.n_attempts_failed += self->is_useful ? 0 : 1;
  self->stats.n_outages += gives_up || yv_news_is_outage (&self->news) ? 0 : 1;
  if (gives_up)
    give_up_locked (self);
  g_mutex_unlock (&self->lock);

  self->is_useful = false;
  self->wait_us = yv_publisher_wait_us (MAX (self->n_failed, 1), self->options.max_wait_us);
  self->wait_us -= (int64_t) (g_rand_double (self->random) * (double) self->wait_us / 2);
  if (gives_up)
    yv_news_end (&self->news, error, self->n_failed);
  else
    yv_news_outage (&self->news, error, n_sent_again, now_us);
}

/* How long a call may take, at most @most_ms. */
static int
time_left_ms (YvPublisher *self, int64_t now_us, int most_ms)
{
  g_mutex_lock (&self->lock);
  const int64_t left_us = self->is_finishing ? self->until_us - now_us : NEVER;
  g_mutex_unlock (&self->lock);
  return (int) MIN (left_us / 1000, most_ms);
}

static bool
is_cancelled (YvPublisher *self)
{
  g_mutex_lock (&self->lock);
  const bool cancelled = self->is_cancelled;
  g_mutex_unlock (&self->lock);
  return cancelled;
}

/* Returns: when the next attempt is due; in the past: now. */
static int64_t
next_attempt (YvPublisher *self, int64_t now_us)
{
  g_mutex_lock (&self->lock);
  const bool is_hurried = self->is_hurried;
  const int64_t until_us = self->is_finishing ? self->until_us : NEVER;
  self->is_hurried = false;
  g_mutex_unlock (&self->lock);

  if (self->wait_us > 0)
    self->next_attempt_us = now_us + self->wait_us;
  self->wait_us = 0;
  if (is_hurried)
    self->next_attempt_us = now_us;
  return MIN (self->next_attempt_us, until_us);
}

static int64_t
connect_step (YvPublisher *self, int64_t now_us)
{
  g_autoptr (GError) error = NULL;
  const int64_t due_us = next_attempt (self, now_us);

  if (due_us > now_us)
    return due_us;
  if (!self->transport->connect (self->carrier, time_left_ms (self, now_us, CONNECT_MS), &error)) {
    if (!is_cancelled (self))
      fail (self, error, now_us);
    return now_us;
  }
  g_mutex_lock (&self->lock);
  self->stats.is_connected = true;
  self->stats.n_connections++;
  self->n_arrived_before = self->stats.n_arrived;
  g_mutex_unlock (&self->lock);
  return now_us;
}

static const YvRecord *
next_record (YvPublisher *self)
{
  g_mutex_lock (&self->lock);
  const YvRecord *record = yv_outbox_send (self->outbox);
  g_mutex_unlock (&self->lock);
  return record;
}

/* Returns: what the transport said to the last record it was given; TAKEN where there was none. */
static YvSend
send_waiting (YvPublisher *self, int64_t now_us, GError **error)
{
  YvSend result = YV_SEND_TAKEN;
  const YvRecord *record = NULL;

  for (int i = 0; i < MAX_PER_STEP && (record = next_record (self)); i++) {
    g_autoptr (GError) refusal = NULL;
    const uint64_t id = record->id;
    result = self->transport->send (self->carrier, id, record->text, record->n_bytes, record->again,
                                    &refusal);
    if (result == YV_SEND_REFUSED)
      done (self, id, refusal->message);
    if (result == YV_SEND_BROKEN)
      g_propagate_error (error, g_steal_pointer (&refusal));
    if (result == YV_SEND_BROKEN || result == YV_SEND_FULL)
      break;
    self->rest_until_us = now_us + self->options.rest_us;
  }
  if (record) /* some are left */
    self->rest_until_us = 0;
  if (result == YV_SEND_FULL) {
    g_mutex_lock (&self->lock);
    yv_outbox_unsend (self->outbox);
    g_mutex_unlock (&self->lock);
  }
  return result;
}

/* Where there is nothing to send it waits for answers and records; push() wakes it then. */
static bool
poll_transport (YvPublisher *self, bool is_full, int64_t now_us, GError **error)
{
  const int64_t rest_us = self->rest_until_us - now_us;
  const int longest_ms = rest_us > 0 ? (int) ((rest_us + 999) / 1000) : POLL_MS;
  const int timeout_ms = time_left_ms (self, now_us, MIN (longest_ms, POLL_MS));

  g_mutex_lock (&self->lock);
  const bool is_empty = yv_outbox_n_unsent (self->outbox) == 0;
  self->is_idle = is_empty && rest_us <= 0;
  g_mutex_unlock (&self->lock);
  const bool waits = is_empty || is_full || rest_us > 0;
  const bool is_fine = self->transport->poll (self->carrier, waits ? timeout_ms : 0, error);
  g_mutex_lock (&self->lock);
  self->is_idle = false;
  g_mutex_unlock (&self->lock);
  return is_fine;
}

/* Whether all was sent a moment ago, and nobody waits for what came since. */
static bool
is_resting (YvPublisher *self, int64_t now_us)
{
  if (now_us >= self->rest_until_us)
    return false;
  g_mutex_lock (&self->lock);
  const bool is_due = self->is_finishing || self->n_draining > 0;
  g_mutex_unlock (&self->lock);
  if (is_due)
    self->rest_until_us = 0;
  return !is_due;
}

/* A connection is of use when something arrived, or there was nothing to send. */
static void
look_for_use (YvPublisher *self, int64_t now_us)
{
  if (self->is_useful)
    return;
  g_mutex_lock (&self->lock);
  self->is_useful =
      self->stats.n_arrived > self->n_arrived_before || yv_outbox_n_records (self->outbox) == 0;
  const uint64_t n_sent_again = self->stats.n_sent_again;
  g_mutex_unlock (&self->lock);
  if (self->is_useful)
    yv_news_recovery (&self->news, n_sent_again, now_us);
}

static int64_t
carry_step (YvPublisher *self, int64_t now_us)
{
  g_autoptr (GError) error = NULL;
  const YvSend sent =
      is_resting (self, now_us) ? YV_SEND_TAKEN : send_waiting (self, now_us, &error);

  look_for_use (self, now_us);
  if (sent != YV_SEND_BROKEN && poll_transport (self, sent == YV_SEND_FULL, now_us, &error)) {
    look_for_use (self, now_us);
    return now_us;
  }
  self->transport->disconnect (self->carrier);
  fail (self, error, now_us);
  return now_us;
}

/* Whether stop() was called, and there is nothing left to do, or no time. */
static bool
is_over (YvPublisher *self, int64_t now_us)
{
  g_mutex_lock (&self->lock);
  const bool over = self->is_finishing && (now_us >= self->until_us || self->stats.has_given_up ||
                                           yv_outbox_n_records (self->outbox) == 0);
  g_mutex_unlock (&self->lock);
  return over;
}

static void
end (YvPublisher *self)
{
  g_mutex_lock (&self->lock);
  const bool was_connected = self->stats.is_connected;
  self->stats.is_connected = false;
  self->stats.n_lost += yv_outbox_drop_all (self->outbox);
  self->is_ended = true;
  g_cond_broadcast (&self->emptied);
  g_mutex_unlock (&self->lock);
  if (was_connected)
    self->transport->disconnect (self->carrier);
}

int64_t
yv_publisher_step (YvPublisher *self, int64_t now_us)
{
  self->now_us = now_us;
  if (is_over (self, now_us)) {
    end (self);
    return -1;
  }
  const YvPublisherStats stats = yv_publisher_stats (self);
  if (stats.has_given_up)
    return NEVER;
  yv_news_drops (&self->news, &stats, now_us);
  return stats.is_connected ? carry_step (self, now_us) : connect_step (self, now_us);
}

static void
wait_for_work (YvPublisher *self, int64_t until_us)
{
  g_mutex_lock (&self->lock);
  while (!self->is_hurried && g_get_monotonic_time () < until_us)
    g_cond_wait_until (&self->work_came, &self->lock, until_us);
  g_mutex_unlock (&self->lock);
}

static gpointer
work (gpointer data)
{
  YvPublisher *self = data;
  sigset_t write_signals;
  int64_t until_us = 0;

  /* A reader that has gone, or a file that has its largest size, is an error of write(), and no
   * reason to end the process. */
  sigemptyset (&write_signals);
  sigaddset (&write_signals, SIGPIPE);
  sigaddset (&write_signals, SIGXFSZ);
  pthread_sigmask (SIG_BLOCK, &write_signals, NULL);
  while ((until_us = yv_publisher_step (self, g_get_monotonic_time ())) >= 0)
    wait_for_work (self, until_us);
  return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

YvPublisher *
yv_publisher_new (const YvTransport *transport, const YvTransportConfig *config,
                  const YvPublisherOptions *options, const YvPublisherEvents *events,
                  GError **error)
{
  g_autoptr (YvPublisher) self = g_new0 (YvPublisher, 1);
  const YvTransportEvents transport_events = {done, pass_on_log, self};

  *self = (YvPublisher){.transport = transport, .options = *options, .events = *events};
  g_mutex_init (&self->lock);
  g_cond_init (&self->work_came);
  g_cond_init (&self->emptied);
  self->outbox = yv_outbox_new (options->max_records, options->max_bytes);
  self->random = g_rand_new_with_seed (options->random_seed);
  yv_news_init (&self->news, &self->options, &self->events);
  self->carrier = transport->new (config, &transport_events, error);
  return self->carrier ? g_steal_pointer (&self) : NULL;
}

void
yv_publisher_free (YvPublisher *self)
{
  if (!self)
    return;
  g_assert (!self->worker);
  self->transport->free (self->carrier);
  g_rand_free (self->random);
  yv_outbox_free (self->outbox);
  g_cond_clear (&self->emptied);
  g_cond_clear (&self->work_came);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
yv_publisher_start (YvPublisher *self)
{
  g_assert (!self->worker);
  self->worker = g_thread_new ("publish", work, self);
}

void
yv_publisher_push (YvPublisher *self, const char *text, size_t n_bytes)
{
  g_mutex_lock (&self->lock);
  const bool is_idle = self->is_idle;
  self->stats.n_pushed++;
  self->stats.n_dropped += yv_outbox_add (self->outbox, text, n_bytes);
  if (self->stats.has_given_up)
    self->stats.n_dropped += yv_outbox_drop_all (self->outbox);
  self->is_idle = false;
  g_mutex_unlock (&self->lock);
  if (is_idle)
    self->transport->wake (self->carrier);
}

bool
yv_publisher_drain (YvPublisher *self, int64_t timeout_us)
{
  const int64_t until_us = g_get_monotonic_time () + timeout_us;

  g_mutex_lock (&self->lock);
  self->n_draining++;
  if (yv_outbox_n_records (self->outbox) > 0 && !self->stats.is_connected) {
    self->is_hurried = true;
    g_cond_signal (&self->work_came);
  }
  while (yv_outbox_n_records (self->outbox) > 0 && !self->is_interrupted &&
         g_get_monotonic_time () < until_us)
    g_cond_wait_until (&self->emptied, &self->lock, until_us);
  self->n_draining--;
  const bool is_empty = yv_outbox_n_records (self->outbox) == 0;
  g_mutex_unlock (&self->lock);
  return is_empty;
}

void
yv_publisher_interrupt (YvPublisher *self)
{
  g_mutex_lock (&self->lock);
  self->is_interrupted = true;
  g_cond_broadcast (&self->emptied);
  g_mutex_unlock (&self->lock);
}

void
yv_publisher_resume (YvPublisher *self)
{
  g_mutex_lock (&self->lock);
  self->is_interrupted = false;
  g_mutex_unlock (&self->lock);
}

void
yv_publisher_finish (YvPublisher *self, int64_t until_us)
{
  g_mutex_lock (&self->lock);
  self->is_finishing = true;
  self->is_hurried = true;
  self->until_us = until_us;
  g_cond_signal (&self->work_came);
  g_mutex_unlock (&self->lock);
  self->transport->wake (self->carrier);
}

uint64_t
yv_publisher_stop (YvPublisher *self, int64_t timeout_us)
{
  const int64_t until_us = g_get_monotonic_time () + timeout_us;

  yv_publisher_finish (self, until_us);
  g_mutex_lock (&self->lock);
  while (!self->is_ended && g_get_monotonic_time () < until_us)
    g_cond_wait_until (&self->emptied, &self->lock, until_us);
  self->is_cancelled = !self->is_ended;
  g_mutex_unlock (&self->lock);
  if (self->is_cancelled)
    self->transport->cancel (self->carrier);
  g_thread_join (self->worker);
  self->worker = NULL;
  return self->stats.n_lost;
}

YvPublisherStats
yv_publisher_stats (YvPublisher *self)
{
  g_mutex_lock (&self->lock);
  YvPublisherStats stats = self->stats;
  stats.n_waiting = yv_outbox_n_records (self->outbox);
  stats.n_waiting_bytes = yv_outbox_n_bytes (self->outbox);
  g_mutex_unlock (&self->lock);
  return stats;
}
