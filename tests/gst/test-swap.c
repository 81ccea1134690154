/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-swap.c - yolov7 when another model, or another device, takes over while frames are
 * in flight, with analyses that end when the test says so (fakestream.h). */
#include <glib/gstdio.h>
#include <string.h>

#include "tests/common/paths.h"
#include "tests/gst/fakeharness.h"

/* ---- another model --------------------------------------------------------------------------- */

/* A folder with a copy of our small model, and names for its one class. */
typedef struct {
  char *folder, *model, *old_label, *new_label;
} Files;

static char *
write_file (const Files *files, const char *name, const char *bytes, gssize size)
{
  char *path = g_build_filename (files->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, size, NULL));
  return path;
}

static void
files_init (Files *files)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *bytes = NULL;
  gsize size;

  files->folder = g_dir_make_tmp ("yolov7-swap-XXXXXX", NULL);
  g_assert_true (g_file_get_contents (model, &bytes, &size, NULL));
  files->model = write_file (files, "other.pt", bytes, (gssize) size);
  files->old_label = write_file (files, "old.txt", "old\n", -1);
  files->new_label = write_file (files, "new.txt", "new\n", -1);
}

static void
files_clear (Files *files)
{
  char *paths[] = {files->model, files->old_label, files->new_label};

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_assert_cmpint (g_remove (paths[i]), ==, 0);
    g_free (paths[i]);
  }
  g_assert_cmpint (g_rmdir (files->folder), ==, 0);
  g_free (files->folder);
}

static GstHarness *
harness_with_label (const Files *files, const char *properties)
{
  g_autofree char *all = g_strdup_printf ("label-file=\"%s\" %s", files->old_label, properties);

  return harness_new (all);
}

/* The labels are read with the model, so they tell which one it is. */
static void
set_other_model (GstElement *element, const Files *files)
{
  g_object_set (element, "label-file", files->new_label, "model-file", files->model, NULL);
}

static void
pull_of (GstHarness *h, guint number, int stream, const char *label)
{
  const Found found = pull (h, number, (int) number);

  g_assert_cmpint (found.stream, ==, stream);
  g_assert_cmpstr (found.label, ==, label);
}

/* From the thread that pushes frames. */
static void
on_updated (GstElement *element, const char *model_file, gpointer user_data)
{
  const char **updated = user_data;
  (void) element;

  g_assert_null (*updated);
  *updated = g_intern_string (model_file);
}

/* Number after number, none of which is 0. */
static guint8
after (guint8 number, guint8 n)
{
  return (guint8) ((number - 1 + n) % 200 + 1);
}

/* Two are always in flight, so two are when the model changes. */
static void
a_frame_in_flight_keeps_its_model (void)
{
  Files files;
  files_init (&files);
  GstHarness *h = harness_with_label (&files, "max-in-flight=3");
  g_autoptr (GstElement) element = element_of (h);
  const char *updated = NULL;
  guint8 first = 1; /* in flight */

  g_signal_connect (element, "model-updated", G_CALLBACK (on_updated), &updated);
  push (h, 1);
  push (h, 2);
  set_other_model (element, &files);
  for (;;) {
    push (h, after (first, 2));
    if (updated)
      break;
    fake_finish (1);
    pull_of (h, first, 0, "old");
    first = after (first, 1);
  }
  g_assert_cmpstr (updated, ==, files.model);
  fake_finish (3);
  pull_of (h, first, 0, "old");
  pull_of (h, after (first, 1), 0, "old");
  pull_of (h, after (first, 2), 1, "new");
  push (h, after (first, 3));
  fake_finish (1);
  pull_of (h, after (first, 3), 1, "new");
  g_assert_cmpuint (stat_of (h, "model-updates"), ==, 1);
  assert_adds_up (h);
  harness_end (h);
  files_clear (&files);
}

static void
frames_go_on_while_a_model_loads (void)
{
  Files files;
  files_init (&files);
  GstHarness *h = harness_with_label (&files, "max-in-flight=1");
  g_autoptr (GstElement) element = element_of (h);

  fake_set_quick (TRUE);
  fake_hold_loads (TRUE);
  set_other_model (element, &files);
  fake_wait_for_load ();
  for (guint8 i = 1; i <= 20; i++) {
    push (h, i);
    pull_of (h, i, 0, "old");
  }
  fake_hold_loads (FALSE);
  harness_end (h); /* waits for the model, which is not used any more */
  files_clear (&files);
}

static gpointer
stop (gpointer element)
{
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  return NULL;
}

/* It waits until the model is there, and the next start has that model. */
static void
a_stop_while_a_model_loads_does_not_hang (void)
{
  Files files;
  files_init (&files);
  GstHarness *h = harness_with_label (&files, "max-in-flight=1");
  g_autoptr (GstElement) element = element_of (h);
  g_autofree char *model = NULL;

  fake_set_quick (TRUE);
  push (h, 1);
  pull_of (h, 1, 0, "old");
  fake_hold_loads (TRUE);
  set_other_model (element, &files);
  fake_wait_for_load ();
  GThread *thread = g_thread_new ("stop", stop, element);
  while (gst_harness_push (h, frame_new (2)) == GST_FLOW_OK)
    g_thread_yield (); /* until it has begun to stop */
  fake_hold_loads (FALSE);
  g_thread_join (thread);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  g_object_get (element, "model-file", &model, NULL);
  g_assert_cmpstr (model, ==, files.model);
  gst_harness_play (h);
  g_autoptr (GstCaps) caps = yv_test_caps ("GRAY8", W, H);
  gst_harness_set_src_caps (h, gst_caps_ref (caps));
  push (h, 3);
  g_assert_cmpstr (pull (h, 3, 3).label, ==, "new");
  harness_end (h);
  files_clear (&files);
}

static void
count_update (GstElement *element, const char *model_file, gpointer n_updates)
{
  (void) element;
  (void) model_file;

  ++*(guint *) n_updates;
}

/* A query for memory that comes before the next frame is answered by the new model already. */
static void
a_new_model_is_told_of_with_the_next_frame (void)
{
  GstHarness *h = harness_new ("");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstCaps) caps = yv_test_caps ("GRAY8", W, H);
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  guint n_updates = 0;

  g_signal_connect (element, "model-updated", G_CALLBACK (count_update), &n_updates);
  fake_set_quick (TRUE);
  push (h, 0);
  pull (h, 0, 0);
  g_object_set (element, "model-file", model, NULL); /* the same once more is another session */
  while (stat_of (h, "model-updates") == 0) {
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
    g_assert_true (gst_pad_peer_query (h->srcpad, query));
  }
  g_assert_cmpuint (n_updates, ==, 0);
  push (h, 1);
  g_assert_cmpuint (n_updates, ==, 1);
  pull (h, 1, 1);
  push (h, 2);
  g_assert_cmpuint (n_updates, ==, 1);
  pull (h, 2, 2);
  harness_end (h);
}

/* ---- a lost device --------------------------------------------------------------------------- */

static void
frames_of_a_lost_device_are_analysed_again (void)
{
  GstHarness *h = harness_new ("max-in-flight=3");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  for (guint8 i = 1; i <= 3; i++)
    push (h, i);
  fake_fail (YV_ERROR_DEVICE_LOST);
  fake_finish (1);
  fake_wait_for_submits (6);
  fake_finish (3);
  for (guint8 i = 1; i <= 3; i++)
    pull (h, i, i);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  g_assert_cmpuint (stat_of (h, "recoveries"), ==, 1);
  assert_adds_up (h);
  harness_end (h);
}

static void
a_device_that_is_lost_again_and_again_is_given_up (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  push (h, 1);
  for (guint i = 1; i <= 4; i++) {
    fake_wait_for_submits (i);
    fake_fail (YV_ERROR_DEVICE_LOST);
    fake_finish (1);
  }
  g_assert_cmpint (push_some (h, 2, 5), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "more than 3 times in a minute"));
  g_assert_cmpuint (stat_of (h, "recoveries"), ==, 3);
  harness_end (h);
}

int
main (int argc, char **argv)
{
  fake_init (&argc, &argv);
  g_test_add_func ("/swap/in-flight", a_frame_in_flight_keeps_its_model);
  g_test_add_func ("/swap/told", a_new_model_is_told_of_with_the_next_frame);
  g_test_add_func ("/swap/beside", frames_go_on_while_a_model_loads);
  g_test_add_func ("/swap/stop", a_stop_while_a_model_loads_does_not_hang);
  g_test_add_func ("/swap/lost", frames_of_a_lost_device_are_analysed_again);
  g_test_add_func ("/swap/lost-again", a_device_that_is_lost_again_and_again_is_given_up);
  return g_test_run ();
}
