/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/input.h - one attempt to play a camera's source: source ! decoder ! appsink.
 *
 * To open or to close a device, a file or a connection may take for ever (a file system that is
 * away, a driver that hangs), and nothing in GStreamer can end that. So each input has a thread of
 * its own, which does both; one that does not come back is left behind, and harms nobody: it has
 * references to all that it uses, and what it says or gives later is dropped.
 *
 * In:    a CameraConfig.  Out: frames to feed.h, messages to inbox.h.  Next: camera.c watches them.
 * Threads: one at a time, which never waits for the source; input_unref() any.
 */
#pragma once

#include <gst/gst.h>

#include "examples/common/cameraconfig.h"
#include "examples/common/feed.h"
#include "examples/common/inbox.h"

G_BEGIN_DECLS

typedef struct _Input Input;

/**
 * input_open:
 * @config: (transfer none): not needed any more afterwards
 * @caps: (transfer none): raw video that the frames are converted to
 * @inbox: hears of all that happens, and is woken when the input is closed
 * @feed: takes the frames from now on
 *
 * Begins to open the source. That it can't be opened is a message, too.
 *
 * Returns: (transfer full): NULL with an error where GStreamer lacks an element, or the system a
 * thread.
 */
Input *input_open (const CameraConfig *config, GstCaps *caps, Inbox *inbox, Feed *feed,
                   GError **error);

/* Borrowed: to compare sources of messages with; not to be told anything. */
GstElement *input_pipeline (Input *input);

/* Asks it to close the source, which it does as soon as it can. NULL ok */
void input_close (Input *input);
bool input_is_closed (Input *input);

/* One that is asked to close goes on with that. NULL ok */
void input_unref (Input *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Input, input_unref)

G_END_DECLS
