/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/encoder.c - a table of encoders, and what each calls the same few settings. */
#include "examples/common/encoder.h"

#include <gst/gst.h>

#include "engine/error.h"

/* Of settings those are used that the element has: names come and go with versions. BITRATE is in
 * kbit/s, BITS in bit/s, FRAMES between key frames. */
static const struct {
  const char *factory;
  const char *settings[8];
  const char *behind; /* (nullable) */
} encoders[] = {
    {"vah264enc",
     {"rate-control=cbr", "bitrate=BITRATE", "key-int-max=FRAMES", "b-frames=0", "ref-frames=1"},
     NULL},
    {"vah264lpenc",
     {"rate-control=cbr", "bitrate=BITRATE", "key-int-max=FRAMES", "b-frames=0", "ref-frames=1"},
     NULL},
    {"nvh264enc",
     {"zerolatency=true", "rc-mode=cbr", "bitrate=BITRATE", "gop-size=FRAMES", "bframes=0"},
     NULL},
    {"qsvh264enc",
     {"low-latency=true", "rate-control=cbr", "bitrate=BITRATE", "gop-size=FRAMES", "b-frames=0"},
     NULL},
    /* Boards want to be told a level. */
    {"v4l2h264enc",
     {"extra-controls=\"controls,video_bitrate=BITS,h264_i_frame_period=FRAMES,"
      "repeat_sequence_header=1\""},
     "video/x-h264,level=(string)4"},
    {"x264enc",
     /* Where pictures change at once it would make key frames of its own. */
     {"tune=zerolatency", "speed-preset=superfast", "bitrate=BITRATE", "key-int-max=FRAMES",
      "byte-stream=true", "option-string=\"scenecut=0\""},
     NULL},
    {"openh264enc",
     {"usage-type=camera", "complexity=low", "rate-control=bitrate", "bitrate=BITS",
      "gop-size=FRAMES"},
     NULL},
};

/* Whether its device opens. */
static gboolean
works (const char *factory)
{
  g_autoptr (GstElement) element = gst_element_factory_make (factory, NULL);

  if (!element)
    return FALSE;
  gst_object_ref_sink (element);
  const GstStateChangeReturn change = gst_element_set_state (element, GST_STATE_READY);
  gst_element_set_state (element, GST_STATE_NULL);
  return change != GST_STATE_CHANGE_FAILURE;
}

const char *
encoder_choose (GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++)
    if (works (encoders[i].factory))
      return encoders[i].factory;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "no H.264 encoder works here; apt-get install gstreamer1.0-plugins-ugly has one for "
               "the CPU (x264enc)");
  return NULL;
}

static gboolean
has_property (GstElement *element, const char *setting)
{
  g_auto (GStrv) parts = g_strsplit (setting, "=", 2);

  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), parts[0]) != NULL;
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
  for (guint i = 0; element && encoders[index].settings[i]; i++)
    if (has_property (element, encoders[index].settings[i]))
      g_string_append_printf (out, " %s", encoders[index].settings[i]);
  g_string_replace (out, "BITRATE", bitrate, 0);
  g_string_replace (out, "BITS", bits, 0);
  g_string_replace (out, "FRAMES", frames, 0);
}

/* Sides are made even, which 4:2:0 wants. */
#define EVEN "video/x-raw,width=[2,16384,2],height=[2,16384,2]"

char *
encoder_launch (const char *encoder, uint32_t bitrate_kbps, uint32_t key_frame_interval)
{
  GString *out = g_string_new ("videoconvert ! videoscale ! " EVEN " ! ");

  g_string_append_printf (out, "%s name=encoder", encoder);
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    if (!g_str_equal (encoder, encoders[i].factory))
      continue;
    append_settings (out, i, bitrate_kbps, key_frame_interval);
    if (encoders[i].behind)
      g_string_append_printf (out, " ! %s", encoders[i].behind);
  }
  g_string_append (out, " ! h264parse config-interval=-1 "
                        "! video/x-h264,stream-format=byte-stream,alignment=au");
  return g_string_free (out, FALSE);
}
