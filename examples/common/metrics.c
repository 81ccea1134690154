/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/metrics.c - numbers as Prometheus reads them. */
#include "examples/common/metrics.h"

#include <stdarg.h>

void
metrics_begin (GString *out, const char *name, const char *type, const char *help)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
append_value (GString *out, const char *value)
{
  for (const char *at = value; *at; at++) {
    if (*at == '\n')
      g_string_append (out, "\\n");
    else if (*at == '"' || *at == '\\')
      g_string_append_printf (out, "\\%c", *at);
    else
      g_string_append_c (out, *at);
  }
}

void
metrics_add (GString *out, const char *name, double value, ...)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  char separator = '{';
  va_list labels;

  g_string_append (out, name);
  va_start (labels, value);
  for (const char *label = va_arg (labels, const char *); label;
       label = va_arg (labels, const char *)) {
    g_string_append_printf (out, "%c%s=\"", separator, label);
    append_value (out, va_arg (labels, const char *));
    g_string_append_c (out, '"');
    separator = ',';
  }
  va_end (labels);
  g_string_append_printf (out, "%s %s\n", separator == ',' ? "}" : "",
                          g_ascii_dtostr (number, sizeof number, value));
}

static double
is_up (const CameraCounters *counters)
{
  return counters->state == CAMERA_PLAYING;
}

static double
get_frames (const CameraCounters *counters)
{
  return (double) counters->n_frames;
}

static double
get_dropped (const CameraCounters *counters)
{
  return (double) counters->n_dropped;
}

static double
get_analysed (const CameraCounters *counters)
{
  return (double) counters->n_analysed;
}

static double
get_losses (const CameraCounters *counters)
{
  return (double) counters->n_losses;
}

static double
get_hanging (const CameraCounters *counters)
{
  return (double) counters->n_hanging;
}

static double
get_latency (const CameraCounters *counters)
{
  return (double) counters->latency_ns / 1e9;
}

static double
get_analysis (const CameraCounters *counters)
{
  return (double) counters->analysis_ns / 1e9;
}

static const struct {
  const char *name, *type, *help;
  double (*get) (const CameraCounters *);
} families[] = {
    {"yolov7_camera_up", "gauge", "1 while frames come.", is_up},
    {"yolov7_camera_frames_total", "counter", "Frames that came from the source.", get_frames},
    {"yolov7_camera_dropped_frames_total", "counter", "Frames the analysis had no room for.",
     get_dropped},
    {"yolov7_camera_analysed_frames_total", "counter", "Frames that were analysed.", get_analysed},
    {"yolov7_camera_losses_total", "counter", "Times that the source was lost.", get_losses},
    {"yolov7_camera_hanging", "gauge", "Attempts to play the source that could not be closed.",
     get_hanging},
    {"yolov7_camera_latency_seconds", "gauge", "From the newest frame until it left the analysis.",
     get_latency},
    {"yolov7_camera_analysis_seconds", "gauge", "Mean time of an analysis lately.", get_analysis},
};

static void
add_states (GString *out, const MetricsCamera *cameras, guint n_cameras)
{
  const gint64 now_us = g_get_monotonic_time ();

  metrics_begin (out, "yolov7_camera_state_seconds", "gauge",
                 "How long the camera is in its state.");
  for (guint i = 0; i < n_cameras; i++)
    if (cameras[i].is_running)
      metrics_add (out, "yolov7_camera_state_seconds",
                   (double) MAX (now_us - cameras[i].counters.since_us, 0) / 1e6, "camera",
                   cameras[i].name, "state", camera_state_name (cameras[i].counters.state), NULL);
}

void
metrics_add_counted (GString *out, const MetricsCamera *cameras, guint n_cameras)
{
  for (guint family = 0; family < G_N_ELEMENTS (families); family++) {
    metrics_begin (out, families[family].name, families[family].type, families[family].help);
    for (guint i = 0; i < n_cameras; i++)
      if (cameras[i].is_running || families[family].get == is_up)
        metrics_add (out, families[family].name, families[family].get (&cameras[i].counters),
                     "camera", cameras[i].name, NULL);
  }
  add_states (out, cameras, n_cameras);
}

void
metrics_add_cameras (GString *out, GPtrArray *cameras)
{
  g_autofree MetricsCamera *counted = g_new0 (MetricsCamera, cameras->len + 1);

  for (guint i = 0; i < cameras->len; i++) {
    counted[i] =
        (MetricsCamera){.name = camera_config (cameras->pdata[i])->name, .is_running = true};
    camera_get_counters (cameras->pdata[i], &counted[i].counters);
  }
  metrics_add_counted (out, counted, cameras->len);
}
