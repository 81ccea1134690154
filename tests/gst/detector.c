/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/detector.c - the element yolov7 with our small model, in a harness. */
#include "tests/gst/detector.h"

#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/gst/frames.h"

GstHarness *
detector_new (const char *properties)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *launch = g_strdup_printf ("yolov7 model-file=\"%s\" %s", model, properties);

  return gst_harness_new_parse (launch);
}

void
set_caps (GstHarness *h, GstCaps *caps)
{
  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
}

GArray *
detect (GstHarness *h, GstBuffer *frame)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);

  g_assert_nonnull (out);
  g_assert_true (gst_yolov7_detections_read (out, found));
  return found;
}

const GstYolov7Detection *
nth (GArray *found, guint i)
{
  return &g_array_index (found, GstYolov7Detection, i);
}

double
iou (const GstYolov7Detection *a, const GstYolov7Detection *b)
{
  const double w = MIN (a->x + a->w, b->x + b->w) - MAX (a->x, b->x);
  const double h = MIN (a->y + a->h, b->y + b->h) - MAX (a->y, b->y);
  const double both = MAX (w, 0) * MAX (h, 0);

  return both / (a->w * a->h + b->w * b->h - both);
}

GstSample *
need_clip (void)
{
  if (!yv_test_needs_vulkan ())
    return NULL;

  GstSample *clip = yv_test_clip ();
  if (!clip)
    g_test_skip ("needs vtest.avi of Debian's package opencv-doc, and gstreamer1.0-libav");
  return clip;
}
