/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/stepping.c - a publisher that a test moves on. */
#include "tests/gst/stepping.h"

#include <string.h>

GPtrArray *troubles, *recoveries;

static void
on_trouble (void *user_data, const GError *error)
{
  (void) user_data;
  g_assert_nonnull (error);
  g_ptr_array_add (troubles, g_strdup (error->message));
}

static void
on_recovery (void *user_data, const char *text)
{
  (void) user_data;
  g_ptr_array_add (recoveries, g_strdup (text));
}

static void
on_log (void *user_data, const char *text)
{
  (void) user_data;
  (void) text;
}

YvPublisher *
publisher_new (YvPublisherOptions options)
{
  const YvPublisherEvents events = {on_trouble, on_recovery, on_log, NULL};
  const YvTransportConfig config = {0};

  yv_fake_reset ();
  g_clear_pointer (&troubles, g_ptr_array_unref);
  g_clear_pointer (&recoveries, g_ptr_array_unref);
  troubles = g_ptr_array_new_with_free_func (g_free);
  recoveries = g_ptr_array_new_with_free_func (g_free);
  options.max_records = options.max_records ? options.max_records : 1000;
  options.max_bytes = options.max_bytes ? options.max_bytes : 1000000;
  options.max_wait_us = options.max_wait_us ? options.max_wait_us : 30 * S;
  options.random_seed = 1;
  return yv_publisher_new (&yv_transport_fake, &config, &options, &events, NULL);
}

void
push_records (YvPublisher *publisher, int first, int n)
{
  for (int i = first; i < first + n; i++) {
    g_autofree char *text = g_strdup_printf ("{\"n\":%d}", i);
    yv_publisher_push (publisher, text, strlen (text));
  }
}

int64_t
steps (YvPublisher *publisher, int64_t now_us, int most)
{
  int64_t until_us = 0;

  for (int i = 0; i < most && until_us <= now_us && until_us >= 0; i++)
    until_us = yv_publisher_step (publisher, now_us);
  return until_us;
}

void
assert_text (guint i, const char *expected)
{
  g_assert_cmpuint (i, <, yv_fake.texts->len);
  g_assert_cmpstr (g_ptr_array_index (yv_fake.texts, i), ==, expected);
}

void
assert_adds_up (YvPublisher *publisher)
{
  const YvPublisherStats s = yv_publisher_stats (publisher);

  /* What was answered for behind an older one has arrived, and waits to be forgotten. */
  g_assert_cmpuint (s.n_pushed, <=,
                    s.n_arrived + s.n_dropped + s.n_refused + s.n_lost + s.n_waiting);
  if (s.n_waiting == 0)
    g_assert_cmpuint (s.n_pushed, ==, s.n_arrived + s.n_dropped + s.n_refused + s.n_lost);
}

void
end (YvPublisher *publisher)
{
  yv_publisher_finish (publisher, 0);
  g_assert_cmpint (yv_publisher_step (publisher, START), ==, -1);
  assert_adds_up (publisher);
  g_assert_false (yv_fake.is_connected);
  yv_publisher_free (publisher);
  g_assert_true (yv_fake.is_freed);
}
