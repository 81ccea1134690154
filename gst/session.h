/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/session.h - a model as one element uses it: the engine that it shares with others, a stream
 * of its own, and class names.
 *
 * An element begins one when it starts, and another beside it when model-file changes or the device
 * was lost. Frames belong to the session that they were submitted to, which lives until the last of
 * them has come back.
 */
#pragma once

#include "gst/model.h"
#include "gst/settings.h"

G_BEGIN_DECLS

/* Counted; any thread. Its fields are constant, but for the last ones. */
typedef struct {
  gatomicrefcount n_refs;
  GstElement *element; /* borrowed, for messages: outlives all its sessions */
  GstYolov7Model *model;
  YvEngine *engine; /* borrowed: the model's */
  YvStream *stream; /* one thread submits, one collects */
  char **labels;    /* (nullable): instead of the engine's class names */
  gint is_lost;     /* atomic: its device was lost */

  GMutex mutex;
  GstYolov7Settings settings; /* as they are used; what shapes the input is that of the start */
} GstYolov7Session;

/**
 * gst_yolov7_session_new:
 * @settings: not kept
 * @ready: called from a thread of the engine when a frame has been analysed
 * @doing: (out): what failed, to stand before the error's message
 *
 * Loads the model, unless another element has. Blocks for up to seconds. Posts what is remarkable
 * about the model as warnings of @element.
 *
 * Returns: (transfer full): or NULL. Codes as yv_engine_new(), yv_stream_new() and
 * gst_yolov7_labels_read().
 */
GstYolov7Session *gst_yolov7_session_new (GstElement *element, const GstYolov7Settings *settings,
                                          YvReadyFunc ready, gpointer user_data, const char **doing,
                                          GError **error);

/* The same model once more, on a device that was lost since: as gst_yolov7_session_new() with the
 * settings that @lost has. */
GstYolov7Session *gst_yolov7_session_renew (GstYolov7Session *lost, YvReadyFunc ready,
                                            gpointer user_data, const char **doing, GError **error);
GstYolov7Session *gst_yolov7_session_ref (GstYolov7Session *session);

/* NULL ok. The last one waits for what is in flight, and may free the device. */
void gst_yolov7_session_unref (GstYolov7Session *session);

/* Takes over what may change while playing. What is wrong is posted as a warning, and the old value
 * stays. Streaming thread. @classes_changed: they are looked up again, alone, so that a name that
 * the model lacks keeps no other property from its new value. */
void gst_yolov7_session_update (GstYolov7Session *session, const GstYolov7Settings *settings,
                                gboolean classes_changed);

/* Ended by a NULL; valid as long as the session. */
const char *const *gst_yolov7_session_class_names (const GstYolov7Session *session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstYolov7Session, gst_yolov7_session_unref)

G_END_DECLS
