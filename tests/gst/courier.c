/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/courier.c - a publisher at work. */
#include "tests/gst/courier.h"

#define MAX_DRAIN_US (60 * G_USEC_PER_SEC)

static void
count_trouble (void *user_data, const GError *error)
{
  g_test_message ("trouble: %s", error->message);
  g_atomic_int_inc (&((Courier *) user_data)->n_troubles);
}

static void
count_recovery (void *user_data, const char *text)
{
  g_test_message ("recovery: %s", text);
  g_atomic_int_inc (&((Courier *) user_data)->n_recoveries);
}

static void
ignore_log (void *user_data, const char *text)
{
  (void) user_data, (void) text;
}

Courier *
courier_new (const YvTransport *transport, const YvTransportConfig *config)
{
  const YvPublisherOptions options = {
      .max_records = 100000, .max_bytes = G_MAXSIZE / 2, .max_wait_us = G_USEC_PER_SEC};
  Courier *courier = g_new0 (Courier, 1);
  const YvPublisherEvents events = {count_trouble, count_recovery, ignore_log, courier};
  g_autoptr (GError) error = NULL;

  courier->publisher = yv_publisher_new (transport, config, &options, &events, &error);
  g_assert_no_error (error);
  yv_publisher_start (courier->publisher);
  return courier;
}

uint64_t
courier_stop (Courier *courier)
{
  courier->is_stopped = true;
  return yv_publisher_stop (courier->publisher, 0);
}

void
courier_free (Courier *courier)
{
  if (!courier)
    return;
  if (!courier->is_stopped)
    courier_stop (courier);
  yv_publisher_free (courier->publisher);
  g_free (courier);
}

void
courier_push (Courier *courier, uint32_t first, uint32_t n)
{
  for (uint32_t i = first; i < first + n; i++) {
    g_autofree char *text = g_strdup_printf ("{\"sequence\":%u}", i);
    yv_publisher_push (courier->publisher, text, strlen (text));
  }
}

void
courier_assert_all_arrive (Courier *courier, uint32_t n)
{
  g_assert_true (yv_publisher_drain (courier->publisher, MAX_DRAIN_US));
  const YvPublisherStats stats = yv_publisher_stats (courier->publisher);
  g_assert_cmpuint (stats.n_arrived, ==, n);
  g_assert_cmpuint (stats.n_dropped + stats.n_refused + stats.n_lost, ==, 0);
}
