/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-leaks.c - what a pipeline made is gone when it is: counted by GStreamer's own
 * leaks tracer, which knows every GstObject and mini object. */
#include <gst/gst.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/gst/leaks.h"

static void
play (gconstpointer properties)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=3 ! video/x-raw,width=96,height=64 ! tee name=t t. ! queue ! "
      "fakesink async=false t. ! queue ! yolov7 model-file=\"%s\" input-size=64 "
      "confidence-threshold=0.001 %s ! videoscale ! video/x-raw,width=48,height=32 ! "
      "videoconvert ! video/x-raw,format=BGRA ! yolov7overlay ! fakesink async=false",
      model, (const char *) properties);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
a_pipeline_leaves_nothing (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  assert_leaves_nothing (play, "", "a pipeline");
}

static void
a_pipeline_that_can_not_start_leaves_nothing (void)
{
  assert_leaves_nothing (play, "device=nowhere", "a pipeline that fails");
}

int
main (int argc, char **argv)
{
  g_setenv ("GST_TRACERS", "leaks", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/leaks/plays", a_pipeline_leaves_nothing);
  g_test_add_func ("/leaks/fails", a_pipeline_that_can_not_start_leaves_nothing);
  return g_test_run ();
}
