/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/zones.c - one small state for each pair of object and zone. */
#include "gst/track/zones.h"

#include <math.h>
#include <string.h>

/* What lies this near to an edge is on it: sums of shares and pixels round. */
#define EDGE_PX 1e-6

typedef struct {
  double x0, y0, x1, y1;
} Bounds;

/* One object in one zone. */
typedef struct {
  bool counts;        /* the object is of a class that the zone counts */
  bool inside;        /* of a zone */
  int8_t crossing;    /* of a line: 1 forward, -1 backward, on the way; else 0 */
  int64_t entered_ns; /* where inside */
} State;

typedef struct {
  int64_t id;        /* the key of by_id */
  uint64_t update;   /* the last one in which it was alive */
  int64_t seen_ns;   /* when it was seen last */
  YvZonePoint at[2]; /* where; by YvAnchor, frame px */
  int class_index;
  char *label;
  State states[]; /* [zones->list->len] */
} Object;

struct YvZones {
  GPtrArray *list; /* of YvZone */
  YvZonePoint *px; /* [list->len][YV_MAX_ZONE_POINTS]: the points in frame px */
  Bounds *bounds;  /* [list->len], frame px */
  uint32_t width, height;
  int64_t now_ns;
  uint64_t update;
  GPtrArray *objects; /* of Object, owned; in the order they came */
  GPtrArray *spare;   /* of Object, owned; for their memory */
  GHashTable *by_id;  /* &Object.id -> Object */
  GArray *events;     /* of YvZoneEvent */
};

/* ---- geometry, all in px -------------------------------------------------------------------- */

/* The square of the distance. */
static double
distance2_to_edge (YvZonePoint p, YvZonePoint a, YvZonePoint b)
{
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const double along = length2 > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2 : 0;
  const double t = CLAMP (along, 0, 1);

  const double x = p.x - a.x - t * dx, y = p.y - a.y - t * dy;

  return x * x + y * y;
}

/* Returns: 0 inside, else how far outside @p is; HUGE_VAL where it is farther than @reach from the
 * bounding box. */
static double
distance_outside (YvZonePoint p, const YvZonePoint *points, uint32_t n, const Bounds *bounds,
                  double reach)
{
  double nearest2 = HUGE_VAL;
  bool inside = false;

  if (p.x < bounds->x0 - reach || p.x > bounds->x1 + reach || p.y < bounds->y0 - reach ||
      p.y > bounds->y1 + reach)
    return HUGE_VAL;
  for (uint32_t i = 0, before = n - 1; i < n; before = i++) {
    const YvZonePoint a = points[before], b = points[i];
    /* a ray to the right meets the edge; each end belongs to one of the edges that share it */
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (p.y - a.y) * (b.x - a.x) / (b.y - a.y))
      inside = !inside;
    nearest2 = MIN (nearest2, distance2_to_edge (p, a, b));
  }
  return inside ? 0 : sqrt (nearest2);
}

/* > 0 to the right of the way from @a to @b, where y grows downwards. */
static double
side_of (YvZonePoint p, YvZonePoint a, YvZonePoint b)
{
  return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

/* The way from @from to @to over the line from @a to @b, on which one is still to the left.
 * Returns: 1 forward, -1 backward, 0 not over it. */
static int
crossing_of (YvZonePoint from, YvZonePoint to, YvZonePoint a, YvZonePoint b)
{
  const double before = side_of (from, a, b), after = side_of (to, a, b);
  if ((before > 0) == (after > 0))
    return 0;

  const double share = before / (before - after), dx = b.x - a.x, dy = b.y - a.y;
  const double x = from.x + share * (to.x - from.x), y = from.y + share * (to.y - from.y);
  const double along = (x - a.x) * dx + (y - a.y) * dy, slack = EDGE_PX * hypot (dx, dy);
  if (!(along >= -slack && along <= dx * dx + dy * dy + slack)) /* nor where it is not a number */
    return 0;
  return after > 0 ? 1 : -1;
}

static bool
is_finite_box (const YvZoneObject *o)
{
  return isfinite (o->x) && isfinite (o->y) && isfinite (o->w) && isfinite (o->h);
}

/* ---- life ----------------------------------------------------------------------------------- */

void
yv_zone_free (YvZone *zone)
{
  if (!zone)
    return;
  for (uint32_t i = 0; i < zone->n_classes; i++)
    g_free (zone->classes[i].name);
  g_free (zone->classes);
  g_free (zone->name);
  g_free (zone);
}

static void
object_free (gpointer pointer)
{
  Object *object = pointer;

  g_free (object->label);
  g_free (object);
}

YvZones *
yv_zones_new (GPtrArray *list)
{
  YvZones *zones = g_new0 (YvZones, 1);

  g_assert (list->len <= YV_MAX_ZONES);
  zones->list = list;
  zones->px = g_new0 (YvZonePoint, (gsize) list->len * YV_MAX_ZONE_POINTS);
  zones->bounds = g_new0 (Bounds, list->len);
  zones->objects = g_ptr_array_new ();
  zones->spare = g_ptr_array_new_with_free_func (object_free);
  zones->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
  zones->events = g_array_new (FALSE, FALSE, sizeof (YvZoneEvent));
  return zones;
}

void
yv_zones_free (YvZones *zones)
{
  if (!zones)
    return;
  yv_zones_flush (zones);
  g_array_unref (zones->events);
  g_hash_table_unref (zones->by_id);
  g_ptr_array_unref (zones->spare);
  g_ptr_array_unref (zones->objects);
  g_free (zones->bounds);
  g_free (zones->px);
  g_ptr_array_unref (zones->list);
  g_free (zones);
}

/* ---- objects -------------------------------------------------------------------------------- */

static bool
counts_class (const YvZone *zone, const YvZoneObject *o)
{
  for (uint32_t i = 0; i < zone->n_classes; i++) {
    const YvZoneClass *class = &zone->classes[i];
    if (class->index >= 0 ? class->index == o->class_index
                          : o->label && g_ascii_strcasecmp (class->name, o->label) == 0)
      return true;
  }
  return zone->n_classes == 0;
}

static Object *
begin_object (YvZones *zones, const YvZoneObject *o)
{
  GPtrArray *spare = zones->spare;
  Object *object = spare->len > 0 ? g_ptr_array_steal_index_fast (spare, spare->len - 1)
                                  : g_malloc0 (sizeof (Object) + zones->list->len * sizeof (State));

  object->id = o->id;
  object->class_index = o->class_index;
  g_free (object->label);
  object->label = g_strdup (o->label);
  for (uint32_t i = 0; i < zones->list->len; i++)
    object->states[i] = (State){.counts = counts_class (zones->list->pdata[i], o)};
  g_hash_table_insert (zones->by_id, &object->id, object);
  g_ptr_array_add (zones->objects, object);
  return object;
}

static void
forget_object (YvZones *zones, Object *object)
{
  g_hash_table_remove (zones->by_id, &object->id);
  g_ptr_array_add (zones->spare, object);
}

/* ---- events --------------------------------------------------------------------------------- */

static void
add_event (YvZones *zones, const YvZone *zone, const Object *object, YvZoneEventKind kind,
           uint64_t count, uint64_t dwell_ns)
{
  const YvZoneEvent event = {
      .zone = zone,
      .kind = kind,
      .id = object->id,
      .class_index = object->class_index,
      .label = object->label,
      .dwell_ns = dwell_ns,
      .count = count,
  };

  g_array_append_val (zones->events, event);
}

static void
enter (YvZones *zones, YvZone *zone, const Object *object, State *state)
{
  state->inside = true;
  state->entered_ns = zones->now_ns;
  zone->entered++;
  zone->count++;
  add_event (zones, zone, object, YV_ZONE_ENTER, zone->count, 0);
}

static void
leave (YvZones *zones, YvZone *zone, const Object *object, State *state, int64_t when_ns)
{
  const uint64_t dwell_ns = /* times fall where video is played backwards */
      (uint64_t) (MAX (when_ns, state->entered_ns) - MIN (when_ns, state->entered_ns));

  state->inside = false;
  zone->left++;
  zone->count--;
  zone->dwell_max_ns = MAX (zone->dwell_max_ns, dwell_ns);
  zone->dwell_sum_ns += MIN (dwell_ns, G_MAXUINT64 - zone->dwell_sum_ns);
  add_event (zones, zone, object, YV_ZONE_LEAVE, zone->count, dwell_ns);
}

/* Unless it is @at the side it came from: it went back around an end of the line. */
static void
cross (YvZones *zones, uint32_t i, const Object *object, State *state, YvZonePoint at)
{
  YvZone *zone = zones->list->pdata[i];
  const YvZonePoint *ends = &zones->px[i * YV_MAX_ZONE_POINTS];
  const bool is_forward = state->crossing > 0;
  uint64_t *total = is_forward ? &zone->forward : &zone->backward;

  state->crossing = 0;
  if (is_forward != (side_of (at, ends[0], ends[1]) > 0))
    return;
  ++*total;
  add_event (zones, zone, object, is_forward ? YV_ZONE_FORWARD : YV_ZONE_BACKWARD, *total, 0);
}

/* ---- a frame -------------------------------------------------------------------------------- */

static void
update_polygon (YvZones *zones, uint32_t i, const Object *object, State *state, YvZonePoint at,
                double margin_px)
{
  YvZone *zone = zones->list->pdata[i];
  const double outside = distance_outside (at, &zones->px[i * YV_MAX_ZONE_POINTS], zone->n_points,
                                           &zones->bounds[i], margin_px);

  if (!state->inside && outside <= EDGE_PX)
    enter (zones, zone, object, state);
  else if (state->inside && outside > margin_px)
    leave (zones, zone, object, state, zones->now_ns);
}

static void
update_line (YvZones *zones, uint32_t i, const Object *object, State *state, YvZonePoint from,
             YvZonePoint at, double margin_px)
{
  const YvZonePoint *ends = &zones->px[i * YV_MAX_ZONE_POINTS];
  const int crossing = state->crossing + crossing_of (from, at, ends[0], ends[1]);

  /* twice the same way while near, around an end of the line, is once */
  state->crossing = (int8_t) CLAMP (crossing, -1, 1);
  if (state->crossing != 0 && distance2_to_edge (at, ends[0], ends[1]) > margin_px * margin_px)
    cross (zones, i, object, state, at);
}

/* @is_new: it has not come from anywhere. */
static void
move_object (YvZones *zones, Object *object, const YvZoneObject *o, bool is_new)
{
  const double x = o->x + o->w / 2, size = fabs (o->w) / 2 + fabs (o->h) / 2;
  const YvZonePoint at[2] = {
      [YV_ANCHOR_BOTTOM] = {x, o->y + o->h}, [YV_ANCHOR_CENTER] = {x, o->y + o->h / 2}};

  for (uint32_t i = 0; i < zones->list->len; i++) {
    const YvZone *zone = zones->list->pdata[i];
    const double margin_px = MAX (zone->margin * size, EDGE_PX);
    State *state = &object->states[i];
    if (!state->counts)
      continue;
    if (zone->kind == YV_ZONE_POLYGON)
      update_polygon (zones, i, object, state, at[zone->anchor], margin_px);
    else if (!is_new)
      update_line (zones, i, object, state, object->at[zone->anchor], at[zone->anchor], margin_px);
  }
  memcpy (object->at, at, sizeof (at));
  object->seen_ns = zones->now_ns;
}

static void
update_object (YvZones *zones, const YvZoneObject *o)
{
  Object *object = g_hash_table_lookup (zones->by_id, &o->id);
  const bool is_new = !object, is_seen = o->seen && is_finite_box (o);

  if (o->id < 0 || (is_new && !is_seen) || (object && object->update == zones->update))
    return;
  if (is_new)
    object = begin_object (zones, o);
  object->update = zones->update;
  if (is_seen)
    move_object (zones, object, o, is_new);
}

static void
end_object (YvZones *zones, Object *object)
{
  for (uint32_t i = 0; i < zones->list->len; i++) {
    YvZone *zone = zones->list->pdata[i];
    State *state = &object->states[i];
    if (state->inside)
      leave (zones, zone, object, state, object->seen_ns);
    if (state->crossing != 0)
      cross (zones, i, object, state, object->at[zone->anchor]);
  }
  forget_object (zones, object);
}

/* Those that were not in this update; the others keep their order. */
static void
end_objects (YvZones *zones)
{
  guint n_alive = 0;

  for (guint i = 0; i < zones->objects->len; i++) {
    Object *object = zones->objects->pdata[i];
    if (object->update == zones->update)
      zones->objects->pdata[n_alive++] = object;
    else
      end_object (zones, object);
  }
  g_ptr_array_set_size (zones->objects, (gint) n_alive);
}

static void
scale_zone (YvZones *zones, uint32_t i)
{
  const YvZone *zone = zones->list->pdata[i];
  YvZonePoint *px = &zones->px[i * YV_MAX_ZONE_POINTS];
  Bounds b = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};

  for (uint32_t k = 0; k < zone->n_points; k++) {
    px[k] = (YvZonePoint){zone->points[k].x * zones->width, zone->points[k].y * zones->height};
    b = (Bounds){MIN (b.x0, px[k].x), MIN (b.y0, px[k].y), MAX (b.x1, px[k].x),
                 MAX (b.y1, px[k].y)};
  }
  zones->bounds[i] = b;
}

/* Zones are shares of the frame, and objects stay where they were in it. */
static void
set_frame_size (YvZones *zones, uint32_t width, uint32_t height)
{
  if (width == zones->width && height == zones->height)
    return;
  for (guint i = 0; i < zones->objects->len; i++) {
    Object *object = zones->objects->pdata[i];
    for (guint k = 0; k < G_N_ELEMENTS (object->at); k++) {
      object->at[k].x *= (double) width / zones->width;
      object->at[k].y *= (double) height / zones->height;
    }
  }
  zones->width = width;
  zones->height = height;
  for (uint32_t i = 0; i < zones->list->len; i++)
    scale_zone (zones, i);
}

const GArray *
yv_zones_update (YvZones *zones, const YvZoneFrame *frame, const YvZoneObject *objects,
                 uint32_t n_objects)
{
  g_assert (frame->width > 0 && frame->height > 0);
  g_array_set_size (zones->events, 0);
  set_frame_size (zones, frame->width, frame->height);
  if (frame->pts_ns >= 0)
    zones->now_ns = frame->pts_ns;
  zones->update++;
  for (uint32_t i = 0; i < n_objects; i++)
    update_object (zones, &objects[i]);
  end_objects (zones);
  return zones->events;
}

const GArray *
yv_zones_end (YvZones *zones)
{
  g_array_set_size (zones->events, 0);
  zones->update++;
  end_objects (zones);
  return zones->events;
}

void
yv_zones_flush (YvZones *zones)
{
  g_array_set_size (zones->events, 0);
  for (guint i = 0; i < zones->objects->len; i++)
    forget_object (zones, zones->objects->pdata[i]);
  g_ptr_array_set_size (zones->objects, 0);
  for (guint i = 0; i < zones->list->len; i++)
    ((YvZone *) zones->list->pdata[i])->count = 0;
}

/* ---- other zones ---------------------------------------------------------------------------- */

static bool
are_same (const YvZone *a, const YvZone *b)
{
  if (!g_str_equal (a->name, b->name) || a->kind != b->kind || a->anchor != b->anchor ||
      a->margin != b->margin || a->n_points != b->n_points || a->n_classes != b->n_classes)
    return false;
  for (uint32_t i = 0; i < a->n_points; i++)
    if (a->points[i].x != b->points[i].x || a->points[i].y != b->points[i].y)
      return false;
  for (uint32_t i = 0; i < a->n_classes; i++)
    if (a->classes[i].index != b->classes[i].index ||
        g_strcmp0 (a->classes[i].name, b->classes[i].name) != 0)
      return false;
  return true;
}

static uint32_t
index_of_same (const YvZones *zones, const YvZone *zone)
{
  for (uint32_t i = 0; i < zones->list->len; i++)
    if (are_same (zones->list->pdata[i], zone))
      return i;
  return YV_MAX_ZONES;
}

static void
inherit_totals (YvZone *zone, const YvZone *old)
{
  zone->count = old->count;
  zone->entered = old->entered;
  zone->left = old->left;
  zone->dwell_sum_ns = old->dwell_sum_ns;
  zone->dwell_max_ns = old->dwell_max_ns;
  zone->forward = old->forward;
  zone->backward = old->backward;
}

/* @sources: by index of the new zone, the old zone's, or YV_MAX_ZONES. */
static void
inherit_object (YvZones *zones, const Object *old, const uint32_t *sources)
{
  const YvZoneObject as_seen = {
      .id = old->id, .class_index = old->class_index, .label = old->label};
  Object *object = begin_object (zones, &as_seen);

  memcpy (object->at, old->at, sizeof (object->at));
  object->seen_ns = old->seen_ns;
  for (uint32_t i = 0; i < zones->list->len; i++)
    if (sources[i] != YV_MAX_ZONES)
      object->states[i] = old->states[sources[i]];
}

void
yv_zones_inherit (YvZones *zones, YvZones *old)
{
  uint32_t sources[YV_MAX_ZONES];

  set_frame_size (zones, old->width, old->height);
  zones->now_ns = old->now_ns;
  for (uint32_t i = 0; i < zones->list->len; i++) {
    sources[i] = index_of_same (old, zones->list->pdata[i]);
    if (sources[i] != YV_MAX_ZONES)
      inherit_totals (zones->list->pdata[i], old->list->pdata[sources[i]]);
  }
  for (guint i = 0; i < old->objects->len; i++)
    inherit_object (zones, old->objects->pdata[i], sources);
  yv_zones_flush (old);
}

uint32_t
yv_zones_n (const YvZones *zones)
{
  return zones->list->len;
}

const YvZone *
yv_zones_get (const YvZones *zones, uint32_t index)
{
  return zones->list->pdata[index];
}
