/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/analysis.c - elements are named after their factories. */
#include "examples/common/analysis.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include "examples/common/settings.h"

#define END_US (30 * G_USEC_PER_SEC) /* longer than publishers take for their last records */

struct _Analysis {
  AnalysisLinks links;
  GstElement *pipeline, *in, *yolov7;

  GMutex lock; /* protects what follows */
  bool is_running;
  guint64 n_before; /* that were analysed before it was started last */
  guint64 latency_ns;
  gint64 last_frame_us;
};

static char *
describe (const CameraConfig *config, const CameraOptions *options)
{
  GString *out = g_string_new ("appsrc name=in is-live=true format=time block=false "
                               "! yolov7 name=yolov7 ! yolov7tracker name=yolov7tracker ");

  if (camera_config_has (config, "yolov7publish"))
    g_string_append (out, "! yolov7publish name=yolov7publish ");
  if (options->also)
    g_string_append_printf (out, "! %s ", options->also);
  if (options->is_drawn)
    g_string_append (out, "! yolov7overlay name=yolov7overlay ");
  g_string_append (out, "! appsink name=out sync=false qos=false max-buffers=4");
  return g_string_free (out, FALSE);
}

static bool
apply_to (GstElement *pipeline, const CameraConfig *config, const char *factory, GError **error)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), factory);

  return !element || settings_apply (config, factory, element, error);
}

static GstElement *
build (const CameraConfig *config, const CameraOptions *options, GError **error)
{
  static const char *const factories[] = {"yolov7", "yolov7tracker", "yolov7publish",
                                          "yolov7overlay"};
  g_autofree char *launch = describe (config, options);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  for (guint i = 0; i < G_N_ELEMENTS (factories); i++)
    if (!apply_to (pipeline, config, factories[i], error))
      return NULL;
  return g_steal_pointer (&pipeline);
}

static GstFlowReturn
take_output (GstAppSink *sink, gpointer user_data)
{
  Analysis *analysis = user_data;
  const AnalysisLinks *links = &analysis->links;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);

  if (!sample)
    return GST_FLOW_EOS;
  const GstClockTime time = links->base_time + GST_BUFFER_PTS (gst_sample_get_buffer (sample));
  const GstClockTime now = gst_clock_get_time (links->clock);
  g_mutex_lock (&analysis->lock);
  analysis->latency_ns = now - MIN (now, time);
  analysis->last_frame_us = g_get_monotonic_time ();
  g_mutex_unlock (&analysis->lock);
  links->frame (sample, links->user_data);
  return GST_FLOW_OK;
}

static void
listen_for_frames (Analysis *analysis)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (analysis->pipeline), "out");
  GstAppSinkCallbacks calls = {.new_sample = take_output};

  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &calls, analysis, NULL);
}

Analysis *
analysis_new (const CameraConfig *config, const CameraOptions *options, const AnalysisLinks *links,
              GError **error)
{
  g_autoptr (GstElement) pipeline = build (config, options, error);

  if (!pipeline)
    return NULL;
  Analysis *analysis = g_new0 (Analysis, 1);
  g_mutex_init (&analysis->lock);
  analysis->links = *links;
  analysis->in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  analysis->yolov7 = gst_bin_get_by_name (GST_BIN (pipeline), "yolov7");
  analysis->pipeline = g_steal_pointer (&pipeline);
  inbox_listen (links->inbox, analysis->pipeline);
  listen_for_frames (analysis);
  gst_pipeline_use_clock (GST_PIPELINE (analysis->pipeline), links->clock);
  gst_element_set_start_time (analysis->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (analysis->pipeline, links->base_time);
  return analysis;
}

void
analysis_free (Analysis *analysis)
{
  if (!analysis)
    return;
  gst_element_set_state (analysis->pipeline, GST_STATE_NULL);
  gst_object_unref (analysis->yolov7);
  gst_object_unref (analysis->in);
  gst_object_unref (analysis->pipeline);
  g_mutex_clear (&analysis->lock);
  g_free (analysis);
}

/* Encoders take 4:2:0; without one any that yolov7 takes does. */
GstCaps *
analysis_caps (const CameraOptions *options)
{
  g_autoptr (GstElementFactory) factory =
      options->is_shown ? NULL : gst_element_factory_find ("yolov7");
  const GList *templates = factory ? gst_element_factory_get_static_pad_templates (factory) : NULL;

  for (const GList *at = templates; at; at = at->next) {
    GstStaticPadTemplate *template = at->data;
    if (template->direction == GST_PAD_SINK)
      return gst_static_pad_template_get_caps (template);
  }
  return gst_caps_from_string ("video/x-raw,format={I420,NV12}");
}

GstElement *
analysis_pipeline (Analysis *analysis)
{
  return analysis->pipeline;
}

GstElement *
analysis_source (Analysis *analysis)
{
  return analysis->in;
}

static guint64
read_stat (const GstStructure *stats, const char *name)
{
  guint64 value = 0;

  if (stats)
    gst_structure_get_uint64 (stats, name, &value);
  return value;
}

static GstStructure *
get_stats (Analysis *analysis)
{
  GstStructure *stats = NULL;

  g_object_get (analysis->yolov7, "stats", &stats, NULL);
  return stats;
}

/* yolov7's counts begin anew with each start, and stay when it stops. */
static void
set_running (Analysis *analysis, bool is_running)
{
  g_autoptr (GstStructure) stats = is_running ? NULL : get_stats (analysis);

  g_mutex_lock (&analysis->lock);
  analysis->n_before += read_stat (stats, "frames-analysed");
  analysis->is_running = is_running;
  g_mutex_unlock (&analysis->lock);
}

bool
analysis_start (Analysis *analysis, char **reason)
{
  if (gst_element_set_state (analysis->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
    set_running (analysis, true);
    return true;
  }
  *reason =
      inbox_take_error (analysis->links.inbox, analysis->pipeline, "the analysis can't be started");
  gst_element_set_state (analysis->pipeline, GST_STATE_NULL);
  return false;
}

bool
analysis_is_running (Analysis *analysis)
{
  g_mutex_lock (&analysis->lock);
  const bool is_running = analysis->is_running;
  g_mutex_unlock (&analysis->lock);
  return is_running;
}

void
analysis_stop (Analysis *analysis)
{
  gst_element_set_state (analysis->pipeline, GST_STATE_NULL);
  set_running (analysis, false);
}

void
analysis_finish (Analysis *analysis)
{
  const gint64 until_us = g_get_monotonic_time () + END_US;
  bool is_over = false;

  if (!analysis_is_running (analysis))
    return;
  gst_app_src_end_of_stream (GST_APP_SRC (analysis->in));
  while (!is_over) {
    GstMessage *message = inbox_pop (analysis->links.inbox, until_us);
    is_over = !message ||
              (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR &&
               inbox_is_from (message, analysis->pipeline)) ||
              (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS &&
               GST_MESSAGE_SRC (message) == GST_OBJECT (analysis->pipeline));
    g_clear_pointer (&message, gst_message_unref);
  }
  analysis_stop (analysis);
}

/* Whether it runs is looked at first, with the lock until the count is read: a count that has moved
 * to n_before must not be added twice. */
void
analysis_get (Analysis *analysis, AnalysisCounters *out)
{
  g_mutex_lock (&analysis->lock);
  g_autoptr (GstStructure) stats = analysis->is_running ? get_stats (analysis) : NULL;
  *out = (AnalysisCounters){
      .n_analysed = analysis->n_before + read_stat (stats, "frames-analysed"),
      .mean_ns = read_stat (stats, "total-mean"),
      .latency_ns = analysis->latency_ns,
      .last_frame_us = analysis->last_frame_us,
  };
  g_mutex_unlock (&analysis->lock);
}
