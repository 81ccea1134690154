/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-streams.c - many yolov7 that share a model: every frame is accounted for, none
 * waits for another stream that is slow, paused or gone, and states may change at any time. */
#include <gst/gst.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"

#define MAX_STREAMS 16

/* What "go on" means. */
#define SOME_FRAMES 20

static GMutex mutex; /* of all streams' counts */
static GCond changed;

typedef struct {
  GstElement *bin, *yolov7, *sink; /* borrowed: the pipeline's */
  guint n_frames;
  GstClockTime pts; /* of the last one */
  gulong block;
  gboolean is_blocked;
} Stream;

typedef struct {
  GstElement *pipeline;
  Stream streams[MAX_STREAMS];
  guint n;
} Streams;

/* ---- streams -------------------------------------------------------------------------------- */

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Stream *stream = user_data;
  const GstClockTime pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  (void) pad;

  g_mutex_lock (&mutex);
  if (stream->n_frames > 0)
    g_assert_cmpuint (pts, >, stream->pts);
  stream->pts = pts;
  stream->n_frames++;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&mutex);
  return GST_PAD_PROBE_OK;
}

static void
add_stream (Streams *streams, const char *source, const char *properties)
{
  g_autofree char *config = yv_test_source_path ("tests/bench/quick.yaml");
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc %s,format=I420,width=160,height=160 ! "
      "yolov7 name=d config-file=\"%s\" input-size=160 %s ! fakesink name=s sync=false",
      source, config, properties);
  g_autoptr (GError) error = NULL;
  Stream *stream = &streams->streams[streams->n++];

  g_assert_cmpuint (streams->n, <=, MAX_STREAMS);
  *stream = (Stream){.bin = gst_parse_bin_from_description (launch, FALSE, &error)};
  g_assert_no_error (error);
  stream->yolov7 = gst_bin_get_by_name (GST_BIN (stream->bin), "d");
  stream->sink = gst_bin_get_by_name (GST_BIN (stream->bin), "s");
  gst_object_unref (stream->yolov7);
  gst_object_unref (stream->sink);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (stream->sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, stream, NULL);
  gst_bin_add (GST_BIN (streams->pipeline), stream->bin);
}

#define LIVE(fps) "is-live=true ! video/x-raw,framerate=" fps "/1"
#define FREE "! video/x-raw,framerate=25/1"

/* At once: who waits for frames would wait for ever. */
static GstBusSyncReply
fail_on_error (GstBus *bus, GstMessage *message, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *details = NULL;
  (void) bus;
  (void) user_data;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return GST_BUS_PASS;
  gst_message_parse_error (message, &error, &details);
  g_error ("%s: %s (%s)", GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), error->message, details);
}

static void
add_streams (Streams *streams, guint n, const char *source, const char *properties)
{
  *streams = (Streams){.pipeline = gst_pipeline_new (NULL)};
  g_autoptr (GstBus) bus = gst_element_get_bus (streams->pipeline);

  gst_bus_set_sync_handler (bus, fail_on_error, NULL, NULL);
  for (guint i = 0; i < n; i++)
    add_stream (streams, source, properties);
}

static void
set_state (GstElement *element, GstState state)
{
  g_assert_cmpint (gst_element_set_state (element, state), !=, GST_STATE_CHANGE_FAILURE);
}

static void
stop (Streams *streams)
{
  g_assert_cmpint (gst_element_set_state (streams->pipeline, GST_STATE_NULL), ==,
                   GST_STATE_CHANGE_SUCCESS);
  gst_clear_object (&streams->pipeline);
}

static void
wait_for_frames (Stream *stream, guint n)
{
  g_mutex_lock (&mutex);
  for (const guint wanted = stream->n_frames + n; stream->n_frames < wanted;)
    g_cond_wait (&changed, &mutex);
  g_mutex_unlock (&mutex);
}

static void
wait_for_all_but (Streams *streams, guint excepted, guint n_frames)
{
  for (guint i = 0; i < streams->n; i++)
    if (i != excepted)
      wait_for_frames (&streams->streams[i], n_frames);
}

static void
wait_for_end (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS);

  g_assert_nonnull (message);
}

static guint64
stat_of (const Stream *stream, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (stream->yolov7, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* An element that has the model loaded, so that those which share it start at once. Free with
 * drop_model(). */
static GstElement *
keep_model (void)
{
  g_autofree char *config = yv_test_source_path ("tests/bench/quick.yaml");
  GstElement *yolov7 = gst_element_factory_make ("yolov7", NULL);

  g_object_set (yolov7, "config-file", config, NULL);
  set_state (yolov7, GST_STATE_PAUSED);
  return yolov7;
}

static void
drop_model (GstElement *yolov7)
{
  set_state (yolov7, GST_STATE_NULL);
  gst_object_unref (yolov7);
}

/* ---- every frame ---------------------------------------------------------------------------- */

enum { N_LIVE_FRAMES = 15 };

static void
assert_accounted_for (const Stream *stream)
{
  static const char *const fates[] = {"frames-analysed", "skipped-interval", "skipped-busy",
                                      "skipped-late", "frames-dropped"};
  guint64 n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (fates); i++)
    n += stat_of (stream, fates[i]);
  g_assert_cmpuint (stat_of (stream, "frames-in"), ==, N_LIVE_FRAMES);
  g_assert_cmpuint (n, ==, N_LIVE_FRAMES);
  g_assert_cmpuint (stream->n_frames, ==, N_LIVE_FRAMES);
}

/* Each kind of policy four times. Counted after the stop, when nothing is under way any more. */
static void
frames_of_16_live_streams_are_accounted_for (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char *const policies[] = {"", "leaky=upstream", "leaky=downstream",
                                         "inference-interval=2"};
  Streams streams;

  add_streams (&streams, 0, NULL, NULL);
  for (guint i = 0; i < MAX_STREAMS; i++)
    add_stream (&streams, "num-buffers=15 " LIVE ("5"), policies[i % G_N_ELEMENTS (policies)]);
  set_state (streams.pipeline, GST_STATE_PLAYING);
  wait_for_end (streams.pipeline);
  g_autoptr (GstElement) pipeline = gst_object_ref (streams.pipeline);
  stop (&streams);
  for (guint i = 0; i < MAX_STREAMS; i++)
    assert_accounted_for (&streams.streams[i]);
  for (guint i = 0; i < MAX_STREAMS; i += G_N_ELEMENTS (policies))
    g_assert_cmpuint (stat_of (&streams.streams[i], "frames-analysed"), ==, N_LIVE_FRAMES);
}

/* ---- states --------------------------------------------------------------------------------- */

static void
prerolls_do_not_wait_for_each_other (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char *const properties[] = {"", "max-in-flight=1",
                                           "max-in-flight=1 batch-size=16 batch-timeout=1000000"};
  GstElement *keeper = keep_model ();

  for (guint n = 2; n <= MAX_STREAMS; n++) {
    Streams streams;

    add_streams (&streams, n, FREE, properties[n % G_N_ELEMENTS (properties)]);
    set_state (streams.pipeline, GST_STATE_PAUSED);
    g_assert_cmpint (gst_element_get_state (streams.pipeline, NULL, NULL, GST_CLOCK_TIME_NONE), ==,
                     GST_STATE_CHANGE_SUCCESS);
    stop (&streams);
  }
  drop_model (keeper);
}

static void
the_element_alone_starts_and_stops_100_times (void)
{
  Streams streams;

  add_streams (&streams, 1, FREE, "device=reference"); /* soak opens Vulkan's */
  GstElement *yolov7 = streams.streams[0].yolov7;
  for (guint i = 0; i < 100; i++) {
    g_assert_cmpint (gst_element_set_state (yolov7, GST_STATE_PLAYING), ==,
                     GST_STATE_CHANGE_SUCCESS);
    g_assert_cmpint (gst_element_set_state (yolov7, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  }
  stop (&streams);
}

static void
a_live_pipeline_starts_and_stops_100_times (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  GstElement *keeper = keep_model ();
  Streams streams;

  add_streams (&streams, 2, LIVE ("200"), "max-in-flight=4");
  for (guint i = 0; i < 100; i++) {
    for (guint k = 0; k < streams.n; k++)
      streams.streams[k].n_frames = 0;
    set_state (streams.pipeline, GST_STATE_PLAYING);
    wait_for_frames (&streams.streams[i % 2], 1);
    g_assert_cmpint (gst_element_set_state (streams.pipeline, GST_STATE_NULL), ==,
                     GST_STATE_CHANGE_SUCCESS);
  }
  stop (&streams);
  drop_model (keeper);
}

/* Wherever the last change of state has got to, with frames in flight or not yet any. The sinks
 * do not hold up changes of state, but still block in PAUSED: where several hold them up, and
 * another is asked for meanwhile, GstBin of 1.22 may wait for ever, also with a queue in the place
 * of yolov7. */
static void
states_may_change_at_any_time (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const GstState states[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED,
                                    GST_STATE_PLAYING};
  static const char *const sources[] = {LIVE ("200"), FREE};
  GstElement *keeper = keep_model ();

  for (guint k = 0; k < G_N_ELEMENTS (sources); k++) {
    Streams streams;

    add_streams (&streams, 3, sources[k], "max-in-flight=4");
    for (guint i = 0; i < streams.n; i++)
      g_object_set (streams.streams[i].sink, "async", FALSE, NULL);
    for (guint i = 0; i < 100; i++) {
      const GstState state = states[g_test_rand_int_range (0, G_N_ELEMENTS (states))];
      Stream *stream = &streams.streams[g_test_rand_int_range (0, 3)];

      set_state (streams.pipeline, state);
      if (state <= GST_STATE_READY)
        for (guint j = 0; j < streams.n; j++)
          streams.streams[j].n_frames = 0; /* times begin again */
      if (state == GST_STATE_PLAYING)
        wait_for_frames (stream, (guint) g_test_rand_int_range (0, 3));
    }
    stop (&streams);
  }
  drop_model (keeper);
}

/* ---- others --------------------------------------------------------------------------------- */

static const char *const sharing[] = {"", "max-in-flight=1 leaky=downstream",
                                      "batch-size=4 batch-timeout=1000000"};

static void
pause_one (Streams *streams)
{
  set_state (streams->streams[0].bin, GST_STATE_PAUSED);
}

static GstPadProbeReturn
note_block (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Stream *stream = user_data;
  (void) pad;
  (void) info;

  g_mutex_lock (&mutex);
  stream->is_blocked = TRUE;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&mutex);
  return GST_PAD_PROBE_OK;
}

static void
block_one (Streams *streams)
{
  Stream *stream = &streams->streams[0];
  g_autoptr (GstPad) pad = gst_element_get_static_pad (stream->sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, note_block, stream,
                     NULL);
  g_mutex_lock (&mutex);
  while (!stream->is_blocked)
    g_cond_wait (&changed, &mutex);
  g_mutex_unlock (&mutex);
}

static void
remove_one (Streams *streams)
{
  GstElement *bin = streams->streams[0].bin;

  gst_object_ref (bin);
  g_assert_true (gst_bin_remove (GST_BIN (streams->pipeline), bin));
  set_state (bin, GST_STATE_NULL);
  gst_object_unref (bin);
}

static void
the_others_go_on (gconstpointer data)
{
  if (!yv_test_needs_vulkan ())
    return;

  void (*const disturb) (Streams *) = *(void (*const *) (Streams *)) data;

  for (guint i = 0; i < G_N_ELEMENTS (sharing); i++) {
    Streams streams;

    add_streams (&streams, 4, FREE, sharing[i]);
    set_state (streams.pipeline, GST_STATE_PLAYING);
    wait_for_all_but (&streams, streams.n, SOME_FRAMES);
    disturb (&streams);
    wait_for_all_but (&streams, 0, SOME_FRAMES);
    stop (&streams);
  }
}

int
main (int argc, char **argv)
{
  static void (*const disturbances[]) (Streams *) = {pause_one, block_one, remove_one};

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/streams/accounts", frames_of_16_live_streams_are_accounted_for);
  g_test_add_func ("/streams/preroll", prerolls_do_not_wait_for_each_other);
  g_test_add_func ("/streams/alone", the_element_alone_starts_and_stops_100_times);
  g_test_add_func ("/streams/live", a_live_pipeline_starts_and_stops_100_times);
  g_test_add_func ("/streams/states", states_may_change_at_any_time);
  g_test_add_data_func ("/streams/paused", &disturbances[0], the_others_go_on);
  g_test_add_data_func ("/streams/blocked", &disturbances[1], the_others_go_on);
  g_test_add_data_func ("/streams/removed", &disturbances[2], the_others_go_on);
  return g_test_run ();
}
