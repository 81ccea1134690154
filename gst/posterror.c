/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/posterror.c - failures become element messages: what failed, why, and what to do about it. */
#include "gst/posterror.h"

/* The one place where an engine's code becomes GStreamer's. Engine messages carry the remedy where
 * it depends on the case; what is here holds for all of a code. */
static const struct {
  YvError code;
  const char *name;
  GQuark (*domain) (void);
  int gst_code;
  const char *remedy;
} rows[] = {
    {YV_ERROR_IO, "IO", gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ,
     "Check that the file exists and that this user may read it."},
    {YV_ERROR_MALFORMED, "MALFORMED", gst_resource_error_quark, GST_RESOURCE_ERROR_READ,
     "Set model-file to a checkpoint as YOLOv7 training writes it (best.pt), and copy it again if "
     "it may be damaged."},
    {YV_ERROR_UNSUPPORTED, "UNSUPPORTED", gst_stream_error_quark, GST_STREAM_ERROR_WRONG_TYPE,
     "'yolov7 inspect FILE' shows what the file holds."},
    {YV_ERROR_INVALID, "INVALID", gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS, ""},
    {YV_ERROR_NO_DEVICE, "NO_DEVICE", gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND,
     "Install a Vulkan driver (mesa-vulkan-drivers has one that needs no GPU), or set device to "
     "one "
     "that 'vulkaninfo --summary' lists."},
    {YV_ERROR_OUT_OF_MEMORY, "OUT_OF_MEMORY", gst_resource_error_quark,
     GST_RESOURCE_ERROR_NO_SPACE_LEFT, "Lower input-size, or set precision to fp16."},
    {YV_ERROR_DEVICE_LOST, "DEVICE_LOST", gst_resource_error_quark, GST_RESOURCE_ERROR_FAILED,
     "Set the pipeline to NULL and start it again; the kernel log says why the device went away."},
};

/* Engine messages may or may not end in a full stop. */
static char *
sentences (const char *doing, const char *cause, const char *remedy)
{
  const char *stop = g_str_has_suffix (cause, ".") ? "" : ".";

  return g_strdup_printf ("%s: %s%s%s%s", doing, cause, stop, *remedy ? " " : "", remedy);
}

void
gst_yolov7_post (GstElement *element, GstMessageType type, const char *doing, GError *error,
                 const char *file, const char *function, int line)
{
  GQuark domain = GST_RESOURCE_ERROR;
  int code = GST_RESOURCE_ERROR_FAILED;
  const char *name = g_quark_to_string (error->domain), *remedy = "";

  for (guint i = 0; error->domain == YV_ERROR && i < G_N_ELEMENTS (rows); i++) {
    if ((int) rows[i].code != error->code)
      continue;
    domain = rows[i].domain ();
    code = rows[i].gst_code;
    name = rows[i].name;
    remedy = rows[i].remedy;
  }
  gst_element_message_full (element, type, domain, code, sentences (doing, error->message, remedy),
                            g_strdup_printf ("code %s (%d)", name, error->code), file, function,
                            line);
  g_error_free (error);
}

void
gst_yolov7_post_bad_frame (GstElement *element, const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  GST_ELEMENT_ERROR (
      element, STREAM, FORMAT,
      ("A buffer of %" G_GSIZE_FORMAT " bytes does not hold the %dx%d %s frame that the caps "
       "promise. The element before this one is wrong about its caps or its GstVideoMeta.",
       gst_buffer_get_size (buffer), GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
       gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info))),
      ("frame size by caps %" G_GSIZE_FORMAT " bytes; GstVideoMeta: %s %ux%u",
       GST_VIDEO_INFO_SIZE (info), meta ? gst_video_format_to_string (meta->format) : "none",
       meta ? meta->width : 0, meta ? meta->height : 0));
}

void
gst_yolov7_post_bad_caps (GstElement *element, GstCaps *caps, const char *why)
{
  GST_ELEMENT_ERROR (element, STREAM, FORMAT, ("This video can't be used: %s.", why),
                     ("caps %" GST_PTR_FORMAT, (void *) caps));
}
