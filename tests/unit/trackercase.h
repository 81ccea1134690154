/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/trackercase.h - a tracker that sees frame after frame, with people of 40x100 px.
 */
#pragma once

#include "gst/track/tracker.h"

G_BEGIN_DECLS

#define MOST 16

/* Frames as sightings; a test says what is in each. */
typedef struct {
  YvTracker *tracker;
  YvTrackerSettings settings;
  YvSighting seen[MOST];
  uint32_t n_seen;
} Fixture;

/* Adds a function (Fixture *, gconstpointer) as /tracker/<its name>. */
#define ADD(test) g_test_add ("/tracker/" #test, Fixture, NULL, set_up, test, tear_down)

void set_up (Fixture *f, gconstpointer data);
void tear_down (Fixture *f, gconstpointer data);

/* A person whose middle is there. */
void add (Fixture *f, double cx, double cy, double confidence);

/* What was added is left there, with ids, until the next add() after it. */
void see (Fixture *f, double frames);

/* Returns: the id of the person who is alone there. */
int64_t see_one (Fixture *f, double cx, double cy, double confidence);

G_END_DECLS
