/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/detectionfields.c - one detection as a GstStructure, in our own meta. */
#include "gst/detectionmeta-private.h"

GstStructure *
gst_yolov7_structure_of (const GstYolov7Detection *d)
{
  GstStructure *s =
      gst_structure_new ("detection", "x", G_TYPE_DOUBLE, d->x, "y", G_TYPE_DOUBLE, d->y, "w",
                         G_TYPE_DOUBLE, d->w, "h", G_TYPE_DOUBLE, d->h, "confidence", G_TYPE_DOUBLE,
                         d->confidence, "objectness", G_TYPE_DOUBLE, d->objectness, "label",
                         G_TYPE_STRING, d->label ? d->label : "", "id", G_TYPE_INT64, d->id, NULL);

  if (d->class_index >= 0)
    gst_structure_set (s, "class-index", G_TYPE_UINT, (guint) d->class_index, NULL);
  if (d->predicted)
    gst_structure_set (s, "predicted", G_TYPE_BOOLEAN, TRUE, NULL);
  return s;
}

/* In the order that gst_yolov7_structure_of() writes them, so that each field of ours is found by
 * one comparison. Asking for them by their names takes twice the time: before GStreamer 1.26
 * each name is looked up in a table of all that the process has, behind a lock. */
static const struct {
  const char *name;
  GType type;
  gsize offset;
} fields[] = {
    {"x", G_TYPE_DOUBLE, offsetof (GstYolov7Detection, x)},
    {"y", G_TYPE_DOUBLE, offsetof (GstYolov7Detection, y)},
    {"w", G_TYPE_DOUBLE, offsetof (GstYolov7Detection, w)},
    {"h", G_TYPE_DOUBLE, offsetof (GstYolov7Detection, h)},
    {"confidence", G_TYPE_DOUBLE, offsetof (GstYolov7Detection, confidence)},
    {"objectness", G_TYPE_DOUBLE, offsetof (GstYolov7Detection, objectness)},
    {"label", G_TYPE_STRING, offsetof (GstYolov7Detection, label)},
    {"id", G_TYPE_INT64, offsetof (GstYolov7Detection, id)},
    {"class-index", G_TYPE_UINT, offsetof (GstYolov7Detection, class_index)},
    {"predicted", G_TYPE_BOOLEAN, offsetof (GstYolov7Detection, predicted)},
};

typedef struct {
  GstYolov7Detection *out;
  guint next; /* the row that probably comes */
} Reading;

/* @value: of @type, which is one of those above */
static void
take_value (const GValue *value, GType type, gpointer out)
{
  if (type == G_TYPE_DOUBLE)
    *(double *) out = g_value_get_double (value);
  else if (type == G_TYPE_STRING)
    *(const char **) out = g_value_get_string (value);
  else if (type == G_TYPE_INT64)
    *(gint64 *) out = g_value_get_int64 (value);
  else if (type == G_TYPE_UINT)
    *(gint *) out = (gint) MIN (g_value_get_uint (value), G_MAXINT);
  else
    *(gboolean *) out = g_value_get_boolean (value);
}

static void
take_field (Reading *reading, const char *name, const GValue *value)
{
  for (guint n = 0; n < G_N_ELEMENTS (fields); n++) {
    const guint i = (reading->next + n) % G_N_ELEMENTS (fields);
    if (!g_str_equal (name, fields[i].name))
      continue;
    if (G_VALUE_TYPE (value) == fields[i].type)
      take_value (value, fields[i].type, (char *) reading->out + fields[i].offset);
    reading->next = i + 1;
    return;
  }
}

#if GST_CHECK_VERSION(1, 26, 0)
#define FOR_EACH_FIELD gst_structure_foreach_id_str
static gboolean
take_any (const GstIdStr *name, const GValue *value, gpointer reading)
{
  take_field (reading, gst_id_str_as_str (name), value);
  return TRUE;
}
#else
#define FOR_EACH_FIELD gst_structure_foreach
static gboolean
take_any (GQuark name, const GValue *value, gpointer reading)
{
  take_field (reading, g_quark_to_string (name), value);
  return TRUE;
}
#endif

void
gst_yolov7_structure_read (const GstStructure *s, GstYolov7Detection *out)
{
  Reading reading = {out, 0};

  *out = (GstYolov7Detection){.confidence = -1, .objectness = -1, .class_index = -1, .id = -1};
  FOR_EACH_FIELD (s, take_any, &reading);
}
#undef FOR_EACH_FIELD
