/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/overlay-speed.c [FORMAT...] - what an overlay costs a frame, in ms of one core: 100
 * boxes with tags on 1920x1080, drawn by yolov7overlay, and by GStreamer's own
 * objectdetectionoverlay where that is installed (1.24). Fails where ours takes 2 ms or more on
 * NV12 and not less than a quarter of the other. */
#include <time.h>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gst/detectionmeta.h"

#define W 1920
#define H 1080
#define N_BOXES 100
#define N_BUFFERS 4    /* different ones, taken in turn */
#define N_BATCHES 15   /* the fastest counts: what else runs on this machine is not asked for */
#define N_FRAMES 20    /* of a batch */
#define ENOUGH_MS 3000 /* no batch begins after it */
#define TARGET_MS 2.0

static const char *const labels[] = {"person", "car", "traffic light", "bicycle", "dog"};

static void
attach (GstBuffer *buffer, guint frame)
{
  const GstYolov7Frame about = {.width = W, .height = H, .pts = GST_CLOCK_TIME_NONE};
  GstYolov7Detection found[N_BOXES];

  for (guint i = 0; i < N_BOXES; i++)
    found[i] = (GstYolov7Detection){
        .x = (i % 10) * 180 + frame * 3 + i % 7,
        .y = i / 10 * 100 + frame * 2 + i % 5,
        .w = 60 + i * 37 % 140,
        .h = 80 + i * 53 % 160,
        .confidence = (99 - (i + frame) % 70) / 100.0,
        .objectness = 1,
        .class_index = (gint) (i % G_N_ELEMENTS (labels)),
        .id = -1,
        .label = labels[i % G_N_ELEMENTS (labels)],
    };
  gst_yolov7_detections_attach (buffer, &about, found, N_BOXES, GST_YOLOV7_META_ANALYTICS);
}

static double
cpu_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

/* Frames go through the element and come back, again and again. */
static double
push_frames (GstHarness *h, GstBuffer *buffers[N_BUFFERS], guint n_frames)
{
  const double start = cpu_ms ();

  for (guint i = 0; i < n_frames; i++) {
    gst_harness_push (h, g_steal_pointer (&buffers[i % N_BUFFERS]));
    buffers[i % N_BUFFERS] = gst_harness_pull (h);
  }
  return (cpu_ms () - start) / n_frames;
}

static double
measure (const char *element, const char *format)
{
  GstHarness *h = gst_harness_new_parse (element);
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT, W,
                           "height", G_TYPE_INT, H, "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
  GstBuffer *buffers[N_BUFFERS];
  GstVideoInfo info;

  gst_video_info_from_caps (&info, caps);
  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
  for (guint i = 0; i < N_BUFFERS; i++) {
    buffers[i] = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_memset (buffers[i], 0, 0x60, info.size);
    attach (buffers[i], i);
  }
  push_frames (h, buffers, N_BUFFERS * 2); /* texts are laid out, pages are touched */
  const double start = cpu_ms ();
  double ms = G_MAXDOUBLE;
  for (guint i = 0; i < N_BATCHES && (i == 0 || cpu_ms () - start < ENOUGH_MS); i++)
    ms = MIN (ms, push_frames (h, buffers, N_FRAMES));
  for (guint i = 0; i < N_BUFFERS; i++)
    gst_buffer_unref (buffers[i]);
  gst_harness_teardown (h);
  return ms;
}

static gboolean
is_installed (const char *element)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (element);

  return factory != NULL;
}

int
main (int argc, char **argv)
{
  static const char *usual[] = {"overlay-speed", "NV12", "I420", "BGRx", "YUY2", "P010_10LE", NULL};
  gboolean is_fast = TRUE;

  gst_init (&argc, &argv);
  const char **formats = argc > 1 ? (const char **) argv : usual;
  for (guint i = 1; formats[i]; i++) {
    const double ours = measure ("yolov7overlay", formats[i]);
    g_print ("%-9s %dx%d, %d boxes with tags: %.2f ms", formats[i], W, H, N_BOXES, ours);
    double target = TARGET_MS;
    if (is_installed ("objectdetectionoverlay")) {
      const double theirs = measure ("objectdetectionoverlay", formats[i]);
      g_print (", objectdetectionoverlay %.2f ms, %.1f times", theirs, theirs / ours);
      target = MAX (target, theirs / 4);
    }
    g_print ("\n");
    if (g_str_equal (formats[i], "NV12"))
      is_fast = ours < target;
  }
  if (!is_installed ("objectdetectionoverlay"))
    g_print ("objectdetectionoverlay is not installed: GStreamer 1.24 and later have it\n");
  return is_fast ? 0 : 1;
}
