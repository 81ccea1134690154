/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/config.h - a model description (cfg/.../yolov7.yaml) as rows, not yet expanded.
 *
 * In:   a yaml file in the grammar of spec section 1.1: nc, depth_multiple, width_multiple,
 *       anchors, backbone, head; optionally ch. Other keys are left alone.
 * Out:  YvConfig.
 * Next: from_config.h makes layers of it.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "common/yaml.h"
#include "engine/model/args.h"

G_BEGIN_DECLS

#define YV_CONFIG_MAX_ROWS 10000

/* [from, number, module, args]. Borrows from the document. */
typedef struct {
  uint32_t line;
  const char *section; /* "backbone" or "head" */
  int32_t *from;       /* as written: negative ones are relative */
  uint32_t n_from;
  uint32_t number;
  const char *module;
  const YvYaml *args; /* a SEQUENCE */
} YvConfigRow;

typedef struct {
  char *file;
  YvYaml *document;
  uint32_t n_classes;
  uint32_t n_input_channels;
  double depth_multiple;
  double width_multiple;
  YvArg *anchors; /* LIST of one LIST of numbers per level, w and h in turn; or a NUMBER: how many
                     anchors a level has, without saying which */
  uint32_t n_anchors; /* per level */
  GPtrArray *rows;    /* of YvConfigRow *, backbone then head */
} YvConfig;

/* Both: (transfer full), NULL with YV_ERROR_IO or _MALFORMED, "FILE:LINE: row N: ...". */
YvConfig *yv_config_read (const char *file, GError **error);
YvConfig *yv_config_parse (const char *text, size_t size_bytes, const char *file, GError **error);

void yv_config_free (YvConfig *config); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvConfig, yv_config_free)

G_END_DECLS
