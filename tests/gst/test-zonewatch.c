/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-zonewatch.c - gst/zonewatch.h: zones that change while frames pass, or are wrong.
 */
#include <glib/gstdio.h>

#include "tests/gst/walk.h"

static void
new_zones_count_from_the_next_frame (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  go (&walk, 100, 400, &told);
  gst_message_unref (expect (&walk, "square", "enter", 1));
  g_object_set (walk.h->element, "zones", LINES, NULL);
  go (&walk, 420, 600, &told);
  gst_message_unref (expect (&walk, "gate", "forward", 1));
  g_assert_true (told.kind == GST_YOLOV7_ZONE_LINE);

  g_object_set (walk.h->element, "zones", NULL, NULL);
  g_autoptr (GstBuffer) buffer = push_person (&walk, 600, 500);
  g_assert_null (gst_buffer_get_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME));
  expect_no_event (&walk);
}

static void
a_zone_that_stays_the_same_goes_on (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  go (&walk, 100, 400, &told);
  gst_message_unref (expect (&walk, "square", "enter", 1));
  g_object_set (walk.h->element, "zones", "{\"zones\": [" SQUARE "], \"lines\": [" GATE "]}", NULL);
  go (&walk, 420, 780, &told);
  gst_message_unref (expect (&walk, "gate", "forward", 1));
  g_autoptr (GstMessage) left = expect (&walk, "square", "leave", 0);
  g_assert_cmpuint (uint64_of (gst_message_get_structure (left), "dwell"), ==, 26 * FRAME_NS);
  g_assert_cmpuint (told.entered, ==, 1);
}

static void
a_bad_text_is_a_warning_and_changes_nothing (void)
{
  static const char *const rows[][2] = {
      {"{\"zones\": [{\"name\": \"square\"}]}",
       "the zones stay as they are: zones: zones[0]: polygon is missing, expected a list of 3 to "
       "64 points [x, y]."},
      {"/no/such/file", "the zones stay as they are: /no/such/file: can't be opened: No such file "
                        "or directory; expected zones as JSON: a file, or a text that begins with "
                        "{."},
      {"/", "the zones stay as they are: /: is a directory; expected zones as JSON: a file, or a "
            "text that begins with {."},
  };
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  go (&walk, 100, 400, &told);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = NULL;
    g_object_set (walk.h->element, "zones", rows[i][0], NULL);
    expect_text (&walk, GST_MESSAGE_WARNING, rows[i][1]);
    g_object_get (walk.h->element, "zones", &text, NULL);
    g_assert_cmpstr (text, ==, ZONES);
  }
  go (&walk, 420, 780, &told);
  g_assert_cmpuint (told.left, ==, 1);
}

static void
a_file_is_read_again_when_it_is_set_again (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-zones-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "zones.json", NULL);
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  g_assert_true (g_file_set_contents (path, ZONES, -1, NULL));
  walk_init (&walk, path);
  go (&walk, 100, 400, &told);
  g_assert_true (told.kind == GST_YOLOV7_ZONE_POLYGON);
  g_assert_true (g_file_set_contents (path, LINES, -1, NULL));
  go (&walk, 420, 440, &told);
  g_assert_true (told.kind == GST_YOLOV7_ZONE_POLYGON);
  g_object_set (walk.h->element, "zones", path, NULL);
  go (&walk, 460, 480, &told);
  g_assert_true (told.kind == GST_YOLOV7_ZONE_LINE);
  g_remove (path);
  g_rmdir (folder);
}

static void
a_bad_text_at_the_start_is_an_error (void)
{
  static const char *const rows[][2] = {
      {"{}}", "could not read the zones: zones: goes on after its end at byte 2; expected "
              "{\"zones\": [...], \"lines\": [...]}."},
      {"/no/such/file", "could not read the zones: /no/such/file: can't be opened: No such file or "
                        "directory; expected zones as JSON: a file, or a text that begins with {."},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstElement) tracker =
        gst_object_ref_sink (gst_element_factory_make ("yolov7tracker", NULL));
    Walk walk = {.bus = gst_bus_new ()};
    gst_element_set_bus (tracker, walk.bus);
    g_object_set (tracker, "zones", rows[i][0], NULL);
    g_assert_null (pop (&walk, GST_MESSAGE_WARNING)); /* it is read when it is needed */
    g_assert_true (gst_element_set_state (tracker, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
    expect_text (&walk, GST_MESSAGE_ERROR, rows[i][1]);

    g_object_set (tracker, "zones", ZONES, NULL);
    g_assert_true (gst_element_set_state (tracker, GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE);
    gst_element_set_state (tracker, GST_STATE_NULL);
    gst_element_set_bus (tracker, NULL);
    gst_object_unref (walk.bus);
  }
}

static gpointer
change_zones (gpointer element)
{
  for (guint i = 0; i < 200; i++)
    g_object_set (element, "zones", i % 2 ? ZONES : LINES, NULL);
  return NULL;
}

static void
zones_may_change_while_frames_pass (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  GThread *thread = g_thread_new ("changes", change_zones, walk.h->element);
  for (guint i = 0; i < 5; i++) {
    go (&walk, 100, 900, &told);
    go (&walk, 880, 120, &told);
  }
  g_thread_join (thread);
  go (&walk, 100, 120, &told);
  g_assert_true (told.kind == GST_YOLOV7_ZONE_POLYGON); /* the last that was set */
}

static GstBusSyncReply
change_on_message (GstBus *bus, GstMessage *message, gpointer element)
{
  (void) bus;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    g_object_set (element, "zones", "neither text nor file", NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    g_object_set (element, "zones", LINES, NULL);
  return GST_BUS_PASS;
}

/* In the streaming thread, while the message is posted. */
static void
who_handles_a_message_may_change_zones (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  gst_bus_set_sync_handler (walk.bus, change_on_message, walk.h->element, NULL);
  go (&walk, 100, 260, &told); /* enters */
  g_assert_true (told.kind == GST_YOLOV7_ZONE_LINE);
  gst_bus_set_sync_handler (walk.bus, NULL, NULL, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/zonewatch/change", new_zones_count_from_the_next_frame);
  g_test_add_func ("/zonewatch/change/same", a_zone_that_stays_the_same_goes_on);
  g_test_add_func ("/zonewatch/change/bad", a_bad_text_is_a_warning_and_changes_nothing);
  g_test_add_func ("/zonewatch/change/file", a_file_is_read_again_when_it_is_set_again);
  g_test_add_func ("/zonewatch/start/bad", a_bad_text_at_the_start_is_an_error);
  g_test_add_func ("/zonewatch/change/thread", zones_may_change_while_frames_pass);
  g_test_add_func ("/zonewatch/change/handler", who_handles_a_message_may_change_zones);
  const int failed = g_test_run ();
  gst_deinit ();
  return failed;
}
