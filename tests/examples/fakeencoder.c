/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/fakeencoder.c - a plugin with a vah264enc as drivers have them: x264enc that takes
 * few settings, and fails as YV_FAKE_ENCODER says: "frame", at its first frame; "second", where
 * there was another before it, as with devices whose sessions are counted; "later", after 30 frames
 * of such a second one; "hang", such a second one never gives its first frame back.
 */
#include <gst/gst.h>
#include <stdbool.h>

typedef GstBin FakeEncoder;
typedef GstBinClass FakeEncoderClass;

GType fake_encoder_get_type (void);
G_DEFINE_TYPE (FakeEncoder, fake_encoder, GST_TYPE_BIN)

#define LATER_FRAMES 30

enum { PROP_RATE_CONTROL = 1, PROP_BITRATE };

static bool
is_told_to (const char *fault)
{
  return g_strcmp0 (g_getenv ("YV_FAKE_ENCODER"), fault) == 0;
}

/* A device that can't keep a rate: neither cbr nor vbr. */
static GType
rate_control_get_type (void)
{
  static const GEnumValue values[] = {{0, "Constant Quantizer", "cqp"}, {0, NULL, NULL}};
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("FakeRateControl", values));
  return type;
}

static void
fail (GstElement *element)
{
  GST_ELEMENT_ERROR (element, RESOURCE, NO_SPACE_LEFT, ("no session is left"), (NULL));
}

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer n_left)
{
  int *left = n_left;

  (void) info;
  if (--*left > 0)
    return GST_PAD_PROBE_OK;
  g_autoptr (GstElement) element = gst_pad_get_parent_element (pad);
  fail (element);
  return GST_PAD_PROBE_DROP; /* without an end of the stream, from which all would follow */
}

static GstPadProbeReturn
hang (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  (void) pad;
  (void) info;
  (void) unused;
  g_message ("the encoder hangs");
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return GST_PAD_PROBE_OK;
}

static void
fail_after (GstPad *pad, int n_frames)
{
  int *left = g_new (int, 1);

  *left = n_frames;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, left, g_free);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange change)
{
  static int n_opened; /* atomic */
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");

  if (change == GST_STATE_CHANGE_NULL_TO_READY) {
    const bool is_second = g_atomic_int_add (&n_opened, 1) > 0;
    if (is_second && is_told_to ("second")) {
      fail (element);
      return GST_STATE_CHANGE_FAILURE;
    }
    if (is_second && is_told_to ("hang"))
      gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, hang, NULL, NULL);
    if (is_told_to ("frame"))
      fail_after (sink, 1);
    if (is_second && is_told_to ("later"))
      fail_after (sink, LATER_FRAMES);
  }
  return GST_ELEMENT_CLASS (fake_encoder_parent_class)->change_state (element, change);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (object), "inside");

  (void) pspec;
  if (id == PROP_BITRATE)
    g_object_set_property (G_OBJECT (encoder), "bitrate", value);
}

static void
add_ghost_pad (GstElement *bin, GstElement *inside, const char *name)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (inside, name);
  g_autoptr (GstPadTemplate) template = gst_pad_get_pad_template (pad);

  gst_element_add_pad (bin, gst_ghost_pad_new_from_template (name, pad, template));
}

static void
fake_encoder_init (FakeEncoder *bin)
{
  GstElement *inside = gst_element_factory_make ("x264enc", "inside");

  gst_util_set_object_arg (G_OBJECT (inside), "tune", "zerolatency");
  gst_bin_add (bin, inside);
  add_ghost_pad (GST_ELEMENT (bin), inside, "sink");
  add_ghost_pad (GST_ELEMENT (bin), inside, "src");
}

static void
fake_encoder_class_init (FakeEncoderClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = set_property;
  GST_ELEMENT_CLASS (class)->change_state = change_state;
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "An encoder that fails",
                                         "Codec/Encoder/Video", "For tests", "gst-yolov7");
  g_object_class_install_property (object_class, PROP_RATE_CONTROL,
                                   g_param_spec_enum ("rate-control", NULL, NULL,
                                                      rate_control_get_type (), 0,
                                                      G_PARAM_WRITABLE));
  g_object_class_install_property (
      object_class, PROP_BITRATE,
      g_param_spec_uint ("bitrate", NULL, NULL, 1, 100000, 2000, G_PARAM_WRITABLE));
}

static gboolean
init (GstPlugin *plugin)
{
  return gst_element_register (plugin, "vah264enc", GST_RANK_NONE, fake_encoder_get_type ());
}

#define PACKAGE "gst-yolov7"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, fakeencoder, "An encoder that fails", init,
                   "1", "LGPL", "gst-yolov7", "https://localhost/")
