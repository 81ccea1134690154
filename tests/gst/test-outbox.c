/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-outbox.c - records on their way: in order, bounded, each until it is answered for.
 */
#include <string.h>

#include "gst/publish/outbox.h"

static uint32_t
add (YvOutbox *outbox, int n)
{
  g_autofree char *text = g_strdup_printf ("{\"n\":%d}", n);

  return yv_outbox_add (outbox, text, strlen (text));
}

/* Returns the id of the record that is sent, which must be the one with @n. */
static uint64_t
assert_sends (YvOutbox *outbox, int n)
{
  g_autofree char *expected = g_strdup_printf ("{\"n\":%d}", n);
  const YvRecord *record = yv_outbox_send (outbox);

  g_assert_nonnull (record);
  g_assert_cmpmem (record->text, record->n_bytes, expected, strlen (expected));
  g_assert_false (record->again);
  return record->id;
}

static void
assert_sends_again (YvOutbox *outbox, int n)
{
  g_autofree char *expected = g_strdup_printf ("{\"n\":%d,\"redelivered\":true}", n);
  const YvRecord *record = yv_outbox_send (outbox);

  g_assert_nonnull (record);
  g_assert_cmpmem (record->text, record->n_bytes, expected, strlen (expected));
  g_assert_true (record->again);
}

static void
records_leave_in_the_order_they_came (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (7, 1000);

  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < 5; i++)
      g_assert_cmpuint (add (outbox, 5 * round + i), ==, 0);
    for (int i = 0; i < 5; i++)
      g_assert_true (yv_outbox_answer (outbox, assert_sends (outbox, 5 * round + i)));
    g_assert_null (yv_outbox_send (outbox));
    g_assert_cmpuint (yv_outbox_n_records (outbox), ==, 0);
    g_assert_cmpuint (yv_outbox_n_bytes (outbox), ==, 0);
  }
}

static void
a_full_outbox_drops_the_oldest_that_is_not_sent (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (4, 1000);

  for (int i = 0; i < 4; i++)
    add (outbox, i);
  const uint64_t first = assert_sends (outbox, 0);
  g_assert_cmpuint (add (outbox, 4), ==, 1);
  g_assert_cmpuint (add (outbox, 5), ==, 1);
  g_assert_cmpuint (yv_outbox_n_records (outbox), ==, 4);
  assert_sends (outbox, 3);
  assert_sends (outbox, 4);
  assert_sends (outbox, 5);
  g_assert_true (yv_outbox_answer (outbox, first));
}

static void
what_is_sent_is_never_dropped (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (3, 1000);

  for (int i = 0; i < 3; i++)
    add (outbox, i);
  for (int i = 0; i < 3; i++)
    assert_sends (outbox, i);
  g_assert_cmpuint (add (outbox, 3), ==, 1);
  g_assert_null (yv_outbox_send (outbox));
  g_assert_cmpuint (yv_outbox_take_back (outbox), ==, 3);
  for (int i = 0; i < 3; i++)
    assert_sends_again (outbox, i);
}

static void
bytes_are_bounded_too (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (1000, 28); /* 4 records of 7 bytes */

  for (int i = 0; i < 4; i++)
    g_assert_cmpuint (add (outbox, i), ==, 0);
  g_assert_cmpuint (add (outbox, 4), ==, 1);
  g_assert_cmpuint (add (outbox, 10), ==, 2); /* 8 bytes: two have to go */
  g_assert_cmpuint (yv_outbox_n_bytes (outbox), ==, 22);
  assert_sends (outbox, 3);
}

static void
a_record_larger_than_all_the_room_is_the_only_one_dropped (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (1000, 28);
  const char large[29] = {'{'};

  add (outbox, 1);
  g_assert_cmpuint (yv_outbox_add (outbox, large, sizeof large), ==, 1);
  assert_sends (outbox, 1);
  g_assert_null (yv_outbox_send (outbox));
}

static void
a_record_without_room_beside_what_is_sent_is_the_only_one_dropped (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (1000, 28);
  const char large[22] = {'{'};

  add (outbox, 1);
  add (outbox, 2);
  assert_sends (outbox, 1);
  g_assert_cmpuint (yv_outbox_add (outbox, large, sizeof large), ==, 1);
  assert_sends (outbox, 2);
}

static void
what_a_broken_connection_left_open_is_sent_again_and_says_so (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (10, 1000);

  for (int i = 0; i < 6; i++)
    add (outbox, i);
  assert_sends (outbox, 0);
  const uint64_t second = assert_sends (outbox, 1);
  assert_sends (outbox, 2);
  g_assert_true (yv_outbox_answer (outbox, second));
  g_assert_cmpuint (yv_outbox_n_records (outbox), ==, 6); /* it is behind an older one */
  g_assert_cmpuint (yv_outbox_take_back (outbox), ==, 2);
  g_assert_cmpuint (yv_outbox_n_records (outbox), ==, 5);
  assert_sends_again (outbox, 0);
  assert_sends_again (outbox, 2);
  assert_sends (outbox, 3);
  /* Once more: it is said once. */
  g_assert_cmpuint (yv_outbox_take_back (outbox), ==, 3);
  assert_sends_again (outbox, 0);
  assert_sends_again (outbox, 2);
  assert_sends_again (outbox, 3);
  assert_sends (outbox, 4);
  assert_sends (outbox, 5);
  g_assert_cmpuint (yv_outbox_n_bytes (outbox), ==, 3 * 26 + 2 * 7);
}

static void
a_record_that_nobody_took_stays_the_first (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (2, 1000);

  add (outbox, 1);
  add (outbox, 2);
  assert_sends (outbox, 1);
  yv_outbox_unsend (outbox);
  g_assert_cmpuint (yv_outbox_n_unsent (outbox), ==, 2);
  assert_sends (outbox, 1);
  assert_sends (outbox, 2);
}

static void
answers_for_nothing_are_ignored (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (4, 1000);

  g_assert_false (yv_outbox_answer (outbox, 1));
  add (outbox, 1);
  add (outbox, 2);
  g_assert_false (yv_outbox_answer (outbox, 1)); /* there, but not sent */
  const uint64_t first = assert_sends (outbox, 1), second = assert_sends (outbox, 2);
  g_assert_false (yv_outbox_answer (outbox, 0));
  g_assert_false (yv_outbox_answer (outbox, G_MAXUINT64));
  g_assert_true (yv_outbox_answer (outbox, second));
  g_assert_false (yv_outbox_answer (outbox, second));
  g_assert_true (yv_outbox_answer (outbox, first));
  g_assert_false (yv_outbox_answer (outbox, first));
}

static void
all_that_is_dropped_is_counted (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (10, 1000);

  for (int i = 0; i < 5; i++)
    add (outbox, i);
  assert_sends (outbox, 0);
  const uint64_t second = assert_sends (outbox, 1);
  yv_outbox_answer (outbox, second); /* arrived: not dropped */
  g_assert_cmpuint (yv_outbox_drop_all (outbox), ==, 4);
  g_assert_cmpuint (yv_outbox_n_records (outbox), ==, 0);
  g_assert_cmpuint (yv_outbox_n_bytes (outbox), ==, 0);
  g_assert_cmpuint (yv_outbox_drop_all (outbox), ==, 0);
}

/* Several blocks of them, each at an odd place; a mark must not touch the record behind. */
static void
long_records_arrive_as_they_came (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (100, 10000000);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < 60; i++) {
    g_autofree char *filler = g_strnfill (i * 1777, (char) ('a' + i % 26));
    g_ptr_array_add (texts, g_strdup_printf ("{\"n\":%u,\"filler\":\"%s", i, filler));
    g_autofree char *text = g_strconcat (g_ptr_array_index (texts, i), "\"}", NULL);
    g_assert_cmpuint (yv_outbox_add (outbox, text, strlen (text)), ==, 0);
  }
  for (guint i = 0; i < 60; i += 2)
    g_assert_nonnull (yv_outbox_send (outbox));
  g_assert_cmpuint (yv_outbox_take_back (outbox), ==, 30);
  for (guint i = 0; i < 60; i++) {
    const YvRecord *record = yv_outbox_send (outbox);
    g_autofree char *text = g_strconcat (g_ptr_array_index (texts, i),
                                         i < 30 ? "\",\"redelivered\":true}" : "\"}", NULL);
    g_assert_cmpmem (record->text, record->n_bytes, text, strlen (text));
    g_assert_cmpint (record->text[record->n_bytes], ==, '\0');
    g_assert_true (yv_outbox_answer (outbox, record->id));
  }
  g_assert_cmpuint (yv_outbox_n_bytes (outbox), ==, 0);
}

/* Against a list that does the same in the plainest way. */
static void
any_sequence_keeps_the_order (void)
{
  g_autoptr (YvOutbox) outbox = yv_outbox_new (5, 60);
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_autoptr (GArray) sent = g_array_new (FALSE, FALSE, sizeof (uint64_t));
  uint64_t last_id = 0;

  for (int i = 0; i < 20000; i++) {
    const int what = g_rand_int_range (random, 0, 10);
    const YvRecord *record = NULL;
    if (what < 4) {
      add (outbox, i);
    } else if (what < 7 && (record = yv_outbox_send (outbox))) {
      g_assert_cmpuint (record->id, >, last_id);
      last_id = record->id;
      g_array_append_val (sent, last_id);
    } else if (what < 9 && sent->len > 0) {
      const guint k = (guint) g_rand_int_range (random, 0, (gint32) sent->len);
      g_assert_true (yv_outbox_answer (outbox, g_array_index (sent, uint64_t, k)));
      g_array_remove_index (sent, k);
    } else if (what == 9) {
      g_assert_cmpuint (yv_outbox_take_back (outbox), ==, sent->len);
      last_id = sent->len > 0 ? g_array_index (sent, uint64_t, 0) - 1 : last_id;
      g_array_set_size (sent, 0);
    }
    g_assert_cmpuint (yv_outbox_n_records (outbox), <=, 5);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/outbox/" #name, name)
  TEST (records_leave_in_the_order_they_came);
  TEST (a_full_outbox_drops_the_oldest_that_is_not_sent);
  TEST (what_is_sent_is_never_dropped);
  TEST (bytes_are_bounded_too);
  TEST (a_record_larger_than_all_the_room_is_the_only_one_dropped);
  TEST (a_record_without_room_beside_what_is_sent_is_the_only_one_dropped);
  TEST (what_a_broken_connection_left_open_is_sent_again_and_says_so);
  TEST (a_record_that_nobody_took_stays_the_first);
  TEST (answers_for_nothing_are_ignored);
  TEST (all_that_is_dropped_is_counted);
  TEST (long_records_arrive_as_they_came);
  TEST (any_sequence_keeps_the_order);
#undef TEST
  return g_test_run ();
}
