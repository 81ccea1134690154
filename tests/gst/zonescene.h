/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/zonescene.h - frames of 1000x1000 px, a second apart, with objects at given places; so
 * 0.25 is 250 px. Boxes are 20x20: their margin is 4 px.
 */
#pragma once

#include "gst/track/zones.h"

G_BEGIN_DECLS

#define SECOND_NS 1000000000

/* x and y 250 to 750. In these texts ' stands for ". */
#define SQUARE                                                                                     \
  "{'zones': [{'name': 'z', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]]}]}"
/* From left to right at y 500, x 200 to 800: forward is downwards. */
#define LINE "{'lines': [{'name': 'l', 'from': [0.2,0.5], 'to': [0.8,0.5]}]}"

typedef struct {
  YvZones *zones;
  int64_t pts_ns; /* of the next frame */
  GString *log;   /* by id: "+1" entered, "-1/3" left after 3 s, ">1" went forward, "<1" backward */
} Scene;

void scene_init (Scene *scene, const char *text);
void scene_clear (Scene *scene);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scene, scene_clear)

/* @text describes the zones that take the place of the others, and inherit from them. */
void scene_change (Scene *scene, const char *text);

/* Its anchor is there: the middle of the bottom. */
YvZoneObject object_at (int64_t id, double x, double y);

/* A frame with these tracks. Returns: its events, until the next */
const GArray *show (Scene *scene, const YvZoneObject *objects, uint32_t n);
/* A frame with the object 1 there; and one in which its track is alive but not seen. */
void show_at (Scene *scene, double x, double y);
void show_unseen (Scene *scene);

/* The first zone or line of the text. */
const YvZone *first (const Scene *scene);

/* Each of @points, as an object alone: x, y, and whether it is inside. */
void check_points (const char *text, const double (*points)[3], uint32_t n);

#define ASSERT_TOTALS(scene, n_count, n_entered, n_left)                                           \
  do {                                                                                             \
    g_assert_cmpuint (first (scene)->count, ==, n_count);                                          \
    g_assert_cmpuint (first (scene)->entered, ==, n_entered);                                      \
    g_assert_cmpuint (first (scene)->left, ==, n_left);                                            \
  } while (0)

#define ASSERT_CROSSINGS(scene, n_forward, n_backward)                                             \
  do {                                                                                             \
    g_assert_cmpuint (first (scene)->forward, ==, n_forward);                                      \
    g_assert_cmpuint (first (scene)->backward, ==, n_backward);                                    \
  } while (0)

G_END_DECLS
