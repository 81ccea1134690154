/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/stream.h - the video of a camera as HLS in memory, encoded once for all viewers.
 *
 * In:    frames of a camera (examples/web/encoderinput.h).
 * Out:   a playlist and the pieces that it lists (examples/web/playlist.h).
 *
 * The encoder begins when somebody asks for the playlist and ends when nobody has asked for a
 * while. A segment is a second long and begins with a key frame, also where the encoder makes more
 * of these than it was asked for. When the picture changes its size, or the encoder fails, the
 * encoder is made anew, and viewers find a discontinuity; what was listed before a failure is gone.
 *
 * Times: the encoder's pipeline has the clock and the base time of the camera, so a frame has the
 * same PTS there as in the analysis; media time is that PTS (examples/web/fragments.h), and so is
 * "timestamp" in what yolov7publish writes of the frame. All three are the same number.
 *
 * Threads: the one whose main context was the default when it was made. Pieces come from a
 * streaming thread; one lock, held while pieces are put in and taken out.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#include "examples/web/encoderinput.h"

G_BEGIN_DECLS

typedef struct _Stream Stream;

/* How many encoders there may be, of all streams that share it. One more takes the place of the one
 * that nobody has asked for the longest, if that is 5 s. */
typedef struct {
  guint most;
  GQueue running; /* Stream *: zeroed at first */
} StreamLimit;

typedef struct {
  const char *name;    /* of the camera; for messages */
  const char *encoder; /* of encoder_choose(); where it fails another one is taken */
  guint32 bitrate_kbps;
  guint linger_s;  /* how long it goes on when nobody asks */
  const char *run; /* of this process */
  GstClock *clock; /* this and the next: the camera's */
  GstClockTime base_time;
  StreamLimit *limit; /* (nullable): borrowed: it outlives the stream */
} StreamOptions;

typedef struct {
  bool is_running;
  guint64 n_segments, n_bytes; /* made so far */
  guint64 n_failures;          /* of the encoder */
} StreamCounters;

/* @input: borrowed: it outlives the stream. @options: copied, but for its texts */
Stream *stream_new (EncoderInput *input, const StreamOptions *options);
void stream_free (Stream *self); /* NULL ok */

/* Somebody watches. Appends the playlist. Returns: false while there is no segment yet, and nothing
 * was appended. */
bool stream_watch (Stream *self, GString *text);

/* Returns: (nullable): why there is no video, for people; NULL while there is some, and where none
 * was missed. Until the next call of any function here. */
const char *stream_failure (Stream *self);

/* Returns: (transfer full) (nullable): the bytes under a name of the playlist */
GBytes *stream_get (Stream *self, const char *name);

/* Returns: the time of the wall clock at media time 0, us since 1970, as playlists have it. */
gint64 stream_epoch_us (const Stream *self);

/* Returns: the media time of a frame that is taken now. */
GstClockTime stream_now_ns (const Stream *self);

void stream_get_counters (Stream *self, StreamCounters *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stream, stream_free)

G_END_DECLS
