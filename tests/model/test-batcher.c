/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-batcher.c - frames of several streams in one batch: each finds what it finds
 * alone, whatever the others want or do.
 */
#include <string.h>

#include "engine/batcher.h"
#include "engine/engine.h"
#include "engine/error.h"
#include "engine/vulkan/device.h"
#include "tests/common/device.h"
#include "tests/model/enginecase.h"

#define FRAME_BYTES (3 * FRAME_W * FRAME_H)

/* Longer than any test: what waits so long waits for a full batch. */
#define FOR_EVER_NS (UINT64_C (3600) * 1000000000)

static YvEngine *
open_vulkan (void)
{
  return yv_test_needs_vulkan () ? open_engine (NULL) : NULL;
}

static YvStreamOptions
shared_options (void)
{
  YvStreamOptions options = low_options ();

  options.shares_batches = true;
  return options;
}

static YvStream *
open_prepared (YvEngine *engine, const YvStreamOptions *options)
{
  YvStream *stream = open_stream (engine, options);
  g_autoptr (GError) error = NULL;

  yv_stream_prepare (stream, FRAME_W, FRAME_H, &error);
  g_assert_no_error (error);
  return stream;
}

static void
submit (YvStream *stream, const YvImage *image)
{
  g_autoptr (GError) error = NULL;

  yv_stream_submit (stream, image, 1, &error);
  g_assert_no_error (error);
}

static void
replace (YvStream *stream, const YvImage *image, bool expected)
{
  g_autoptr (GError) error = NULL;
  bool replaced = !expected;

  yv_stream_replace (stream, image, &replaced, &error);
  g_assert_no_error (error);
  g_assert_true (replaced == expected);
}

static const YvDetections *
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

/* By a stream of its own that does not share. */
static GArray *
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

static void
assert_found (const YvDetections *found, const GArray *expected)
{
  g_assert_cmpmem (found->detections, found->n_detections * sizeof (YvDetection), expected->data,
                   expected->len * sizeof (YvDetection));
}

/* ---- results --------------------------------------------------------------------------------- */

#define N_STREAMS 8

/* Its own picture and wishes: of thresholds, classes, formats and sizes no two agree. */
typedef struct {
  YvStreamOptions options;
  uint8_t pixels[FRAME_BYTES];
  YvImage image;
  GArray *expected;
  YvStream *stream;
} Camera;

/* Two planes or three, of rows further apart than they are long. */
static YvImage
view_as_yuv (const uint8_t *pixels, YvFormat format)
{
  const uint8_t *chroma = pixels + 208 * FRAME_H;

  return (YvImage){.format = format,
                   .width = FRAME_W,
                   .height = FRAME_H,
                   .planes = {pixels, chroma, chroma + 104 * (FRAME_H / 2)},
                   .stride_bytes = {208, format == YV_FORMAT_NV12 ? 208 : 104, 104}};
}

/* All fit into the same network. */
static void
make_picture (Camera *camera, uint32_t i)
{
  YvImage *image = &camera->image;

  *image = draw_picture (camera->pixels, 9 * i);
  image->format = i % 3 == 1 ? YV_FORMAT_BGR : YV_FORMAT_RGB;
  if (i % 4 == 1) { /* half the size */
    image->width /= 2;
    image->height /= 2;
    image->stride_bytes[0] *= 2;
  }
  if (i == 3)
    *image = view_as_yuv (camera->pixels, YV_FORMAT_I420);
  if (i == 6)
    *image = view_as_yuv (camera->pixels, YV_FORMAT_GRAY8);
  if (i == 7)
    *image = view_as_yuv (camera->pixels, YV_FORMAT_NV12);
}

static void
make_camera (Camera *camera, YvEngine *engine, uint32_t i)
{
  static const char *const classes[] = {NULL, "0", "1,2", "3", NULL, "4,0", "2", "0,1,2,3"};

  make_picture (camera, i);
  camera->options = shared_options ();
  camera->options.confidence_threshold = 0.01f + 0.007f * (float) i;
  camera->options.iou_threshold = 0.3f + 0.05f * (float) i;
  camera->options.class_agnostic_nms = i % 2;
  camera->options.classes = classes[i];
  camera->options.batch_size = N_STREAMS;
  camera->options.batch_timeout_ns = FOR_EVER_NS;
  camera->expected = detect_alone (engine, &camera->options, &camera->image);
  camera->stream = open_prepared (engine, &camera->options);
}

/* All of a frame are there, and no batch is full before. */
static void
streams_that_want_different_things_run_together (YvEngine *engine)
{
  g_autofree Camera *cameras = g_new0 (Camera, N_STREAMS);
  uint32_t n_found = 0;

  for (uint32_t i = 0; i < N_STREAMS; i++)
    make_camera (&cameras[i], engine, i);
  for (uint32_t round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < N_STREAMS; i++)
      submit (cameras[i].stream, &cameras[i].image);
    for (uint32_t i = 0; i < N_STREAMS; i++) {
      const YvDetections *found = collect (cameras[i].stream);

      assert_found (found, cameras[i].expected);
      g_assert_cmpuint (found->n_batch, ==, N_STREAMS);
      g_assert_true (found->was_copied);
      g_assert_cmpuint (found->times.total_ns, >=, found->times.wait_ns);
      n_found += found->n_detections;
    }
  }
  g_assert_cmpuint (n_found, >, 0);
  for (uint32_t i = 0; i < N_STREAMS; i++) {
    yv_stream_free (cameras[i].stream);
    g_array_unref (cameras[i].expected);
  }
}

static void
streams_that_want_different_things_run_together_on_vulkan (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();

  if (engine)
    streams_that_want_different_things_run_together (engine);
}

static void
streams_that_want_different_things_run_together_on_the_reference (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");

  streams_that_want_different_things_run_together (engine);
}

/* ---- a device that is held ------------------------------------------------------------------- */

static struct {
  YvDevice *device;
  PFN_vkWaitSemaphores real_wait;
  GMutex mutex;
  GCond opened;
  bool is_open;
} gate;

/* Nobody hears that a batch is done until it opens. */
static VKAPI_ATTR VkResult VKAPI_CALL
wait_at_gate (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout_ns)
{
  g_mutex_lock (&gate.mutex);
  while (!gate.is_open)
    g_cond_wait (&gate.opened, &gate.mutex);
  g_mutex_unlock (&gate.mutex);
  return gate.real_wait (device, info, timeout_ns);
}

static void
close_gate (YvEngine *engine)
{
  gate.device = engine->device;
  gate.is_open = false;
  gate.real_wait = gate.device->vk.vkWaitSemaphores;
  gate.device->vk.vkWaitSemaphores = wait_at_gate;
}

static void
open_gate (void)
{
  g_mutex_lock (&gate.mutex);
  gate.is_open = true;
  g_cond_broadcast (&gate.opened);
  g_mutex_unlock (&gate.mutex);
}

/* Once all is collected. */
static void
remove_gate (void)
{
  gate.device->vk.vkWaitSemaphores = gate.real_wait;
}

/* ---- who waits for whom ---------------------------------------------------------------------- */

/* Two streams that wait for each other's frames, and a picture for each of a few phases. */
#define N_PHASES 4

typedef struct {
  YvEngine *engine;
  YvStreamOptions options;
  YvStream *streams[2];
  YvFrameMemory *memories[N_PHASES];
  YvImage images[N_PHASES]; /* in place */
  GArray *expected[N_PHASES];
} Pair;

static bool
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

static void
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

/* Other streams, of the options as they are now: nothing else is ready. */
static void
open_pair_again (Pair *pair)
{
  for (uint32_t k = 0; k < 2; k++)
    yv_stream_free (pair->streams[k]);
  yv_engine_drop_idle_runners (pair->engine);
  for (uint32_t k = 0; k < 2; k++)
    pair->streams[k] = open_prepared (pair->engine, &pair->options);
}

static void
collect_phase (Pair *pair, uint32_t stream, uint32_t phase, uint32_t n_batch)
{
  const YvDetections *found = collect (pair->streams[stream]);

  assert_found (found, pair->expected[phase]);
  g_assert_cmpuint (found->n_batch, ==, n_batch);
  g_assert_false (found->was_copied);
}

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

typedef struct {
  GMutex mutex;
  GCond changed;
  uint32_t n_calls;
} Bell;

static void
ring (void *data)
{
  Bell *bell = data;

  g_mutex_lock (&bell->mutex);
  bell->n_calls++;
  g_cond_signal (&bell->changed);
  g_mutex_unlock (&bell->mutex);
}

static void
wait_for_rings (Bell *bell, uint32_t n)
{
  g_mutex_lock (&bell->mutex);
  while (bell->n_calls < n)
    g_cond_wait (&bell->changed, &bell->mutex);
  g_assert_cmpuint (bell->n_calls, ==, n);
  g_mutex_unlock (&bell->mutex);
}

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

/* ---- failures -------------------------------------------------------------------------------- */

static PFN_vkWaitSemaphores real_wait;
static bool is_lost;

static VKAPI_ATTR VkResult VKAPI_CALL
wait_unless_lost (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout_ns)
{
  const VkResult result = real_wait (device, info, timeout_ns);
  const bool fails = is_lost;

  is_lost = false;
  return fails ? VK_ERROR_DEVICE_LOST : result;
}

static void
a_failure_is_of_one_batch (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  real_wait = pair.engine->device->vk.vkWaitSemaphores;
  is_lost = true;
  pair.engine->device->vk.vkWaitSemaphores = wait_unless_lost;
  for (uint32_t i = 0; i < 2; i++)
    for (uint32_t k = 0; k < 2; k++)
      submit (pair.streams[k], &pair.images[i]);
  for (uint32_t k = 0; k < 2; k++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (yv_stream_collect (pair.streams[k], NULL, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
    collect_phase (&pair, k, 1, 2);
  }
  pair.engine->device->vk.vkWaitSemaphores = real_wait;
  close_pair (&pair);
}

static void
a_bad_frame_fails_alone (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  g_autoptr (GError) stride = NULL, shape = NULL, two = NULL;
  YvImage bad = pair.images[0], thin = pair.images[0];
  bad.stride_bytes[0] = 1;
  thin.width = 1; /* px, of which nothing is left at 32 px */

  submit (pair.streams[0], &pair.images[1]);
  g_assert_false (yv_stream_submit (pair.streams[1], &bad, 1, &stride));
  g_assert_error (stride, YV_ERROR, YV_ERROR_INVALID);
  YvStreamOptions narrow = pair.options;
  narrow.input_size = 32;
  g_assert_true (yv_stream_set_options (pair.streams[1], &narrow, NULL));
  g_assert_false (yv_stream_submit (pair.streams[1], &thin, 1, &shape));
  g_assert_error (shape, YV_ERROR, YV_ERROR_INVALID);
  g_assert_false (yv_stream_submit (pair.streams[1], pair.images, 2, &two));
  g_assert_error (two, YV_ERROR, YV_ERROR_INVALID);

  g_assert_true (yv_stream_set_options (pair.streams[1], &pair.options, NULL));
  submit (pair.streams[1], &pair.images[2]);
  collect_phase (&pair, 0, 1, 2);
  collect_phase (&pair, 1, 2, 2);
  close_pair (&pair);
}

static void
what_makes_no_sense_is_refused (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  YvStreamOptions options = shared_options ();
  options.max_in_flight = 1;
  g_autoptr (YvStream) shared = open_stream (engine, &options);
  options.shares_batches = false;
  g_autoptr (YvStream) alone = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  const YvImage image = draw_picture (pixels, 0);
  g_autoptr (GError) changed = NULL, replacing = NULL, size = NULL, empty = NULL, full = NULL;
  bool replaced;

  g_assert_false (yv_stream_set_options (shared, &options, &changed));
  g_assert_error (changed, YV_ERROR, YV_ERROR_INVALID);
  g_assert_false (yv_stream_replace (alone, &image, &replaced, &replacing));
  g_assert_error (replacing, YV_ERROR, YV_ERROR_INVALID);
  g_assert_false (yv_stream_is_ready (alone));
  options.shares_batches = true;
  options.batch_size = YV_MAX_BATCH + 1;
  g_assert_false (yv_stream_set_options (shared, &options, &size));
  g_assert_error (size, YV_ERROR, YV_ERROR_INVALID);
  g_assert_null (yv_stream_collect (shared, NULL, &empty));
  g_assert_error (empty, YV_ERROR, YV_ERROR_INVALID);
  submit (shared, &image);
  g_assert_false (yv_stream_submit (shared, &image, 1, &full));
  g_assert_error (full, YV_ERROR, YV_ERROR_INVALID);
  g_assert_cmpuint (collect (shared)->n_batch, ==, 1);
  g_assert_nonnull (yv_stream_detect (shared, &image, NULL));
}

/* ---- memory ---------------------------------------------------------------------------------- */

static PFN_vkAllocateMemory real_allocate;

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_nothing (VkDevice device, const VkMemoryAllocateInfo *info,
                  const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  (void) device;
  (void) info;
  (void) allocator;
  (void) memory;
  return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/* The second batch finds no slot, and is made of single frames, of which the second finds none. */
static void
batches_become_smaller_where_memory_runs_out (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  YvImage square = pair.images[1];
  square.width = square.height = FRAME_H;
  g_autoptr (GError) error = NULL;

  close_gate (pair.engine);
  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[0]);
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_nothing;
  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[1]);
  open_gate ();
  for (uint32_t k = 0; k < 2; k++) {
    collect_phase (&pair, k, 0, 2);
    collect_phase (&pair, k, 1, 1);
  }
  g_assert_cmpuint (pair.engine->batcher->max_batch, ==, 1);
  g_assert_cmpuint (pair.engine->batcher->max_running, ==, 1);
  g_assert_false (yv_stream_submit (pair.streams[0], &square, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
  device->vk.vkAllocateMemory = real_allocate;
  remove_gate ();

  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[2]);
  for (uint32_t k = 0; k < 2; k++)
    collect_phase (&pair, k, 2, 1);
  close_pair (&pair);
}

static Bell refusals;

/* As long as the gate is closed. */
static VKAPI_ATTR VkResult VKAPI_CALL
allocate_behind_gate (VkDevice device, const VkMemoryAllocateInfo *info,
                      const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  g_mutex_lock (&gate.mutex);
  const bool is_open = gate.is_open;
  g_mutex_unlock (&gate.mutex);
  if (is_open)
    return real_allocate (device, info, allocator, memory);
  ring (&refusals);
  return allocate_nothing (device, info, allocator, memory);
}

static gpointer
open_gate_when_refused (gpointer data)
{
  g_mutex_lock (&refusals.mutex);
  while (refusals.n_calls == 0)
    g_cond_wait (&refusals.changed, &refusals.mutex);
  g_mutex_unlock (&refusals.mutex);
  open_gate ();
  return data;
}

/* A stream that joins, and then a frame's copy, give up the batches of two, and wait for the one
 * that runs. */
static void
check_that_batches_give_way (Pair *pair, void (*take_memory) (Pair *pair))
{
  YvDevice *device = pair->engine->device;

  refusals.n_calls = 0;
  close_gate (pair->engine);
  for (uint32_t k = 0; k < 2; k++)
    submit (pair->streams[k], &pair->images[k]);
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_behind_gate;
  GThread *thread = g_thread_new ("opens", open_gate_when_refused, NULL);
  take_memory (pair);
  g_thread_join (thread);
  device->vk.vkAllocateMemory = real_allocate;
  for (uint32_t k = 0; k < 2; k++)
    collect_phase (pair, k, k, 2);
  g_assert_cmpuint (pair->engine->batcher->max_batch, ==, 1);
}

static void
prepare_another_size (Pair *pair)
{
  YvStreamOptions options = pair->options;

  options.input_size = 96;
  yv_stream_free (open_prepared (pair->engine, &options));
}

static void
submit_to_copy (Pair *pair)
{
  YvImage image = pair->images[2];

  image.memory = NULL;
  submit (pair->streams[0], &image);
}

static void
batches_give_way_to_streams_that_join (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  check_that_batches_give_way (&pair, prepare_another_size);
  remove_gate ();
  close_pair (&pair);
}

static void
batches_give_way_to_copies (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  check_that_batches_give_way (&pair, submit_to_copy);
  assert_found (collect (pair.streams[0]), pair.expected[2]);
  remove_gate ();
  close_pair (&pair);
}

static Bell company; /* rung when the batch that the next one was started behind is done */

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_nothing_once_alone (VkDevice device, const VkMemoryAllocateInfo *info,
                             const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  open_gate ();
  wait_for_rings (&company, 1);
  return allocate_nothing (device, info, allocator, memory);
}

/* It lacked memory beside another, which is done when it hears of it. */
static void
a_batch_that_lacked_memory_in_company_starts_again_alone (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  pair.options.batch_size = 1; /* there is no larger one to give up */
  open_pair_again (&pair);
  yv_stream_set_ready_func (pair.streams[0], ring, &company);
  close_gate (pair.engine);
  submit (pair.streams[0], &pair.images[0]);
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_nothing_once_alone;
  submit (pair.streams[1], &pair.images[1]);
  collect_phase (&pair, 0, 0, 1);
  collect_phase (&pair, 1, 1, 1);
  device->vk.vkAllocateMemory = real_allocate;
  remove_gate ();
  close_pair (&pair);
}

/* Single frames of the other are ready, larger batches are not. */
static void
a_size_that_can_not_be_made_limits_its_network_alone (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  YvStreamOptions options = pair.options;
  options.input_size = 96;
  options.batch_size = 0;
  g_autoptr (YvStream) small = open_prepared (pair.engine, &options);
  options.batch_size = 4;
  g_assert_true (yv_stream_set_options (small, &options, NULL));
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_nothing;
  g_assert_true (yv_stream_prepare (small, FRAME_W, FRAME_H, NULL));
  device->vk.vkAllocateMemory = real_allocate;
  g_assert_cmpuint (pair.engine->batcher->max_batch, ==, YV_MAX_BATCH);
  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[k]);
  for (uint32_t k = 0; k < 2; k++)
    collect_phase (&pair, k, k, 2);
  const YvBatchNet *own = g_ptr_array_index (pair.engine->batcher->nets, 1);
  g_assert_cmpuint (own->max_batch, ==, 2);
  close_pair (&pair);
}

static void
memory_is_counted (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  YvEngineMemory before, after, freed;
  if (!engine)
    return;

  YvStreamOptions options = shared_options ();
  yv_engine_memory (engine, &before);
  g_assert_cmpuint (before.weights_bytes, >, 0);
  YvFrameMemory *memory = yv_frame_memory_new (engine, 1 << 20, NULL);
  YvStream *stream = open_prepared (engine, &options);
  yv_engine_memory (engine, &after);
  g_assert_cmpuint (after.activations_bytes, >, before.activations_bytes);
  g_assert_cmpuint (after.frames_bytes, >=, before.frames_bytes + (1 << 20));
  yv_stream_free (stream);
  yv_frame_memory_free (memory);
  g_assert_true (yv_engine_drop_idle_runners (engine));
  yv_engine_memory (engine, &freed);
  g_assert_cmpuint (freed.activations_bytes, ==, 0);
  g_assert_cmpuint (freed.frames_bytes, ==, 0);
  g_assert_cmpuint (freed.weights_bytes, >=, before.weights_bytes);

  g_autoptr (YvEngine) reference = open_engine ("reference");
  yv_engine_memory (reference, &after);
  g_assert_cmpuint (after.weights_bytes, ==, 0);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static Bell makers; /* rung by who is kept from making a size */
static GThread *kept;

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_once_open (VkDevice device, const VkMemoryAllocateInfo *info,
                    const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  if (g_thread_self () == g_atomic_pointer_get (&kept)) {
    ring (&makers);
    g_mutex_lock (&gate.mutex);
    while (!gate.is_open)
      g_cond_wait (&gate.opened, &gate.mutex);
    g_mutex_unlock (&gate.mutex);
  }
  return real_allocate (device, info, allocator, memory);
}

static gpointer
prepare_while_kept (gpointer data)
{
  g_atomic_pointer_set (&kept, g_thread_self ());
  prepare_another_size (data);
  g_atomic_pointer_set (&kept, NULL);
  return NULL;
}

/* One that joins does not wait for what the others make ready, unless it is the same. */
static void
sizes_are_made_side_by_side (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  YvStreamOptions options = pair.options;
  options.input_size = 128;
  close_gate (pair.engine);
  remove_gate (); /* only the memory's is wanted */
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_once_open;
  GThread *thread = g_thread_new ("kept", prepare_while_kept, &pair);
  g_mutex_lock (&makers.mutex);
  while (makers.n_calls == 0)
    g_cond_wait (&makers.changed, &makers.mutex);
  g_mutex_unlock (&makers.mutex);
  yv_stream_free (open_prepared (pair.engine, &options));
  open_gate ();
  g_thread_join (thread);
  device->vk.vkAllocateMemory = real_allocate;
  close_pair (&pair);
}

/* Until it has made what is wanted of it. */
static void
wait_for_maker (YvBatcher *batcher)
{
  bool is_making = true;

  while (is_making) {
    g_thread_yield ();
    g_mutex_lock (&batcher->mutex);
    is_making = batcher->net_to_make != NULL;
    g_mutex_unlock (&batcher->mutex);
  }
}

/* Only single frames are ready at first, and nobody waits for more. */
static void
sizes_are_made_while_smaller_ones_run (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  for (uint32_t k = 0; k < 2; k++)
    yv_stream_free (pair.streams[k]);
  pair.options.batch_size = 0;
  pair.options.batch_timeout_ns = 0;
  pair.options.input_size = 128; /* of which none is ready */
  g_autoptr (GArray) expected = detect_alone (pair.engine, &pair.options, &pair.images[0]);
  for (uint32_t k = 0; k < 2; k++)
    pair.streams[k] = open_prepared (pair.engine, &pair.options);
  close_gate (pair.engine); /* so that two wait behind one */
  for (uint32_t i = 0; i < 3; i++)
    submit (pair.streams[i % 2], &pair.images[0]);
  open_gate ();
  for (uint32_t i = 0; i < 3; i++)
    assert_found (collect (pair.streams[i % 2]), expected);
  wait_for_maker (pair.engine->batcher);
  remove_gate ();
  close_gate (pair.engine);
  for (uint32_t i = 0; i < 3; i++)
    submit (pair.streams[i % 2], &pair.images[0]);
  open_gate ();
  for (uint32_t i = 0; i < 3; i++) {
    const YvDetections *found = collect (pair.streams[i % 2]);

    assert_found (found, expected);
    g_assert_cmpuint (found->n_batch, ==, i == 0 ? 1 : 2);
  }
  remove_gate ();
  close_pair (&pair);
}

/* Lists of 70875 candidates of which 65536 fit, so that the batch runs again. Thresholds differ, so
 * that the third does not run with the others. */
static void
lists_that_are_cut_off_run_again (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  YvStreamOptions options = shared_options ();
  options.input_size = 480;
  options.letterbox = YV_LETTERBOX_FIXED;
  options.confidence_threshold = 0;
  options.multi_label = true;
  options.batch_size = 2;
  options.batch_timeout_ns = FOR_EVER_NS;
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  const YvImage image = draw_picture (pixels, 7);
  g_autoptr (GArray) low = detect_alone (engine, &options, &image);
  YvStream *streams[3];

  for (uint32_t k = 0; k < 2; k++)
    streams[k] = open_prepared (engine, &options);
  options.confidence_threshold = 0.03f;
  options.iou_threshold = 0.2f;
  g_autoptr (GArray) high = detect_alone (engine, &options, &image);
  streams[2] = open_prepared (engine, &options);
  for (uint32_t k = 0; k < 3; k++)
    submit (streams[k], &image);
  for (uint32_t k = 0; k < 3; k++) {
    const YvDetections *found = collect (streams[k]);

    assert_found (found, k < 2 ? low : high);
    g_assert_cmpuint (found->n_batch, ==, k < 2 ? 2 : 1);
    yv_stream_free (streams[k]);
  }
}

/* ---- threads --------------------------------------------------------------------------------- */

#define N_THREADED 4
#define N_FRAMES 12

/* A stream with a thread that submits and another that collects. */
typedef struct {
  YvStream *stream;
  YvStreamOptions options;
  const YvImage *images;      /* [N_PHASES] */
  GArray *const *expected[2]; /* of the two sizes, [N_PHASES] */
  uint32_t first_phase;
  Bell bell; /* rung when one was collected */
} Threaded;

static void
wait_for_room (Threaded *threaded, uint32_t n_submitted)
{
  g_mutex_lock (&threaded->bell.mutex);
  while (n_submitted - threaded->bell.n_calls >= threaded->options.max_in_flight)
    g_cond_wait (&threaded->bell.changed, &threaded->bell.mutex);
  g_mutex_unlock (&threaded->bell.mutex);
}

static void
do_nothing (void *data)
{
  (void) data;
}

static gpointer
submit_all (gpointer data)
{
  Threaded *threaded = data;

  for (uint32_t i = 0; i < N_FRAMES; i++) {
    threaded->options.input_size = i / 3 % 2 ? 96 : 160;
    g_assert_true (yv_stream_set_options (threaded->stream, &threaded->options, NULL));
    yv_stream_set_ready_func (threaded->stream, i % 2 ? do_nothing : NULL, NULL);
    wait_for_room (threaded, i);
    submit (threaded->stream, &threaded->images[(threaded->first_phase + i) % N_PHASES]);
  }
  return NULL;
}

static gpointer
collect_all (gpointer data)
{
  Threaded *threaded = data;

  for (uint32_t i = 0; i < N_FRAMES;) {
    if (yv_stream_n_in_flight (threaded->stream) == 0) {
      g_thread_yield ();
      continue;
    }
    assert_found (collect (threaded->stream),
                  threaded->expected[i / 3 % 2][(threaded->first_phase + i) % N_PHASES]);
    ring (&threaded->bell);
    i++;
  }
  return NULL;
}

static void
two_threads_a_stream_do_not_disturb_each_other (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  static uint8_t pixels[N_PHASES][FRAME_BYTES];
  static Threaded threaded[N_THREADED];
  YvImage images[N_PHASES];
  GArray *expected[2][N_PHASES];
  GThread *threads[N_THREADED][2];
  YvStreamOptions options = shared_options ();

  for (uint32_t size = 0; size < 2; size++)
    for (uint32_t i = 0; i < N_PHASES; i++) {
      images[i] = draw_picture (pixels[i], 11 * i);
      options.input_size = size ? 96 : 160;
      expected[size][i] = detect_alone (engine, &options, &images[i]);
    }
  for (uint32_t k = 0; k < N_THREADED; k++) {
    threaded[k] = (Threaded){.options = options,
                             .images = images,
                             .expected = {expected[0], expected[1]},
                             .first_phase = k};
    threaded[k].options.max_in_flight = 1 + k;
    threaded[k].stream = open_stream (engine, &threaded[k].options);
    threads[k][0] = g_thread_new ("submits", submit_all, &threaded[k]);
    threads[k][1] = g_thread_new ("collects", collect_all, &threaded[k]);
  }
  for (uint32_t k = 0; k < N_THREADED; k++) {
    g_thread_join (threads[k][0]);
    g_thread_join (threads[k][1]);
    yv_stream_free (threaded[k].stream);
  }
  for (uint32_t size = 0; size < 2; size++)
    for (uint32_t i = 0; i < N_PHASES; i++)
      g_array_unref (expected[size][i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batcher/wishes/vulkan",
                   streams_that_want_different_things_run_together_on_vulkan);
  g_test_add_func ("/batcher/wishes/reference",
                   streams_that_want_different_things_run_together_on_the_reference);
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
  g_test_add_func ("/batcher/failure", a_failure_is_of_one_batch);
  g_test_add_func ("/batcher/bad-frame", a_bad_frame_fails_alone);
  g_test_add_func ("/batcher/refused", what_makes_no_sense_is_refused);
  g_test_add_func ("/batcher/out-of-memory", batches_become_smaller_where_memory_runs_out);
  g_test_add_func ("/batcher/company", a_batch_that_lacked_memory_in_company_starts_again_alone);
  g_test_add_func ("/batcher/joining", batches_give_way_to_streams_that_join);
  g_test_add_func ("/batcher/copies", batches_give_way_to_copies);
  g_test_add_func ("/batcher/network", a_size_that_can_not_be_made_limits_its_network_alone);
  g_test_add_func ("/batcher/memory", memory_is_counted);
  g_test_add_func ("/batcher/side-by-side", sizes_are_made_side_by_side);
  g_test_add_func ("/batcher/sizes", sizes_are_made_while_smaller_ones_run);
  g_test_add_func ("/batcher/cut-off", lists_that_are_cut_off_run_again);
  g_test_add_func ("/batcher/threads", two_threads_a_stream_do_not_disturb_each_other);
  return g_test_run ();
}
