/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-formats.c - each pixel format against GStreamer's own conversion of the same
 * picture: colors, pixel by pixel, and what yolov7 finds. */
#include <gst/check/gstharness.h>
#include <math.h>

#include "gst/frameview.h"
#include "tests/common/device.h"
#include "tests/common/refrun.h"
#include "tests/gst/detector.h"
#include "tests/gst/frames.h"

#define NET 64 /* a side of the input that pictures are put into as they are */
#define THRESHOLD 0.25
#define CONFIDENCE_TOLERANCE 0.08

/* ---- colors -------------------------------------------------------------------------------- */

/* A picture without a pattern that two wrong components could have in common. */
static GstSample *
mixed_colors (guint w, guint h)
{
  GstSample *picture = yv_test_plain (w, h, 0);
  GstBuffer *buffer = gst_sample_get_buffer (picture);
  const guint stride_bytes = GST_ROUND_UP_4 (3 * w);

  for (guint y = 0; y < h; y++)
    for (guint x = 0; x < w; x++) {
      guint8 rgb[3];
      for (guint c = 0; c < 3; c++)
        rgb[c] =
            (guint8) (128 + 120 * sin (0.31 * x + 0.23 * y * (c + 1)) * cos (0.17 * x * c + y));
      gst_buffer_fill (buffer, y * stride_bytes + 3 * x, rgb, 3);
    }
  return picture;
}

static GstBuffer *
convert (const GstVideoInfo *from, GstBuffer *buffer, const GstVideoInfo *to)
{
  GstStructure *options =
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                         GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL);
  GstVideoConverter *converter = gst_video_converter_new (from, to, options);
  GstBuffer *converted = gst_buffer_new_allocate (NULL, to->size, NULL);
  GstVideoFrame src, dst;

  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&src, from, buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&dst, to, converted, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &src, &dst);
  gst_video_frame_unmap (&dst);
  gst_video_frame_unmap (&src);
  gst_video_converter_free (converter);
  return converted;
}

/* What GStreamer makes of a frame: R, G, B in 0..255, [h, w, 3]. By way of 16 bits, to which no
 * short cut leads that repeats chroma instead of interpolating it. */
static float *
rgb_of (const GstVideoInfo *info, GstBuffer *buffer)
{
  const guint w = (guint) info->width, h = (guint) info->height;
  float *values = g_new (float, 3 * w * h);
  GstVideoInfo wide = *info;
  GstVideoFrame frame;

  gst_video_info_set_format (&wide, GST_VIDEO_FORMAT_ARGB64, w, h);
  wide.fps_n = info->fps_n;
  wide.fps_d = info->fps_d;
  g_autoptr (GstBuffer) converted = convert (info, buffer, &wide);
  g_assert_true (gst_video_frame_map (&frame, &wide, converted, GST_MAP_READ));
  const guint16 *argb = GST_VIDEO_FRAME_PLANE_DATA (&frame, 0); /* rows without padding */
  for (guint i = 0; i < w * h; i++)
    for (guint c = 0; c < 3; c++)
      values[3 * i + c] = argb[4 * i + 1 + c] / 257.0f;
  gst_video_frame_unmap (&frame);
  return values;
}

typedef struct {
  guint w, h;
  const char *colorimetry, *chroma_site;
} Picture;

static GstVideoInfo
info_of (const Picture *picture, const char *format)
{
  g_autofree char *text =
      g_strdup_printf ("video/x-raw, format=%s, width=%u, height=%u, framerate=25/1", format,
                       picture->w, picture->h);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  if (GST_VIDEO_INFO_IS_RGB (&info))
    return info;
  if (!GST_VIDEO_INFO_IS_GRAY (&info)) {
    g_assert_true (gst_video_colorimetry_from_string (&info.colorimetry, picture->colorimetry));
    info.chroma_site = gst_video_chroma_site_from_string (picture->chroma_site);
  }
  return info;
}

/* Ours, of the picture where it is, with nothing scaled. */
static float *
letterboxed (const GstVideoInfo *info, GstBuffer *buffer)
{
  const YvLetterbox letterbox = {.frame_w = (uint32_t) info->width,
                                 .frame_h = (uint32_t) info->height,
                                 .net_w = NET,
                                 .net_h = NET,
                                 .resized_w = (uint32_t) info->width,
                                 .resized_h = (uint32_t) info->height};
  GstYolov7FrameView view;

  g_assert_true (gst_yolov7_frame_view_map (&view, info, buffer, GST_MAP_READ));
  float *values = yv_test_letterbox (&view.image, &letterbox);
  gst_yolov7_frame_view_unmap (&view);
  return values;
}

/* Of 255. Ours rounds once, by a half. GStreamer computes 8 bits in 8 bits: its matrix is off by
 * 0.9 because coefficients are in 1/256, and by 1.5 because it cuts products; and chroma that is
 * interpolated is rounded once in each direction, by a half, which the matrix makes 1.07 at most.
 * It computes 10 bits in 16, whose lower bits repeat the upper ones: up to 63 / 257 too much, times
 * 1.17 in luma and 2.15 in chroma. */
static double
largest_difference (const GstVideoInfo *info)
{
  const GstVideoFormatInfo *format = info->finfo;

  if (GST_VIDEO_INFO_IS_RGB (info))
    return 1e-3;
  if (GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) == 10)
    return 0.82;
  if (GST_VIDEO_INFO_IS_GRAY (info))
    return 2.9;
  return 2.9 +
         1.07 * (GST_VIDEO_FORMAT_INFO_W_SUB (format, 1) + GST_VIDEO_FORMAT_INFO_H_SUB (format, 1));
}

static void
compare_colors (const GstVideoInfo *info, const Picture *picture, const float *got,
                const float *expected)
{
  const double bound = largest_difference (info);
  double largest = 0;

  for (guint c = 0; c < 3; c++)
    for (guint y = 0; y < picture->h; y++)
      for (guint x = 0; x < picture->w; x++) {
        const double mine = got[(c * NET + y) * NET + x];
        const double wanted = expected[(y * picture->w + x) * 3 + c];
        const double difference = fabs (mine - wanted);
        largest = MAX (largest, difference);
        if (difference > bound)
          g_error ("%s %ux%u, %s, %s: channel %u at %u,%u is %.3f, expected %.3f",
                   GST_VIDEO_INFO_NAME (info), picture->w, picture->h, picture->colorimetry,
                   picture->chroma_site, c, x, y, mine, wanted);
      }
  g_test_message ("%s %ux%u, %s, %s: %.3f of 255", GST_VIDEO_INFO_NAME (info), picture->w,
                  picture->h, picture->colorimetry, picture->chroma_site, largest);
}

static void
check_colors (const Picture *picture, const char *format)
{
  const GstVideoInfo rgb = info_of (picture, "RGB"), info = info_of (picture, format);
  g_autoptr (GstSample) sample = mixed_colors (picture->w, picture->h);
  g_autoptr (GstBuffer) frame = convert (&rgb, gst_sample_get_buffer (sample), &info);
  g_autofree float *expected = rgb_of (&info, frame);
  g_autofree float *got = letterboxed (&info, frame);

  compare_colors (&info, picture, got, expected);
}

static void
colors_are_those_of_videoconvert (void)
{
  static const Picture pictures[] = {
      {64, 48, "bt601", "jpeg"},   {63, 45, "bt601", "mpeg2"},     {62, 47, "bt709", "mpeg2"},
      {61, 46, "1:4:0:0", "jpeg"}, {64, 64, "bt2020-10", "mpeg2"},
  };

  for (guint k = 0; k < G_N_ELEMENTS (pictures); k++)
    for (guint i = 0; yv_test_formats[i]; i++)
      check_colors (&pictures[k], yv_test_formats[i]);
}

/* ---- detections ----------------------------------------------------------------------------- */

/* A frame of GStreamer's colored rings, which our model takes for many small things. */
static GstSample *
test_picture (const char *format)
{
  g_autofree char *launch =
      g_strdup_printf ("videotestsrc num-buffers=1 pattern=zone-plate kx2=20 ky2=12 ! capsfilter "
                       "caps=video/x-raw,format=%s,width=193,height=127,framerate=25/1",
                       format);
  GstHarness *h = gst_harness_new_parse (launch);

  gst_harness_play (h);
  g_autoptr (GstBuffer) frame = gst_harness_pull (h);
  g_assert_nonnull (frame);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  gst_harness_teardown (h);
  return gst_sample_new (frame, caps, NULL, NULL);
}

/* The same, converted by GStreamer. */
static GstSample *
as_rgb (GstSample *picture)
{
  GstVideoInfo info;

  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (picture)));
  const guint w = (guint) info.width, h = (guint) info.height, stride = GST_ROUND_UP_4 (3 * w);
  g_autofree float *values = rgb_of (&info, gst_sample_get_buffer (picture));
  GstSample *rgb = yv_test_plain (w, h, 0);
  for (guint y = 0; y < h; y++)
    for (guint i = 0; i < 3 * w; i++) {
      const guint8 value = (guint8) lrintf (values[y * 3 * w + i]);
      gst_buffer_fill (gst_sample_get_buffer (rgb), y * stride + i, &value, 1);
    }
  return rgb;
}

/* Every detection of @a that is not on the edge of the threshold has its like in @b. The colors of
 * the two pictures differ by up to 5 of 255; measured with that are an IoU of 0.969 and confidences
 * 0.058 apart. */
static void
assert_contained (GArray *a, GArray *b, const char *format)
{
  for (guint i = 0; i < a->len; i++) {
    gboolean matched = nth (a, i)->confidence < THRESHOLD + CONFIDENCE_TOLERANCE;
    for (guint k = 0; k < b->len && !matched; k++)
      matched = nth (a, i)->class_index == nth (b, k)->class_index &&
                iou (nth (a, i), nth (b, k)) > 0.95 &&
                fabs (nth (a, i)->confidence - nth (b, k)->confidence) < CONFIDENCE_TOLERANCE;
    if (!matched)
      g_error ("%s: no match for %.1f,%.1f %.1fx%.1f %.3f", format, nth (a, i)->x, nth (a, i)->y,
               nth (a, i)->w, nth (a, i)->h, nth (a, i)->confidence);
  }
}

/* Nothing is suppressed: which of two equal boxes stays is a matter of chance. */
static void
the_same_is_found_as_in_rgb (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  GstHarness *h = detector_new ("input-size=192 iou-threshold=1 max-detections=1000");

  for (guint i = 0; yv_test_formats[i]; i++) {
    if (g_str_equal (yv_test_formats[i], "GRAY8")) /* see test-yolov7.c: rings mean less in gray */
      continue;
    g_autoptr (GstSample) picture = test_picture (yv_test_formats[i]);
    g_autoptr (GstSample) rgb = as_rgb (picture);
    set_caps (h, gst_sample_get_caps (picture));
    g_autoptr (GArray) found = detect (h, yv_test_frame (picture));
    set_caps (h, gst_sample_get_caps (rgb));
    g_autoptr (GArray) expected = detect (h, yv_test_frame (rgb));

    g_test_message ("%s: %u, in RGB %u", yv_test_formats[i], found->len, expected->len);
    assert_contained (found, expected, yv_test_formats[i]);
    assert_contained (expected, found, yv_test_formats[i]);
    g_assert_cmpuint (found->len, >, 40);
  }
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/colors", colors_are_those_of_videoconvert);
  g_test_add_func ("/formats/detections", the_same_is_found_as_in_rgb);
  return g_test_run ();
}
