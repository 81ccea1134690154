/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/encoder.c - a table of encoders, and what each calls the same few settings. */
#include "examples/common/encoder.h"

#include <stdbool.h>

#include "engine/error.h"

/* Of settings those are used that the element has and takes: names and values come and go with
 * versions and devices. The last of one name counts. BITRATE is in kbit/s, BITS in bit/s, FRAMES
 * between key frames. */
static const struct {
  const char *factory;
  const char *settings[8];
  const char *behind; /* (nullable) */
} encoders[] = {
    {"vah264enc",
     {"rate-control=vbr", "rate-control=cbr", "bitrate=BITRATE", "key-int-max=FRAMES", "b-frames=0",
      "ref-frames=1"},
     NULL},
    {"vah264lpenc",
     {"rate-control=vbr", "rate-control=cbr", "bitrate=BITRATE", "key-int-max=FRAMES", "b-frames=0",
      "ref-frames=1"},
     NULL},
    {"nvh264enc",
     {"zerolatency=true", "rc-mode=cbr", "bitrate=BITRATE", "gop-size=FRAMES", "bframes=0"},
     NULL},
    {"qsvh264enc",
     {"low-latency=true", "rate-control=cbr", "bitrate=BITRATE", "gop-size=FRAMES", "b-frames=0"},
     NULL},
    /* Boards want to be told a level. */
    {"v4l2h264enc",
     {"extra-controls=controls,video_bitrate=BITS,h264_i_frame_period=FRAMES,"
      "repeat_sequence_header=1"},
     "video/x-h264,level=(string)4"},
    {"x264enc",
     /* Where pictures change at once it would make key frames of its own. */
     {"tune=zerolatency", "speed-preset=superfast", "bitrate=BITRATE", "key-int-max=FRAMES",
      "byte-stream=true", "option-string=scenecut=0"},
     NULL},
    {"openh264enc",
     {"usage-type=camera", "complexity=low", "rate-control=bitrate", "bitrate=BITS",
      "gop-size=FRAMES"},
     NULL},
};

/* ---- a launch fragment ---------------------------------------------------------------------- */

static bool
takes (GstElement *element, const char *property, const char *text)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), property);
  g_auto (GValue) value = G_VALUE_INIT;

  if (!pspec)
    return false;
  g_value_init (&value, pspec->value_type);
  return gst_value_deserialize_with_pspec (&value, text, pspec);
}

static void
append_setting (GString *out, GstElement *element, const char *setting)
{
  g_auto (GStrv) parts = g_strsplit (setting, "=", 2);

  if (takes (element, parts[0], parts[1]))
    g_string_append_printf (out, " %s=\"%s\"", parts[0], parts[1]);
}

static void
append_settings (GString *out, guint index, uint32_t bitrate_kbps, uint32_t key_frame_interval)
{
  g_autoptr (GstElement) element = gst_element_factory_make (encoders[index].factory, NULL);
  g_autofree char *bitrate = g_strdup_printf ("%u", bitrate_kbps);
  g_autofree char *bits = g_strdup_printf ("%u", bitrate_kbps * 1000);
  g_autofree char *frames = g_strdup_printf ("%u", key_frame_interval);

  if (element)
    gst_object_ref_sink (element);
  for (guint i = 0; element && encoders[index].settings[i]; i++) {
    GString *setting = g_string_new (encoders[index].settings[i]);
    g_string_replace (setting, "BITRATE", bitrate, 0);
    g_string_replace (setting, "BITS", bits, 0);
    g_string_replace (setting, "FRAMES", frames, 0);
    append_setting (out, element, setting->str);
    g_string_free (setting, TRUE);
  }
}

/* Of @encoder; G_N_ELEMENTS (encoders) where it is none of ours. */
static guint
find_row (const char *encoder)
{
  guint row = 0;

  while (row < G_N_ELEMENTS (encoders) && !g_str_equal (encoders[row].factory, encoder))
    row++;
  return row;
}

/* Sides are made even, which 4:2:0 wants. */
#define EVEN "video/x-raw,width=[2,16384,2],height=[2,16384,2]"

char *
encoder_launch (const char *encoder, uint32_t bitrate_kbps, uint32_t key_frame_interval)
{
  const guint row = find_row (encoder);
  GString *out = g_string_new ("videoconvert ! videoscale ! " EVEN " ! ");

  g_string_append_printf (out, "%s name=encoder", encoder);
  if (row < G_N_ELEMENTS (encoders))
    append_settings (out, row, bitrate_kbps, key_frame_interval);
  if (row < G_N_ELEMENTS (encoders) && encoders[row].behind)
    g_string_append_printf (out, " ! %s", encoders[row].behind);
  g_string_append (out, " ! h264parse config-interval=-1 "
                        "! video/x-h264,stream-format=byte-stream,alignment=au");
  return g_string_free (out, FALSE);
}

/* ---- a choice ------------------------------------------------------------------------------- */

#define TRIAL_KBPS 1000
#define TRIAL_FRAMES "5"
#define TRIAL_TIME (10 * GST_SECOND) /* after which a driver is too slow, or hangs */
#define TRIAL_US (11 * G_USEC_PER_SEC)

/* Whether frames come out: a device may open and refuse to encode. */
static bool
encodes (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, TRIAL_TIME, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
}

enum { NO = 1, YES }; /* what is put into a queue is not 0 */

static gpointer
try_out (gpointer user_data)
{
  g_autoptr (GstElement) pipeline = user_data;
  GAsyncQueue *said = g_object_get_data (G_OBJECT (pipeline), "said");

  g_async_queue_push (said, GINT_TO_POINTER (encodes (pipeline) ? YES : NO));
  return NULL;
}

/* On a thread, which is left behind with the pipeline where a driver hangs: not even stopping it
 * comes back then. */
static bool
encodes_in_time (GstElement *pipeline)
{
  g_autoptr (GAsyncQueue) said = g_async_queue_new ();

  g_object_set_data_full (G_OBJECT (pipeline), "said", g_async_queue_ref (said),
                          (GDestroyNotify) g_async_queue_unref);
  g_thread_unref (g_thread_new ("trial", try_out, gst_object_ref (pipeline)));
  return GPOINTER_TO_INT (g_async_queue_timeout_pop (said, TRIAL_US)) == YES;
}

static bool
works (const char *encoder)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (encoder);

  if (!factory)
    return false;
  g_autofree char *fragment = encoder_launch (encoder, TRIAL_KBPS, 50);
  g_autofree char *launch =
      g_strdup_printf ("videotestsrc num-buffers=" TRIAL_FRAMES
                       " ! video/x-raw,format=I420,width=640,height=360 ! %s ! fakesink",
                       fragment);
  GstElement *pipeline = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, NULL);
  const bool ok = pipeline && encodes_in_time (pipeline);
  gst_clear_object (&pipeline);
  return ok;
}

const char *
encoder_choose (const char *after, GError **error)
{
  for (guint i = after ? find_row (after) + 1 : 0; i < G_N_ELEMENTS (encoders); i++)
    if (works (encoders[i].factory))
      return encoders[i].factory;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "no H.264 encoder works here; apt-get install gstreamer1.0-plugins-ugly has one for "
               "the CPU (x264enc)");
  return NULL;
}

const char *
encoder_replace (const char *failed)
{
  const char *next = encoder_choose (failed, NULL);

  return next ? next : encoder_choose (NULL, NULL);
}

const char *
encoder_find (GstObject *source)
{
  for (GstObject *at = source; at; at = GST_OBJECT_PARENT (at))
    if (g_strcmp0 (GST_OBJECT_NAME (at), "encoder") == 0 && GST_IS_ELEMENT (at))
      return GST_OBJECT_NAME (gst_element_get_factory (GST_ELEMENT (at)));
  return NULL;
}
