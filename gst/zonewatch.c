/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/zonewatch.c - takes the zones of a text into use, and posts what happens there. */
#include "gst/zonewatch.h"

#include "gst/detectionmeta.h"
#include "gst/posterror.h"
#include "gst/track/zoneconfig.h"
#include "gst/zonemeta.h"

_Static_assert(GST_YOLOV7_MAX_ZONES == YV_MAX_ZONES &&
                   GST_YOLOV7_MAX_ZONE_POINTS == YV_MAX_ZONE_POINTS,
               "what can be counted can be told");

struct _GstYolov7ZoneWatch {
  GstElement *element; /* borrowed */
  GMutex reading;      /* held while a text is read, so that texts come into use in their order */

  /* protected by the element's object lock */
  char *text;          /* (nullable) */
  gboolean is_running; /* changes only while reading is held, too */
  gboolean has_next;   /* for the next frame: */
  YvZones *next;       /* (nullable): none any more */

  /* streaming thread only, from start() to stop() */
  YvZones *zones;  /* (nullable) */
  GArray *objects; /* of YvZoneObject; these three are kept for their memory */
  GArray *ids;     /* of int64_t */
  GArray *told;    /* of GstYolov7Zone */
};

/* ---- the text ------------------------------------------------------------------------------- */

GstYolov7ZoneWatch *
gst_yolov7_zone_watch_new (GstElement *element)
{
  GstYolov7ZoneWatch *watch = g_new0 (GstYolov7ZoneWatch, 1);

  watch->element = element;
  g_mutex_init (&watch->reading);
  watch->objects = g_array_new (FALSE, TRUE, sizeof (YvZoneObject));
  watch->ids = g_array_new (FALSE, FALSE, sizeof (int64_t));
  watch->told = g_array_new (FALSE, FALSE, sizeof (GstYolov7Zone));
  return watch;
}

void
gst_yolov7_zone_watch_free (GstYolov7ZoneWatch *watch)
{
  gst_yolov7_zone_watch_stop (watch);
  g_array_unref (watch->told);
  g_array_unref (watch->ids);
  g_array_unref (watch->objects);
  g_free (watch->text);
  g_mutex_clear (&watch->reading);
  g_free (watch);
}

/* Returns: FALSE with an error; else *zones is NULL where @text says none. */
static gboolean
read_zones (const char *text, YvZones **zones, GError **error)
{
  *zones = NULL;
  if (!text || !*text)
    return TRUE;

  GPtrArray *list = yv_zone_config_read (text, error);
  if (!list)
    return FALSE;
  *zones = yv_zones_new (list);
  return TRUE;
}

static gboolean
is_running (GstYolov7ZoneWatch *watch)
{
  GST_OBJECT_LOCK (watch->element);
  const gboolean running = watch->is_running;
  GST_OBJECT_UNLOCK (watch->element);
  return running;
}

/* @zones: (transfer full) (nullable) */
static void
use_text (GstYolov7ZoneWatch *watch, const char *text, YvZones *zones)
{
  char *copy = g_strdup (text);

  GST_OBJECT_LOCK (watch->element);
  YvZones *old_next = watch->next;
  char *old_text = watch->text;
  watch->text = copy;
  watch->next = zones;
  watch->has_next = watch->is_running;
  GST_OBJECT_UNLOCK (watch->element);
  g_free (old_text);
  yv_zones_free (old_next);
}

static gboolean
change_text (GstYolov7ZoneWatch *watch, const char *text, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->reading);
  YvZones *zones = NULL;

  if (is_running (watch) && !read_zones (text, &zones, error))
    return FALSE;
  use_text (watch, text, zones);
  return TRUE;
}

/* Who handles the message may set a text: nothing is held while it is posted. */
void
gst_yolov7_zone_watch_set_text (GstYolov7ZoneWatch *watch, const char *text)
{
  GError *error = NULL;

  if (!change_text (watch, text, &error))
    GST_YOLOV7_POST_WARNING (watch->element, "the zones stay as they are", error);
}

char *
gst_yolov7_zone_watch_get_text (GstYolov7ZoneWatch *watch)
{
  GST_OBJECT_LOCK (watch->element);
  char *text = g_strdup (watch->text);
  GST_OBJECT_UNLOCK (watch->element);
  return text;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
set_running (GstYolov7ZoneWatch *watch, gboolean running)
{
  GST_OBJECT_LOCK (watch->element);
  YvZones *unused = g_steal_pointer (&watch->next);
  watch->is_running = running;
  watch->has_next = FALSE;
  GST_OBJECT_UNLOCK (watch->element);
  yv_zones_free (unused);
}

static gboolean
read_first (GstYolov7ZoneWatch *watch, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->reading);
  g_autofree char *text = gst_yolov7_zone_watch_get_text (watch);

  if (!read_zones (text, &watch->zones, error))
    return FALSE;
  set_running (watch, TRUE);
  return TRUE;
}

gboolean
gst_yolov7_zone_watch_start (GstYolov7ZoneWatch *watch)
{
  GError *error = NULL;

  if (read_first (watch, &error))
    return TRUE;
  GST_YOLOV7_POST_ERROR (watch->element, "could not read the zones", error);
  return FALSE;
}

void
gst_yolov7_zone_watch_stop (GstYolov7ZoneWatch *watch)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->reading);

  set_running (watch, FALSE);
  g_clear_pointer (&watch->zones, yv_zones_free);
}

/* Zones that were set since the last frame. */
static void
take_next (GstYolov7ZoneWatch *watch)
{
  GST_OBJECT_LOCK (watch->element);
  const gboolean has_next = watch->has_next;
  YvZones *zones = g_steal_pointer (&watch->next);
  watch->has_next = FALSE;
  GST_OBJECT_UNLOCK (watch->element);

  if (!has_next)
    return;
  if (zones && watch->zones)
    yv_zones_inherit (zones, watch->zones);
  yv_zones_free (watch->zones);
  watch->zones = zones;
}

void
gst_yolov7_zone_watch_flush (GstYolov7ZoneWatch *watch)
{
  if (watch->zones)
    yv_zones_flush (watch->zones);
}

/* ---- frames --------------------------------------------------------------------------------- */

/* What was seen, and then, as not seen, every track that is alive: of those with the same id the
 * first counts. */
static void
list_objects (GstYolov7ZoneWatch *watch, const GArray *found, const YvTracker *tracker)
{
  g_array_set_size (watch->objects, 0);
  for (guint i = 0; i < found->len; i++) {
    const GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, i);
    const YvZoneObject object = {
        .id = d->id,
        .seen = !d->predicted,
        .x = d->x,
        .y = d->y,
        .w = d->w,
        .h = d->h,
        .class_index = d->class_index,
        .label = d->label,
    };
    g_array_append_val (watch->objects, object);
  }
  g_array_set_size (watch->ids, 0);
  yv_tracker_list_ids (tracker, watch->ids);
  for (guint i = 0; i < watch->ids->len; i++) {
    const YvZoneObject object = {.id = g_array_index (watch->ids, int64_t, i)};
    g_array_append_val (watch->objects, object);
  }
}

static GstStructure *
structure_of_event (const YvZoneEvent *event, GstClockTime pts, const GstSegment *segment)
{
  static const char *const names[] = {[YV_ZONE_ENTER] = "enter",
                                      [YV_ZONE_LEAVE] = "leave",
                                      [YV_ZONE_FORWARD] = "forward",
                                      [YV_ZONE_BACKWARD] = "backward"};
  const bool is_timed = segment->format == GST_FORMAT_TIME;
  const GstClockTime stream_time =
      is_timed ? gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts) : GST_CLOCK_TIME_NONE;
  const GstClockTime running_time =
      is_timed ? gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts) : GST_CLOCK_TIME_NONE;
  GstStructure *s = gst_structure_new (
      "yolov7-zone", "zone", G_TYPE_STRING, event->zone->name, "kind", G_TYPE_STRING,
      event->zone->kind == YV_ZONE_LINE ? "line" : "zone", "event", G_TYPE_STRING,
      names[event->kind], "id", G_TYPE_INT64, event->id, "label", G_TYPE_STRING,
      event->label ? event->label : "", "count", G_TYPE_UINT64, event->count, "timestamp",
      G_TYPE_UINT64, pts, "stream-time", G_TYPE_UINT64, stream_time, "running-time", G_TYPE_UINT64,
      running_time, NULL);

  if (event->class_index >= 0)
    gst_structure_set (s, "class-index", G_TYPE_UINT, (guint) event->class_index, NULL);
  if (event->kind == YV_ZONE_LEAVE)
    gst_structure_set (s, "dwell", G_TYPE_UINT64, event->dwell_ns, NULL);
  return s;
}

static void
post_events (GstYolov7ZoneWatch *watch, const GArray *events, GstClockTime pts,
             const GstSegment *segment)
{
  for (guint i = 0; i < events->len; i++)
    gst_element_post_message (
        watch->element,
        gst_message_new_element (
            GST_OBJECT (watch->element),
            structure_of_event (&g_array_index (events, YvZoneEvent, i), pts, segment)));
}

void
gst_yolov7_zone_watch_end (GstYolov7ZoneWatch *watch, GstClockTime pts, const GstSegment *segment)
{
  if (watch->zones)
    post_events (watch, yv_zones_end (watch->zones), pts, segment);
}

void
gst_yolov7_zone_watch_see (GstYolov7ZoneWatch *watch, const YvZoneFrame *frame,
                           const GstSegment *segment, const GArray *found, const YvTracker *tracker)
{
  take_next (watch);
  if (!watch->zones)
    return;

  const GstClockTime pts = frame->pts_ns >= 0 ? (GstClockTime) frame->pts_ns : GST_CLOCK_TIME_NONE;
  list_objects (watch, found, tracker);
  const GArray *events = yv_zones_update (
      watch->zones, frame, (const YvZoneObject *) watch->objects->data, watch->objects->len);
  post_events (watch, events, pts, segment);
}

void
gst_yolov7_zone_watch_tell (GstYolov7ZoneWatch *watch, GstBuffer *buffer)
{
  take_next (watch);
  if (!watch->zones)
    return;
  gst_yolov7_zones_list (watch->zones, watch->told);
  gst_yolov7_zones_attach (buffer, (const GstYolov7Zone *) watch->told->data, watch->told->len);
}

static void
tell_zone (const YvZone *zone, GstYolov7Zone *out)
{
  *out = (GstYolov7Zone){
      .name = zone->name,
      .kind = zone->kind == YV_ZONE_LINE ? GST_YOLOV7_ZONE_LINE : GST_YOLOV7_ZONE_POLYGON,
      .n_points = zone->n_points,
      .count = zone->count,
      .entered = zone->entered,
      .left = zone->left,
      .dwell_mean = zone->left > 0 ? zone->dwell_sum_ns / zone->left : 0,
      .dwell_max = zone->dwell_max_ns,
      .forward = zone->forward,
      .backward = zone->backward,
  };
  for (uint32_t i = 0; i < zone->n_points; i++)
    out->points[i] = (GstYolov7ZonePoint){zone->points[i].x, zone->points[i].y};
}

void
gst_yolov7_zones_list (const YvZones *zones, GArray *told)
{
  g_array_set_size (told, yv_zones_n (zones));
  for (uint32_t i = 0; i < yv_zones_n (zones); i++)
    tell_zone (yv_zones_get (zones, i), &g_array_index (told, GstYolov7Zone, i));
}
