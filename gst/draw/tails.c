/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/tails.c - where tracked objects came from. */
#include "gst/draw/tails.h"

#include <math.h>

#define MAX_TAILS 512
#define MAX_POINTS 64

typedef struct {
  uint64_t time_ns;
  double x, y;
} TailPoint;

typedef struct {
  int64_t id; /* the key in the table */
  uint32_t argb;
  uint32_t first, n; /* a ring, the oldest first */
  TailPoint points[MAX_POINTS];
} Tail;

struct _YvTails {
  GHashTable *tails; /* id -> Tail, owned */
  GPtrArray *unused; /* of Tail, owned: for tracks to come */
  uint64_t full_ns;  /* when all tails were found to be of tracks that are there */
};

YvTails *
yv_tails_new (void)
{
  YvTails *tails = g_new0 (YvTails, 1);

  tails->tails = g_hash_table_new (g_int64_hash, g_int64_equal);
  tails->full_ns = UINT64_MAX;
  tails->unused = g_ptr_array_new_with_free_func (g_free);
  return tails;
}

void
yv_tails_free (YvTails *tails)
{
  if (!tails)
    return;
  yv_tails_clear (tails);
  g_hash_table_unref (tails->tails);
  g_ptr_array_unref (tails->unused);
  g_free (tails);
}

void
yv_tails_clear (YvTails *tails)
{
  GHashTableIter iter;
  gpointer tail;

  tails->full_ns = UINT64_MAX;
  g_hash_table_iter_init (&iter, tails->tails);
  while (g_hash_table_iter_next (&iter, NULL, &tail)) {
    g_hash_table_iter_remove (&iter);
    g_ptr_array_add (tails->unused, tail);
  }
}

static TailPoint *
point_at (Tail *tail, uint32_t i)
{
  return &tail->points[(tail->first + i) % MAX_POINTS];
}

static uint64_t
newest_ns (Tail *tail)
{
  return point_at (tail, tail->n - 1)->time_ns; /* one in the table has points */
}

/* Makes room for a track where another has not been seen for longest; not, where all were at
 * @now_ns, which is asked once: there may be many more. */
static void
end_a_tail (YvTails *tails, uint64_t now_ns)
{
  GHashTableIter iter;
  gpointer value;
  Tail *oldest = NULL;

  if (tails->full_ns == now_ns)
    return;
  g_hash_table_iter_init (&iter, tails->tails);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (!oldest || newest_ns (value) < newest_ns (oldest))
      oldest = value;
  if (newest_ns (oldest) >= now_ns) {
    tails->full_ns = now_ns;
    return;
  }
  g_hash_table_remove (tails->tails, &oldest->id);
  g_ptr_array_add (tails->unused, oldest);
}

/* Returns: NULL where there are enough. */
static Tail *
begin_tail (YvTails *tails, int64_t id, uint64_t now_ns)
{
  if (g_hash_table_size (tails->tails) >= MAX_TAILS)
    end_a_tail (tails, now_ns);
  if (g_hash_table_size (tails->tails) >= MAX_TAILS)
    return NULL;

  Tail *tail = tails->unused->len > 0
                   ? g_ptr_array_steal_index_fast (tails->unused, tails->unused->len - 1)
                   : g_new (Tail, 1);
  tail->id = id;
  tail->first = tail->n = 0;
  g_hash_table_insert (tails->tails, &tail->id, tail);
  return tail;
}

/* The newest point moves with the object until it is far enough, in time, from the one before. */
static void
add_point (Tail *tail, TailPoint point, uint64_t apart_ns)
{
  const bool moves_on =
      tail->n >= 2 && point.time_ns - point_at (tail, tail->n - 2)->time_ns < apart_ns;

  if (moves_on) {
    *point_at (tail, tail->n - 1) = point;
    return;
  }
  if (tail->n == MAX_POINTS) {
    tail->first = (tail->first + 1) % MAX_POINTS;
    tail->n--;
  }
  tail->n++;
  *point_at (tail, tail->n - 1) = point;
}

void
yv_tails_add (YvTails *tails, int64_t id, double x, double y, uint32_t argb, uint64_t now_ns,
              uint64_t length_ns)
{
  Tail *tail = g_hash_table_lookup (tails->tails, &id);

  if (!tail)
    tail = begin_tail (tails, id, now_ns);
  if (!tail)
    return;
  tail->argb = argb;
  add_point (tail, (TailPoint){now_ns, x, y}, length_ns / (MAX_POINTS - 2));
}

static uint8_t
alpha_of (uint64_t time_ns, uint64_t now_ns, uint64_t length_ns)
{
  const double age = (double) (now_ns - time_ns) / (double) length_ns;

  return (uint8_t) (255 * (1 - MIN (age, 1)));
}

/* Returns: how long the line is, px. */
static double
lay_out_tail (Tail *tail, uint64_t now_ns, uint64_t length_ns, int32_t line_px, YvShapes *shapes)
{
  YvPoint points[MAX_POINTS];
  double length = 0;

  for (uint32_t i = 0; i < tail->n; i++) {
    const TailPoint *point = point_at (tail, i);
    points[i] = (YvPoint){point->x, point->y, alpha_of (point->time_ns, now_ns, length_ns)};
    length += i > 0 ? hypot (points[i].x - points[i - 1].x, points[i].y - points[i - 1].y) : 0;
  }
  yv_shapes_add_line (shapes, points, tail->n, line_px, tail->argb);
  return length;
}

void
yv_tails_lay_out (YvTails *tails, uint64_t now_ns, uint64_t length_ns, int32_t line_px,
                  uint32_t frame_w, uint32_t frame_h, YvShapes *shapes)
{
  const double most_px = (double) frame_w * frame_h;
  double inked_px = 0;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, tails->tails);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Tail *tail = value;
    while (tail->n > 0 && now_ns - point_at (tail, 0)->time_ns > length_ns) {
      tail->first = (tail->first + 1) % MAX_POINTS;
      tail->n--;
    }
    if (tail->n > 1 && inked_px <= most_px)
      inked_px += line_px * lay_out_tail (tail, now_ns, length_ns, line_px, shapes);
    if (tail->n > 0)
      continue;
    g_hash_table_iter_remove (&iter);
    g_ptr_array_add (tails->unused, tail);
  }
}

uint32_t
yv_tails_count (const YvTails *tails)
{
  return g_hash_table_size (tails->tails);
}
