/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/outbox.c - records on their way. */
#include "gst/publish/outbox.h"

#define AGAIN ",\"redelivered\":true}"

/* Texts that are kept for the next records: a stream that flows needs a few, and what an outage
 * piled up is given back. */
#define MAX_SPARE 64
#define MAX_SPARE_BYTES 65536

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
  GPtrArray *spare; /* of GString, empty */
};

static void
free_text (gpointer text)
{
  g_string_free (text, TRUE);
}

YvOutbox *
yv_outbox_new (uint32_t max_records, size_t max_bytes)
{
  g_autoptr (YvOutbox) outbox = g_new0 (YvOutbox, 1);

  outbox->sent.records = g_new0 (YvRecord, max_records);
  outbox->unsent.records = g_new0 (YvRecord, max_records);
  outbox->max_records = max_records;
  outbox->max_bytes = max_bytes;
  outbox->spare = g_ptr_array_new_full (MAX_SPARE, free_text);
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
  part->n_bytes -= first.text->len;
  return first;
}

static YvRecord
take_last (const YvOutbox *outbox, Part *part)
{
  const YvRecord last = *nth (outbox, part, --part->n);

  part->n_bytes -= last.text->len;
  return last;
}

static void
put_first (const YvOutbox *outbox, Part *part, YvRecord record)
{
  part->first = (part->first + outbox->max_records - 1) % outbox->max_records;
  part->n++;
  part->n_bytes += record.text->len;
  *nth (outbox, part, 0) = record;
}

static YvRecord *
put_last (const YvOutbox *outbox, Part *part, YvRecord record)
{
  *nth (outbox, part, part->n++) = record;
  part->n_bytes += record.text->len;
  return nth (outbox, part, part->n - 1);
}

static void
keep_text (YvOutbox *outbox, GString *text)
{
  if (outbox->spare->len == MAX_SPARE || text->allocated_len > MAX_SPARE_BYTES) {
    free_text (text);
    return;
  }
  g_string_truncate (text, 0);
  g_ptr_array_add (outbox->spare, text);
}

void
yv_outbox_free (YvOutbox *outbox)
{
  if (!outbox)
    return;
  yv_outbox_drop_all (outbox);
  g_ptr_array_unref (outbox->spare);
  g_free (outbox->sent.records);
  g_free (outbox->unsent.records);
  g_free (outbox);
}

GString *
yv_outbox_take_text (YvOutbox *outbox)
{
  if (outbox->spare->len == 0)
    return g_string_sized_new (1024);
  return g_ptr_array_steal_index_fast (outbox->spare, outbox->spare->len - 1);
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

uint32_t
yv_outbox_add (YvOutbox *outbox, GString *text)
{
  uint32_t n_dropped = 0;

  if (has_no_room_for (outbox, text->len)) {
    keep_text (outbox, text);
    return 1;
  }
  for (; is_full_for (outbox, text->len); n_dropped++)
    keep_text (outbox, take_first (outbox, &outbox->unsent).text);
  put_last (outbox, &outbox->unsent, (YvRecord){.id = ++outbox->last_id, .text = text});
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
    keep_text (outbox, take_first (outbox, &outbox->sent).text);
  return true;
}

/* The text is a JSON object, and so ends with a brace. */
static void
say_again (YvRecord *record)
{
  if (record->again)
    return;
  g_string_truncate (record->text, record->text->len - 1);
  g_string_append (record->text, AGAIN);
  record->again = true;
}

uint32_t
yv_outbox_take_back (YvOutbox *outbox)
{
  uint32_t n_taken = 0;

  while (outbox->sent.n > 0) {
    YvRecord record = take_last (outbox, &outbox->sent);
    if (record.is_answered) {
      keep_text (outbox, record.text);
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
    keep_text (outbox, record.text);
  }
  while (outbox->unsent.n > 0)
    keep_text (outbox, take_first (outbox, &outbox->unsent).text);
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
