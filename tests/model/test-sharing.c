/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-sharing.c - streams of several threads on one engine. */
#include "tests/common/device.h"
#include "tests/model/enginecase.h"

#define N_FRAMES 12
#define N_SIZES 6 /* more than an engine keeps idle */

typedef struct {
  YvEngine *engine;
  uint32_t first_phase;
  uint32_t n_in_flight; /* 1: detects */
  GArray *seen;         /* out: of YvDetection, all frames one after the other */
} Camera;

static void
note (const Camera *camera, const YvDetections *found)
{
  g_assert_nonnull (found);
  g_array_append_vals (camera->seen, found->detections, found->n_detections);
}

static void
see (const Camera *camera, YvStream *stream, const YvImage *image)
{
  if (camera->n_in_flight == 1) {
    note (camera, yv_stream_detect (stream, image, NULL));
    return;
  }
  if (yv_stream_n_in_flight (stream) == camera->n_in_flight)
    note (camera, yv_stream_collect (stream, NULL, NULL));
  g_assert_true (yv_stream_submit (stream, image, 1, NULL));
}

static gpointer
watch (gpointer data)
{
  Camera *camera = data;
  YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (camera->engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);

  options.max_in_flight = camera->n_in_flight;
  for (uint32_t i = 0; i < N_FRAMES; i++) {
    const YvImage image = draw_picture (pixels, camera->first_phase + i);

    options.input_size = 64 + 32 * (i % N_SIZES);
    g_assert_true (yv_stream_set_options (stream, &options, NULL));
    see (camera, stream, &image);
  }
  while (yv_stream_n_in_flight (stream) > 0)
    note (camera, yv_stream_collect (stream, NULL, NULL));
  return NULL;
}

static void
streams_do_not_disturb_each_other (const char *device)
{
  Camera alone[2], together[4];
  GThread *threads[4];
  g_autoptr (YvEngine) engine = open_engine (device);

  for (uint32_t i = 0; i < 2; i++) {
    alone[i] = (Camera){engine, 5 * i, 1, g_array_new (FALSE, FALSE, sizeof (YvDetection))};
    watch (&alone[i]);
    g_assert_cmpuint (alone[i].seen->len, >, 0);
  }
  for (uint32_t i = 0; i < 4; i++) {
    together[i] =
        (Camera){engine, 5 * (i % 2), 1 + i / 2, g_array_new (FALSE, FALSE, sizeof (YvDetection))};
    threads[i] = g_thread_new ("camera", watch, &together[i]);
  }
  for (uint32_t i = 0; i < 4; i++) {
    g_thread_join (threads[i]);
    g_assert_cmpmem (together[i].seen->data, together[i].seen->len * sizeof (YvDetection),
                     alone[i % 2].seen->data, alone[i % 2].seen->len * sizeof (YvDetection));
    g_array_unref (together[i].seen);
  }
  g_array_unref (alone[0].seen);
  g_array_unref (alone[1].seen);
}

static void
streams_on_the_reference_do_not_disturb_each_other (void)
{
  streams_do_not_disturb_each_other ("reference");
}

static void
streams_on_vulkan_do_not_disturb_each_other (void)
{
  if (!!yv_test_needs_vulkan ())
    streams_do_not_disturb_each_other (NULL);
}

static void
a_stream_keeps_its_engine_alive (void)
{
  YvEngine *engine = open_engine ("reference");
  const YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 0);

  yv_engine_unref (engine);
  g_assert_nonnull (yv_stream_detect (stream, &image, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sharing/threads/reference",
                   streams_on_the_reference_do_not_disturb_each_other);
  g_test_add_func ("/sharing/threads/vulkan", streams_on_vulkan_do_not_disturb_each_other);
  g_test_add_func ("/sharing/lifetime", a_stream_keeps_its_engine_alive);
  return g_test_run ();
}
