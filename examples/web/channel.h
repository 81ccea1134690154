/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/channel.h - a camera as the page shows it: its state, its video, its records.
 *
 * Binds what belongs together: the camera (examples/common/camera.h), the video that is encoded
 * from it (stream.h), and what yolov7publish writes of it (records.h), the last of which are kept
 * for viewers who come: video reaches them later than records do.
 *
 * Threads: the one whose main context was the default when it was made.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "examples/common/camera.h"
#include "examples/web/stream.h"

G_BEGIN_DECLS

/* Records that are kept: what a viewer may still see when he has the oldest segment. */
#define CHANNEL_KEPT_RECORDS 512
#define CHANNEL_KEPT_BYTES (512 * 1024)

typedef struct _Channel Channel;

typedef struct {
  void (*changed) (gpointer user_data); /* another state */
  /* @event: as examples/web/events.h formats it */
  void (*record) (Channel *channel, GBytes *event, gpointer user_data);
  gpointer user_data;
} ChannelCalls;

/**
 * channel_new:
 * @config: (transfer full)
 * @options: those of the stream; name, clock and base_time are the channel's business
 *
 * Returns: NULL with an error that names the camera
 */
Channel *channel_new (CameraConfig *config, const StreamOptions *options, const ChannelCalls *calls,
                      GError **error);

/* Loads the model, and begins to connect: see camera_start(). */
bool channel_start (Channel *self, GError **error);

/* Asks it to end and does not wait. */
void channel_stop (Channel *self);
void channel_free (Channel *self); /* NULL ok */

const char *channel_name (const Channel *self);
Camera *channel_camera (Channel *self); /* borrowed */
Stream *channel_stream (Channel *self); /* borrowed */

/* (element-type GBytes): events, the oldest first; borrowed */
const GQueue *channel_recent (const Channel *self);

/* Adds an object: name, state, since (ms since 1970), reason, counters,
 * video_error, why there is no video, where there is none for a reason,
 * now_ns, the media time of a frame that is taken now, and epoch_us, the time of the wall clock, us
 * since 1970, at media time 0. */
void channel_describe (Channel *self, JsonBuilder *to);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Channel, channel_free)

G_END_DECLS
