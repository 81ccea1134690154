/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/media.h - pictures and videos on disk: what is in a file, and the pipeline that
 * decodes it and, where asked, writes it again.
 *
 * Next: analyse.c puts the analysis between the two.
 */
#pragma once

#include <gst/gst.h>
#include <gst/pbutils/pbutils.h>

G_BEGIN_DECLS

/* What is known of a file before it is decoded. */
typedef struct {
  gboolean is_picture;
  gboolean is_jpeg;
  int n_frames;        /* 0: not known */
  guint width, height; /* px */
} MediaContents;

/* False with an error that names the file, and what to install or give instead. */
gboolean media_discover (GstDiscoverer *discoverer, const char *path, MediaContents *out,
                         GError **error);

/* Where a result goes: written under a name of its own beside @path, and put in place when it is
 * complete, so that a failed or stopped run leaves nothing half done. */
typedef struct {
  char *path;         /* the finished file */
  char *partial_path; /* while it is written */
  const char *writer; /* encoder and muxer */
} MediaOutput;

/**
 * media_output_init:
 * @folder: exists
 * @taken: (element-type utf8): names given in this run; a number is appended to the second of two
 *   inputs of one name
 *
 * Returns: false where no encoder is installed, or the result would replace the input.
 */
gboolean media_output_init (MediaOutput *output, const char *folder, const char *input_path,
                            const MediaContents *contents, GHashTable *taken, GError **error);
void media_output_clear (MediaOutput *output);

/* Puts a complete file in place. */
gboolean media_output_commit (const MediaOutput *output, GError **error);
void media_output_discard (const MediaOutput *output);

/**
 * media_pipeline:
 * @output: (nullable): decode only
 *
 * Returns: (transfer full): decoder ! "analyse" (an identity; its source pad has raw video of
 * GST_YOLOV7_FORMATS, upright) ! overlay ! writer, or a sink that drops; NULL where elements are
 * missing.
 */
GstElement *media_pipeline (const char *path, const MediaContents *contents,
                            const MediaOutput *output, GError **error);

G_END_DECLS
