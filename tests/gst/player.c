/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/player.c - frames through a yolov7overlay. */
#include "tests/gst/player.h"

#include "tests/gst/frames.h"

#define PLAIN "draw-labels=false line-width=6 object-detection-outline-color=0xffff2010 "

const GstYolov7Detection player_box = {.x = 40,
                                       .y = 30,
                                       .w = 60,
                                       .h = 60,
                                       .confidence = 0.9,
                                       .class_index = 1,
                                       .id = -1,
                                       .label = "dog"};

Player
player_start (const char *properties)
{
  g_autofree char *launch = g_strdup_printf ("yolov7overlay " PLAIN "%s", properties);
  Player p = {gst_harness_new_parse (launch), yv_test_plain (W, H, PAPER)};
  GstCaps *caps = gst_sample_get_caps (p.paper);

  gst_harness_set_caps (p.h, gst_caps_ref (caps), gst_caps_ref (caps));
  return p;
}

void
player_stop (Player *p)
{
  gst_harness_teardown (p->h);
  gst_sample_unref (p->paper);
}

GstBuffer *
player_frame (Player *p, guint ms)
{
  GstBuffer *frame = yv_test_frame (p->paper);

  GST_BUFFER_PTS (frame) = ms * GST_MSECOND;
  return frame;
}

GstSample *
player_push (Player *p, GstBuffer *frame)
{
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (p->h, frame);

  g_assert_nonnull (out);
  return gst_sample_new (out, gst_sample_get_caps (p->paper), NULL, NULL);
}

GstSample *
player_push_found (Player *p, guint ms, const GstYolov7Detection *found, guint n_found)
{
  GstBuffer *frame = player_frame (p, ms);

  yv_test_attach (frame, W, H, found, n_found, 0);
  return player_push (p, frame);
}

void
player_begin_segment (Player *p)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (p->h, gst_event_new_segment (&segment));
}

void
player_flush_and_begin (Player *p)
{
  gst_harness_push_event (p->h, gst_event_new_flush_start ());
  gst_harness_push_event (p->h, gst_event_new_flush_stop (TRUE));
  player_begin_segment (p);
}

void
player_change_rate (Player *p)
{
  g_autoptr (GstCaps) caps = gst_caps_copy (gst_sample_get_caps (p->paper));

  gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
  gst_harness_set_caps (p->h, gst_caps_ref (caps), gst_caps_ref (caps));
}

gboolean
is_red (GstSample *picture, guint x, guint y)
{
  return yv_test_rgb_at (picture, x, y) == RED;
}

guint
count_changed (GstSample *picture)
{
  guint n = 0;

  for (guint i = 0; i < W * H; i++)
    n += yv_test_rgb_at (picture, i % W, i / W) != PAPER;
  return n;
}

guint
changed_in_row (GstSample *picture, guint y, guint until_x)
{
  guint n = 0;

  for (guint x = 0; x < until_x; x++)
    n += yv_test_rgb_at (picture, x, y) != PAPER;
  return n;
}
