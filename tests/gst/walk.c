/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/walk.c - pushes frames with a person through a tracker, and pops its messages. */
#include "tests/gst/walk.h"

#include "tests/gst/frames.h"

#define SIDE 1000

void
walk_init (Walk *walk, const char *zones)
{
  walk->h = gst_harness_new ("yolov7tracker");
  walk->bus = gst_bus_new ();
  walk->n_frames = 0;
  gst_element_set_bus (walk->h->element, walk->bus);
  g_object_set (walk->h->element, "zones", zones, NULL);
  gst_harness_set_src_caps_str (
      walk->h, "video/x-raw, format=GRAY8, width=1000, height=1000, framerate=25/1");
}

void
walk_clear (Walk *walk)
{
  gst_element_set_bus (walk->h->element, NULL);
  gst_harness_teardown (walk->h);
  gst_bus_set_flushing (walk->bus, TRUE);
  gst_object_unref (walk->bus);
}

GstBuffer *
push_walk (Walk *walk, GstBuffer *buffer)
{
  GST_BUFFER_PTS (buffer) = walk->n_frames++ * FRAME_NS;
  GST_BUFFER_DURATION (buffer) = FRAME_NS;
  GstBuffer *out = gst_harness_push_and_pull (walk->h, buffer);
  g_assert_nonnull (out);
  return out;
}

GstBuffer *
analysed_frame (Walk *walk, const GstYolov7Detection *detections, guint n)
{
  GstBuffer *buffer = gst_buffer_new ();

  GST_BUFFER_PTS (buffer) = walk->n_frames * FRAME_NS;
  yv_test_attach (buffer, SIDE, SIDE, detections, n, 0);
  return buffer;
}

GstYolov7Detection
person_at (double x, double y)
{
  return (GstYolov7Detection){.x = x - 50,
                              .y = y - 100,
                              .w = 100,
                              .h = 100,
                              .confidence = 0.9,
                              .objectness = 0.9,
                              .class_index = 3,
                              .id = -1,
                              .label = "person"};
}

GstBuffer *
push_person (Walk *walk, double x, double y)
{
  const GstYolov7Detection person = person_at (x, y);

  return push_walk (walk, analysed_frame (walk, &person, 1));
}

void
go (Walk *walk, double from, double to, GstYolov7Zone *told)
{
  const double step = from < to ? 20 : -20;
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Zone));

  for (double x = from; (to - x) * step >= 0; x += step) {
    g_autoptr (GstBuffer) buffer = push_person (walk, x, 500);
    g_assert_true (gst_yolov7_zones_read (buffer, found)); /* it is on every one */
    *told = g_array_index (found, GstYolov7Zone, 0);
    told->name = NULL; /* the buffer's */
  }
}

void
push_empty (Walk *walk, guint n)
{
  for (guint i = 0; i < n; i++)
    gst_buffer_unref (push_walk (walk, analysed_frame (walk, NULL, 0)));
}

GstMessage *
pop (Walk *walk, GstMessageType type)
{
  return gst_bus_pop_filtered (walk->bus, type);
}

guint64
uint64_of (const GstStructure *s, const char *field)
{
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (s, field, &value));
  return value;
}

GstMessage *
expect (Walk *walk, const char *zone, const char *event, guint64 count)
{
  GstMessage *message = pop (walk, GST_MESSAGE_ELEMENT);

  g_assert_nonnull (message);
  const GstStructure *s = gst_message_get_structure (message);
  g_assert_true (gst_structure_has_name (s, "yolov7-zone"));
  g_assert_cmpstr (gst_structure_get_string (s, "zone"), ==, zone);
  g_assert_cmpstr (gst_structure_get_string (s, "event"), ==, event);
  g_assert_cmpuint (uint64_of (s, "count"), ==, count);
  return message;
}

void
expect_no_event (Walk *walk)
{
  g_autoptr (GstMessage) message = pop (walk, GST_MESSAGE_ELEMENT);

  g_assert_null (message);
}

void
expect_text (Walk *walk, GstMessageType type, const char *text)
{
  g_autoptr (GstMessage) message = pop (walk, type);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  g_assert_cmpstr (error->message, ==, text);
}
