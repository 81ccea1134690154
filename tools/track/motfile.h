/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/track/motfile.h - detections in MOTChallenge's text form.
 *
 * In:    a text file, a detection a line: `frame,id,x,y,w,h,confidence,...`: frames count from 1
 *        and do not fall; x, y, w, h in px, w and h above 0; commas or blanks between the fields;
 *        id and what follows the confidence are not read.
 * Out:   the detections, in the order of the file.
 * Next:  tools/track.c.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Half a year at 30 frames a second would be more than this. */
#define MOT_LAST_FRAME 100000000u

typedef struct {
  uint32_t frame; /* 1..MOT_LAST_FRAME */
  double x, y, w, h;
  double confidence; /* as in the file: finite, of any scale */
} MotDetection;

/**
 * mot_read:
 *
 * Returns: (element-type MotDetection) (transfer full): free with g_array_unref(); NULL with
 * YV_ERROR_IO where the file can't be read, and YV_ERROR_MALFORMED for a line that is not as above,
 * which the message names, and for a file without any.
 */
GArray *mot_read (const char *path, GError **error);

G_END_DECLS
