/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-zoneconfig.c - gst/track/zoneconfig.h: what is read, and what is refused in which
 * words. */
#include "gst/track/zoneconfig.h"

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "engine/error.h"
#include "gst/track/zones.h"

#define TRIANGLE "'polygon': [[0.1,0.2],[0.5,0.2],[0.5,0.9]]"

/* ' stands for ". */
static char *
quoted (const char *text)
{
  return g_strdelimit (g_strdup (text), "'", '"');
}

static GPtrArray *
read_good (const char *text)
{
  g_autofree char *json = quoted (text);
  g_autoptr (GError) error = NULL;
  GPtrArray *zones = yv_zone_config_read (json, &error);

  g_assert_no_error (error);
  g_assert_nonnull (zones);
  return zones;
}

/* @message: the end of it, or all; here, too, ' stands for " */
static void
check_refused (const char *text, YvError code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (yv_zone_config_read (text, &error));
  g_assert_error (error, YV_ERROR, (gint) code);
  g_autofree char *found = g_strdelimit (g_strdup (error->message), "\"", '\'');
  if (!g_str_has_suffix (found, message))
    g_error ("\"%s\" does not end with \"%s\"", found, message);
}

static void
check_refused_json (const char *text, const char *message)
{
  g_autofree char *json = quoted (text);

  check_refused (json, YV_ERROR_INVALID, message);
}

/* ---- what is read --------------------------------------------------------------------------- */

static void
zones_come_first_and_lines_after_them (void)
{
  g_autoptr (GPtrArray) zones =
      read_good ("{'lines': [{'name': 'gate', 'from': [0,0.5], 'to': [1,0.25], 'margin': 0.5}],"
                 "'zones': [{'name': 'door', " TRIANGLE ", 'anchor': 'center',"
                 "'classes': ['person', 2]}, {'name': 'b', 'anchor': 'bottom', " TRIANGLE "}]}");

  g_assert_cmpuint (zones->len, ==, 3);
  const YvZone *door = zones->pdata[0], *b = zones->pdata[1], *gate = zones->pdata[2];
  g_assert_cmpstr (door->name, ==, "door");
  g_assert_true (door->kind == YV_ZONE_POLYGON && door->anchor == YV_ANCHOR_CENTER);
  g_assert_cmpfloat (door->margin, ==, YV_ZONE_DEFAULT_MARGIN);
  g_assert_cmpuint (door->n_points, ==, 3);
  g_assert_cmpfloat (door->points[2].x, ==, 0.5);
  g_assert_cmpfloat (door->points[2].y, ==, 0.9);
  g_assert_cmpuint (door->n_classes, ==, 2);
  g_assert_cmpstr (door->classes[0].name, ==, "person");
  g_assert_cmpint (door->classes[0].index, ==, -1);
  g_assert_null (door->classes[1].name);
  g_assert_cmpint (door->classes[1].index, ==, 2);
  g_assert_true (b->anchor == YV_ANCHOR_BOTTOM && b->n_classes == 0 && b->classes == NULL);
  g_assert_true (gate->kind == YV_ZONE_LINE && gate->anchor == YV_ANCHOR_BOTTOM);
  g_assert_cmpuint (gate->n_points, ==, 2);
  g_assert_cmpfloat (gate->points[1].x, ==, 1);
  g_assert_cmpfloat (gate->points[1].y, ==, 0.25);
  g_assert_cmpfloat (gate->margin, ==, 0.5);
}

static void
nothing_but_empty_lists_is_no_zone (void)
{
  static const char *const texts[] = {"{}", " \t\r\n{'zones': []}", "{'zones': [], 'lines': []}"};

  for (uint32_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GPtrArray) zones = read_good (texts[i]);
    g_assert_cmpuint (zones->len, ==, 0);
  }
}

static void
the_first_point_may_be_said_again (void)
{
  g_autoptr (GPtrArray) zones =
      read_good ("{'zones': [{'name': 'z', 'polygon': [[0,0],[1,0],[1,1],[0,0]]}]}");

  g_assert_cmpuint (((const YvZone *) zones->pdata[0])->n_points, ==, 3);
}

static void
pixels_become_shares (void)
{
  g_autoptr (GPtrArray) zones = read_good (
      "{'units': 'px', 'width': 1920, 'height': 1080, 'zones': [{'name': 'z', 'polygon': "
      "[[0,0],[1920,270],[480,1080]]}]}");
  const YvZone *zone = zones->pdata[0];

  g_assert_cmpfloat (zone->points[1].x, ==, 1);
  g_assert_cmpfloat (zone->points[1].y, ==, 0.25);
  g_assert_cmpfloat (zone->points[2].x, ==, 0.25);
  g_assert_cmpfloat (zone->points[2].y, ==, 1);
}

static void
a_file_says_what_a_text_says (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-zones-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "zones.json", NULL);
  g_autofree char *json = quoted ("\n{'zones': [{'name': 'z', " TRIANGLE "}]}\n");
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, json, -1, NULL));
  g_autoptr (GPtrArray) zones = yv_zone_config_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (zones->len, ==, 1);
  g_remove (path);
  g_rmdir (folder);
}

static void
as_many_as_allowed_are_read (void)
{
  g_autoptr (GString) text = g_string_new ("{'zones': [");
  g_autofree char *name = g_strnfill (64 - 2, 'n');

  for (int i = 0; i < YV_MAX_ZONES; i++) {
    g_string_append_printf (text, "%s{'name': '%s%02d', 'classes': [0", i ? "," : "", name, i);
    for (int k = 1; k < YV_MAX_ZONE_CLASSES; k++)
      g_string_append (text, ",2147483647");
    g_string_append (text, "], 'polygon': [[0,1]");
    for (int k = 1; k < YV_MAX_ZONE_POINTS; k++) /* a parabola */
      g_string_append_printf (text, ",[%g,%g]", k / 64.0, 1 - k * k / 4096.0);
    g_string_append (text, ",[0,1]]}");
  }
  g_string_append (text, "]}");
  g_autoptr (GPtrArray) zones = read_good (text->str);
  g_assert_cmpuint (zones->len, ==, YV_MAX_ZONES);
  g_assert_cmpuint (((const YvZone *) zones->pdata[63])->n_points, ==, YV_MAX_ZONE_POINTS);
  g_assert_cmpuint (((const YvZone *) zones->pdata[63])->n_classes, ==, YV_MAX_ZONE_CLASSES);

  g_string_truncate (text, text->len - 2);
  g_string_append (text, "], 'lines': [{'name': 'l', 'from': [0,0], 'to': [1,1]}]}");
  check_refused_json (text->str, "expected a list of objects, at most 64 zones and lines together");
}

/* ---- what is refused ------------------------------------------------------------------------ */

/* In an otherwise good zone; the message after "zones: zones[0]: ". */
static void
members_of_a_zone (void)
{
  static const struct {
    const char *members, *message;
  } cases[] = {
      {"'name': ''," TRIANGLE, "name is '', expected a text of 1 to 64 bytes"},
      {"'name': 7," TRIANGLE, "name is 7, expected a text of 1 to 64 bytes"},
      {"'name': null," TRIANGLE, "name is null, expected a text of 1 to 64 bytes"},
      {TRIANGLE, "name is missing, expected a text of 1 to 64 bytes"},
      {"'name': 'n1234567890123456789012345678901234567890123456789012345678901234'," TRIANGLE,
       "name is 'n1234567890123456789012345678901234567890123456789012345678..., expected a text "
       "of 1 to 64 bytes"},
      {"'name': 'z'", "polygon is missing, expected a list of 3 to 64 points [x, y]"},
      {"'name': 'z', 'polygon': {}", "polygon is {}, expected a list of 3 to 64 points [x, y]"},
      {"'name': 'z', 'polygon': [[0,0],[1,1]]",
       "polygon is [[0,0],[1,1]], expected a list of 3 to 64 points [x, y]"},
      {"'name': 'z', 'polygon': [[0,0],[1,1],[0,0]]",
       "polygon is [[0,0],[1,1],[0,0]], expected 3 to 64 different points"},
      {"'name': 'z', 'polygon': [0,0,1,0,1,1]",
       "polygon[0] is 0, expected [x, y], each 0..1 of the frame (pixels need 'units': 'px')"},
      {"'name': 'z', 'polygon': [[0,0],[1,0],[1,1.25]]",
       "polygon[2] is [1,1.25], expected [x, y], each 0..1 of the frame (pixels need 'units': "
       "'px')"},
      {"'name': 'z', 'polygon': [[0,0],[-0.25,0],[1,1]]",
       "polygon[1] is [-0.25,0], expected [x, y], each 0..1 of the frame (pixels need 'units': "
       "'px')"},
      {"'name': 'z', 'polygon': [[0,0],[1,0],['1',1]]",
       "polygon[2] is ['1',1], expected [x, y], each 0..1 of the frame (pixels need 'units': "
       "'px')"},
      {"'name': 'z', 'polygon': [[0,0],[1,0],[true,1]]",
       "polygon[2] is [true,1], expected [x, y], each 0..1 of the frame (pixels need 'units': "
       "'px')"},
      {"'name': 'z', 'polygon': [[0,0],[1,0],[1,1,1]]",
       "polygon[2] is [1,1,1], expected [x, y], each 0..1 of the frame (pixels need 'units': "
       "'px')"},
      {"'name': 'z', 'polygon': [[0,0],[1,1],[1,0],[0,1]]", /* a bow tie */
       "polygon is [[0,0],[1,1],[1,0],[0,1]], expected points in order around a zone whose edges "
       "don't cross or touch"},
      {"'name': 'z', 'polygon': [[0,0],[0.5,0.5],[1,1]]", /* nothing inside */
       "polygon is [[0,0],[0.5,0.5],[1,1]], expected points in order around a zone whose edges "
       "don't cross or touch"},
      {"'name': 'z', 'polygon': [[0,0],[1,0],[1,0],[1,1]]", /* the same twice */
       "polygon is [[0,0],[1,0],[1,0],[1,1]], expected points in order around a zone whose edges "
       "don't cross or touch"},
      {"'name': 'z', 'polygon': [[0,0],[1,0],[1,1],[0.5,0],[0,1]]", /* a corner on an edge */
       "polygon is [[0,0],[1,0],[1,1],[0.5,0],[0,1]], expected points in order around a zone "
       "whose edges don't cross or touch"},
      {"'name': 'z', 'polygon': [[0,0],[1,0],[0.5,0],[0.5,1]]", /* back on an edge */
       "polygon is [[0,0],[1,0],[0.5,0],[0.5,1]], expected points in order around a zone whose "
       "edges don't cross or touch"},
      {"'name': 'z', 'anchor': 'top'," TRIANGLE, "anchor is 'top', expected 'bottom' or 'center'"},
      {"'name': 'z', 'anchor': 1," TRIANGLE, "anchor is 1, expected 'bottom' or 'center'"},
      {"'name': 'z', 'anchor': null," TRIANGLE, "anchor is null, expected 'bottom' or 'center'"},
      {"'name': 'z', 'margin': 1.5," TRIANGLE, "margin is 1.5, expected a number 0..1"},
      {"'name': 'z', 'margin': -1," TRIANGLE, "margin is -1, expected a number 0..1"},
      {"'name': 'z', 'margin': '0'," TRIANGLE, "margin is '0', expected a number 0..1"},
      {"'name': 'z', 'classes': 'person'," TRIANGLE,
       "classes is 'person', expected a list of 1 to 64 class names or indices"},
      {"'name': 'z', 'classes': []," TRIANGLE,
       "classes is [], expected a list of 1 to 64 class names or indices"},
      {"'name': 'z', 'classes': [0, -1]," TRIANGLE,
       "classes[1] is -1, expected a class name or an index from 0 on"},
      {"'name': 'z', 'classes': [2147483648]," TRIANGLE,
       "classes[0] is 2147483648, expected a class name or an index from 0 on"},
      {"'name': 'z', 'classes': [1.5]," TRIANGLE,
       "classes[0] is 1.5, expected a class name or an index from 0 on"},
      {"'name': 'z', 'classes': ['']," TRIANGLE,
       "classes[0] is '', expected a class name or an index from 0 on"},
      {"'name': 'z', 'polygn': 1," TRIANGLE,
       "'polygn' is unknown, expected name, polygon, classes, anchor, margin"},
      {"'name': 'z', 'from': [0,0]," TRIANGLE,
       "'from' is unknown, expected name, polygon, classes, anchor, margin"},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("{'zones': [{%s}]}", cases[i].members);
    g_autofree char *message = g_strdup_printf ("zones: zones[0]: %s", cases[i].message);
    check_refused_json (text, message);
  }
}

static void
members_of_a_line (void)
{
  static const struct {
    const char *members, *message;
  } cases[] = {
      {"'name': 'l', 'to': [0,0]",
       "from is missing, expected [x, y], each 0..1 of the frame (pixels need 'units': 'px')"},
      {"'name': 'l', 'from': [0,0]",
       "to is missing, expected [x, y], each 0..1 of the frame (pixels need 'units': 'px')"},
      {"'name': 'l', 'from': [0,2], 'to': [0,1]",
       "from is [0,2], expected [x, y], each 0..1 of the frame (pixels need 'units': 'px')"},
      {"'name': 'l', 'from': [0.5,0.5], 'to': [0.5,0.5]",
       "to is [0.5,0.5], expected another point than 'from'"},
      {"'name': 'l', 'from': [0,0], 'to': [0,1], 'polygon': []",
       "'polygon' is unknown, expected name, from, to, classes, anchor, margin"},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("{'lines': [{%s}]}", cases[i].members);
    g_autofree char *message = g_strdup_printf ("zones: lines[0]: %s", cases[i].message);
    check_refused_json (text, message);
  }
}

static void
the_whole (void)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"[]", "zones: found no JSON object; expected {'zones': [...], 'lines': [...]}"},
      {"{", "; expected {'zones': [...], 'lines': [...]}"},
      {"{'zones': [NaN]}", "; expected {'zones': [...], 'lines': [...]}"},
      {"{'zones': [1e999]}", "zones: has a number that is too large at byte 11; expected {'zones': "
                             "[...], 'lines': [...]}"},
      {"{} {}",
       "zones: goes on after its end at byte 3; expected {'zones': [...], 'lines': [...]}"},
      {"{'zones': /* none */ []}", "zones: has a comment or a '...', which JSON has not, at byte "
                                   "10; expected {'zones': [...], 'lines': [...]}"},
      {"{'zones': [[[[[[[[0]]]]]]]]}",
       "zones: nests more than 8 deep at byte 17; expected {'zones': [...], 'lines': [...]}"},
      {"{'\xff': 1}", "zones: is not UTF-8; expected {'zones': [...], 'lines': [...]}"},
      {"{'zone': []}", "zones: 'zone' is unknown, expected zones, lines, units, width, height"},
      {"{'zones': {}}",
       "zones: zones is {}, expected a list of objects, at most 64 zones and lines together"},
      {"{'lines': null}",
       "zones: lines is null, expected a list of objects, at most 64 zones and lines together"},
      {"{'zones': [7]}", "zones: zones[0] is 7, expected an object with a name"},
      {"{'zones': [{'name': 'z', " TRIANGLE "}, {'name': 'z', " TRIANGLE "}]}",
       "zones: zones[1]: name is 'z', expected one that no other zone or line has"},
      {"{'zones': [{'name': 'z', " TRIANGLE "}],"
       "'lines': [{'name': 'z', 'from': [0,0], 'to': [1,1]}]}",
       "zones: lines[0]: name is 'z', expected one that no other zone or line has"},
      {"{'units': 'cm'}",
       "zones: units is 'cm', expected 'px', or no 'units' for shares 0..1 of the frame"},
      {"{'units': 'px', 'height': 5}",
       "zones: width is missing, expected the px of the frame that the coordinates are of"},
      {"{'units': 'px', 'width': 5, 'height': 0}",
       "zones: height is 0, expected the px of the frame that the coordinates are of"},
      {"{'units': 'px', 'width': 1e300, 'height': 5}",
       "expected the px of the frame that the coordinates are of"},
      {"{'width': 5}", "zones: width is 5, expected none without 'units': 'px'"},
      {"{'height': 5}", "zones: height is 5, expected none without 'units': 'px'"},
      {"{'units': 'px', 'width': 100, 'height': 50,"
       "'lines': [{'name': 'l', 'from': [0,0], 'to': [100,51]}]}",
       "zones: lines[0]: to is [100,51], expected [x, y] in px, 0..100 and 0..50"},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++)
    check_refused_json (cases[i].text, cases[i].message);
}

static void
too_many_points_or_classes (void)
{
  g_autoptr (GString) points = g_string_new ("{'zones': [{'name': 'z', 'polygon': [[0,1]");
  g_autoptr (GString) classes = g_string_new ("{'zones': [{'name': 'z', 'classes': [0");

  for (int k = 1; k <= YV_MAX_ZONE_POINTS; k++)
    g_string_append_printf (points, ",[%g,%g]", k / 128.0, 1 - k * k / 4096.0);
  g_string_append (points, "]}]}");
  check_refused_json (points->str, ", expected 3 to 64 different points");
  for (int k = 1; k <= YV_MAX_ZONE_CLASSES; k++)
    g_string_append (classes, ",1");
  g_string_append (classes, "], " TRIANGLE "}]}");
  check_refused_json (classes->str, "expected a list of 1 to 64 class names or indices");
}

static void
what_is_no_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-zones-XXXXXX", NULL);
  g_autofree char *missing = g_build_filename (folder, "missing.json", NULL);
  g_autofree char *fifo = g_build_filename (folder, "fifo", NULL);

  check_refused (folder, YV_ERROR_IO,
                 ": is a directory; expected zones as JSON: a file, or a text that begins with {");
  check_refused (missing, YV_ERROR_IO,
                 "/missing.json: can't be opened: No such file or directory; expected zones as "
                 "JSON: a file, or a text that begins with {");
  check_refused ("", YV_ERROR_IO,
                 ": can't be opened: No such file or directory; expected zones as JSON: a file, or "
                 "a text that begins with {");
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  check_refused (fifo, YV_ERROR_IO,
                 "/fifo: is no regular file; expected zones as JSON: a file, or a text that begins "
                 "with {");
  check_refused ("/dev/zero", YV_ERROR_IO,
                 "/dev/zero: is no regular file; expected zones as JSON: a file, or a text that "
                 "begins with {");
  g_remove (fifo);
  g_rmdir (folder);
}

static void
what_is_no_good_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-zones-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "zones.json", NULL);
  g_autofree char *huge = g_strnfill ((1 << 20) + 1, ' ');
  static const char nul[] = "{\"zones\": []}\0{\"zones\": 7}";

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  check_refused (path, YV_ERROR_INVALID,
                 "zones.json: found no JSON object; expected {'zones': [...], 'lines': [...]}");
  g_assert_true (g_file_set_contents (path, huge, -1, NULL));
  check_refused (path, YV_ERROR_INVALID,
                 "zones.json: is larger than 1 MiB, expected zones as JSON");
  g_assert_true (g_file_set_contents (path, "{\"zones\": [1]}", -1, NULL));
  check_refused (path, YV_ERROR_INVALID,
                 "zones.json: zones[0] is 1, expected an object with a name");
  g_assert_true (g_file_set_contents (path, nul, sizeof (nul) - 1, NULL));
  check_refused (path, YV_ERROR_INVALID,
                 "zones.json: is not UTF-8; expected {'zones': [...], 'lines': [...]}");
  g_remove (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/zoneconfig/zones-and-lines", zones_come_first_and_lines_after_them);
  g_test_add_func ("/zoneconfig/empty", nothing_but_empty_lists_is_no_zone);
  g_test_add_func ("/zoneconfig/closed", the_first_point_may_be_said_again);
  g_test_add_func ("/zoneconfig/px", pixels_become_shares);
  g_test_add_func ("/zoneconfig/file", a_file_says_what_a_text_says);
  g_test_add_func ("/zoneconfig/limits", as_many_as_allowed_are_read);
  g_test_add_func ("/zoneconfig/refused/zone", members_of_a_zone);
  g_test_add_func ("/zoneconfig/refused/line", members_of_a_line);
  g_test_add_func ("/zoneconfig/refused/whole", the_whole);
  g_test_add_func ("/zoneconfig/refused/too-many", too_many_points_or_classes);
  g_test_add_func ("/zoneconfig/refused/no-file", what_is_no_file);
  g_test_add_func ("/zoneconfig/refused/file", what_is_no_good_file);
  return g_test_run ();
}
