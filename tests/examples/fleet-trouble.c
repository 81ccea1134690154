/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/fleet-trouble.c - a library to be preloaded, with which pipelines crash, hang and
 * fail: so that it can be seen what a worker makes of that.
 *
 * A file in the folder $YV_FLEET_TROUBLE says what and to whom: "crash" and "fail" when a pipeline
 * starts, "hang-start" and "hang-end" as long as the file is there; its text is the name of a
 * camera, "bench" for the worker's own analysis, or "*" for all pipelines. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <gst/gst.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef GstStateChangeReturn (*SetState) (GstElement *element, GstState state);

/* Returns: (transfer full) (nullable): in a pipeline. */
static GstElement *
find (GstElement *pipeline, const char *factory)
{
  g_auto (GValue) found = G_VALUE_INIT;

  if (!GST_IS_BIN (pipeline))
    return NULL;
  GstIterator *all = gst_bin_iterate_all_by_element_factory_name (GST_BIN (pipeline), factory);
  const bool is_there = gst_iterator_next (all, &found) == GST_ITERATOR_OK;
  gst_iterator_free (all);
  return is_there ? g_value_dup_object (&found) : NULL;
}

/* Returns: (transfer full): of the camera, which its publisher has; "bench" where there is none,
 * and
 * "" where there is no analysis. */
static char *
get_name (GstElement *element)
{
  g_autoptr (GstElement) yolov7 = find (element, "yolov7");
  g_autoptr (GstElement) publisher = find (element, "yolov7publish");
  char *name = NULL;

  if (publisher)
    g_object_get (publisher, "source", &name, NULL);
  return name ? name : g_strdup (yolov7 ? "bench" : "");
}

static bool
has_trouble (const char *what, GstElement *element)
{
  const char *folder = g_getenv ("YV_FLEET_TROUBLE");
  g_autofree char *path = folder ? g_build_filename (folder, what, NULL) : NULL;
  g_autofree char *whom = NULL;

  if (!path || !g_file_get_contents (path, &whom, NULL, NULL))
    return false;
  g_autofree char *name = get_name (element);
  return strcmp (whom, "*") == 0 || strcmp (whom, name) == 0;
}

GstStateChangeReturn
gst_element_set_state (GstElement *element, GstState state)
{
  const bool is_start = state == GST_STATE_PLAYING;
  SetState set_state;

  *(void **) &set_state = dlsym (RTLD_NEXT, "gst_element_set_state");

  if (is_start && has_trouble ("crash", element))
    abort ();
  if (is_start && has_trouble ("fail", element))
    return GST_STATE_CHANGE_FAILURE;
  while ((is_start || state == GST_STATE_NULL) &&
         has_trouble (is_start ? "hang-start" : "hang-end", element))
    g_usleep (G_USEC_PER_SEC / 50);
  return set_state (element, state);
}
