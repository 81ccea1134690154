/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/intake.c - the message of a camera -> taken, put away, deleted, or given back. */
#include "engine/error.h"
#include "examples/fleet/worker-private.h"

/* Until a message that can't be dealt with now goes back to the queue. */
#define SUSPECT_PARKED_US (5 * G_USEC_PER_SEC)
#define WAITING_PARKED_US (30 * G_USEC_PER_SEC)

/* So many do not keep others from coming. */
#define MAX_PARKED 1000

/* Of a time to come: no clock that is only wrong is so far ahead. */
#define FAR_AHEAD_S (24 * 3600)

static void
put_away (FleetWorker *worker, const FleetArrival *arrival, const char *why)
{
  g_autofree char *reason = fleet_plain (why);
  const FleetMessage message = {.body = arrival->body->str,
                                .size_bytes = arrival->body->len,
                                .attempts = arrival->attempts,
                                .failed_s = arrival->failed_s,
                                .reason = reason};

  FLEET_SAY ("a message goes to %s: %s\n", FLEET_FAILED, reason);
  fleet_courier_send (worker->courier, worker->session, arrival->tag, FLEET_FAILED, &message);
}

static void
park (FleetWorker *worker, uint64_t tag, gint64 time_us)
{
  const FleetParked parked = {tag, worker->consumer, g_get_monotonic_time () + time_us};

  g_array_append_val (worker->parked, parked);
}

/* Attempts count until they are forgotten, or so old that nobody would know. */
static uint32_t
count_attempts (const FleetWorker *worker, const char *name, const FleetArrival *arrival)
{
  const double old_s = fleet_worker_now_s () - FLEET_REMOVAL_S;
  const bool is_old = arrival->failed_s > 0 && arrival->failed_s < old_s;

  return is_old || fleet_history_forgets (worker->history, name, arrival->failed_s)
             ? 0
             : arrival->attempts;
}

static FleetHold *
new_hold (const FleetWorker *worker, const FleetCard *card, const FleetArrival *arrival,
          uint32_t company)
{
  FleetHold *hold = g_new0 (FleetHold, 1);

  hold->name = g_strdup (card->name);
  hold->added_s = card->added_s >= 0 ? card->added_s : fleet_worker_now_s ();
  hold->id = g_uuid_string_random ();
  hold->tag = arrival->tag;
  hold->consumer = arrival->consumer;
  hold->attempts = count_attempts (worker, card->name, arrival);
  hold->trial_us = g_get_monotonic_time () + FLEET_TRIAL_S * G_USEC_PER_SEC;
  hold->company = company;
  return hold;
}

/* @card, @config: what the message says. @company: see examples/fleet/history.h. */
static void
decide (FleetWorker *worker, const FleetArrival *arrival, const FleetCard *card,
        CameraConfig *config, uint32_t company)
{
  g_autoptr (CameraConfig) taken = config;
  g_autoptr (FleetHold) other = NULL;

  switch (fleet_holds_take (worker->holds, new_hold (worker, card, arrival, company),
                            fleet_intake_capacity (worker), &other)) {
  case FLEET_REPLACES:
    fleet_worker_settle (worker, other->tag, true);
    G_GNUC_FALLTHROUGH;
  case FLEET_TAKEN:
    fleet_seats_start (worker, card, g_steal_pointer (&taken));
    return;
  case FLEET_REMOVED:
    FLEET_SAY ("camera %s: was removed\n", card->name);
    fleet_worker_settle (worker, arrival->tag, true);
    return;
  case FLEET_REPLACED:
    FLEET_SAY ("camera %s: a message is dropped, because a later one is held\n", card->name);
    fleet_worker_settle (worker, arrival->tag, true);
    return;
  case FLEET_NO_ROOM:
    fleet_worker_settle (worker, arrival->tag, false);
    return;
  }
}

static void
put_killer_away (FleetWorker *worker, const FleetArrival *arrival, const char *name,
                 const FleetDeaths *deaths)
{
  g_autofree char *why = g_strdup_printf (
      "camera %s: workers died soon after they had taken it, %u times, %u of them with no other",
      name, deaths->n, deaths->n_alone);

  put_away (worker, arrival, why);
  fleet_worker_forget (worker, name, -1); /* whoever tries it again begins anew */
  worker->totals.n_put_away++;
}

/* A time to come would count more than all that people do until then. Whose clock is wrong is not
 * known here: it may be right for another worker.
 * Returns: whether it is none; else its message is dealt with. */
static bool
is_from_now (FleetWorker *worker, const FleetArrival *arrival, const FleetCard *card)
{
  const double ahead_s = card->added_s - fleet_worker_now_s ();

  if (ahead_s <= FLEET_AHEAD_S)
    return true;
  if (ahead_s > FAR_AHEAD_S) {
    g_autofree char *why = g_strdup_printf (
        "camera %s: 'added' is %.0f s from now, expected seconds since 1970, which are now %.0f",
        card->name, ahead_s, fleet_worker_now_s ());
    put_away (worker, arrival, why);
    worker->totals.n_malformed++;
    return false;
  }
  FLEET_SAY ("camera %s: was added %.0f s from now, so one of two clocks is wrong; its message "
             "waits\n",
             card->name, ahead_s);
  park (worker, arrival->tag, WAITING_PARKED_US);
  return false;
}

/* @company: (out): with how many it may be on trial.
 * Returns: whether it may run here and now; else its message is dealt with. */
static bool
is_trusted (FleetWorker *worker, const FleetArrival *arrival, const char *name, uint32_t *company)
{
  const double removed_s = fleet_holds_removed_s (worker->holds, name);
  const FleetDeaths deaths = fleet_history_deaths (worker->history, name, removed_s, worker->hello);
  const uint32_t n_held = fleet_holds_n (worker->holds);

  if (fleet_deaths_convict (&deaths)) {
    put_killer_away (worker, arrival, name, &deaths);
    return false;
  }
  *company = fleet_deaths_company (&deaths, worker->capacity.now);
  /* Where there is no room for any camera, it is for another worker. */
  if (*company >= worker->capacity.now || n_held >= fleet_intake_capacity (worker))
    return true;
  const bool may_run = n_held < fleet_holds_limit (worker->holds, worker->capacity.now, *company,
                                                   g_get_monotonic_time ());
  FLEET_SAY ("camera %s: workers died soon after they had taken it, %u times, so %u at most are "
             "tried with it%s\n",
             name, deaths.n, *company, may_run ? "" : ", and it waits");
  if (!may_run)
    park (worker, arrival->tag, SUSPECT_PARKED_US);
  return may_run;
}

void
fleet_intake_take (FleetWorker *worker, const FleetArrival *arrival)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetCard) card = NULL;
  CameraConfig *config = NULL;
  uint32_t company;

  if (arrival->size_bytes > FLEET_MAX_BODY_BYTES)
    g_set_error (&error, YV_ERROR, YV_ERROR_MALFORMED,
                 "is of %" G_GUINT64_FORMAT " bytes, expected %d at most; cut off here",
                 arrival->size_bytes, FLEET_MAX_BODY_BYTES);
  else
    card = fleet_card_parse (arrival->body->str, arrival->body->len, &error);
  if (card)
    config = fleet_settings_camera (worker->settings, card->name, card->camera, &error);
  if (!config) {
    worker->totals.n_malformed++;
    put_away (worker, arrival, error->message);
  } else if (is_from_now (worker, arrival, card) &&
             is_trusted (worker, arrival, card->name, &company)) {
    decide (worker, arrival, card, config, company);
  } else {
    camera_config_free (config);
  }
}

uint32_t
fleet_intake_capacity (const FleetWorker *worker)
{
  return fleet_holds_limit (worker->holds, worker->capacity.now, worker->capacity.now,
                            g_get_monotonic_time ());
}

void
fleet_intake_park (FleetWorker *worker, uint64_t tag)
{
  park (worker, tag, WAITING_PARKED_US);
}

/* They would keep others from coming, so as many more are asked for. */
static uint32_t
count_parked (const FleetWorker *worker)
{
  uint32_t n = 0;

  for (guint i = 0; worker->parked->len < MAX_PARKED && i < worker->parked->len; i++)
    n += g_array_index (worker->parked, FleetParked, i).consumer == worker->consumer;
  return n;
}

void
fleet_intake_look (FleetWorker *worker, gint64 now_us)
{
  for (guint i = worker->parked->len; i-- > 0;) {
    const FleetParked *parked = &g_array_index (worker->parked, FleetParked, i);
    if (now_us < parked->until_us)
      continue;
    fleet_worker_settle (worker, parked->tag, false);
    g_array_remove_index_fast (worker->parked, i);
  }
  worker->n_parked = count_parked (worker);
}

void
fleet_intake_forget (FleetWorker *worker)
{
  g_array_set_size (worker->parked, 0);
  worker->n_parked = 0;
}
