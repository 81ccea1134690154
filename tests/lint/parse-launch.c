/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/lint/parse-launch.c - exit status 0 where a launch line parses without any complaint. */
#include <gst/gst.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  if (argc != 2)
    return 2;

  GstElement *pipeline = gst_parse_launch_full (argv[1], NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (error)
    g_printerr ("%s\n", error->message);
  g_clear_pointer (&pipeline, gst_object_unref);
  return error ? 1 : 0;
}
