/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/zones.h - who is where: objects inside zones and for how long, and objects that cross
 * lines.
 *
 * In:    zones from gst/track/zoneconfig.h; for each frame the tracks that are alive, in px.
 * Out:   events (enter, leave, forward, backward) and totals.
 * Next:  gst/zonemeta.h puts the totals on buffers; the tracker's element posts the events.
 *
 * An object is where its anchor is: the middle of its box's bottom, where people and cars stand on
 * the ground, or the middle of the box.
 *
 * A zone is a polygon with its edges; what is inside is decided by even and odd. An object enters
 * with the first frame that has its anchor inside, also when the track begins there. It leaves with
 * the first frame that has the anchor farther outside than the margin: so a box that jitters on an
 * edge enters once, and neither small zones nor those that end where the frame ends are special.
 *
 * A line is crossed where the anchor's straight way from one frame to the next meets it, however
 * far that is; its ends belong to it. Forward is from the left of the line to its right, for who
 * looks from its first point to its second, in the picture as one sees it: over a line from left to
 * right, forward is downwards. A crossing counts once the anchor is farther from the line than the
 * margin, or the track or the stream ends; who turned back before, also around an end of the line,
 * has not crossed.
 *
 * Frames may come in falling order, when video is played backwards: then who is seen to enter has
 * left, in truth, and the other way round, and forward is backward. Dwells are right.
 *
 * The margin is a share of the object's size (the mean of the box's sides), because boxes jitter in
 * proportion to it. It is the same however fast frames come.
 *
 * Only a box that was seen moves its object. One that a tracker predicts, or has no box for, stays
 * where it was seen last; when seen again it has come straight from there. A track that is no
 * longer alive leaves the zones it was in, and its dwell ends with the frame it was last seen in.
 *
 * Costs n_objects * n_zones, with a look at a zone's bounding box first; memory is kept for the
 * next object. Pure. Threads: one at a time per object.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

#define YV_MAX_ZONES 64
#define YV_MAX_ZONE_POINTS 64
#define YV_MAX_ZONE_CLASSES 64

/* In a zone, shares of the frame: 0..1 of its width and height. */
typedef struct {
  double x, y;
} YvZonePoint;

typedef enum { YV_ZONE_POLYGON, YV_ZONE_LINE } YvZoneKind;
typedef enum { YV_ANCHOR_BOTTOM, YV_ANCHOR_CENTER } YvAnchor;

typedef struct {
  int index;  /* of the class; negative: the name says which */
  char *name; /* (nullable); in any case */
} YvZoneClass;

/* A zone or a line, and what happened there. */
typedef struct {
  char *name; /* not empty; no other zone or line of the same YvZones has it */
  YvZoneKind kind;
  YvAnchor anchor;
  double margin; /* 0..1 of the mean of a box's sides */
  YvZonePoint points[YV_MAX_ZONE_POINTS];
  uint32_t n_points;    /* 2 of a line; 3 or more of a zone, whose last edge leads to the first */
  YvZoneClass *classes; /* [n_classes]; none: every class is counted */
  uint32_t n_classes;

  /* out: of a zone. Where a flush ended dwells, @entered is more than @count + @left. */
  uint32_t count;         /* objects that are inside */
  uint64_t entered, left; /* objects that ever were, and that are no more */
  uint64_t dwell_sum_ns;  /* of those that left */
  uint64_t dwell_max_ns;
  /* out: of a line */
  uint64_t forward, backward;
} YvZone;

void yv_zone_free (YvZone *zone);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvZone, yv_zone_free)

/* A track that is alive: one that is only lost, too. */
typedef struct {
  int64_t id;        /* negative: not counted */
  bool seen;         /* in this frame; else the box says nothing, and need not be set */
  double x, y, w, h; /* frame px, top left corner and size; as not seen where one is not finite */
  int class_index;   /* negative: unknown */
  const char *label; /* (nullable) */
} YvZoneObject;

typedef enum {
  YV_ZONE_ENTER,
  YV_ZONE_LEAVE,
  YV_ZONE_FORWARD,
  YV_ZONE_BACKWARD,
} YvZoneEventKind;

typedef struct {
  const YvZone *zone; /* borrowed */
  YvZoneEventKind kind;
  int64_t id;
  int class_index;   /* as the object was seen first */
  const char *label; /* (nullable) borrowed: until the next yv_zones_update() */
  uint64_t dwell_ns; /* of YV_ZONE_LEAVE */
  uint64_t count;    /* after it: objects inside the zone, or crossings in this direction */
} YvZoneEvent;

typedef struct {
  uint32_t width, height; /* px, >= 1; may change from frame to frame */
  int64_t pts_ns;         /* negative: unknown, and taken for that of the frame before */
} YvZoneFrame;

typedef struct YvZones YvZones;

/* @zones: (transfer full) (element-type YvZone): at most YV_MAX_ZONES, made by
 * yv_zone_config_read(). */
YvZones *yv_zones_new (GPtrArray *zones);
void yv_zones_free (YvZones *zones);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvZones, yv_zones_free)

/**
 * yv_zones_inherit:
 * @zones: new, before its first yv_zones_update()
 * @old: loses its objects
 *
 * Zones of the same name that are the same in every other way go on where they were in @old, with
 * their totals and whoever is inside. The others begin at 0.
 */
void yv_zones_inherit (YvZones *zones, YvZones *old);

/**
 * yv_zones_update:
 * @objects: (array length=n_objects): every track that is alive, seen or not; of several with the
 *   same id the first one counts
 *
 * Makes the events of one frame, and the totals after it.
 *
 * Returns: (element-type YvZoneEvent) (transfer none): valid until the next call
 */
const GArray *yv_zones_update (YvZones *zones, const YvZoneFrame *frame,
                               const YvZoneObject *objects, uint32_t n_objects);

/* The stream ends, and with it all tracks. Returns: as yv_zones_update() */
const GArray *yv_zones_end (YvZones *zones);

/* After a seek nothing follows from where objects were: all are forgotten, nobody is inside, and
 * the dwells that this ends don't count, nor does it make events. Totals stay. */
void yv_zones_flush (YvZones *zones);

uint32_t yv_zones_n (const YvZones *zones);
const YvZone *yv_zones_get (const YvZones *zones, uint32_t index);

G_END_DECLS
