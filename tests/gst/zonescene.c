/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/zonescene.c - frames with objects at given places, and what happens there as text. */
#include "tests/gst/zonescene.h"

#include "gst/track/zoneconfig.h"

static YvZones *
read_zones (const char *text)
{
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  GPtrArray *list = yv_zone_config_read (json, &error);

  g_assert_no_error (error);
  return yv_zones_new (list);
}

void
scene_init (Scene *scene, const char *text)
{
  *scene = (Scene){.zones = read_zones (text), .log = g_string_new (NULL)};
}

void
scene_clear (Scene *scene)
{
  yv_zones_free (scene->zones);
  g_string_free (scene->log, TRUE);
}

void
scene_change (Scene *scene, const char *text)
{
  YvZones *zones = read_zones (text);

  yv_zones_inherit (zones, scene->zones);
  yv_zones_free (scene->zones);
  scene->zones = zones;
}

YvZoneObject
object_at (int64_t id, double x, double y)
{
  return (YvZoneObject){
      .id = id, .seen = true, .x = x - 10, .y = y - 20, .w = 20, .h = 20, .class_index = -1};
}

static void
write_event (GString *log, const YvZoneEvent *event)
{
  static const char signs[] = {[YV_ZONE_ENTER] = '+',
                               [YV_ZONE_LEAVE] = '-',
                               [YV_ZONE_FORWARD] = '>',
                               [YV_ZONE_BACKWARD] = '<'};

  g_string_append_printf (log, "%s%c%d", log->len > 0 ? " " : "", signs[event->kind],
                          (int) event->id);
  if (event->kind == YV_ZONE_LEAVE)
    g_string_append_printf (log, "/%g", (double) event->dwell_ns / SECOND_NS);
}

const GArray *
show (Scene *scene, const YvZoneObject *objects, uint32_t n)
{
  const YvZoneFrame frame = {1000, 1000, scene->pts_ns};
  const GArray *events = yv_zones_update (scene->zones, &frame, objects, n);

  for (guint i = 0; i < events->len; i++)
    write_event (scene->log, &g_array_index (events, YvZoneEvent, i));
  scene->pts_ns += SECOND_NS;
  return events;
}

void
show_at (Scene *scene, double x, double y)
{
  const YvZoneObject object = object_at (1, x, y);

  show (scene, &object, 1);
}

void
show_unseen (Scene *scene)
{
  const YvZoneObject object = {.id = 1, .x = 500, .y = 500, .w = 1, .h = 1};

  show (scene, &object, 1);
}

const YvZone *
first (const Scene *scene)
{
  return yv_zones_get (scene->zones, 0);
}

void
check_points (const char *text, const double (*points)[3], uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    g_auto (Scene) scene = {0};
    scene_init (&scene, text);
    show_at (&scene, points[i][0], points[i][1]);
    if (first (&scene)->count != (points[i][2] != 0))
      g_error ("%g, %g is taken for %s", points[i][0], points[i][1],
               first (&scene)->count ? "inside" : "outside");
  }
}
