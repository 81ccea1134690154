/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-attach.c - yolov7overlay: what is drawn attached as a composition, where
 * downstream takes it, in memory that can't be mapped, or because it was told to. */
#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"

#define W 160
#define H 120
#define PAPER 0x204080
#define FEATURE GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

static const GstYolov7Detection box = {.x = 40,
                                       .y = 30,
                                       .w = 60,
                                       .h = 60,
                                       .confidence = 0.9,
                                       .class_index = 1,
                                       .id = -1,
                                       .label = "dog"};

/* ---- downstream ------------------------------------------------------------------------------ */

typedef struct {
  GstHarness *h;
  GstSample *paper;
  gint takes_compositions; /* what downstream says, from now on */
} Player;

static GstPadProbeReturn
answer_allocation (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  Player *p = data;
  (void) pad;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION || !p->takes_compositions)
    return GST_PAD_PROBE_OK;
  gst_query_add_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

/* @rest: of a launch line, behind the element's name. */
static Player *
play (const char *rest, gboolean takes_compositions)
{
  g_autofree char *launch = g_strdup_printf ("yolov7overlay %s", rest);
  Player *p = g_new0 (Player, 1);

  p->h = gst_harness_new_parse (launch);
  p->paper = yv_test_plain (W, H, PAPER);
  p->takes_compositions = takes_compositions;
  gst_pad_add_probe (p->h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer_allocation, p,
                     NULL);
  gst_harness_set_sink_caps_str (p->h,
                                 "video/x-raw; video/x-raw(memory:SystemMemory, " FEATURE ")");
  gst_harness_set_src_caps (p->h, gst_caps_ref (gst_sample_get_caps (p->paper)));
  return p;
}

static void
stop (Player *p)
{
  gst_harness_teardown (p->h);
  gst_sample_unref (p->paper);
  g_free (p);
}

static GstBuffer *
push (Player *p, const GstYolov7Detection *found, guint n_found)
{
  GstBuffer *frame = yv_test_frame (p->paper);

  yv_test_attach (frame, W, H, found, n_found, 0);
  GstBuffer *out = gst_harness_push_and_pull (p->h, frame);
  g_assert_nonnull (out);
  return out;
}

static GstVideoOverlayComposition *
composition_of (GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);

  return meta ? meta->overlay : NULL;
}

static guint
count_changed (Player *p, GstBuffer *buffer)
{
  g_autoptr (GstSample) picture =
      gst_sample_new (buffer, gst_sample_get_caps (p->paper), NULL, NULL);
  guint n = 0;

  for (guint i = 0; i < W * H; i++)
    n += yv_test_rgb_at (picture, i % W, i / W) != PAPER;
  return n;
}

/* ---- who draws ------------------------------------------------------------------------------- */

static void
what_is_drawn_goes_where_it_is_wanted (void)
{
  static const struct {
    const char *properties;
    gboolean takes, is_attached;
  } rows[] = {
      {"", FALSE, FALSE},
      {"", TRUE, TRUE},
      {"composition=never", TRUE, FALSE},
      {"composition=never", FALSE, FALSE},
      {"composition=always", FALSE, TRUE},
      {"composition=always", TRUE, TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Player *p = play (rows[i].properties, rows[i].takes);
    g_autoptr (GstBuffer) out = push (p, &box, 1);
    g_assert_cmpint (composition_of (out) != NULL, ==, rows[i].is_attached);
    g_assert_cmpint (count_changed (p, out) == 0, ==, rows[i].is_attached);
    stop (p);
  }
}

/* Also with large and small boxes, tags at edges, tails and statistics. */
static void
attached_overlays_look_as_drawn_ones (void)
{
  static const char *properties[] = {
      "", "filled-box=true line-width=3", "draw-statistics=true", "tail-length=1000000000",
      "labels-color=0x80ff00ff object-detection-outline-color=0x8000ff80"};
  const GstYolov7Detection found[] = {
      box,
      {.x = -20, .y = -9, .w = 90, .h = 70, .confidence = 0.5, .id = 7, .label = "person"},
      {.x = 130, .y = 100, .w = 90, .h = 70, .confidence = 0.4, .id = 8, .label = "edge"},
      {.x = 90, .y = 60, .w = 2, .h = 2, .id = -1, .predicted = TRUE},
      {.x = 60, .y = 50, .w = 50, .h = 40, .confidence = -1, .id = 9, .predicted = TRUE}};

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    Player *attaching = play (properties[i], TRUE), *drawing = play (properties[i], FALSE);
    GstVideoInfo info;
    GstVideoFrame frame;
    gst_video_info_from_caps (&info, gst_sample_get_caps (drawing->paper));
    for (guint k = 0; k < 2; k++) {
      g_autoptr (GstBuffer) a = push (attaching, found, G_N_ELEMENTS (found));
      g_autoptr (GstBuffer) b = push (drawing, found, G_N_ELEMENTS (found));
      g_autoptr (GstBuffer) blended = gst_buffer_copy_deep (a);
      g_assert_true (gst_video_frame_map (&frame, &info, blended, GST_MAP_READWRITE));
      g_assert_true (gst_video_overlay_composition_blend (composition_of (a), &frame));
      gst_video_frame_unmap (&frame);
      g_autoptr (GstSample) x =
          gst_sample_new (blended, gst_sample_get_caps (drawing->paper), NULL, NULL);
      g_autoptr (GstSample) y =
          gst_sample_new (b, gst_sample_get_caps (drawing->paper), NULL, NULL);
      for (guint n = 0; n < W * H; n++)
        for (guint shift = 0; shift < 24; shift += 8) {
          const gint u = yv_test_rgb_at (x, n % W, n / W) >> shift & 0xff;
          const gint v = yv_test_rgb_at (y, n % W, n / W) >> shift & 0xff;
          if (ABS (u - v) > 3) /* four layers, each rounded */
            g_error ("%s: pixel %u,%u: %d attached, %d drawn", properties[i], n % W, n / W, u, v);
        }
    }
    stop (attaching);
    stop (drawing);
  }
}

static void
rectangles_are_small (void)
{
  Player *p = play ("", TRUE);
  g_autoptr (GstBuffer) out = push (p, &box, 1);
  GstVideoOverlayComposition *whole = composition_of (out);
  guint n_px = 0;

  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (whole), ==, 4 + 1);
  for (guint i = 0; i < 5; i++) {
    guint w, h;
    gint x, y;
    gst_video_overlay_rectangle_get_render_rectangle (
        gst_video_overlay_composition_get_rectangle (whole, i), &x, &y, &w, &h);
    g_assert_true (x >= 0 && y >= 0 && x + (gint) w <= W && y + (gint) h <= H);
    n_px += w * h;
  }
  g_assert_cmpuint (n_px, <, 4 * 60 + 100 * 16);
  stop (p);
}

/* Of all pictures. */
static gsize
bytes_of (GstVideoOverlayComposition *whole)
{
  gsize n = 0;

  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles (whole); i++)
    n += gst_buffer_get_size (gst_video_overlay_rectangle_get_pixels_unscaled_raw (
        gst_video_overlay_composition_get_rectangle (whole, i),
        GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA));
  return n;
}

/* Boxes of the frame's size, all filled, or with lines that leave nothing of the inside; and tracks
 * that jump across it. */
static void
ten_thousand_boxes_take_bounded_memory (void)
{
  static const char *properties[] = {"filled-box=true", "filled-box=true line-width=1",
                                     "line-width=100", "font-size=500",
                                     "tail-length=600000000000 line-width=1"};
  g_autofree GstYolov7Detection *found = g_new0 (GstYolov7Detection, 10000);

  for (guint k = 0; k < G_N_ELEMENTS (properties); k++) {
    Player *p = play (properties[k], TRUE);
    for (guint frame = 0; frame < 40; frame++) {
      for (guint i = 0; i < 10000; i++)
        found[i] = (GstYolov7Detection){.x = frame % 2,
                                        .y = frame % 2 ? 0 : -80,
                                        .w = W - 2,
                                        .h = H - 2,
                                        .id = i,
                                        .label = "x"};
      g_autoptr (GstBuffer) out = push (p, found, frame ? 300 : 10000);
      const gsize n_bytes = bytes_of (composition_of (out));
      g_assert_cmpuint (n_bytes, >, 0);
      /* four times the frame, and what one shape adds to that: outlines, tags and lines */
      g_assert_cmpuint (n_bytes, <=, 3 * (4 + 1) * W * H * 4);
    }
    stop (p);
  }
}

static void
a_fill_is_a_few_pixels (void)
{
  Player *p = play ("filled-box=true draw-labels=false line-width=1", TRUE);
  g_autoptr (GstBuffer) out = push (p, &box, 1);
  GstVideoOverlayComposition *whole = composition_of (out);

  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (whole), ==, 4 + 1);
  g_assert_cmpuint (bytes_of (whole), ==, (60 + 60 + 58 + 58 + 2 * 2) * 4);
  stop (p);
}

/* Rectangles of @a that are in @b, too. */
static guint
count_kept (GstVideoOverlayComposition *a, GstVideoOverlayComposition *b)
{
  guint n = 0;

  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles (b); i++)
    for (guint k = 0; k < gst_video_overlay_composition_n_rectangles (a); k++)
      n += gst_video_overlay_composition_get_rectangle (a, k) ==
           gst_video_overlay_composition_get_rectangle (b, i);
  return n;
}

/* The order of drawing is that of confidence, the first last. */
static void
boxes_that_come_and_go_leave_others_as_they_are (void)
{
  GstYolov7Detection all[6], some[5];
  Player *p = play ("", TRUE);

  for (guint i = 0; i < 6; i++) {
    all[i] = box;
    all[i].x = 10 + i * 12;
    all[i].confidence = 0.9 - i * 0.1;
  }
  g_autoptr (GstBuffer) first = push (p, all, 6);
  g_autoptr (GstBuffer) last = gst_buffer_ref (first);
  for (guint gone = 0; gone < 6; gone++) {
    memcpy (some, all, sizeof (*all) * gone);
    memcpy (some + gone, all + gone + 1, sizeof (*all) * (5 - gone));
    g_autoptr (GstBuffer) without = push (p, some, 5);
    g_assert_cmpuint (count_kept (composition_of (last), composition_of (without)), ==, 5 * 5);
    g_autoptr (GstBuffer) with = push (p, all, 6);
    g_assert_cmpuint (count_kept (composition_of (without), composition_of (with)), ==, 5 * 5);
    gst_buffer_replace (&last, with);
  }
  stop (p);
}

static void
what_did_not_change_is_not_drawn_again (void)
{
  GstYolov7Detection found[] = {box, box};
  Player *p = play ("", TRUE);

  found[1].x += 30;
  g_autoptr (GstBuffer) first = push (p, found, 2);
  g_autoptr (GstBuffer) same = push (p, found, 2);
  g_assert_true (composition_of (first) == composition_of (same));
  found[1].x += 5;
  g_autoptr (GstBuffer) moved = push (p, found, 2);
  GstVideoOverlayComposition *a = composition_of (same), *b = composition_of (moved);
  g_assert_true (a != b);
  g_assert_cmpuint (count_kept (a, b), ==, 5);
  g_autoptr (GstBuffer) none = push (p, NULL, 0);
  g_assert_null (composition_of (none));
  stop (p);
}

static void
overlays_of_others_stay (void)
{
  Player *p = play ("", TRUE);
  GstBuffer *frame = yv_test_frame (p->paper);
  g_autoptr (GstBuffer) pixels = gst_buffer_new_allocate (NULL, 4 * 4 * 4, NULL);

  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE,
                             GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 4, 4);
  GstVideoOverlayRectangle *other =
      gst_video_overlay_rectangle_new_raw (pixels, 1, 1, 4, 4, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  GstVideoOverlayComposition *theirs = gst_video_overlay_composition_new (other);
  gst_buffer_add_video_overlay_composition_meta (frame, theirs);
  yv_test_attach (frame, W, H, &box, 1, 0);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (p->h, frame);
  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (composition_of (out)), ==, 1 + 5);
  g_assert_true (gst_video_overlay_composition_get_rectangle (composition_of (out), 0) == other);
  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (theirs), ==, 1);
  gst_video_overlay_composition_unref (theirs);
  gst_video_overlay_rectangle_unref (other);
  stop (p);
}

/* Another sink takes the place of one that drew overlays, and the other way round. */
static void
downstream_may_change_its_mind (void)
{
  Player *p = play ("", TRUE);
  g_autoptr (GstBuffer) before = push (p, &box, 1);

  g_assert_nonnull (composition_of (before));
  for (gint takes = 0; takes <= 1; takes++) {
    p->takes_compositions = takes;
    gst_harness_push_upstream_event (p->h, gst_event_new_reconfigure ());
    g_autoptr (GstBuffer) after = push (p, &box, 1);
    g_assert_cmpint (composition_of (after) != NULL, ==, takes);
    g_assert_cmpint (count_changed (p, after) == 0, ==, takes);
  }
  stop (p);
}

/* A converter between us and who draws passes both caps and query on, once it has caps: what comes
 * first is attached as what comes after a window was resized. */
static void
a_converter_in_between_changes_nothing (void)
{
  for (gint takes = 0; takes <= 1; takes++) {
    Player *p = play ("! videoconvert", takes);
    for (guint i = 0; i < 4; i++) {
      g_autoptr (GstBuffer) out = push (p, &box, 1);
      g_assert_cmpint (composition_of (out) != NULL, ==, takes);
      g_assert_cmpint (count_changed (p, out) == 0, ==, takes);
      gst_harness_push_upstream_event (p->h, gst_event_new_reconfigure ());
    }
    stop (p);
  }
}

/* And it may convert, so that what was attached would stay behind, before GStreamer 1.26: there it
 * is passed on. */
static void
nothing_is_attached_before_what_converts (void)
{
  g_autoptr (GstSample) paper = yv_test_plain (W, H, PAPER);
  GstHarness *h = gst_harness_new_parse ("yolov7overlay ! videoconvert");
  GstBuffer *frame = yv_test_frame (paper);

  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_set_sink_caps_str (
      h, "video/x-raw,format=NV12; video/x-raw(memory:SystemMemory, " FEATURE "),format=NV12");
  gst_harness_set_src_caps (h, gst_caps_ref (gst_sample_get_caps (paper)));
  yv_test_attach (frame, W, H, &box, 1, 0);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  guint major, minor, micro, nano;

  gst_version (&major, &minor, &micro, &nano);
  g_assert_cmpint (composition_of (out) != NULL, ==, minor >= 26);
  gst_harness_teardown (h);
}

static void
what_is_hidden_is_hidden_in_the_frame (void)
{
  Player *p = play ("pixelated-box=true composition=always", TRUE);
  GstBuffer *frame = yv_test_frame (p->paper);

  gst_buffer_memset (frame, (60 * W + 60) * 3, 0xff, 3);
  yv_test_attach (frame, W, H, &box, 1, 0);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (p->h, frame);
  guint8 pixel[3];
  gst_buffer_extract (out, (60 * W + 60) * 3, pixel, 3);
  g_assert_cmpuint (pixel[0], <, 0x60);
  gst_buffer_extract (out, (30 * W + 70) * 3, pixel, 3); /* on the outline, which is attached */
  g_assert_cmpuint (ABS (pixel[0] - 0x20), <, 16);
  g_assert_nonnull (composition_of (out));
  stop (p);
}

/* Before GStreamer 1.26 it would leave what is attached where it was in the larger frame. */
static void
what_is_attached_is_scaled_or_nothing_is (void)
{
  g_autoptr (GstSample) paper = yv_test_plain (W, H, PAPER);
  GstHarness *h = gst_harness_new_parse ("yolov7overlay ! videoscale");
  GstBuffer *frame = yv_test_frame (paper);

  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_set_sink_caps_str (
      h, "video/x-raw,width=80,height=60; video/x-raw(memory:SystemMemory, " FEATURE
         "),width=80,height=60");
  gst_harness_set_src_caps (h, gst_caps_ref (gst_sample_get_caps (paper)));
  yv_test_attach (frame, W, H, &box, 1, 0);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  GstVideoOverlayComposition *composition = composition_of (out);
  for (guint i = 0; composition && i < gst_video_overlay_composition_n_rectangles (composition);
       i++) {
    gint x, y;
    guint w, h_px;
    gst_video_overlay_rectangle_get_render_rectangle (
        gst_video_overlay_composition_get_rectangle (composition, i), &x, &y, &w, &h_px);
    g_assert_cmpint (x + (gint) w, <=, 80);
    g_assert_cmpint (y + (gint) h_px, <=, 60);
  }
  gst_harness_teardown (h);
}

/* ---- caps ------------------------------------------------------------------------------------ */

#define RAW(features) "video/x-raw" features ",format=RGBA,width=160,height=120,framerate=25/1"

/* What comes out of the element for @in, where downstream takes @out; NULL: nothing. */
static char *
negotiate (const char *properties, const char *in, const char *out)
{
  g_autofree char *launch = g_strdup_printf ("yolov7overlay name=o %s", properties);
  GstHarness *h = gst_harness_new_parse (launch);
  g_autoptr (GstElement) overlay = gst_harness_find_element (h, "yolov7overlay");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (overlay, "src");
  g_autoptr (GstCaps) caps = NULL;

  gst_harness_set_sink_caps_str (h, out);
  gst_harness_set_src_caps_str (h, in);
  caps = gst_pad_get_current_caps (pad);
  char *text = caps ? gst_caps_features_to_string (gst_caps_get_features (caps, 0)) : NULL;
  gst_harness_teardown (h);
  return text;
}

static void
caps_say_what_is_attached (void)
{
  static const struct {
    const char *properties, *in, *out, *features; /* NULL: not negotiated */
  } rows[] = {
      {"", RAW (""), RAW (""), "memory:SystemMemory"},
      {"", RAW (""), RAW ("(memory:SystemMemory, " FEATURE ")"), "memory:SystemMemory, " FEATURE},
      {"composition=never", RAW (""), RAW ("(memory:SystemMemory, " FEATURE ")"), NULL},
      {"", RAW ("(memory:SystemMemory, " FEATURE ")"), RAW ("(memory:SystemMemory, " FEATURE ")"),
       "memory:SystemMemory, " FEATURE},
      {"", RAW ("(memory:GLMemory)"), RAW ("(memory:GLMemory, " FEATURE ")"),
       "memory:GLMemory, " FEATURE},
      {"", RAW ("(memory:GLMemory)"), RAW ("(memory:GLMemory)"), NULL},
      {"composition=never", RAW ("(memory:GLMemory)"), RAW ("(memory:GLMemory, " FEATURE ")"),
       NULL},
      {"", RAW ("(memory:DMABuf)"), RAW ("(memory:DMABuf, " FEATURE ")"),
       "memory:DMABuf, " FEATURE},
      {"", RAW ("(memory:GLMemory)"), RAW ("(memory:DMABuf, " FEATURE ")"), NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *features = negotiate (rows[i].properties, rows[i].in, rows[i].out);
    if (g_strcmp0 (features, rows[i].features) != 0)
      g_error ("row %u: %s, expected %s", i, features, rows[i].features);
  }
}

/* Formats that we cannot draw on are for a converter before us. */
static void
system_memory_of_other_formats_is_not_taken (void)
{
  g_autoptr (GstElement) overlay = gst_element_factory_make ("yolov7overlay", NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (gst_object_ref_sink (overlay), "sink");
  static const struct {
    const char *caps;
    gboolean is_taken;
  } rows[] = {
      {"video/x-raw,format=NV24,width=16,height=16,framerate=25/1", FALSE},
      {"video/x-raw(memory:SystemMemory, " FEATURE
       "),format=NV24,width=16,height=16,framerate=25/1",
       FALSE},
      {"video/x-raw(memory:GLMemory),format=NV24,width=16,height=16,framerate=25/1", TRUE},
      {"video/x-raw,format=NV12,width=16,height=16,framerate=25/1", TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (rows[i].caps);
    g_assert_cmpint (gst_pad_query_accept_caps (pad, caps), ==, rows[i].is_taken);
  }
  gst_clear_object (&pad);
}

/* A buffer that stands for one in a GPU's memory: nobody may map it. */
static GstHarness *
play_on_gpu (const char *properties)
{
  g_autofree char *launch = g_strdup_printf ("yolov7overlay %s", properties);
  GstHarness *h = gst_harness_new_parse (launch);

  gst_harness_set_caps_str (h, RAW ("(memory:GLMemory)"), RAW ("(memory:GLMemory, " FEATURE ")"));
  return h;
}

static GstBuffer *
frame_on_gpu (void)
{
  GstBuffer *frame = gst_buffer_new ();

  GST_BUFFER_PTS (frame) = 0;
  yv_test_attach (frame, W, H, &box, 1, 0);
  return frame;
}

static void
memory_that_nobody_maps_gets_a_composition (void)
{
  GstHarness *h = play_on_gpu ("");
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame_on_gpu ());

  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (composition_of (out)), ==, 5);
  gst_harness_teardown (h);
}

static void
hiding_in_such_memory_is_refused (void)
{
  GstHarness *h = play_on_gpu ("pixelated-box=true");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (h->element, bus);
  g_assert_cmpint (gst_harness_push (h, frame_on_gpu ()), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "pixelated-box"));
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-attach/modes", what_is_drawn_goes_where_it_is_wanted);
  g_test_add_func ("/overlay-attach/looks", attached_overlays_look_as_drawn_ones);
  g_test_add_func ("/overlay-attach/small", rectangles_are_small);
  g_test_add_func ("/overlay-attach/bounded", ten_thousand_boxes_take_bounded_memory);
  g_test_add_func ("/overlay-attach/fill", a_fill_is_a_few_pixels);
  g_test_add_func ("/overlay-attach/kept", what_did_not_change_is_not_drawn_again);
  g_test_add_func ("/overlay-attach/come-and-go", boxes_that_come_and_go_leave_others_as_they_are);
  g_test_add_func ("/overlay-attach/others", overlays_of_others_stay);
  g_test_add_func ("/overlay-attach/changes", downstream_may_change_its_mind);
  g_test_add_func ("/overlay-attach/converter", a_converter_in_between_changes_nothing);
  g_test_add_func ("/overlay-attach/converts", nothing_is_attached_before_what_converts);
  g_test_add_func ("/overlay-attach/scaler", what_is_attached_is_scaled_or_nothing_is);
  g_test_add_func ("/overlay-attach/hidden", what_is_hidden_is_hidden_in_the_frame);
  g_test_add_func ("/overlay-attach/caps", caps_say_what_is_attached);
  g_test_add_func ("/overlay-attach/formats", system_memory_of_other_formats_is_not_taken);
  g_test_add_func ("/overlay-attach/gpu", memory_that_nobody_maps_gets_a_composition);
  g_test_add_func ("/overlay-attach/gpu-hidden", hiding_in_such_memory_is_refused);
  return g_test_run ();
}
