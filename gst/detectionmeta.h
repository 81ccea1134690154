/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/detectionmeta.h - detections on a buffer: how they are attached, and how anybody reads them.
 *
 * In:    an array of GstYolov7Detection from yolov7 (or any element that finds things).
 * Out:   on the buffer, three descriptions of the same boxes, for three kinds of readers:
 *
 *   1. GstYolov7Detections, the full array. A custom meta (gst_meta_register_custom()), so that an
 *      application needs neither this header nor this library, in any language:
 *
 *        GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstYolov7Detections");
 *        GstStructure *s = gst_custom_meta_get_structure (meta);
 *        GValueArray *all = NULL;
 *        gst_structure_get_array (s, "detections", &all);   (Python: s.get_array ("detections"))
 *
 *        width, height  uint    px of the frame that the boxes refer to
 *        frame-pts      uint64  PTS of the frame that was analysed, ns. It is another than the
 *                               buffer's where the detections came too late for their own frame
 *                               (yolov7 leaky=downstream); GST_CLOCK_TIME_NONE where not known
 *        detections     GstValueArray of GstStructure "detection", by falling confidence, but
 *                       predicted ones in any order:
 *          x, y, w, h   double  frame px, top left corner and size; inside the frame; not rounded
 *          confidence   double  0..1: objectness * class probability
 *          objectness   double  0..1
 *          class-index  uint    row of the model's class names; no field where not known
 *          label        string  the class name
 *          id           int64   given by a tracker; -1: none yet
 *          predicted    boolean TRUE, and then only there: nobody saw the object in this frame, a
 *                               tracker says where it should be
 *
 *      It is on every analysed frame, with an empty array where nothing was found. On other frames
 *      it is only with detections that are all predicted, by a tracker. Several of them, of several
 *      detectors and a tracker, may be on one buffer. It survives copies and videoconvert as it is,
 *      and videoscale and videoconvertscale with its boxes scaled. Before GStreamer 1.28 a meta is
 *      not told whether borders were added: where the display aspect ratio changes we assume so,
 *      which is what these elements do unless add-borders=false.
 *
 *   2. GstVideoRegionOfInterestMeta with a "detection" structure, as DL Streamer writes it, and an
 *      "object_id" where the detection has an id. "predicted" is in "detection" as above.
 *      Hardware encoders spend more bits on such regions. The scalers of GStreamer drop its
 *      parameters (confidence, class): the box survives, without them.
 *
 *   3. GstAnalyticsRelationMeta (GStreamer >= 1.24, where built so), one on every analysed frame,
 *      with one object detection (OD) for each box: whole px, the class name as its type, no class
 *      entry. Where the detection has an id, a tracking entry that the OD relates to has it too,
 *      which is lost where the detection is predicted.
 *      Where both are attached, a region of interest has the id of its OD. Boxes survive as
 *      GStreamer says: before 1.28 its scalers stretch them where borders are added.
 *
 * Next:  yolov7overlay and every other reader; yolov7 elements talk to each other through this
 * alone. Threads: any; the buffer must be writable to attach.
 */
#pragma once

#include <gst/gst.h>

#include "engine/api.h"

G_BEGIN_DECLS

#define GST_YOLOV7_DETECTIONS_META_NAME "GstYolov7Detections"

/* What is not known of a detection that somebody else attached is negative or NULL. */
typedef struct {
  double x, y, w, h;  /* frame px, top left corner and size; not rounded */
  double confidence;  /* 0..1; negative: unknown */
  double objectness;  /* 0..1; negative: unknown */
  gint class_index;   /* row of the model's class names; negative: unknown */
  gint64 id;          /* of the tracker; negative: none */
  gboolean predicted; /* a tracker says where it should be: nobody saw it in this frame */
  const char *label;  /* (nullable): when read, valid as long as the buffer holds its meta */
} GstYolov7Detection;

/* A frame that was analysed. */
typedef struct {
  guint width, height;   /* px, >= 1 */
  GstClockTime pts;      /* or GST_CLOCK_TIME_NONE */
  GstClockTime duration; /* or GST_CLOCK_TIME_NONE; not told on buffers */
} GstYolov7Frame;

typedef enum {
  GST_YOLOV7_META_ROI = 1 << 0,       /* also attach GstVideoRegionOfInterestMeta */
  GST_YOLOV7_META_ANALYTICS = 1 << 1, /* also attach GstAnalyticsRelationMeta, where built so */
} GstYolov7MetaKinds;

/**
 * gst_yolov7_detections_attach:
 * @buffer: writable; its memory is not touched
 * @frame: what was analysed: this buffer's frame, or one like it that came before
 * @detections: (array length=n_detections) (nullable): inside the frame, by falling confidence;
 *   predicted ones in any order
 * @n_detections: 0 is a result too: it says that the frame was analysed
 * @kinds: what to attach besides GstYolov7Detections
 *
 * With a buffer that is not writable, or a frame without a size, it warns, by g_return_if_fail(),
 * and attaches nothing.
 */
YV_API void gst_yolov7_detections_attach (GstBuffer *buffer, const GstYolov7Frame *frame,
                                          const GstYolov7Detection *detections, guint n_detections,
                                          GstYolov7MetaKinds kinds);

/* @array: (out caller-allocates): GstValueArray of structures, as the field "detections" above;
 * g_value_unset() it. */
YV_API void gst_yolov7_detections_to_array (const GstYolov7Detection *detections,
                                            guint n_detections, GValue *array);

/**
 * gst_yolov7_detections_read:
 * @found: (element-type GstYolov7Detection): its old content is dropped, its memory is used again
 *
 * Reads every GstYolov7Detections of @buffer; where there is none, the objects of its
 * GstAnalyticsRelationMeta, with the ids of a tracker that they relate to (where built so); where
 * there are none either, every GstVideoRegionOfInterestMeta, whoever attached it.
 *
 * Returns: whether @buffer says anything: false, and nothing in @found, for a frame that nobody
 * analysed; true, and perhaps nothing in @found, for one that was; true, and nothing but predicted
 * detections, for one that only a tracker speaks of.
 */
YV_API gboolean gst_yolov7_detections_read (GstBuffer *buffer, GArray *found);

/* As gst_yolov7_detections_read(), with the boxes in px of a frame of this size, whatever the size
 * of the frame that was analysed. What others attached says no size: it stays as it is. */
YV_API gboolean gst_yolov7_detections_read_scaled (GstBuffer *buffer, guint frame_w, guint frame_h,
                                                   GArray *found);

/* Returns: whether all that @buffer says is what a tracker predicts, of a frame that nobody
 * analysed. */
YV_API gboolean gst_yolov7_detections_are_predicted (GstBuffer *buffer);

/* Returns: the PTS of the frame that the first GstYolov7Detections of @buffer is of, which is
 * another than the buffer's where it came late; the buffer's where there is none, or it is not
 * known. May be GST_CLOCK_TIME_NONE. */
YV_API GstClockTime gst_yolov7_detections_frame_pts (GstBuffer *buffer);

/* Returns: whether @buffer carries a GstYolov7Detections, and so is read from that alone. */
YV_API gboolean gst_yolov7_detections_are_ours (GstBuffer *buffer);

/* Which kinds @buffer carries besides GstYolov7Detections. */
YV_API GstYolov7MetaKinds gst_yolov7_detections_kinds (GstBuffer *buffer);

/**
 * gst_yolov7_detections_set_ids:
 * @buffer: writable, else it warns and does nothing
 * @found: (element-type GstYolov7Detection): what gst_yolov7_detections_read() or _read_scaled()
 * found on @buffer, in its order, with new ids; a negative one leaves what is there
 *
 * A tracker says which object each detection is. All descriptions of a detection get the id: its
 * structure in GstYolov7Detections the field "id", its region of interest a structure "object_id"
 * with the field "id", as DL Streamer's tracker writes it, and its OD a tracking entry, where it
 * has none. A region or OD belongs to a detection if its label is the same and its box is but for
 * rounding; they are expected in the order of the detections, as gst_yolov7_detections_attach()
 * leaves them.
 */
YV_API void gst_yolov7_detections_set_ids (GstBuffer *buffer, const GArray *found);

/* Registers GstYolov7Detections, after gst_init(); the functions above do so themselves. An
 * application that reads the custom meta by name before any yolov7 element exists in the process
 * calls gst_meta_get_info() first, which is NULL then. */
YV_API void gst_yolov7_detections_register (void);

G_END_DECLS
