/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval.c - `yolov7 eval`: how good a model is on pictures with labels, and how fast. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "tools/command.h"
#include "tools/eval/batches.h"
#include "tools/eval/coco.h"
#include "tools/eval/confusion.h"
#include "tools/eval/dataset.h"
#include "tools/eval/loader.h"
#include "tools/eval/metric.h"
#include "tools/eval/plot.h"
#include "tools/eval/predictions.h"

#define TASKS_OWN (-G_MAXDOUBLE) /* no user writes that */

typedef struct {
  ModelOptions model;
  char *data, *task, *images, *json, *output;
  int batch;
  double confidence, iou; /* TASKS_OWN: the task's */
} Options;

typedef struct {
  const Options *options;
  YvEngine *engine;
  YvStream *stream;
  YvStreamOptions stream_options;
  Dataset *dataset;
  uint32_t size; /* network px of a picture's long side */
  bool is_speed;

  uint32_t *order;
  GArray *batches; /* of Batch */
  Metric *metric;
  Coco *coco;
  Confusion *confusion;
  Predictions *predictions; /* NULL: nobody wants them */
  uint32_t n_last;          /* pictures of the batch before */
  uint64_t inference_ns, nms_ns;
} Evaluation;

static void
evaluation_clear (Evaluation *e)
{
  predictions_free (e->predictions);
  confusion_free (e->confusion);
  coco_free (e->coco);
  metric_free (e->metric);
  if (e->batches)
    g_array_unref (e->batches);
  g_free (e->order);
  dataset_free (e->dataset);
  yv_stream_free (e->stream);
  yv_engine_unref (e->engine);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Evaluation, evaluation_clear)

/* ---- before the first picture --------------------------------------------------------------- */

/* test.py's thresholds of the two tasks. */
static void
set_stream_options (Evaluation *e)
{
  const Options *options = e->options;
  const double confidence = e->is_speed ? 0.25 : 0.001, iou = e->is_speed ? 0.45 : 0.65;

  e->stream_options = (YvStreamOptions){
      .input_size = e->size, /* checked here, although each batch then has a shape of its own */
      .shrink_only = true,
      .confidence_threshold =
          (float) (options->confidence == TASKS_OWN ? confidence : options->confidence),
      .iou_threshold = (float) (options->iou == TASKS_OWN ? iou : options->iou),
      .max_detections = 300,
      .multi_label = true,
  };
}

static bool
open_stream (Evaluation *e, GError **error)
{
  const YvEngineInfo *info = yv_engine_info (e->engine);
  const uint32_t stride = info->max_stride;
  const uint32_t size =
      e->options->model.size ? (uint32_t) e->options->model.size : info->default_size;

  e->size = (size + stride - 1) / stride * stride;
  set_stream_options (e);
  e->stream = yv_stream_new (e->engine, &e->stream_options, error);
  return e->stream != NULL;
}

/* Returns false. */
static bool
refuse_to_replace (const char *path, GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s: the result would replace it; give --json another file", path);
  return false;
}

static bool
open_dataset (Evaluation *e, GError **error)
{
  const YvEngineInfo *info = yv_engine_info (e->engine);

  e->dataset = dataset_open (e->options->data, e->options->images, info->class_names,
                             info->n_classes, error);
  if (!e->dataset)
    return false;
  warn (e->dataset->warning);
  if (e->options->json && dataset_has_file (e->dataset, e->options->json))
    return refuse_to_replace (e->options->json, error);
  e->batches =
      batches_plan (e->dataset, e->size, info->max_stride, (uint32_t) e->options->batch, &e->order);
  e->metric = metric_new (info->n_classes);
  e->coco = coco_new (info->n_classes);
  e->confusion = confusion_new (info->n_classes, error);
  if (e->options->json)
    e->predictions = predictions_new (e->dataset);
  return e->confusion != NULL;
}

/* ---- picture by picture --------------------------------------------------------------------- */

/* From the scaled picture to the one that people marked. What was cut off at an edge ends at the
 * edge, although the scaled picture may be a fraction of a pixel short of it. */
static float
to_frame (float scaled_px, const Picture *picture, uint32_t scaled_side, uint32_t frame_side)
{
  if (scaled_px >= (float) scaled_side)
    return (float) frame_side;
  return (float) MIN ((double) scaled_px / picture->gain, frame_side);
}

static void
place_in_frame (YvDetection *d, const Picture *picture)
{
  const uint32_t scaled_w = picture->image.width, scaled_h = picture->image.height;
  const float x2 = to_frame (d->x + d->w, picture, scaled_w, picture->frame_w);
  const float y2 = to_frame (d->y + d->h, picture, scaled_h, picture->frame_h);

  d->x = to_frame (d->x, picture, scaled_w, picture->frame_w);
  d->y = to_frame (d->y, picture, scaled_h, picture->frame_h);
  d->w = x2 - d->x;
  d->h = y2 - d->y;
}

static void
compare (Evaluation *e, uint32_t index, const Picture *picture, const YvDetections *found)
{
  g_autoptr (GArray) labels =
      dataset_labels (e->dataset, index, picture->frame_w, picture->frame_h);
  g_autofree YvDetection *detections =
      g_memdup2 (found->detections, found->n_detections * sizeof *found->detections);
  EvalLabel *boxes = (EvalLabel *) (void *) labels->data;
  const EvalImage image = {
      .index = index,
      .detections = detections,
      .n_detections = found->n_detections,
      .labels = boxes,
      .n_labels = labels->len,
  };

  for (uint32_t i = 0; i < image.n_detections; i++)
    place_in_frame (&detections[i], picture);
  coco_add (e->coco, &image); /* with labels as they were drawn */
  eval_clip_labels (boxes, labels->len, picture->frame_w, picture->frame_h);
  metric_add (e->metric, &image);
  confusion_add (e->confusion, &image);
  if (e->predictions)
    predictions_add (e->predictions, &image);
}

/* The network takes the shape of the batch. @is_new: so does the plan, which is also for so many
 * pictures. */
static bool
set_shape (Evaluation *e, const Batch *batch, bool *is_new, GError **error)
{
  const bool is_reshaped =
      e->stream_options.net_width != batch->net_w || e->stream_options.net_height != batch->net_h;

  *is_new = is_reshaped || e->n_last != batch->n;
  e->n_last = batch->n;
  e->stream_options.net_width = batch->net_w;
  e->stream_options.net_height = batch->net_h;
  return !is_reshaped || yv_stream_set_options (e->stream, &e->stream_options, error);
}

/* The first run of a plan makes pipelines; where speed is asked for, it is not counted. */
static bool
run_batch (Evaluation *e, const Batch *batch, const Picture *pictures, GError **error)
{
  g_autofree YvImage *images = g_new (YvImage, batch->n);
  const YvDetections *found;
  bool is_new;

  for (uint32_t i = 0; i < batch->n; i++)
    images[i] = pictures[i].image;
  if (!set_shape (e, batch, &is_new, error))
    return false;
  if (e->is_speed && is_new && !yv_stream_detect_batch (e->stream, images, batch->n, &found, error))
    return false;
  if (!yv_stream_detect_batch (e->stream, images, batch->n, &found, error))
    return false;

  e->inference_ns += found->times.total_ns - found->times.nms_ns;
  e->nms_ns += found->times.nms_ns;
  for (uint32_t i = 0; i < batch->n; i++)
    compare (e, e->order[batch->first + i], &pictures[i], &found[i]);
  return true;
}

/* ---- progress ------------------------------------------------------------------------------- */

#define BAR_WIDTH 30

static void
show_progress (uint32_t n_done, uint32_t n_all, int64_t start_us)
{
  const double seconds = (double) (g_get_monotonic_time () - start_us) / 1e6;
  const int filled = (int) ((uint64_t) BAR_WIDTH * n_done / n_all);
  const double rate = n_done / MAX (seconds, 1e-3);
  char bar[BAR_WIDTH + 1] = "";

  memset (bar, '#', (size_t) filled);
  memset (bar + filled, '.', (size_t) (BAR_WIDTH - filled));
  g_printerr ("\r[%s] %u/%u images, %.1f images/s, %.0f s left   ", bar, n_done, n_all, rate,
              (n_all - n_done) / MAX (rate, 1e-3));
}

static bool
run_all (Evaluation *e, GError **error)
{
  g_autoptr (Loader) loader = loader_new (e->dataset, e->order, e->batches, e->size);
  const int64_t start_us = g_get_monotonic_time ();
  const bool terminal = isatty (STDERR_FILENO);
  bool ok = true;

  for (uint32_t i = 0; ok && i < e->batches->len; i++) {
    const Batch *batch = &g_array_index (e->batches, Batch, i);
    const Picture *pictures = loader_next (loader, error);

    ok = pictures && run_batch (e, batch, pictures, error);
    if (terminal && ok)
      show_progress (batch->first + batch->n, e->dataset->images->len, start_us);
  }
  if (terminal)
    g_printerr ("\r%*s\r", 79, "");
  return ok;
}

/* ---- results -------------------------------------------------------------------------------- */

#define TABLE_ROW "%22s %8u %8u %10.4f %10.4f %10.4f %12.4f\n"

static void
print_table (const Evaluation *e, const MetricResult *result)
{
  const YvEngineInfo *info = yv_engine_info (e->engine);

  printf ("%22s %8s %8s %10s %10s %10s %12s\n", "Class", "Images", "Labels", "P", "R", "mAP@.5",
          "mAP@.5:.95");
  printf (TABLE_ROW, "all", result->n_images, result->n_labels, result->precision, result->recall,
          result->map50, result->map50_95);
  for (uint32_t k = 0; k < result->n_classes && result->n_classes > 1; k++) {
    const MetricClass *c = &result->classes[k];

    if (c->n_labels > 0)
      printf (TABLE_ROW, info->class_names[k], result->n_images, c->n_labels, c->precision,
              c->recall, c->ap[0], metric_class_ap (c));
  }
  printf ("P and R are those above confidence %.3f, where F1 is largest.\n", result->confidence);
}

static void
print_coco (Evaluation *e)
{
  double values[COCO_N_FIGURES];

  coco_finish (e->coco, values);
  for (uint32_t i = 0; i < COCO_N_FIGURES; i++) {
    g_autofree char *name = coco_figure_name (&coco_figures[i]);

    printf ("%s = %.4f\n", name, values[i]);
  }
}

static void
print_speed (const Evaluation *e)
{
  const double n = e->dataset->images->len * 1e6;
  const double inference = (double) e->inference_ns / n, nms = (double) e->nms_ns / n;

  printf ("Speed: %.2f/%.2f/%.2f ms inference/NMS/total per %ux%u image at batch-size %d\n",
          inference, nms, inference + nms, e->size, e->size, e->options->batch);
}

static bool
draw (const Evaluation *e, const MetricResult *result, GError **error)
{
  const char *const *names = yv_engine_info (e->engine)->class_names;
  const char *folder = e->options->output;
  g_autofree char *curves = g_build_filename (folder, "pr_curve.svg", NULL);
  g_autofree char *matrix = g_build_filename (folder, "confusion_matrix.svg", NULL);

  if (!plot_curves (result, names, curves, error) ||
      !plot_confusion (e->confusion, names, matrix, error))
    return false;
  printf ("%s and %s written\n", curves, matrix);
  return true;
}

static bool
report (Evaluation *e, GError **error)
{
  if (!e->is_speed) {
    g_autoptr (MetricResult) result = metric_finish (e->metric);

    print_table (e, result);
    print_coco (e);
    if (!draw (e, result, error))
      return false;
  }
  print_speed (e);
  return !e->predictions || predictions_write (e->predictions, e->options->json, error);
}

static bool
make_folder (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0777) == 0)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't make this folder: %s", path,
               g_strerror (errno));
  return false;
}

/* What can't be written is told now and not after the evaluation; till then what is there stays,
 * and nothing is there that was not before. */
static bool
check_writable (const char *path, GError **error)
{
  const bool is_new =
      !g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK);
  FILE *file = fopen (path, "a");

  if (file && fclose (file) == 0) {
    if (is_new)
      g_remove (path);
    return true;
  }
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't write: %s", path, g_strerror (errno));
  return false;
}

static bool
is_same_file (const char *a, const char *b)
{
  GStatBuf x, y;

  return g_stat (a, &x) == 0 && g_stat (b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The files that --data names are looked at once they are known. */
static bool
check_json (const Options *options, const char *model_file, GError **error)
{
  const char *config = options->model.config_file;

  if (is_same_file (options->json, options->data) || is_same_file (options->json, model_file) ||
      (config && is_same_file (options->json, config)))
    return refuse_to_replace (options->json, error);
  return check_writable (options->json, error);
}

static int
evaluate (const Options *options, const char *model_file)
{
  g_autoptr (GError) error = NULL;
  g_auto (Evaluation) e = {.options = options, .is_speed = g_str_equal (options->task, "speed")};

  if (!e.is_speed && !make_folder (options->output, &error))
    return fail (error);
  if (options->json && !check_json (options, model_file, &error))
    return fail (error);
  e.engine = engine_from_options (model_file, &options->model);
  if (!e.engine)
    return EXIT_FAILED;
  if (!open_stream (&e, &error) || !open_dataset (&e, &error) || !run_all (&e, &error) ||
      !report (&e, &error))
    return fail (error);
  return EXIT_OK;
}

/* ---- the command ---------------------------------------------------------------------------- */

static void
options_clear (Options *options)
{
  model_options_clear (&options->model);
  g_free (options->data);
  g_free (options->task);
  g_free (options->images);
  g_free (options->json);
  g_free (options->output);
}

/* Written so that NaN is refused. */
static bool
is_part (double value)
{
  return value == TASKS_OWN || (value >= 0 && value <= 1);
}

static int
check_options (const Options *options)
{
  if (!options->data)
    return fail_usage ("expected --data with a data.yaml or COCO's JSON");
  if (options->images && !g_str_has_suffix (options->data, ".json"))
    return fail_usage ("--images is for COCO's JSON, but --data is '%s'", options->data);
  if (!g_str_equal (options->task, "val") && !g_str_equal (options->task, "speed"))
    return fail_usage ("--task is '%s', expected val or speed", options->task);
  if (options->batch < 1 || options->batch > YV_MAX_BATCH)
    return fail_usage ("--batch is %d, expected 1 to %d", options->batch, YV_MAX_BATCH);
  if (!is_part (options->confidence))
    return fail_usage ("--conf is %g, expected 0 to 1", options->confidence);
  if (!is_part (options->iou))
    return fail_usage ("--iou is %g, expected 0 to 1", options->iou);
  return EXIT_OK;
}

int
command_eval (int argc, char **argv)
{
  Options options = {.batch = 32, .confidence = TASKS_OWN, .iou = TASKS_OWN};
  const GOptionEntry entries[] = {
      {"data", 'D', 0, G_OPTION_ARG_FILENAME, &options.data,
       "data.yaml of a YOLO folder, or COCO's instances_*.json", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &options.images,
       "where the pictures of COCO's JSON are [beside it]", "DIR"},
      {"task", 't', 0, G_OPTION_ARG_STRING, &options.task,
       "val: how good; speed: how fast, with the thresholds of detect [val]", "TASK"},
      {"batch", 'b', 0, G_OPTION_ARG_INT, &options.batch,
       "images in one run of the device; fewer need less memory [32]", "N"},
      {"conf", 0, 0, G_OPTION_ARG_DOUBLE, &options.confidence,
       "lowest confidence [0.001; speed: 0.25]", "C"},
      {"iou", 0, 0, G_OPTION_ARG_DOUBLE, &options.iou,
       "overlap that suppresses [0.65; speed: 0.45]", "IOU"},
      {"json", 0, 0, G_OPTION_ARG_FILENAME, &options.json,
       "write all detections in COCO's results format", "FILE"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
       "folder for the drawings [runs/eval]", "DIR"},
      FALLBACK_ENTRY (options.model),
      G_OPTION_ENTRY_NULL,
  };

  const bool parsed = command_parse (
      &argc, &argv, "MODEL --data DATA",
      "Compares what a model finds with what people marked: precision, recall and mean average\n"
      "precision as YOLOv7's test.py computes them, and COCO's twelve figures.",
      entries, &options.model);
  int status = EXIT_USAGE;
  if (parsed && argc != 2)
    status = fail_usage ("expected one MODEL");
  else if (parsed) {
    if (!options.task)
      options.task = g_strdup ("val");
    if (!options.output)
      options.output = g_strdup ("runs/eval");
    status = check_options (&options);
    if (status == EXIT_OK)
      status = evaluate (&options, argv[1]);
  }
  options_clear (&options);
  return status;
}
