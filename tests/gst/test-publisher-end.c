/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publisher-end.c - how a publisher ends, when its worker rests and is woken, and
 * the worker itself. */
#include "tests/gst/stepping.h"

static void
it_drains_before_it_ends (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.answers = false;
  push_records (publisher, 0, 3);
  yv_publisher_finish (publisher, START + 5 * S);
  g_assert_cmpint (steps (publisher, START, 3), ==, START);
  g_assert_cmpuint (yv_fake.texts->len, ==, 3);
  yv_fake_answer (3);
  g_assert_cmpint (yv_publisher_step (publisher, START + S), ==, -1);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_lost, ==, 0);
  end (publisher);
}

static void
time_is_up_at_the_end (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.answers = false;
  push_records (publisher, 0, 3);
  yv_publisher_finish (publisher, START + S / 2);
  steps (publisher, START, 2);
  g_assert_cmpint (yv_fake.last_timeout_ms, ==, 500); /* no longer than there is time */
  yv_fake_answer (1);
  g_assert_cmpint (yv_publisher_step (publisher, START + S), ==, -1);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_lost, ==, 2);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_arrived, ==, 1);
  end (publisher);
}

static void
the_end_does_not_wait_for_the_next_attempt (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 1);
  g_assert_cmpint (steps (publisher, START, 3), >, START);
  yv_fake.is_unreachable = false;
  yv_publisher_finish (publisher, START + 5 * S);
  g_assert_cmpint (steps (publisher, START, 5), ==, -1);
  g_assert_cmpuint (yv_fake.texts->len, ==, 1);
  end (publisher);
}

static void
the_end_does_not_wait_longer_than_it_may (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 1);
  steps (publisher, START, 3);
  yv_publisher_finish (publisher, START + S / 10);
  g_assert_cmpint (steps (publisher, START, 5), ==, START + S / 10);
  g_assert_cmpint (yv_publisher_step (publisher, START + S / 10), ==, -1);
  g_assert_cmpuint (yv_publisher_stats (publisher).n_lost, ==, 1);
  end (publisher);
}

static void
push_two (void *publisher)
{
  push_records (publisher, 3, 2);
}

static void
only_a_worker_that_waits_is_woken (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  push_records (publisher, 0, 3);
  steps (publisher, START, 3);
  g_assert_cmpuint (yv_fake.n_wakes, ==, 0);
  yv_fake.on_poll = push_two;
  yv_fake.on_poll_data = publisher;
  steps (publisher, START, 1);
  g_assert_cmpuint (yv_fake.n_wakes, ==, 1);
  steps (publisher, START, 1);
  g_assert_cmpuint (yv_fake.texts->len, ==, 5);
  end (publisher);
}

static void
records_that_come_while_it_rests_go_together (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){.rest_us = 10000});

  push_records (publisher, 0, 1);
  steps (publisher, START, 2);
  g_assert_cmpuint (yv_fake.texts->len, ==, 1);
  push_records (publisher, 1, 1);
  steps (publisher, START + 4000, 1);
  push_records (publisher, 2, 1);
  g_assert_cmpuint (yv_fake.n_wakes, ==, 0);
  g_assert_cmpuint (yv_fake.texts->len, ==, 1);
  g_assert_cmpint (yv_fake.last_timeout_ms, ==, 6); /* until it has rested */
  steps (publisher, START + 10000, 1);
  g_assert_cmpuint (yv_fake.texts->len, ==, 3);
  end (publisher);
}

static void
it_does_not_rest_at_the_end_or_while_more_waits (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){.rest_us = 10000});

  push_records (publisher, 0, 600); /* of which a step sends some */
  steps (publisher, START, 4);
  g_assert_cmpuint (yv_fake.texts->len, ==, 600);
  push_records (publisher, 600, 1);
  steps (publisher, START, 1);
  g_assert_cmpuint (yv_fake.texts->len, ==, 600);
  yv_publisher_finish (publisher, START + S);
  steps (publisher, START, 1);
  g_assert_cmpuint (yv_fake.texts->len, ==, 601);
  end (publisher);
}

/* With its own thread, as in the element. */
static void
a_worker_carries_what_is_pushed (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){.max_records = 100000});

  yv_publisher_start (publisher);
  push_records (publisher, 0, 1000);
  g_assert_true (yv_publisher_drain (publisher, 60 * S));
  push_records (publisher, 1000, 10);
  g_assert_cmpuint (yv_publisher_stop (publisher, 60 * S), ==, 0);
  g_assert_cmpuint (yv_fake.texts->len, ==, 1010);
  yv_publisher_free (publisher);
}

static void
stopping_ends_a_worker_that_waits_to_connect (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 7);
  yv_publisher_start (publisher);
  g_assert_cmpuint (yv_publisher_stop (publisher, 1000), ==, 7);
  assert_adds_up (publisher);
  yv_publisher_free (publisher);
}

static void
draining_ends_when_time_is_up (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 1);
  yv_publisher_start (publisher);
  g_assert_false (yv_publisher_drain (publisher, 1000));
  g_assert_cmpuint (yv_publisher_stop (publisher, 0), ==, 1);
  yv_publisher_free (publisher);
}

/* Somebody drains, but has no time, while the worker waits for its next attempt. */
static void
draining_does_not_wait_for_the_next_attempt (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 1);
  g_assert_cmpint (steps (publisher, START, 3), >, START);
  yv_fake.is_unreachable = false;
  g_assert_false (yv_publisher_drain (publisher, 0));
  steps (publisher, START, 3);
  g_assert_cmpuint (yv_fake.texts->len, ==, 1);
  end (publisher);
}

/* One attempt is made earlier, not all that follow; none where none is made any more. */
static void
draining_hurries_one_attempt (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){.max_attempts = 2});

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 1);
  steps (publisher, START, 3);
  g_assert_false (yv_publisher_drain (publisher, 0));
  g_assert_cmpint (steps (publisher, START, 5), ==, G_MAXINT64); /* it has given up */
  g_assert_cmpuint (yv_fake.n_connects, ==, 2);
  push_records (publisher, 1, 1);
  g_assert_true (yv_publisher_drain (publisher, 0));
  end (publisher);
}

/* Would wait for ten minutes: the test's time is up before. */
static void
an_interruption_lasts_until_it_is_taken_back (void)
{
  YvPublisher *publisher = publisher_new ((YvPublisherOptions){0});

  yv_fake.is_unreachable = true;
  push_records (publisher, 0, 1);
  yv_publisher_interrupt (publisher);
  g_assert_false (yv_publisher_drain (publisher, 600 * S));
  g_assert_false (yv_publisher_drain (publisher, 600 * S));
  yv_fake.is_unreachable = false;
  yv_publisher_resume (publisher);
  yv_publisher_start (publisher);
  g_assert_true (yv_publisher_drain (publisher, 600 * S));
  g_assert_cmpuint (yv_publisher_stop (publisher, 60 * S), ==, 0);
  yv_publisher_free (publisher);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/publisher-end/" #name, name)
  TEST (it_drains_before_it_ends);
  TEST (time_is_up_at_the_end);
  TEST (the_end_does_not_wait_for_the_next_attempt);
  TEST (the_end_does_not_wait_longer_than_it_may);
  TEST (only_a_worker_that_waits_is_woken);
  TEST (records_that_come_while_it_rests_go_together);
  TEST (it_does_not_rest_at_the_end_or_while_more_waits);
  TEST (a_worker_carries_what_is_pushed);
  TEST (stopping_ends_a_worker_that_waits_to_connect);
  TEST (draining_ends_when_time_is_up);
  TEST (draining_does_not_wait_for_the_next_attempt);
  TEST (draining_hurries_one_attempt);
  TEST (an_interruption_lasts_until_it_is_taken_back);
#undef TEST
  return g_test_run ();
}
