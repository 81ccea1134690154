/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/seats.c - cameras that run on a worker, and what becomes of their messages once
 * they have stopped. */
#include <string.h>

#include "examples/fleet/worker-private.h"

static void
free_seat (gpointer seat_)
{
  FleetSeat *seat = seat_;

  fleet_job_free (seat->job);
  g_free (seat->message);
  g_free (seat->reason);
  g_free (seat->doubt);
  g_free (seat);
}

GHashTable *
fleet_seats_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_seat);
}

static void
carry_out_release (FleetSeat *seat)
{
  FleetWorker *worker = seat->worker;
  const FleetRelease release = seat->release;

  const FleetMessage message = {.body = seat->message,
                                .size_bytes = strlen (seat->message),
                                .attempts = seat->attempts,
                                .failed_s = fleet_worker_now_s (),
                                .reason = seat->reason};

  seat->release = FLEET_NOTHING;
  if (release == FLEET_NOTHING)
    return;
  fleet_worker_acquit (worker, fleet_job_name (seat->job)); /* it has killed nobody here */
  if (release == FLEET_GIVE_BACK)
    fleet_worker_settle (worker, seat->tag, false);
  else
    fleet_courier_send (worker->courier, worker->session, seat->tag,
                        release == FLEET_TRY_AGAIN ? FLEET_CAMERAS : FLEET_FAILED, &message);
}

static void
hear_end (FleetJob *job, gpointer seat_)
{
  FleetSeat *seat = seat_;
  FleetWorker *worker = seat->worker;

  if (seat->doubt)
    return; /* what becomes of its message is decided later */
  carry_out_release (seat);
  g_hash_table_remove (worker->seats, fleet_job_name (job));
  fleet_worker_look_whether_idle (worker);
}

static bool
does_any_analyse (FleetWorker *worker)
{
  const gint64 now_us = g_get_monotonic_time ();
  GHashTableIter i;
  gpointer seat;

  g_hash_table_iter_init (&i, worker->seats);
  while (g_hash_table_iter_next (&i, NULL, &seat))
    if (fleet_job_is_analysing (((FleetSeat *) seat)->job, now_us))
      return true;
  return false;
}

/* @hold: that has ended; its message is not settled yet. */
static void
release_later (FleetSeat *seat, FleetRelease release, const FleetHold *hold)
{
  seat->release = release;
  seat->tag = hold->tag;
}

/* An attempt of it is over. May free @seat, where all of it has ended. */
static void
count_failure (FleetSeat *seat, const char *reason)
{
  FleetWorker *worker = seat->worker;
  const uint32_t limit = worker->settings->attempts;
  const bool is_steady = fleet_job_analysed_us (seat->job) >= FLEET_STEADY_S * G_USEC_PER_SEC;
  g_autoptr (FleetHold) hold = fleet_holds_drop (worker->holds, fleet_job_name (seat->job));

  seat->attempts = (is_steady ? 0 : hold->attempts) + 1;
  const bool is_last = limit > 0 && seat->attempts >= limit;
  g_free (seat->reason);
  seat->reason = is_last ? g_strdup_printf ("failed %u times, last on %s: %s", seat->attempts,
                                            worker->settings->name, reason)
                         : NULL;
  release_later (seat, is_last ? FLEET_PUT_AWAY : FLEET_TRY_AGAIN, hold);
  FLEET_SAY ("camera %s: attempt %u failed: %s\n", hold->name, seat->attempts, reason);
  worker->totals.n_failures++;
  worker->totals.n_put_away += is_last;
  fleet_job_end (seat->job);
  fleet_worker_ask (worker);
}

/* Where nothing else shows that the device works, it may be what failed: then this worker ends, and
 * the camera is for others, as it is. */
static void
hear_failure (FleetJob *job, const char *reason, bool is_analysis, gpointer seat_)
{
  FleetSeat *seat = seat_;
  FleetWorker *worker = seat->worker;

  if (!fleet_holds_get (worker->holds, fleet_job_name (job)))
    return;
  if (!is_analysis || does_any_analyse (worker)) {
    count_failure (seat, reason);
    return;
  }
  g_free (seat->doubt);
  seat->doubt = g_strdup (reason);
  FLEET_SAY ("camera %s: its analysis failed, so one of a test picture is tried\n",
             fleet_job_name (job));
  fleet_bench_try (worker->bench);
}

void
fleet_seats_judge (FleetWorker *worker)
{
  GError *error = NULL;

  if (!fleet_bench_has_tried (worker->bench, &error))
    return;
  if (error) {
    g_prefix_error (&error,
                    "an analysis failed, and so does a test picture, so this worker ends: ");
    fleet_worker_fail (worker, error);
    return;
  }
  g_autoptr (GList) seats = g_hash_table_get_values (worker->seats);
  for (GList *at = seats; at; at = at->next) {
    FleetSeat *seat = at->data;
    g_autofree char *reason = g_steal_pointer (&seat->doubt);
    if (reason)
      count_failure (seat, reason);
  }
}

static FleetSeat *
get_seat (FleetWorker *worker, const char *name)
{
  FleetSeat *seat = g_hash_table_lookup (worker->seats, name);

  if (seat) {
    /* Another message with its name: what waited to be released is decided on elsewhere. */
    seat->release = seat->release == FLEET_NOTHING ? FLEET_NOTHING : FLEET_GIVE_BACK;
    carry_out_release (seat);
    g_clear_pointer (&seat->doubt, g_free);
    return seat;
  }
  seat = g_new0 (FleetSeat, 1);
  const FleetJobCalls calls = {.failed = hear_failure, .ended = hear_end, .user_data = seat};
  seat->worker = worker;
  seat->job = fleet_job_new (worker->settings, name, &calls);
  g_hash_table_insert (worker->seats, g_strdup (name), seat);
  return seat;
}

void
fleet_seats_start (FleetWorker *worker, const FleetCard *card, CameraConfig *config)
{
  const FleetHold *hold = fleet_holds_get (worker->holds, card->name);
  g_autoptr (FleetNote) note = fleet_hold_note (hold, NULL);
  FleetSeat *seat = get_seat (worker, card->name);

  FLEET_SAY ("camera %s: taken (%u of %u), source %s\n", card->name, fleet_holds_n (worker->holds),
             worker->capacity.now, config->shown_source);
  worker->totals.n_taken++;
  g_free (seat->message);
  seat->message = fleet_card_text (card, hold->added_s);
  seat->told_us = 0;
  note->session = g_strdup (worker->hello);
  fleet_worker_tell_all (worker, note);
  fleet_job_start (seat->job, config);
}

static void
look_at_seat (FleetSeat *seat)
{
  FleetWorker *worker = seat->worker;
  const char *name = fleet_job_name (seat->job);
  const FleetHold *hold = fleet_holds_get (worker->holds, name);
  const gint64 analysed_us = fleet_job_analysed_us (seat->job);
  const gint64 well_us = FLEET_WELL_S * G_USEC_PER_SEC;
  const gint64 steady_us = FLEET_STEADY_S * G_USEC_PER_SEC;

  if (!hold || analysed_us < well_us || seat->told_us == steady_us)
    return;
  if (seat->told_us == 0) {
    seat->told_us = well_us;
    fleet_worker_forget (worker, name, -1);
  }
  if (analysed_us >= steady_us) {
    seat->told_us = steady_us;
    if (hold->attempts > 0)
      fleet_worker_forget (worker, name, fleet_worker_now_s ());
  }
}

void
fleet_seats_look (FleetWorker *worker)
{
  GHashTableIter i;
  gpointer seat;

  g_hash_table_iter_init (&i, worker->seats);
  while (worker->is_connected && g_hash_table_iter_next (&i, NULL, &seat))
    look_at_seat (seat);
}

void
fleet_seats_stop (FleetWorker *worker, const char *name)
{
  FleetSeat *seat = g_hash_table_lookup (worker->seats, name);

  if (!seat)
    return;
  g_clear_pointer (&seat->doubt, g_free);
  fleet_job_end (seat->job);
}

void
fleet_seats_stop_all (FleetWorker *worker)
{
  g_autoptr (GList) seats = g_hash_table_get_values (worker->seats);

  for (GList *at = seats; at; at = at->next) {
    FleetSeat *seat = at->data;
    g_clear_pointer (&seat->doubt, g_free);
    if (fleet_job_is_running (seat->job))
      fleet_job_end (seat->job);
    else
      g_hash_table_remove (worker->seats, fleet_job_name (seat->job));
  }
}

void
fleet_seats_give_newest_back (FleetWorker *worker)
{
  const FleetHold *newest = fleet_holds_newest (worker->holds);
  g_autoptr (FleetHold) hold = fleet_holds_drop (worker->holds, newest->name);
  FleetSeat *seat = g_hash_table_lookup (worker->seats, hold->name);

  FLEET_SAY ("camera %s: given back, because this worker is too slow for %u\n", hold->name,
             fleet_holds_n (worker->holds) + 1);
  worker->totals.n_given_back++;
  g_clear_pointer (&seat->doubt, g_free);
  release_later (seat, FLEET_GIVE_BACK, hold);
  fleet_job_end (seat->job);
}
