/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/worker.c - news of the broker and of cameras -> what to do with a camera. */
#include "examples/fleet/worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/error.h"
#include "examples/fleet/worker-private.h"

/* Of notes: what they have told is known when our own hello comes out of each. */
static const char *const streams[] = {FLEET_CONTROL, FLEET_REMOVALS};

double
fleet_worker_now_s (void)
{
  return (double) g_get_real_time () / G_USEC_PER_SEC;
}

/* ---- for seats.c ----------------------------------------------------------------------------- */

void
fleet_worker_settle (FleetWorker *worker, uint64_t tag, bool is_deleted)
{
  fleet_courier_settle (worker->courier, worker->session, tag, is_deleted);
}

static void
tell (FleetWorker *worker, const char *stream, const FleetNote *note)
{
  g_autofree char *text = fleet_note_text (note);

  fleet_courier_send (worker->courier, worker->session, 0, stream,
                      &(FleetMessage){.body = text, .size_bytes = strlen (text)});
}

void
fleet_worker_tell_all (FleetWorker *worker, const FleetNote *note)
{
  tell (worker, FLEET_CONTROL, note);
}

void
fleet_worker_acquit (FleetWorker *worker, const char *name)
{
  const FleetNote note = {
      .kind = FLEET_NOTE_FORGET, .name = (char *) name, .session = worker->hello, .at_s = -1};

  fleet_worker_tell_all (worker, &note);
}

void
fleet_worker_forget (FleetWorker *worker, const char *name, double at_s)
{
  const FleetNote note = {.kind = FLEET_NOTE_FORGET, .name = (char *) name, .at_s = at_s};

  fleet_worker_acquit (worker, name);
  fleet_worker_tell_all (worker, &note);
  fleet_holds_trust (worker->holds, name);
}

void
fleet_worker_ask (FleetWorker *worker)
{
  uint32_t prefetch;

  if (!worker->is_ready || worker->is_ending ||
      !fleet_holds_must_ask (worker->holds, fleet_intake_capacity (worker), worker->n_parked,
                             &prefetch))
    return;
  worker->consumer = fleet_holds_asked (worker->holds, prefetch);
  worker->n_parked = 0;
  fleet_courier_take (worker->courier, worker->session, worker->consumer, prefetch);
}

void
fleet_worker_fail (FleetWorker *worker, GError *error)
{
  g_clear_error (&worker->error);
  worker->error = error;
  fleet_worker_end (worker);
}

void
fleet_worker_look_whether_idle (FleetWorker *worker)
{
  if (g_hash_table_size (worker->seats) > 0)
    return;
  if (worker->is_ending) {
    if (worker->is_connected)
      fleet_worker_tell_all (worker, &(FleetNote){.kind = FLEET_NOTE_BYE, .id = worker->hello});
    worker->ended (worker->user_data);
  } else if (!worker->is_connected && worker->session > 0)
    fleet_courier_idle (worker->courier, worker->session);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* @hold: (nullable): that has ended, because the camera is not wanted, or another has it. */
static void
let_go (FleetWorker *worker, const FleetHold *hold, const char *why)
{
  if (!hold)
    return;
  FLEET_SAY ("camera %s: %s\n", hold->name, why);
  fleet_worker_settle (worker, hold->tag, true);
  fleet_seats_stop (worker, hold->name);
}

/* ---- notes ----------------------------------------------------------------------------------- */

static void
hear_held (FleetWorker *worker, const FleetNote *note)
{
  g_autoptr (FleetNote) answer = NULL;
  g_autoptr (FleetHold) hold = fleet_holds_hear (worker->holds, note, &answer);

  if (answer)
    fleet_worker_tell_all (worker, answer);
  let_go (worker, hold, "a later message with its name is held by another worker");
}

static void
hear_removal (FleetWorker *worker, const FleetNote *note)
{
  g_autoptr (FleetHold) hold =
      fleet_holds_remove (worker->holds, note->name, note->at_s, fleet_worker_now_s ());

  worker->totals.n_removed += hold != NULL;
  let_go (worker, hold, "removed, or added anew");
}

static void
answer_list (FleetWorker *worker, const char *queue)
{
  GHashTableIter i;
  gpointer seat;
  g_autofree char *text = fleet_report_worker (worker->settings->name, worker->capacity.now,
                                               fleet_holds_n (worker->holds));

  fleet_courier_answer (worker->courier, worker->session, queue, text);
  g_hash_table_iter_init (&i, worker->seats);
  while (g_hash_table_iter_next (&i, NULL, &seat)) {
    g_autofree char *line = fleet_report_camera (worker->settings->name, ((FleetSeat *) seat)->job);
    fleet_courier_answer (worker->courier, worker->session, queue, line);
  }
}

static void
hear_note (FleetWorker *worker, const FleetArrival *arrival)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetNote) note =
      fleet_note_parse (arrival->body->str, arrival->body->len, fleet_worker_now_s (), &error);

  if (!note) {
    g_autofree char *why = fleet_plain (error->message);
    worker->totals.n_bad_notes++;
    if (worker->is_ready)
      FLEET_SAY ("a note in %s is passed over: %s\n", FLEET_CONTROL, why);
    return;
  }
  fleet_history_hear (worker->history, note);
  if (note->kind == FLEET_NOTE_HELLO && g_strcmp0 (note->id, worker->hello) == 0)
    worker->is_ready = ++worker->n_hellos >= G_N_ELEMENTS (streams);
  else if (note->kind == FLEET_NOTE_REMOVE)
    hear_removal (worker, note);
  else if (note->kind == FLEET_NOTE_HELD && worker->is_ready)
    hear_held (worker, note);
  else if (note->kind == FLEET_NOTE_LIST && worker->is_ready)
    answer_list (worker, note->reply_to);
}

/* ---- the broker ------------------------------------------------------------------------------ */

static void
begin_session (FleetWorker *worker, uint32_t session)
{
  /* A session whose hello was not heard has taken nothing, and the one before it lived on. */
  if (worker->n_hellos >= G_N_ELEMENTS (streams)) {
    g_free (worker->after);
    worker->after = g_steal_pointer (&worker->hello);
  }
  FLEET_SAY ("connected with %s\n", worker->settings->address.shown);
  worker->session = session;
  worker->is_connected = worker->was_connected = true;
  worker->totals.n_sessions++;
  g_free (worker->hello);
  worker->hello = g_uuid_string_random ();
  worker->n_hellos = 0;
  fleet_history_free (worker->history); /* all of it is told again */
  worker->history = fleet_history_new ();
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    tell (worker, streams[i],
          &(FleetNote){.kind = FLEET_NOTE_HELLO, .id = worker->hello, .after = worker->after});
}

/* What was held is not ours any more, and others have it within a moment. */
static void
lose_session (FleetWorker *worker, const GError *error)
{
  GHashTableIter i;
  gpointer seat;

  FLEET_SAY ("the broker is lost, so all cameras stop: %s\n", error ? error->message : "?");
  worker->is_connected = worker->is_ready = false;
  fleet_intake_forget (worker);
  fleet_holds_forget (worker->holds);
  g_hash_table_iter_init (&i, worker->seats);
  while (g_hash_table_iter_next (&i, NULL, &seat))
    ((FleetSeat *) seat)->release = FLEET_NOTHING;
  fleet_seats_stop_all (worker);
  fleet_worker_look_whether_idle (worker);
}

/* What is wrong from the start, as a password, is for people; what comes later may pass. */
static void
hear_refusal (FleetWorker *worker, const GError *error)
{
  if (worker->was_connected || !g_error_matches (error, YV_ERROR, YV_ERROR_INVALID)) {
    FLEET_SAY ("%s\n", error->message);
    return;
  }
  fleet_worker_fail (worker, g_error_copy (error));
}

static void
hear_news (const FleetNews *news, gpointer worker_)
{
  FleetWorker *worker = worker_;

  if (worker->is_ending)
    return;
  switch (news->kind) {
  case FLEET_CONNECTED:
    begin_session (worker, news->session);
    return;
  case FLEET_LOST:
    lose_session (worker, news->error);
    return;
  case FLEET_AWAY:
    hear_refusal (worker, news->error);
    return;
  case FLEET_UNSENT:
    FLEET_SAY ("%s; the message that it is about waits\n", news->error->message);
    fleet_intake_park (worker, news->tag);
    return;
  case FLEET_ARRIVED:
    if (news->arrival->origin == FLEET_FROM_CONTROL)
      hear_note (worker, news->arrival);
    else
      fleet_intake_take (worker, news->arrival);
    fleet_worker_ask (worker);
    return;
  }
}

/* ---- once a second --------------------------------------------------------------------------- */

/* Its message is held, and whatever hangs may come back to life: only an end gives it to others. */
static void
end_at_once (const char *name)
{
  FLEET_SAY ("camera %s did not end within %d s, so this process does: others take its cameras\n",
             name, FLEET_END_S);
  _exit (EXIT_FAILURE);
}

static gboolean
look (gpointer worker_)
{
  FleetWorker *worker = worker_;
  const gint64 now_us = g_get_monotonic_time ();
  double n_analysed = 0, n_wanted = 0;
  g_autoptr (GList) seats = g_hash_table_get_values (worker->seats);

  for (GList *at = seats; at; at = at->next) {
    FleetSeat *seat = at->data;
    if (fleet_job_hangs (seat->job, now_us))
      end_at_once (fleet_job_name (seat->job));
    fleet_job_look (seat->job, now_us, &n_analysed, &n_wanted);
  }
  if (!worker->is_ending)
    fleet_seats_judge (worker);
  if (worker->is_ending)
    return G_SOURCE_CONTINUE;
  fleet_seats_look (worker);
  fleet_intake_look (worker, now_us);
  if (fleet_capacity_judge (&worker->capacity, n_analysed, n_wanted, fleet_holds_n (worker->holds),
                            now_us))
    fleet_seats_give_newest_back (worker);
  fleet_worker_ask (worker);
  return G_SOURCE_CONTINUE;
}

FleetWorker *
fleet_worker_new (FleetSettings *settings, FleetBench *bench, FleetWorkerEnded ended,
                  gpointer user_data)
{
  FleetWorker *worker = g_new0 (FleetWorker, 1);

  worker->settings = settings;
  worker->bench = bench;
  worker->ended = ended;
  worker->user_data = user_data;
  worker->holds = fleet_holds_new ();
  worker->parked = g_array_new (FALSE, FALSE, sizeof (FleetParked));
  worker->seats = fleet_seats_new ();
  worker->capacity = settings->capacity;
  fleet_capacity_start (&worker->capacity, g_get_monotonic_time ());
  worker->tick = g_timeout_add_seconds (1, look, worker);
  worker->courier = fleet_courier_new (&settings->address, settings->name, hear_news, worker);
  return worker;
}

void
fleet_worker_end (FleetWorker *worker)
{
  if (worker->is_ending)
    return;
  worker->is_ending = true;
  fleet_seats_stop_all (worker);
  fleet_worker_look_whether_idle (worker);
}

const GError *
fleet_worker_error (const FleetWorker *worker)
{
  return worker->error;
}

void
fleet_worker_free (FleetWorker *worker)
{
  if (!worker)
    return;
  fleet_courier_free (worker->courier);
  g_source_remove (worker->tick);
  g_hash_table_unref (worker->seats);
  fleet_holds_free (worker->holds);
  fleet_history_free (worker->history);
  g_array_unref (worker->parked);
  g_clear_error (&worker->error);
  g_free (worker->hello);
  g_free (worker->after);
  g_free (worker);
}

void
fleet_worker_write_metrics (FleetWorker *worker, GString *out)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  GHashTableIter i;
  gpointer seat;

  g_hash_table_iter_init (&i, worker->seats);
  while (g_hash_table_iter_next (&i, NULL, &seat))
    g_ptr_array_add (jobs, ((FleetSeat *) seat)->job);
  fleet_report_metrics (out, &(FleetState){.totals = worker->totals,
                                           .capacity = worker->capacity.now,
                                           .n_held = fleet_holds_n (worker->holds),
                                           .is_connected = worker->is_connected,
                                           .jobs = jobs});
}
