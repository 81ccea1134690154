/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/frames.c - frames for the tests of elements. */
#include "tests/gst/frames.h"

#include <glib/gstdio.h>
#include <string.h>

/* Of Debian's package opencv-doc; $YV_CLIP says where it is on systems that install no
 * documentation, and that it has to be there. */
#define CLIP "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
#define CLIP_W 768
#define CLIP_H 576
#define CLIP_CAPS "video/x-raw,format=RGB,width=768,height=576"

const char *const yv_test_formats[] = {"I420", "NV12",  "YV12", "RGB",       "BGR",       "RGBx",
                                       "BGRx", "xRGB",  "xBGR", "RGBA",      "BGRA",      "ARGB",
                                       "ABGR", "GRAY8", "NV21", "Y42B",      "NV16",      "YUY2",
                                       "UYVY", "YVYU",  "Y444", "I420_10LE", "P010_10LE", NULL};

GstCaps *
yv_test_caps (const char *format, guint w, guint h)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT,
                              (gint) w, "height", G_TYPE_INT, (gint) h, "framerate",
                              GST_TYPE_FRACTION, 25, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1,
                              1, NULL);
}

static void
fill (GstVideoFrame *frame, guint32 rgb)
{
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0) +
                  y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
    for (gint x = 0; x < GST_VIDEO_FRAME_WIDTH (frame); x++)
      for (gint i = 0; i < 3; i++)
        row[x * 3 + i] = (guint8) (rgb >> (16 - 8 * i));
  }
}

GstSample *
yv_test_plain (guint w, guint h, guint32 rgb)
{
  g_autoptr (GstCaps) caps = yv_test_caps ("RGB", w, h);
  GstVideoInfo info;
  GstVideoFrame frame;

  gst_video_info_from_caps (&info, caps);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE);
  fill (&frame, rgb);
  gst_video_frame_unmap (&frame);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* A process of its own decodes: the decoder's library fills this one with hundreds of types. It
 * sees the system's plugins, not those that the environment chooses for the tests. */
static gboolean
decode_first_frame (const char *clip, const char *path)
{
  g_autofree char *in = g_strdup_printf ("location=%s", clip);
  g_autofree char *location = g_strdup_printf ("location=%s", path);
  const char *argv[] = {"gst-launch-1.0", "-q",     "filesrc", in,  "!",        "decodebin",   "!",
                        "videoconvert",   "!",      CLIP_CAPS, "!", "identity", "eos-after=2", "!",
                        "filesink",       location, NULL};
  g_auto (GStrv) environment = g_get_environ ();
  int status = -1;

  environment = g_environ_unsetenv (environment, "GST_PLUGIN_SYSTEM_PATH_1_0");
  environment = g_environ_unsetenv (environment, "GST_PLUGIN_PATH");
  environment = g_environ_unsetenv (environment, "GST_REGISTRY");
  environment = g_environ_unsetenv (environment, "GST_REGISTRY_FORK");
  environment = g_environ_unsetenv (environment, "GST_TRACERS");
  return g_spawn_sync (NULL, (char **) argv, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                       NULL, &status, NULL) &&
         g_spawn_check_wait_status (status, NULL);
}

GstSample *
yv_test_clip (void)
{
  g_autoptr (GstCaps) caps = yv_test_caps ("RGB", CLIP_W, CLIP_H);
  g_autofree char *path = NULL;
  g_autofree char *bytes = NULL;
  gsize size = 0;

  const char *required = g_getenv ("YV_CLIP");
  const char *clip = required ? required : CLIP;
  if (!required && !g_file_test (clip, G_FILE_TEST_EXISTS))
    return NULL;
  const int fd = g_file_open_tmp ("yolov7-clip-XXXXXX", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  const gboolean decoded = decode_first_frame (clip, path) &&
                           g_file_get_contents (path, &bytes, &size, NULL) &&
                           size >= CLIP_W * CLIP_H * 3;
  g_unlink (path);
  g_assert_true (decoded || !required);
  if (!decoded)
    return NULL;
  g_autoptr (GstBuffer) buffer = gst_buffer_new_memdup (bytes, CLIP_W * CLIP_H * 3);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

GstSample *
yv_test_convert (GstSample *picture, const char *format, guint w, guint h)
{
  g_autoptr (GstCaps) caps = yv_test_caps (format, w, h);
  g_autoptr (GError) error = NULL;
  GstSample *converted = gst_video_convert_sample (picture, caps, 20 * GST_SECOND, &error);

  g_assert_no_error (error);
  return converted;
}

static void
set_times (GstBuffer *buffer)
{
  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
}

GstBuffer *
yv_test_frame (GstSample *picture)
{
  GstBuffer *buffer = gst_buffer_copy_deep (gst_sample_get_buffer (picture));

  set_times (buffer);
  return buffer;
}

GstBuffer *
yv_test_padded_frame (GstSample *picture, guint padding)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = {0};
  gint stride[GST_VIDEO_MAX_PLANES] = {0};
  GstVideoInfo info;
  GstVideoFrame from, to;
  gsize size = padding;

  gst_video_info_from_caps (&info, gst_sample_get_caps (picture));
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (&info); i++) {
    gint components[GST_VIDEO_MAX_COMPONENTS];
    gst_video_format_info_component (info.finfo, i, components);
    const gint rows = GST_VIDEO_INFO_COMP_HEIGHT (&info, components[0]);
    offset[i] = size;
    stride[i] = GST_VIDEO_INFO_PLANE_STRIDE (&info, i) + (gint) padding;
    size += (gsize) stride[i] * (gsize) rows + padding;
  }
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);
  gst_buffer_memset (buffer, 0, 0x5a, size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (&info),
                                  (guint) info.width, (guint) info.height,
                                  GST_VIDEO_INFO_N_PLANES (&info), offset, stride);
  gst_video_frame_map (&from, &info, gst_sample_get_buffer (picture), GST_MAP_READ);
  gst_video_frame_map (&to, &info, buffer, GST_MAP_WRITE);
  gst_video_frame_copy (&to, &from);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  set_times (buffer);
  return buffer;
}

void
yv_test_attach (GstBuffer *buffer, guint frame_w, guint frame_h,
                const GstYolov7Detection *detections, guint n_detections, GstYolov7MetaKinds kinds)
{
  const GstYolov7Frame frame = {
      .width = frame_w,
      .height = frame_h,
      .pts = GST_BUFFER_PTS (buffer),
      .duration = GST_BUFFER_DURATION (buffer),
  };

  gst_yolov7_detections_attach (buffer, &frame, detections, n_detections, kinds);
}

guint32
yv_test_rgb_at (GstSample *picture, guint x, guint y)
{
  GstVideoInfo info;
  GstVideoFrame frame;

  gst_video_info_from_caps (&info, gst_sample_get_caps (picture));
  g_assert_cmpint (GST_VIDEO_INFO_FORMAT (&info), ==, GST_VIDEO_FORMAT_RGB);
  gst_video_frame_map (&frame, &info, gst_sample_get_buffer (picture), GST_MAP_READ);
  const guint8 *pixel = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                        y * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + x * 3;
  const guint32 rgb = (guint32) pixel[0] << 16 | (guint32) pixel[1] << 8 | pixel[2];
  gst_video_frame_unmap (&frame);
  return rgb;
}
