/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect.c - `yolov7 detect`: objects in pictures and videos, drawn and as JSON.
 *
 * A program of its own (see main.c). GStreamer decodes, draws and encodes; the engine is loaded
 * once and analyses in a probe between the two, so that a hundred pictures don't load it a hundred
 * times. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gst/gst.h>
#include <gst/pbutils/pbutils.h>
#include <gst/video/video.h>

#include "gst/detectionmeta.h"
#include "gst/frameview.h"
#include "gst/gstyolov7overlay.h"
#include "tools/command.h"
#include "tools/json.h"

typedef struct {
  ModelOptions model;
  double confidence, iou;
  int max_detections, max_frames;
  gboolean agnostic, json;
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
  const YvEngineInfo *info = yv_engine_info (job->engine);

  g_array_set_size (job->attached, found->n_detections);
  for (uint32_t i = 0; i < found->n_detections; i++) {
    const YvDetection *d = &found->detections[i];
    g_array_index (job->attached, GstYolov7Detection, i) = (GstYolov7Detection){
        .x = (double) d->x,
        .y = (double) d->y,
        .w = (double) d->w,
        .h = (double) d->h,
        .confidence = (double) d->confidence,
        .objectness = (double) d->objectness,
        .class_index = (gint) d->class_index,
        .id = -1,
        .label = info->class_names[d->class_index],
    };
  }
  gst_yolov7_detections_attach (buffer, (guint) job->video.width, (guint) job->video.height,
                                (const GstYolov7Detection *) (gpointer) job->attached->data,
                                found->n_detections, 0);
}

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *probe, gpointer user_data)
{
  Job *job = user_data;
  g_autoptr (GError) error = NULL;
  GstBuffer *buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (probe));

  probe->data = buffer;
  if (job->options->max_frames > 0 && job->n_frames >= job->options->max_frames) {
    gst_pad_push_event (pad, gst_event_new_eos ());
    return GST_PAD_PROBE_DROP;
  }

  const YvDetections *found = detect (job, buffer, &error);
  if (!found) {
    GST_ELEMENT_ERROR (GST_PAD_PARENT (pad), STREAM, FAILED, ("%s", error->message), (NULL));
    return GST_PAD_PROBE_DROP;
  }
  attach (job, buffer, found);
  if (job->options->json)
    print_json (job, found, GST_BUFFER_PTS (buffer));
  count (job, found);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_event (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *probe, gpointer user_data)
{
  Job *job = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (probe);
  GstCaps *caps = NULL;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    gst_video_info_from_caps (&job->video, caps);
  }
  return GST_PAD_PROBE_OK;
}

/* ---- pipelines --------------------------------------------------------------------------------
 */

/* The first whose elements are installed; the last is in the sets that everybody has. */
static const struct {
  const char *elements[3];
  const char *launch;
  const char *extension;
} video_writers[] = {
    {{"x264enc", "mp4mux"}, "x264enc speed-preset=veryfast ! mp4mux", "mp4"},
    {{"openh264enc", "h264parse", "mp4mux"}, "openh264enc ! h264parse ! mp4mux", "mp4"},
    {{"vp8enc", "webmmux"}, "vp8enc deadline=1 target-bitrate=4000000 ! webmmux", "webm"},
    {{"jpegenc", "matroskamux"}, "jpegenc ! matroskamux", "mkv"},
};

static gboolean
are_installed (const char *const *elements, guint n_elements)
{
  for (guint i = 0; i < n_elements && elements[i]; i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (elements[i]);
    if (!factory)
      return FALSE;
  }
  return TRUE;
}

static const char *
choose_writer (const char *path, gboolean is_picture, const char **extension)
{
  if (is_picture) {
    g_autofree char *lower = g_ascii_strdown (path, -1);
    const gboolean jpeg = g_str_has_suffix (lower, ".jpg") || g_str_has_suffix (lower, ".jpeg");
    *extension = jpeg ? "jpg" : "png";
    return jpeg ? "jpegenc quality=95" : "pngenc";
  }
  for (guint i = 0; i < G_N_ELEMENTS (video_writers); i++) {
    if (are_installed (video_writers[i].elements, G_N_ELEMENTS (video_writers[i].elements))) {
      *extension = video_writers[i].extension;
      return video_writers[i].launch;
    }
  }
  return NULL;
}

/* What is known of a file before it is decoded. */
typedef struct {
  gboolean is_picture;
  int n_frames; /* 0: not known */
} Contents;

static gboolean
discover (const char *path, Contents *out, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *uri = gst_filename_to_uri (absolute, error);
  g_autoptr (GstDiscoverer) discoverer = uri ? gst_discoverer_new (20 * GST_SECOND, error) : NULL;
  g_autoptr (GstDiscovererInfo) info =
      discoverer ? gst_discoverer_discover_uri (discoverer, uri, error) : NULL;

  if (!info || gst_discoverer_info_get_result (info) != GST_DISCOVERER_OK) {
    if (error && *error)
      g_prefix_error (error, "%s: not a picture or video that GStreamer can decode: ", path);
    else
      g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                   "%s: GStreamer has no decoder for it; install gstreamer1.0-libav or "
                   "gstreamer1.0-plugins-bad",
                   path);
    return FALSE;
  }

  GList *streams = gst_discoverer_info_get_video_streams (info);
  if (!streams) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "%s: there is no picture in it", path);
    return FALSE;
  }
  const GstDiscovererVideoInfo *video = streams->data;
  out->is_picture = gst_discoverer_video_info_is_image (video);
  const guint rate_n = gst_discoverer_video_info_get_framerate_num (video);
  const guint rate_d = gst_discoverer_video_info_get_framerate_denom (video);
  const GstClockTime duration = gst_discoverer_info_get_duration (info);
  out->n_frames = 0;
  if (out->is_picture)
    out->n_frames = 1;
  else if (rate_n > 0 && GST_CLOCK_TIME_IS_VALID (duration))
    out->n_frames =
        (int) gst_util_uint64_scale_round (duration, rate_n, (guint64) rate_d * GST_SECOND);
  gst_discoverer_stream_info_list_free (streams);
  return TRUE;
}

/* OUTPUT/<name without its ending>.<extension>, with a number where two inputs share a name. */
static char *
output_path (const char *folder, const char *path, const char *extension)
{
  g_autofree char *base = g_path_get_basename (path);
  char *dot = strrchr (base, '.');

  if (dot && dot != base)
    *dot = '\0';
  g_autofree char *name = g_strdup_printf ("%s.%s", base, extension);
  return g_build_filename (folder, name, NULL);
}

static GstElement *
make_pipeline (const Job *job, const Contents *contents, char **out_path, GError **error)
{
  const char *extension = NULL;
  g_autofree char *tail = NULL;

  if (job->options->output) {
    const char *writer = choose_writer (job->path, contents->is_picture, &extension);
    if (!writer) {
      g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                   "no video encoder is installed: apt-get install gstreamer1.0-plugins-ugly");
      return NULL;
    }
    *out_path = output_path (job->options->output, job->path, extension);
    tail =
        g_strdup_printf ("queue ! yolov7overlay ! videoconvert ! %s ! filesink name=out", writer);
  } else {
    tail = g_strdup ("fakesink sync=false");
  }

  g_autofree char *launch = g_strdup_printf (
      "filesrc name=in ! decodebin ! queue ! videoconvert ! videoflip video-direction=auto "
      "! video/x-raw,format=" GST_YOLOV7_FORMATS " ! identity name=analyse silent=true ! %s",
      tail);
  GstElement *pipeline = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!pipeline)
    return NULL;

  g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_object_set (in, "location", job->path, NULL);
  if (out)
    g_object_set (out, "location", *out_path, NULL);
  return pipeline;
}

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

/* "4 persons, 1 bus", in the order of the classes. */
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

/* Runs until EOS or an error. */
static gboolean
run_pipeline (GstElement *pipeline, Job *job, gboolean show_progress, GError **error)
{
  const gboolean terminal = isatty (STDERR_FILENO);
  const GstClockTime interval = terminal ? GST_SECOND / 5 : 10 * GST_SECOND;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean done = FALSE, failed = FALSE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!done) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, show_progress ? interval : GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    if (!message) {
      print_progress (job, terminal);
      continue;
    }
    done = TRUE;
    failed = GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
    if (failed) {
      gst_message_parse_error (message, error, NULL);
      g_prefix_error (error, "%s: frame %d: ", job->path, job->n_frames);
    }
  }
  if (show_progress && terminal)
    g_printerr ("\r%*s\r", 79, "");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return !failed;
}

static gboolean
detect_in_file (Job *job, GError **error)
{
  Contents contents = {0};
  g_autofree char *out_path = NULL;

  if (!g_file_test (job->path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", job->path, g_strerror (ENOENT));
    return FALSE;
  }
  if (!discover (job->path, &contents, error))
    return FALSE;

  GstElement *pipeline = make_pipeline (job, &contents, &out_path, error);
  if (!pipeline)
    return FALSE;
  job->n_expected = contents.n_frames;
  if (job->options->max_frames > 0)
    job->n_expected = MIN (job->n_expected, job->options->max_frames);
  add_probes (pipeline, job);
  job->started_us = g_get_monotonic_time ();
  const gboolean ok = run_pipeline (pipeline, job, !contents.is_picture, error);
  gst_object_unref (pipeline);
  if (ok)
    print_result (job, contents.is_picture, out_path);
  return ok;
}

/* ---- the command ------------------------------------------------------------------------------
 */

static int
detect_in_files (const Options *options, YvEngine *engine, YvStream *stream, char **paths)
{
  int status = EXIT_OK;

  for (char **path = paths; *path; path++) {
    g_autoptr (GError) error = NULL;
    g_autofree guint *n_of_class = g_new0 (guint, yv_engine_info (engine)->n_classes);
    g_autoptr (GArray) attached = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
    Job job = {.options = options,
               .engine = engine,
               .stream = stream,
               .path = *path,
               .n_of_class = n_of_class,
               .attached = attached};
    if (!detect_in_file (&job, &error))
      status = fail (error);
  }
  return status;
}

static int
run (const Options *options, const char *model_file, char **paths)
{
  g_autoptr (GError) error = NULL;
  const YvStreamOptions stream_options = {
      .input_size = (uint32_t) options->model.size,
      .letterbox = YV_LETTERBOX_AUTO,
      .confidence_threshold = (float) options->confidence,
      .iou_threshold = (float) options->iou,
      .max_detections = (uint32_t) options->max_detections,
      .class_agnostic_nms = options->agnostic,
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
    status = run (&options, argv[1], argv + 2);
  }
  options_clear (&options);
  return status;
}
