/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/sightings.c - labels become keys, and keys labels. */
#include "gst/sightings.h"

/* What a track needs of its detections to be told again. */
typedef struct {
  char *label;
  gint index; /* or -1 */
} ObjectClass;

struct _GstYolov7Sightings {
  GArray *classes;        /* of ObjectClass; their index is the tracker's class key */
  GHashTable *class_keys; /* label of an ObjectClass -> key + 1 */
  GArray *seen;           /* of YvSighting */
  GArray *predicted;      /* of GstYolov7Detection */
};

static void
clear_class (gpointer data)
{
  g_free (((ObjectClass *) data)->label);
}

GstYolov7Sightings *
gst_yolov7_sightings_new (void)
{
  GstYolov7Sightings *sightings = g_new0 (GstYolov7Sightings, 1);

  sightings->classes = g_array_new (FALSE, FALSE, sizeof (ObjectClass));
  g_array_set_clear_func (sightings->classes, clear_class);
  sightings->class_keys = g_hash_table_new (g_str_hash, g_str_equal);
  sightings->seen = g_array_new (FALSE, FALSE, sizeof (YvSighting));
  sightings->predicted = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  return sightings;
}

void
gst_yolov7_sightings_free (GstYolov7Sightings *sightings)
{
  g_array_unref (sightings->predicted);
  g_array_unref (sightings->seen);
  g_hash_table_unref (sightings->class_keys);
  g_array_unref (sightings->classes);
  g_free (sightings);
}

/* Names come from whoever attached the detections: not more of them than this are told apart. */
#define MOST_CLASSES 4096

static uint32_t
key_of_class (GstYolov7Sightings *sightings, const GstYolov7Detection *d)
{
  char number[16];
  const char *name = d->label;

  if (!name || !*name) {
    g_snprintf (number, sizeof number, "#%d", d->class_index);
    name = number;
  }
  const guint key = GPOINTER_TO_UINT (g_hash_table_lookup (sightings->class_keys, name));
  if (key > 0)
    return key - 1;
  if (sightings->classes->len >= MOST_CLASSES)
    return MOST_CLASSES - 1;

  const ObjectClass added = {g_strdup (name), d->class_index};
  g_array_append_val (sightings->classes, added);
  g_hash_table_insert (sightings->class_keys, added.label,
                       GUINT_TO_POINTER (sightings->classes->len));
  return sightings->classes->len - 1;
}

/* What nobody saw is no sighting; what nobody doubts is a good one. */
static double
confidence_of (const GstYolov7Detection *d)
{
  if (d->predicted)
    return -1;
  return d->confidence < 0 ? 1 : d->confidence;
}

GArray *
gst_yolov7_sightings_of (GstYolov7Sightings *sightings, const GArray *found)
{
  g_array_set_size (sightings->seen, 0);
  for (guint i = 0; i < found->len; i++) {
    const GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, i);
    const YvSighting sighting = {
        .box = {d->x, d->y, d->w, d->h},
        .confidence = confidence_of (d),
        .class_key = key_of_class (sightings, d),
    };
    g_array_append_val (sightings->seen, sighting);
  }
  return sightings->seen;
}

/* Returns: whether anything of the box is inside the frame. */
static gboolean
clip_box (const YvTrackBox *box, guint frame_w, guint frame_h, GstYolov7Detection *out)
{
  out->x = CLAMP (box->x, 0, frame_w);
  out->y = CLAMP (box->y, 0, frame_h);
  out->w = CLAMP (box->x + box->w, 0, frame_w) - out->x;
  out->h = CLAMP (box->y + box->h, 0, frame_h) - out->y;
  return out->w > 0 && out->h > 0;
}

const GArray *
gst_yolov7_sightings_predicted (GstYolov7Sightings *sightings, const YvTracker *tracker,
                                guint frame_w, guint frame_h)
{
  guint32 n;
  const YvPrediction *predicted = yv_tracker_predicted (tracker, &n);

  g_array_set_size (sightings->predicted, 0);
  for (guint i = 0; i < n; i++) {
    const ObjectClass *class =
        &g_array_index (sightings->classes, ObjectClass, predicted[i].class_key);
    GstYolov7Detection d = {
        .confidence = predicted[i].confidence,
        .objectness = -1,
        .class_index = class->index,
        .id = predicted[i].id,
        .predicted = TRUE,
        .label = class->label,
    };
    if (clip_box (&predicted[i].box, frame_w, frame_h, &d))
      g_array_append_val (sightings->predicted, d);
  }
  return sightings->predicted;
}
