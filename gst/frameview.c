/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/frameview.c - a buffer in host memory, seen as the engine and the drawing code see pictures.
 */
#include "gst/frameview.h"

/* ---- tables --------------------------------------------------------------------------------- */

typedef struct {
  GstVideoFormat gst;
  YvFormat format;
  guint8 planes[3]; /* where the engine's planes lie among GStreamer's */
  guint8 n_planes;
} FormatRow;

static const FormatRow formats[] = {
    {GST_VIDEO_FORMAT_I420, YV_FORMAT_I420, {0, 1, 2}, 3},
    {GST_VIDEO_FORMAT_YV12, YV_FORMAT_I420, {0, 2, 1}, 3},
    {GST_VIDEO_FORMAT_NV12, YV_FORMAT_NV12, {0, 1}, 2},
    {GST_VIDEO_FORMAT_RGB, YV_FORMAT_RGB, {0}, 1},
    {GST_VIDEO_FORMAT_BGR, YV_FORMAT_BGR, {0}, 1},
    {GST_VIDEO_FORMAT_RGBx, YV_FORMAT_RGBX, {0}, 1},
    {GST_VIDEO_FORMAT_RGBA, YV_FORMAT_RGBX, {0}, 1},
    {GST_VIDEO_FORMAT_BGRx, YV_FORMAT_BGRX, {0}, 1},
    {GST_VIDEO_FORMAT_BGRA, YV_FORMAT_BGRX, {0}, 1},
    {GST_VIDEO_FORMAT_xRGB, YV_FORMAT_XRGB, {0}, 1},
    {GST_VIDEO_FORMAT_ARGB, YV_FORMAT_XRGB, {0}, 1},
    {GST_VIDEO_FORMAT_xBGR, YV_FORMAT_XBGR, {0}, 1},
    {GST_VIDEO_FORMAT_ABGR, YV_FORMAT_XBGR, {0}, 1},
    {GST_VIDEO_FORMAT_GRAY8, YV_FORMAT_GRAY8, {0}, 1},
    {GST_VIDEO_FORMAT_NV21, YV_FORMAT_NV21, {0, 1}, 2},
    {GST_VIDEO_FORMAT_Y42B, YV_FORMAT_Y42B, {0, 1, 2}, 3},
    {GST_VIDEO_FORMAT_NV16, YV_FORMAT_NV16, {0, 1}, 2},
    {GST_VIDEO_FORMAT_YUY2, YV_FORMAT_YUY2, {0}, 1},
    {GST_VIDEO_FORMAT_UYVY, YV_FORMAT_UYVY, {0}, 1},
    {GST_VIDEO_FORMAT_YVYU, YV_FORMAT_YVYU, {0}, 1},
    {GST_VIDEO_FORMAT_Y444, YV_FORMAT_Y444, {0, 1, 2}, 3},
    {GST_VIDEO_FORMAT_I420_10LE, YV_FORMAT_I420_10LE, {0, 1, 2}, 3},
    {GST_VIDEO_FORMAT_P010_10LE, YV_FORMAT_P010_10LE, {0, 1}, 2},
};

static const FormatRow *
find_format (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].gst == format)
      return &formats[i];
  return NULL;
}

/* The rest of the matrices is within a few thousandths of one of these. */
static YvMatrix
matrix_of (const GstVideoInfo *info)
{
  static const struct {
    GstVideoColorMatrix gst;
    YvMatrix matrix;
  } rows[] = {
      {GST_VIDEO_COLOR_MATRIX_BT709, YV_MATRIX_BT709},
      {GST_VIDEO_COLOR_MATRIX_SMPTE240M, YV_MATRIX_BT709},
      {GST_VIDEO_COLOR_MATRIX_BT2020, YV_MATRIX_BT2020},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].gst == info->colorimetry.matrix)
      return rows[i].matrix;
  return YV_MATRIX_BT601;
}

/* ---- the view ------------------------------------------------------------------------------- */

const char *
gst_yolov7_frame_view_crop_fault (const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);

  if (!crop)
    return NULL;
  if (crop->width != (guint) GST_VIDEO_INFO_WIDTH (info) ||
      crop->height != (guint) GST_VIDEO_INFO_HEIGHT (info))
    return "its GstVideoCropMeta has another size than the caps";
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++)
    if (crop->x & ((1u << GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, i)) - 1) ||
        crop->y & ((1u << GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, i)) - 1))
      return "its GstVideoCropMeta begins within a sample of chroma; crop at even x and y";
  return NULL;
}

static gboolean
crop_lies_in_frame (const GstVideoCropMeta *crop, guint frame_w, guint frame_h)
{
  return !crop || ((guint64) crop->x + crop->width <= frame_w &&
                   (guint64) crop->y + crop->height <= frame_h);
}

/* A GstVideoMeta replaces the size and the format of the caps. A larger size is padding; anything
 * else is not what was negotiated. Asked before mapping, which would be loud about it. */
static gboolean
meta_holds_image (GstBuffer *buffer, const GstVideoInfo *info, guint n_planes)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);

  if (!meta)
    return crop_lies_in_frame (crop, (guint) info->width, (guint) info->height);
  if (meta->format != GST_VIDEO_INFO_FORMAT (info) ||
      meta->width < (guint) GST_VIDEO_INFO_WIDTH (info) ||
      meta->height < (guint) GST_VIDEO_INFO_HEIGHT (info))
    return FALSE;
  for (guint i = 0; i < n_planes; i++)
    if (meta->stride[i] <= 0)
      return FALSE;
  return crop_lies_in_frame (crop, meta->width, meta->height);
}

/* Where the picture begins in a plane of GStreamer's. */
static const guint8 *
plane_data (const GstVideoFrame *frame, guint plane)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (frame->buffer);
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, plane);
  const GstVideoFormatInfo *format = frame->info.finfo;
  gint components[GST_VIDEO_MAX_COMPONENTS];

  if (!crop)
    return data;
  gst_video_format_info_component (format, plane, components);
  const gsize x = crop->x >> GST_VIDEO_FORMAT_INFO_W_SUB (format, components[0]);
  const gsize y = crop->y >> GST_VIDEO_FORMAT_INFO_H_SUB (format, components[0]);
  return data + y * (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane) +
         x * (gsize) GST_VIDEO_FORMAT_INFO_PSTRIDE (format, components[0]);
}

/* Up to the end of the last pixel, or pair of pixels that share chroma. */
static gsize
plane_row_bytes (const GstVideoInfo *info, const gint *components)
{
  gsize row_bytes = 0;

  for (guint i = 0; i < GST_VIDEO_MAX_COMPONENTS && components[i] >= 0; i++) {
    const gsize n = (gsize) GST_VIDEO_INFO_COMP_WIDTH (info, components[i]);
    row_bytes = MAX (row_bytes, n * (gsize) GST_VIDEO_INFO_COMP_PSTRIDE (info, components[i]));
  }
  return row_bytes;
}

/* Mapping believes what a GstVideoMeta says of strides and offsets; we do not. */
static gboolean
plane_is_mapped (const GstVideoFrame *frame, const GstVideoInfo *info, guint plane)
{
  const GstMapInfo *map = &frame->map[frame->meta ? plane : 0];
  gint components[GST_VIDEO_MAX_COMPONENTS];

  gst_video_format_info_component (info->finfo, plane, components);
  const gsize rows = GST_VIDEO_INFO_COMP_HEIGHT (info, components[0]);
  const gsize row_bytes = plane_row_bytes (info, components);
  const gsize stride = (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
  const guint8 *data = plane_data (frame, plane);
  return stride >= row_bytes && data >= map->data &&
         (gsize) (data - map->data) + (rows - 1) * stride + row_bytes <= map->size;
}

static gboolean
planes_are_mapped (const GstVideoFrame *frame, const GstVideoInfo *info, guint n_planes)
{
  for (guint i = 0; i < n_planes; i++)
    if (!plane_is_mapped (frame, info, i))
      return FALSE;
  return TRUE;
}

gboolean
gst_yolov7_frame_view_map (GstYolov7FrameView *view, const GstVideoInfo *info, GstBuffer *buffer,
                           GstMapFlags access)
{
  const FormatRow *row = find_format (GST_VIDEO_INFO_FORMAT (info));
  g_return_val_if_fail (row, FALSE);

  if (gst_yolov7_frame_view_crop_fault (info, buffer) ||
      !meta_holds_image (buffer, info, row->n_planes) ||
      !gst_video_frame_map (&view->frame, info, buffer, access))
    return FALSE;
  if (!planes_are_mapped (&view->frame, info, row->n_planes)) {
    gst_video_frame_unmap (&view->frame);
    return FALSE;
  }

  view->image = (YvImage){
      .format = row->format,
      .width = (uint32_t) GST_VIDEO_INFO_WIDTH (info),
      .height = (uint32_t) GST_VIDEO_INFO_HEIGHT (info),
      .matrix = matrix_of (info),
      .full_range = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255,
      /* Unknown is between, as videoconvert has it. */
      .chroma_left = (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
  };
  for (guint i = 0; i < row->n_planes; i++) {
    view->image.planes[i] = plane_data (&view->frame, row->planes[i]);
    view->image.stride_bytes[i] =
        (uint32_t) GST_VIDEO_FRAME_PLANE_STRIDE (&view->frame, row->planes[i]);
  }
  return TRUE;
}

void
gst_yolov7_frame_view_unmap (GstYolov7FrameView *view)
{
  gst_video_frame_unmap (&view->frame);
}

/* One eye's picture is as good as any; two in one frame would be seen as one. */
static gboolean
is_one_view (const GstVideoInfo *info)
{
  const GstVideoMultiviewMode mode = GST_VIDEO_INFO_MULTIVIEW_MODE (info);

  return GST_VIDEO_INFO_VIEWS (info) <= 1 &&
         (mode == GST_VIDEO_MULTIVIEW_MODE_NONE || mode == GST_VIDEO_MULTIVIEW_MODE_MONO ||
          mode == GST_VIDEO_MULTIVIEW_MODE_LEFT || mode == GST_VIDEO_MULTIVIEW_MODE_RIGHT);
}

gboolean
gst_yolov7_frame_view_check (const GstVideoInfo *info, const char **why)
{
  *why = NULL;
  if (!find_format (GST_VIDEO_INFO_FORMAT (info)))
    *why = "the pixel format is none of " GST_YOLOV7_FORMATS;
  else if (GST_VIDEO_INFO_INTERLACE_MODE (info) == GST_VIDEO_INTERLACE_MODE_FIELDS ||
           GST_VIDEO_INFO_INTERLACE_MODE (info) == GST_VIDEO_INTERLACE_MODE_ALTERNATE)
    *why = "a buffer holds single fields; put deinterlace before this element";
  else if (!is_one_view (info))
    *why = "it has several views; split them before this element";
  return *why == NULL;
}
