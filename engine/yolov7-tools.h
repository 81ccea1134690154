/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/yolov7-tools.h - what the subcommands of `yolov7` ask of the engine besides yolov7.h.
 *
 * Not for applications and elements, and not promised to stay: forward passes on files, times of
 * stages and steps, the test of a device, models described and compared. As there, nothing prints,
 * and every failure is a GError of domain YV_ERROR.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* `yolov7 forward`: reads `images` [b, 3, h, w] (RGB 0..1, f32) from a safetensors file, writes
 * `head.K`, `pred` and `det.I` (confidence .25, IoU .45) to another. */
bool yv_engine_forward_file (YvEngine *engine, const char *in_path, const char *out_path,
                             GError **error);

typedef struct {
  uint32_t width, height; /* network px */
  uint32_t batch;
  uint32_t n_warmup; /* raised to 2 for each batch in flight; 0: all runs count */
  uint32_t n_runs;
  uint32_t in_flight; /* batches at a time, 1 to YV_MAX_IN_FLIGHT; 0: 1. A profile has always 1 */
  bool in_place;      /* the pictures lie in memory that the device reads, and are not copied */
} YvBenchOptions;

typedef struct {
  double median_ms, p10_ms, p90_ms;
} YvBenchStage;

typedef struct {
  YvBenchStage upload, letterbox, network, decode, readback, nms, total; /* of one batch */
  YvBenchStage host;   /* CPU time that the calling thread spent in total, not that it waited */
  double images_per_s; /* of all runs but those of warm-up, on the clock */
  double first_ms; /* from a loaded engine to the first detections: memory, compilation, one run */
  double flops_per_image;
  double network_flops_per_image; /* of the steps whose time is network: not those of a first
                                     convolution or of heads that run with letterbox or decode */
  uint64_t weights_bytes, arena_bytes, slots_bytes;
  uint32_t n_steps;
  uint32_t n_warmup;     /* runs before those that count, as they were */
  uint32_t n_detections; /* of the last run: the work was done */
} YvBenchResult;

/* A step of the network on the device. All strings belong to the profile. */
typedef struct {
  const char *name;   /* "model.24.cv1.conv" */
  const char *op;     /* "conv 3x3/1 leaky_relu" */
  const char *kernel; /* "conv_lanes32" */
  uint32_t n, c_in, h_in, w_in, c_out, h_out, w_out;
  double flops; /* of the batch; 0 where it is no convolution */
  double bytes; /* read and written once: sources, weight, destination */
  double median_ms, min_ms;
} YvProfileStep;

typedef struct {
  uint32_t n_steps;
  const YvProfileStep *steps; /* in the order in which they run */
} YvProfile;

/* Times each step alone: they run one after the other, so their sum is more than bench's network.
 * Returns: (transfer full): or NULL; UNSUPPORTED where the device has no timestamps. */
YvProfile *yv_engine_profile (YvEngine *engine, const YvBenchOptions *options, GError **error);
void yv_profile_free (YvProfile *profile); /* NULL ok */

/* Times a batch of pictures of exactly the network's size through every stage. */
bool yv_engine_bench (YvEngine *engine, const YvBenchOptions *options, YvBenchResult *out,
                      GError **error);

/* `yolov7 selftest`: one step, or several of the same kernel, parameters and shapes. */
typedef struct {
  const char *kernel; /* "conv_tile" */
  const char *step;   /* the first of them, "model.24.cv1.conv" */
  const char *what;   /* "conv 3x3/2 silu [1,32,80,80] -> [1,64,40,40]" */
  uint32_t n_steps;   /* that it stands for */
  YvPrecision precision;
  uint64_t n_elems;      /* of what it computes, but for what overflows; 0: it is untested */
  uint64_t n_wrong;      /* of these, further from the reference than rounding explains */
  double max_error;      /* the largest |device - reference| */
  double relative_error; /* ||device - reference|| / ||reference|| */
  /* The largest |device - reference| / what rounding explains (docs/numerics.md): at most 1 where
   * nothing is wrong, 1e9 where it is beyond measure. */
  double share_of_bound;
} YvSelftestStep;

typedef struct {
  YvPrecision precision; /* AUTO: all that the device has */
  uint32_t size;         /* network px, raised to a multiple of the stride; 0: 320 */
  uint64_t seed;         /* of the input */
  /* (nullable): called after each; false stops the run */
  bool (*report) (const YvSelftestStep *step, void *data);
  void *data;
} YvSelftestOptions;

typedef struct {
  uint32_t size;               /* network px, as used */
  uint32_t n_tested, n_failed; /* of the steps that had values to compare */
  uint32_t n_untested;         /* those that had none */
} YvSelftestResult;

/* Runs each distinct step of the model on its device and on the reference from the same random
 * input. Blocks for seconds to minutes, most of them the reference's.
 * Returns: whether all steps ran, right or wrong; false with YV_ERROR_INVALID for an engine on the
 * reference, with YV_ERROR_IO where @report stopped it, @out then telling how far it came, or where
 * the device fails altogether, naming the step. */
bool yv_engine_selftest (YvEngine *engine, const YvSelftestOptions *options, YvSelftestResult *out,
                         GError **error);

/* `yolov7 tune`: a way to compute a convolution, as it was measured. */
typedef struct {
  const char *way; /* "winograd conv_lanes32" */
  uint64_t ns;     /* of one run, the median; 0: it was not timed */
  bool is_wrong;   /* computes something else than conv_tile: never taken */
  double
      worst_share; /* the largest |way - conv_tile| / what rounding explains; 1 at most, or wrong */
} YvTuneWay;

/* A convolution, or several of the same shape. */
typedef struct {
  const char *step; /* the first of them, "model.24.cv1.conv" */
  const char *what; /* "conv 3x3/2 silu [1,32,80,80] -> [1,64,40,40]" */
  uint32_t n_steps; /* that it stands for */
  uint64_t flops;   /* of one */
  uint32_t n_ways;
  const YvTuneWay *ways; /* that ran, in the time there was */
  uint32_t chosen;       /* of ways; n_ways: none was timed, so that nothing changes */
  uint32_t usual;        /* of ways: what is taken where nobody measured; n_ways: it wasn't tried */
} YvTuneLayer;

typedef struct {
  uint32_t width, height, batch; /* network px, and pictures at once; 0: the model's size; 1 */
  uint32_t budget_ms;            /* 0: as long as it takes */
  /* (nullable): called after each; false stops the run */
  bool (*report) (const YvTuneLayer *layer, void *data);
  void *data;
} YvTuneOptions;

typedef struct {
  uint32_t width, height, batch; /* as used */
  uint32_t n_layers, n_tuned; /* distinct shapes; of these, those whose way is now a measured one */
  uint32_t n_wrong;           /* ways that compute something else */
  /* Of all convolutions that were tuned and whose usual way is right: before and now. */
  uint64_t usual_ns, chosen_ns;
  bool is_kept; /* in the cache, so that engines made from now on use it */
} YvTuneResult;

/* Times every way to compute each convolution on the engine's device, anew, and keeps the best for
 * engines that are made from now on (and for this one's networks of other sizes).
 * Returns: false with YV_ERROR_INVALID for an engine on the reference or a size that doesn't fit,
 * with YV_ERROR_IO where @report stopped it, or where the device fails altogether; what was
 * measured until then is kept. Blocks for seconds to minutes. */
bool yv_engine_tune (YvEngine *engine, const YvTuneOptions *options, YvTuneResult *out,
                     GError **error);

/* `yolov7 inspect`: no device is needed. All strings belong to the info. */
typedef struct {
  uint32_t row;
  const char *from; /* "-1", "-1,8": as the row says, absolute rows */
  /* The same as numbers, -1 the input; and what is left of them, e.g. only the first half for a
   * head with auxiliary branches, nothing for a row that is dropped. */
  uint32_t n_sources_trained, n_sources_deployed;
  const int32_t *sources_trained, *sources_deployed;
  const char *module;   /* "RepConv" */
  const char *trained;  /* what the row computes as trained: "conv 3x3 + conv 1x1 + bn + silu" */
  const char *deployed; /* what is left of it: "conv 3x3 silu"; "" where nothing is */
  const char *folded;   /* what became part of something else or was dropped: "2 bn + silu" */
  uint32_t c_out, h_out, w_out;
  uint64_t n_params_trained, n_params_deployed;
  uint64_t flops_trained, flops; /* of one image; flops as deployed */
} YvLayerInfo;

typedef struct {
  const char *name, *summary;
  uint32_t n_changes, n_nodes_before, n_nodes_after;
  uint64_t n_params_before, n_params_after;
} YvPassInfo;

typedef struct {
  const char *source, *format, *weights_kind; /* format: "torch zip", ..., "yaml" */
  uint32_t n_layers;
  const YvLayerInfo *layers;
  uint32_t n_passes;
  const YvPassInfo *passes;
  uint32_t n_classes;
  const char *const *class_names;
  uint32_t n_levels, n_anchors;
  const uint32_t *strides; /* [n_levels] */
  const float *anchors_px; /* [n_levels][n_anchors][2] */
  uint64_t n_params_trained, n_params_deployed;
  uint32_t width, height;        /* what shapes and flops are for */
  uint64_t flops_trained, flops; /* of one image; flops as deployed */
  const char *warning;           /* (nullable): as that of YvEngineInfo */
} YvModelInfo;

/* @size: network px, a side of the square; 0: the model's default.
 * Returns: (transfer full): or NULL; codes as yv_engine_new(). */
YvModelInfo *yv_model_info_new (const char *model_file, const char *config_file, uint32_t size,
                                GError **error);
void yv_model_info_free (YvModelInfo *info); /* NULL ok */

/* `yolov7 inspect --diff`: two models, A and B, compared. All strings and arrays belong to the
 * diff.
 */
typedef enum {
  YV_EQUAL,
  YV_EQUAL_ROUNDED, /* as near as rounding to the type in which the files store numbers allows */
  YV_UNEQUAL,
} YvEquality;

typedef struct {
  uint64_t n_elems, n_unequal;
  double max_abs;  /* the largest |a - b| */
  double relative; /* ||a - b|| / max (||a||, ||b||) */
  double cosine;   /* of a and b as vectors; 1 where both are 0 */
  YvEquality equality;
} YvDifference;

/* A property of the whole model as text: "classes", "80", "1". */
typedef struct {
  const char *name, *a, *b;
  bool equal;
} YvSettingDiff;

/* A row of A and the row of B that corresponds to it, or one that the other lacks. */
typedef struct {
  const YvLayerInfo *a, *b; /* (nullable): one of them at most */
  const char *changes;      /* in what was trained: "conv.stride 1,1 -> 2,2; bn only in A"; or "" */
  bool same_network;        /* as deployed the row computes the same but for its weights */
  YvDifference weights;     /* as deployed: weights and biases of all its convolutions */
} YvLayerDiff;

/* A tensor as stored. */
typedef struct {
  const char *name;              /* as in A, where that has it; B may count its rows otherwise */
  const char *shape_a, *shape_b; /* (nullable): "[64,32,3,3]"; NULL: it has none of that name */
  YvDifference difference;       /* where both are there, of one shape; else n_elems is 0 */
} YvTensorDiff;

typedef struct {
  const YvModelInfo *a, *b;
  uint32_t n_settings, n_layers, n_tensors;
  const YvSettingDiff *settings; /* all that are compared, equal ones, too */
  const YvLayerDiff *layers;     /* by row */
  const YvTensorDiff *tensors;   /* by name */
  YvDifference weights;          /* as deployed: of all layers that correspond */
  YvEquality deployed;           /* whether both detect the same: network, classes and weights */
} YvModelDiff;

/* @config_a, @config_b: (nullable): used for a bare state dict only; one description may serve
 * both. Returns: (transfer full): or NULL; codes as yv_engine_new(). */
YvModelDiff *yv_model_diff_new (const char *model_a, const char *config_a, const char *model_b,
                                const char *config_b, GError **error);
void yv_model_diff_free (YvModelDiff *diff); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvProfile, yv_profile_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvModelInfo, yv_model_info_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvModelDiff, yv_model_diff_free)

G_END_DECLS
