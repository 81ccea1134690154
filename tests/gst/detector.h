/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/detector.h - the element yolov7 with our small model, in a harness.
 */
#pragma once

#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"

G_BEGIN_DECLS

/* The clip (frames.h); and small enough to be quick on a CPU, large enough for three pedestrians.
 */
#define W 768
#define H 576
#define SIZE "input-size=384"

/* @properties: as in a launch line */
GstHarness *detector_new (const char *properties);

/* Of its source and sink. */
void set_caps (GstHarness *h, GstCaps *caps);

/* Takes @frame. Returns: (element-type GstYolov7Detection): their labels are not valid any more */
GArray *detect (GstHarness *h, GstBuffer *frame);

const GstYolov7Detection *nth (GArray *found, guint i);
double iou (const GstYolov7Detection *a, const GstYolov7Detection *b);

/* The clip, or NULL with the test skipped. */
GstSample *need_clip (void);

G_END_DECLS
