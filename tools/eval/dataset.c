/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/dataset.c - what YOLO folders and COCO files have in common once they are read.
 */
#include "tools/eval/dataset.h"

#include <string.h>

#include <glib/gstdio.h>

#include "tools/eval/picture.h"

static void
free_image (gpointer data)
{
  DatasetImage *image = data;

  g_array_unref (image->labels);
  g_free (image->path);
  g_free (image);
}

Dataset *
dataset_new (uint32_t n_classes)
{
  Dataset *dataset = g_new0 (Dataset, 1);

  dataset->images = g_ptr_array_new_with_free_func (free_image);
  dataset->n_classes = n_classes;
  dataset->files = g_ptr_array_new_with_free_func (g_free);
  dataset->category_ids = g_new0 (int, n_classes);
  return dataset;
}

void
dataset_free (Dataset *dataset)
{
  if (!dataset)
    return;
  g_ptr_array_unref (dataset->images);
  g_ptr_array_unref (dataset->files);
  g_free (dataset->category_ids);
  g_free (dataset->warning);
  g_free (dataset);
}

DatasetImage *
dataset_add (Dataset *dataset, char *path)
{
  DatasetImage *image = g_new0 (DatasetImage, 1);

  image->path = path;
  image->id = -1;
  image->labels = g_array_new (FALSE, FALSE, sizeof (EvalLabel));
  g_ptr_array_add (dataset->images, image);
  return image;
}

bool
dataset_add_label (DatasetImage *image, const EvalLabel *label)
{
  if (image->labels->len == DATASET_MAX_LABELS)
    return false;
  g_array_append_vals (image->labels, label, 1);
  return true;
}

bool
dataset_read_sizes (Dataset *dataset, GError **error)
{
  for (uint32_t i = 0; i < dataset->images->len; i++) {
    DatasetImage *image = g_ptr_array_index (dataset->images, i);

    if (!picture_size (image->path, &image->width, &image->height, error))
      return false;
  }
  return true;
}

void
dataset_warn (Dataset *dataset, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *before = dataset->warning;
  dataset->warning = before ? g_strconcat (before, "; ", text, NULL) : g_strdup (text);
}

size_t
dataset_stem_bytes (const char *path)
{
  const char *slash = strrchr (path, '/'), *dot = strrchr (path, '.');

  return dot && (!slash || dot > slash) ? (size_t) (dot - path) : strlen (path);
}

/* COCO numbered 91 kinds of thing and then marked 80 of them. */
int
dataset_coco_category (uint32_t index)
{
  static const uint8_t unused[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};
  int id = (int) index + 1;

  for (uint32_t i = 0; i < G_N_ELEMENTS (unused) && unused[i] <= id; i++)
    id++;
  return index < 80 ? id : -1;
}

Dataset *
dataset_open (const char *path, const char *images_folder, const char *const *class_names,
              uint32_t n_classes, GError **error)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  Dataset *dataset = g_str_has_suffix (lower, ".json")
                         ? cocodata_open (path, images_folder, class_names, n_classes, error)
                         : yolodata_open (path, class_names, n_classes, error);

  if (dataset)
    dataset_note_file (dataset, path);
  return dataset;
}

void
dataset_note_file (Dataset *dataset, const char *path)
{
  g_ptr_array_add (dataset->files, g_strdup (path));
}

static bool
is_file (const char *path, const GStatBuf *file)
{
  GStatBuf found;

  return g_stat (path, &found) == 0 && found.st_dev == file->st_dev && found.st_ino == file->st_ino;
}

bool
dataset_has_file (const Dataset *dataset, const char *path)
{
  GStatBuf file;
  bool found = false;

  if (g_stat (path, &file) != 0)
    return false;
  for (uint32_t i = 0; i < dataset->files->len && !found; i++)
    found = is_file (g_ptr_array_index (dataset->files, i), &file);
  for (uint32_t i = 0; i < dataset->images->len && !found; i++)
    found = is_file (((DatasetImage *) g_ptr_array_index (dataset->images, i))->path, &file);
  return found;
}

GArray *
dataset_labels (const Dataset *dataset, uint32_t index, uint32_t width, uint32_t height)
{
  const DatasetImage *image = g_ptr_array_index (dataset->images, index);
  const double scale_x = dataset->normalised ? width : 1;
  const double scale_y = dataset->normalised ? height : 1;
  GArray *labels = g_array_copy (image->labels);

  for (uint32_t i = 0; i < labels->len; i++) {
    EvalLabel *label = &g_array_index (labels, EvalLabel, i);

    label->x *= scale_x;
    label->y *= scale_y;
    label->w *= scale_x;
    label->h *= scale_y;
    label->area_px *= scale_x * scale_y;
  }
  return labels;
}
