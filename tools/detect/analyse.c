/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/analyse.c - each frame that passes is analysed, told, and gets its detections. */
#include "tools/detect/analyse.h"

#include <stdio.h>

#include "gst/found.h"
#include "gst/frameview.h"
#include "tools/json.h"

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
  const GstYolov7Frame frame = {
      .width = (guint) job->video.width,
      .height = (guint) job->video.height,
      .pts = GST_BUFFER_PTS (buffer),
      .duration = GST_BUFFER_DURATION (buffer),
  };

  gst_yolov7_found_convert (found, yv_engine_info (job->engine)->class_names, job->attached);
  gst_yolov7_detections_attach (buffer, &frame,
                                (const GstYolov7Detection *) (gpointer) job->attached->data,
                                job->attached->len, 0);
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

void
analyse_frames_of (GstElement *pipeline, Job *job)
{
  g_autoptr (GstElement) analyse = gst_bin_get_by_name (GST_BIN (pipeline), "analyse");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (analyse, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, job, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, job, NULL);
}
