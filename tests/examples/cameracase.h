/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/cameracase.h - a camera for tests, what was seen of it, and a video for it.
 *
 * Waiting is done in the default main context, where cameras tell their states; meson's timeout
 * bounds it.
 */
#pragma once

#include <stdbool.h>

#include "examples/common/camera.h"

G_BEGIN_DECLS

/* Begin with {0}. */
typedef struct {
  GString *states;    /* "playing lost ..." */
  char *reason;       /* the last one */
  int n_frames;       /* atomic */
  int width;          /* atomic: of the last frame */
  int had_detections; /* atomic */
  bool went_back;
  int fails_after; /* as wished; with @has_failed for the streaming thread alone */
  bool has_failed;
  GstClockTime last_pts;
} Seen;

void seen_clear (Seen *seen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Seen, seen_clear)

/* At least so many. */
void seen_wait_for_frames (Seen *seen, int n_frames);

/* The first ones. */
void seen_wait_for_states (Seen *seen, const char *states);

/* These and no others so far. */
void seen_assert_states (Seen *seen, const char *states);

/* What a test asks for beyond a source; NULL where it does not. */
typedef struct {
  const char *more;  /* further lines of the camera */
  const char *model; /* a description */
  const char *also;  /* elements behind the tracker */
  int fails_after;   /* frames, once some had detections; 0: never */
} Wishes;

/* Returns: (transfer full): with a small random network */
Camera *camera_case_start (const char *source, const Wishes *wishes, Seen *seen, GError **error);

/* That not more frames were analysed than came. Waits for the first, so the camera has to run, or
 * to have had detections. */
void camera_case_assert_counts (Camera *camera);

/* A video of 10 frames, in a folder of its own. */
typedef struct {
  char *folder, *path;
} Video;

Video video_new (void);
void video_clear (Video *video);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Video, video_clear)

/* @format: what avimux takes, such as jpegenc */
void video_write (const char *path, int width, const char *format);

/* At once, as recorders do it. @other: a name in the folder, which is gone then */
void video_replace (const Video *video, const char *other);

/* Until its end. */
void play_launch_line (const char *launch);

G_END_DECLS
