/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/publishharness.c - the element yolov7publish in a harness. */
#include "tests/gst/publishharness.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/gst/frames.h"

static char *folder;

const GstYolov7Detection dog = {.x = 16,
                                .y = 12,
                                .w = 80,
                                .h = 60,
                                .confidence = 0.5,
                                .objectness = 0.5,
                                .class_index = 16,
                                .id = 3,
                                .label = "dog"};

char *
path_of (const char *name)
{
  static gsize is_made = 0;

  if (g_once_init_enter (&is_made)) {
    folder = g_dir_make_tmp ("yv-publish-XXXXXX", NULL);
    g_once_init_leave (&is_made, 1);
  }
  return g_build_filename (folder, name, NULL);
}

void
remove_folder (void)
{
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
}

/* Brokers are tried each second, as files are. */
Fixture
fixture_prepare (const char *properties)
{
  static guint n_files = 0;
  g_autofree char *name = g_strdup_printf ("records-%u", n_files++);
  Fixture f = {.path = path_of (name)};
  g_auto (GStrv) parts = g_strsplit (properties, "FILE", -1);
  g_autofree char *set = g_strjoinv (f.path, parts);
  g_autofree char *launch = g_strdup_printf ("yolov7publish max-reconnect-interval=1 %s", set);

  /* The bus is there before the element starts, and may have something to say. */
  f.element = gst_object_ref_sink (gst_parse_launch (launch, NULL));
  f.bus = gst_bus_new ();
  gst_element_set_bus (f.element, f.bus);
  gst_element_add_property_notify_watch (f.element, NULL, TRUE); /* as gst-launch-1.0 -v does */
  return f;
}

void
fixture_start (Fixture *f, const char *caps)
{
  f->h = gst_harness_new_with_element (f->element, "sink", "src");
  if (caps)
    gst_harness_set_src_caps_str (f->h, caps);
}

Fixture
fixture_new_with_caps (const char *properties, const char *caps)
{
  Fixture f = fixture_prepare (properties);

  fixture_start (&f, caps);
  return f;
}

Fixture
fixture_new (const char *properties)
{
  return fixture_new_with_caps (properties, CAPS);
}

void
fixture_stop (Fixture *f)
{
  if (f->h)
    gst_harness_teardown (f->h);
  f->h = NULL;
}

void
fixture_clear (Fixture *f)
{
  fixture_stop (f);
  gst_element_set_state (f->element, GST_STATE_NULL); /* a start may have failed */
  gst_element_set_bus (f->element, NULL);
  g_clear_object (&f->element);
  g_clear_object (&f->bus);
  g_remove (f->path);
  g_free (f->path);
}

GstBuffer *
frame_new (Fixture *f)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, W * H, NULL);

  GST_BUFFER_PTS (buffer) = f->n_frames++ * 40 * GST_MSECOND;
  return buffer;
}

void
push_frame (Fixture *f, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (f->h, buffer), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_pull (f->h);
  g_assert_true (out == buffer);
}

void
push_with (Fixture *f, const GstYolov7Detection *detections, guint n)
{
  GstBuffer *buffer = frame_new (f);

  yv_test_attach (buffer, W, H, detections, n, 0);
  push_frame (f, buffer);
}

void
push_dogs (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    push_with (f, &dog, 1);
}

guint64
get_count (GstElement *element, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &n));
  return n;
}

void
wait_for_count (Fixture *f, const char *name, guint64 n)
{
  while (get_count (f->element, name) < n)
    g_thread_yield ();
}

void
assert_says (const char *text, const char *expected)
{
  if (!strstr (text, expected))
    g_error ("\"%s\" does not say \"%s\"", text, expected);
}

/* gst_bus_timed_pop_filtered() frees what it drops with the bus locked: where that is the last to
 * hold a pad, as a notification of its caps may be, the pad posts a message that it is unlinked. */
GstMessage *
pop_message (Fixture *f, GstClockTime timeout, GstMessageType types)
{
  GstMessage *message = NULL;

  while ((message = gst_bus_timed_pop (f->bus, timeout)) &&
         (GST_MESSAGE_TYPE_IS_EXTENDED (message) || !(GST_MESSAGE_TYPE (message) & types)))
    gst_message_unref (message);
  return message;
}

void
assert_message (Fixture *f, GstMessageType type, const char *expected)
{
  g_autoptr (GstMessage) message = pop_message (f, GST_CLOCK_TIME_NONE, type);
  g_autoptr (GError) error = NULL;

  if (type == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  else if (type == GST_MESSAGE_INFO)
    gst_message_parse_info (message, &error, NULL);
  else
    gst_message_parse_error (message, &error, NULL);
  assert_says (error->message, expected);
}

char *
pop_trouble (Fixture *f)
{
  g_autoptr (GstMessage) message =
      pop_message (f, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  g_test_message ("%s", error->message);
  return g_strdup (error->message);
}

void
assert_no_message (Fixture *f)
{
  g_autoptr (GstMessage) message =
      pop_message (f, 0, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO);

  g_assert_null (message);
}

/* ---- records -------------------------------------------------------------------------------- */

GPtrArray *
read_records (const char *path)
{
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *content = NULL;
  gsize size_bytes = 0;

  g_assert_true (g_file_get_contents (path, &content, &size_bytes, NULL));
  g_assert_cmpuint (strlen (content), ==, size_bytes);
  g_auto (GStrv) lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++) {
    g_autoptr (GError) error = NULL;
    json_parser_load_from_data (parser, lines[i], -1, &error);
    g_assert_no_error (error);
    g_ptr_array_add (records,
                     json_object_ref (json_node_get_object (json_parser_get_root (parser))));
  }
  return records;
}

JsonObject *
record_at (GPtrArray *records, guint i)
{
  g_assert_cmpuint (i, <, records->len);
  return g_ptr_array_index (records, i);
}
