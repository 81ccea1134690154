/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/dataset.h - pictures and what people marked in them, as YOLO folders or COCO's JSON.
 *
 * In:    data.yaml (yolodata.c) or instances.json (cocodata.c).
 * Next:  tools/eval.c shows the pictures to a model; metric.h and coco.h take the labels.
 *
 * A damaged file is an error that names the file and the line or the entry; nothing is skipped
 * silently: what was left out is counted in `warning`.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/eval/label.h"

G_BEGIN_DECLS

#define DATASET_MAX_LABELS 20000 /* of one picture: each is compared with all detections */

typedef struct {
  char *path;
  uint32_t width, height; /* px as people see it: EXIF data may turn it */
  int64_t id;             /* COCO's; of a YOLO folder the number that is the file's name, or -1 */
  GArray *labels;         /* of EvalLabel, as the file has them; see `normalised` */
} DatasetImage;

typedef struct {
  GPtrArray *images; /* of DatasetImage *, at least one, by path, or by COCO's id */
  uint32_t n_classes;
  int *category_ids; /* [n_classes]: what COCO calls the model's classes */
  bool normalised;   /* labels are in parts of the picture's sides, not in px */
  char *warning;     /* (nullable) */
  GPtrArray *files;  /* of char *: what else was read, the pictures apart */
} Dataset;

/**
 * dataset_open:
 * @path: data.yaml, or COCO's JSON where it ends in ".json"
 * @images_folder: (nullable): where the pictures of a COCO file are; NULL: beside it, in the
 *   places that COCO's archives unpack to
 * @class_names: the model's; of a data set of as many others `warning` tells, any other is refused
 *
 * Returns: (transfer full): or NULL with an error of YV_ERROR.
 */
Dataset *dataset_open (const char *path, const char *images_folder, const char *const *class_names,
                       uint32_t n_classes, GError **error);
void dataset_free (Dataset *dataset); /* NULL ok */

/* Whether @path is one of the files that the data set consists of, whatever it is called here. */
bool dataset_has_file (const Dataset *dataset, const char *path);

/* The labels of image @index in px of a picture of this size, beyond its edges where they were
 * drawn so. Returns: (transfer full): of EvalLabel. */
GArray *dataset_labels (const Dataset *dataset, uint32_t index, uint32_t width, uint32_t height);

/* What the two readers share. */
Dataset *yolodata_open (const char *path, const char *const *class_names, uint32_t n_classes,
                        GError **error);
Dataset *cocodata_open (const char *path, const char *images_folder, const char *const *class_names,
                        uint32_t n_classes, GError **error);
Dataset *dataset_new (uint32_t n_classes);
/* Appends one without labels; @path is taken. */
DatasetImage *dataset_add (Dataset *dataset, char *path);
/* False, and nothing added, where the image has DATASET_MAX_LABELS already. */
bool dataset_add_label (DatasetImage *image, const EvalLabel *label);
/* Appends to `files`. */
void dataset_note_file (Dataset *dataset, const char *path);
/* Looks into each picture's file. */
bool dataset_read_sizes (Dataset *dataset, GError **error);
/* Appends to `warning`. */
void dataset_warn (Dataset *dataset, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Bytes of @path without its file's ending; all of it where there is none. */
size_t dataset_stem_bytes (const char *path);
/* COCO's number of class @index where the model has COCO's 80, else -1. */
int dataset_coco_category (uint32_t index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Dataset, dataset_free)

G_END_DECLS
