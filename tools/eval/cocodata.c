/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/cocodata.c - COCO's instances_*.json: images, categories, annotations.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "common/excerpt.h"
#include "common/file.h"
#include "common/json.h"
#include "tools/eval/dataset.h"

#define MAX_DEPTH 64 /* of brackets; COCO has 5 */

typedef struct {
  const char *path; /* borrowed */
  JsonObject *root; /* borrowed from the parser */
  Dataset *dataset;
  GHashTable *image_of_id; /* int64 id -> DatasetImage *, borrowed */
  GHashTable *class_of_id; /* category id -> class index and one, 0 where the model has none */
} Reader;

/* An object of one of the file's lists. */
typedef struct {
  const Reader *reader;
  const char *list;
  uint32_t index;
  JsonObject *object; /* the parser's */
} Entry;

/* ---- members that may be missing or of another type ----------------------------------------- */

static JsonArray *
get_array (const Reader *reader, const char *name, GError **error)
{
  JsonNode *node = json_object_get_member (reader->root, name);

  if (node && JSON_NODE_HOLDS_ARRAY (node))
    return json_node_get_array (node);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: has no list \"%s\", expected COCO's images, categories and annotations",
               reader->path, name);
  return NULL;
}

static bool
get_entry (const Reader *reader, const char *list, JsonArray *array, uint32_t index, Entry *out,
           GError **error)
{
  JsonNode *node = json_array_get_element (array, index);

  if (JSON_NODE_HOLDS_OBJECT (node)) {
    *out = (Entry){reader, list, index, json_node_get_object (node)};
    return true;
  }
  g_autofree char *text = json_to_string (node, FALSE);
  g_autofree char *found = yv_excerpt (text);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: %s[%u] is %s, expected an object",
               reader->path, list, index, found);
  return false;
}

/* Returns false. */
static bool
refuse (const Entry *entry, const char *member, const char *expected, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, member);
  g_autofree char *text = node ? json_to_string (node, FALSE) : g_strdup ("missing");
  g_autofree char *found = yv_excerpt (text);

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: %s[%u]: \"%s\" is %s, expected %s",
               entry->reader->path, entry->list, entry->index, member, found, expected);
  return false;
}

static GType
type_of (JsonNode *node)
{
  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
}

/* A text of digits is none, nor is what fits no float: a sum of two would be infinite. */
static bool
is_number (JsonNode *node, double *out)
{
  const GType type = type_of (node);

  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return false;
  *out = json_node_get_double (node);
  return fabs (*out) <= (double) FLT_MAX;
}

static bool
read_id (const Entry *entry, const char *name, int64_t *out, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, name);

  *out = type_of (node) == G_TYPE_INT64 ? json_node_get_int (node) : -1;
  return *out >= 0 || refuse (entry, name, "a whole number from 0 on", error);
}

static bool
read_text (const Entry *entry, const char *name, const char **out, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, name);

  *out = type_of (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
  return (*out && **out) || refuse (entry, name, "a text", error);
}

/* ---- categories ----------------------------------------------------------------------------- */

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  const int *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* @by_name: name in lower case -> id; a name that is there twice would leave open which is meant.
 */
static bool
read_category (Reader *reader, const Entry *entry, GArray *ids, GHashTable *by_name, GError **error)
{
  const char *name;
  int64_t id;

  if (!read_id (entry, "id", &id, error) || !read_text (entry, "name", &name, error))
    return false;
  if (id > G_MAXINT)
    return refuse (entry, "id", "at most 2147483647", error);
  if (!g_hash_table_insert (reader->class_of_id, GINT_TO_POINTER ((int) id), NULL))
    return refuse (entry, "id", "one that was not there before", error);
  if (!g_hash_table_insert (by_name, g_ascii_strdown (name, -1), GINT_TO_POINTER ((int) id)))
    return refuse (entry, "name", "one that was not there before", error);
  g_array_append_vals (ids, &(int){(int) id}, 1);
  return true;
}

static bool
read_categories (Reader *reader, GArray *ids, GHashTable *by_name, GError **error)
{
  JsonArray *array = get_array (reader, "categories", error);
  Entry entry;

  for (uint32_t i = 0; array && i < json_array_get_length (array); i++)
    if (!get_entry (reader, "categories", array, i, &entry, error) ||
        !read_category (reader, &entry, ids, by_name, error))
      return false;
  g_array_sort (ids, compare_numbers);
  return array != NULL;
}

/* Those of the model's classes whose name a category has; of classes of one name only the first. */
static uint32_t
find_names (Reader *reader, GHashTable *by_name, const char *const *class_names)
{
  uint32_t n_found = 0;

  for (uint32_t k = 0; k < reader->dataset->n_classes; k++) {
    g_autofree char *name = g_ascii_strdown (class_names[k], -1);
    gpointer id;

    if (!g_hash_table_lookup_extended (by_name, name, NULL, &id))
      continue;
    reader->dataset->category_ids[k] = GPOINTER_TO_INT (id);
    g_hash_table_remove (by_name, name);
    n_found++;
  }
  return n_found;
}

/* By name, else by order where there are as many: COCO's 80 categories have numbers up to 90. */
static bool
map_classes (Reader *reader, const char *const *class_names, GError **error)
{
  g_autoptr (GHashTable) by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (int));
  const uint32_t n_classes = reader->dataset->n_classes;

  if (!read_categories (reader, ids, by_name, error))
    return false;
  const uint32_t n_found = find_names (reader, by_name, class_names);
  if (n_found < n_classes && ids->len != n_classes) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s: has %u categories, and %u of the model's %u classes (\"%s\" ...) are among "
                 "them; expected all of them, or as many as the model has",
                 reader->path, ids->len, n_found, n_classes, class_names[0]);
    return false;
  }
  if (n_found < n_classes)
    dataset_warn (reader->dataset,
                  "%s: %u of the model's %u classes (\"%s\" ...) are among the categories by name; "
                  "all go by their order",
                  reader->path, n_found, n_classes, class_names[0]);
  for (uint32_t k = 0; k < n_classes; k++) {
    int *id = &reader->dataset->category_ids[k];

    *id = n_found == n_classes ? *id : g_array_index (ids, int, k);
    g_hash_table_insert (reader->class_of_id, GINT_TO_POINTER (*id), GUINT_TO_POINTER (k + 1));
  }
  return true;
}

/* ---- images --------------------------------------------------------------------------------- */

/* Where the first picture is: the given folder, or one of those that people unpack COCO to. */
static char *
find_folder (const Reader *reader, const char *images_folder, const char *first_name,
             GError **error)
{
  g_autofree char *folder = g_path_get_dirname (reader->path);
  g_autofree char *base = g_path_get_basename (reader->path);
  g_autofree char *split = g_strndup (base, strlen (base) - strlen (".json"));
  const char *year = g_str_has_prefix (split, "instances_") ? split + strlen ("instances_") : split;
  const char *const places[][3] = {
      {".", NULL, NULL},  {"images", NULL, NULL}, {year, NULL, NULL},    {"images", year, NULL},
      {"..", year, NULL}, {"..", "images", year}, {"..", "images", NULL}};

  if (images_folder)
    return g_strdup (images_folder);
  for (uint32_t i = 0; i < G_N_ELEMENTS (places); i++) {
    char *place = g_build_filename (folder, places[i][0], places[i][1], places[i][2], NULL);
    g_autofree char *picture = g_build_filename (place, first_name, NULL);

    if (g_file_test (picture, G_FILE_TEST_EXISTS))
      return place;
    g_free (place);
  }
  g_set_error (error, YV_ERROR, YV_ERROR_IO,
               "%s: its picture %s is neither beside it nor in ../%s or ../images/%s; name the "
               "folder with --images",
               reader->path, first_name, year, year);
  return NULL;
}

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  const DatasetImage *x = *(DatasetImage *const *) a, *y = *(DatasetImage *const *) b;

  return x->id < y->id ? -1 : x->id > y->id;
}

static bool
add_image (Reader *reader, const Entry *entry, const char *folder, GError **error)
{
  const char *name;
  int64_t id;

  if (!read_id (entry, "id", &id, error) || !read_text (entry, "file_name", &name, error))
    return false;
  DatasetImage *image = dataset_add (reader->dataset, g_build_filename (folder, name, NULL));
  image->id = id;
  return g_hash_table_insert (reader->image_of_id, &image->id, image) ||
         refuse (entry, "id", "one that was not there before", error);
}

static bool
read_images (Reader *reader, const char *images_folder, GError **error)
{
  JsonArray *array = get_array (reader, "images", error);
  const char *first_name;
  Entry entry;

  if (!array)
    return false;
  if (json_array_get_length (array) == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: the list \"images\" is empty, expected at least one image", reader->path);
    return false;
  }
  if (!get_entry (reader, "images", array, 0, &entry, error) ||
      !read_text (&entry, "file_name", &first_name, error))
    return false;
  g_autofree char *folder = find_folder (reader, images_folder, first_name, error);
  if (!folder)
    return false;
  for (uint32_t i = 0; i < json_array_get_length (array); i++)
    if (!get_entry (reader, "images", array, i, &entry, error) ||
        !add_image (reader, &entry, folder, error))
      return false;
  g_ptr_array_sort (reader->dataset->images, compare_ids);
  return dataset_read_sizes (reader->dataset, error);
}

/* ---- annotations ---------------------------------------------------------------------------- */

static bool
read_box (const Entry *entry, double box[4], GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, "bbox");
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  bool ok = array && json_array_get_length (array) == 4;

  for (uint32_t i = 0; ok && i < 4; i++)
    ok = is_number (json_array_get_element (array, i), &box[i]);
  return (ok && box[2] >= 0 && box[3] >= 0) ||
         refuse (entry, "bbox",
                 "[x, y, w, h], four numbers that fit a float, the last two from 0 on", error);
}

/* What is missing is that of the box. */
static bool
read_area (const Entry *entry, const double box[4], double *out, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, "area");

  *out = box[2] * box[3];
  return !node || (is_number (node, out) && *out >= 0) ||
         refuse (entry, "area", "a number from 0 on", error);
}

static bool
read_crowd (const Entry *entry, bool *out, GError **error)
{
  JsonNode *node = json_object_get_member (entry->object, "iscrowd");
  double value = 0;

  if (type_of (node) == G_TYPE_BOOLEAN)
    value = json_node_get_boolean (node);
  else if (node && (!is_number (node, &value) || (value != 0 && value != 1)))
    return refuse (entry, "iscrowd", "0 or 1", error);
  *out = value != 0;
  return true;
}

static bool
find_class (const Entry *entry, uint32_t *class_and_one, GError **error)
{
  gpointer found;
  int64_t id;

  if (!read_id (entry, "category_id", &id, error))
    return false;
  if (id > G_MAXINT || !g_hash_table_lookup_extended (entry->reader->class_of_id,
                                                      GINT_TO_POINTER ((int) id), NULL, &found))
    return refuse (entry, "category_id", "the id of one of the categories", error);
  *class_and_one = GPOINTER_TO_UINT (found);
  return true;
}

static bool
find_image (const Entry *entry, DatasetImage **image, GError **error)
{
  int64_t id;

  if (!read_id (entry, "image_id", &id, error))
    return false;
  *image = g_hash_table_lookup (entry->reader->image_of_id, &id);
  return *image || refuse (entry, "image_id", "the id of one of the images", error);
}

/* Of a category that the model has no class for, nothing is kept. */
static bool
add_annotation (const Entry *entry, GError **error)
{
  EvalLabel label = {0};
  DatasetImage *image;
  uint32_t class_and_one = 0;
  double box[4];

  if (!find_image (entry, &image, error) || !find_class (entry, &class_and_one, error) ||
      !read_box (entry, box, error) || !read_area (entry, box, &label.area_px, error) ||
      !read_crowd (entry, &label.is_crowd, error))
    return false;
  if (class_and_one == 0)
    return true;
  label.x = box[0];
  label.y = box[1];
  label.w = box[2];
  label.h = box[3];
  label.class_index = class_and_one - 1;
  return dataset_add_label (image, &label) ||
         refuse (entry, "image_id",
                 "an image with at most " G_STRINGIFY (DATASET_MAX_LABELS) " annotations", error);
}

static bool
read_annotations (const Reader *reader, GError **error)
{
  JsonArray *array = get_array (reader, "annotations", error);
  Entry entry;

  for (uint32_t i = 0; array && i < json_array_get_length (array); i++)
    if (!get_entry (reader, "annotations", array, i, &entry, error) ||
        !add_annotation (&entry, error))
      return false;
  return array != NULL;
}

/* ---- the file ------------------------------------------------------------------------------- */

static void
reader_clear (Reader *reader)
{
  g_hash_table_unref (reader->image_of_id);
  g_hash_table_unref (reader->class_of_id);
  dataset_free (reader->dataset);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static JsonParser *
parse (const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) theirs = NULL;

  if (!yv_check_is_file (path, "COCO's instances_*.json", error))
    return NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &theirs);
  const char *text =
      file && g_mapped_file_get_length (file) ? g_mapped_file_get_contents (file) : "";
  const gsize length = file ? g_mapped_file_get_length (file) : 0;

  if (!file) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", path, theirs->message);
    return NULL;
  }
  if (yv_json_check (text, length, MAX_DEPTH, &theirs) &&
      json_parser_load_from_data (parser, text, (gssize) length, &theirs) &&
      json_parser_get_root (parser) && JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return g_steal_pointer (&parser);
  /* json-glib calls what it is given "<data>:LINE:COLUMN", and cuts what it cites anywhere */
  g_autofree char *found =
      g_utf8_make_valid (theirs ? theirs->message : "found no JSON object", -1);
  const bool is_placed = g_str_has_prefix (found, "<data>:");
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%s%s; expected COCO's instances", path,
               is_placed ? "" : " ", found + (is_placed ? strlen ("<data>:") : 0));
  return NULL;
}

Dataset *
cocodata_open (const char *path, const char *images_folder, const char *const *class_names,
               uint32_t n_classes, GError **error)
{
  g_autoptr (JsonParser) parser = parse (path, error);

  if (!parser)
    return NULL;
  g_auto (Reader) reader = {
      .path = path,
      .root = json_node_get_object (json_parser_get_root (parser)),
      .dataset = dataset_new (n_classes),
      .image_of_id = g_hash_table_new (g_int64_hash, g_int64_equal),
      .class_of_id = g_hash_table_new (NULL, NULL),
  };
  if (!map_classes (&reader, class_names, error) || !read_images (&reader, images_folder, error) ||
      !read_annotations (&reader, error))
    return NULL;
  return g_steal_pointer (&reader.dataset);
}
