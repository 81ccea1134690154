/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/yolodata.c - data.yaml, a folder of images and the folder of labels beside it.
 *
 * A label file has a line an object: class, then centre x, centre y, width, height, or the corners
 * of an outline x1 y1 x2 y2 ..., in parts of the picture's sides. No file: nothing in the picture.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/excerpt.h"
#include "common/file.h"
#include "tools/eval/dataset.h"
#include "tools/eval/datayaml.h"

static const char *const extensions[] = {".bmp", ".jpg",  ".jpeg", ".png",
                                         ".tif", ".tiff", ".webp", ".gif"};

static bool
is_picture (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (uint32_t i = 0; i < G_N_ELEMENTS (extensions); i++)
    if (g_str_has_suffix (lower, extensions[i]))
      return true;
  return false;
}

/* ---- which pictures ------------------------------------------------------------------------- */

#define MAX_DEPTH 32 /* of folders: a link may lead back to where it is */

static bool
add_folder (Dataset *dataset, const char *folder, uint32_t depth, GError **error)
{
  g_autoptr (GError) theirs = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &theirs);
  const char *name;

  if (depth > MAX_DEPTH) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s: more than %d folders in each other; is one a link to one above?", folder,
                 MAX_DEPTH);
    return false;
  }
  if (!dir) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", folder, theirs->message);
    return false;
  }
  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
      if (!add_folder (dataset, path, depth + 1, error))
        return false;
    } else if (is_picture (name)) {
      dataset_add (dataset, g_steal_pointer (&path));
    }
  }
  return true;
}

/* All of a text file; G_FILE_ERROR_NOENT where there is none. What comes behind a byte 0 would be
 * lost, so there must be none. */
static char *
read_text (const char *path, const char *expected, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;

  if (g_file_test (path, G_FILE_TEST_EXISTS) && !yv_check_is_file (path, expected, error))
    return NULL;
  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  if (strlen (text) == length)
    return g_steal_pointer (&text);

  uint32_t line = 1;
  for (const char *c = text; *c; c++)
    line += *c == '\n';
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: a byte 0, expected a text", path, line);
  return NULL;
}

/* Any bytes, fit for a message. Free with g_free(). */
static char *
excerpt_of (const char *word)
{
  g_autofree char *valid = g_utf8_make_valid (word, -1);

  return yv_excerpt (valid);
}

/* Errors of files as ours: the path in front. */
static bool
pass_on (GError *theirs, const char *path, GError **error)
{
  if (theirs->domain == YV_ERROR) {
    g_propagate_error (error, theirs);
    return false;
  }
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", path, theirs->message);
  g_error_free (theirs);
  return false;
}

/* A text with a path a line, relative to the text's folder. */
static bool
add_list (Dataset *dataset, const char *list, GError **error)
{
  GError *theirs = NULL;
  g_autofree char *text = read_text (list, "a text with the path of a picture a line", &theirs);
  g_autofree char *folder = g_path_get_dirname (list);

  if (!text)
    return pass_on (theirs, list, error);
  dataset_note_file (dataset, list);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (uint32_t i = 0; lines[i]; i++) {
    const char *name = g_strstrip (lines[i]);
    g_autofree char *path =
        g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (folder, name, NULL);

    if (!*name)
      continue;
    if (!g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
      g_autofree char *found = excerpt_of (name);

      g_set_error (
          error, YV_ERROR, YV_ERROR_IO,
          "%s:%u: there is no picture \"%s\"; expected a path a line, from the list's folder "
          "on",
          list, i + 1, found);
      return false;
    }
    dataset_add (dataset, g_steal_pointer (&path));
  }
  return true;
}

static bool
add_pictures (Dataset *dataset, const char *place, GError **error)
{
  if (g_str_has_suffix (place, ".txt"))
    return add_list (dataset, place, error);
  return add_folder (dataset, place, 0, error);
}

/* ---- labels --------------------------------------------------------------------------------- */

/* images/a.jpg -> labels/a.txt: the first folder of that name counts, as upstream; what @folder,
 * that of data.yaml, is called itself does not. */
static char *
label_path (const char *picture, const char *folder)
{
  const size_t n = strlen (folder);
  const bool is_below = g_str_has_prefix (picture, folder) && picture[n] == '/';
  const char *found = strstr (picture + (is_below ? n : 0), "/images/");

  if (!found)
    return g_strdup_printf ("%.*s.txt", (int) dataset_stem_bytes (picture), picture);
  return g_strdup_printf ("%.*s/labels/%.*s.txt", (int) (found - picture), picture,
                          (int) dataset_stem_bytes (found + 8), found + 8);
}

/* Decimal: the hexadecimal numbers that C knows no program writes. */
static bool
parse_number (const char *text, double *value)
{
  char *end;

  *value = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && !strpbrk (text, "xX");
}

static EvalLabel
box_of_outline (const double *corners, uint32_t n)
{
  double x1 = 1, y1 = 1, x2 = 0, y2 = 0, doubled_area = 0;

  for (uint32_t i = 0; i < n; i += 2) {
    const uint32_t next = (i + 2) % n;

    x1 = MIN (x1, corners[i]);
    x2 = MAX (x2, corners[i]);
    y1 = MIN (y1, corners[i + 1]);
    y2 = MAX (y2, corners[i + 1]);
    doubled_area += corners[i] * corners[next + 1] - corners[next] * corners[i + 1];
  }
  return (EvalLabel){
      .x = x1, .y = y1, .w = x2 - x1, .h = y2 - y1, .area_px = fabs (doubled_area) / 2};
}

static EvalLabel
box_of_centre (const double *v)
{
  return (EvalLabel){
      .x = v[0] - v[2] / 2, .y = v[1] - v[3] / 2, .w = v[2], .h = v[3], .area_px = v[2] * v[3]};
}

static bool
parse_values (char **words, double *values, uint32_t n, const char *place, GError **error)
{
  for (uint32_t i = 0; i < n; i++) {
    if (parse_number (words[i], &values[i]) && values[i] >= 0 && values[i] <= 1) /* no NaN */
      continue;
    g_autofree char *found = excerpt_of (words[i]);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: value %u is \"%s\", expected a part of the picture's side, 0 to 1", place,
                 i + 2, found);
    return false;
  }
  return true;
}

static bool
parse_class (const char *word, uint32_t n_classes, const char *place, uint32_t *out, GError **error)
{
  double value; /* some programs write "3.0" */

  if (parse_number (word, &value) && value >= 0 && value < n_classes && value == floor (value)) {
    *out = (uint32_t) value;
    return true;
  }
  g_autofree char *found = excerpt_of (word);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: class \"%s\", expected a number from 0 to %u", place, found, n_classes - 1);
  return false;
}

static bool
parse_line (char **words, uint32_t n_words, uint32_t n_classes, const char *place, EvalLabel *out,
            GError **error)
{
  const bool is_box = n_words == 5, is_outline = n_words >= 7 && n_words % 2 == 1;
  g_autofree double *values = g_new (double, n_words);
  uint32_t class_index;

  if (!is_box && !is_outline) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %u values, expected 5 (class, centre x, centre y, width, height) or a class "
                 "and the corners of an outline",
                 place, n_words);
    return false;
  }
  if (!parse_class (words[0], n_classes, place, &class_index, error) ||
      !parse_values (words + 1, values, n_words - 1, place, error))
    return false;
  *out = is_box ? box_of_centre (values) : box_of_outline (values, n_words - 1);
  out->class_index = class_index;
  return true;
}

/* @seen: of GBytes; the label is there from now on. */
static bool
is_duplicate (GHashTable *seen, const EvalLabel *label)
{
  const double key[] = {label->class_index, label->x, label->y, label->w, label->h};

  return !g_hash_table_add (seen, g_bytes_new (key, sizeof key));
}

/* Words between blanks; moves them to the front of the vector that g_strsplit_set() made. */
static uint32_t
compact (char **words)
{
  uint32_t n = 0;

  for (uint32_t i = 0; words[i]; i++) {
    if (*words[i])
      words[n++] = words[i];
    else
      g_free (words[i]);
  }
  words[n] = NULL;
  return n;
}

static bool
read_labels (Dataset *dataset, DatasetImage *image, const char *path, const char *text,
             uint32_t *n_duplicates, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  for (uint32_t i = 0; lines[i]; i++) {
    g_auto (GStrv) words = g_strsplit_set (lines[i], " \t\r", -1);
    const uint32_t n_words = compact (words);
    g_autofree char *place = g_strdup_printf ("%s:%u", path, i + 1);
    EvalLabel label;

    if (n_words == 0)
      continue;
    if (!parse_line (words, n_words, dataset->n_classes, place, &label, error))
      return false;
    if (is_duplicate (seen, &label)) {
      ++*n_duplicates;
    } else if (!dataset_add_label (image, &label)) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "%s: more than %d labels, expected what one picture shows", place,
                   DATASET_MAX_LABELS);
      return false;
    }
  }
  return true;
}

typedef struct {
  uint32_t n_without, n_duplicates;
} LeftOut;

static bool
read_label_file (Dataset *dataset, DatasetImage *image, const char *folder, LeftOut *left_out,
                 GError **error)
{
  GError *theirs = NULL;
  g_autofree char *path = label_path (image->path, folder);
  g_autofree char *text = read_text (path, "a text with a line an object", &theirs);

  dataset_note_file (dataset, path);
  if (text)
    return read_labels (dataset, image, path, text, &left_out->n_duplicates, error);
  if (!g_error_matches (theirs, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return pass_on (theirs, path, error);
  g_error_free (theirs);
  left_out->n_without++;
  return true;
}

static void
warn_of_left_out (Dataset *dataset, const char *path, const LeftOut *left_out)
{
  if (left_out->n_without > 0)
    dataset_warn (dataset, "%s: %u of %u pictures have no label file", path, left_out->n_without,
                  dataset->images->len);
  if (left_out->n_duplicates > 0)
    dataset_warn (dataset, "%s: %u labels that were there twice were dropped", path,
                  left_out->n_duplicates);
}

static bool
read_all_labels (Dataset *dataset, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  LeftOut left_out = {0};

  dataset->normalised = true;
  for (uint32_t i = 0; i < dataset->images->len; i++)
    if (!read_label_file (dataset, g_ptr_array_index (dataset->images, i), folder, &left_out,
                          error))
      return false;
  if (left_out.n_without == dataset->images->len) {
    g_autofree char *first =
        label_path (((DatasetImage *) g_ptr_array_index (dataset->images, 0))->path, folder);

    g_set_error (error, YV_ERROR, YV_ERROR_IO,
                 "%s: not one of %u pictures has labels; the first one's would be %s", path,
                 dataset->images->len, first);
    return false;
  }
  warn_of_left_out (dataset, path, &left_out);
  return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* "000123.jpg" is COCO's picture 123. */
static void
number_images (Dataset *dataset)
{
  for (uint32_t i = 0; i < dataset->images->len; i++) {
    DatasetImage *image = g_ptr_array_index (dataset->images, i);
    g_autofree char *name = g_path_get_basename (image->path);
    char *end;
    const guint64 number = g_ascii_strtoull (name, &end, 10);

    if (end != name && *end == '.' && number <= G_MAXINT64)
      image->id = (int64_t) number;
  }
}

/* A model of COCO's 80 classes is told by the first and the last. */
static void
number_classes (Dataset *dataset, const char *const *class_names)
{
  const bool is_coco = dataset->n_classes == 80 && strcmp (class_names[0], "person") == 0 &&
                       strcmp (class_names[79], "toothbrush") == 0;

  for (uint32_t k = 0; k < dataset->n_classes; k++)
    dataset->category_ids[k] = is_coco ? dataset_coco_category (k) : (int) k;
}

static gint
compare_paths (gconstpointer a, gconstpointer b)
{
  const DatasetImage *x = *(DatasetImage *const *) a, *y = *(DatasetImage *const *) b;

  return strcmp (x->path, y->path);
}

static bool
check_classes (const DataYaml *yaml, const char *path, const char *const *class_names,
               uint32_t n_classes, GError **error)
{
  if (yaml->n_classes == n_classes)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s: has %u classes (\"%s\" ...), but the model has %u (\"%s\" ...)", path,
               yaml->n_classes, yaml->n_names ? yaml->names[0] : "?", n_classes, class_names[0]);
  return false;
}

/* They go by their order all the same, as in test.py. */
static void
warn_of_names (Dataset *dataset, const DataYaml *yaml, const char *path,
               const char *const *class_names)
{
  for (uint32_t k = 0; k < yaml->n_names; k++)
    if (g_ascii_strcasecmp (yaml->names[k], class_names[k]) != 0) {
      g_autofree char *theirs = excerpt_of (yaml->names[k]);
      g_autofree char *ours = excerpt_of (class_names[k]);

      dataset_warn (dataset, "%s: class %u is \"%s\", the model's is \"%s\"; numbers count", path,
                    k, theirs, ours);
      return;
    }
}

Dataset *
yolodata_open (const char *path, const char *const *class_names, uint32_t n_classes, GError **error)
{
  g_autoptr (DataYaml) yaml = datayaml_read (path, error);
  g_autoptr (Dataset) dataset = dataset_new (n_classes);

  if (!yaml || !check_classes (yaml, path, class_names, n_classes, error))
    return NULL;
  warn_of_names (dataset, yaml, path, class_names);
  for (uint32_t i = 0; i < yaml->n_places; i++)
    if (!add_pictures (dataset, yaml->places[i], error))
      return NULL;
  if (dataset->images->len == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: there is no picture in %s", path,
                 yaml->places[0]);
    return NULL;
  }
  g_ptr_array_sort (dataset->images, compare_paths);
  if (!dataset_read_sizes (dataset, error) || !read_all_labels (dataset, path, error))
    return NULL;
  number_images (dataset);
  number_classes (dataset, class_names);
  return g_steal_pointer (&dataset);
}
