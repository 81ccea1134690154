/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/pipeline.c - whole pipelines. */
#include "tests/gst/pipeline.h"

GstElement *
launch_pipeline (const char *format, ...)
{
  va_list values;

  va_start (values, format);
  g_autofree char *line = g_strdup_vprintf (format, values);
  va_end (values);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_assert_no_error (error);
  return pipeline;
}

void
play_to_the_end (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
}
