/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/model.h - a model on a device, loaded once for all elements of a process that want the same.
 *
 * In:    what yv_engine_new() takes, and an instance id where elements shall share by name.
 * Out:   an engine: its weights are in the device's memory once, and frames of its streams can run
 *        together.
 *
 * Two elements want the same where these are equal: the model-file and the config-file (not their
 * names: paths are resolved, and a file that was replaced or rewritten since is another one), and
 * each of the other options. With an instance id it is the id alone that counts, and elements of
 * different ids never share.
 *
 * Threads: any, for everything. What a model is does not change as long as somebody holds it.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Counted. */
typedef struct _GstYolov7Model GstYolov7Model;

/**
 * gst_yolov7_model_get:
 * @options: copied
 * @instance_id: (nullable)
 *
 * Blocks while it is loaded, by this thread or by another that wants the same. A load that failed
 * fails for all who waited for it, and is tried again by whoever asks next.
 *
 * With an @instance_id the options of the first who asks count, also its device and precision; who
 * comes later names the same files, or none.
 *
 * Returns: (transfer full): or NULL with the error of yv_engine_new(); with YV_ERROR_INVALID where
 * the model of @instance_id is of other files than @options name, or where these name none and
 * there is no model of this id.
 */
GstYolov7Model *gst_yolov7_model_get (const YvEngineOptions *options, const char *instance_id,
                                      GError **error);

/* NULL ok. Who is the last drops the engine, which streams may still hold. */
void gst_yolov7_model_unref (GstYolov7Model *model);

/* Returns: (transfer none): valid as long as the model is held; streams take a reference. */
YvEngine *gst_yolov7_model_engine (GstYolov7Model *model);

/* For a model whose device was lost, and for one of an instance id that shall get other files: who
 * asks for the same from now on gets one that is loaded anew. With an instance id and no files it
 * is loaded as this one was. Who holds this one keeps it. Where that has happened already it does
 * nothing, so that each of its users may call it. */
void gst_yolov7_model_forget (GstYolov7Model *model);

/* As gst_yolov7_model_forget(), for one of an instance id that shall get other files; and, where
 * what took its place was of no use: who asks from now on gets this one again, unless it was
 * forgotten or there is another by now. */
void gst_yolov7_model_supersede (GstYolov7Model *model);
void gst_yolov7_model_keep (GstYolov7Model *model);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstYolov7Model, gst_yolov7_model_unref)

G_END_DECLS
