/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/meter.c - how long one stage of the work took, over the last frames. */
#include "gst/meter.h"

/* Of n durations, the (n / 100 + 1)th longest is the first that 99 of 100 do not exceed. */
#define MAX_RANK (GST_YOLOV7_METER_LENGTH / 100 + 1)

void
gst_yolov7_meter_add (GstYolov7Meter *meter, guint64 duration_ns)
{
  meter->durations_ns[meter->n_added++ % GST_YOLOV7_METER_LENGTH] = duration_ns;
}

/* @longest: (array length=n_longest): by falling length; the last one goes */
static void
insert (guint64 *longest, guint n_longest, guint64 duration_ns)
{
  guint at = n_longest - 1;

  if (duration_ns <= longest[at])
    return;
  for (; at > 0 && longest[at - 1] < duration_ns; at--)
    longest[at] = longest[at - 1];
  longest[at] = duration_ns;
}

GstYolov7Measured
gst_yolov7_meter_read (const GstYolov7Meter *meter)
{
  const guint n = (guint) MIN (meter->n_added, GST_YOLOV7_METER_LENGTH);
  guint64 longest[MAX_RANK] = {0}, sum_ns = 0;

  for (guint i = 0; i < n; i++) {
    sum_ns += meter->durations_ns[i];
    insert (longest, MAX_RANK, meter->durations_ns[i]);
  }
  return (GstYolov7Measured){
      .mean_ns = n > 0 ? sum_ns / n : 0,
      .p99_ns = longest[n / 100],
  };
}
