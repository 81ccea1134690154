/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/batchcase.c - streams that share batches, two of which wait for each other. */
#include "tests/model/batchcase.h"

#include "engine/engine.h"

YvStreamOptions
shared_options (void)
{
  YvStreamOptions options = low_options ();

  options.shares_batches = true;
  return options;
}

YvStream *
open_prepared (YvEngine *engine, const YvStreamOptions *options)
{
  YvStream *stream = open_stream (engine, options);
  g_autoptr (GError) error = NULL;

  yv_stream_prepare (stream, FRAME_W, FRAME_H, &error);
  g_assert_no_error (error);
  return stream;
}

void
submit (YvStream *stream, const YvImage *image)
{
  g_autoptr (GError) error = NULL;

  yv_stream_submit (stream, image, 1, &error);
  g_assert_no_error (error);
}

void
replace (YvStream *stream, const YvImage *image, bool expected)
{
  g_autoptr (GError) error = NULL;
  bool replaced = !expected;

  yv_stream_replace (stream, image, &replaced, &error);
  g_assert_no_error (error);
  g_assert_true (replaced == expected);
}

const YvDetections *
collect (YvStream *stream)
{
  g_autoptr (GError) error = NULL;
  uint32_t n_results = 0;
  const YvDetections *found = yv_stream_collect (stream, &n_results, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (n_results, ==, 1);
  return found;
}

static GArray *
copy_detections (const YvDetections *found)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (YvDetection));

  g_array_append_vals (all, found->detections, found->n_detections);
  return all;
}

GArray *
detect_alone (YvEngine *engine, const YvStreamOptions *shared, const YvImage *image)
{
  YvStreamOptions options = *shared;
  g_autoptr (GError) error = NULL;

  options.shares_batches = false;
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  const YvDetections *found = yv_stream_detect (stream, image, &error);
  g_assert_no_error (error);
  return copy_detections (found);
}

void
assert_found (const YvDetections *found, const GArray *expected)
{
  g_assert_cmpmem (found->detections, found->n_detections * sizeof (YvDetection), expected->data,
                   expected->len * sizeof (YvDetection));
}

/* ---- a pair ---------------------------------------------------------------------------------- */

bool
open_pair (Pair *pair)
{
  *pair = (Pair){.engine = open_vulkan ()};
  if (!pair->engine)
    return false;
  pair->options = shared_options ();
  pair->options.batch_size = 2;
  pair->options.batch_timeout_ns = FOR_EVER_NS;
  pair->options.max_in_flight = N_PHASES;
  for (uint32_t i = 0; i < N_PHASES; i++) {
    pair->memories[i] = yv_frame_memory_new (pair->engine, FRAME_BYTES, NULL);
    pair->images[i] = draw_picture (yv_frame_memory_bytes (pair->memories[i]), 11 * i);
    pair->images[i].memory = pair->memories[i];
    pair->expected[i] = detect_alone (pair->engine, &pair->options, &pair->images[i]);
  }
  for (uint32_t k = 0; k < 2; k++)
    pair->streams[k] = open_prepared (pair->engine, &pair->options);
  return true;
}

void
close_pair (Pair *pair)
{
  for (uint32_t k = 0; k < 2; k++)
    yv_stream_free (pair->streams[k]);
  for (uint32_t i = 0; i < N_PHASES; i++) {
    yv_frame_memory_free (pair->memories[i]);
    g_array_unref (pair->expected[i]);
  }
  yv_engine_unref (pair->engine);
}

void
collect_phase (Pair *pair, uint32_t stream, uint32_t phase, uint32_t n_batch)
{
  const YvDetections *found = collect (pair->streams[stream]);

  assert_found (found, pair->expected[phase]);
  g_assert_cmpuint (found->n_batch, ==, n_batch);
  g_assert_false (found->was_copied);
}
