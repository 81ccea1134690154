/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/predictions.c - a line of JSON a detection; there may be millions, so no tree is made.
 */
#include "tools/eval/predictions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

struct _Predictions {
  const Dataset *dataset;
  YvDetection **detections; /* [images of the data set], each [n_detections of it] */
  uint32_t *n_detections;
};

Predictions *
predictions_new (const Dataset *dataset)
{
  Predictions *predictions = g_new0 (Predictions, 1);

  predictions->dataset = dataset;
  predictions->detections = g_new0 (YvDetection *, dataset->images->len);
  predictions->n_detections = g_new0 (uint32_t, dataset->images->len);
  return predictions;
}

void
predictions_free (Predictions *predictions)
{
  if (!predictions)
    return;
  for (uint32_t i = 0; i < predictions->dataset->images->len; i++)
    g_free (predictions->detections[i]);
  g_free (predictions->detections);
  g_free (predictions->n_detections);
  g_free (predictions);
}

void
predictions_add (Predictions *predictions, const EvalImage *image)
{
  predictions->n_detections[image->index] = image->n_detections;
  predictions->detections[image->index] =
      g_memdup2 (image->detections, image->n_detections * sizeof *image->detections);
}

/* A number, or the file's name without its ending where it is none. Free with g_free(). */
static char *
image_id (const DatasetImage *image)
{
  g_autofree char *name = g_path_get_basename (image->path);
  g_autoptr (JsonNode) node = json_node_alloc ();

  if (image->id >= 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT, image->id);
  name[dataset_stem_bytes (name)] = '\0';
  json_node_init_string (node, name);
  return json_to_string (node, FALSE);
}

/* printf's %f would write a decimal comma in some languages. */
static void
write_number (FILE *file, double value, const char *format)
{
  char text[64];

  fputs (g_ascii_formatd (text, sizeof text, format, value), file);
}

static void
write_detection (FILE *file, const char *id, int category, const YvDetection *d)
{
  const float box[] = {d->x, d->y, d->w, d->h};

  fprintf (file, "{\"image_id\": %s, \"category_id\": %d, \"bbox\": [", id, category);
  for (int i = 0; i < 4; i++) {
    fputs (i ? ", " : "", file);
    write_number (file, (double) box[i], "%.3f");
  }
  fputs ("], \"score\": ", file);
  write_number (file, (double) d->confidence, "%.5f");
  fputc ('}', file);
}

static void
write_all (const Predictions *predictions, FILE *file)
{
  const Dataset *dataset = predictions->dataset;
  const char *separator = "[\n";

  for (uint32_t i = 0; i < dataset->images->len; i++) {
    g_autofree char *id = image_id (g_ptr_array_index (dataset->images, i));

    for (uint32_t k = 0; k < predictions->n_detections[i]; k++) {
      const YvDetection *detection = &predictions->detections[i][k];

      fputs (separator, file);
      write_detection (file, id, dataset->category_ids[detection->class_index], detection);
      separator = ",\n";
    }
  }
  fputs (*separator == '[' ? "[]\n" : "\n]\n", file);
}

bool
predictions_write (const Predictions *predictions, const char *path, GError **error)
{
  FILE *file = fopen (path, "w");

  if (file) {
    write_all (predictions, file);
    const bool is_written = !ferror (file);
    if (fclose (file) == 0 && is_written)
      return true;
    if (g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
      const int cause = errno;
      g_remove (path); /* half a list is no list */
      errno = cause;
    }
  }
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't write: %s", path, g_strerror (errno));
  return false;
}
