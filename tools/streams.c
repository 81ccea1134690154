/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/streams.c - a thread for each stream, as fast as it gets its frames back. */
#include "tools/streams.h"

#include <string.h>

/* Sizes of batches made ready before anything is timed. */
#define MAX_PREPARED 16

typedef struct {
  const StreamsOptions *options;
  GMutex mutex; /* of the next three */
  GCond all_are_warm;
  uint32_t n_warm; /* streams that have seen their warm-up */
  int64_t start_us;
} Race;

typedef struct {
  Race *race;
  YvStream *stream;
  YvFrameMemory *memory; /* NULL: pixels are the host's */
  uint8_t *pixels;
  YvImage image;
  GThread *thread;
  GError *error; /* out */
  struct {
    uint64_t n_copied;
    double batch, wait_ms, total_ms;
  } sums; /* of the frames that count */
} Runner;

static void
clear_runner (void *data)
{
  Runner *runner = data;

  yv_stream_free (runner->stream);
  yv_frame_memory_free (runner->memory);
  g_free (runner->pixels);
  g_clear_error (&runner->error);
}

static bool
make_picture (Runner *runner, YvEngine *engine, uint32_t index, GError **error)
{
  const StreamsOptions *options = runner->race->options;
  const size_t n_bytes = (size_t) options->side_px * options->side_px * 3;
  uint32_t state = index + 1;
  uint8_t *bytes;

  if (options->in_place) {
    runner->memory = yv_frame_memory_new (engine, n_bytes, error);
    if (!runner->memory)
      return false;
    bytes = yv_frame_memory_bytes (runner->memory);
  } else {
    bytes = runner->pixels = g_malloc (n_bytes);
  }
  for (size_t i = 0; i < n_bytes; i++) {
    state = state * 1664525u + 1013904223u; /* Numerical Recipes' generator */
    bytes[i] = (uint8_t) (state >> 24);
  }
  runner->image = (YvImage){.format = YV_FORMAT_RGB,
                            .width = options->side_px,
                            .height = options->side_px,
                            .planes = {bytes},
                            .stride_bytes = {options->side_px * 3},
                            .memory = runner->memory};
  return true;
}

/* With all sizes of batches, which else would be made while frames are timed. */
static bool
open_stream (Runner *runner, YvEngine *engine, GError **error)
{
  const StreamsOptions *options = runner->race->options;
  const uint32_t most = options->batch ? options->batch : MAX_PREPARED;
  YvStreamOptions settings = YV_STREAM_DEFAULTS;

  settings.input_size = options->side_px;
  settings.max_in_flight = options->in_flight;
  settings.shares_batches = true;
  runner->stream = yv_stream_new (engine, &settings, error);
  if (!runner->stream)
    return false;
  for (uint32_t n = 1; n <= most; n *= 2) {
    settings.batch_size = n;
    if (!yv_stream_set_options (runner->stream, &settings, error) ||
        !yv_stream_prepare (runner->stream, options->side_px, options->side_px, error))
      return false;
  }
  settings.batch_size = options->batch;
  return yv_stream_set_options (runner->stream, &settings, error) &&
         yv_stream_prepare (runner->stream, options->side_px, options->side_px, error);
}

static bool
see_one (Runner *runner)
{
  const YvDetections *found = yv_stream_collect (runner->stream, NULL, &runner->error);

  if (!found)
    return false;
  runner->sums.n_copied += found->was_copied;
  runner->sums.batch += found->n_batch;
  runner->sums.wait_ms += (double) found->times.wait_ns / 1e6;
  runner->sums.total_ms += (double) found->times.total_ns / 1e6;
  return true;
}

static bool
see_frames (Runner *runner, uint32_t n)
{
  const StreamsOptions *options = runner->race->options;
  uint32_t n_submitted = 0;

  for (uint32_t n_seen = 0; n_seen < n; n_seen++) {
    for (; n_submitted < n && n_submitted - n_seen < options->in_flight; n_submitted++)
      if (!yv_stream_submit (runner->stream, &runner->image, 1, &runner->error))
        return false;
    if (!see_one (runner))
      return false;
  }
  return true;
}

/* One that failed doesn't keep the others. */
static void
wait_for_all (Race *race)
{
  g_mutex_lock (&race->mutex);
  if (++race->n_warm == race->options->n_streams) {
    race->start_us = g_get_monotonic_time ();
    g_cond_broadcast (&race->all_are_warm);
  }
  while (race->n_warm < race->options->n_streams)
    g_cond_wait (&race->all_are_warm, &race->mutex);
  g_mutex_unlock (&race->mutex);
}

static gpointer
run_stream (gpointer data)
{
  Runner *runner = data;
  const bool is_warm = see_frames (runner, runner->race->options->n_warmup);

  wait_for_all (runner->race);
  memset (&runner->sums, 0, sizeof runner->sums);
  if (is_warm)
    see_frames (runner, runner->race->options->n_runs);
  return NULL;
}

static bool
run_all (Race *race, Runner *runners, StreamsResult *out, GError **error)
{
  const uint64_t n_frames = (uint64_t) race->options->n_streams * race->options->n_runs;

  for (uint32_t i = 0; i < race->options->n_streams; i++)
    runners[i].thread = g_thread_new ("stream", run_stream, &runners[i]);
  for (uint32_t i = 0; i < race->options->n_streams; i++)
    g_thread_join (runners[i].thread);
  const double seconds = (double) (g_get_monotonic_time () - race->start_us) / 1e6;

  *out = (StreamsResult){.images_per_s = seconds > 0 ? (double) n_frames / seconds : 0};
  for (uint32_t i = 0; i < race->options->n_streams; i++) {
    if (runners[i].error) {
      g_propagate_error (error, g_steal_pointer (&runners[i].error));
      return false;
    }
    out->n_copied += runners[i].sums.n_copied;
    out->batch += runners[i].sums.batch / (double) n_frames;
    out->wait_ms += runners[i].sums.wait_ms / (double) n_frames;
    out->total_ms += runners[i].sums.total_ms / (double) n_frames;
  }
  out->n_in_place = n_frames - out->n_copied;
  return true;
}

bool
bench_streams (YvEngine *engine, const StreamsOptions *options, StreamsResult *out, GError **error)
{
  Race race = {.options = options};
  g_autoptr (GArray) runners = g_array_sized_new (FALSE, TRUE, sizeof (Runner), options->n_streams);

  g_array_set_clear_func (runners, clear_runner);
  g_array_set_size (runners, options->n_streams);
  for (uint32_t i = 0; i < options->n_streams; i++) {
    Runner *runner = &g_array_index (runners, Runner, i);

    runner->race = &race;
    if (!make_picture (runner, engine, i, error) || !open_stream (runner, engine, error))
      return false;
  }
  return run_all (&race, (Runner *) (void *) runners->data, out, error);
}
