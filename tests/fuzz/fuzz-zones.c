/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-zones.c - any bytes as a file of zones: refused with an error, or zones inside
 * the frame, into which and out of which objects go. */
#include <string.h>

#include "gst/track/zoneconfig.h"
#include "gst/track/zones.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"

#define N_OBJECTS 8

static void
check_zone (const YvZone *zone)
{
  g_assert_true (g_utf8_validate (zone->name, -1, NULL) && *zone->name);
  g_assert_true (zone->margin >= 0 && zone->margin <= 1);
  g_assert_cmpuint (zone->n_points, >=, zone->kind == YV_ZONE_LINE ? 2 : 3);
  g_assert_cmpuint (zone->n_points, <=, zone->kind == YV_ZONE_LINE ? 2 : YV_MAX_ZONE_POINTS);
  for (uint32_t i = 0; i < zone->n_points; i++) {
    g_assert_true (zone->points[i].x >= 0 && zone->points[i].x <= 1);
    g_assert_true (zone->points[i].y >= 0 && zone->points[i].y <= 1);
  }
  for (uint32_t i = 0; i < zone->n_classes; i++)
    g_assert_true ((zone->classes[i].index >= 0) == !zone->classes[i].name);
}

/* Each object goes its own way over the frame and a little beyond it. */
static void
walk (YvZones *zones)
{
  YvZoneObject objects[N_OBJECTS];

  for (int64_t frame = 0; frame < 32; frame++) {
    const YvZoneFrame at = {640, 480, frame};
    for (int i = 0; i < N_OBJECTS; i++)
      objects[i] = (YvZoneObject){.id = i,
                                  .seen = (frame + i) % 5 != 0,
                                  .x = (double) ((frame * (17 + 8 * i)) % 700) - 30,
                                  .y = (double) ((frame * (11 + 6 * i)) % 540) - 30,
                                  .w = 10,
                                  .h = 20,
                                  .class_index = i % 3 - 1,
                                  .label = i % 2 ? "person" : NULL};
    yv_zones_update (zones, &at, objects, frame % 8 == 7 ? N_OBJECTS / 2 : N_OBJECTS);
  }
  const YvZoneFrame last = {640, 480, 32};
  yv_zones_update (zones, &last, NULL, 0);
  for (uint32_t i = 0; i < yv_zones_n (zones); i++) {
    const YvZone *zone = yv_zones_get (zones, i);
    g_assert_cmpuint (zone->count, ==, 0);
    g_assert_cmpuint (zone->entered, ==, zone->left);
    g_assert_cmpuint (zone->dwell_max_ns, <=, zone->dwell_sum_ns);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;

  GPtrArray *list = yv_zone_config_read (fuzz_put ("zones.json", bytes, size_bytes), &error);
  fuzz_check_error (list, error);
  if (!list)
    return 0;

  g_assert_cmpuint (list->len, <=, YV_MAX_ZONES);
  for (guint i = 0; i < list->len; i++)
    check_zone (list->pdata[i]);
  g_autoptr (YvZones) zones = yv_zones_new (list);
  walk (zones);
  return 0;
}
