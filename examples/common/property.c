/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/property.c - a table of the paths among the properties of our elements. */
#include "examples/common/property.h"

#include <string.h>

static const struct {
  const char *element, *property;
  const char *expected; /* of those that are read, what has to be there */
} paths[] = {
    {"yolov7", "model-file", "a checkpoint, such as best.pt"},
    {"yolov7", "config-file", "a model's yaml"},
    {"yolov7", "label-file", "a file with a class name a line"},
    {"yolov7tracker", "zones", "a JSON file with zones and lines, or that JSON itself"},
    {"yolov7publish", "file-path", NULL},
    {"yolov7publish", "mqtt-config", "a JSON file"},
    {"yolov7publish", "kafka-config", "a JSON file"},
    {"yolov7publish", "ca-file", "a PEM file"},
    {"yolov7publish", "cert-file", "a PEM file"},
    {"yolov7publish", "key-file", "a PEM file"},
};

/* The row of a value that is a path; -1: it is none. */
static int
find_row (const char *element, const char *property, const char *text)
{
  const bool is_json = g_str_equal (property, "zones") && text[strspn (text, " \t\r\n")] == '{';
  const bool is_stdout = g_str_equal (property, "file-path") && g_str_equal (text, "stdout");

  if (!*text || is_json || is_stdout)
    return -1;
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    if (g_str_equal (element, paths[i].element) && g_str_equal (property, paths[i].property))
      return (int) i;
  return -1;
}

bool
property_is_path (const char *element, const char *property, const char *text)
{
  return find_row (element, property, text) >= 0;
}

const char *
property_wants_file (const char *element, const char *property, const char *text)
{
  const int row = find_row (element, property, text);

  return row >= 0 ? paths[row].expected : NULL;
}

bool
property_is_secret (const char *property)
{
  return strstr (property, "password") || g_str_has_suffix (property, "-pw");
}
