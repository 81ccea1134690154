/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-batchsize.c - how many frames run together, and when. */
#include "engine/batchsize.h"

static void
batches_are_powers_of_two_or_the_limit (void)
{
  const uint32_t rows[][3] = {
      /* waiting, limit, taken */
      {1, 1, 1}, {1, 16, 1},   {2, 16, 2},      {3, 16, 2},      {13, 16, 8}, {5, 16, 4},
      {9, 1, 1}, {16, 16, 16}, {100, 16, 16},   {6, 6, 6},       {5, 6, 4},   {7, 6, 6},
      {3, 3, 3}, {2, 3, 2},    {300, 256, 256}, {255, 256, 128},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (yv_batch_take (rows[i][0], rows[i][1]), ==, rows[i][2]);
}

static void
all_frames_are_taken_without_padding (void)
{
  for (uint32_t limit = 1; limit <= 16; limit++)
    for (uint32_t n_waiting = 1; n_waiting <= 40; n_waiting++) {
      uint32_t left = n_waiting;

      while (left > 0) {
        const uint32_t n = yv_batch_take (left, limit);

        g_assert_cmpuint (n, >=, 1);
        g_assert_cmpuint (n, <=, MIN (left, limit));
        left -= n;
      }
    }
}

static YvBatchCase
one_waits_of_eight (void)
{
  return (YvBatchCase){.limit = 4,
                       .n_waiting = 1,
                       .n_streams_waiting = 1,
                       .n_expected = 1,
                       .n_active = 8,
                       .max_running = YV_MAX_RUNS,
                       .waited_ns = 30};
}

static void
an_idle_device_waits_for_nobody_or_as_long_as_it_was_told (void)
{
  YvBatchCase batch = one_waits_of_eight ();

  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
  batch.timeout_ns = 100;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 70);
  batch.waited_ns = 100;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
  batch.waited_ns = 0;
  batch.n_waiting = 3;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 100);
  batch.n_waiting = 4; /* full */
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
  batch.n_waiting = batch.n_streams_waiting = batch.n_active = 2; /* one of each stream */
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
  batch.n_waiting = 0;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, UINT64_MAX);
}

static void
behind_a_batch_waits_for_all_that_are_expected (void)
{
  YvBatchCase batch = one_waits_of_eight ();

  batch.n_running = 1;
  batch.n_expected = 3;
  batch.timeout_ns = batch.waited_ns; /* of no account here */
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, UINT64_MAX);
  batch.n_waiting = batch.n_streams_waiting = 3;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
  batch.n_expected = 7;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, UINT64_MAX);
  batch.n_waiting = 4; /* full */
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
}

/* Of more frames than there are streams some may be of the same. */
static void
frames_of_one_stream_do_not_stand_for_those_of_others (void)
{
  YvBatchCase batch = one_waits_of_eight ();

  batch.limit = 16;
  batch.n_waiting = 9;
  batch.n_streams_waiting = 7;
  batch.timeout_ns = 100;
  g_assert_false (yv_batch_is_complete (&batch));
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 70);
  batch.n_running = 1;
  batch.n_expected = 8;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, UINT64_MAX);
  batch.n_streams_waiting = 8;
  g_assert_true (yv_batch_is_complete (&batch));
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
  batch.n_running = 0;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
}

static void
no_more_start_than_may_run (void)
{
  YvBatchCase batch = one_waits_of_eight ();

  batch.n_waiting = 100;
  batch.n_running = 2;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, UINT64_MAX);
  batch.n_running = 1;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, 0);
  batch.max_running = 1;
  g_assert_cmpuint (yv_batch_delay_ns (&batch), ==, UINT64_MAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batchsize/sizes", batches_are_powers_of_two_or_the_limit);
  g_test_add_func ("/batchsize/padding", all_frames_are_taken_without_padding);
  g_test_add_func ("/batchsize/idle", an_idle_device_waits_for_nobody_or_as_long_as_it_was_told);
  g_test_add_func ("/batchsize/behind", behind_a_batch_waits_for_all_that_are_expected);
  g_test_add_func ("/batchsize/streams", frames_of_one_stream_do_not_stand_for_those_of_others);
  g_test_add_func ("/batchsize/most", no_more_start_than_may_run);
  return g_test_run ();
}
