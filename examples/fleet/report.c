/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/report.c - numbers and states as text. */
#include "examples/fleet/report.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "common/json.h"
#include "examples/common/metrics.h"
#include "examples/fleet/note.h"

#define NOT_RUNNING "starting or ending" /* in the place of a camera's state */

/* ---- metrics --------------------------------------------------------------------------------- */

static void
write_one (GString *out, const char *name, const char *type, const char *help, double value)
{
  metrics_begin (out, name, type, help);
  metrics_add (out, name, value, NULL);
}

static void
write_totals (GString *out, const FleetTotals *totals)
{
  static const char cameras[] = "yolov7_fleet_cameras_total";
  static const char bad[] = "yolov7_fleet_bad_messages_total";

  write_one (out, "yolov7_fleet_sessions_total", "counter", "Connections with the broker.",
             (double) totals->n_sessions);
  metrics_begin (out, cameras, "counter", "Cameras that came and went.");
  metrics_add (out, cameras, (double) totals->n_taken, "what", "taken", NULL);
  metrics_add (out, cameras, (double) totals->n_removed, "what", "removed", NULL);
  metrics_add (out, cameras, (double) totals->n_given_back, "what", "given-back", NULL);
  metrics_add (out, cameras, (double) totals->n_put_away, "what", "failed", NULL);
  write_one (out, "yolov7_fleet_failed_attempts_total", "counter",
             "Times that a camera did not work.", (double) totals->n_failures);
  metrics_begin (out, bad, "counter", "Messages that could not be used.");
  metrics_add (out, bad, (double) totals->n_malformed, "what", "camera", NULL);
  metrics_add (out, bad, (double) totals->n_bad_notes, "what", "note", NULL);
}

static void
write_cameras (GString *out, GPtrArray *jobs)
{
  g_autofree MetricsCamera *cameras = g_new0 (MetricsCamera, jobs->len + 1);

  for (guint i = 0; i < jobs->len; i++) {
    cameras[i].name = fleet_job_name (jobs->pdata[i]);
    cameras[i].is_running = fleet_job_get_counters (jobs->pdata[i], &cameras[i].counters);
  }
  metrics_add_counted (out, cameras, jobs->len);
}

void
fleet_report_metrics (GString *out, const FleetState *state)
{
  write_one (out, "yolov7_fleet_connected", "gauge", "1: the broker is there.",
             state->is_connected);
  write_one (out, "yolov7_fleet_capacity_cameras", "gauge", "Cameras that it takes.",
             state->capacity);
  write_one (out, "yolov7_fleet_held_cameras", "gauge", "Cameras that it has.", state->n_held);
  write_totals (out, &state->totals);
  write_cameras (out, state->jobs);
}

/* ---- answers --------------------------------------------------------------------------------- */

static char *
take_text (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);

  return json_to_string (root, FALSE);
}

static void
add_text (JsonBuilder *builder, const char *member, const char *text)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_string_value (builder, text);
}

static void
add_number (JsonBuilder *builder, const char *member, gint64 number)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_int_value (builder, number);
}

char *
fleet_report_worker (const char *worker, uint32_t capacity, uint32_t n_held)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_text (builder, "worker", worker);
  add_number (builder, "capacity", capacity);
  add_number (builder, "held", n_held);
  json_builder_end_object (builder);
  return take_text (builder);
}

char *
fleet_report_camera (const char *worker, FleetJob *job)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  CameraCounters counters;
  const bool is_known = fleet_job_get_counters (job, &counters);

  json_builder_begin_object (builder);
  add_text (builder, "worker", worker);
  add_text (builder, "camera", fleet_job_name (job));
  add_text (builder, "state", is_known ? camera_state_name (counters.state) : NOT_RUNNING);
  if (is_known) {
    add_number (builder, "frames", (gint64) counters.n_frames);
    add_number (builder, "analysed", (gint64) counters.n_analysed);
  }
  json_builder_end_object (builder);
  return take_text (builder);
}

static char *
get_text (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);
  const bool is_text = node && json_node_get_value_type (node) == G_TYPE_STRING;

  return fleet_plain (is_text ? json_node_get_string (node) : "?");
}

static gint64
get_number (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : 0;
}

bool
fleet_report_show (const char *text, size_t size_bytes, GString *out, uint32_t *n_cameras)
{
  g_autoptr (JsonParser) parser = json_parser_new ();

  if (!g_utf8_validate_len (text, size_bytes, NULL) || !yv_json_check (text, size_bytes, 2, NULL) ||
      !json_parser_load_from_data (parser, text, (gssize) size_bytes, NULL) ||
      !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return false;
  JsonObject *object = json_node_get_object (json_parser_get_root (parser));
  g_autofree char *worker = get_text (object, "worker");
  if (!json_object_has_member (object, "camera")) {
    g_string_append_printf (out, "%-24s holds %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT "\n",
                            worker, get_number (object, "held"), get_number (object, "capacity"));
    return true;
  }
  g_autofree char *camera = get_text (object, "camera"), *state = get_text (object, "state");
  g_string_append_printf (
      out, "%-24s %-24s %-10s %" G_GINT64_FORMAT " frames, %" G_GINT64_FORMAT " analysed\n", worker,
      camera, state, get_number (object, "frames"), get_number (object, "analysed"));
  *n_cameras += strcmp (state, NOT_RUNNING) != 0;
  return true;
}
