/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/courier.c - a queue of requests, a thread with a link, and news. */
#include "examples/fleet/courier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/error.h"

#define WAIT_US (60 * G_USEC_PER_SEC)
#define LOOK_US G_USEC_PER_SEC /* whether something is not confirmed for too long */
#define FIRST_PAUSE_US (G_USEC_PER_SEC / 2)
#define LONGEST_PAUSE_US (10 * G_USEC_PER_SEC)

typedef enum { END, IDLE, TAKE, SETTLE, SEND, ANSWER } RequestKind;

typedef struct {
  RequestKind kind;
  uint32_t session;
  uint64_t tag;
  uint32_t consumer, prefetch, attempts;
  double failed_s;
  bool is_deleted;
  char *queue, *reason; /* owned */
  GBytes *body;         /* owned */
} Request;

struct _FleetCourier {
  FleetAddress address;
  char *name;
  FleetNewsFunc tell;
  gpointer user_data;
  GMainContext *context;
  GThread *thread;
  GAsyncQueue *requests; /* of Request * */
  int wake;              /* can be read while there may be some */
  bool has_ended;        /* the main context's: nobody listens any more */

  /* The thread's alone. */
  FleetLink *link; /* NULL: not connected */
  uint32_t session;
  gint64 pause_us;
  GQueue waiting;   /* of Request *, of this session */
  Request *sent;    /* (nullable): whose message is on its way; the others wait for it */
  bool is_underway; /* what was sent, or answered, is not all confirmed */
  bool is_blocked;  /* and that was said */
  bool is_ending;
  gint64 end_us; /* until when what waits is still carried out then */
};

/* What travels to the main context; it keeps the courier alive until it is there. */
typedef struct {
  FleetCourier *courier;
  FleetNewsKind kind;
  uint32_t session;
  uint64_t tag;
  FleetArrival *arrival;
  GError *error;
} Letter;

static void
free_request (gpointer request_)
{
  Request *request = request_;

  g_free (request->queue);
  g_free (request->reason);
  g_clear_pointer (&request->body, g_bytes_unref);
  g_free (request);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, free_request)

static void
clear_courier (gpointer courier_)
{
  FleetCourier *courier = courier_;

  fleet_address_clear (&courier->address);
  g_free (courier->name);
  g_main_context_unref (courier->context);
  g_async_queue_unref (courier->requests);
  close (courier->wake);
}

/* ---- news ------------------------------------------------------------------------------------ */

static gboolean
open_letter (gpointer letter_)
{
  const Letter *letter = letter_;
  const FleetNews news = {.kind = letter->kind,
                          .session = letter->session,
                          .arrival = letter->arrival,
                          .tag = letter->tag,
                          .error = letter->error};

  if (!letter->courier->has_ended)
    letter->courier->tell (&news, letter->courier->user_data);
  return G_SOURCE_REMOVE;
}

static void
free_letter (gpointer letter_)
{
  Letter *letter = letter_;

  fleet_arrival_free (letter->arrival);
  g_clear_error (&letter->error);
  g_atomic_rc_box_release_full (letter->courier, clear_courier);
  g_free (letter);
}

/* @text: what it says of itself, with what it points to (transfer full). */
static void
send_letter (FleetCourier *courier, const Letter *text)
{
  Letter *letter = g_memdup2 (text, sizeof *text);
  g_autoptr (GSource) source = g_idle_source_new ();

  letter->courier = g_atomic_rc_box_acquire (courier);
  letter->session = courier->session;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, open_letter, letter, free_letter);
  g_source_attach (source, courier->context);
}

/* ---- requests, in the thread ----------------------------------------------------------------- */

/* @request: (inout) (transfer full): NULL where it goes on. */
static bool
carry_out (FleetCourier *courier, Request **request_, GError **error)
{
  FleetLink *link = courier->link;
  const Request *request = *request_;
  FleetMessage message = {
      .attempts = request->attempts, .failed_s = request->failed_s, .reason = request->reason};

  if (request->body)
    message.body = g_bytes_get_data (request->body, &message.size_bytes);
  switch (request->kind) {
  case TAKE:
    return fleet_link_take_cameras (link, request->consumer, request->prefetch, error);
  case SETTLE:
    return fleet_link_settle (link, request->tag, request->is_deleted, error);
  case SEND:
    courier->sent = g_steal_pointer (request_);
    courier->is_underway = true;
    return fleet_link_begin_to_send (link, courier->sent->queue, &message, error);
  case ANSWER:
    courier->is_underway = true;
    return fleet_link_answer (link, request->queue, message.body, error);
  case IDLE:
  case END:
    return true;
  }
  g_assert_not_reached ();
}

static void
begin_to_end (FleetCourier *courier)
{
  courier->is_ending = true;
  courier->end_us = g_get_monotonic_time () + FLEET_ANSWER_S * G_USEC_PER_SEC;
}

static void
take_requests (FleetCourier *courier)
{
  eventfd_t n;

  if (eventfd_read (courier->wake, &n) < 0)
    g_assert (errno == EAGAIN);
  for (;;) {
    g_autoptr (Request) request = g_async_queue_try_pop (courier->requests);
    if (!request)
      return;
    if (request->kind == END)
      begin_to_end (courier);
    else if (request->session == courier->session)
      g_queue_push_tail (&courier->waiting, g_steal_pointer (&request));
  }
}

/* A message that was to be moved stays where it is, which is its own trouble; without notes nobody
 * knows what others do. */
static bool
hear_refusal (FleetCourier *courier, const Request *sent, GError **error)
{
  GError *refusal = g_error_new (YV_ERROR, YV_ERROR_IO, "the broker took no message for %s: %s",
                                 sent->queue, fleet_link_why_refused (courier->link));

  if (sent->tag == 0) {
    g_propagate_error (error, refusal);
    return false;
  }
  send_letter (courier, &(Letter){.kind = FLEET_UNSENT, .tag = sent->tag, .error = refusal});
  return true;
}

static bool
look_at_sent (FleetCourier *courier, GError **error)
{
  FleetReceipt receipt;

  if (!fleet_link_look_at_sent (courier->link, &receipt, error))
    return false;
  courier->is_underway = receipt == FLEET_UNDERWAY;
  if (courier->is_underway || !courier->sent)
    return true;
  g_autoptr (Request) sent = g_steal_pointer (&courier->sent);
  if (receipt == FLEET_REFUSED)
    return hear_refusal (courier, sent, error);
  return sent->tag == 0 || fleet_link_settle (courier->link, sent->tag, true, error);
}

static void
say_whether_blocked (FleetCourier *courier)
{
  const char *why = fleet_link_why_blocked (courier->link);

  if ((why != NULL) == courier->is_blocked)
    return;
  courier->is_blocked = why != NULL;
  if (why)
    g_printerr ("yolov7-fleet: the broker takes no messages (%s): cameras go on, and what is to be "
                "told waits\n",
                why);
  else
    g_printerr ("yolov7-fleet: the broker takes messages again\n");
}

/* A broker that reads no more has not confirmed what was sent before that. So where all is
 * confirmed it answers. */
static bool
may_carry_out (FleetCourier *courier)
{
  const Request *next = g_queue_peek_head (&courier->waiting);

  return next && !courier->sent && !courier->is_blocked &&
         !(next->kind == TAKE && courier->is_underway);
}

/* As much as can be at the moment. */
static bool
carry_out_waiting (FleetCourier *courier, GError **error)
{
  if (!look_at_sent (courier, error))
    return false;
  say_whether_blocked (courier);
  while (may_carry_out (courier)) {
    g_autoptr (Request) request = g_queue_pop_head (&courier->waiting);
    if (!carry_out (courier, &request, error))
      return false;
  }
  return true;
}

static bool
may_end (const FleetCourier *courier)
{
  const bool is_done = !courier->is_underway && courier->waiting.length == 0;

  return courier->is_ending &&
         (is_done || courier->is_blocked || g_get_monotonic_time () > courier->end_us);
}

/* Serves requests until the session or the courier ends. */
static void
serve (FleetCourier *courier, GError **error)
{
  for (;;) {
    g_autoptr (FleetArrival) arrival = NULL;
    take_requests (courier);
    if (!carry_out_waiting (courier, error) || may_end (courier) ||
        !fleet_link_wait (courier->link, courier->wake, courier->is_underway ? LOOK_US : WAIT_US,
                          &arrival, error))
      return;
    if (arrival)
      send_letter (courier,
                   &(Letter){.kind = FLEET_ARRIVED, .arrival = g_steal_pointer (&arrival)});
  }
}

static void
forget_requests (FleetCourier *courier)
{
  g_queue_clear_full (&courier->waiting, free_request);
  g_clear_pointer (&courier->sent, free_request);
  courier->is_blocked = courier->is_underway = false;
}

/* Waits for a request, which is dropped unless it says that the worker is idle, or is to end.
 * Returns: whether it did, before @end_us. */
static bool
wait_for (FleetCourier *courier, RequestKind kind, gint64 end_us)
{
  for (;;) {
    const gint64 left_us = end_us - g_get_monotonic_time ();
    g_autoptr (Request) request =
        left_us > 0 ? g_async_queue_timeout_pop (courier->requests, (guint64) left_us) : NULL;
    if (!request)
      return false;
    if (request->kind == END)
      begin_to_end (courier);
    if (courier->is_ending)
      return true;
    if (request->kind == kind && request->session == courier->session)
      return true;
  }
}

/* The broker gives what we held to others, and this process may not analyse it beside them. */
static void
wait_until_idle (FleetCourier *courier)
{
  if (wait_for (courier, IDLE, g_get_monotonic_time () + FLEET_STOP_S * G_USEC_PER_SEC))
    return;
  g_printerr ("yolov7-fleet: cameras did not stop within %d s after the broker was lost, so this "
              "process ends: others have them\n",
              FLEET_STOP_S);
  _exit (EXIT_FAILURE);
}

/* Half to all of it, so that workers do not come all at once. */
static void
pause_before_next (FleetCourier *courier)
{
  const double share = g_random_double_range (0.5, 1.0);

  wait_for (courier, END, g_get_monotonic_time () + (gint64) (share * courier->pause_us));
  courier->pause_us = MIN (2 * courier->pause_us, LONGEST_PAUSE_US);
}

static FleetLink *
connect_to_broker (FleetCourier *courier, GError **error)
{
  g_autoptr (FleetLink) link = fleet_link_new (&courier->address, courier->name, error);

  if (!link || !fleet_link_declare (link, error) || !fleet_link_read_notes (link, error))
    return NULL;
  return g_steal_pointer (&link);
}

static void
live_through_session (FleetCourier *courier)
{
  GError *error = NULL;

  courier->session++;
  courier->link = connect_to_broker (courier, &error);
  if (!courier->link) {
    send_letter (courier, &(Letter){.kind = FLEET_AWAY, .error = error});
    return;
  }
  courier->pause_us = FIRST_PAUSE_US;
  send_letter (courier, &(Letter){.kind = FLEET_CONNECTED});
  serve (courier, &error);
  forget_requests (courier);
  if (!courier->is_ending) {
    send_letter (courier, &(Letter){.kind = FLEET_LOST, .error = g_steal_pointer (&error)});
    wait_until_idle (courier);
  }
  g_clear_error (&error);
  g_clear_pointer (&courier->link, fleet_link_free);
}

static gpointer
run (gpointer courier_)
{
  FleetCourier *courier = courier_;

  while (!courier->is_ending) {
    live_through_session (courier);
    if (!courier->is_ending)
      pause_before_next (courier);
  }
  return NULL;
}

/* ---- the worker's side ----------------------------------------------------------------------- */

FleetCourier *
fleet_courier_new (const FleetAddress *address, const char *name, FleetNewsFunc tell,
                   gpointer user_data)
{
  FleetCourier *courier = g_atomic_rc_box_new0 (FleetCourier);

  fleet_address_copy (address, &courier->address);
  courier->name = g_strdup (name);
  courier->tell = tell;
  courier->user_data = user_data;
  courier->context = g_main_context_ref_thread_default ();
  courier->requests = g_async_queue_new_full (free_request);
  courier->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  courier->pause_us = FIRST_PAUSE_US;
  courier->thread = g_thread_new ("courier", run, courier);
  return courier;
}

/* @request: (transfer full) */
static void
ask (FleetCourier *courier, Request *request)
{
  g_async_queue_push (courier->requests, request);
  /* Fails only where it can be read already, as often as a number can say. */
  eventfd_write (courier->wake, 1);
}

static Request *
new_request (RequestKind kind, uint32_t session)
{
  Request *request = g_new0 (Request, 1);

  request->kind = kind;
  request->session = session;
  return request;
}

void
fleet_courier_free (FleetCourier *courier)
{
  if (!courier)
    return;
  courier->has_ended = true;
  ask (courier, new_request (END, 0));
  g_thread_join (courier->thread);
  g_atomic_rc_box_release_full (courier, clear_courier);
}

void
fleet_courier_take (FleetCourier *courier, uint32_t session, uint32_t consumer, uint32_t prefetch)
{
  Request *request = new_request (TAKE, session);

  request->consumer = consumer;
  request->prefetch = prefetch;
  ask (courier, request);
}

void
fleet_courier_settle (FleetCourier *courier, uint32_t session, uint64_t tag, bool is_deleted)
{
  Request *request = new_request (SETTLE, session);

  request->tag = tag;
  request->is_deleted = is_deleted;
  ask (courier, request);
}

void
fleet_courier_send (FleetCourier *courier, uint32_t session, uint64_t tag, const char *queue,
                    const FleetMessage *message)
{
  Request *request = new_request (SEND, session);

  request->tag = tag;
  request->queue = g_strdup (queue);
  request->body = g_bytes_new (message->body, message->size_bytes);
  request->attempts = message->attempts;
  request->failed_s = message->failed_s;
  request->reason = g_strdup (message->reason);
  ask (courier, request);
}

void
fleet_courier_answer (FleetCourier *courier, uint32_t session, const char *queue, const char *text)
{
  Request *request = new_request (ANSWER, session);

  request->queue = g_strdup (queue);
  request->body = g_bytes_new (text, strlen (text) + 1); /* with its NUL */
  ask (courier, request);
}

void
fleet_courier_idle (FleetCourier *courier, uint32_t session)
{
  ask (courier, new_request (IDLE, session));
}
