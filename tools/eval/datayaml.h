/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/datayaml.h - what a data.yaml says: where the validation pictures are, which classes.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  char **places; /* [n_places], at least one: folders, or .txt files that list pictures */
  uint32_t n_places;
  char **names; /* [n_names]: may be fewer than n_classes */
  uint32_t n_names, n_classes;
} DataYaml;

/**
 * datayaml_read:
 *
 * `val` is a path or a list of them, relative to `path`, which is relative to the file's own
 * folder; what is not there is looked for from the current folder, as upstream does. `names` is a
 * list, or a mapping from numbers; `nc` may be left out where there are names.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_IO or YV_ERROR_MALFORMED, "FILE:LINE: ...".
 */
DataYaml *datayaml_read (const char *file, GError **error);
void datayaml_free (DataYaml *yaml); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DataYaml, datayaml_free)

G_END_DECLS
