/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/flight.h - one batch on its way: frames submitted, candidates to come, detections.
 *
 * In:   images that fit into one network size, and a runner of that size.
 * Next: the stream (stream.c), which keeps a few of these in order.
 *
 * One thread at a time. Its memory grows to the largest batch and the busiest one seen, and stays.
 */
#pragma once

#include "engine/engine.h"
#include "engine/post/nms.h"
#include "engine/settings.h"

G_BEGIN_DECLS

typedef struct {
  YvEngine *engine; /* borrowed: the stream's */
  YvRunner *runner; /* a use of it, while in flight; else NULL */
  uint32_t slot;    /* of the runner, taken */
  int64_t start_us;

  uint32_t n_images;
  YvLetterbox *letterboxes; /* [n_images_reserved], as are the next */
  YvSettings **settings;    /* of each image; a reference, while in flight */
  const struct YvCandidate **candidates;
  uint32_t *n_candidates;
  uint32_t *first_detection; /* UINT32_MAX: its candidates are not suppressed yet */
  YvDetections *results;
  uint32_t n_images_reserved;
  YvTimes times;

  /* What the device is told: the lowest threshold and all classes that any image wants. */
  float confidence;
  const bool *class_wanted; /* an image's, or the next; NULL: all */
  bool *union_of_classes;   /* [n_classes]; NULL until it is needed */

  YvDetection *detections; /* of all images, in the order in which they were done */
  uint32_t n_detections, n_detections_reserved;
} YvFlight;

void yv_flight_clear (YvFlight *flight); /* zeroed ok; waits where it is in flight */

/* Room for the letterboxes and settings of so many images, which the caller fills before it starts.
 */
void yv_flight_reserve (YvFlight *flight, uint32_t n_images);

/**
 * yv_flight_start:
 * @images: (array): as many as the runner's plan
 * @lasts: whether it may stay in flight after the call that started it
 *
 * Takes a slot and submits; settings of all images run together (settings.h). What an image's own
 * leave out is left out on the host, so that its detections do not depend on the others'. One that
 * does not last may wait for others' slots. False, and not in flight, with the codes of
 * YvExecutorClass.submit.
 */
bool yv_flight_start (YvFlight *flight, YvRunner *runner, const YvImage *images, bool lasts,
                      GError **error);

/* Waits, and fills results. No longer in flight, whatever comes of it. */
bool yv_flight_finish (YvFlight *flight, YvNms *nms, GError **error);

/* Waits, and forgets what comes of it. */
void yv_flight_abandon (YvFlight *flight);

G_END_DECLS
