/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/zoneconfig.c - JSON to zones; whatever is wrong is said with its place. */
#include "gst/track/zoneconfig.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "common/excerpt.h"
#include "common/file.h"
#include "common/json.h"
#include "engine/error.h"
#include "gst/track/zones.h"

#define MAX_FILE_BYTES ((gsize) 1 << 20)
#define MAX_DEPTH 8 /* of brackets; ours have 5 */
#define MAX_NAME_BYTES 64

/* An object of the text, and how its coordinates are meant. */
typedef struct {
  const char *source;   /* borrowed: the path, or what stands for one */
  char where[32];       /* "zones[1]: ", or nothing for the whole */
  JsonObject *object;   /* borrowed from the parser */
  double width, height; /* what is 1 in shares */
} Entry;

/* ---- complaints ----------------------------------------------------------------------------- */

/* Returns: false */
static bool
refuse_node (const Entry *entry, const char *member, JsonNode *node, const char *expected,
             GError **error)
{
  g_autofree char *text = node ? json_to_string (node, FALSE) : g_strdup ("missing");
  g_autofree char *found = yv_excerpt (text);

  g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s: %s%s is %s, expected %s", entry->source,
               entry->where, member, found, expected);
  return false;
}

/* Returns: false */
static bool
refuse (const Entry *entry, const char *member, const char *expected, GError **error)
{
  return refuse_node (entry, member, json_object_get_member (entry->object, member), expected,
                      error);
}

static bool
check_members (const Entry *entry, const char *const *known, GError **error)
{
  g_autoptr (GList) members = json_object_get_members (entry->object);

  for (const GList *at = members; at; at = at->next) {
    if (g_strv_contains (known, at->data))
      continue;
    g_autofree char *name = yv_excerpt (at->data);
    g_autofree char *all = g_strjoinv (", ", (char **) (uintptr_t) known);
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s: %s\"%s\" is unknown, expected %s",
                 entry->source, entry->where, name, all);
    return false;
  }
  return true;
}

/* ---- values --------------------------------------------------------------------------------- */

static GType
type_of (JsonNode *node)
{
  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
}

static bool
is_number (JsonNode *node, double *out)
{
  const GType type = type_of (node);

  *out = type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double (node) : -1;
  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

static const char *
text_of (JsonNode *node)
{
  return type_of (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static bool
read_point (const Entry *entry, const char *member, JsonNode *node, YvZonePoint *out,
            GError **error)
{
  JsonArray *pair = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  double x, y;

  if (pair && json_array_get_length (pair) == 2 &&
      is_number (json_array_get_element (pair, 0), &x) &&
      is_number (json_array_get_element (pair, 1), &y) && x >= 0 && x <= entry->width && y >= 0 &&
      y <= entry->height) {
    *out = (YvZonePoint){x / entry->width, y / entry->height};
    return true;
  }
  g_autofree char *expected =
      entry->width == 1 && entry->height == 1
          ? g_strdup ("[x, y], each 0..1 of the frame (pixels need \"units\": \"px\")")
          : g_strdup_printf ("[x, y] in px, 0..%.0f and 0..%.0f", entry->width, entry->height);
  return refuse_node (entry, member, node, expected, error);
}

static bool
read_name (const Entry *entry, YvZone *zone, GError **error)
{
  const char *name = text_of (json_object_get_member (entry->object, "name"));

  if (!name || !*name || strlen (name) > MAX_NAME_BYTES)
    return refuse (entry, "name", "a text of 1 to 64 bytes", error);
  zone->name = g_strdup (name);
  return true;
}

static bool
read_anchor (const Entry *entry, YvZone *zone, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, "anchor");
  const char *name = node ? text_of (node) : "bottom";

  zone->anchor = g_strcmp0 (name, "center") == 0 ? YV_ANCHOR_CENTER : YV_ANCHOR_BOTTOM;
  return zone->anchor == YV_ANCHOR_CENTER || g_strcmp0 (name, "bottom") == 0 ||
         refuse (entry, "anchor", "\"bottom\" or \"center\"", error);
}

static bool
read_margin (const Entry *entry, YvZone *zone, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, "margin");

  zone->margin = YV_ZONE_DEFAULT_MARGIN;
  if (!node || (is_number (node, &zone->margin) && zone->margin >= 0 && zone->margin <= 1))
    return true;
  return refuse (entry, "margin", "a number 0..1", error);
}

static bool
read_class (JsonNode *node, YvZoneClass *out)
{
  const char *name = text_of (node);
  const int64_t index = type_of (node) == G_TYPE_INT64 ? json_node_get_int (node) : -1;

  if (name && *name)
    *out = (YvZoneClass){-1, g_strdup (name)};
  else if (index >= 0 && index <= G_MAXINT)
    *out = (YvZoneClass){(int) index, NULL};
  else
    return false;
  return true;
}

static bool
read_classes (const Entry *entry, YvZone *zone, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, "classes");
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  const guint n = list ? json_array_get_length (list) : 0;

  if (!node)
    return true;
  if (n == 0 || n > YV_MAX_ZONE_CLASSES)
    return refuse (entry, "classes", "a list of 1 to 64 class names or indices", error);
  zone->classes = g_new0 (YvZoneClass, n);
  zone->n_classes = n;
  for (guint i = 0; i < n; i++)
    if (!read_class (json_array_get_element (list, i), &zone->classes[i])) {
      g_autofree char *member = g_strdup_printf ("classes[%u]", i);
      return refuse_node (entry, member, json_array_get_element (list, i),
                          "a class name or an index from 0 on", error);
    }
  return true;
}

/* ---- polygons ------------------------------------------------------------------------------- */

static double
side_of (YvZonePoint p, YvZonePoint a, YvZonePoint b)
{
  return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

/* Where the three are on one line. */
static bool
is_between (YvZonePoint p, YvZonePoint a, YvZonePoint b)
{
  return p.x >= MIN (a.x, b.x) && p.x <= MAX (a.x, b.x) && p.y >= MIN (a.y, b.y) &&
         p.y <= MAX (a.y, b.y);
}

/* The edges a-b and c-d have a point in common. */
static bool
edges_meet (YvZonePoint a, YvZonePoint b, YvZonePoint c, YvZonePoint d)
{
  const double sc = side_of (c, a, b), sd = side_of (d, a, b);
  const double sa = side_of (a, c, d), sb = side_of (b, c, d);

  if ((sc == 0 && is_between (c, a, b)) || (sd == 0 && is_between (d, a, b)) ||
      (sa == 0 && is_between (a, c, d)) || (sb == 0 && is_between (b, c, d)))
    return true;
  return sc != 0 && sd != 0 && sa != 0 && sb != 0 && (sc > 0) != (sd > 0) && (sa > 0) != (sb > 0);
}

/* Two edges that share a point lie on each other. */
static bool
folds_back (YvZonePoint a, YvZonePoint b, YvZonePoint c)
{
  return side_of (c, a, b) == 0 && (a.x - b.x) * (c.x - b.x) + (a.y - b.y) * (c.y - b.y) >= 0;
}

static bool
is_simple (const YvZonePoint *p, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    const YvZonePoint end = p[(i + 1) % n];
    if (folds_back (p[i], end, p[(i + 2) % n]))
      return false;
    for (uint32_t k = i + 2; k < n; k++)
      if ((k + 1) % n != i && edges_meet (p[i], end, p[k], p[(k + 1) % n]))
        return false;
  }
  return true;
}

static bool
read_polygon (const Entry *entry, YvZone *zone, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, "polygon");
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  const guint n = list ? json_array_get_length (list) : 0;
  YvZonePoint points[YV_MAX_ZONE_POINTS + 1];

  if (n < 3 || n > G_N_ELEMENTS (points))
    return refuse (entry, "polygon", "a list of 3 to 64 points [x, y]", error);
  for (guint i = 0; i < n; i++) {
    g_autofree char *member = g_strdup_printf ("polygon[%u]", i);
    if (!read_point (entry, member, json_array_get_element (list, i), &points[i], error))
      return false;
  }
  const bool is_closed = points[0].x == points[n - 1].x && points[0].y == points[n - 1].y;
  zone->n_points = is_closed ? n - 1 : n;
  if (zone->n_points < 3 || zone->n_points > YV_MAX_ZONE_POINTS)
    return refuse (entry, "polygon", "3 to 64 different points", error);
  memcpy (zone->points, points, zone->n_points * sizeof (points[0]));
  return is_simple (zone->points, zone->n_points) ||
         refuse (entry, "polygon", "points in order around a zone whose edges don't cross or touch",
                 error);
}

static bool
read_line (const Entry *entry, YvZone *zone, GError **error)
{
  zone->n_points = 2;
  if (!read_point (entry, "from", json_object_get_member (entry->object, "from"), &zone->points[0],
                   error) ||
      !read_point (entry, "to", json_object_get_member (entry->object, "to"), &zone->points[1],
                   error))
    return false;
  return zone->points[0].x != zone->points[1].x || zone->points[0].y != zone->points[1].y ||
         refuse (entry, "to", "another point than \"from\"", error);
}

/* ---- the lists ------------------------------------------------------------------------------ */

static const char *const known_of_all[] = {"zones", "lines", "units", "width", "height", NULL};
static const char *const known_of_zone[] = {"name", "polygon", "classes", "anchor", "margin", NULL};
static const char *const known_of_line[] = {"name",   "from",   "to", "classes",
                                            "anchor", "margin", NULL};

static bool
read_zone (const Entry *entry, YvZone *zone, GError **error)
{
  const bool is_line = zone->kind == YV_ZONE_LINE;

  return check_members (entry, is_line ? known_of_line : known_of_zone, error) &&
         read_name (entry, zone, error) && read_anchor (entry, zone, error) &&
         read_margin (entry, zone, error) && read_classes (entry, zone, error) &&
         (is_line ? read_line : read_polygon) (entry, zone, error);
}

static bool
is_name_free (const GPtrArray *zones, const char *name)
{
  for (guint i = 0; i < zones->len; i++)
    if (g_str_equal (((const YvZone *) zones->pdata[i])->name, name))
      return false;
  return true;
}

static bool
read_list (const Entry *all, const char *list_name, YvZoneKind kind, GPtrArray *zones,
           GError **error)
{
  JsonNode *node = json_object_get_member (all->object, list_name);
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  const guint n = list ? json_array_get_length (list) : 0;

  if (node && (!list || n > YV_MAX_ZONES - zones->len))
    return refuse (all, list_name, "a list of objects, at most 64 zones and lines together", error);
  for (guint i = 0; i < n; i++) {
    JsonNode *item = json_array_get_element (list, i);
    g_autofree char *member = g_strdup_printf ("%s[%u]", list_name, i);
    g_autoptr (YvZone) zone = g_new0 (YvZone, 1);
    Entry entry = *all;

    if (!JSON_NODE_HOLDS_OBJECT (item))
      return refuse_node (all, member, item, "an object with a name", error);
    entry.object = json_node_get_object (item);
    g_snprintf (entry.where, sizeof (entry.where), "%s: ", member);
    zone->kind = kind;
    if (!read_zone (&entry, zone, error))
      return false;
    if (!is_name_free (zones, zone->name))
      return refuse (&entry, "name", "one that no other zone or line has", error);
    g_ptr_array_add (zones, g_steal_pointer (&zone));
  }
  return true;
}

static bool
read_side (const Entry *all, const char *member, double *out, GError **error)
{
  return (is_number (json_object_get_member (all->object, member), out) && *out >= 1 &&
          *out <= G_MAXINT) ||
         refuse (all, member, "the px of the frame that the coordinates are of", error);
}

static bool
read_units (Entry *all, GError **error)
{
  JsonNode *node = json_object_get_member (all->object, "units");
  const char *other = json_object_has_member (all->object, "width") ? "width" : "height";

  if (node && g_strcmp0 (text_of (node), "px") != 0)
    return refuse (all, "units", "\"px\", or no \"units\" for shares 0..1 of the frame", error);
  if (node)
    return read_side (all, "width", &all->width, error) &&
           read_side (all, "height", &all->height, error);
  return !json_object_has_member (all->object, other) ||
         refuse (all, other, "none without \"units\": \"px\"", error);
}

/* ---- the text ------------------------------------------------------------------------------- */

/* Returns: (transfer full): ended with 0 */
static char *
read_file (const char *path, gsize *size_bytes, GError **error)
{
  if (!yv_check_is_file (path, "zones as JSON: a file, or a text that begins with {", error))
    return NULL;

  FILE *file = g_fopen (path, "rbe");
  g_autofree char *text = g_malloc (MAX_FILE_BYTES + 2);
  const gsize n = file ? fread (text, 1, MAX_FILE_BYTES + 1, file) : 0;
  const int fault = !file || ferror (file) ? errno : 0;
  if (file)
    fclose (file);
  if (fault) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be read: %s", path, g_strerror (fault));
    return NULL;
  }
  if (n > MAX_FILE_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s: is larger than 1 MiB, expected zones as JSON", path);
    return NULL;
  }
  text[n] = '\0';
  *size_bytes = n;
  return g_steal_pointer (&text);
}

static JsonParser *
parse (const char *source, const char *text, gsize size_bytes, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) theirs = NULL;
  const bool is_utf8 = g_utf8_validate (text, (gssize) size_bytes, NULL);

  if (is_utf8 && yv_json_check (text, size_bytes, MAX_DEPTH, &theirs) &&
      json_parser_load_from_data (parser, text, (gssize) size_bytes, &theirs) &&
      json_parser_get_root (parser) && JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return g_steal_pointer (&parser);
  /* json-glib calls what it is given "<data>:LINE:COLUMN", and cuts what it cites anywhere */
  const char *why = theirs ? theirs->message : is_utf8 ? "found no JSON object" : "is not UTF-8";
  g_autofree char *found = g_utf8_make_valid (why, -1);
  const bool is_placed = g_str_has_prefix (found, "<data>:");
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s:%s%s; expected {\"zones\": [...], \"lines\": [...]}", source,
               is_placed ? "" : " ", found + (is_placed ? strlen ("<data>:") : 0));
  return NULL;
}

static GPtrArray *
read_text (const char *source, const char *text, gsize size_bytes, GError **error)
{
  g_autoptr (JsonParser) parser = parse (source, text, size_bytes, error);
  if (!parser)
    return NULL;

  g_autoptr (GPtrArray) zones = g_ptr_array_new_with_free_func ((GDestroyNotify) yv_zone_free);
  Entry all = {
      .source = source,
      .object = json_node_get_object (json_parser_get_root (parser)),
      .width = 1,
      .height = 1,
  };
  if (!check_members (&all, known_of_all, error) || !read_units (&all, error) ||
      !read_list (&all, "zones", YV_ZONE_POLYGON, zones, error) ||
      !read_list (&all, "lines", YV_ZONE_LINE, zones, error))
    return NULL;
  return g_steal_pointer (&zones);
}

GPtrArray *
yv_zone_config_read (const char *text, GError **error)
{
  const char *start = text + strspn (text, " \t\r\n");
  gsize size_bytes = 0;

  if (*start == '{' || *start == '[')
    return read_text ("zones", start, strlen (start), error);
  g_autofree char *content = read_file (text, &size_bytes, error);
  return content ? read_text (text, content, size_bytes, error) : NULL;
}
