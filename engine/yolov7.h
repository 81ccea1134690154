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
 * Faster, with the device at work while the host copies, suppresses and draws:
 *
 *   yv_stream_submit (stream, &image, 1, &error);              the next frame, and then
 *   found = yv_stream_collect (stream, NULL, &error);          the one before it
 *
 * An engine is a model on a device; any number of threads and streams may share it. A stream is one
 * camera and belongs to one thread at a time, or, with shares_batches, to one that submits and one
 * that collects. Nothing here needs GStreamer, prints, or aborts on bad input: every failure is a
 * GError of domain YV_ERROR (engine/error.h).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/api.h"
#include "engine/error.h"
#include "engine/image.h"
#include "engine/letterbox.h"

G_BEGIN_DECLS

typedef struct _YvEngine YvEngine;
typedef struct _YvStream YvStream;

/* Of the library that runs, "0.1.0", which may be a later release than that of the headers that a
 * program was built with (YV_CHECK_VERSION). Never freed. */
YV_API const char *yv_version (void);

/* ---- engine --------------------------------------------------------------------------------- */

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

/* How each convolution is computed. What was measured is kept for later processes in
 * $XDG_CACHE_HOME/gst-yolov7/, unless the environment has YV_CACHE=off. */
typedef enum {
  YV_TUNING_AUTO, /* as was measured on this device; a GPU measures what it hasn't seen yet when a
                     size is made ready, for 1.5 s at most, a CPU only with `yolov7 tune`; with
                     YV_TUNING=off in the environment as OFF */
  YV_TUNING_OFF,  /* the usual way */
} YvTuning;

typedef struct {
  const char *model_file;  /* (nullable) with config_file: random weights */
  const char *config_file; /* (nullable) unless model_file is a bare state dict */
  const char *device;      /* (nullable): best; an index, part of a name, a UUID, or "reference" */
  YvPrecision precision;
  YvFallback fallback;
  YvTuning tuning;
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

/* What is allocated on the device at this moment; all 0 on the reference. */
typedef struct {
  uint64_t weights_bytes;     /* packed, of all sizes made ready */
  uint64_t activations_bytes; /* arenas, and candidate lists of each batch in flight */
  uint64_t frames_bytes;      /* every YvFrameMemory of the engine that is alive, but for imported
                                 ones, whose memory is their owner's, and copies of frames that lie
                                 elsewhere */
} YvEngineMemory;

YV_API void yv_engine_memory (YvEngine *engine, YvEngineMemory *out); /* any thread */

/* ---- memory for frames ---------------------------------------------------------------------- */

/* Frames in memory that the device reads need no copy: YvImage.memory says that the planes lie in
 * it, at any place and with any strides. Meant for pools: each memory is bound once for each of the
 * slots that meet it. On discrete GPUs it is host memory, read over the bus. It is read in place by
 * the engine that made it alone: any other, also one on the same device, copies such frames like
 * all others, as the reference does; samples of two bytes at odd places are copied by all. */
#define YV_MAX_FRAME_MEMORY_BYTES (1u << 30)

/* Any thread; lives as long as it is wanted, also longer than the engine. The host may read it as
 * fast as any. Returns: (transfer full): zeroed or not, or NULL with YV_ERROR_INVALID (no bytes, or
 * more than YV_MAX_FRAME_MEMORY_BYTES) or YV_ERROR_OUT_OF_MEMORY. */
YV_API YvFrameMemory *yv_frame_memory_new (YvEngine *engine, size_t size_bytes, GError **error);

/* The same of memory that is there already, at any address: its pages become the device's, too,
 * which takes about as long as a copy, so it is meant for what comes by again and again. Ordinary
 * memory of this process (malloc() and the like); it stays mapped, where it is, until
 * yv_frame_memory_free(), and may be unmapped as soon as that returns. Any thread.
 * Returns: (transfer full): or NULL with YV_ERROR_INVALID or _OUT_OF_MEMORY as above, or
 * YV_ERROR_UNSUPPORTED where the device cannot, or not this memory, and on the reference. */
YV_API YvFrameMemory *yv_frame_memory_import (YvEngine *engine, void *bytes, size_t size_bytes,
                                              GError **error);
YV_API uint8_t *yv_frame_memory_bytes (YvFrameMemory *memory);

/* Whether it is @engine that reads it in place. @engine: (nullable): whether any engine does, which
 * none does any longer once the one that made it is gone. Any thread. */
YV_API bool yv_frame_memory_is_of (const YvFrameMemory *memory, const YvEngine *engine);

/* NULL ok; any thread. No frame that lies in it is in flight. What is bound for it, which is small,
 * goes when the slots meet other memory for the first time, or when a stream of the engine is freed
 * and no other is using them. */
YV_API void yv_frame_memory_free (YvFrameMemory *memory);

/* ---- stream --------------------------------------------------------------------------------- */

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
  uint32_t max_in_flight;  /* batches submitted and not collected, 1 to YV_MAX_IN_FLIGHT; 0: 2. Each
                              has a frame's copy and candidates of its own */

  /* The stream takes one frame at a time, and frames of all such streams of the engine that wait
   * while the device is busy run together, where they fit one network size, multi_label and
   * multiply_one_class; with multi_label also one threshold and the same classes. What a frame's
   * detections are does not depend on it. Not changed once the stream is made. */
  bool shares_batches;
  /* With shares_batches, of the oldest frame that waits: most frames of such a run, 1 to
   * YV_MAX_BATCH, 0: what suits the device; and how long a frame may wait on an idle device until
   * so many are there, or one of each stream, 0: not at all. A stream that was waited for in vain
   * is not waited for again until it submits. */
  uint32_t batch_size;
  uint64_t batch_timeout_ns;
} YvStreamOptions;

#define YV_MAX_IN_FLIGHT 32

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
  /* upload_ns, with shares_batches, is the batch's and the copy of this frame when it was
   * submitted. */
  uint64_t upload_ns, letterbox_ns, network_ns, decode_ns, readback_ns, nms_ns;
  uint64_t wait_ns;  /* with shares_batches: from submit until the frame's batch started; else 0 */
  uint64_t total_ns; /* from submit to the detections, on the host's clock */
} YvTimes;

typedef struct {
  uint32_t n_detections;
  const YvDetection *detections; /* by falling confidence; none that lies outside the frame */
  YvLetterbox letterbox;         /* how the frame was fitted */
  YvTimes times;                 /* of the whole batch, but for wait_ns, total_ns and the copy in
                                    upload_ns with shares_batches */
  uint32_t n_batch;              /* images that ran together, with this one */
  bool was_copied;               /* the frame was copied, not read where it lay */
} YvDetections;

/* Options are checked and copied. Returns: (transfer full): or NULL with YV_ERROR_INVALID, or, with
 * shares_batches, YV_ERROR_OUT_OF_MEMORY where the system has no more threads. */
YV_API YvStream *yv_stream_new (YvEngine *engine, const YvStreamOptions *options, GError **error);
YV_API void yv_stream_free (YvStream *stream); /* NULL ok; waits for what runs, drops what is in
                                                  flight, and its reference on the engine. The last
                                                  that shares batches also waits for a size that is
                                                  being made ready */

/* Replaces the options; takes effect with the next frame that is submitted: those in flight keep
 * the old ones. On failure these stay. Only what changes the network's input, and multi_label where
 * it is first set, may have to be made ready, as by yv_stream_prepare(); the thresholds, classes
 * and the rest are told to the device with each frame. */
YV_API bool yv_stream_set_options (YvStream *stream, const YvStreamOptions *options,
                                   GError **error);

/* Makes ready for frames of this size what takes long: plan, pipelines, most of the memory.
 * Optional. Left to the first frames is what depends on them: memory for their copies, one slot
 * more for each that is in flight beside others, and what their memory is bound with.
 * With shares_batches that is a run of one frame, and one of batch_size where that isn't 0. All
 * other batch sizes are made ready when enough frames wait for the first time, by a thread of the
 * engine, while these go on in smaller runs. */
YV_API bool yv_stream_prepare (YvStream *stream, uint32_t frame_w, uint32_t frame_h,
                               GError **error);

/* Analyses one frame and waits for it. Nothing of the stream may be in flight (YV_ERROR_INVALID).
 * Returns: (transfer none): valid until the stream's next call; NULL on failure. */
YV_API const YvDetections *yv_stream_detect (YvStream *stream, const YvImage *image,
                                             GError **error);

/* Analyses @n_images frames, 1 to YV_MAX_BATCH, in one run of the device and waits for them. A
 * frame's detections are the same, bit for bit, whatever else is in its batch.
 * @results: (out) (transfer none) (array length=n_images): valid until the stream's next call.
 * Fails with YV_ERROR_INVALID where frames fit differently into the network: see net_width; and
 * with shares_batches for more than one. */
#define YV_MAX_BATCH 256
YV_API bool yv_stream_detect_batch (YvStream *stream, const YvImage *images, uint32_t n_images,
                                    const YvDetections **results, GError **error);

/**
 * yv_stream_submit:
 * @images: (array length=n_images): as of yv_stream_detect_batch()
 *
 * Starts the analysis of a frame or a batch behind those in flight, and does not wait for it. When
 * it returns the frames are copied and their memory is the caller's again, but for images with
 * YvImage.memory, which must stay as they are until they are collected.
 *
 * With shares_batches one thread may submit (set options, prepare, replace) while another collects.
 * The frame waits for a run of the device that has room for it.
 *
 * Returns: whether it is in flight. If not, those that were still are. Fails with YV_ERROR_INVALID
 * where max_in_flight batches are; else as yv_stream_detect_batch().
 */
YV_API bool yv_stream_submit (YvStream *stream, const YvImage *images, uint32_t n_images,
                              GError **error);

/**
 * yv_stream_collect:
 * @n_results: (out) (nullable): as many as images were submitted with it
 *
 * Waits for the oldest batch in flight: results come in the order of submission, each as
 * yv_stream_detect_batch() would have given it, bit for bit. Sleeps meanwhile.
 *
 * Returns: (transfer none) (array length=n_results): valid until the stream's next
 * yv_stream_collect(), _detect() or _free(), and, without shares_batches, _abandon(), while others
 * are submitted. NULL on failure, of which that one batch dies and no other: then it is no longer
 * in flight. With YV_ERROR_INVALID where nothing was.
 */
YV_API const YvDetections *yv_stream_collect (YvStream *stream, uint32_t *n_results,
                                              GError **error);

YV_API uint32_t yv_stream_n_in_flight (const YvStream *stream); /* batches */

/* Drops all that is in flight, as when a camera seeks, and waits for what of it runs already. With
 * shares_batches another thread may be collecting: it gets YV_ERROR_INVALID, and keeps what it
 * collected before. */
YV_API void yv_stream_abandon (YvStream *stream);

/* ---- streams with shares_batches alone ------------------------------------------------------ */

/* Called from a thread of the engine, with no lock held, each time a frame's detections or its
 * failure are there. It returns soon, since all streams wait meanwhile, and calls nothing of any
 * but yv_stream_is_ready() and yv_stream_n_in_flight(). */
typedef void (*YvReadyFunc) (void *user_data);

/* @ready: (nullable): none. Without shares_batches it is never called. When it returns nobody is in
 * the old function, and nobody will be, so it must not be called from there, nor with a lock held
 * that is taken there. */
YV_API void yv_stream_set_ready_func (YvStream *stream, YvReadyFunc ready, void *user_data);

/* Whether yv_stream_collect() would not wait, since the oldest frame in flight is done, or failed.
 * Any thread. Without shares_batches false. */
YV_API bool yv_stream_is_ready (YvStream *stream);

/**
 * yv_stream_replace:
 * @replaced: (out): whether @image is in flight now
 *
 * Puts a newer frame in the place of the one that was submitted last, unless that runs already or
 * is done, or none is in flight. The memory of the old one is the caller's again. Threads as
 * yv_stream_submit().
 *
 * Returns: false, and nothing has changed, with the codes of yv_stream_submit(); YV_ERROR_INVALID
 * without shares_batches.
 */
YV_API bool yv_stream_replace (YvStream *stream, const YvImage *image, bool *replaced,
                               GError **error);

/* ---- devices -------------------------------------------------------------------------------- */

/* "0: NVIDIA H200 (discrete, ...)" lines, or a line that says why there is none. Free with
 * g_free(). */
YV_API char *yv_device_list_text (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvEngine, yv_engine_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvStream, yv_stream_free)

G_END_DECLS
