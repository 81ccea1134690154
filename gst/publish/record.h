/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/record.h - what is known of a frame, as one line of JSON.
 *
 * In:    facts, from yolov7publish, which reads them from a buffer.
 * Out:   a JSON object in the schema of DL Streamer's gvametaconvert, in one line:
 *
 *   {"objects":[{"detection":{"bounding_box":{"x_min":0.1,"y_min":0.2,"x_max":0.3,"y_max":0.4},
 *                             "confidence":0.87,"label":"dog","label_id":16},
 *                "x":64,"y":96,"w":128,"h":96,"roi_type":"dog","region_id":0,"id":7}],
 *    "resolution":{"width":640,"height":480},"source":"camera 1","timestamp":40000000,
 *    "system_timestamp":"2026-11-29T17:46:09.123Z","rtp":{"sender_ntp_unix_timestamp_ns":...},
 *    "tags":{...},"zones":[...],"run":"...","sequence":1}
 *
 *   x, y, w, h       whole px; a box, here and as shares of the frame (0..1), is cut to the frame
 *   region_id        which object of this frame, from 0
 *   id               of a tracker
 *   predicted        true, or not there: a tracker says where the object should be (ours)
 *   timestamp        ns of stream time
 *   system_timestamp of the wall clock, UTC, when the frame passed
 *   rtp              where the buffer says when its sender took it
 *   zones (ours)     {"name":"door","kind":"zone","points":[[0.1,0.2],...],"count":1,"entered":5,
 *                     "left":4,"dwell_mean":...,"dwell_max":...}, ns; of a line, instead of the
 *                    last five, "forward" and "backward"
 *   run (ours)       another one for each start of the element
 *   sequence (ours)  of the run, from 1, rising by one with each record
 *   redelivered      true, or not there (ours, by gst/publish/outbox.h): it may have arrived
 * before; then run and sequence are those of the first time
 *
 * What is not known is left out, as is an object whose box is no number. Numbers are the same in
 * every locale; text that is no UTF-8 gets U+FFFD in its place.
 *
 * Pure: no GStreamer, no clock; allocates nothing but what the text needs to grow.
 * Schema: https://dlstreamer.github.io, "gvametaconvert".
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  double x, y, w, h; /* frame px, top left corner and size; may lie outside */
  double confidence; /* 0..1; negative or no number: unknown */
  const char *label; /* (nullable) */
  int32_t label_id;  /* row of the model's class names; negative: unknown */
  int64_t id;        /* of a tracker; negative: none */
  bool is_predicted;
} YvObjectFacts;

typedef struct {
  const char *name;
  bool is_line;
  const double *points;                 /* x, y, x, y, ...; 0..1 of the frame */
  uint32_t n_points;                    /* pairs */
  uint64_t count, entered, left;        /* of a zone */
  uint64_t dwell_mean_ns, dwell_max_ns; /* of a zone */
  uint64_t forward, backward;           /* of a line */
} YvZoneFacts;

/* Everything is borrowed. */
typedef struct {
  const YvObjectFacts *objects;
  uint32_t n_objects;
  const YvZoneFacts *zones;
  uint32_t n_zones;
  uint32_t width, height; /* px; 0: unknown */
  const char *source;     /* (nullable) */
  const char *tags;       /* (nullable): a JSON object in one line, written as it is */
  const char *run;
  uint64_t sequence;
  int64_t timestamp_ns; /* negative: unknown */
  int64_t system_us;    /* since 1970, UTC; negative: unknown */
  int64_t sender_ns;    /* since 1970; negative: unknown */
} YvFrameFacts;

/* Appends the object, without a line break. */
void yv_record_write (const YvFrameFacts *facts, GString *text);

/* A number that changes, but for chance, when something came, went, or got another label or id, or
 * a zone counted; not when boxes move, or their order or confidence changes. */
uint64_t yv_record_digest (const YvFrameFacts *facts);

G_END_DECLS
