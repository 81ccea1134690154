/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/fakestream.h - streams whose analyses end when a test says so.
 *
 * The linker puts these functions in the place of the engine's (meson.build: --wrap), for elements
 * that the test is linked with. Models are loaded as ever. A frame's detections are one box, whose
 * x tells the frame: the value of its first byte; and y the stream: how many there were before it,
 * since the last fake_reset().
 */
#pragma once

#include <gst/gst.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Ends the analyses of the @n frames that were submitted first of those under way, of all streams,
 * and tells their elements. There are as many. */
void fake_finish (guint n);

/* The next one ends with this error. */
void fake_fail (YvError code);

/* Each frame ends as soon as it is submitted, or from now on not any more. */
void fake_set_quick (gboolean is_quick);

/* yv_stream_replace() finds that the newest has not started yet; or, as at first, that it has. */
void fake_set_replaceable (gboolean is_replaceable);

/* Models wait before they are loaded, or from now on not any more. */
void fake_hold_loads (gboolean hold);
void fake_wait_for_load (void); /* until one waits */

/* Waits until @n frames have been submitted, replaced ones too, since the last fake_reset(). */
void fake_wait_for_submits (guint n);

/* How long they say that it took; at first 0. */
void fake_set_total (guint64 total_ns);

guint fake_n_submits (void);
guint fake_n_under_way (void); /* and not ended */
guint fake_max_under_way (void);

void fake_reset (void); /* nothing is under way */

G_END_DECLS
