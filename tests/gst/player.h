/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/player.h - frames of one color through a yolov7overlay that draws red boxes: how they
 * go in, and what can be seen of what comes out. */
#pragma once

#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"

G_BEGIN_DECLS

/* px */
#define W 160
#define H 120
/* 0xRRGGBB */
#define PAPER 0x204080
#define RED 0xff2010

/* At 40,30, 60x60, without an id. Its outline is red at 42,60. */
extern const GstYolov7Detection player_box;

typedef struct {
  GstHarness *h;
  GstSample *paper; /* a frame as it goes in, RGB */
} Player;

/* @properties: of the element; without any, outlines are 6 px wide and there are no labels. */
Player player_start (const char *properties);
void player_stop (Player *p);

/* Returns: (transfer full): a frame of paper */
GstBuffer *player_frame (Player *p, guint ms);

/* @frame: (transfer full). Returns: (transfer full): what came out; so do those below */
GstSample *player_push (Player *p, GstBuffer *frame);

/* A frame that was analysed. */
GstSample *player_push_found (Player *p, guint ms, const GstYolov7Detection *found, guint n_found);

/* What comes after one of these is not what was: a segment, one after a flush, or other caps. */
void player_begin_segment (Player *p);
void player_flush_and_begin (Player *p);
void player_change_rate (Player *p);

gboolean is_red (GstSample *picture, guint x, guint y);

/* How many pixels are not paper: of all, or of those of a row that are left of @until_x. */
guint count_changed (GstSample *picture);
guint changed_in_row (GstSample *picture, guint y, guint until_x);

G_END_DECLS
