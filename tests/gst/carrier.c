/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/carrier.c - a transport under test, driven without a publisher. */
#include "tests/gst/carrier.h"

#include <string.h>

#define CONNECT_MS 10000
#define POLL_MS 1000

static void
assert_holds_no_secret (const char *text)
{
  if (text && strstr (text, CARRIER_SECRET))
    g_error ("the password is in: %s", text);
}

static void
remember_done (void *user_data, uint64_t id, const char *refusal)
{
  Carrier *carrier = user_data;

  g_array_append_val (carrier->done, id);
  if (!refusal)
    return;
  assert_holds_no_secret (refusal);
  g_free (carrier->refusal);
  carrier->refusal = g_strdup (refusal);
}

static void
remember_log (void *user_data, const char *text)
{
  Carrier *carrier = user_data;

  g_string_append_printf (carrier->log, "%s\n", text);
}

/* The error that comes next replaces it. */
static GError **
next_error (Carrier *carrier)
{
  g_clear_error (&carrier->error);
  return &carrier->error;
}

static Carrier *
make (const YvTransport *transport, const YvTransportConfig *config)
{
  Carrier *carrier = g_new0 (Carrier, 1);
  const YvTransportEvents events = {remember_done, remember_log, carrier};

  carrier->transport = transport;
  carrier->done = g_array_new (FALSE, FALSE, sizeof (uint64_t));
  carrier->log = g_string_new (NULL);
  carrier->self = transport->new (config, &events, &carrier->error);
  g_assert_true (!carrier->self == (carrier->error != NULL));
  return carrier;
}

Carrier *
carrier_new (const YvTransport *transport, const YvTransportConfig *config)
{
  Carrier *carrier = make (transport, config);

  g_assert_no_error (carrier->error);
  return carrier;
}

char *
carrier_refuse (const YvTransport *transport, const YvTransportConfig *config)
{
  g_autoptr (Carrier) carrier = make (transport, config);

  g_assert_null (carrier->self);
  return g_strdup (carrier->error->message);
}

void
carrier_free (Carrier *carrier)
{
  if (!carrier)
    return;
  carrier->transport->free (carrier->self);
  assert_holds_no_secret (carrier->log->str);
  assert_holds_no_secret (carrier->error ? carrier->error->message : NULL);
  g_array_unref (carrier->done);
  g_free (carrier->refusal);
  g_string_free (carrier->log, TRUE);
  g_clear_error (&carrier->error);
  g_free (carrier);
}

void
carrier_connect (Carrier *carrier)
{
  const bool is_connected =
      carrier->transport->connect (carrier->self, CONNECT_MS, next_error (carrier));

  g_assert_no_error (carrier->error);
  g_assert_true (is_connected);
}

const char *
carrier_fail_to_connect (Carrier *carrier, int timeout_ms)
{
  g_assert_false (carrier->transport->connect (carrier->self, timeout_ms, next_error (carrier)));
  g_assert_nonnull (carrier->error);
  assert_holds_no_secret (carrier->error->message);
  g_test_message ("%s", carrier->error->message);
  return carrier->error->message;
}

const char *
carrier_fail_until_it_says (Carrier *carrier, int timeout_ms, const char *part)
{
  const char *message = carrier_fail_to_connect (carrier, timeout_ms);

  while (!strstr (message, part))
    message = carrier_fail_to_connect (carrier, timeout_ms);
  return message;
}

static bool
poll_once (Carrier *carrier)
{
  const bool is_fine = carrier->transport->poll (carrier->self, POLL_MS, next_error (carrier));

  carrier->n_polled++;
  g_assert_true (is_fine == (carrier->error == NULL));
  return is_fine;
}

bool
carrier_send (Carrier *carrier, uint64_t first, uint32_t n)
{
  for (uint64_t id = first; id < first + n;) {
    g_autofree char *text = g_strdup_printf ("{\"sequence\":%" G_GUINT64_FORMAT "}", id);
    const YvSend result = carrier->transport->send (carrier->self, id, text, strlen (text), false,
                                                    next_error (carrier));
    g_assert_cmpint (result, !=, YV_SEND_REFUSED);
    g_assert_true ((result == YV_SEND_BROKEN) == (carrier->error != NULL));
    if (result == YV_SEND_BROKEN || (result == YV_SEND_FULL && !poll_once (carrier)))
      return false;
    id += result == YV_SEND_TAKEN;
  }
  return true;
}

bool
carrier_wait_for (Carrier *carrier, guint n_done)
{
  while (carrier->done->len < n_done) {
    if (!poll_once (carrier))
      return false;
  }
  return true;
}

const char *
carrier_wait_for_break (Carrier *carrier)
{
  while (poll_once (carrier))
    continue;
  assert_holds_no_secret (carrier->error->message);
  g_test_message ("%s", carrier->error->message);
  return carrier->error->message;
}

void
carrier_assert_done (const Carrier *carrier, uint64_t first, uint32_t n)
{
  g_assert_cmpuint (carrier->done->len, >=, n);
  for (uint32_t i = 0; i < n; i++)
    g_assert_cmpuint (g_array_index (carrier->done, uint64_t, carrier->done->len - n + i), ==,
                      first + i);
}

void
carrier_assert_says (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_error ("expected \"%s\" in \"%s\"", part, text);
}
