/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/detect.c - `yolov7 detect`: objects in pictures and videos, drawn and as JSON.
 *
 * A program of its own (see main.c). GStreamer decodes, draws and encodes; the engine is loaded
 * once and analyses in a probe between the two, so that a hundred pictures don't load it a hundred
 * times. */
#include <errno.h>
#include <locale.h>

#include "gst/detectionmeta.h"
#include "gst/gstyolov7overlay.h"
#include "tools/detect/analyse.h"
#include "tools/detect/media.h"
#include "tools/detect/progress.h"
#include "tools/detect/run.h"

static gboolean
detect_and_write (Job *job, const MediaContents *contents, const MediaOutput *output,
                  GError **error)
{
  GstElement *pipeline = media_pipeline (job->path, contents, output, error);

  if (!pipeline)
    return FALSE;
  job->n_expected = contents->n_frames;
  if (job->options->max_frames > 0)
    job->n_expected = MIN (job->n_expected, job->options->max_frames);
  analyse_frames_of (pipeline, job);
  job->started_us = g_get_monotonic_time ();
  gboolean ok = run_pipeline (pipeline, job, contents->is_picture, error);
  gst_object_unref (pipeline);
  if (ok && output)
    ok = media_output_commit (output, error);
  if (!ok && output)
    media_output_discard (output);
  if (ok)
    print_result (job, contents->is_picture, output ? output->path : NULL);
  return ok;
}

static gboolean
detect_in_file (Job *job, GstDiscoverer *discoverer, GHashTable *taken, GError **error)
{
  const char *folder = job->options->output;
  MediaContents contents = {0};
  MediaOutput output = {0};

  if (!media_discover (discoverer, job->path, &contents, error))
    return FALSE;
  if (folder && !media_output_init (&output, folder, job->path, &contents, taken, error))
    return FALSE;
  const gboolean ok = detect_and_write (job, &contents, folder ? &output : NULL, error);
  media_output_clear (&output);
  return ok;
}

static int
detect_in_files (const DetectOptions *options, YvEngine *engine, YvStream *stream, char **paths)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstDiscoverer) discoverer = gst_discoverer_new (20 * GST_SECOND, &error);
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  int status = EXIT_OK;

  if (!discoverer)
    return fail (error);
  for (char **path = paths; *path && !was_interrupted (); path++) {
    g_autofree guint *n_of_class = g_new0 (guint, yv_engine_info (engine)->n_classes);
    g_autoptr (GArray) attached = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
    Job job = {.options = options,
               .engine = engine,
               .stream = stream,
               .path = *path,
               .n_of_class = n_of_class,
               .attached = attached};
    if (!detect_in_file (&job, discoverer, taken, &error))
      status = fail (error);
    g_clear_error (&error);
  }
  if (was_interrupted ()) {
    g_printerr ("yolov7: interrupted\n");
    status = EXIT_FAILED;
  }
  return status;
}

/* As detect.py does. */
static void
warn_of_raised_size (const YvEngine *engine, int size)
{
  const int stride = (int) yv_engine_info (engine)->max_stride;

  if (size % stride == 0)
    return;
  g_autofree char *warning =
      g_strdup_printf ("--size %d is no multiple of the model's stride, %d: %d is used", size,
                       stride, (size / stride + 1) * stride);
  warn (warning);
}

static int
run (const DetectOptions *options, const char *model_file, char **paths)
{
  g_autoptr (GError) error = NULL;
  const YvStreamOptions stream_options = {
      .input_size = (uint32_t) options->model.size,
      .letterbox = options->square ? YV_LETTERBOX_FIXED : YV_LETTERBOX_AUTO,
      .shrink_only = options->shrink_only,
      .confidence_threshold = (float) options->confidence,
      .iou_threshold = (float) options->iou,
      .max_detections = (uint32_t) options->max_detections,
      .class_agnostic_nms = options->agnostic,
      .multi_label = options->multi_label,
      .multiply_one_class = options->multiply_one_class,
      .classes = options->classes,
  };

  if (options->output && g_mkdir_with_parents (options->output, 0777) != 0) {
    g_set_error (&error, YV_ERROR, YV_ERROR_IO, "%s: can't make this folder: %s", options->output,
                 g_strerror (errno));
    return fail (error);
  }
  g_autoptr (YvEngine) engine = engine_from_options (model_file, &options->model);
  if (!engine)
    return EXIT_FAILED;
  warn_of_raised_size (engine, options->model.size);
  g_autoptr (YvStream) stream = yv_stream_new (engine, &stream_options, &error);
  if (!stream)
    return fail (error);
  return detect_in_files (options, engine, stream, paths);
}

static void
options_clear (DetectOptions *options)
{
  model_options_clear (&options->model);
  g_free (options->classes);
  g_free (options->output);
}

static int
check_ranges (const DetectOptions *options)
{
  if (!(options->confidence >= 0 && options->confidence <= 1))
    return fail_usage ("--conf is %g, expected 0 to 1", options->confidence);
  if (!(options->iou >= 0 && options->iou <= 1))
    return fail_usage ("--iou is %g, expected 0 to 1", options->iou);
  if (options->max_detections < 1)
    return fail_usage ("--max-det is %d, expected 1 or more", options->max_detections);
  if (options->max_frames < 0)
    return fail_usage ("--max-frames is %d, expected 0 (all) or more", options->max_frames);
  return EXIT_OK;
}

int
main (int argc, char **argv)
{
  DetectOptions options = {.confidence = 0.25, .iou = 0.45, .max_detections = 300};
  const GOptionEntry entries[] = {
      {"conf", 0, 0, G_OPTION_ARG_DOUBLE, &options.confidence, "lowest confidence [0.25]", "C"},
      {"iou", 0, 0, G_OPTION_ARG_DOUBLE, &options.iou, "overlap that suppresses [0.45]", "IOU"},
      {"classes", 0, 0, G_OPTION_ARG_STRING, &options.classes, "only these: \"0,2,person\"",
       "LIST"},
      {"max-det", 0, 0, G_OPTION_ARG_INT, &options.max_detections, "at most so many a frame [300]",
       "N"},
      {"agnostic-nms", 0, 0, G_OPTION_ARG_NONE, &options.agnostic,
       "boxes of one class suppress those of another", NULL},
      {"multi-label", 0, 0, G_OPTION_ARG_NONE, &options.multi_label,
       "every class of a box above --conf, not its best alone", NULL},
      {"multiply-one-class", 0, 0, G_OPTION_ARG_NONE, &options.multiply_one_class,
       "objectness * class for models of one class, too, as YOLOv5", NULL},
      {"square", 0, 0, G_OPTION_ARG_NONE, &options.square,
       "pad to a square, not only to a multiple of the model's stride", NULL},
      {"no-scale-up", 0, 0, G_OPTION_ARG_NONE, &options.shrink_only,
       "pad small pictures, don't enlarge them", NULL},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
       "folder for pictures and videos with boxes [runs/detect; none with --json]", "DIR"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "one line of JSON a frame on stdout", NULL},
      {"max-frames", 0, 0, G_OPTION_ARG_INT, &options.max_frames, "stop a video after so many",
       "N"},
      FALLBACK_ENTRY (options.model),
      G_OPTION_ENTRY_NULL,
  };

  setlocale (LC_ALL, "");
  const bool parsed = command_parse (
      &argc, &argv, "MODEL FILE...",
      "Finds objects in pictures and videos. Boxes are in pixels of the picture: x y of the top\n"
      "left corner, w h.",
      entries, &options.model);
  int status = EXIT_USAGE;
  if (parsed && argc < 3)
    status = fail_usage ("expected MODEL and at least one FILE");
  else if (parsed && check_ranges (&options) == EXIT_OK) {
    if (!options.output && !options.json)
      options.output = g_strdup ("runs/detect");
    gst_init (NULL, NULL);
    GST_ELEMENT_REGISTER (yolov7overlay, NULL);
    catch_signals ();
    status = run (&options, argv[1], argv + 2);
  }
  options_clear (&options);
  return finish_stdout (status);
}
