/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/batcher.c - batches of many streams' frames: started, finished, made ready. */
#include "engine/batcher.h"

#include "engine/share.h"

static bool
is_out_of_memory (const GError *error)
{
  return g_error_matches (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
}

/* ---- networks -------------------------------------------------------------------------------- */

static YvBatchNet *
find_net_locked (YvBatcher *batcher, YvSettings *settings, const YvLetterbox *letterbox)
{
  for (guint i = 0; i < batcher->nets->len; i++) {
    YvBatchNet *net = g_ptr_array_index (batcher->nets, i);

    if (yv_batch_net_fits (net, settings, letterbox))
      return net;
  }
  YvBatchNet *net = yv_batch_net_new (settings, letterbox);
  g_ptr_array_add (batcher->nets, net);
  return net;
}

/* Frees those that nobody uses, unlocked: that waits for the device. */
static void
sweep_nets_locked (YvBatcher *batcher)
{
  for (guint i = 0; i < batcher->nets->len;) {
    YvBatchNet *net = g_ptr_array_index (batcher->nets, i);

    if (net->n_users > 0) {
      i++;
      continue;
    }
    g_ptr_array_remove_index_fast (batcher->nets, i);
    g_mutex_unlock (&batcher->mutex);
    yv_batch_net_free (net, batcher->engine);
    g_mutex_lock (&batcher->mutex);
    i = 0;
  }
}

/* The size of the largest batches of a network for which there may be memory. */
static uint32_t
max_batch_locked (const YvBatcher *batcher, const YvBatchNet *net)
{
  return MIN (batcher->max_batch, net->max_batch);
}

/* The size of the largest batches that any network is ready for. */
static uint32_t
largest_size_locked (const YvBatcher *batcher)
{
  uint32_t largest = 1;

  for (guint i = 0; i < batcher->nets->len; i++) {
    const YvRunner *runner =
        yv_batch_net_find_runner (g_ptr_array_index (batcher->nets, i), YV_MAX_BATCH);

    if (runner)
      largest = MAX (largest, runner->plan->options.n);
  }
  return largest;
}

/* Out of its network; NULL: all are small enough. */
static YvRunner *
steal_larger_locked (YvBatcher *batcher, uint32_t n)
{
  for (guint i = 0; i < batcher->nets->len; i++) {
    YvBatchNet *net = g_ptr_array_index (batcher->nets, i);
    YvRunner *runner = yv_batch_net_find_runner (net, YV_MAX_BATCH);

    if (runner && runner->plan->options.n > n) {
      g_ptr_array_remove_fast (net->runners, runner);
      return runner;
    }
  }
  return NULL;
}

/* Gives up the largest size of batches, for its memory. False: there is none but that of single
 * frames. Unlocks meanwhile. */
static bool
halve_limit_locked (YvBatcher *batcher)
{
  const uint32_t largest = largest_size_locked (batcher);
  YvRunner *runner;

  if (largest == 1)
    return false;
  batcher->max_batch = MIN (batcher->max_batch, largest / 2);
  while ((runner = steal_larger_locked (batcher, batcher->max_batch))) {
    g_mutex_unlock (&batcher->mutex);
    yv_engine_leave_runner (batcher->engine, runner);
    yv_engine_drop_idle_runners (batcher->engine);
    g_mutex_lock (&batcher->mutex);
  }
  return true;
}

/* What was given up is used, and no free memory, as long as its runs are in flight. */
static void
wait_for_runs_locked (YvBatcher *batcher)
{
  const uint64_t n = batcher->n_finished + batcher->n_running + batcher->is_starting;

  while (batcher->n_finished < n && (batcher->n_running > 0 || batcher->is_starting))
    g_cond_wait (&batcher->finished, &batcher->mutex);
}

bool
yv_batcher_make_room (YvBatcher *batcher)
{
  g_mutex_lock (&batcher->mutex);
  const bool has_room = halve_limit_locked (batcher);
  if (has_room)
    wait_for_runs_locked (batcher);
  g_mutex_unlock (&batcher->mutex);
  return has_room;
}

static bool
is_ready_locked (const YvBatchNet *net, uint32_t n)
{
  const YvRunner *runner = yv_batch_net_find_runner (net, n);

  return runner && runner->plan->options.n == n;
}

/* Unlocks while it is made. Another thread may have made it, too, or have given up its size. */
static bool
make_size_locked (YvBatcher *batcher, YvBatchNet *net, uint32_t n, GError **error)
{
  const YvPlanOptions options = yv_batch_net_plan (net, n);

  g_mutex_unlock (&batcher->mutex);
  YvRunner *runner = yv_engine_use_runner (batcher->engine, &options, error);
  g_mutex_lock (&batcher->mutex);
  if (!runner)
    return false;
  if (!is_ready_locked (net, n) && n <= max_batch_locked (batcher, net)) {
    g_ptr_array_add (net->runners, runner);
    return true;
  }
  g_mutex_unlock (&batcher->mutex);
  yv_engine_leave_runner (batcher->engine, runner);
  g_mutex_lock (&batcher->mutex);
  return true;
}

static bool
make_first_size_locked (YvBatcher *batcher, YvBatchNet *net, GError **error)
{
  for (;;) {
    GError *why = NULL;

    if (is_ready_locked (net, 1) || make_size_locked (batcher, net, 1, &why))
      return true;
    if (!is_out_of_memory (why) || !halve_limit_locked (batcher)) {
      g_propagate_error (error, why);
      return false;
    }
    g_error_free (why);
    wait_for_runs_locked (batcher);
  }
}

/* Smaller batches do, too, and tell of what else is wrong. Other networks may be smaller. */
static void
make_larger_size_locked (YvBatcher *batcher, YvBatchNet *net, uint32_t n)
{
  g_autoptr (GError) why = NULL;

  if (n > max_batch_locked (batcher, net) || is_ready_locked (net, n) ||
      make_size_locked (batcher, net, n, &why))
    return;
  g_debug ("batches of %u: %s", n, why->message);
  net->max_batch = MIN (net->max_batch, n / 2);
}

void
yv_batcher_recount_locked (YvShare *share)
{
  YvBatchNet *net = share->net;
  if (!net)
    return;
  const bool is_waiting = yv_batch_net_has_frame_of (net, share);
  const bool is_expected =
      is_waiting || (share->n_running > 0 && share->n_in_flight < share->max_in_flight);

  net->n_streams_waiting += is_waiting - share->is_waiting;
  net->n_expected += is_expected - share->is_expected;
  share->is_waiting = is_waiting;
  share->is_expected = is_expected;
}

static void
make_active_locked (YvShare *share)
{
  if (share->epoch == share->net->epoch)
    return;
  share->epoch = share->net->epoch;
  share->net->n_active++;
}

/* Those that have nothing waiting, and were waited for, are not waited for again. */
static void
start_epoch_locked (YvBatchNet *net)
{
  net->epoch++;
  net->n_active = 0;
  for (YvRequest *request = net->first; request; request = request->next)
    if (request->share->net == net)
      make_active_locked (request->share);
}

static void
set_net_locked (YvShare *share, YvBatchNet *net)
{
  if (share->net) {
    share->net->n_streams_waiting -= share->is_waiting;
    share->net->n_expected -= share->is_expected;
    share->net->n_active -= share->epoch == share->net->epoch;
    share->net->n_users--;
  }
  share->is_waiting = share->is_expected = false;
  share->net = net;
  if (!net)
    return;
  net->n_active++;
  share->epoch = net->epoch;
  net->n_users++;
  yv_batcher_recount_locked (share);
}

bool
yv_batcher_enter_net (YvBatcher *batcher, YvShare *share, YvSettings *settings,
                      const YvLetterbox *letterbox, uint32_t batch_size, GError **error)
{
  g_mutex_lock (&batcher->mutex);
  if (!share->net || !yv_batch_net_fits (share->net, settings, letterbox)) {
    set_net_locked (share, find_net_locked (batcher, settings, letterbox));
    g_cond_signal (&batcher->changed); /* nobody waits for it in the old one */
    sweep_nets_locked (batcher);
  }
  const bool is_ready = make_first_size_locked (batcher, share->net, error);
  if (is_ready && batch_size > 1)
    make_larger_size_locked (batcher, share->net, batch_size);
  g_mutex_unlock (&batcher->mutex);
  return is_ready;
}

void
yv_batcher_leave_net (YvBatcher *batcher, YvShare *share)
{
  g_mutex_lock (&batcher->mutex);
  set_net_locked (share, NULL);
  sweep_nets_locked (batcher);
  g_cond_signal (&batcher->changed); /* the others may be all there are */
  g_mutex_unlock (&batcher->mutex);
}

/* ---- the maker: sizes that are wanted -------------------------------------------------------- */

static gpointer
make_wanted_sizes (gpointer data)
{
  YvBatcher *batcher = data;

  g_mutex_lock (&batcher->mutex);
  while (!batcher->quits) {
    YvBatchNet *net = batcher->net_to_make;

    if (!net) {
      g_cond_wait (&batcher->wanted_size, &batcher->mutex);
      continue;
    }
    make_larger_size_locked (batcher, net, batcher->size_to_make);
    net->n_users--;
    batcher->net_to_make = NULL;
  }
  g_mutex_unlock (&batcher->mutex);
  return NULL;
}

/* One at a time: what is wanted still when it is done is asked for again. */
static void
want_size_locked (YvBatcher *batcher, YvBatchNet *net, uint32_t n)
{
  if (batcher->net_to_make)
    return;
  batcher->net_to_make = net;
  batcher->size_to_make = n;
  net->n_users++;
  g_cond_signal (&batcher->wanted_size);
}

/* ---- starting -------------------------------------------------------------------------------- */

void
yv_batcher_queue_locked (YvRequest *request)
{
  yv_batch_net_queue (request->share->net, request);
  make_active_locked (request->share);
  yv_batcher_recount_locked (request->share);
}

void
yv_batcher_take_out_locked (YvRequest *request)
{
  yv_batch_net_take_out (request->net, request);
  request->state = YV_REQUEST_IDLE;
  yv_batcher_recount_locked (request->share);
}

/* Of a network for which a frame waits. */
static uint32_t
limit_of_locked (const YvBatcher *batcher, const YvBatchNet *net)
{
  const YvDevice *device = batcher->engine->device;
  const uint32_t wanted = net->first->settings->options.batch_size;
  const uint32_t usual = yv_batch_usual_limit (!device || yv_device_caps (device)->is_cpu);

  return MIN (wanted ? wanted : usual, max_batch_locked (batcher, net));
}

/* Of a network for which a frame waits. */
static YvBatchCase
case_of_locked (const YvBatcher *batcher, const YvBatchNet *net)
{
  const YvRequest *oldest = net->first;

  return (YvBatchCase){
      .limit = limit_of_locked (batcher, net),
      .n_waiting = net->n_waiting,
      .n_streams_waiting = net->n_streams_waiting,
      .n_expected = net->n_expected,
      .n_active = net->n_active,
      .n_running = batcher->n_running,
      .max_running = batcher->max_running,
      .waited_ns = (uint64_t) (g_get_monotonic_time () - oldest->queued_us) * 1000,
      .timeout_ns = oldest->settings->options.batch_timeout_ns,
  };
}

/* Of the oldest frame of a network: how long until its batch starts. */
static uint64_t
delay_ns_locked (const YvBatcher *batcher, const YvBatchNet *net)
{
  if (!net->first)
    return UINT64_MAX;
  const YvBatchCase batch = case_of_locked (batcher, net);
  return yv_batch_delay_ns (&batch);
}

/* Among those that may start now the one whose oldest frame is the oldest; NULL: none may, and
 * *@delay_ns is when to look again. */
static YvBatchNet *
choose_net_locked (const YvBatcher *batcher, uint64_t *delay_ns)
{
  YvBatchNet *chosen = NULL;

  *delay_ns = UINT64_MAX;
  for (guint i = 0; i < batcher->nets->len; i++) {
    YvBatchNet *net = g_ptr_array_index (batcher->nets, i);
    const uint64_t own_ns = delay_ns_locked (batcher, net);

    *delay_ns = MIN (*delay_ns, own_ns);
    if (own_ns == 0 && (!chosen || net->first->index < chosen->first->index))
      chosen = net;
  }
  return chosen;
}

/* The largest batch that waits and is ready; a larger one that is not is made meanwhile. */
static YvRunner *
choose_runner_locked (YvBatcher *batcher, YvBatchNet *net)
{
  const uint32_t n = yv_batch_take (net->n_waiting, limit_of_locked (batcher, net));
  YvRunner *runner = yv_batch_net_find_runner (net, n);

  if (runner->plan->options.n < n)
    want_size_locked (batcher, net, n);
  return runner;
}

static void
reserve_run (YvBatchRun *run, uint32_t n)
{
  yv_flight_reserve (&run->flight, n);
  if (n <= run->n_reserved)
    return;
  run->requests = g_renew (YvRequest *, run->requests, n);
  run->images = g_renew (YvImage, run->images, n);
  run->n_reserved = n;
}

/* The oldest of the queue, @n of them. */
static void
take_requests_locked (YvBatchRun *run, YvBatchNet *net, uint32_t n)
{
  reserve_run (run, n);
  run->n = n;
  for (uint32_t i = 0; i < n; i++) {
    YvRequest *request = net->first;

    request->share->n_running++;
    yv_batcher_take_out_locked (request);
    request->state = YV_REQUEST_RUNNING;
    run->requests[i] = request;
    run->images[i] = request->image;
    run->flight.letterboxes[i] = request->letterbox;
    run->flight.settings[i] = request->settings;
  }
}

static void
put_back_locked (YvBatchRun *run, YvBatchNet *net)
{
  for (uint32_t i = 0; i < run->n; i++) {
    YvShare *share = run->requests[i]->share;

    yv_batch_net_queue (net, run->requests[i]);
    share->n_running--;
    yv_batcher_recount_locked (share);
    g_cond_broadcast (&share->changed);
  }
}

/* Out of memory: gives up what it can for it. False: nothing is left that could be.
 * @had_company: another batch was in flight, which may be done by now, and its memory free. */
static bool
make_room_locked (YvBatcher *batcher, bool had_company)
{
  if (halve_limit_locked (batcher))
    return true;
  if (!had_company)
    return false;
  batcher->max_running = 1;
  return true;
}

/* What could not be started is finished like all others: its frames have failed. */
static void
start_run_locked (YvBatcher *batcher, YvBatchNet *net)
{
  YvBatchRun *run = &batcher->runs[(batcher->first_run + batcher->n_running) % YV_MAX_RUNS];
  YvRunner *runner = yv_engine_share_runner (batcher->engine, choose_runner_locked (batcher, net));
  const bool had_company = batcher->n_running > 0;
  const YvBatchCase batch = case_of_locked (batcher, net);

  if (!yv_batch_is_complete (&batch))
    start_epoch_locked (net);
  take_requests_locked (run, net, runner->plan->options.n);
  net->n_users++;
  batcher->is_starting = true;
  g_mutex_unlock (&batcher->mutex);
  yv_flight_start (&run->flight, runner, run->images, true, &run->error);
  yv_engine_leave_runner (batcher->engine, runner);
  g_mutex_lock (&batcher->mutex);

  if (is_out_of_memory (run->error) && make_room_locked (batcher, had_company)) {
    g_clear_error (&run->error);
    put_back_locked (run, net);
    batcher->waits_for_run = batcher->n_running > 0;
  } else {
    batcher->n_running++;
  }
  batcher->is_starting = false;
  net->n_users--;
  g_cond_signal (&batcher->changed); /* it may be done before the next is started */
  g_cond_broadcast (&batcher->finished);
}

/* False where none may start, or another thread is at it, which looks again. */
static bool
start_next_locked (YvBatcher *batcher)
{
  uint64_t delay_ns;

  if (batcher->is_starting || batcher->waits_for_run)
    return false;
  YvBatchNet *net = choose_net_locked (batcher, &delay_ns);
  if (net)
    start_run_locked (batcher, net);
  return net != NULL;
}

/* No more than fit in flight: a camera's thread is not kept for others' frames. */
void
yv_batcher_start (YvBatcher *batcher)
{
  g_mutex_lock (&batcher->mutex);
  for (uint32_t i = 0; i < YV_MAX_RUNS && start_next_locked (batcher); i++)
    continue;
  g_cond_signal (&batcher->changed);
  g_mutex_unlock (&batcher->mutex);
}

/* ---- the finisher ---------------------------------------------------------------------------- */

static void
hand_out_results (YvBatcher *batcher, YvBatchRun *run)
{
  g_autoptr (GError) error = g_steal_pointer (&run->error);
  const bool done = !error && yv_flight_finish (&run->flight, batcher->nms, &error);

  for (uint32_t i = 0; i < run->n; i++)
    if (done)
      yv_request_take_result (run->requests[i], &run->flight.results[i], run->flight.start_us);
    else
      run->requests[i]->error = g_error_copy (error);
}

static void
reserve_calls (YvBatcher *batcher, uint32_t n)
{
  if (n <= batcher->n_calls_reserved)
    return;
  batcher->to_call = g_renew (YvShare *, batcher->to_call, n);
  batcher->n_calls_reserved = n;
}

/* From here on whoever waits for a frame has it; no share goes before it was called. */
static void
mark_done_locked (YvBatcher *batcher, YvBatchRun *run)
{
  reserve_calls (batcher, run->n);
  for (uint32_t i = 0; i < run->n; i++) {
    YvShare *share = run->requests[i]->share;

    run->requests[i]->state = YV_REQUEST_DONE;
    share->n_running--;
    share->n_calls++;
    yv_batcher_recount_locked (share);
    g_cond_broadcast (&share->changed);
    batcher->to_call[i] = share;
  }
}

static void
call_locked (YvBatcher *batcher, YvShare *share)
{
  const YvReadyFunc ready = share->ready;
  void *data = share->ready_data;

  if (ready) {
    g_mutex_unlock (&batcher->mutex);
    ready (data);
    g_mutex_lock (&batcher->mutex);
  }
  share->n_calls--;
  g_cond_broadcast (&share->changed);
}

/* The next is started before anybody is told: the device comes first. The reference has none, and
 * computes when it starts. */
static void
finish_oldest_locked (YvBatcher *batcher)
{
  YvBatchRun *run = &batcher->runs[batcher->first_run];
  const uint32_t n = run->n;

  g_mutex_unlock (&batcher->mutex);
  hand_out_results (batcher, run);
  g_mutex_lock (&batcher->mutex);

  mark_done_locked (batcher, run);
  batcher->first_run = (batcher->first_run + 1) % YV_MAX_RUNS;
  batcher->n_running--;
  batcher->n_finished++;
  batcher->waits_for_run = false;
  g_cond_broadcast (&batcher->finished);
  while (batcher->engine->device && start_next_locked (batcher))
    continue;
  for (uint32_t i = 0; i < n; i++)
    call_locked (batcher, batcher->to_call[i]);
  sweep_nets_locked (batcher);
}

/* Until something changes, or the oldest frame of a batch that isn't full has waited enough. */
static void
wait_locked (YvBatcher *batcher)
{
  uint64_t delay_ns;

  choose_net_locked (batcher, &delay_ns);
  if (batcher->is_starting || delay_ns == UINT64_MAX)
    g_cond_wait (&batcher->changed, &batcher->mutex);
  else
    g_cond_wait_until (&batcher->changed, &batcher->mutex,
                       g_get_monotonic_time () + (int64_t) (delay_ns / 1000) + 1);
}

static gpointer
finish_batches (gpointer data)
{
  YvBatcher *batcher = data;

  g_mutex_lock (&batcher->mutex);
  while (!batcher->quits) {
    if (batcher->n_running > 0)
      finish_oldest_locked (batcher);
    else if (!start_next_locked (batcher))
      wait_locked (batcher);
  }
  g_mutex_unlock (&batcher->mutex);
  return NULL;
}

/* ---- making and freeing ---------------------------------------------------------------------- */

static void
stop_thread (YvBatcher *batcher, GThread *thread)
{
  if (!thread)
    return;
  g_mutex_lock (&batcher->mutex);
  batcher->quits = true;
  g_cond_signal (&batcher->changed);
  g_cond_signal (&batcher->wanted_size);
  g_mutex_unlock (&batcher->mutex);
  g_thread_join (thread);
}

/* No stream is left, so nothing is queued or in flight. */
static void
free_batcher (YvBatcher *batcher)
{
  stop_thread (batcher, batcher->finisher);
  stop_thread (batcher, batcher->maker);
  g_mutex_lock (&batcher->mutex);
  if (batcher->net_to_make)
    batcher->net_to_make->n_users--;
  sweep_nets_locked (batcher);
  g_mutex_unlock (&batcher->mutex);
  for (uint32_t i = 0; i < YV_MAX_RUNS; i++) {
    yv_flight_clear (&batcher->runs[i].flight);
    g_free (batcher->runs[i].requests);
    g_free (batcher->runs[i].images);
  }
  g_ptr_array_unref (batcher->nets);
  g_free (batcher->to_call);
  yv_nms_free (batcher->nms);
  g_cond_clear (&batcher->finished);
  g_cond_clear (&batcher->wanted_size);
  g_cond_clear (&batcher->changed);
  g_mutex_clear (&batcher->mutex);
  g_free (batcher);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvBatcher, free_batcher)

static GThread *
new_thread (const char *name, GThreadFunc func, YvBatcher *batcher, GError **error)
{
  g_autoptr (GError) why = NULL;
  GThread *thread = g_thread_try_new (name, func, batcher, &why);

  if (!thread)
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no thread to run batches: %s",
                 why->message);
  return thread;
}

static YvBatcher *
new_batcher (YvEngine *engine, GError **error)
{
  g_autoptr (YvBatcher) batcher = g_new0 (YvBatcher, 1);

  batcher->engine = engine;
  batcher->nms = yv_nms_new ();
  batcher->nets = g_ptr_array_new ();
  batcher->max_batch = YV_MAX_BATCH;
  batcher->max_running = YV_MAX_RUNS;
  g_mutex_init (&batcher->mutex);
  g_cond_init (&batcher->changed);
  g_cond_init (&batcher->wanted_size);
  g_cond_init (&batcher->finished);
  for (uint32_t i = 0; i < YV_MAX_RUNS; i++)
    batcher->runs[i].flight.engine = engine;
  batcher->finisher = new_thread ("yolov7-batches", finish_batches, batcher, error);
  if (!batcher->finisher)
    return NULL;
  batcher->maker = new_thread ("yolov7-sizes", make_wanted_sizes, batcher, error);
  return batcher->maker ? g_steal_pointer (&batcher) : NULL;
}

YvBatcher *
yv_batcher_join (YvEngine *engine, GError **error)
{
  g_mutex_lock (&engine->mutex);
  if (!engine->batcher)
    engine->batcher = new_batcher (engine, error);
  if (engine->batcher)
    engine->n_shares++;
  YvBatcher *batcher = engine->batcher;
  g_mutex_unlock (&engine->mutex);
  return batcher;
}

void
yv_batcher_leave (YvBatcher *batcher)
{
  YvEngine *engine = batcher->engine;

  g_mutex_lock (&engine->mutex);
  const bool is_last = --engine->n_shares == 0;
  if (is_last)
    engine->batcher = NULL;
  g_mutex_unlock (&engine->mutex);
  if (is_last)
    free_batcher (batcher);
}
