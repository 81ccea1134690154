/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/lineup.c - frames and events in the order they came. */
#include "gst/lineup.h"

#define FIRST_LENGTH 16

void
gst_yolov7_lineup_init (GstYolov7Lineup *lineup)
{
  *lineup = (GstYolov7Lineup){
      .items = gst_queue_array_new_for_struct (sizeof (GstYolov7Item), FIRST_LENGTH),
      .flights = gst_queue_array_new_for_struct (sizeof (GstYolov7Flight), FIRST_LENGTH),
  };
}

void
gst_yolov7_lineup_clear (GstYolov7Lineup *lineup)
{
  gst_queue_array_free (lineup->items);
  gst_queue_array_free (lineup->flights);
}

gboolean
gst_yolov7_lineup_restarts (const GstMiniObject *object)
{
  return GST_IS_EVENT (object) && (GST_EVENT_TYPE (object) == GST_EVENT_STREAM_START ||
                                   GST_EVENT_TYPE (object) == GST_EVENT_SEGMENT);
}

/* ---- items ---------------------------------------------------------------------------------- */

void
gst_yolov7_lineup_add_event (GstYolov7Lineup *lineup, GstEvent *event)
{
  GstYolov7Item item = {.object = GST_MINI_OBJECT_CAST (event)};

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    lineup->has_eos = TRUE;
  if (gst_yolov7_lineup_restarts (item.object))
    lineup->n_restarts++;
  gst_queue_array_push_tail_struct (lineup->items, &item);
}

guint64
gst_yolov7_lineup_add_frame (GstYolov7Lineup *lineup, GstBuffer *frame, GstYolov7ItemState state,
                             GstClockTime arrival)
{
  const guint64 number = lineup->n_left + gst_queue_array_get_length (lineup->items);
  GstYolov7Item item = {
      .object = GST_MINI_OBJECT_CAST (frame), .state = state, .arrival = arrival, .ready = arrival};

  gst_queue_array_push_tail_struct (lineup->items, &item);
  lineup->n_frames++;
  return number;
}

GstYolov7Item *
gst_yolov7_lineup_find (GstYolov7Lineup *lineup, guint64 number)
{
  const guint length = gst_queue_array_get_length (lineup->items);

  if (number < lineup->n_left || number - lineup->n_left >= length)
    return NULL;
  return gst_queue_array_peek_nth_struct (lineup->items, (guint) (number - lineup->n_left));
}

gboolean
gst_yolov7_lineup_is_empty (const GstYolov7Lineup *lineup)
{
  return gst_queue_array_is_empty (lineup->items);
}

gboolean
gst_yolov7_lineup_may_leave (const GstYolov7Lineup *lineup)
{
  const GstYolov7Item *first = gst_queue_array_peek_head_struct (lineup->items);

  return first && first->state != GST_YOLOV7_ITEM_WAITING;
}

GstYolov7Item
gst_yolov7_lineup_take (GstYolov7Lineup *lineup)
{
  const GstYolov7Item item = *(GstYolov7Item *) gst_queue_array_pop_head_struct (lineup->items);

  lineup->n_left++;
  if (gst_yolov7_lineup_restarts (item.object))
    lineup->n_restarts--;
  if (GST_IS_BUFFER (item.object))
    lineup->n_frames--;
  else if (GST_EVENT_TYPE (item.object) == GST_EVENT_EOS)
    lineup->has_eos = FALSE;
  return item;
}

guint
gst_yolov7_lineup_release (GstYolov7Lineup *lineup, GstClockTime time)
{
  const guint length = gst_queue_array_get_length (lineup->items);
  guint n = 0;

  for (guint i = 0; i < length; i++) {
    GstYolov7Item *item = gst_queue_array_peek_nth_struct (lineup->items, i);

    if (item->state != GST_YOLOV7_ITEM_WAITING)
      continue;
    item->state = GST_YOLOV7_ITEM_FREE;
    item->ready = time;
    n++;
  }
  return n;
}

/* ---- flights -------------------------------------------------------------------------------- */

void
gst_yolov7_lineup_add_flight (GstYolov7Lineup *lineup, const GstYolov7Flight *flight)
{
  gst_queue_array_push_tail_struct (lineup->flights, (gpointer) flight);
}

guint
gst_yolov7_lineup_n_flights (const GstYolov7Lineup *lineup)
{
  return gst_queue_array_get_length (lineup->flights);
}

GstYolov7Flight *
gst_yolov7_lineup_oldest_flight (GstYolov7Lineup *lineup)
{
  return gst_queue_array_peek_head_struct (lineup->flights);
}

GstYolov7Flight *
gst_yolov7_lineup_newest_flight (GstYolov7Lineup *lineup)
{
  return gst_queue_array_peek_tail_struct (lineup->flights);
}

GstYolov7Flight
gst_yolov7_lineup_take_flight (GstYolov7Lineup *lineup)
{
  return *(GstYolov7Flight *) gst_queue_array_pop_head_struct (lineup->flights);
}
