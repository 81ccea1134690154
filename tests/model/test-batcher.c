/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-batcher.c - frames of several streams in one batch: each finds what it finds
 * alone, whatever the others want or do. */
#include "engine/engine.h"
#include "engine/error.h"
#include "engine/vulkan/device.h"
#include "tests/model/batchcase.h"
#include "tests/model/gate.h"

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
  g_test_add_func ("/batcher/failure", a_failure_is_of_one_batch);
  g_test_add_func ("/batcher/bad-frame", a_bad_frame_fails_alone);
  g_test_add_func ("/batcher/refused", what_makes_no_sense_is_refused);
  g_test_add_func ("/batcher/cut-off", lists_that_are_cut_off_run_again);
  g_test_add_func ("/batcher/threads", two_threads_a_stream_do_not_disturb_each_other);
  return g_test_run ();
}
