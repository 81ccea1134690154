/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/detectionmeta.c - detections on a buffer: our own meta, and what all kinds have in common.
 * roimeta.c and analyticsmeta.c have the others; no other file touches metadata of detections. */
#include "gst/detectionmeta.h"

#include <math.h>

#include "gst/detectionmeta-private.h"

/* A box in one frame to the same box in another: sides cross over where quarter turns do. */
typedef struct {
  double xx, xy, x0; /* x' = xx * x + xy * y + x0 */
  double yx, yy, y0;
  guint frame_w, frame_h; /* px of the frame arrived at */
} BoxTransform;

/* ---- boxes ---------------------------------------------------------------------------------- */

/* Returns: whether anything of the box is left inside the frame. */
static gboolean
transform_box (const BoxTransform *t, GstYolov7Detection *box)
{
  const double xa = t->xx * box->x + t->xy * box->y + t->x0;
  const double ya = t->yx * box->x + t->yy * box->y + t->y0;
  const double xb = xa + t->xx * box->w + t->xy * box->h;
  const double yb = ya + t->yx * box->w + t->yy * box->h;
  const double x1 = CLAMP (MIN (xa, xb), 0, t->frame_w);
  const double y1 = CLAMP (MIN (ya, yb), 0, t->frame_h);

  box->x = x1;
  box->y = y1;
  box->w = CLAMP (MAX (xa, xb), 0, t->frame_w) - x1;
  box->h = CLAMP (MAX (ya, yb), 0, t->frame_h) - y1;
  return box->w > 0 && box->h > 0;
}

/* As videoscale computes them: all space that keeping the display aspect ratio leaves over. */
static void
find_borders (const GstVideoInfo *in, const GstVideoInfo *out, gint *w_px, gint *h_px)
{
  gint ratio_n, ratio_d, out_n, out_d, n, d;

  *w_px = *h_px = 0;
  if (!gst_util_fraction_multiply (in->width, in->height, in->par_n, in->par_d, &ratio_n,
                                   &ratio_d) ||
      !gst_util_fraction_multiply (out->width, out->height, out->par_n, out->par_d, &out_n,
                                   &out_d) ||
      (ratio_n == out_n && ratio_d == out_d) ||
      !gst_util_fraction_multiply (ratio_n, ratio_d, out->par_d, out->par_n, &n, &d))
    return;

  const gint h = (gint) gst_util_uint64_scale_int (out->width, d, n);
  if (h <= out->height)
    *h_px = out->height - h;
  else
    *w_px = out->width - (gint) gst_util_uint64_scale_int (out->height, n, d);
}

static BoxTransform
scale_transform (const GstVideoInfo *in, const GstVideoInfo *out)
{
  gint border_w = 0, border_h = 0;

#if !GST_CHECK_VERSION(1, 28, 0) /* from there on borders come as a matrix */
  find_borders (in, out, &border_w, &border_h);
#else
  (void) find_borders;
#endif
  return (BoxTransform){
      .xx = (double) (out->width - border_w) / in->width,
      .x0 = border_w / 2,
      .yy = (double) (out->height - border_h) / in->height,
      .y0 = border_h / 2,
      .frame_w = out->width,
      .frame_h = out->height,
  };
}

#if GST_CHECK_VERSION(1, 28, 0)
/* Returns: false for what leaves boxes no boxes. */
static gboolean
matrix_transform (const GstVideoMetaTransformMatrix *m, BoxTransform *out)
{
  const gboolean straight = m->matrix[0][1] == 0 && m->matrix[1][0] == 0;
  const gboolean turned = m->matrix[0][0] == 0 && m->matrix[1][1] == 0;
  const gboolean affine = m->matrix[2][0] == 0 && m->matrix[2][1] == 0 && m->matrix[2][2] == 1;
  const double x = m->in_rectangle.x, y = m->in_rectangle.y;

  *out = (BoxTransform){
      .xx = m->matrix[0][0],
      .xy = m->matrix[0][1],
      .yx = m->matrix[1][0],
      .yy = m->matrix[1][1],
      .frame_w = GST_VIDEO_INFO_WIDTH (m->out_info),
      .frame_h = GST_VIDEO_INFO_HEIGHT (m->out_info),
  };
  out->x0 = m->matrix[0][2] - out->xx * x - out->xy * y + m->out_rectangle.x;
  out->y0 = m->matrix[1][2] - out->yx * x - out->yy * y + m->out_rectangle.y;
  return affine && (straight || turned);
}
#endif

/* ---- GstYolov7Detections -------------------------------------------------------------------- */

/* Returns: (nullable): where somebody wrote something else under our name. */
static const GValue *
detections_of (const GstStructure *s)
{
  const GValue *array = gst_structure_get_value (s, "detections");

  return array && GST_VALUE_HOLDS_ARRAY (array) ? array : NULL;
}

static void
append_structure (GValue *array, GstStructure *s)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, s);
  gst_value_array_append_and_take_value (array, &value);
}

static GstClockTime
frame_pts_of (const GstStructure *s)
{
  guint64 pts = GST_CLOCK_TIME_NONE;

  gst_structure_get_uint64 (s, "frame-pts", &pts);
  return pts;
}

/* @array: (transfer full) */
static gboolean
add_custom_meta (GstBuffer *buffer, const GstYolov7Frame *frame, GValue *array)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME);
  GstStructure *s = gst_custom_meta_get_structure (meta);

  gst_structure_set (s, "width", G_TYPE_UINT, frame->width, "height", G_TYPE_UINT, frame->height,
                     "frame-pts", G_TYPE_UINT64, frame->pts, NULL);
  gst_structure_take_value (s, "detections", array);
  return TRUE;
}

/* Fields that we do not know travel along: applications may have added theirs. */
static gboolean
add_transformed (GstBuffer *buffer, const GstStructure *old, const BoxTransform *t)
{
  const GstYolov7Frame frame = {t->frame_w, t->frame_h, frame_pts_of (old), GST_CLOCK_TIME_NONE};
  const GValue *from = detections_of (old);
  GValue to = G_VALUE_INIT;

  gst_value_array_init (&to, from ? gst_value_array_get_size (from) : 0);
  for (guint i = 0; from && i < gst_value_array_get_size (from); i++) {
    const GValue *item = gst_value_array_get_value (from, i);
    if (!GST_VALUE_HOLDS_STRUCTURE (item))
      continue;

    GstYolov7Detection box;
    gst_yolov7_structure_read (gst_value_get_structure (item), &box);
    if (!transform_box (t, &box))
      continue;

    GstStructure *s = gst_structure_copy (gst_value_get_structure (item));
    gst_structure_set (s, "x", G_TYPE_DOUBLE, box.x, "y", G_TYPE_DOUBLE, box.y, "w", G_TYPE_DOUBLE,
                       box.w, "h", G_TYPE_DOUBLE, box.h, NULL);
    append_structure (&to, s);
  }
  return add_custom_meta (buffer, &frame, &to);
}

static gboolean
add_copy (GstBuffer *buffer, const GstStructure *old)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME);
  GstStructure *s = gst_custom_meta_get_structure (meta);

  for (gint i = 0; i < gst_structure_n_fields (old); i++) {
    const char *name = gst_structure_nth_field_name (old, i);
    gst_structure_set_value (s, name, gst_structure_get_value (old, name));
  }
  return TRUE;
}

/* Returning false for what we do not know makes GStreamer ask again in simpler terms; where those
 * would put boxes in wrong places, true and no meta is the better answer. */
static gboolean
transform_meta (GstBuffer *to, GstCustomMeta *meta, GstBuffer *from, GQuark type, gpointer data,
                gpointer user_data)
{
  const GstStructure *old = gst_custom_meta_get_structure (meta);
  (void) from;
  (void) user_data;

  if (GST_META_TRANSFORM_IS_COPY (type)) {
    const GstMetaTransformCopy *copy = data;
    return copy->region ? FALSE : add_copy (to, old); /* a part of the bytes is not the frame */
  }
#if GST_CHECK_VERSION(1, 28, 0)
  if (GST_VIDEO_META_TRANSFORM_IS_MATRIX (type)) {
    BoxTransform t;
    return matrix_transform (data, &t) ? add_transformed (to, old, &t) : TRUE;
  }
#endif
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE (type)) {
    const GstVideoMetaTransform *scale = data;
    const BoxTransform t = scale_transform (scale->in_info, scale->out_info);
    return add_transformed (to, old, &t);
  }
  return FALSE;
}

/* From the frame that @meta tells of to one of @frame_w x @frame_h; 0: leaves boxes alone. */
static void
scale_boxes (const GstStructure *meta, guint frame_w, guint frame_h, GArray *found, guint first)
{
  guint w = 0, h = 0;

  if (frame_w == 0 || frame_h == 0 ||
      !gst_structure_get (meta, "width", G_TYPE_UINT, &w, "height", G_TYPE_UINT, &h, NULL) ||
      w == 0 || h == 0 || (w == frame_w && h == frame_h))
    return;
  for (guint i = first; i < found->len; i++) {
    GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, i);
    d->x *= (double) frame_w / w;
    d->w *= (double) frame_w / w;
    d->y *= (double) frame_h / h;
    d->h *= (double) frame_h / h;
  }
}

static gboolean
read_custom (GstBuffer *buffer, guint frame_w, guint frame_h, GArray *found)
{
  const GType api = gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME)->api;
  gboolean analysed = FALSE;
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, api))) {
    const GstStructure *s = gst_custom_meta_get_structure ((GstCustomMeta *) meta);
    const GValue *array = detections_of (s);
    const guint first = found->len;
    analysed = TRUE;
    for (guint i = 0; array && i < gst_value_array_get_size (array); i++) {
      const GValue *item = gst_value_array_get_value (array, i);
      GstYolov7Detection d;
      if (!GST_VALUE_HOLDS_STRUCTURE (item))
        continue;
      gst_yolov7_structure_read (gst_value_get_structure (item), &d);
      g_array_append_val (found, d);
    }
    scale_boxes (s, frame_w, frame_h, found, first);
  }
  return analysed;
}

/* ---- what all kinds have in common ---------------------------------------------------------- */

/* Whole pixels, at least one each way, inside the frame. */
void
gst_yolov7_round_side (double start, double size, guint limit, guint *out_start, guint *out_size)
{
  const guint first = (guint) CLAMP (lround (start), 0, (long) limit - 1);
  const guint end = (guint) CLAMP (lround (start + size), (long) first + 1, (long) limit);

  *out_start = first;
  *out_size = end - first;
}

/* What rounding and scaling leave of the same box; how many detections in a row may have been
 * left out of another meta, so that the search for one that has none is short. */
#define SAME_BOX_PX 2
#define MOST_LEFT_OUT 64

static gboolean
is_near (double a, double b)
{
  return fabs (a - b) <= SAME_BOX_PX;
}

static gboolean
is_described (const GstYolov7Detection *d, const GstYolov7Described *o)
{
  return is_near (d->x, o->x) && is_near (d->y, o->y) && is_near (d->x + d->w, o->x + o->w) &&
         is_near (d->y + d->h, o->y + o->h) &&
         g_str_equal (d->label ? d->label : "", o->label ? o->label : "");
}

const GstYolov7Detection *
gst_yolov7_find_described (const GArray *found, guint *next, const GstYolov7Described *object)
{
  const guint end = MIN (found->len, *next + MOST_LEFT_OUT);

  for (guint i = *next; i < end; i++) {
    const GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, i);
    if (!is_described (d, object))
      continue;
    *next = i + 1;
    return d;
  }
  return NULL;
}

/* ---- exported ------------------------------------------------------------------------------- */

void
gst_yolov7_detections_register (void)
{
  static gsize registered = 0;
  static const char *tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
                               GST_META_TAG_VIDEO_ORIENTATION_STR, NULL};

  g_return_if_fail (gst_is_initialized ()); /* else it would fail, and for good */
  if (!g_once_init_enter (&registered))
    return;
  /* It is there already where a process holds this code twice: an application and the plugin. */
  if (!gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME))
    gst_meta_register_custom (GST_YOLOV7_DETECTIONS_META_NAME, tags, transform_meta, NULL, NULL);
  g_once_init_leave (&registered, 1);
}

void
gst_yolov7_detections_attach (GstBuffer *buffer, const GstYolov7Frame *frame,
                              const GstYolov7Detection *detections, guint n_detections,
                              GstYolov7MetaKinds kinds)
{
  const guint frame_w = frame->width, frame_h = frame->height;
  GValue array;

  g_return_if_fail (gst_buffer_is_writable (buffer));
  g_return_if_fail (frame_w > 0 && frame_h > 0);
  gst_yolov7_detections_register ();
  gst_yolov7_detections_to_array (detections, n_detections, &array);
  add_custom_meta (buffer, frame, &array);

  const gint first_id =
      (gint) gst_buffer_get_n_meta (buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  struct _GstAnalyticsRelationMeta *relations =
      kinds & GST_YOLOV7_META_ANALYTICS ? gst_yolov7_analytics_add (buffer, n_detections) : NULL;
  for (guint i = 0; i < n_detections; i++) {
    const gint id = gst_yolov7_analytics_attach (relations, frame_w, frame_h, &detections[i],
                                                 GST_BUFFER_PTS (buffer));
    if (kinds & GST_YOLOV7_META_ROI)
      gst_yolov7_roi_attach (buffer, frame_w, frame_h, &detections[i],
                             id >= 0 ? id : first_id + (gint) i);
  }
}

void
gst_yolov7_detections_to_array (const GstYolov7Detection *detections, guint n_detections,
                                GValue *array)
{
  *array = (GValue) G_VALUE_INIT;
  gst_value_array_init (array, n_detections);
  for (guint i = 0; i < n_detections; i++)
    append_structure (array, gst_yolov7_structure_of (&detections[i]));
}

gboolean
gst_yolov7_detections_read_scaled (GstBuffer *buffer, guint frame_w, guint frame_h, GArray *found)
{
  gst_yolov7_detections_register ();
  g_array_set_size (found, 0);
  if (read_custom (buffer, frame_w, frame_h, found))
    return TRUE;

  /* Without objects it may be of an element that only classifies, or tracks. */
  const gboolean has_analytics = gst_yolov7_analytics_read (buffer, found);
  return found->len > 0 || gst_yolov7_roi_read (buffer, found) || has_analytics;
}

gboolean
gst_yolov7_detections_read (GstBuffer *buffer, GArray *found)
{
  return gst_yolov7_detections_read_scaled (buffer, 0, 0, found);
}

/* An analysis has seen something, or nothing at all. */
static gboolean
is_prediction (const GValue *array)
{
  const guint n = array ? gst_value_array_get_size (array) : 0;

  for (guint i = 0; i < n; i++) {
    const GValue *item = gst_value_array_get_value (array, i);
    GstYolov7Detection d;
    if (!GST_VALUE_HOLDS_STRUCTURE (item))
      continue;
    gst_yolov7_structure_read (gst_value_get_structure (item), &d);
    if (!d.predicted)
      return FALSE;
  }
  return n > 0;
}

gboolean
gst_yolov7_detections_are_predicted (GstBuffer *buffer)
{
  gst_yolov7_detections_register ();
  const GType api = gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME)->api;
  gpointer state = NULL;
  gboolean is_predicted = FALSE;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, api))) {
    if (!is_prediction (detections_of (gst_custom_meta_get_structure ((GstCustomMeta *) meta))))
      return FALSE;
    is_predicted = TRUE;
  }
  return is_predicted;
}

GstClockTime
gst_yolov7_detections_frame_pts (GstBuffer *buffer)
{
  gst_yolov7_detections_register ();
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME);
  const GstClockTime pts =
      meta ? frame_pts_of (gst_custom_meta_get_structure (meta)) : GST_CLOCK_TIME_NONE;

  return GST_CLOCK_TIME_IS_VALID (pts) ? pts : GST_BUFFER_PTS (buffer);
}

gboolean
gst_yolov7_detections_are_ours (GstBuffer *buffer)
{
  gst_yolov7_detections_register ();
  return gst_buffer_get_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME) != NULL;
}

GstYolov7MetaKinds
gst_yolov7_detections_kinds (GstBuffer *buffer)
{
  GstYolov7MetaKinds kinds = 0;

  if (gst_buffer_get_n_meta (buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) > 0)
    kinds |= GST_YOLOV7_META_ROI;
  if (gst_yolov7_analytics_is_on (buffer))
    kinds |= GST_YOLOV7_META_ANALYTICS;
  return kinds;
}

/* The structures lie in a value of a meta of this buffer: nobody else holds them. */
static void
set_custom_ids (GstBuffer *buffer, const GArray *found)
{
  const GType api = gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME)->api;
  gpointer state = NULL;
  GstMeta *meta;
  guint n = 0;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, api))) {
    const GValue *array = detections_of (gst_custom_meta_get_structure ((GstCustomMeta *) meta));
    for (guint i = 0; array && i < gst_value_array_get_size (array) && n < found->len; i++) {
      const GValue *item = gst_value_array_get_value (array, i);
      if (!GST_VALUE_HOLDS_STRUCTURE (item))
        continue;
      const gint64 id = g_array_index (found, GstYolov7Detection, n++).id;
      if (id >= 0)
        gst_structure_set (g_value_get_boxed (item), "id", G_TYPE_INT64, id, NULL);
    }
  }
}

void
gst_yolov7_detections_set_ids (GstBuffer *buffer, const GArray *found)
{
  g_return_if_fail (gst_buffer_is_writable (buffer));
  gst_yolov7_detections_register ();
  set_custom_ids (buffer, found);
  gst_yolov7_roi_set_ids (buffer, found);
  gst_yolov7_analytics_set_ids (buffer, found);
}
