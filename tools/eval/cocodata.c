/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/cocodata.c - COCO's instances_*.json: images, categories, annotations.
 */
#include <math.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "tools/eval/dataset.h"

#define MAX_DEPTH 64 /* of brackets; COCO has 5 */

typedef struct {
  const char *path; /* borrowed */
  JsonObject *root; /* borrowed from the parser */
  Dataset *dataset;
  GHashTable *image_of_id; /* int64 id -> DatasetImage *, borrowed */
  GHashTable *class_of_id; /* category id -> class index */
} Reader;

/* ---- members that may be missing or of another type -------------------------------------------
 */

static JsonNode *
get_value (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_VALUE (node) ? node : NULL;
}

static bool
get_number (JsonObject *object, const char *name, double *out)
{
  JsonNode *node = get_value (object, name);
  const GType type = node ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return false;
  *out = json_node_get_double (node);
  return isfinite (*out);
}

static bool
get_id (JsonObject *object, const char *name, int64_t *out)
{
  JsonNode *node = get_value (object, name);

  if (!node || json_node_get_value_type (node) != G_TYPE_INT64)
    return false;
  *out = json_node_get_int (node);
  return true;
}

static const char *
get_text (JsonObject *object, const char *name)
{
  JsonNode *node = get_value (object, name);

  return node && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                  : NULL;
}

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
complain (const Reader *reader, const char *list, uint32_t index, const char *message,
          GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: %s[%u]: %s", reader->path, list, index,
               message);
  return false;
}

/* NULL where the element is no object. */
static JsonObject *
get_object (JsonArray *array, uint32_t index)
{
  JsonNode *node = json_array_get_element (array, index);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* ---- categories -------------------------------------------------------------------------------
 */

typedef struct {
  int64_t id;
  const char *name; /* the parser's */
} Category;

static gint
compare_categories (gconstpointer a, gconstpointer b)
{
  const Category *x = a, *y = b;

  return x->id < y->id ? -1 : x->id > y->id;
}

static bool
read_categories (const Reader *reader, GArray *categories, GError **error)
{
  JsonArray *array = get_array (reader, "categories", error);

  for (uint32_t i = 0; array && i < json_array_get_length (array); i++) {
    JsonObject *object = get_object (array, i);
    Category category = {0};

    category.name = object ? get_text (object, "name") : NULL;
    if (!category.name || !get_id (object, "id", &category.id) || ABS (category.id) > G_MAXINT)
      return complain (reader, "categories", i, "expected a number \"id\" and a text \"name\"",
                       error);
    g_array_append_val (categories, category);
  }
  g_array_sort (categories, compare_categories);
  return array != NULL;
}

static const Category *
find_category (const GArray *categories, const char *name)
{
  for (uint32_t i = 0; i < categories->len; i++)
    if (g_ascii_strcasecmp (g_array_index (categories, Category, i).name, name) == 0)
      return &g_array_index (categories, Category, i);
  return NULL;
}

static void
map_class (Reader *reader, uint32_t class_index, const Category *category)
{
  int64_t *id = g_new (int64_t, 1);

  *id = category->id;
  reader->dataset->category_ids[class_index] = (int) category->id;
  g_hash_table_insert (reader->class_of_id, id, GUINT_TO_POINTER (class_index));
}

/* By name, else by order where there are as many: COCO's 80 categories have numbers up to 90. */
static bool
map_classes (Reader *reader, const char *const *class_names, GError **error)
{
  g_autoptr (GArray) categories = g_array_new (FALSE, FALSE, sizeof (Category));
  const uint32_t n_classes = reader->dataset->n_classes;
  uint32_t n_found = 0;

  if (!read_categories (reader, categories, error))
    return false;
  for (uint32_t k = 0; k < n_classes; k++)
    n_found += find_category (categories, class_names[k]) != NULL;
  if (n_found < n_classes && categories->len != n_classes) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s: has %u categories, and %u of the model's %u classes (\"%s\" ...) are among "
                 "them; expected all of them, or as many as the model has",
                 reader->path, categories->len, n_found, n_classes, class_names[0]);
    return false;
  }
  for (uint32_t k = 0; k < n_classes; k++)
    map_class (reader, k,
               n_found == n_classes ? find_category (categories, class_names[k])
                                    : &g_array_index (categories, Category, k));
  return true;
}

/* ---- images -----------------------------------------------------------------------------------
 */

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
add_image (Reader *reader, JsonArray *array, uint32_t index, const char *folder, GError **error)
{
  JsonObject *object = get_object (array, index);
  const char *name = object ? get_text (object, "file_name") : NULL;
  int64_t id;

  if (!name || !get_id (object, "id", &id))
    return complain (reader, "images", index, "expected a number \"id\" and a text \"file_name\"",
                     error);
  DatasetImage *image = dataset_add (reader->dataset, g_build_filename (folder, name, NULL));
  image->id = id;
  if (g_hash_table_insert (reader->image_of_id, &image->id, image))
    return true;
  return complain (reader, "images", index, "this id was there before", error);
}

static bool
read_images (Reader *reader, const char *images_folder, GError **error)
{
  JsonArray *array = get_array (reader, "images", error);
  JsonObject *first = array && json_array_get_length (array) > 0 ? get_object (array, 0) : NULL;
  const char *first_name = first ? get_text (first, "file_name") : NULL;

  if (!array)
    return false;
  if (!first_name)
    return complain (reader, "images", 0, "expected an image with a text \"file_name\"", error);
  g_autofree char *folder = find_folder (reader, images_folder, first_name, error);
  if (!folder)
    return false;
  for (uint32_t i = 0; i < json_array_get_length (array); i++)
    if (!add_image (reader, array, i, folder, error))
      return false;
  g_ptr_array_sort (reader->dataset->images, compare_ids);
  return dataset_read_sizes (reader->dataset, error);
}

/* ---- annotations ------------------------------------------------------------------------------
 */

static bool
read_box (JsonObject *object, double box[4])
{
  JsonNode *node = json_object_get_member (object, "bbox");
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (!array || json_array_get_length (array) != 4)
    return false;
  for (uint32_t i = 0; i < 4; i++) {
    JsonNode *value = json_array_get_element (array, i);

    if (!JSON_NODE_HOLDS_VALUE (value))
      return false;
    box[i] = json_node_get_double (value);
    if (!isfinite (box[i]))
      return false;
  }
  return box[2] >= 0 && box[3] >= 0;
}

/* Of a category that the model has no class for, nothing is kept. */
static bool
add_annotation (Reader *reader, JsonObject *object, uint32_t index, GError **error)
{
  double box[4], area, crowd = 0;
  int64_t image_id, category_id;
  gpointer class_index;

  if (!get_id (object, "image_id", &image_id) || !get_id (object, "category_id", &category_id) ||
      !read_box (object, box))
    return complain (reader, "annotations", index,
                     "expected numbers \"image_id\" and \"category_id\" and \"bbox\": [x, y, w, h]",
                     error);
  const DatasetImage *image = g_hash_table_lookup (reader->image_of_id, &image_id);
  if (!image)
    return complain (reader, "annotations", index, "there is no image with its image_id", error);
  if (!g_hash_table_lookup_extended (reader->class_of_id, &category_id, NULL, &class_index))
    return true;
  if (!get_number (object, "area", &area))
    area = box[2] * box[3];
  get_number (object, "iscrowd", &crowd);

  const EvalLabel label = {.x = box[0],
                           .y = box[1],
                           .w = box[2],
                           .h = box[3],
                           .area_px = area,
                           .class_index = GPOINTER_TO_UINT (class_index),
                           .is_crowd = crowd != 0};
  g_array_append_val (image->labels, label);
  return true;
}

static bool
read_annotations (Reader *reader, GError **error)
{
  JsonArray *array = get_array (reader, "annotations", error);

  for (uint32_t i = 0; array && i < json_array_get_length (array); i++) {
    JsonObject *object = get_object (array, i);

    if (!object)
      return complain (reader, "annotations", i, "expected an object", error);
    if (!add_annotation (reader, object, i, error))
      return false;
  }
  return array != NULL;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static void
reader_clear (Reader *reader)
{
  g_hash_table_unref (reader->image_of_id);
  g_hash_table_unref (reader->class_of_id);
  dataset_free (reader->dataset);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

/* The parser calls itself for each level, so a text of brackets alone would use up the stack. */
static bool
is_shallow (const char *text, gsize length)
{
  uint32_t depth = 0;
  bool is_quoted = false;

  for (gsize i = 0; i < length; i++) {
    if (text[i] == '\\' && is_quoted)
      i++;
    else if (text[i] == '"')
      is_quoted = !is_quoted;
    else if (!is_quoted && (text[i] == '[' || text[i] == '{') && ++depth > MAX_DEPTH)
      return false;
    else if (!is_quoted && (text[i] == ']' || text[i] == '}'))
      depth -= depth > 0;
  }
  return true;
}

static JsonParser *
parse (const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) theirs = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &theirs);
  const char *text =
      file && g_mapped_file_get_length (file) ? g_mapped_file_get_contents (file) : "";
  const gsize length = file ? g_mapped_file_get_length (file) : 0;

  if (!file) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", path, theirs->message);
    return NULL;
  }
  if (is_shallow (text, length) &&
      json_parser_load_from_data (parser, text, (gssize) length, &theirs) &&
      json_parser_get_root (parser) && JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return g_steal_pointer (&parser);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: %s", path,
               theirs ? theirs->message : "no JSON object of COCO's images and annotations");
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
      .class_of_id = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL),
  };
  if (!map_classes (&reader, class_names, error) || !read_images (&reader, images_folder, error) ||
      !read_annotations (&reader, error))
    return NULL;
  return g_steal_pointer (&reader.dataset);
}
