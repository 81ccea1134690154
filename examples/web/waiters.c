/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/waiters.c - requests that are answered a little later. */
#include "examples/web/waiters.h"

#include <libsoup/soup.h>

#define TRY_MS 100

typedef struct {
  Waiters *waiters; /* borrowed: it frees them */
  SoupServerMessage *message;
  gpointer what;
  gint64 until_us;
  gulong finished, disconnected;
} Waiter;

struct _Waiters {
  WaitersAnswer answer;
  GQueue waiting; /* Waiter * */
  guint timer;    /* 0: nobody waits */
};

static void
waiter_free (Waiter *waiter)
{
  g_signal_handler_disconnect (waiter->message, waiter->finished);
  g_signal_handler_disconnect (waiter->message, waiter->disconnected);
  g_object_unref (waiter->message);
  g_free (waiter);
}

/* He hung up: there is nobody to answer. */
static void
on_gone (SoupServerMessage *message, gpointer user_data)
{
  Waiter *waiter = user_data;
  (void) message;

  g_queue_remove (&waiter->waiters->waiting, waiter);
  waiter_free (waiter);
}

/* Taken off first: what libsoup does then may end the message. */
static void
let_go (Waiters *self, GList *link)
{
  Waiter *waiter = link->data;
  g_autoptr (SoupServerMessage) message = g_object_ref (waiter->message);

  g_queue_delete_link (&self->waiting, link);
  waiter_free (waiter);
  soup_server_message_unpause (message);
}

static gboolean
on_timer (gpointer user_data)
{
  Waiters *self = user_data;

  for (GList *link = self->waiting.head; link;) {
    GList *next = link->next;
    const Waiter *waiter = link->data;
    if (self->answer (waiter->message, waiter->what, g_get_monotonic_time () > waiter->until_us))
      let_go (self, link);
    link = next;
  }
  if (!g_queue_is_empty (&self->waiting))
    return G_SOURCE_CONTINUE;
  self->timer = 0;
  return G_SOURCE_REMOVE;
}

Waiters *
waiters_new (WaitersAnswer answer)
{
  Waiters *self = g_new0 (Waiters, 1);

  self->answer = answer;
  g_queue_init (&self->waiting);
  return self;
}

void
waiters_free (Waiters *self)
{
  if (!self)
    return;
  while (!g_queue_is_empty (&self->waiting)) {
    const Waiter *waiter = g_queue_peek_head (&self->waiting);
    self->answer (waiter->message, waiter->what, true);
    let_go (self, self->waiting.head);
  }
  g_clear_handle_id (&self->timer, g_source_remove);
  g_free (self);
}

void
waiters_add (Waiters *self, SoupServerMessage *message, gpointer what)
{
  Waiter *waiter = g_new0 (Waiter, 1);

  *waiter = (Waiter){
      .waiters = self,
      .message = g_object_ref (message),
      .what = what,
      .until_us = g_get_monotonic_time () + WAITERS_PATIENCE_S * G_USEC_PER_SEC,
      .finished = g_signal_connect (message, "finished", G_CALLBACK (on_gone), waiter),
      .disconnected = g_signal_connect (message, "disconnected", G_CALLBACK (on_gone), waiter),
  };
  g_queue_push_tail (&self->waiting, waiter);
  soup_server_message_pause (message);
  if (self->timer == 0)
    self->timer = g_timeout_add (TRY_MS, on_timer, self);
}
