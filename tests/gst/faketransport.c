/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/faketransport.c - a transport that does what a test says. */
#include "tests/gst/faketransport.h"

#include "engine/error.h"

YvFake yv_fake;

void
yv_fake_reset (void)
{
  g_clear_pointer (&yv_fake.texts, g_ptr_array_unref);
  g_clear_pointer (&yv_fake.open, g_array_unref);
  yv_fake = (YvFake){.answers = true, .n_before_break = -1, .n_before_full = -1};
  yv_fake.texts = g_ptr_array_new_with_free_func (g_free);
  yv_fake.open = g_array_new (FALSE, FALSE, sizeof (uint64_t));
}

void
yv_fake_answer (uint32_t n)
{
  for (; n > 0; n--) {
    const uint64_t id = g_array_index (yv_fake.open, uint64_t, 0);
    g_array_remove_index (yv_fake.open, 0);
    yv_fake.events.done (yv_fake.events.user_data, id, NULL);
  }
}

static void *
fake_new (const YvTransportConfig *config, const YvTransportEvents *events, GError **error)
{
  (void) config;
  if (yv_fake.is_refusing_config) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "no such address");
    return NULL;
  }
  yv_fake.events = *events;
  return &yv_fake;
}

static bool
fake_connect (void *self, int timeout_ms, GError **error)
{
  (void) self;
  g_assert_false (yv_fake.is_connected);
  g_assert_cmpint (timeout_ms, >=, 0);
  yv_fake.n_connects++;
  yv_fake.last_timeout_ms = timeout_ms;
  if (yv_fake.is_unreachable) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "nobody is there");
    return false;
  }
  yv_fake.is_connected = true;
  return true;
}

static YvSend
fake_send (void *self, uint64_t id, const char *bytes, size_t n_bytes, bool again, GError **error)
{
  (void) self;
  g_assert_true (yv_fake.is_connected);
  g_assert_cmpint (again, ==, g_strstr_len (bytes, (gssize) n_bytes, "redelivered") != NULL);
  if (id == yv_fake.refused_id) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "too large");
    return YV_SEND_REFUSED;
  }
  if (yv_fake.n_before_full >= 0 && yv_fake.open->len >= (guint) yv_fake.n_before_full)
    return YV_SEND_FULL;
  if (yv_fake.n_before_break == 0) {
    yv_fake.n_before_break = -1;
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "the line went dead");
    return YV_SEND_BROKEN;
  }
  if (yv_fake.n_before_break > 0)
    yv_fake.n_before_break--;
  g_ptr_array_add (yv_fake.texts, g_strndup (bytes, n_bytes));
  if (yv_fake.answers)
    yv_fake.events.done (yv_fake.events.user_data, id, NULL);
  else
    g_array_append_val (yv_fake.open, id);
  return YV_SEND_TAKEN;
}

static bool
fake_poll (void *self, int timeout_ms, GError **error)
{
  (void) self;
  g_assert_true (yv_fake.is_connected);
  g_assert_cmpint (timeout_ms, >=, 0);
  g_assert_cmpint (timeout_ms, <=, 1000);
  yv_fake.n_polls++;
  yv_fake.last_timeout_ms = timeout_ms;
  if (yv_fake.on_poll) {
    void (*on_poll) (void *) = yv_fake.on_poll;
    yv_fake.on_poll = NULL;
    on_poll (yv_fake.on_poll_data);
  }
  if (!yv_fake.poll_breaks)
    return true;
  yv_fake.poll_breaks = false;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "the line went dead");
  return false;
}

static void
fake_wake (void *self)
{
  (void) self;
  yv_fake.n_wakes++;
}

static void
fake_cancel (void *self)
{
  (void) self;
  yv_fake.is_cancelled = true;
}

static void
fake_disconnect (void *self)
{
  (void) self;
  g_assert_true (yv_fake.is_connected);
  yv_fake.is_connected = false;
  yv_fake.n_disconnects++;
  g_array_set_size (yv_fake.open, 0);
}

static void
fake_free (void *self)
{
  g_assert_true (!self || !yv_fake.is_connected);
  yv_fake.is_freed = true;
}

const YvTransport yv_transport_fake = {
    .name = "fake",
    .new = fake_new,
    .connect = fake_connect,
    .send = fake_send,
    .poll = fake_poll,
    .wake = fake_wake,
    .cancel = fake_cancel,
    .disconnect = fake_disconnect,
    .free = fake_free,
};
