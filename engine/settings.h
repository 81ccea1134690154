/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/settings.h - a stream's options, checked, with what they mean for its model. Frames that
 * are in flight while the options change keep those that they were submitted with.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Counted, by the stream's thread alone. Constant. */
typedef struct {
  uint32_t n_refs;
  YvStreamOptions options; /* classes is not kept */
  uint32_t size;           /* network px, a multiple of the stride */
  uint32_t max_in_flight;  /* 1 to YV_MAX_IN_FLIGHT */
  bool is_multi_label;     /* the option has an effect */
  bool *class_wanted;      /* owned; NULL: all */
} YvSettings;

/* Returns: (transfer full): or NULL with YV_ERROR_INVALID. */
YvSettings *yv_settings_new (const YvEngineInfo *info, const YvStreamOptions *options,
                             GError **error);
YvSettings *yv_settings_ref (YvSettings *settings);
void yv_settings_unref (YvSettings *settings); /* NULL ok */

G_END_DECLS
