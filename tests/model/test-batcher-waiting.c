/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-batcher-waiting.c - which streams wait for which before a batch runs, for how
 * long, and who hears that it is done. */
#include "engine/batcher.h"
#include "engine/engine.h"
#include "tests/model/batchcase.h"
#include "tests/model/gate.h"

/* ---- who waits for whom ---------------------------------------------------------------------- */

static void
frames_of_a_stream_come_in_order (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  for (uint32_t i = 0; i < N_PHASES; i++) {
    submit (pair.streams[0], &pair.images[i]);
    submit (pair.streams[1], &pair.images[N_PHASES - 1 - i]);
  }
  g_assert_cmpuint (yv_stream_n_in_flight (pair.streams[0]), ==, N_PHASES);
  for (uint32_t i = 0; i < N_PHASES; i++) {
    collect_phase (&pair, 0, i, 2);
    collect_phase (&pair, 1, N_PHASES - 1 - i, 2);
  }
  close_pair (&pair);
}

/* The first has all in flight that it may, all of it done, and never looks. */
static void
who_does_not_collect_keeps_nobody_waiting (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  pair.options.batch_timeout_ns = 0;
  for (uint32_t k = 0; k < 2; k++)
    g_assert_true (yv_stream_set_options (pair.streams[k], &pair.options, NULL));
  for (uint32_t i = 0; i < N_PHASES; i++)
    submit (pair.streams[0], &pair.images[i]);
  for (uint32_t i = 0; i < 8; i++) {
    submit (pair.streams[1], &pair.images[i % N_PHASES]);
    assert_found (collect (pair.streams[1]), pair.expected[i % N_PHASES]);
  }
  close_pair (&pair);
}

/* There is nobody left to wait for. */
static void
a_frame_stops_waiting_for_a_stream_that_is_freed (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  submit (pair.streams[0], &pair.images[1]);
  g_clear_pointer (&pair.streams[1], yv_stream_free);
  collect_phase (&pair, 0, 1, 1);
  close_pair (&pair);
}

/* It does not submit, but is made ready for another size. */
static void
a_frame_stops_waiting_for_a_stream_that_moves (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  submit (pair.streams[0], &pair.images[1]);
  g_assert_true (yv_stream_prepare (pair.streams[1], FRAME_H, FRAME_H, NULL));
  collect_phase (&pair, 0, 1, 1);
  close_pair (&pair);
}

static void
a_frame_waits_no_longer_than_it_is_told (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  pair.options.batch_timeout_ns = 1000000;
  g_assert_true (yv_stream_set_options (pair.streams[0], &pair.options, NULL));
  submit (pair.streams[0], &pair.images[1]);
  const YvDetections *found = collect (pair.streams[0]);
  assert_found (found, pair.expected[1]);
  g_assert_cmpuint (found->n_batch, ==, 1);
  g_assert_cmpuint (found->times.wait_ns, >=, pair.options.batch_timeout_ns);
  close_pair (&pair);
}

/* Of the frames of a stream that is limited to more than it has. */
static void
frames_of_one_stream_wait_for_another (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  pair.options.batch_size = N_PHASES;
  g_assert_true (yv_stream_set_options (pair.streams[0], &pair.options, NULL));
  for (uint32_t i = 0; i + 1 < N_PHASES; i++)
    submit (pair.streams[0], &pair.images[i]);
  const YvBatchNet *net = g_ptr_array_index (pair.engine->batcher->nets, 0);
  g_assert_cmpuint (net->n_waiting, ==, N_PHASES - 1);
  g_assert_cmpuint (net->n_streams_waiting, ==, 1);
  replace (pair.streams[0], &pair.images[N_PHASES - 1], true);
  g_assert_cmpuint (net->n_streams_waiting, ==, 1);
  yv_stream_abandon (pair.streams[0]);
  g_assert_cmpuint (net->n_streams_waiting, ==, 0);
  close_pair (&pair);
}

/* Once; when it submits again the other waits for it again. */
static void
a_stream_that_pauses_is_waited_for_once (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvStreamOptions impatient = pair.options;
  impatient.batch_timeout_ns = 1000000;
  g_assert_true (yv_stream_set_options (pair.streams[0], &impatient, NULL));
  submit (pair.streams[0], &pair.images[0]);
  collect_phase (&pair, 0, 0, 1);
  g_assert_true (yv_stream_set_options (pair.streams[0], &pair.options, NULL));
  for (uint32_t i = 0; i < N_PHASES; i++) {
    submit (pair.streams[0], &pair.images[i]);
    collect_phase (&pair, 0, i, 1);
  }
  for (uint32_t i = 0; i < N_PHASES; i++) {
    submit (pair.streams[1], &pair.images[i]);
    submit (pair.streams[0], &pair.images[i]);
    collect_phase (&pair, 0, i, 2);
    collect_phase (&pair, 1, i, 2);
  }
  close_pair (&pair);
}

/* Those that run and those that wait. */
static void
what_is_in_flight_may_be_dropped (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  submit (pair.streams[0], &pair.images[0]);
  submit (pair.streams[1], &pair.images[1]);
  submit (pair.streams[0], &pair.images[2]);
  yv_stream_abandon (pair.streams[0]);
  g_assert_cmpuint (yv_stream_n_in_flight (pair.streams[0]), ==, 0);
  g_assert_null (yv_stream_collect (pair.streams[0], NULL, NULL));
  collect_phase (&pair, 1, 1, 2);

  submit (pair.streams[0], &pair.images[3]);
  submit (pair.streams[1], &pair.images[2]);
  submit (pair.streams[1], &pair.images[0]); /* freed with the stream */
  collect_phase (&pair, 0, 3, 2);
  collect_phase (&pair, 1, 2, 2);
  close_pair (&pair);
}

/* ---- replacing ------------------------------------------------------------------------------- */

static void
a_frame_that_waits_is_replaced (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  replace (pair.streams[0], &pair.images[0], false);
  submit (pair.streams[0], &pair.images[0]);
  for (uint32_t i = 1; i < N_PHASES; i++)
    replace (pair.streams[0], &pair.images[i], true);
  g_assert_cmpuint (yv_stream_n_in_flight (pair.streams[0]), ==, 1);

  close_gate (pair.engine);
  submit (pair.streams[1], &pair.images[0]); /* now both run */
  replace (pair.streams[0], &pair.images[0], false);
  open_gate ();
  collect_phase (&pair, 1, 0, 2);
  replace (pair.streams[0], &pair.images[0], false); /* done */
  collect_phase (&pair, 0, N_PHASES - 1, 2);
  remove_gate ();
  close_pair (&pair);
}

/* Into another network's queue, which is empty, so that it waits for nobody. */
static void
a_frame_is_replaced_by_one_of_another_size (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvImage square = pair.images[1];
  square.width = square.height = FRAME_H;
  g_autoptr (GArray) expected = detect_alone (pair.engine, &pair.options, &square);

  submit (pair.streams[0], &pair.images[0]);
  replace (pair.streams[0], &square, true);
  assert_found (collect (pair.streams[0]), expected);
  submit (pair.streams[1], &pair.images[2]);
  collect_phase (&pair, 1, 2, 1);
  close_pair (&pair);
}

/* ---- being told ------------------------------------------------------------------------------ */

static void
each_result_is_announced_once (void)
{
  Pair pair;
  Bell bell = {.n_calls = 0};
  if (!open_pair (&pair))
    return;

  yv_stream_set_ready_func (pair.streams[0], ring, &bell);
  for (uint32_t i = 0; i < N_PHASES; i++) {
    g_assert_false (yv_stream_is_ready (pair.streams[0]));
    submit (pair.streams[0], &pair.images[i]);
    g_assert_false (yv_stream_is_ready (pair.streams[0])); /* it waits for the other's */
    submit (pair.streams[1], &pair.images[i]);
    wait_for_rings (&bell, i + 1);
    g_assert_true (yv_stream_is_ready (pair.streams[0]));
    collect_phase (&pair, 0, i, 2);
    collect_phase (&pair, 1, i, 2);
  }
  yv_stream_set_ready_func (pair.streams[0], NULL, NULL);
  submit (pair.streams[0], &pair.images[0]);
  submit (pair.streams[1], &pair.images[0]);
  collect_phase (&pair, 0, 0, 2);
  close_pair (&pair);
  g_assert_cmpuint (bell.n_calls, ==, N_PHASES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batcher/order", frames_of_a_stream_come_in_order);
  g_test_add_func ("/batcher/idle-user", who_does_not_collect_keeps_nobody_waiting);
  g_test_add_func ("/batcher/freed", a_frame_stops_waiting_for_a_stream_that_is_freed);
  g_test_add_func ("/batcher/moved", a_frame_stops_waiting_for_a_stream_that_moves);
  g_test_add_func ("/batcher/timeout", a_frame_waits_no_longer_than_it_is_told);
  g_test_add_func ("/batcher/frames", frames_of_one_stream_wait_for_another);
  g_test_add_func ("/batcher/paused", a_stream_that_pauses_is_waited_for_once);
  g_test_add_func ("/batcher/dropped", what_is_in_flight_may_be_dropped);
  g_test_add_func ("/batcher/replaced", a_frame_that_waits_is_replaced);
  g_test_add_func ("/batcher/resized", a_frame_is_replaced_by_one_of_another_size);
  g_test_add_func ("/batcher/announced", each_result_is_announced_once);
  return g_test_run ();
}
