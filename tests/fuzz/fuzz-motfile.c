/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-motfile.c - any bytes as detections in MOTChallenge's form: refused with an
 * error, or followed, with ids that nobody has twice in a frame. */
#include <math.h>

#include "gst/track/tracker.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tools/track/confidence.h"
#include "tools/track/motfile.h"

static void
check_ids (const GArray *seen, GHashTable *ids)
{
  g_hash_table_remove_all (ids);
  for (guint i = 0; i < seen->len; i++) {
    const int64_t id = g_array_index (seen, YvSighting, i).id;

    g_assert_cmpint (id, >=, -1);
    if (id >= 0)
      g_assert_true (g_hash_table_add (ids, GSIZE_TO_POINTER (id)));
  }
}

static void
follow (const GArray *detections, const GArray *confidences)
{
  g_autoptr (YvTracker) tracker = yv_tracker_new ();
  g_autoptr (GArray) seen = g_array_new (FALSE, FALSE, sizeof (YvSighting));
  g_autoptr (GHashTable) ids = g_hash_table_new (NULL, NULL);
  uint32_t frame_before = 0;

  for (guint i = 0; i < detections->len;) {
    const uint32_t frame = g_array_index (detections, MotDetection, i).frame;
    g_array_set_size (seen, 0);
    for (; i < detections->len && g_array_index (detections, MotDetection, i).frame == frame; i++) {
      const MotDetection *d = &g_array_index (detections, MotDetection, i);
      const YvSighting s = {.box = {d->x, d->y, d->w, d->h},
                            .confidence = g_array_index (confidences, double, i)};
      g_array_append_val (seen, s);
    }
    yv_tracker_see (tracker, &yv_tracker_defaults, frame - frame_before, (YvSighting *) seen->data,
                    seen->len);
    check_ids (seen, ids);
    frame_before = frame;
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) detections = mot_read (fuzz_put ("det.txt", bytes, size_bytes), &error);
  g_autoptr (GArray) confidences = g_array_new (FALSE, FALSE, sizeof (double));

  fuzz_check_error (detections, error);
  if (!detections)
    return 0;
  g_assert_cmpuint (detections->len, >, 0);
  for (guint i = 0; i < detections->len; i++)
    g_array_append_val (confidences, g_array_index (detections, MotDetection, i).confidence);
  confidences_convert (confidences, 0);
  for (guint i = 0; i < confidences->len; i++) {
    const double c = g_array_index (confidences, double, i);
    g_assert_true (c >= 0 && c <= 1);
  }
  follow (detections, confidences);
  return 0;
}
