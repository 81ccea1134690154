/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/detections.c - reads the custom meta as any program can. */
#include "examples/rtsp-server/detections.h"

static void
append_text (GString *out, const char *text)
{
  for (const char *at = text; *at; at++) {
    if (*at == '"' || *at == '\\')
      g_string_append_printf (out, "\\%c", *at);
    else if ((unsigned char) *at < ' ')
      g_string_append_printf (out, "\\u%04x", (guint) (unsigned char) *at);
    else
      g_string_append_c (out, *at);
  }
}

static void
append_number (GString *out, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (out, "\"%s\":%s", name,
                          g_ascii_formatd (text, sizeof text, "%.6g", value));
}

static void
append_share (GString *out, const char *name, double value, guint size)
{
  append_number (out, name, CLAMP (value / MAX (size, 1u), 0, 1));
}

/* The frame's size, px, that boxes refer to. */
typedef struct {
  guint w, h;
} Size;

static void
append_box (GString *out, const GstStructure *d, Size size)
{
  double x = 0, y = 0, w = 0, h = 0;

  gst_structure_get (d, "x", G_TYPE_DOUBLE, &x, "y", G_TYPE_DOUBLE, &y, "w", G_TYPE_DOUBLE, &w, "h",
                     G_TYPE_DOUBLE, &h, NULL);
  g_string_append (out, "\"bounding_box\":{");
  append_share (out, "x_min", x, size.w);
  g_string_append_c (out, ',');
  append_share (out, "y_min", y, size.h);
  g_string_append_c (out, ',');
  append_share (out, "x_max", x + w, size.w);
  g_string_append_c (out, ',');
  append_share (out, "y_max", y + h, size.h);
  g_string_append_c (out, '}');
}

static void
append_pixels (GString *out, const GstStructure *d)
{
  static const char *const names[] = {"x", "y", "w", "h"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    double value = 0;
    gst_structure_get_double (d, names[i], &value);
    g_string_append_printf (out, ",\"%s\":%ld", names[i], (long) (value + 0.5));
  }
}

static void
append_object (GString *out, const GstStructure *d, Size size)
{
  const char *label = gst_structure_get_string (d, "label");
  double confidence = 0;
  guint class_index;
  gint64 id = -1;
  gboolean is_predicted = FALSE;

  gst_structure_get_double (d, "confidence", &confidence);
  gst_structure_get_int64 (d, "id", &id);
  gst_structure_get_boolean (d, "predicted", &is_predicted);
  g_string_append (out, "{\"detection\":{");
  append_box (out, d, size);
  g_string_append_c (out, ',');
  append_number (out, "confidence", confidence);
  g_string_append (out, ",\"label\":\"");
  append_text (out, label ? label : "");
  g_string_append_c (out, '"');
  if (gst_structure_get_uint (d, "class-index", &class_index))
    g_string_append_printf (out, ",\"label_id\":%u", class_index);
  g_string_append_c (out, '}');
  append_pixels (out, d);
  if (id >= 0)
    g_string_append_printf (out, ",\"id\":%" G_GINT64_FORMAT, id);
  g_string_append (out, is_predicted ? ",\"predicted\":true}" : "}");
}

/* All of one meta. Returns: objects so far */
static guint
append_objects (GString *out, const GstStructure *s, guint n_objects)
{
  const GValue *found = gst_structure_get_value (s, "detections");
  Size size = {0};

  gst_structure_get (s, "width", G_TYPE_UINT, &size.w, "height", G_TYPE_UINT, &size.h, NULL);
  if (n_objects == 0 && out->str[out->len - 1] != '[')
    g_string_append_printf (out, ",\"resolution\":{\"width\":%u,\"height\":%u},\"objects\":[",
                            size.w, size.h);
  for (guint i = 0; found && i < gst_value_array_get_size (found); i++) {
    if (n_objects++)
      g_string_append_c (out, ',');
    append_object (out, gst_value_get_structure (gst_value_array_get_value (found, i)), size);
  }
  return n_objects;
}

static bool
is_ours (const GstMeta *meta)
{
  static const char name[] = "GstYolov7Detections";

  return gst_meta_info_is_custom (meta->info) &&
         gst_custom_meta_has_name ((GstCustomMeta *) meta, name);
}

char *
detections_to_json (GstBuffer *frame, bool has_signal)
{
  const bool is_repeated = GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_GAP);
  const bool is_lost = is_repeated && !has_signal;
  GString *out = g_string_new (NULL);
  gpointer at = NULL;
  guint n_objects = 0;
  bool is_analysed = false;

  g_string_printf (out, "{\"timestamp\":%" G_GUINT64_FORMAT ",\"signal\":%s",
                   GST_BUFFER_PTS (frame), is_lost ? "false,\"objects\":[" : "true");
  for (GstMeta *meta = gst_buffer_iterate_meta (frame, &at); meta && !is_lost;
       meta = gst_buffer_iterate_meta (frame, &at)) {
    if (!is_ours (meta))
      continue;
    n_objects =
        append_objects (out, gst_custom_meta_get_structure ((GstCustomMeta *) meta), n_objects);
    is_analysed = true;
  }
  if (!is_analysed && !is_repeated) {
    g_string_free (out, TRUE);
    return NULL;
  }
  g_string_append (out, is_analysed || is_lost ? "]}" : "}");
  return g_string_free (out, FALSE);
}
