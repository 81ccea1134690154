/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/latency.c - which latency an element reports, from those that it measures. */
#include "gst/latency.h"

/* Seventy steps are an hour, and no time that a clock could measure makes it overflow. */
static GstClockTime
round_up (GstClockTime measured)
{
  GstClockTime step = GST_MSECOND;

  while (step < measured)
    step += step / 4;
  return step;
}

static bool
report (GstYolov7Latency *latency, GstClockTime measured)
{
  const GstClockTime before = latency->reported;

  *latency = (GstYolov7Latency){.reported = round_up (measured)};
  return latency->reported != before;
}

bool
gst_yolov7_latency_update (GstYolov7Latency *latency, GstClockTime measured)
{
  g_assert (measured < G_MAXINT64);
  if (measured > latency->reported || latency->reported == 0)
    return report (latency, measured);

  if (2 * measured >= latency->reported) {
    latency->largest = 0;
    latency->n_frames = 0;
    return false;
  }
  latency->largest = MAX (latency->largest, measured);
  if (++latency->n_frames < GST_YOLOV7_LATENCY_FRAMES)
    return false;
  return report (latency, latency->largest);
}

GstClockTime
gst_yolov7_latency_now (void)
{
  return (GstClockTime) g_get_monotonic_time () * 1000;
}
