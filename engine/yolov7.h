/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/yolov7.h - THE public header: a YOLOv7 checkpoint in, detections out.
 *
 *   YvEngineOptions options = {.model_file = "best.pt"};
 *   YvStreamOptions settings = YV_STREAM_DEFAULTS;
 *
 *   g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
 *   g_autoptr (YvStream) stream = yv_stream_new (engine, &settings, &error);
 *   const YvDetections *found = yv_stream_detect (stream, &image, &error);
 *
 * An engine is a model on a device; any number of threads and streams may share it. A stream is one
 * camera and belongs to one thread at a time. Nothing here needs GStreamer, prints, or aborts on
 * bad input: every failure is a GError of domain YV_ERROR (engine/error.h).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/error.h"
#include "engine/image.h"
#include "engine/letterbox.h"

G_BEGIN_DECLS

#ifndef YV_API
#define YV_API __attribute__ ((visibility ("default")))
#endif

typedef struct _YvEngine YvEngine;
typedef struct _YvStream YvStream;

/* ---- engine -----------------------------------------------------------------------------------
 */

typedef enum {
  YV_PRECISION_AUTO, /* fp16 where a GPU has it and computes rightly in it, fp32 on CPUs */
  YV_PRECISION_FP32,
  YV_PRECISION_FP16, /* storage; sums are always fp32 */
} YvPrecision;

/* What to do where fp16 is asked for and the device has none, or fails a quick check of its fp16
 * kernels. AUTO always falls back. */
typedef enum {
  YV_FALLBACK_FP32, /* use fp32 and say so in YvEngineInfo.warning */
  YV_FALLBACK_NONE, /* fail with YV_ERROR_UNSUPPORTED */
} YvFallback;

typedef struct {
  const char *model_file;  /* (nullable) with config_file: random weights */
  const char *config_file; /* (nullable) unless model_file is a bare state dict */
  const char *device;      /* (nullable): best; an index, part of a name, a UUID, or "reference" */
  YvPrecision precision;
  YvFallback fallback;
  uint64_t seed; /* of random weights */
} YvEngineOptions;

/* Loads a model onto a device: reads, re-parameterises, packs. Blocks for up to seconds.
 * The model file stays mapped as long as the engine, for sizes that come later. It may be deleted
 * or replaced by renaming, but must not be rewritten in place: a new size then fails with
 * YV_ERROR_IO, or, if the file is cut short in just that moment, ends the process with SIGBUS.
 * Returns: (transfer full): or NULL. Any code of engine/error.h. */
YV_API YvEngine *yv_engine_new (const YvEngineOptions *options, GError **error);
YV_API YvEngine *yv_engine_ref (YvEngine *engine);
YV_API void yv_engine_unref (YvEngine *engine); /* NULL ok; thread safe */

typedef struct {
  uint32_t n_classes;
  const char *const *class_names; /* n_classes and a NULL; owned by the engine */
  uint32_t max_stride;            /* input sizes are multiples of this */
  uint32_t default_size;          /* 640; 1280 for models with stride 64 */
  const char *device_name;
  const char *model_source; /* file(s), for messages */
  YvPrecision precision;    /* FP32 or FP16: what is used */
  uint64_t load_ns;         /* how long yv_engine_new took */
  const char *warning;      /* (nullable): what to tell the user of a file that was read all the
                               same, e.g. of wrong checksums, and of a device that is used in fp32
                               because its fp16 is wrong; names them */
} YvEngineInfo;

/* Valid as long as the engine. */
YV_API const YvEngineInfo *yv_engine_info (const YvEngine *engine);

/* ---- stream -----------------------------------------------------------------------------------
 */

typedef struct {
  uint32_t input_size;       /* network px of the long side, at most 8192; 0: the model's default */
  YvLetterboxMode letterbox; /* the smallest rectangle, or always a square */
  /* Network px, multiples of the stride: exactly this, whatever shape frames have, in place of
   * input_size and letterbox. 0: what those say. */
  uint32_t net_width, net_height;
  bool shrink_only;           /* smaller frames are padded, not enlarged */
  float confidence_threshold; /* 0..1: a detection has obj * class confidence above it */
  float iou_threshold;        /* 0..1 */
  uint32_t max_detections;    /* >= 1 */
  bool class_agnostic_nms;
  bool multi_label; /* every class above the threshold is a detection, not the best of a box alone;
                       as test.py evaluates, and without effect for one class */
  bool multiply_one_class; /* for models of one class, too, whose confidence is else the objectness:
                              what YOLOv5's tools and those of upstream's u7 branch do */
  const char *classes;     /* (nullable): all; else indices or names, "0,2,person" */
} YvStreamOptions;

/* detect.py's. */
#define YV_STREAM_DEFAULTS                                                                         \
  {                                                                                                \
    .letterbox = YV_LETTERBOX_AUTO, .confidence_threshold = 0.25f, .iou_threshold = 0.45f,         \
    .max_detections = 300                                                                          \
  }

typedef struct {
  float x, y, w, h; /* frame px, top left corner and size; inside the frame; not rounded */
  float confidence; /* objectness * class probability; objectness alone for one class, unless
                       multiply_one_class is set */
  float objectness;
  uint32_t class_index;
} YvDetection;

typedef struct {
  uint64_t upload_ns, letterbox_ns, network_ns, decode_ns, readback_ns, nms_ns;
  uint64_t total_ns; /* from submit to the detections, on the host's clock */
} YvTimes;

typedef struct {
  uint32_t n_detections;
  const YvDetection *detections; /* by falling confidence; none that lies outside the frame */
  YvLetterbox letterbox;         /* how the frame was fitted */
  YvTimes times;                 /* of the whole batch */
} YvDetections;

/* Options are checked and copied. Returns: (transfer full): or NULL with YV_ERROR_INVALID. */
YV_API YvStream *yv_stream_new (YvEngine *engine, const YvStreamOptions *options, GError **error);
YV_API void yv_stream_free (YvStream *stream); /* NULL ok; drops its reference on the engine */

/* Replaces the options; takes effect with the next frame. On failure the old ones stay. Only what
 * changes the network's input, and multi_label where it is first set, may have to be made ready, as
 * by yv_stream_prepare(); the thresholds, classes and the rest are told to the device with each
 * frame. */
YV_API bool yv_stream_set_options (YvStream *stream, const YvStreamOptions *options,
                                   GError **error);

/* Makes everything ready for frames of this size (plan, pipelines, memory), so that the first frame
 * is as fast as the others. Optional. */
YV_API bool yv_stream_prepare (YvStream *stream, uint32_t frame_w, uint32_t frame_h,
                               GError **error);

/* Analyses one frame and waits for it.
 * Returns: (transfer none): valid until the stream's next call; NULL on failure. */
YV_API const YvDetections *yv_stream_detect (YvStream *stream, const YvImage *image,
                                             GError **error);

/* Analyses @n_images frames, 1 to YV_MAX_BATCH, in one run of the device and waits for them. A
 * frame's detections are the same, bit for bit, whatever else is in its batch.
 * @results: (out) (transfer none) (array length=n_images): valid until the stream's next call.
 * Fails with YV_ERROR_INVALID where frames fit differently into the network: see net_width. */
#define YV_MAX_BATCH 256
YV_API bool yv_stream_detect_batch (YvStream *stream, const YvImage *images, uint32_t n_images,
                                    const YvDetections **results, GError **error);

/* ---- devices ----------------------------------------------------------------------------------
 */

/* "0: NVIDIA H200 (discrete, ...)" lines, or a line that says why there is none. Free with
 * g_free(). */
YV_API char *yv_device_list_text (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvEngine, yv_engine_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvStream, yv_stream_free)

G_END_DECLS
