/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-posterror.c - gst/posterror.h: which message each failure of the engine becomes.
 */
#include <gst/gst.h>
#include <string.h>

#include "gst/posterror.h"

/* Posts it as an error and gives back what an application sees. */
static GError *
post (GError *error, char **debug)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_bin_new (NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  GError *posted = NULL;

  gst_element_set_bus (element, bus);
  GST_YOLOV7_POST_ERROR (element, "Could not test", error);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &posted, debug);
  gst_element_set_bus (element, NULL);
  return posted;
}

static void
each_code_of_the_engine_has_its_own_message (void)
{
  const struct {
    YvError code;
    const char *name;
    GQuark domain;
    int gst_code;
  } rows[] = {
      {YV_ERROR_IO, "IO (0): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ},
      {YV_ERROR_MALFORMED, "MALFORMED (1): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
      {YV_ERROR_UNSUPPORTED, "UNSUPPORTED (2): ", GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE},
      {YV_ERROR_INVALID, "INVALID (3): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS},
      {YV_ERROR_NO_DEVICE, "NO_DEVICE (4): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
      {YV_ERROR_OUT_OF_MEMORY, "OUT_OF_MEMORY (5): ", GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {YV_ERROR_DEVICE_LOST, "DEVICE_LOST (6): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *debug = NULL;
    g_autoptr (GError) posted =
        post (g_error_new (YV_ERROR, (int) rows[i].code, "best.pt: because"), &debug);
    g_assert_error (posted, rows[i].domain, rows[i].gst_code);
    g_assert_cmpstr (posted->message, ==, "Could not test: best.pt: because.");
    g_assert_nonnull (strstr (debug, rows[i].name));
  }
}

static void
other_errors_are_failures_too (void)
{
  g_autofree char *debug = NULL;
  g_autoptr (GError) posted =
      post (g_error_new (G_FILE_ERROR, G_FILE_ERROR_NOENT, "It is gone."), &debug);

  g_assert_error (posted, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED);
  g_assert_cmpstr (posted->message, ==, "Could not test: It is gone.");
  g_assert_nonnull (strstr (debug, "g-file-error-quark"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/posterror/codes", each_code_of_the_engine_has_its_own_message);
  g_test_add_func ("/posterror/others", other_errors_are_failures_too);
  return g_test_run ();
}
