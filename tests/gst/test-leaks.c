/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-leaks.c - what a pipeline made is gone when it is: counted by GStreamer's own
 * leaks tracer, which knows every GstObject and mini object. */
#include <gst/gst.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/gst/leaks.h"
#include "tests/gst/pipeline.h"

/* ---- what is done while it plays ------------------------------------------------------------ */

static guint64
count_updates (GstElement *yolov7)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (yolov7, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "model-updates", &n));
  return n;
}

/* The same file once more is another stream; each frame posts a message meanwhile. */
static void
swap_model (GstElement *pipeline, GstBus *bus)
{
  g_autoptr (GstElement) yolov7 = gst_bin_get_by_name (GST_BIN (pipeline), "d");
  g_autofree char *model = NULL;

  g_object_get (yolov7, "model-file", &model, NULL);
  g_object_set (yolov7, "model-file", model, NULL);
  while (count_updates (yolov7) == 0) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ELEMENT);
  }
}

/* ---- pipelines ------------------------------------------------------------------------------- */

#define SOURCE_OF(n) "videotestsrc num-buffers=" #n " ! video/x-raw,width=96,height=64 ! "
#define YOLOV7 "yolov7 model-file=\"MODEL\" input-size=64 confidence-threshold=0.001 "

typedef struct {
  const char *path, *launch;
  GstMessageType last;                              /* it is stopped after this one */
  void (*then) (GstElement *pipeline, GstBus *bus); /* (nullable): and this */
} Row;

static const Row rows[] = {
    {"/leaks/plays",
     SOURCE_OF (3) "tee name=t t. ! queue ! fakesink async=false t. ! queue ! " YOLOV7
                   "! videoscale ! video/x-raw,width=48,height=32 ! videoconvert ! "
                   "video/x-raw,format=BGRA ! "
                   "yolov7overlay ! fakesink async=false",
     GST_MESSAGE_EOS, NULL},
    {"/leaks/leaky", SOURCE_OF (50) YOLOV7 "leaky=downstream ! fakesink", GST_MESSAGE_EOS, NULL},
    {"/leaks/publishes", SOURCE_OF (3) YOLOV7 "! yolov7publish file-path=/dev/null ! fakesink",
     GST_MESSAGE_EOS, NULL},
    {"/leaks/cant-publish",
     SOURCE_OF (3) YOLOV7 "! yolov7publish file-path=/dev/full drain-timeout=0 ! fakesink",
     GST_MESSAGE_EOS, NULL},
    {"/leaks/interval", SOURCE_OF (7) YOLOV7 "inference-interval=3 ! fakesink", GST_MESSAGE_EOS,
     NULL},
    {"/leaks/tracker", SOURCE_OF (7) YOLOV7 "inference-interval=3 ! yolov7tracker ! fakesink",
     GST_MESSAGE_EOS, NULL},
    {"/leaks/shared",
     SOURCE_OF (5) "tee name=t t. ! queue ! " YOLOV7
                   "batch-size=2 ! fakesink async=false t. ! queue ! " YOLOV7
                   "batch-size=2 ! fakesink async=false",
     GST_MESSAGE_EOS, NULL},
    {"/leaks/in-flight", SOURCE_OF (-1) YOLOV7 "max-in-flight=4 ! fakesink", GST_MESSAGE_ASYNC_DONE,
     NULL},
    {"/leaks/swap", SOURCE_OF (-1) YOLOV7 "name=d post-messages=true ! fakesink",
     GST_MESSAGE_ASYNC_DONE, swap_model},
    {"/leaks/fails", SOURCE_OF (3) YOLOV7 "device=nowhere ! fakesink", GST_MESSAGE_ERROR, NULL},
};

static GstElement *
launch (const char *line)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_auto (GStrv) parts = g_strsplit (line, "MODEL", -1);
  g_autofree char *whole = g_strjoinv (model, parts);

  return launch_pipeline ("%s", whole);
}

static void
play (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GstElement) pipeline = launch (row->launch);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, row->last | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, row->last);
  if (row->then)
    row->then (pipeline, bus);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
nothing_is_left (gconstpointer data)
{
  const Row *row = data;

  if (row->last != GST_MESSAGE_ERROR && !yv_test_needs_vulkan ())
    return;

  assert_leaves_nothing (play, row, row->path);
}

int
main (int argc, char **argv)
{
  g_setenv ("GST_TRACERS", "leaks", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_test_add_data_func (rows[i].path, &rows[i], nothing_is_left);
  return g_test_run ();
}
