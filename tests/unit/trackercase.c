/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/trackercase.c - a tracker that sees frame after frame. */
#include "tests/unit/trackercase.h"

void
set_up (Fixture *f, gconstpointer data)
{
  (void) data;
  f->tracker = yv_tracker_new ();
  f->settings = yv_tracker_defaults;
}

void
tear_down (Fixture *f, gconstpointer data)
{
  (void) data;
  yv_tracker_free (f->tracker);
}

void
add (Fixture *f, double cx, double cy, double confidence)
{
  g_assert_cmpuint (f->n_seen, <, MOST);
  f->seen[f->n_seen++] =
      (YvSighting){.box = {cx - 20, cy - 50, 40, 100}, .confidence = confidence, .id = 99};
}

void
see (Fixture *f, double frames)
{
  yv_tracker_see (f->tracker, &f->settings, frames, f->seen, f->n_seen);
  f->n_seen = 0;
}

int64_t
see_one (Fixture *f, double cx, double cy, double confidence)
{
  add (f, cx, cy, confidence);
  see (f, 1);
  return f->seen[0].id;
}
