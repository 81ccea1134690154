/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/posterror.c - failures become element messages: what failed, why, and what to do about it. */
#include "gst/posterror.h"

#include "gst/frameview.h"

/* The one place where an engine's code becomes GStreamer's. Engine messages name the cause and its
 * remedy; the hint is what holds for all of a code, for the debug string. */
static const struct {
  YvError code;
  const char *name;
  GQuark (*domain) (void);
  int gst_code;
  const char *hint;
} rows[] = {
    {YV_ERROR_IO, "IO", gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ,
     "does the file exist, and may this user read it?"},
    {YV_ERROR_MALFORMED, "MALFORMED", gst_resource_error_quark, GST_RESOURCE_ERROR_READ,
     "the file is damaged, or not what its name says; copy it again from where it was trained"},
    {YV_ERROR_UNSUPPORTED, "UNSUPPORTED", gst_stream_error_quark, GST_STREAM_ERROR_WRONG_TYPE,
     "'yolov7 inspect FILE' shows what a model is made of"},
    {YV_ERROR_INVALID, "INVALID", gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS,
     "'gst-inspect-1.0 yolov7' shows the ranges of properties"},
    {YV_ERROR_NO_DEVICE, "NO_DEVICE", gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND,
     "'vulkaninfo --summary' shows the devices that this user can open"},
    {YV_ERROR_OUT_OF_MEMORY, "OUT_OF_MEMORY", gst_resource_error_quark,
     GST_RESOURCE_ERROR_NO_SPACE_LEFT, "a lower input-size or precision=fp16 need less memory"},
    {YV_ERROR_DEVICE_LOST, "DEVICE_LOST", gst_resource_error_quark, GST_RESOURCE_ERROR_FAILED,
     "the kernel's log says why; the element goes on after READY, if the device does"},
};

void
gst_yolov7_post (GstElement *element, GstMessageType type, const char *doing, GError *error,
                 const char *file, const char *function, int line)
{
  GQuark domain = GST_RESOURCE_ERROR;
  int code = GST_RESOURCE_ERROR_FAILED;
  const char *name = g_quark_to_string (error->domain), *hint = "not an error of the engine";

  for (guint i = 0; error->domain == YV_ERROR && i < G_N_ELEMENTS (rows); i++) {
    if ((int) rows[i].code != error->code)
      continue;
    domain = rows[i].domain ();
    code = rows[i].gst_code;
    name = rows[i].name;
    hint = rows[i].hint;
  }
  const char *stop = g_str_has_suffix (error->message, ".") ? "" : ".";
  gst_element_message_full (
      element, type, domain, code, g_strdup_printf ("%s: %s%s", doing, error->message, stop),
      g_strdup_printf ("%s (%d): %s", name, error->code, hint), file, function, line);
  g_error_free (error);
}

void
gst_yolov7_post_bad_frame (GstElement *element, const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  const char *crop_fault = gst_yolov7_frame_view_crop_fault (info, buffer);

  if (crop_fault) {
    const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
    GST_ELEMENT_ERROR (element, STREAM, FORMAT, ("A frame can't be used: %s.", crop_fault),
                       ("%ux%u at %u, %u; %s %dx%d by the caps", crop->width, crop->height, crop->x,
                        crop->y, gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)),
                        GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info)));
    return;
  }
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
