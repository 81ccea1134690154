/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publishreport.c - what yolov7publish tells applications. */
#include "gst/publishreport.h"

GstStructure *
gst_yolov7_publish_report (guint64 n_frames, guint64 n_silent, const YvPublisherStats *stats)
{
  const struct {
    const char *name;
    guint64 value;
  } counts[] = {
      {"frames-in", n_frames},
      {"frames-unanalysed", n_silent},
      {"records", stats->n_pushed},
      {"arrived", stats->n_arrived},
      {"dropped", stats->n_dropped},
      {"refused", stats->n_refused},
      {"lost", stats->n_lost},
      {"waiting", stats->n_waiting},
      {"waiting-bytes", stats->n_waiting_bytes},
      {"redelivered", stats->n_sent_again},
      {"connections", stats->n_connections},
      {"outages", stats->n_outages},
      {"attempts-failed", stats->n_attempts_failed},
  };
  GstStructure *s = gst_structure_new ("yolov7publish-stats", "connected", G_TYPE_BOOLEAN,
                                       (gboolean) stats->is_connected, "given-up", G_TYPE_BOOLEAN,
                                       (gboolean) stats->has_given_up, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    gst_structure_set (s, counts[i].name, G_TYPE_UINT64, counts[i].value, NULL);
  return s;
}
