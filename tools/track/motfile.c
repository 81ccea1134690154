/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/track/motfile.c - line by line, field by field. */
#include "tools/track/motfile.h"

#include <math.h>
#include <string.h>

#include "common/excerpt.h"
#include "common/file.h"
#include "engine/yolov7.h"

#define FARTHEST_PX 1e6

enum { FRAME, ID, X, Y, W, H, CONFIDENCE, N_FIELDS };

static const struct {
  const char *name;
  double least, most;
} fields[N_FIELDS] = {
    [FRAME] = {"frame", 1, MOT_LAST_FRAME},   [ID] = {"id", -G_MAXDOUBLE, G_MAXDOUBLE},
    [X] = {"x", -FARTHEST_PX, FARTHEST_PX},   [Y] = {"y", -FARTHEST_PX, FARTHEST_PX},
    [W] = {"w", 1e-6, FARTHEST_PX},           [H] = {"h", 1e-6, FARTHEST_PX},
    [CONFIDENCE] = {"confidence", -1e9, 1e9},
};

static bool
complain (GError **error, const char *line, const char *problem)
{
  g_autofree char *valid = g_utf8_make_valid (line, -1);
  g_autofree char *excerpt = yv_excerpt (valid);

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s in '%s'; expected frame,id,x,y,w,h,confidence in MOTChallenge's form", problem,
               excerpt);
  return false;
}

/* Numbers between commas or blanks. Returns: where the next one begins, or NULL. */
static const char *
read_number (const char *text, double *value)
{
  char *end;

  *value = g_ascii_strtod (text, &end);
  if (end == text || (*end && !strchr (", \t\r", *end)))
    return NULL;
  while (*end == ' ' || *end == '\t' || *end == '\r')
    end++;
  return *end == ',' ? end + 1 : end;
}

static bool
parse_line (const char *line, MotDetection *out, GError **error)
{
  const char *text = line;
  double values[N_FIELDS];

  for (uint32_t i = 0; i < N_FIELDS; i++) {
    text = read_number (text, &values[i]);
    if (!text) {
      g_autofree char *problem = g_strdup_printf ("%s is no number", fields[i].name);
      return complain (error, line, problem);
    }
    if (!(values[i] >= fields[i].least && values[i] <= fields[i].most)) {
      g_autofree char *problem = g_strdup_printf ("%s is %g, expected %g to %g", fields[i].name,
                                                  values[i], fields[i].least, fields[i].most);
      return complain (error, line, problem);
    }
  }
  if (values[FRAME] != floor (values[FRAME]))
    return complain (error, line, "frame is no whole number");
  *out = (MotDetection){(uint32_t) values[FRAME], values[X], values[Y], values[W], values[H],
                        values[CONFIDENCE]};
  return true;
}

static bool
append_line (GArray *detections, const char *line, GError **error)
{
  MotDetection d;

  if (!parse_line (line, &d, error))
    return false;
  if (detections->len > 0) {
    const uint32_t before = g_array_index (detections, MotDetection, detections->len - 1).frame;
    if (d.frame < before) {
      g_autofree char *problem = g_strdup_printf (
          "frame %u comes after frame %u (sort -s -t, -n -k1,1 puts them in order)", d.frame,
          before);
      return complain (error, line, problem);
    }
  }
  g_array_append_val (detections, d);
  return true;
}

/* @text: changed. Only behind the last line there may be empty ones. */
static bool
append_lines (GArray *detections, char *text, GError **error)
{
  uint32_t number = 0;

  for (char *line = g_strchomp (text); line;) {
    char *end = strchr (line, '\n');
    number++;
    if (end)
      *end = '\0';
    if (!append_line (detections, line, error)) {
      g_prefix_error (error, "line %u: ", number);
      return false;
    }
    line = end ? end + 1 : NULL;
  }
  return true;
}

GArray *
mot_read (const char *path, GError **error)
{
  g_autoptr (GArray) detections = g_array_new (FALSE, FALSE, sizeof (MotDetection));
  g_autoptr (GError) reading = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;

  if (!yv_check_is_file (path, "detections in MOTChallenge's text form, such as det.txt", error))
    return NULL;
  if (!g_file_get_contents (path, &text, &size, &reading)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s", reading->message);
    return NULL;
  }
  if (strlen (text) != size) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: a byte of 0 at offset %zu: this is no text", path, strlen (text));
    return NULL;
  }
  if (strspn (text, " \t\r\n") == size) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: the file is empty", path);
    return NULL;
  }
  if (!append_lines (detections, text, error)) {
    g_prefix_error (error, "%s, ", path);
    return NULL;
  }
  return g_steal_pointer (&detections);
}
