/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/settings.h - a stream's options, checked, with what they mean for its model. Frames that
 * are in flight while the options change keep those that they were submitted with.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Counted, by any thread. Constant. */
typedef struct {
  gatomicrefcount n_refs;
  YvStreamOptions options; /* classes is not kept */
  uint32_t size;           /* network px, a multiple of the stride */
  uint32_t max_in_flight;  /* 1 to YV_MAX_IN_FLIGHT */
  bool is_multi_label;     /* the option has an effect */
  bool is_obj_only;        /* a detection's confidence is its objectness alone (spec 3.3) */
  uint32_t n_classes;      /* of the model */
  bool *class_wanted;      /* [n_classes], owned; NULL: all */
} YvSettings;

/* Returns: (transfer full): or NULL with YV_ERROR_INVALID. */
YvSettings *yv_settings_new (const YvEngineInfo *info, const YvStreamOptions *options,
                             GError **error);
YvSettings *yv_settings_ref (YvSettings *settings);
void yv_settings_unref (YvSettings *settings); /* NULL ok */

/* Whether frames with these may be in one batch. With multi_label its lists may be too short for
 * all candidates, so that what else is in them matters: there all that the device is told has to
 * agree. */
bool yv_settings_run_together (const YvSettings *a, const YvSettings *b);

G_END_DECLS
