/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publish-failures.c - yolov7publish where records can't go, and where properties
 * change meanwhile: the stream goes on, and the user is told. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/gst/publishharness.h"

static void
a_start_that_cannot_work_fails_and_says_why (void)
{
  static const struct {
    const char *properties, *expected;
  } rows[] = {
      {"file-path=/", "/: can't be opened: Is a directory"},
      {"file-path=/no/such/folder/x", "No such file or directory. Make the folder"},
      {"file-path=\"\"", "there is no file-path"},
      {"file-path=/dev/null tags=north", "tags: "},
      {"file-path=/dev/null tags=[1]", "tags: expected a JSON object"},
      {"method=mqtt address=a topic=b mqtt-config=/no/such.json", "/no/such.json: can't be opened"},
      {"method=kafka address=a topic=b kafka-config=/", "/: is a directory"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *launch = g_strdup_printf ("yolov7publish %s", rows[i].properties);
    g_autoptr (GstElement) element = gst_parse_launch (launch, NULL);
    Fixture f = {.element = gst_object_ref_sink (element), .bus = gst_bus_new ()};
    gst_element_set_bus (f.element, f.bus);
    g_assert_cmpint (gst_element_set_state (f.element, GST_STATE_PAUSED), ==,
                     GST_STATE_CHANGE_FAILURE);
    assert_message (&f, GST_MESSAGE_ERROR, rows[i].expected);
    gst_element_set_state (f.element, GST_STATE_NULL);
    gst_element_set_bus (f.element, NULL);
    g_object_unref (f.bus);
  }
}

static void
a_full_disk_is_told_once_and_holds_nothing_up (void)
{
  Fixture f = fixture_new ("file-path=/dev/full file-format=json-lines drain-timeout=0");

  push_dogs (&f, 50);
  assert_message (&f, GST_MESSAGE_WARNING, "/dev/full: can't be written: No space left on device");
  push_dogs (&f, 50);
  fixture_stop (&f);
  assert_message (&f, GST_MESSAGE_WARNING, "100 records had not arrived");
  assert_no_message (&f);
  g_assert_cmpuint (get_count (f.element, "lost"), ==, 100);
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 0);
  g_assert_cmpuint (get_count (f.element, "outages"), ==, 1);
  fixture_clear (&f);
}

static void
a_full_queue_drops_the_oldest (void)
{
  Fixture f = fixture_new ("file-path=/dev/full queue-size=10 drain-timeout=0");

  push_dogs (&f, 30);
  fixture_stop (&f);
  const guint64 n_dropped = get_count (f.element, "dropped");
  g_assert_cmpuint (n_dropped + get_count (f.element, "lost"), ==, 30);
  g_assert_cmpuint (n_dropped, >=, 20);
  fixture_clear (&f);
}

/* Whether the next warning says @expected. */
static gboolean
has_message (Fixture *f, const char *expected)
{
  g_autoptr (GstMessage) message = pop_message (f, 0, GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  if (message)
    gst_message_parse_warning (message, &error, NULL);
  return message && strstr (error->message, expected);
}

static void
it_gives_up_after_the_attempts_it_may_make (void)
{
  Fixture f = fixture_new ("file-path=/dev/full max-connect-attempts=1");

  /* A device that opens, and has nothing to take yet, is of use: then it is an outage first. */
  push_dogs (&f, 1);
  wait_for_count (&f, "attempts-failed", 1);
  wait_for_count (&f, "dropped", 1);
  push_dogs (&f, 5);
  fixture_stop (&f);
  while (!has_message (&f, "gave up after 1 attempts"))
    g_assert_true (gst_bus_have_pending (f.bus));
  g_assert_cmpuint (get_count (f.element, "dropped"), ==, 6);
  g_assert_cmpuint (get_count (f.element, "waiting"), ==, 0);
  fixture_clear (&f);
}

static int
open_reader (const char *path)
{
  const int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Records that lay in the pipe when the reader left are gone with it; all others come, in order. */
static void
readers_of_a_fifo_may_leave_and_come_back (void)
{
  g_autofree char *path = path_of ("fifo");
  g_autofree char *properties =
      g_strdup_printf ("file-path=%s file-format=json-lines drain-timeout=0", path);
  char bytes[65536];

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  Fixture f = fixture_new (properties);
  push_dogs (&f, 3);
  assert_message (&f, GST_MESSAGE_WARNING, "nothing reads this FIFO");

  int reader = open_reader (path);
  wait_for_count (&f, "arrived", 3);
  assert_message (&f, GST_MESSAGE_INFO, "records go out again");
  g_assert_cmpint (read (reader, bytes, sizeof bytes), >, 0);
  close (reader);
  wait_for_count (&f, "outages", 2);
  push_dogs (&f, 2);

  reader = open_reader (path);
  wait_for_count (&f, "arrived", 5);
  const ssize_t n = read (reader, bytes, sizeof bytes - 1);
  g_assert_cmpint (n, >, 0);
  bytes[n] = '\0';
  g_assert_true (g_str_has_prefix (bytes, "{\"objects\":"));
  g_assert_nonnull (strstr (bytes, "\"sequence\":4"));
  g_assert_nonnull (strstr (bytes, "\"sequence\":5"));
  close (reader);
  fixture_clear (&f);
  g_remove (path);
}

/* A second stream behind the end of one: its records have the time that they were promised. */
static void
what_follows_an_end_may_arrive_too (void)
{
  g_autofree char *path = path_of ("late-reader");
  g_autofree char *properties =
      g_strdup_printf ("file-path=%s file-format=json-lines drain-timeout=3600000000000", path);
  char bytes[65536];

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  Fixture f = fixture_new (properties);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_stream_start ("second")));
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_segment (&segment)));
  push_dogs (&f, 2);
  assert_message (&f, GST_MESSAGE_WARNING, "nothing reads this FIFO");
  const int reader = open_reader (path);
  fixture_stop (&f);
  g_assert_cmpuint (get_count (f.element, "lost"), ==, 0);
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 2);
  g_assert_cmpint (read (reader, bytes, sizeof bytes), >, 0);
  close (reader);
  fixture_clear (&f);
  g_remove (path);
}

/* ---- changes while playing ------------------------------------------------------------------ */

static void
source_tags_and_when_change_with_the_next_frame (void)
{
  Fixture f = fixture_new (LINES "source=a");

  push_dogs (&f, 1);
  g_object_set (f.element, "source", "b", "tags", "{\"n\": 2}", NULL);
  push_dogs (&f, 1);
  g_object_set (f.element, "source", NULL, "tags", NULL, NULL);
  push_dogs (&f, 1);
  gst_util_set_object_arg (G_OBJECT (f.element), "when", "on-change");
  push_dogs (&f, 5);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 3);
  g_assert_cmpstr (json_object_get_string_member (record_at (records, 0), "source"), ==, "a");
  g_assert_cmpstr (json_object_get_string_member (record_at (records, 1), "source"), ==, "b");
  g_assert_true (json_object_has_member (record_at (records, 1), "tags"));
  g_assert_false (json_object_has_member (record_at (records, 2), "source"));
  g_assert_false (json_object_has_member (record_at (records, 2), "tags"));
  fixture_clear (&f);
}

static void
other_properties_stay_as_they_are (void)
{
  static const char *const names[] = {
      "method",         "file-path",   "file-format",  "address",     "topic",
      "mqtt-client-id", "mqtt-config", "kafka-config", "tls",         "ca-file",
      "cert-file",      "key-file",    "queue-size",   "queue-bytes", "drain-timeout"};
  static const char *const values[] = {"mqtt", "/x", "json", "x", "x", "x",    "x", "x",
                                       "true", "x",  "x",    "x", "7", "2000", "1"};
  Fixture f = fixture_new (LINES);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_auto (GValue) before = G_VALUE_INIT, after = G_VALUE_INIT;
    g_object_get_property (G_OBJECT (f.element), names[i], &before);
    gst_util_set_object_arg (G_OBJECT (f.element), names[i], values[i]);
    assert_message (&f, GST_MESSAGE_WARNING, "can't be changed while records are published");
    g_object_get_property (G_OBJECT (f.element), names[i], &after);
    g_assert_cmpint (gst_value_compare (&before, &after), ==, GST_VALUE_EQUAL);
  }
  fixture_stop (&f);
  g_object_set (f.element, "topic", "x", NULL);
  assert_no_message (&f);
  fixture_clear (&f);
}

static void
tags_that_are_no_json_leave_the_old_ones (void)
{
  Fixture f = fixture_new (LINES "tags={\\\"n\\\":1}");

  g_object_set (f.element, "tags", "{", NULL);
  assert_message (&f, GST_MESSAGE_WARNING, "The old tags stay: tags: ");
  push_dogs (&f, 1);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_true (json_object_has_member (record_at (records, 0), "tags"));
  fixture_clear (&f);
}

static void
a_password_can_be_set_and_not_be_read (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("yolov7publish", NULL);
  GObjectClass *class = G_OBJECT_GET_CLASS (element);

  g_object_ref_sink (element);
  g_object_set (element, "username", "me", "password", "secret", NULL);
  g_assert_false (g_object_class_find_property (class, "username")->flags & G_PARAM_READABLE);
  g_assert_false (g_object_class_find_property (class, "password")->flags & G_PARAM_READABLE);
}

static void
states_may_be_changed_again_and_again (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("yolov7publish", NULL);
  g_autofree char *path = path_of ("states");

  g_object_ref_sink (element);
  g_object_set (element, "file-path", path, NULL);
  for (int i = 0; i < 20; i++) {
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_PLAYING), !=,
                     GST_STATE_CHANGE_FAILURE);
    g_assert_cmpint (gst_element_set_state (element, i % 2 ? GST_STATE_NULL : GST_STATE_READY), !=,
                     GST_STATE_CHANGE_FAILURE);
  }
  gst_element_set_state (element, GST_STATE_NULL);
  g_remove (path);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/publish-failures/" #name, name)
  TEST (a_start_that_cannot_work_fails_and_says_why);
  TEST (a_full_disk_is_told_once_and_holds_nothing_up);
  TEST (a_full_queue_drops_the_oldest);
  TEST (it_gives_up_after_the_attempts_it_may_make);
  TEST (readers_of_a_fifo_may_leave_and_come_back);
  TEST (what_follows_an_end_may_arrive_too);
  TEST (source_tags_and_when_change_with_the_next_frame);
  TEST (other_properties_stay_as_they_are);
  TEST (tags_that_are_no_json_leave_the_old_ones);
  TEST (a_password_can_be_set_and_not_be_read);
  TEST (states_may_be_changed_again_and_again);
#undef TEST
  const int status = g_test_run ();
  remove_folder ();
  return status;
}
