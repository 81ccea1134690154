/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/overlay-speed.c [FORMAT...] - what an overlay costs a frame, in ms of one core: 100
 * boxes with tags on 1920x1080, drawn by yolov7overlay, and by GStreamer's own
 * objectdetectionoverlay where that is installed (1.24); and with ids and tails of ten seconds.
 * Fails where 100 boxes with tags take 2 ms or more on NV12. */
#include <stdlib.h>
#include <time.h>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gst/detectionmeta.h"

#define W 1920
#define H 1080
#define N_BOXES 100
#define FPS 5
#define N_BUFFERS 4    /* taken in turn */
#define N_BATCHES 15   /* the fastest is least disturbed by what else runs on this machine */
#define N_FRAMES 20    /* of a batch */
#define ENOUGH_MS 3000 /* no batch begins after it */
#define TARGET_MS 2.0

static const char *const labels[] = {"person", "car", "traffic light", "bicycle", "dog"};

/* Objects that move, @step px a frame; without ids they come back every fourth frame. */
typedef struct {
  const char *name, *properties;
  gboolean has_ids;
  guint step;
} Scene;

static const Scene scenes[] = {
    {"tags", "", FALSE, 3},
    {"tags, ids, tails", "tail-length=10000000000", TRUE, 25},
    {"tags, ids, tails, fast", "tail-length=10000000000", TRUE, 250},
};

/* Back and forth. */
static guint
bounce (guint px, guint most)
{
  return px / most % 2 ? most - px % most : px % most;
}

static gboolean
remove_meta (GstBuffer *buffer, GstMeta **meta, gpointer unused)
{
  (void) buffer, (void) unused;
  *meta = NULL;
  return TRUE;
}

static void
attach (GstBuffer *buffer, guint frame, const Scene *scene)
{
  const GstYolov7Frame about = {.width = W, .height = H, .pts = GST_CLOCK_TIME_NONE};
  const guint moved = (scene->has_ids ? frame : frame % N_BUFFERS) * scene->step;
  GstYolov7Detection found[N_BOXES];

  for (guint i = 0; i < N_BOXES; i++)
    found[i] = (GstYolov7Detection){
        .x = bounce ((i % 10) * 180 + moved + i % 7, W - 100),
        .y = bounce (i / 10 * 100 + moved / 2 + i % 5, H - 100),
        .w = 60 + i * 37 % 140,
        .h = 80 + i * 53 % 160,
        .confidence = (99 - (i + frame % N_BUFFERS) % 70) / 100.0,
        .objectness = 1,
        .class_index = (gint) (i % G_N_ELEMENTS (labels)),
        .id = scene->has_ids ? (gint) i : -1,
        .label = labels[i % G_N_ELEMENTS (labels)],
    };
  gst_buffer_foreach_meta (buffer, remove_meta, NULL);
  gst_yolov7_detections_attach (buffer, &about, found, N_BOXES, GST_YOLOV7_META_ANALYTICS);
  GST_BUFFER_PTS (buffer) = frame * GST_SECOND / FPS;
}

static double
cpu_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

typedef struct {
  GstHarness *h;
  const Scene *scene;
  GstBuffer *buffers[N_BUFFERS];
  guint n_frames; /* so far */
} Run;

/* Frames go through the element and come back, again and again. Returns: ms of one. */
static double
push_frames (Run *run, guint n_frames)
{
  double ms = 0;

  for (guint i = 0; i < n_frames; i++, run->n_frames++) {
    GstBuffer **buffer = &run->buffers[run->n_frames % N_BUFFERS];
    attach (*buffer, run->n_frames, run->scene);
    const double start = cpu_ms ();
    gst_harness_push (run->h, g_steal_pointer (buffer));
    *buffer = gst_harness_pull (run->h);
    ms += cpu_ms () - start;
  }
  return ms / n_frames;
}

static void
start (Run *run, const char *element, const char *format)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT, W,
                           "height", G_TYPE_INT, H, "framerate", GST_TYPE_FRACTION, FPS, 1, NULL);
  GstVideoInfo info;

  run->h = gst_harness_new_parse (element);
  gst_video_info_from_caps (&info, caps);
  gst_harness_set_caps (run->h, gst_caps_ref (caps), gst_caps_ref (caps));
  for (guint i = 0; i < N_BUFFERS; i++) {
    run->buffers[i] = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_memset (run->buffers[i], 0, 0x60, info.size);
  }
}

static int
compare_ms (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

typedef struct {
  double least, median; /* of batches, ms a frame */
} Cost;

static Cost
measure (const char *element, const Scene *scene, const char *format)
{
  g_autofree char *launch = g_strdup_printf ("%s %s", element, scene->properties);
  Run run = {.scene = scene};
  double ms[N_BATCHES];
  guint n = 0;

  start (&run, launch, format);
  /* texts are laid out, pages are touched, tails have their length */
  push_frames (&run, scene->has_ids ? 10 * FPS : N_BUFFERS * 2);
  for (const double begin = cpu_ms (); n < N_BATCHES && (n == 0 || cpu_ms () - begin < ENOUGH_MS);)
    ms[n++] = push_frames (&run, N_FRAMES);
  qsort (ms, n, sizeof (*ms), compare_ms);
  for (guint i = 0; i < N_BUFFERS; i++)
    gst_buffer_unref (run.buffers[i]);
  gst_harness_teardown (run.h);
  return (Cost){ms[0], ms[n / 2]};
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
  for (guint i = 1; formats[i]; i++)
    for (guint k = 0; k < G_N_ELEMENTS (scenes); k++) {
      const Cost ours = measure ("yolov7overlay", &scenes[k], formats[i]);
      g_print ("%-9s %dx%d, %d boxes with %s: %.2f ms, median %.2f", formats[i], W, H, N_BOXES,
               scenes[k].name, ours.least, ours.median);
      if (k == 0 && is_installed ("objectdetectionoverlay")) {
        const Cost theirs = measure ("objectdetectionoverlay", &scenes[k], formats[i]);
        g_print ("; objectdetectionoverlay %.2f ms, median %.2f", theirs.least, theirs.median);
      }
      g_print ("\n");
      if (k == 0 && g_str_equal (formats[i], "NV12"))
        is_fast = ours.least < TARGET_MS;
    }
  if (!is_installed ("objectdetectionoverlay"))
    g_print ("objectdetectionoverlay is not installed: GStreamer 1.24 and later have it\n");
  return is_fast ? 0 : 1;
}
