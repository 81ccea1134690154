/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/encoder.h - H.264 through whatever encoder this machine has.
 *
 * The first that is installed and encodes some frames, in this order: vah264enc, vah264lpenc
 * (Intel, AMD), nvh264enc (NVIDIA), qsvh264enc (Intel), v4l2h264enc (boards), x264enc, openh264enc
 * (CPU). All are set to low latency: no frame is held back for another, no B-frames.
 */
#pragma once

#include <gst/gst.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * encoder_choose:
 * @after: (nullable): one of its results, and of those behind it the first is wanted; behind any
 * other text is none
 *
 * Encodes, so it blocks for some 10 ms, and where a driver hangs for 11 s, after which its
 * thread is left behind. Needs gst_init().
 *
 * Returns: (nullable): the factory to take, a static string; NULL with an error that says what to
 * install.
 */
const char *encoder_choose (const char *after, GError **error);

/**
 * encoder_replace:
 * @failed: what encoder_launch() had
 *
 * Blocks as encoder_choose() does. Behind the last that works is the first again.
 *
 * Returns: (nullable): what to take instead, a static string; may be @failed
 */
const char *encoder_replace (const char *failed);

/* Returns: (nullable): the factory's name of the encoder that @source is, or is inside of, in a
 * pipeline of encoder_launch(). As long as the factory lives. */
const char *encoder_find (GstObject *source);

/**
 * encoder_launch:
 * @encoder: of encoder_choose(); any other is taken as it is, without settings of ours
 * @bitrate_kbps: 100 or more
 * @key_frame_interval: frames between key frames
 *
 * Returns: (transfer full): a launch fragment that takes any raw video in system memory, of any
 * size and a size that changes, and gives H.264 (byte-stream, au; parameter sets before each key
 * frame). The encoder's name is "encoder": it makes a key frame where a force-key-unit event
 * reaches it.
 */
char *encoder_launch (const char *encoder, uint32_t bitrate_kbps, uint32_t key_frame_interval);

G_END_DECLS
