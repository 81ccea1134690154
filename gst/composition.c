/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/composition.c - shapes attached to a frame as a GstVideoOverlayComposition. */
#include "gst/composition.h"

#include <string.h>

#define TILE_PX 128           /* of lines: large enough for few, small enough to be mostly line */
#define MAX_FRAMES_OF_TILES 4 /* whatever lines there are: the bound of their pixels */
#define MAX_GONE 16 /* shapes next to each other, so that what is behind them is found again */
#define FILL_PX 2   /* of a picture of one color: who scales it reads a second row */

/* Of compositions, as GStreamer defines it: four bytes, native order of 0xAARRGGBB. */
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define PIXELS YV_FORMAT_BGRX
#else
#define PIXELS YV_FORMAT_XRGB
#endif

/* The rectangles of all shapes, one after the other. */
typedef struct {
  GPtrArray *rectangles; /* of GstVideoOverlayRectangle, owned */
  GArray *ends;          /* of guint: for each shape, the first rectangle that is not its own */
} Pictures;

struct _GstYolov7Composition {
  YvShapes *drawn; /* of the last frame */
  Pictures pictures, next;
  GstVideoOverlayComposition *whole; /* of the last frame */
  guint frame_w, frame_h;            /* of it */
};

static void
pictures_init (Pictures *pictures)
{
  pictures->rectangles =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_video_overlay_rectangle_unref);
  pictures->ends = g_array_new (FALSE, FALSE, sizeof (guint));
}

static void
pictures_clear (Pictures *pictures)
{
  g_ptr_array_unref (pictures->rectangles);
  g_array_unref (pictures->ends);
}

GstYolov7Composition *
gst_yolov7_composition_new (void)
{
  GstYolov7Composition *composition = g_new0 (GstYolov7Composition, 1);

  composition->drawn = yv_shapes_new ();
  pictures_init (&composition->pictures);
  pictures_init (&composition->next);
  return composition;
}

void
gst_yolov7_composition_free (GstYolov7Composition *composition)
{
  if (!composition)
    return;
  g_clear_pointer (&composition->whole, gst_video_overlay_composition_unref);
  pictures_clear (&composition->pictures);
  pictures_clear (&composition->next);
  yv_shapes_free (composition->drawn);
  g_free (composition);
}

/* ---- a shape's pictures ---------------------------------------------------------------------- */

/* What a shape's pictures are made from and go to. */
typedef struct {
  const YvShapes *shapes;
  guint i;
  YvFont *font;
  YvRect frame;
  GPtrArray *rectangles;
  guint64 tile_px; /* of lines, so far */
} Work;

static GstBuffer *
wrap_pixels (gpointer bytes, guint w, guint h)
{
  GstBuffer *pixels = gst_buffer_new_wrapped (bytes, (gsize) w * h * 4);

  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE,
                             GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, w, h);
  return pixels;
}

static GstBuffer *
draw_pixels (const Work *work, YvRect part)
{
  guint8 *bytes = g_malloc0 ((gsize) part.w * (gsize) part.h * 4);
  const YvImage image = {
      .format = PIXELS,
      .width = (uint32_t) part.w,
      .height = (uint32_t) part.h,
      .planes = {bytes},
      .stride_bytes = {(uint32_t) part.w * 4},
  };
  YvCanvas canvas;

  yv_canvas_init (&canvas, &image);
  canvas.x = part.x;
  canvas.y = part.y;
  yv_shapes_draw (work->shapes, work->i, work->font, &canvas);
  return wrap_pixels (bytes, image.width, image.height);
}

static YvRect
part_in_frame (const Work *work, YvRect rect)
{
  const int32_t x = MAX (rect.x, 0), y = MAX (rect.y, 0);

  return (YvRect){x, y, MIN (rect.x + rect.w, work->frame.w) - x,
                  MIN (rect.y + rect.h, work->frame.h) - y};
}

/* @pixels: taken; whatever their size, they are shown as large as @part. */
static void
add_rectangle_of (Work *work, GstBuffer *pixels, YvRect part, GstVideoOverlayFormatFlags flags)
{
  g_ptr_array_add (work->rectangles,
                   gst_video_overlay_rectangle_new_raw (pixels, part.x, part.y, (guint) part.w,
                                                        (guint) part.h, flags));
  gst_buffer_unref (pixels);
}

/* The part of @rect that is in the frame. */
static void
add_part (Work *work, YvRect rect)
{
  const YvRect part = part_in_frame (work, rect);

  if (part.w > 0 && part.h > 0)
    add_rectangle_of (work, draw_pixels (work, part), part,
                      GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
}

/* A few pixels, for all of it; not premultiplied, which GStreamer's blending forgets (1.22) of what
 * it scales. */
static void
add_fill (Work *work, const YvShape *shape)
{
  const YvRect part = part_in_frame (work, shape->rect);
  if (part.w <= 0 || part.h <= 0)
    return;

  guint32 *pixels = g_new (guint32, FILL_PX * FILL_PX);
  for (guint i = 0; i < FILL_PX * FILL_PX; i++)
    pixels[i] = shape->argb;
  add_rectangle_of (work, wrap_pixels (pixels, FILL_PX, FILL_PX), part,
                    GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
}

static void
add_rim (Work *work, const YvShape *shape)
{
  const YvRect r = shape->rect;
  const int32_t line = shape->line_px;

  if (r.w <= 2 * line || r.h <= 2 * line) {
    add_part (work, r);
    return;
  }
  add_part (work, (YvRect){r.x, r.y, r.w, line});
  add_part (work, (YvRect){r.x, r.y + r.h - line, r.w, line});
  add_part (work, (YvRect){r.x, r.y + line, line, r.h - 2 * line});
  add_part (work, (YvRect){r.x + r.w - line, r.y + line, line, r.h - 2 * line});
}

static void
add_tiles (Work *work, const YvShape *shape)
{
  const YvPoint *points = &g_array_index (work->shapes->points, YvPoint, shape->first);
  const int32_t x_end = MIN (shape->rect.x + shape->rect.w, work->frame.w);
  const int32_t y_end = MIN (shape->rect.y + shape->rect.h, work->frame.h);
  const guint64 most_px = MAX_FRAMES_OF_TILES * (guint64) work->frame.w * (guint64) work->frame.h;

  for (int32_t y = MAX (shape->rect.y, 0); y < y_end; y += TILE_PX)
    for (int32_t x = MAX (shape->rect.x, 0); x < x_end; x += TILE_PX) {
      const YvRect tile = {x, y, MIN (TILE_PX, x_end - x), MIN (TILE_PX, y_end - y)};
      if (work->tile_px >= most_px || !yv_lines_touch (points, shape->n, shape->line_px, tile))
        continue;
      add_part (work, tile);
      work->tile_px += (guint64) tile.w * (guint64) tile.h;
    }
}

static void
add_pictures (Work *work)
{
  const YvShape *shape = &g_array_index (work->shapes->shapes, YvShape, work->i);

  switch (shape->kind) {
  case YV_SHAPE_PIXELATED:
    return;
  case YV_SHAPE_OUTLINE:
  case YV_SHAPE_DASHES:
    add_rim (work, shape);
    return;
  case YV_SHAPE_LINE:
    add_tiles (work, shape);
    return;
  case YV_SHAPE_FILL:
    add_fill (work, shape);
    return;
  case YV_SHAPE_TAG:
    add_part (work, shape->rect);
    return;
  default:
    g_assert_not_reached ();
  }
}

/* ---- all shapes ----------------------------------------------------------------------------- */

static gboolean
is_unchanged (const GstYolov7Composition *c, const YvShapes *shapes)
{
  if (!c->whole || shapes->shapes->len != c->drawn->shapes->len)
    return FALSE;
  for (guint i = 0; i < shapes->shapes->len; i++)
    if (!yv_shapes_equal (shapes, i, c->drawn, i))
      return FALSE;
  return TRUE;
}

/* Shape @i as the last frame had it: behind the one that was found last, or a few further where
 * some are gone. Returns: FALSE where it is not there. */
static gboolean
find_drawn (const GstYolov7Composition *c, const YvShapes *shapes, guint i, guint *found)
{
  for (guint k = *found + 1; k < c->drawn->shapes->len && k - *found <= MAX_GONE; k++)
    if (yv_shapes_equal (shapes, i, c->drawn, k)) {
      *found = k;
      return TRUE;
    }
  return FALSE;
}

static void
keep_pictures (GstYolov7Composition *c, guint k)
{
  const guint first = k > 0 ? g_array_index (c->pictures.ends, guint, k - 1) : 0;

  for (guint i = first; i < g_array_index (c->pictures.ends, guint, k); i++)
    g_ptr_array_add (c->next.rectangles, gst_video_overlay_rectangle_ref (
                                             g_ptr_array_index (c->pictures.rectangles, i)));
}

static void
make_pictures (GstYolov7Composition *c, const YvShapes *shapes, YvFont *font)
{
  Work work = {
      .shapes = shapes,
      .font = font,
      .frame = {0, 0, (int32_t) c->frame_w, (int32_t) c->frame_h},
      .rectangles = c->next.rectangles,
  };
  guint found = G_MAXUINT; /* behind it is the first */

  g_ptr_array_set_size (c->next.rectangles, 0);
  g_array_set_size (c->next.ends, 0);
  for (work.i = 0; work.i < shapes->shapes->len; work.i++) {
    if (find_drawn (c, shapes, work.i, &found))
      keep_pictures (c, found);
    else
      add_pictures (&work);
    g_array_append_val (c->next.ends, c->next.rectangles->len);
  }
}

/* Behind all that are in @whole; NULL: it is the first. */
static GstVideoOverlayComposition *
add_rectangle (GstVideoOverlayComposition *whole, GstVideoOverlayRectangle *rectangle)
{
  if (!whole)
    return gst_video_overlay_composition_new (rectangle);
  gst_video_overlay_composition_add_rectangle (whole, rectangle);
  return whole;
}

static GstVideoOverlayComposition *
add_rectangles (GstVideoOverlayComposition *whole, const GPtrArray *rectangles)
{
  for (guint i = 0; i < rectangles->len; i++)
    whole = add_rectangle (whole, g_ptr_array_index (rectangles, i));
  return whole;
}

static void
compose (GstYolov7Composition *c, YvShapes *shapes, YvFont *font)
{
  make_pictures (c, shapes, font);
  const Pictures last = c->pictures;
  c->pictures = c->next;
  c->next = last;
  g_ptr_array_set_size (c->next.rectangles, 0);

  const YvShapes unused = *c->drawn;
  *c->drawn = *shapes;
  *shapes = unused;

  g_clear_pointer (&c->whole, gst_video_overlay_composition_unref);
  c->whole = add_rectangles (NULL, c->pictures.rectangles);
}

/* Ours over @theirs, which others may hold. */
static GstVideoOverlayComposition *
merge (const GstYolov7Composition *c, GstVideoOverlayComposition *theirs)
{
  GstVideoOverlayComposition *both = NULL;

  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles (theirs); i++)
    both = add_rectangle (both, gst_video_overlay_composition_get_rectangle (theirs, i));
  return add_rectangles (both, c->pictures.rectangles);
}

void
gst_yolov7_composition_attach (GstYolov7Composition *c, YvShapes *shapes, YvFont *font,
                               guint frame_w, guint frame_h, GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);
  const gboolean is_resized = frame_w != c->frame_w || frame_h != c->frame_h;

  c->frame_w = frame_w;
  c->frame_h = frame_h;
  if (is_resized)
    yv_shapes_clear (c->drawn);
  if (is_resized || !is_unchanged (c, shapes))
    compose (c, shapes, font);
  if (!c->whole)
    return;
  if (!meta) {
    gst_buffer_add_video_overlay_composition_meta (buffer, c->whole);
    return;
  }
  GstVideoOverlayComposition *both = merge (c, meta->overlay);
  gst_video_overlay_composition_unref (meta->overlay);
  meta->overlay = both;
}
