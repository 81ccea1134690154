/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publisher.c - records through a transport that breaks, fills up and refuses, step
 * by step and with a clock of the test's own. */
#include <string.h>

#include "engine/error.h"
#include "tests/gst/stepping.h"

static void
records_arrive_in_order (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  push_records (publisher, 0, 700); /* more than one step sends */
  steps (publisher, START, 10);
  g_assert_cmpuint (yv_fake.texts->len, ==, 700);
  for (guint i = 0; i < 700; i++) {
    g_autofree char *expected = g_strdup_printf ("{\"n\":%u}", i);
    assert_text (i, expected);
  }
  const YvPublisherStats stats = yv_publisher_stats (publisher);
  g_assert_cmpuint (stats.n_arrived, ==, 700);
  g_assert_cmpuint (stats.n_waiting, ==, 0);
  g_assert_true (stats.is_connected);
  g_assert_cmpuint (troubles->len + recoveries->len, ==, 0);
  end (publisher);
}

static void
a_transport_that_refuses_its_configuration_is_an_error (void)
{
  const YvPublisherOptions options = {.max_records = 1, .max_bytes = 100, .max_wait_us = S};
  const YvPublisherEvents events = {0};
  const YvTransportConfig config = {0};
  g_autoptr (GError) error = NULL;

  yv_fake_reset ();
  yv_fake.is_refusing_config = true;
  g_assert_null (yv_publisher_new (&yv_transport_fake, &config, &options, &events, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

static void
what_was_open_when_a_connection_broke_is_sent_again (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.answers = false;
  push_records (publisher, 0, 4);
  steps (publisher, START, 2);
  yv_fake_answer (1);
  yv_fake.poll_breaks = true;
  steps (publisher, START, 1);
  g_assert_false (yv_fake.is_connected);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_sent_again, ==, 3);
  g_assert_cmpuint (troubles->len, ==, 1);
  push_records (publisher, 4, 1);

  yv_fake.answers = true;
  int64_t due_us = steps (publisher, START, 10);
  g_assert_cmpint (due_us, >, START);
  steps (publisher, due_us, 3);
  assert_text (4, "{\"n\":1,\"redelivered\":true}");
  assert_text (5, "{\"n\":2,\"redelivered\":true}");
  assert_text (6, "{\"n\":3,\"redelivered\":true}");
  assert_text (7, "{\"n\":4}");
  g_assert_cmpuint (yv_fake.texts->len, ==, 8);
  g_assert_cmpuint (recoveries->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (recoveries, 0), "3 were sent a second time"));
  g_assert_cmpuint (yv_publisher_stats (publisher).n_arrived, ==, 5);
  end (publisher);
}

static void
a_record_in_hand_when_the_line_goes_dead_is_sent_again (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.n_before_break = 2;
  push_records (publisher, 0, 4);
  int64_t due_us = steps (publisher, START, 10);
  g_assert_cmpuint (yv_fake.n_disconnects, ==, 1);
  steps (publisher, due_us, 4);
  assert_text (1, "{\"n\":1}");
  assert_text (2, "{\"n\":2,\"redelivered\":true}");
  assert_text (3, "{\"n\":3}");
  end (publisher);
}

static void
late_answers_of_an_old_connection_count_for_nothing (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.answers = false;
  push_records (publisher, 0, 1);
  steps (publisher, START, 2);
  const uint64_t id = g_array_index (yv_fake.open, uint64_t, 0);
  yv_fake.poll_breaks = true;
  steps (publisher, START, 1);
  yv_fake.events.done (yv_fake.events.user_data, id, NULL);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_arrived, ==, 0);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_waiting, ==, 1);
  end (publisher);
}

static void
a_full_transport_gets_the_same_record_once_more (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.answers = false;
  yv_fake.n_before_full = 2;
  push_records (publisher, 0, 4);
  steps (publisher, START, 4);
  g_assert_cmpuint (yv_fake.texts->len, ==, 2);
  g_assert_cmpint (yv_fake.last_timeout_ms, ==, 1000); /* it waits, and does not spin */
  yv_fake_answer (1);
  steps (publisher, START, 2);
  g_assert_cmpuint (yv_fake.texts->len, ==, 3);
  assert_text (2, "{\"n\":2}");
  yv_fake_answer (2);
  steps (publisher, START, 2);
  assert_text (3, "{\"n\":3}");
  end (publisher);
}

static void
a_refused_record_is_lost_alone (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.refused_id = 2;
  push_records (publisher, 1, 3);
  steps (publisher, START, 3);
  g_assert_cmpuint (yv_fake.texts->len, ==, 2);
  assert_text (1, "{\"n\":3}");
  g_assert_cmpuint (yv_publisher_stats (publisher).n_refused, ==, 1);
  g_assert_cmpuint (troubles->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (troubles, 0), "too large"));
  g_assert_cmpuint (yv_publisher_stats (publisher).n_outages, ==, 0);
  end (publisher);
}

static void
waits_double_up_to_the_longest (void)
{
  g_assert_cmpint (yv_publisher_wait_us (1, 30 * S), ==, 1 * S);
  g_assert_cmpint (yv_publisher_wait_us (2, 30 * S), ==, 2 * S);
  g_assert_cmpint (yv_publisher_wait_us (5, 30 * S), ==, 16 * S);
  g_assert_cmpint (yv_publisher_wait_us (6, 30 * S), ==, 30 * S);
  g_assert_cmpint (yv_publisher_wait_us (G_MAXUINT32, 30 * S), ==, 30 * S);
  g_assert_cmpint (yv_publisher_wait_us (1, 1 * S), ==, 1 * S);
}

static void
attempts_are_further_and_further_apart (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){.max_wait_us = 8 * S});
  int64_t now_us = START;

  yv_fake.is_unreachable = true;
  for (uint32_t i = 1; i <= 6; i++) {
    const int64_t until_us = steps (publisher, now_us, 3);
    const int64_t longest_us = yv_publisher_wait_us (i, 8 * S);
    g_assert_cmpuint (yv_fake.n_connects, ==, i);
    g_assert_cmpint (until_us - now_us, <=, longest_us);
    g_assert_cmpint (until_us - now_us, >=, longest_us / 2);
    now_us = until_us;
  }
  g_assert_cmpuint (troubles->len, ==, 1); /* one outage, one word */
  g_assert_cmpuint (yv_publisher_stats (publisher).n_outages, ==, 1);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_attempts_failed, ==, 6);

  yv_fake.is_unreachable = false;
  steps (publisher, now_us, 3);
  g_assert_cmpuint (recoveries->len, ==, 1);
  end (publisher);
}

/* As a disk that is full: it opens, and does not take a byte. */
static void
a_connection_without_use_does_not_start_the_waits_over (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});
  int64_t now_us = START;

  push_records (publisher, 0, 1);
  for (uint32_t i = 1; i <= 4; i++) {
    yv_fake.n_before_break = 0;
    const int64_t until_us = steps (publisher, now_us, 4);
    g_assert_cmpuint (yv_fake.n_connects, ==, i);
    g_assert_cmpint (until_us - now_us, >=, yv_publisher_wait_us (i, 30 * S) / 2);
    now_us = until_us;
  }
  g_assert_cmpuint (troubles->len, ==, 1);
  g_assert_cmpuint (recoveries->len, ==, 0);
  steps (publisher, now_us, 3);
  g_assert_cmpuint (recoveries->len, ==, 1);
  assert_text (0, "{\"n\":0,\"redelivered\":true}");
  end (publisher);
}

static void
outages_close_to_each_other_are_told_once (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});
  int64_t now_us = START;

  for (int i = 0; i < 5; i++) {
    steps (publisher, now_us, 2);
    yv_fake.poll_breaks = true;
    now_us = steps (publisher, now_us, 3); /* within a second */
  }
  g_assert_cmpuint (yv_publisher_stats (publisher).n_outages, ==, 5);
  g_assert_cmpuint (troubles->len, ==, 1);
  g_assert_cmpuint (recoveries->len, ==, 1);
  /* One that lasts is told after all. */
  yv_fake.is_unreachable = true;
  for (int i = 0; i < 5; i++)
    now_us = steps (publisher, now_us, 3);
  g_assert_cmpuint (troubles->len, ==, 2);
  end (publisher);
}

static void
after_its_last_attempt_it_gives_up (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){.max_attempts = 3});
  int64_t now_us = START;

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 5);
  for (int i = 0; i < 3; i++)
    now_us = steps (publisher, now_us, 3);
  g_assert_cmpint (now_us, ==, G_MAXINT64);
  g_assert_cmpuint (yv_fake.n_connects, ==, 3);
  g_assert_true (yv_publisher_stats (publisher).has_given_up);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_dropped, ==, 5);
  g_assert_nonnull (strstr (g_ptr_array_index (troubles, troubles->len - 1), "gave up after 3"));
  push_records (publisher, 5, 2);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_dropped, ==, 7);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_waiting, ==, 0);
  end (publisher);
}

static void
a_full_outbox_drops_and_says_so_once (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){.max_records = 10});

  yv_fake.is_unreachable = true;
  int64_t now_us = steps (publisher, START, 3);
  push_records (publisher, 0, 25);
  for (int i = 0; i < 6; i++)
    now_us = steps (publisher, now_us, 3);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_dropped, ==, 15);
  g_assert_cmpuint (troubles->len, ==, 2); /* the outage, the drops */
  g_assert_nonnull (strstr (g_ptr_array_index (troubles, 1), "queue of 10 records"));
  push_records (publisher, 25, 5);
  for (int i = 0; i < 3; i++)
    now_us = steps (publisher, now_us, 3);
  g_assert_cmpuint (troubles->len, ==, 2);
  yv_fake.is_unreachable = false;
  steps (publisher, now_us, 3);
  assert_text (0, "{\"n\":20}");
  assert_text (9, "{\"n\":29}");
  end (publisher);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/publisher/" #name, name)
  TEST (records_arrive_in_order);
  TEST (a_transport_that_refuses_its_configuration_is_an_error);
  TEST (what_was_open_when_a_connection_broke_is_sent_again);
  TEST (a_record_in_hand_when_the_line_goes_dead_is_sent_again);
  TEST (late_answers_of_an_old_connection_count_for_nothing);
  TEST (a_full_transport_gets_the_same_record_once_more);
  TEST (a_refused_record_is_lost_alone);
  TEST (waits_double_up_to_the_longest);
  TEST (attempts_are_further_and_further_apart);
  TEST (a_connection_without_use_does_not_start_the_waits_over);
  TEST (outages_close_to_each_other_are_told_once);
  TEST (after_its_last_attempt_it_gives_up);
  TEST (a_full_outbox_drops_and_says_so_once);
#undef TEST
  return g_test_run ();
}
