/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-inbox.c - examples/common/inbox.c: what several pipelines say, and nothing of
 * it is lost. */
#include "examples/common/inbox.h"

#include <string.h>

typedef struct {
  CameraConfig config;
  Inbox *inbox;
  GstElement *one, *other;
} Fixture;

static void
fixture_init (Fixture *f)
{
  *f = (Fixture){
      .config = {.source = (char *) "test:ball", .settings = g_ptr_array_new ()},
      .one = gst_pipeline_new ("one"),
      .other = gst_pipeline_new ("other"),
  };
  f->inbox = inbox_new (&f->config);
  inbox_listen (f->inbox, f->one);
  inbox_listen (f->inbox, f->other);
}

static void
fixture_clear (Fixture *f)
{
  inbox_free (f->inbox);
  gst_object_unref (f->one);
  gst_object_unref (f->other);
  g_ptr_array_unref (f->config.settings);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static void
fail (GstElement *pipeline, const char *text)
{
  GST_ELEMENT_ERROR (pipeline, RESOURCE, FAILED, ("%s", text), (NULL));
}

static GstMessage *
pop (Fixture *f)
{
  return inbox_pop (f->inbox, 0);
}

static void
an_error_is_taken_and_all_else_stays (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);

  inbox_wake (f.inbox);
  fail (f.one, "first");
  fail (f.other, "of the other");
  fail (f.one, "second");
  g_autofree char *reason = inbox_take_error (f.inbox, f.one, "none");
  g_assert_cmpstr (reason, ==, "first");
  g_autoptr (GstMessage) wake = pop (&f);
  g_assert_cmpint (GST_MESSAGE_TYPE (wake), ==, GST_MESSAGE_APPLICATION);
  g_autoptr (GstMessage) error = pop (&f);
  g_assert_true (inbox_is_from (error, f.other));
  g_assert_false (inbox_is_from (error, f.one));
  g_assert_null (pop (&f));
}

static void
without_an_error_there_is_another_reason (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);

  fail (f.other, "of the other");
  g_autofree char *reason = inbox_take_error (f.inbox, f.one, "none");
  g_assert_cmpstr (reason, ==, "none");
  g_autoptr (GstMessage) error = pop (&f);
  g_assert_true (inbox_is_from (error, f.other));
}

static void
what_is_of_no_use_is_dropped (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);

  gst_element_post_message (f.one, gst_message_new_latency (GST_OBJECT (f.one)));
  g_assert_null (pop (&f));
}

/* An element that its message keeps alive would keep the inbox alive, and that the message. */
static void
nothing_stays_where_nobody_reads (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);
  GstElement *late = gst_pipeline_new ("late");
  Inbox *inbox = inbox_new (&f.config);

  inbox_listen (inbox, late);
  inbox_ref (inbox);
  fail (late, "before");
  inbox_free (inbox);
  fail (late, "after");
  inbox_wake (inbox);
  g_assert_cmpint (GST_OBJECT_REFCOUNT_VALUE (late), ==, 1);
  g_assert_null (inbox_pop (inbox, 0));
  gst_object_unref (late);
  inbox_unref (inbox);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inbox/take", an_error_is_taken_and_all_else_stays);
  g_test_add_func ("/inbox/none", without_an_error_there_is_another_reason);
  g_test_add_func ("/inbox/dropped", what_is_of_no_use_is_dropped);
  g_test_add_func ("/inbox/unread", nothing_stays_where_nobody_reads);
  return g_test_run ();
}
