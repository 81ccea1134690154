/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-seeks.c - a pipeline with yolov7 and frames in flight, whose position changes:
 * which frames arrive, in which order, and that each is counted. */
#include <gst/gst.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"

#define FPS 10
#define T (GST_SECOND / FPS)

typedef struct {
  GstElement *pipeline;
  GstBus *bus;
  GArray
      *numbers; /* guint: those of the frames that arrived; of the sink's thread while it plays */
} Player;

static void
on_handoff (GstElement *sink, GstBuffer *frame, GstPad *pad, gpointer numbers)
{
  const guint number = (guint) (GST_BUFFER_PTS (frame) / T);
  (void) sink;
  (void) pad;

  g_array_append_val ((GArray *) numbers, number);
}

/* Paused. */
static void
player_init (Player *player)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *launch =
      g_strdup_printf ("videotestsrc num-buffers=1000 ! "
                       "video/x-raw,format=GRAY8,width=64,height=48,framerate=%d/1 ! "
                       "yolov7 name=d model-file=\"%s\" input-size=64 max-in-flight=4 ! "
                       "fakesink name=sink signal-handoffs=true",
                       FPS, model);

  player->pipeline = gst_parse_launch (launch, NULL);
  player->bus = gst_element_get_bus (player->pipeline);
  player->numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (player->pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), player->numbers);
  gst_element_set_state (player->pipeline, GST_STATE_PAUSED);
}

static void
wait_for (Player *player, GstMessageType type)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (player->bus, GST_CLOCK_TIME_NONE, type | GST_MESSAGE_ERROR);

  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, type);
}

/* To the frames from @first, and before @end. */
static void
seek (Player *player, GstSeekFlags flags, guint first, guint end)
{
  g_assert_true (gst_element_seek (player->pipeline, 1.0, GST_FORMAT_TIME,
                                   flags | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
                                   (gint64) (first * T), GST_SEEK_TYPE_SET, (gint64) (end * T)));
}

/* Of the frame that is in the sink while it does not play; it is handed off when it does. */
static guint
number_that_waits (Player *player)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (player->pipeline), "sink");
  g_autoptr (GstSample) sample = NULL;

  g_object_get (sink, "last-sample", &sample, NULL);
  g_assert_nonnull (sample);
  return (guint) (GST_BUFFER_PTS (gst_sample_get_buffer (sample)) / T);
}

static guint64
stat_of (Player *player, const char *name)
{
  g_autoptr (GstElement) yolov7 = gst_bin_get_by_name (GST_BIN (player->pipeline), "d");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (yolov7, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

static void
player_clear (Player *player)
{
  gst_element_set_state (player->pipeline, GST_STATE_NULL);
  g_assert_cmpuint (stat_of (player, "frames-analysed") + stat_of (player, "frames-dropped"), ==,
                    stat_of (player, "frames-in"));
  g_array_unref (player->numbers);
  gst_object_unref (player->bus);
  gst_object_unref (player->pipeline);
}

/* The @n frames from @first on, and no other. */
static void
assert_arrived (const Player *player, guint first, guint n)
{
  g_assert_cmpuint (player->numbers->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (g_array_index (player->numbers, guint, i), ==, first + i);
}

/* Each drops what is in flight: frames of before never arrive behind those of after. */
static void
flushing_seeks_begin_anew (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  Player player;
  player_init (&player);
  wait_for (&player, GST_MESSAGE_ASYNC_DONE);
  for (guint first = 70; first > 20; first -= 10) {
    seek (&player, GST_SEEK_FLAG_FLUSH, first, first + 10);
    wait_for (&player, GST_MESSAGE_ASYNC_DONE);
    g_assert_cmpuint (number_that_waits (&player), ==, first);
  }
  seek (&player, GST_SEEK_FLAG_FLUSH, 50, 70);
  wait_for (&player, GST_MESSAGE_ASYNC_DONE);
  gst_element_set_state (player.pipeline, GST_STATE_PLAYING);
  wait_for (&player, GST_MESSAGE_EOS);
  assert_arrived (&player, 50, 20);
  player_clear (&player);
}

/* None is lost: frames of before are still in flight when the source begins the next part. */
static void
seeks_without_a_flush_go_on_behind_what_is_in_flight (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  Player player;
  player_init (&player);
  wait_for (&player, GST_MESSAGE_ASYNC_DONE);
  seek (&player, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT, 20, 30);
  wait_for (&player, GST_MESSAGE_ASYNC_DONE);
  gst_element_set_state (player.pipeline, GST_STATE_PLAYING);
  for (guint part = 3; part < 6; part++) {
    wait_for (&player, GST_MESSAGE_SEGMENT_DONE);
    seek (&player, part < 5 ? GST_SEEK_FLAG_SEGMENT : GST_SEEK_FLAG_NONE, part * 10,
          part * 10 + 10);
  }
  wait_for (&player, GST_MESSAGE_EOS);
  assert_arrived (&player, 20, 40);
  player_clear (&player);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/seeks/flush", flushing_seeks_begin_anew);
  g_test_add_func ("/seeks/no-flush", seeks_without_a_flush_go_on_behind_what_is_in_flight);
  return g_test_run ();
}
