/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-frameview.c - gst/frameview.h: what a buffer is to the engine. */
#include "gst/frameview.h"

#include <gst/check/gstharness.h>

#include "engine/frame.h"
#include "tests/gst/frames.h"

/* As the engine will read it: R, G, B of pixel (x, y) through planes and strides alone. */
static guint32
read_pixel (const YvImage *image, guint x, guint y)
{
  static const guint8 order[][3] = {
      [YV_FORMAT_RGB] = {0, 1, 2},  [YV_FORMAT_BGR] = {2, 1, 0},  [YV_FORMAT_RGBX] = {0, 1, 2},
      [YV_FORMAT_BGRX] = {2, 1, 0}, [YV_FORMAT_XRGB] = {1, 2, 3}, [YV_FORMAT_XBGR] = {3, 2, 1},
  };
  const guint bytes = image->format <= YV_FORMAT_BGR ? 3 : 4;
  const guint8 *pixel = image->planes[0] + y * image->stride_bytes[0] + x * bytes;

  return (guint32) pixel[order[image->format][0]] << 16 |
         (guint32) pixel[order[image->format][1]] << 8 | pixel[order[image->format][2]];
}

/* Where a format has U and V of the columns 2 k and 2 k + 1: plane, first byte, bytes from one to
 * the next; columns and rows that share them; the byte that has the high bits. */
typedef struct {
  guint8 u[2], v[2], step, dx, dy, high_byte;
} ChromaRow;

static const ChromaRow chroma[YV_N_FORMATS] = {
    [YV_FORMAT_I420] = {{1, 0}, {2, 0}, 1, 1, 1, 0},
    [YV_FORMAT_NV12] = {{1, 0}, {1, 1}, 2, 1, 1, 0},
    [YV_FORMAT_NV21] = {{1, 1}, {1, 0}, 2, 1, 1, 0},
    [YV_FORMAT_Y42B] = {{1, 0}, {2, 0}, 1, 1, 0, 0},
    [YV_FORMAT_NV16] = {{1, 0}, {1, 1}, 2, 1, 0, 0},
    [YV_FORMAT_YUY2] = {{0, 1}, {0, 3}, 4, 1, 0, 0},
    [YV_FORMAT_UYVY] = {{0, 0}, {0, 2}, 4, 1, 0, 0},
    [YV_FORMAT_YVYU] = {{0, 3}, {0, 1}, 4, 1, 0, 0},
    [YV_FORMAT_Y444] = {{1, 0}, {2, 0}, 1, 0, 0, 0},
    [YV_FORMAT_I420_10LE] = {{1, 0}, {2, 0}, 2, 1, 1, 1},
    [YV_FORMAT_P010_10LE] = {{1, 0}, {1, 2}, 4, 1, 1, 1},
};

/* U or V, as @where says, of pixel (x, y), in 8 bits. */
static guint
read_chroma (const YvImage *image, const guint8 where[2], guint x, guint y)
{
  const ChromaRow *row = &chroma[image->format];
  const guint8 *bytes = image->planes[where[0]] + (y >> row->dy) * image->stride_bytes[where[0]] +
                        where[1] + (x >> row->dx) * row->step;

  if (image->format == YV_FORMAT_I420_10LE)
    return (bytes[0] | (guint) bytes[1] << 8) >> 2;
  return bytes[row->high_byte];
}

/* Half a picture red and half blue: planes that are swapped show. */
static GstSample *
two_colors (void)
{
  GstSample *picture = yv_test_plain (34, 26, 0xff0000);
  GstBuffer *buffer = gst_sample_get_buffer (picture);
  static const guint8 blue[] = {0, 0, 0xff};

  for (guint y = 0; y < 26; y++)
    for (guint x = 16; x < 34; x++)
      gst_buffer_fill (buffer, y * GST_ROUND_UP_4 (34 * 3) + x * 3, blue, 3);
  return picture;
}

static void
assert_two_colors (const YvImage *image, const char *format)
{
  if (image->format < YV_FORMAT_GRAY8) {
    g_assert_cmphex (read_pixel (image, 3, 25), ==, 0xff0000);
    g_assert_cmphex (read_pixel (image, 33, 25), ==, 0x0000ff);
    return;
  }
  if (image->format == YV_FORMAT_GRAY8) {
    g_assert_cmpuint (image->planes[0][25 * image->stride_bytes[0] + 3], >, 60);
    g_assert_cmpuint (image->planes[0][25 * image->stride_bytes[0] + 33], <, 50);
    return;
  }
  const ChromaRow *row = &chroma[image->format];
  const guint red_v = read_chroma (image, row->v, 3, 25);
  const guint blue_u = read_chroma (image, row->u, 33, 25);
  g_test_message ("%s: V of red %u, U of blue %u", format, red_v, blue_u);
  g_assert_cmpuint (red_v, >, 230);
  g_assert_cmpuint (blue_u, >, 230);
}

static void
every_format_is_seen_right_with_any_stride (void)
{
  g_autoptr (GstSample) picture = two_colors ();

  for (guint i = 0; yv_test_formats[i]; i++)
    for (guint padding = 0; padding <= 40; padding += 20) {
      g_autoptr (GstSample) converted = yv_test_convert (picture, yv_test_formats[i], 34, 26);
      g_autoptr (GstBuffer) frame =
          padding ? yv_test_padded_frame (converted, padding) : yv_test_frame (converted);
      GstVideoInfo info;
      GstYolov7FrameView view;

      gst_video_info_from_caps (&info, gst_sample_get_caps (converted));
      g_assert_true (gst_yolov7_frame_view_map (&view, &info, frame, GST_MAP_READ));
      g_assert_cmpuint (view.image.width, ==, 34);
      g_assert_cmpuint (view.image.height, ==, 26);
      assert_two_colors (&view.image, yv_test_formats[i]);
      gst_yolov7_frame_view_unmap (&view);
    }
}

static void
colorimetry_and_chroma_siting_come_from_the_caps (void)
{
  static const struct {
    const char *caps;
    YvMatrix matrix;
    bool full_range, chroma_left;
  } rows[] = {
      {"format=I420, width=720, height=576", YV_MATRIX_BT601, false, false},
      {"format=I420, width=1280, height=720", YV_MATRIX_BT709, false, true},
      {"format=NV12, width=64, height=64, colorimetry=bt709", YV_MATRIX_BT709, false, false},
      {"format=NV12, width=64, height=64, colorimetry=bt2020", YV_MATRIX_BT2020, false, false},
      {"format=I420, width=64, height=64, colorimetry=bt601, chroma-site=mpeg2", YV_MATRIX_BT601,
       false, true},
      {"format=I420, width=64, height=64, colorimetry=1:4:0:0, chroma-site=jpeg", YV_MATRIX_BT601,
       true, false},
      {"format=I420, width=64, height=64, colorimetry=smpte240m", YV_MATRIX_BT709, false, false},
      {"format=GRAY8, width=64, height=64", YV_MATRIX_BT601, true, false},
      {"format=YUY2, width=640, height=480", YV_MATRIX_BT601, false, false},
      {"format=UYVY, width=1280, height=720, chroma-site=mpeg2", YV_MATRIX_BT709, false, true},
      {"format=Y42B, width=64, height=64, colorimetry=1:4:0:0", YV_MATRIX_BT601, true, false},
      {"format=P010_10LE, width=64, height=64, colorimetry=bt2100-pq", YV_MATRIX_BT2020, false,
       false},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf ("video/x-raw, framerate=25/1, %s", rows[i].caps);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);
    GstVideoInfo info;
    GstYolov7FrameView view;

    g_assert_true (gst_video_info_from_caps (&info, caps));
    g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, info.size, NULL);
    g_assert_true (gst_yolov7_frame_view_map (&view, &info, frame, GST_MAP_READ));
    g_test_message ("%s", rows[i].caps);
    g_assert_cmpint (view.image.matrix, ==, rows[i].matrix);
    g_assert_cmpint (view.image.full_range, ==, rows[i].full_range);
    g_assert_cmpint (view.image.chroma_left, ==, rows[i].chroma_left);
    gst_yolov7_frame_view_unmap (&view);
  }
}

static gboolean
maps (GstBuffer *frame, const GstVideoInfo *info)
{
  GstYolov7FrameView view;

  if (!gst_yolov7_frame_view_map (&view, info, frame, GST_MAP_READ))
    return FALSE;
  gst_yolov7_frame_view_unmap (&view);
  return TRUE;
}

static void
a_buffer_that_is_not_the_frame_of_the_caps_is_refused (void)
{
  static const struct {
    GstVideoFormat format;
    guint w, h;
    gboolean fits;
  } metas[] = {
      {GST_VIDEO_FORMAT_RGB, 32, 24, TRUE},  {GST_VIDEO_FORMAT_RGB, 40, 30, TRUE},
      {GST_VIDEO_FORMAT_RGB, 31, 24, FALSE}, {GST_VIDEO_FORMAT_RGB, 32, 23, FALSE},
      {GST_VIDEO_FORMAT_BGR, 32, 24, FALSE}, {GST_VIDEO_FORMAT_I420, 32, 24, FALSE},
  };
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 32, 24);
  for (guint i = 0; i < G_N_ELEMENTS (metas); i++) {
    g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, 4 * info.size, NULL);
    gst_buffer_add_video_meta (frame, GST_VIDEO_FRAME_FLAG_NONE, metas[i].format, metas[i].w,
                               metas[i].h);
    g_assert_cmpint (maps (frame, &info), ==, metas[i].fits);
  }
  g_autoptr (GstBuffer) small = gst_buffer_new_allocate (NULL, info.size - 1, NULL);
  g_assert_false (maps (small, &info));
}

static void
a_video_meta_that_points_outside_the_buffer_is_refused (void)
{
  static const struct {
    gsize offset[2];
    gint stride[2];
    gboolean fits;
  } rows[] = {
      {{0, 32 * 24}, {32, 32}, TRUE},   {{0, 1000}, {32, 32}, TRUE},
      {{0, 32 * 24}, {64, 32}, TRUE}, /* planes may overlap; what is read is inside */
      {{0, 1153}, {32, 32}, FALSE},     {{0, 32 * 24}, {31, 32}, FALSE},
      {{0, 32 * 24}, {32, 31}, FALSE},  {{800, 32 * 24}, {32, 32}, FALSE},
      {{0, 32 * 24}, {0, 32}, FALSE},   {{0, 32 * 24}, {32, G_MAXINT}, FALSE},
      {{0, 32 * 24}, {32, -32}, FALSE},
  };
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 32, 24);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gsize offset[GST_VIDEO_MAX_PLANES] = {rows[i].offset[0], rows[i].offset[1]};
    gint stride[GST_VIDEO_MAX_PLANES] = {rows[i].stride[0], rows[i].stride[1]};
    g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, 1536, NULL);
    gst_buffer_add_video_meta_full (frame, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, 32, 24,
                                    2, offset, stride);
    g_test_message ("row %u", i);
    g_assert_cmpint (maps (frame, &info), ==, rows[i].fits);
  }
}

/* As videocrop does it: the caps are of the part, the GstVideoMeta of the whole. */
static void
a_crop_is_seen_where_it_lies (void)
{
  g_autoptr (GstSample) picture = two_colors ();

  for (guint i = 0; yv_test_formats[i]; i++)
    for (guint padding = 0; padding <= 20; padding += 20) {
      g_autoptr (GstSample) converted = yv_test_convert (picture, yv_test_formats[i], 34, 26);
      g_autoptr (GstBuffer) frame =
          padding ? yv_test_padded_frame (converted, padding) : yv_test_frame (converted);
      GstVideoInfo info;
      GstYolov7FrameView view;

      gst_video_info_from_caps (&info, gst_sample_get_caps (converted));
      if (!padding)
        gst_buffer_add_video_meta (frame, GST_VIDEO_FRAME_FLAG_NONE, info.finfo->format, 34, 26);
      g_assert_true (gst_yolov7_frame_view_map (&view, &info, frame, GST_MAP_READ));
      const YvImage whole = view.image;
      gst_yolov7_frame_view_unmap (&view);

      GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (frame);
      *crop = (GstVideoCropMeta){.meta = crop->meta, .x = 12, .y = 6, .width = 20, .height = 16};
      gst_video_info_set_format (&info, info.finfo->format, 20, 16);
      g_assert_true (gst_yolov7_frame_view_map (&view, &info, frame, GST_MAP_READ));
      g_assert_cmpuint (view.image.width, ==, 20);
      g_assert_cmpuint (view.image.height, ==, 16);
      for (guint plane = 0; plane < 3 && whole.planes[plane]; plane++) {
        gint components[GST_VIDEO_MAX_COMPONENTS];

        gst_video_format_info_component (info.finfo, plane, components);
        const guint x = 12 >> GST_VIDEO_FORMAT_INFO_W_SUB (info.finfo, components[0]);
        const guint y = 6 >> GST_VIDEO_FORMAT_INFO_H_SUB (info.finfo, components[0]);
        const guint pixel_bytes = (guint) GST_VIDEO_FORMAT_INFO_PSTRIDE (info.finfo, components[0]);
        g_assert_true (view.image.planes[plane] ==
                       whole.planes[plane] + y * whole.stride_bytes[plane] + x * pixel_bytes);
        g_assert_cmpuint (view.image.stride_bytes[plane], ==, whole.stride_bytes[plane]);
      }
      if (whole.format < YV_FORMAT_GRAY8) {
        g_assert_cmphex (read_pixel (&view.image, 3, 15), ==, 0xff0000); /* 15 of 34 */
        g_assert_cmphex (read_pixel (&view.image, 4, 15), ==, 0x0000ff);
      }
      gst_yolov7_frame_view_unmap (&view);
    }
}

/* @knows_crop: downstream does; else pixels are copied. Returns what comes out of videocrop. */
static GstBuffer *
run_videocrop (GstSample *picture, gboolean knows_crop)
{
  GstHarness *h = gst_harness_new_parse ("videocrop left=12 top=6 right=2 bottom=4");
  GstCaps *caps = gst_caps_ref (gst_sample_get_caps (picture));

  if (knows_crop) {
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_CROP_META_API_TYPE, NULL);
  }
  gst_harness_set_src_caps (h, caps);
  GstBuffer *cropped = gst_harness_push_and_pull (h, yv_test_frame (picture));
  g_assert_nonnull (cropped);
  g_assert_cmpint (gst_buffer_get_video_crop_meta (cropped) != NULL, ==, knows_crop);
  gst_harness_teardown (h);
  return cropped;
}

static void
what_videocrop_only_notes_is_what_it_would_copy (void)
{
  g_autoptr (GstSample) picture = two_colors (), converted = NULL;
  GstVideoInfo info;
  GstYolov7FrameView noted_view, copied_view;

  converted = yv_test_convert (picture, "NV12", 34, 26);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 20, 16);
  g_autoptr (GstBuffer) noted = run_videocrop (converted, TRUE);
  g_autoptr (GstBuffer) copied = run_videocrop (converted, FALSE);
  g_assert_true (gst_yolov7_frame_view_map (&noted_view, &info, noted, GST_MAP_READ));
  g_assert_true (gst_yolov7_frame_view_map (&copied_view, &info, copied, GST_MAP_READ));
  for (guint plane = 0; plane < 2; plane++)
    for (guint y = 0; y < 16u >> plane; y++)
      g_assert_cmpmem (
          noted_view.image.planes[plane] + y * noted_view.image.stride_bytes[plane], 20,
          copied_view.image.planes[plane] + y * copied_view.image.stride_bytes[plane], 20);
  gst_yolov7_frame_view_unmap (&noted_view);
  gst_yolov7_frame_view_unmap (&copied_view);
}

static void
a_crop_that_is_not_the_caps_picture_is_refused (void)
{
  static const char size[] = "its GstVideoCropMeta has another size than the caps";
  static const char within[] =
      "its GstVideoCropMeta begins within a sample of chroma; crop at even x and y";
  static const struct {
    GstVideoFormat format;
    guint x, y, w, h;
    const char *fault;
    gboolean fits;
  } rows[] = {
      {GST_VIDEO_FORMAT_I420, 4, 2, 32, 24, NULL, TRUE},
      {GST_VIDEO_FORMAT_I420, 0, 0, 32, 24, NULL, TRUE},
      {GST_VIDEO_FORMAT_I420, 4, 2, 30, 24, size, FALSE},
      {GST_VIDEO_FORMAT_I420, 4, 2, 32, 22, size, FALSE},
      {GST_VIDEO_FORMAT_I420, 3, 2, 32, 24, within, FALSE},
      {GST_VIDEO_FORMAT_I420, 4, 1, 32, 24, within, FALSE},
      {GST_VIDEO_FORMAT_NV12, 3, 2, 32, 24, within, FALSE},
      {GST_VIDEO_FORMAT_RGB, 3, 1, 32, 24, NULL, TRUE},
      {GST_VIDEO_FORMAT_GRAY8, 3, 1, 32, 24, NULL, TRUE},
      {GST_VIDEO_FORMAT_RGB, 9, 0, 32, 24, NULL, FALSE}, /* the frame has 40x30 */
      {GST_VIDEO_FORMAT_RGB, 0, 7, 32, 24, NULL, FALSE},
      {GST_VIDEO_FORMAT_RGB, G_MAXUINT, 0, 32, 24, NULL, FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstVideoInfo info;

    g_test_message ("row %u", i);
    gst_video_info_set_format (&info, rows[i].format, 40, 30);
    g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_add_video_meta (frame, GST_VIDEO_FRAME_FLAG_NONE, rows[i].format, 40, 30);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (frame);
    *crop = (GstVideoCropMeta){.meta = crop->meta,
                               .x = rows[i].x,
                               .y = rows[i].y,
                               .width = rows[i].w,
                               .height = rows[i].h};
    gst_video_info_set_format (&info, rows[i].format, 32, 24);
    g_assert_cmpint (maps (frame, &info), ==, rows[i].fits);
    g_assert_cmpstr (gst_yolov7_frame_view_crop_fault (&info, frame), ==, rows[i].fault);
  }

  /* Without a GstVideoMeta the whole is what the caps say. */
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 32, 24);
  g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, 2 * info.size, NULL);
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (frame);
  *crop = (GstVideoCropMeta){.meta = crop->meta, .width = 32, .height = 24};
  g_assert_true (maps (frame, &info));
  crop->x = 1;
  g_assert_false (maps (frame, &info));
}

/* 5x2 px: the bytes of the pixel that an odd width lacks have to be there, too. */
static void
pairs_of_pixels_are_whole (void)
{
  static const struct {
    GstVideoFormat format;
    gint stride;
    gsize size;
    gboolean fits;
  } rows[] = {
      {GST_VIDEO_FORMAT_YUY2, 20, 32, TRUE},  {GST_VIDEO_FORMAT_YUY2, 20, 31, FALSE},
      {GST_VIDEO_FORMAT_YUY2, 12, 24, TRUE},  {GST_VIDEO_FORMAT_YUY2, 11, 24, FALSE},
      {GST_VIDEO_FORMAT_UYVY, 20, 32, TRUE},  {GST_VIDEO_FORMAT_UYVY, 20, 31, FALSE},
      {GST_VIDEO_FORMAT_YVYU, 12, 23, FALSE}, {GST_VIDEO_FORMAT_YVYU, 12, 24, TRUE},
  };
  gsize offset[GST_VIDEO_MAX_PLANES] = {0};
  GstVideoInfo info;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gint stride[GST_VIDEO_MAX_PLANES] = {rows[i].stride};
    g_autoptr (GstBuffer) frame = gst_buffer_new_allocate (NULL, rows[i].size, NULL);

    gst_video_info_set_format (&info, rows[i].format, 5, 2);
    gst_buffer_add_video_meta_full (frame, GST_VIDEO_FRAME_FLAG_NONE, rows[i].format, 5, 2, 1,
                                    offset, stride);
    g_test_message ("row %u", i);
    g_assert_cmpint (maps (frame, &info), ==, rows[i].fits);
  }
}

static void
one_picture_a_buffer_is_taken_and_nothing_else (void)
{
  static const char fields[] = "a buffer holds single fields; put deinterlace before this element";
  static const char views[] = "it has several views; split them before this element";
  static const struct {
    const char *caps;
    const char *why; /* NULL: taken */
  } rows[] = {
      {"video/x-raw, format=I420", NULL},
      {"video/x-raw, format=I420, interlace-mode=progressive", NULL},
      {"video/x-raw, format=I420, interlace-mode=interleaved, field-order=top-field-first", NULL},
      {"video/x-raw, format=I420, interlace-mode=mixed", NULL},
      {"video/x-raw(format:Interlaced), format=I420, interlace-mode=alternate", fields},
      {"video/x-raw, format=I420, interlace-mode=fields", fields},
      {"video/x-raw, format=I420, multiview-mode=mono, views=1", NULL},
      {"video/x-raw, format=I420, multiview-mode=mono", NULL},
      {"video/x-raw, format=I420, multiview-mode=left", NULL},
      {"video/x-raw, format=I420, multiview-mode=right", NULL},
      {"video/x-raw, format=I420, multiview-mode=left, views=2", views},
      {"video/x-raw, format=I420, multiview-mode=separated, views=2", views},
      {"video/x-raw, format=I420, multiview-mode=side-by-side", views},
      {"video/x-raw, format=I420, multiview-mode=top-bottom", views},
      {"video/x-raw, format=I420, multiview-mode=frame-by-frame", views},
      {"video/x-raw, format=I420, multiview-mode=multiview-frame-by-frame, views=3", views},
      {"video/x-raw, format=I422_10LE", "the pixel format is none of " GST_YOLOV7_FORMATS},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text =
        g_strdup_printf ("%s, width=64, height=48, framerate=25/1", rows[i].caps);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);
    GstVideoInfo info;
    const char *why = NULL;

    g_assert_true (gst_video_info_from_caps (&info, caps));
    g_test_message ("%s", text);
    g_assert_cmpint (gst_yolov7_frame_view_check (&info, &why), ==, rows[i].why == NULL);
    g_assert_cmpstr (why, ==, rows[i].why);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frameview/formats", every_format_is_seen_right_with_any_stride);
  g_test_add_func ("/frameview/colorimetry", colorimetry_and_chroma_siting_come_from_the_caps);
  g_test_add_func ("/frameview/wrong-frame", a_buffer_that_is_not_the_frame_of_the_caps_is_refused);
  g_test_add_func ("/frameview/wrong-meta", a_video_meta_that_points_outside_the_buffer_is_refused);
  g_test_add_func ("/frameview/crop", a_crop_is_seen_where_it_lies);
  g_test_add_func ("/frameview/videocrop", what_videocrop_only_notes_is_what_it_would_copy);
  g_test_add_func ("/frameview/wrong-crop", a_crop_that_is_not_the_caps_picture_is_refused);
  g_test_add_func ("/frameview/pairs", pairs_of_pixels_are_whole);
  g_test_add_func ("/frameview/one-picture", one_picture_a_buffer_is_taken_and_nothing_else);
  return g_test_run ();
}
