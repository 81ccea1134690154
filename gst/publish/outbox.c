/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/outbox.c - records on their way. */
#include "gst/publish/outbox.h"

#include <string.h>

/* In the place of the last brace. There is room for it behind each text. */
#define AGAIN ",\"redelivered\":true}"

/* One part of the records, in order. Both parts have room for all. */
typedef struct {
  YvRecord *records; /* of max_records */
  uint32_t first, n;
  size_t n_bytes;
} Part;

struct _YvOutbox {
  Part sent, unsent;
  uint32_t max_records;
  size_t max_bytes;
  uint64_t last_id;
  YvBlocks blocks;
};

YvOutbox *
yv_outbox_new (uint32_t max_records, size_t max_bytes)
{
  g_autoptr (YvOutbox) outbox = g_new0 (YvOutbox, 1);

  outbox->sent.records = g_new0 (YvRecord, max_records);
  outbox->unsent.records = g_new0 (YvRecord, max_records);
  outbox->max_records = max_records;
  outbox->max_bytes = max_bytes;
  return g_steal_pointer (&outbox);
}

static YvRecord *
nth (const YvOutbox *outbox, const Part *part, uint32_t i)
{
  return &part->records[((uint64_t) part->first + i) % outbox->max_records];
}

static YvRecord
take_first (const YvOutbox *outbox, Part *part)
{
  const YvRecord first = *nth (outbox, part, 0);

  part->first = (part->first + 1) % outbox->max_records;
  part->n--;
  part->n_bytes -= first.n_bytes;
  return first;
}

static YvRecord
take_last (const YvOutbox *outbox, Part *part)
{
  const YvRecord last = *nth (outbox, part, --part->n);

  part->n_bytes -= last.n_bytes;
  return last;
}

static void
put_first (const YvOutbox *outbox, Part *part, YvRecord record)
{
  part->first = (part->first + outbox->max_records - 1) % outbox->max_records;
  part->n++;
  part->n_bytes += record.n_bytes;
  *nth (outbox, part, 0) = record;
}

static YvRecord *
put_last (const YvOutbox *outbox, Part *part, YvRecord record)
{
  *nth (outbox, part, part->n++) = record;
  part->n_bytes += record.n_bytes;
  return nth (outbox, part, part->n - 1);
}

void
yv_outbox_free (YvOutbox *outbox)
{
  if (!outbox)
    return;
  yv_outbox_drop_all (outbox);
  yv_blocks_clear (&outbox->blocks);
  g_free (outbox->sent.records);
  g_free (outbox->unsent.records);
  g_free (outbox);
}

/* Whether all that is unsent would not be room enough. */
static bool
has_no_room_for (const YvOutbox *outbox, size_t n_bytes)
{
  return outbox->sent.n == outbox->max_records || n_bytes > outbox->max_bytes ||
         outbox->sent.n_bytes > outbox->max_bytes - n_bytes;
}

static bool
is_full_for (const YvOutbox *outbox, size_t n_bytes)
{
  return yv_outbox_n_records (outbox) == outbox->max_records ||
         yv_outbox_n_bytes (outbox) > outbox->max_bytes - n_bytes;
}

static void
forget_first (YvOutbox *outbox, Part *part)
{
  yv_blocks_give (&outbox->blocks, take_first (outbox, part).block);
}

uint32_t
yv_outbox_add (YvOutbox *outbox, const char *text, size_t n_bytes)
{
  YvRecord record = {.id = outbox->last_id + 1, .n_bytes = n_bytes};
  uint32_t n_dropped = 0;

  if (has_no_room_for (outbox, n_bytes))
    return 1;
  for (; is_full_for (outbox, n_bytes); n_dropped++)
    forget_first (outbox, &outbox->unsent);
  record.text = yv_blocks_take (&outbox->blocks, n_bytes + sizeof AGAIN, &record.block);
  memcpy (record.text, text, n_bytes);
  record.text[n_bytes] = '\0';
  put_last (outbox, &outbox->unsent, record);
  outbox->last_id = record.id;
  return n_dropped;
}

const YvRecord *
yv_outbox_send (YvOutbox *outbox)
{
  if (outbox->unsent.n == 0)
    return NULL;
  return put_last (outbox, &outbox->sent, take_first (outbox, &outbox->unsent));
}

void
yv_outbox_unsend (YvOutbox *outbox)
{
  g_assert (outbox->sent.n > 0);
  put_first (outbox, &outbox->unsent, take_last (outbox, &outbox->sent));
}

/* Ids rise, so those that were sent are searched by halves. */
static YvRecord *
find_sent (const YvOutbox *outbox, uint64_t id)
{
  uint32_t low = 0, high = outbox->sent.n;

  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (nth (outbox, &outbox->sent, middle)->id < id)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == outbox->sent.n || nth (outbox, &outbox->sent, low)->id != id)
    return NULL;
  return nth (outbox, &outbox->sent, low);
}

bool
yv_outbox_answer (YvOutbox *outbox, uint64_t id)
{
  YvRecord *record = find_sent (outbox, id);

  if (!record || record->is_answered)
    return false;
  record->is_answered = true;
  while (outbox->sent.n > 0 && nth (outbox, &outbox->sent, 0)->is_answered)
    forget_first (outbox, &outbox->sent);
  return true;
}

/* The text is a JSON object, and so ends with a brace. */
static void
say_again (YvRecord *record)
{
  if (record->again)
    return;
  memcpy (record->text + record->n_bytes - 1, AGAIN, sizeof AGAIN);
  record->n_bytes += strlen (AGAIN) - 1;
  record->again = true;
}

uint32_t
yv_outbox_take_back (YvOutbox *outbox)
{
  uint32_t n_taken = 0;

  while (outbox->sent.n > 0) {
    YvRecord record = take_last (outbox, &outbox->sent);
    if (record.is_answered) {
      yv_blocks_give (&outbox->blocks, record.block);
      continue;
    }
    say_again (&record);
    put_first (outbox, &outbox->unsent, record);
    n_taken++;
  }
  return n_taken;
}

uint32_t
yv_outbox_drop_all (YvOutbox *outbox)
{
  uint32_t n_dropped = outbox->unsent.n;

  while (outbox->sent.n > 0) {
    const YvRecord record = take_first (outbox, &outbox->sent);
    n_dropped += record.is_answered ? 0 : 1;
    yv_blocks_give (&outbox->blocks, record.block);
  }
  while (outbox->unsent.n > 0)
    forget_first (outbox, &outbox->unsent);
  return n_dropped;
}

uint32_t
yv_outbox_n_records (const YvOutbox *outbox)
{
  return outbox->sent.n + outbox->unsent.n;
}

uint32_t
yv_outbox_n_unsent (const YvOutbox *outbox)
{
  return outbox->unsent.n;
}

size_t
yv_outbox_n_bytes (const YvOutbox *outbox)
{
  return outbox->sent.n_bytes + outbox->unsent.n_bytes;
}
