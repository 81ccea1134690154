/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect.c - `yolov7 detect`: objects in pictures and videos, drawn and as JSON.
 *
 * A program of its own (see main.c). GStreamer decodes, draws and encodes; the engine is loaded
 * once and analyses in a probe between the two, so that a hundred pictures don't load it a hundred
 * times. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "gst/found.h"
#include "gst/frameview.h"
#include "gst/gstyolov7overlay.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/media.h"

typedef struct {
  ModelOptions model;
  double confidence, iou;
  int max_detections, max_frames;
  gboolean agnostic, multi_label, multiply_one_class, square, no_scale_up, json;
  char *classes;
  char *output;
} Options;

/* One file on its way through. The streaming thread writes, the main thread reads after EOS; the
 * counters that the progress line shows are read with g_atomic. */
typedef struct {
  const Options *options;
  YvEngine *engine; /* borrowed: main's */
  YvStream *stream; /* borrowed: main's */
  const char *path;
  GstVideoInfo video;
  int is_busy;      /* a frame is being analysed; atomic */
  int n_frames;     /* so far; atomic */
  int n_detections; /* so far; atomic */
  int n_expected;   /* frames in the file, 0 where unknown */
  guint *n_of_class;
  GArray *attached; /* of GstYolov7Detection; reused from frame to frame */
  double ms_of_last;
  gint64 started_us;
} Job;

/* ---- one frame --------------------------------------------------------------------------------
 */

static void
print_json (const Job *job, const YvDetections *found, GstClockTime pts)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const YvEngineInfo *info = yv_engine_info (job->engine);

  json_builder_begin_object (json);
  json_add_text (json, "file", job->path);
  json_add_count (json, "frame", (uint64_t) job->n_frames);
  if (GST_CLOCK_TIME_IS_VALID (pts))
    json_add_number (json, "time", (double) pts / GST_SECOND);
  json_add_count (json, "width", (uint64_t) job->video.width);
  json_add_count (json, "height", (uint64_t) job->video.height);
  json_builder_set_member_name (json, "detections");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < found->n_detections; i++) {
    const YvDetection *d = &found->detections[i];
    json_builder_begin_object (json);
    json_add_number (json, "x", (double) d->x);
    json_add_number (json, "y", (double) d->y);
    json_add_number (json, "w", (double) d->w);
    json_add_number (json, "h", (double) d->h);
    json_add_number (json, "confidence", (double) d->confidence);
    json_add_number (json, "objectness", (double) d->objectness);
    json_add_count (json, "class", d->class_index);
    json_add_text (json, "label", info->class_names[d->class_index]);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  json_builder_end_object (json);

  g_autofree char *line = json_finish (json, FALSE);
  printf ("%s\n", line);
}

static void
count (Job *job, const YvDetections *found)
{
  for (uint32_t i = 0; i < found->n_detections; i++)
    job->n_of_class[found->detections[i].class_index]++;
  job->ms_of_last = (double) found->times.total_ns / 1e6;
  g_atomic_int_add (&job->n_detections, (int) found->n_detections);
  g_atomic_int_inc (&job->n_frames);
}

static const YvDetections *
detect (Job *job, GstBuffer *buffer, GError **error)
{
  GstYolov7FrameView view;

  if (!gst_yolov7_frame_view_map (&view, &job->video, buffer, GST_MAP_READ)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "the decoder's buffer is smaller than its picture");
    return NULL;
  }
  const YvDetections *found = yv_stream_detect (job->stream, &view.image, error);
  gst_yolov7_frame_view_unmap (&view);
  return found;
}

/* For yolov7overlay, further down the pipeline. */
static void
attach (Job *job, GstBuffer *buffer, const YvDetections *found)
{
  gst_yolov7_found_attach (buffer, (guint) job->video.width, (guint) job->video.height, found,
                           yv_engine_info (job->engine)->class_names, 0, job->attached);
}

/* Ends the flow: decoding more would be in vain. */
static GstPadProbeReturn
stop_flow (GstPad *pad, GstPadProbeInfo *probe, const char *message)
{
  GST_ELEMENT_ERROR (GST_PAD_PARENT (pad), STREAM, FAILED, ("%s", message), (NULL));
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (probe));
  probe->data = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (probe) = GST_FLOW_ERROR;
  return GST_PAD_PROBE_HANDLED;
}

static GstPadProbeReturn
analyse (Job *job, GstPad *pad, GstPadProbeInfo *probe)
{
  g_autoptr (GError) error = NULL;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (probe);
  const YvDetections *found = detect (job, buffer, &error);

  if (!found)
    return stop_flow (pad, probe, error->message);
  attach (job, buffer, found);
  if (job->options->json)
    print_json (job, found, GST_BUFFER_PTS (buffer));
  count (job, found);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *probe, gpointer user_data)
{
  Job *job = user_data;

  /* The main thread sends EOS as soon as it sees the count; these are on their way already. */
  if (job->options->max_frames > 0 && job->n_frames >= job->options->max_frames)
    return GST_PAD_PROBE_DROP;
  probe->data = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (probe));
  g_atomic_int_set (&job->is_busy, TRUE);
  const GstPadProbeReturn result = analyse (job, pad, probe);
  g_atomic_int_set (&job->is_busy, FALSE);
  return result;
}

static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *probe, gpointer user_data)
{
  Job *job = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (probe);
  const char *why = NULL;
  GstCaps *caps = NULL;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  if (!gst_video_info_from_caps (&job->video, caps))
    why = "the decoder's format can't be read";
  else
    gst_yolov7_frame_view_check (&job->video, &why);
  if (why)
    GST_ELEMENT_ERROR (GST_PAD_PARENT (pad), STREAM, FORMAT, ("%s", why), (NULL));
  return GST_PAD_PROBE_OK;
}

/* ---- one file ---------------------------------------------------------------------------------
 */

static void
add_probes (GstElement *pipeline, Job *job)
{
  g_autoptr (GstElement) analyse = gst_bin_get_by_name (GST_BIN (pipeline), "analyse");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (analyse, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, job, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, job, NULL);
}

/* ---- progress and results ---------------------------------------------------------------------
 */

static double
frames_per_second (const Job *job, int n_frames)
{
  return n_frames * 1e6 / (double) MAX (g_get_monotonic_time () - job->started_us, 1);
}

/* A line that stands in a terminal; in a file, one now and then. */
static void
print_progress (const Job *job, gboolean terminal)
{
  const int n_frames = g_atomic_int_get (&job->n_frames);
  g_autofree char *of = job->n_expected ? g_strdup_printf ("/%d", job->n_expected) : g_strdup ("");

  g_printerr ("%s%s: frame %d%s, %.1f frames/s, %d detections%s", terminal ? "\r" : "", job->path,
              n_frames, of, frames_per_second (job, n_frames),
              g_atomic_int_get (&job->n_detections), terminal ? "   " : "\n");
}

/* "4 person, 1 bus", in the order of the classes. */
static char *
describe_counts (const Job *job)
{
  const YvEngineInfo *info = yv_engine_info (job->engine);
  GString *text = g_string_new (NULL);

  for (uint32_t i = 0; i < info->n_classes; i++)
    if (job->n_of_class[i])
      g_string_append_printf (text, "%s%u %s", text->len ? ", " : "", job->n_of_class[i],
                              info->class_names[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
print_result (const Job *job, gboolean is_picture, const char *out_path)
{
  FILE *to = job->options->json ? stderr : stdout;
  g_autofree char *counts = describe_counts (job);

  fprintf (to, "%s: %dx%d, ", job->path, job->video.width, job->video.height);
  if (is_picture)
    fprintf (to, "%d detections", job->n_detections);
  else
    fprintf (to, "%d frames, %.1f frames/s, %d detections", job->n_frames,
             frames_per_second (job, job->n_frames), job->n_detections);
  if (*counts)
    fprintf (to, " (%s)", counts);
  if (is_picture)
    fprintf (to, ", %.1f ms", job->ms_of_last);
  fprintf (to, out_path ? ", written to %s\n" : "\n", out_path);
  fflush (to);
}

/* Ctrl-C: what was written so far becomes a file that plays. A second one ends the program. */
static volatile sig_atomic_t is_interrupted;

static void
on_signal (int number)
{
  is_interrupted = 1;
  signal (number, SIG_DFL);
}

#define POLL_MS 100
#define PROGRESS_MS 10000 /* where nobody looks; a terminal gets every poll */
#define STALLED_MS 30000

/* What the main thread keeps in mind while a pipeline runs. */
typedef struct {
  int n_frames;       /* at the last change */
  guint idle_ms;      /* since then, not counting the time a frame is being analysed */
  guint silent_ms;    /* since the last line of progress */
  gboolean is_ending; /* EOS was sent */
} Watch;

/* To what comes after the decoder, so that it ends even where the decoder does not: from then on
 * frames are refused. */
static void
send_eos (GstElement *pipeline)
{
  g_autoptr (GstElement) analyse = gst_bin_get_by_name (GST_BIN (pipeline), "analyse");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (analyse, "sink");

  gst_pad_send_event (pad, gst_event_new_eos ());
}

/* Some decoders (animated GIF) never say that they are done. Returns: false where a pipeline that
 * was asked to end does not, or one gives no frames and no end is in sight. */
static gboolean
watch (Watch *w, GstElement *pipeline, const Job *job)
{
  const int n_frames = g_atomic_int_get (&job->n_frames);
  const gboolean all_seen = job->n_expected > 0 && n_frames >= job->n_expected;
  const gboolean enough = job->options->max_frames > 0 && n_frames >= job->options->max_frames;

  if (n_frames != w->n_frames || g_atomic_int_get (&job->is_busy))
    w->idle_ms = 0;
  else
    w->idle_ms += POLL_MS;
  w->n_frames = n_frames;
  if (!w->is_ending && (is_interrupted || enough || (all_seen && w->idle_ms >= 2000))) {
    w->is_ending = TRUE;
    w->idle_ms = 0;
    send_eos (pipeline);
  }
  return w->idle_ms < STALLED_MS;
}

static void
show_progress (Watch *w, const Job *job, gboolean terminal)
{
  w->silent_ms += POLL_MS;
  if (terminal || w->silent_ms >= PROGRESS_MS) {
    print_progress (job, terminal);
    w->silent_ms = 0;
  }
}

/* Runs until EOS or an error. */
static gboolean
run_pipeline (GstElement *pipeline, Job *job, gboolean is_picture, GError **error)
{
  const gboolean terminal = isatty (STDERR_FILENO);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  Watch w = {0};

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!message) {
    message = gst_bus_timed_pop_filtered (bus, POLL_MS * GST_MSECOND,
                                          GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    if (!message && !watch (&w, pipeline, job))
      break;
    if (!message && !is_picture)
      show_progress (&w, job, terminal);
  }
  if (!is_picture && terminal)
    g_printerr ("\r%*s\r", 79, "");
  gst_element_set_state (pipeline, GST_STATE_NULL);

  if (!message)
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "no new frame for %d seconds", STALLED_MS / 1000);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  else
    return TRUE;
  g_prefix_error (error, "%s: frame %d: ", job->path, job->n_frames);
  return FALSE;
}

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
  add_probes (pipeline, job);
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

/* ---- the command ------------------------------------------------------------------------------
 */

static int
detect_in_files (const Options *options, YvEngine *engine, YvStream *stream, char **paths)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstDiscoverer) discoverer = gst_discoverer_new (20 * GST_SECOND, &error);
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  int status = EXIT_OK;

  if (!discoverer)
    return fail (error);
  for (char **path = paths; *path && !is_interrupted; path++) {
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
  if (is_interrupted) {
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
run (const Options *options, const char *model_file, char **paths)
{
  g_autoptr (GError) error = NULL;
  const YvStreamOptions stream_options = {
      .input_size = (uint32_t) options->model.size,
      .letterbox = options->square ? YV_LETTERBOX_FIXED : YV_LETTERBOX_AUTO,
      .no_scale_up = options->no_scale_up,
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
options_clear (Options *options)
{
  model_options_clear (&options->model);
  g_free (options->classes);
  g_free (options->output);
}

static int
check_ranges (const Options *options)
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
  Options options = {.confidence = 0.25, .iou = 0.45, .max_detections = 300};
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
      {"no-scale-up", 0, 0, G_OPTION_ARG_NONE, &options.no_scale_up,
       "pad small pictures, don't enlarge them", NULL},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
       "folder for pictures and videos with boxes [runs/detect; none with --json]", "DIR"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "one line of JSON a frame on stdout", NULL},
      {"max-frames", 0, 0, G_OPTION_ARG_INT, &options.max_frames, "stop a video after so many",
       "N"},
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
    signal (SIGINT, on_signal);
    signal (SIGTERM, on_signal);
    status = run (&options, argv[1], argv + 2);
  }
  options_clear (&options);
  return finish_stdout (status);
}
