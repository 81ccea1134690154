/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/losses.c - whether a device that was lost is worth opening again. */
#include "gst/losses.h"

bool
gst_yolov7_losses_add (GstYolov7Losses *losses, GstClockTime now)
{
  GstClockTime *oldest = &losses->times[losses->n % GST_YOLOV7_MAX_LOSSES];

  if (losses->n >= GST_YOLOV7_MAX_LOSSES && now - *oldest < GST_YOLOV7_LOSSES_WITHIN)
    return false;
  *oldest = now;
  losses->n++;
  return true;
}
