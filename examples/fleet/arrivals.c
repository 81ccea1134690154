/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/arrivals.c - frames of AMQP -> messages, confirmations, and the end.
 *
 * librabbitmq would read whole messages, of whatever size their sender chose. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "engine/error.h"
#include "examples/fleet/link-private.h"
#include "examples/fleet/note.h"

#define MAX_REASON 1000
/* librabbitmq looks at its heartbeats when it is asked for a frame. */
#define LOOK_US (G_USEC_PER_SEC / 2)

void
fleet_arrival_free (FleetArrival *arrival)
{
  if (!arrival)
    return;
  g_free (arrival->reason);
  g_string_free (arrival->body, TRUE);
  g_free (arrival);
}

static bool
is_text (amqp_bytes_t bytes, const char *text)
{
  return bytes.len == strlen (text) && memcmp (bytes.bytes, text, bytes.len) == 0;
}

static char *
to_text (amqp_bytes_t bytes)
{
  g_autofree char *text = g_strndup (bytes.bytes, MIN (bytes.len, MAX_REASON));
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  return fleet_plain (valid);
}

bool
fleet_link_fail (const FleetLink *link, const char *what, int status, GError **error)
{
  const char *why = status == AMQP_STATUS_HEARTBEAT_TIMEOUT ? "nothing was heard of it for too long"
                                                            : amqp_error_string2 (status);

  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s: %s", link->shown, what, why);
  return false;
}

bool
fleet_link_fail_closed (const FleetLink *link, const char *what, const amqp_method_t *method,
                        GError **error)
{
  /* Both say the same with types of their own. */
  const bool is_channel = method->id == AMQP_CHANNEL_CLOSE_METHOD;
  const amqp_channel_close_t *channel = method->decoded;
  const amqp_connection_close_t *connection = method->decoded;
  const int code = is_channel ? channel->reply_code : connection->reply_code;
  g_autofree char *said = to_text (is_channel ? channel->reply_text : connection->reply_text);
  /* Access refused, precondition failed, not allowed, not implemented. A message that was held for
   * too long is a failed precondition, too, but not one that stays; and while a broker starts, its
   * queues are not found, or locked. */
  static const int lasting[] = {403, 406, 530, 540};
  bool is_lasting = false;

  for (guint i = 0; i < G_N_ELEMENTS (lasting); i++)
    is_lasting |= code == lasting[i];
  if (strstr (said, "delivery acknowledgement"))
    is_lasting = false;
  g_set_error (error, YV_ERROR, is_lasting ? YV_ERROR_INVALID : YV_ERROR_IO,
               "%s: %s: the broker says %d: %s", link->shown, what, code, said);
  return false;
}

/* ---- content --------------------------------------------------------------------------------- */

static bool
read_integer (const amqp_field_value_t *value, uint64_t *out)
{
  int64_t n;

  switch (value->kind) {
  case AMQP_FIELD_KIND_I8:
    n = value->value.i8;
    break;
  case AMQP_FIELD_KIND_U8:
    n = value->value.u8;
    break;
  case AMQP_FIELD_KIND_I16:
    n = value->value.i16;
    break;
  case AMQP_FIELD_KIND_U16:
    n = value->value.u16;
    break;
  case AMQP_FIELD_KIND_I32:
    n = value->value.i32;
    break;
  case AMQP_FIELD_KIND_U32:
    n = value->value.u32;
    break;
  case AMQP_FIELD_KIND_I64:
    n = value->value.i64;
    break;
  default:
    return false;
  }
  *out = n < 0 ? 0 : (uint64_t) n;
  return n >= 0;
}

/* Headers that are something else than they should be count as not there. */
static void
read_headers (FleetArrival *arrival, const amqp_basic_properties_t *properties)
{
  uint64_t n;

  if (!(properties->_flags & AMQP_BASIC_HEADERS_FLAG))
    return;
  for (int i = 0; i < properties->headers.num_entries; i++) {
    const amqp_table_entry_t *entry = &properties->headers.entries[i];
    if (is_text (entry->key, "yolov7-attempts") && read_integer (&entry->value, &n))
      arrival->attempts = (uint32_t) MIN (n, G_MAXINT32);
    if (is_text (entry->key, "yolov7-failed-at") && read_integer (&entry->value, &n))
      arrival->failed_s = (double) n;
    if (is_text (entry->key, "yolov7-reason") && entry->value.kind == AMQP_FIELD_KIND_UTF8 &&
        !arrival->reason)
      arrival->reason = to_text (entry->value.value.bytes);
  }
}

static void
finish_content (FleetLink *link, amqp_channel_t channel)
{
  link->has_content[channel] = false;
  if (link->coming[channel])
    g_queue_push_tail (&link->arrived, g_steal_pointer (&link->coming[channel]));
}

static bool
take_header (FleetLink *link, const amqp_frame_t *frame, GError **error)
{
  const amqp_channel_t channel = frame->channel;
  FleetArrival *arrival = link->coming[channel];

  if (!link->has_content[channel])
    return fleet_link_fail (link, "a header of no message", AMQP_STATUS_BAD_AMQP_DATA, error);
  link->n_left_bytes[channel] = frame->payload.properties.body_size;
  if (arrival) {
    arrival->size_bytes = frame->payload.properties.body_size;
    read_headers (arrival, frame->payload.properties.decoded);
  }
  if (link->n_left_bytes[channel] == 0)
    finish_content (link, channel);
  return true;
}

static bool
take_body (FleetLink *link, const amqp_frame_t *frame, GError **error)
{
  const amqp_channel_t channel = frame->channel;
  const amqp_bytes_t part = frame->payload.body_fragment;
  FleetArrival *arrival = link->coming[channel];

  if (!link->has_content[channel] || part.len > link->n_left_bytes[channel])
    return fleet_link_fail (link, "more than a message", AMQP_STATUS_BAD_AMQP_DATA, error);
  link->n_left_bytes[channel] -= part.len;
  if (arrival)
    g_string_append_len (arrival->body, part.bytes,
                         (gssize) MIN (part.len, FLEET_MAX_BODY_BYTES - arrival->body->len));
  if (link->n_left_bytes[channel] == 0)
    finish_content (link, channel);
  return true;
}

/* ---- methods --------------------------------------------------------------------------------- */

static FleetArrival *
new_arrival (const amqp_basic_deliver_t *deliver)
{
  FleetArrival *arrival = g_new0 (FleetArrival, 1);
  g_autofree char *consumer_tag = to_text (deliver->consumer_tag);

  arrival->tag = deliver->delivery_tag;
  arrival->body = g_string_new (NULL);
  if (strcmp (consumer_tag, CONTROL_TAG) == 0 || strcmp (consumer_tag, REMOVALS_TAG) == 0)
    arrival->origin = FLEET_FROM_CONTROL;
  else if (strcmp (consumer_tag, ANSWERS_TAG) == 0)
    arrival->origin = FLEET_FROM_ANSWERS;
  else if (sscanf (consumer_tag, CAMERAS_TAG, &arrival->consumer) != 1)
    arrival->consumer = 0;
  return arrival;
}

static bool
begin_content (FleetLink *link, amqp_channel_t channel, FleetArrival *arrival, GError **error)
{
  g_autoptr (FleetArrival) taken = arrival;

  if (link->has_content[channel])
    return fleet_link_fail (link, "a message within another", AMQP_STATUS_BAD_AMQP_DATA, error);
  link->has_content[channel] = true;
  link->coming[channel] = g_steal_pointer (&taken);
  return true;
}

static void
take_confirmation (FleetLink *link, uint64_t tag, bool is_refused)
{
  link->n_confirmed = MAX (link->n_confirmed, tag);
  link->is_refused |= is_refused && tag >= link->n_sent;
  link->has_news = true;
}

/* @why: (nullable): it does not read, otherwise it does. */
static bool
take_blocked (FleetLink *link, const amqp_connection_blocked_t *why)
{
  g_free (link->blocked);
  link->blocked = why ? to_text (why->reason) : NULL;
  link->sent_us = g_get_monotonic_time ();
  link->has_news = true;
  return true;
}

static bool
take_method (FleetLink *link, const amqp_frame_t *frame, GError **error)
{
  const amqp_method_t *method = &frame->payload.method;

  switch (method->id) {
  case AMQP_BASIC_DELIVER_METHOD:
    return begin_content (link, frame->channel, new_arrival (method->decoded), error);
  case AMQP_BASIC_RETURN_METHOD:
    link->is_returned = true;
    return begin_content (link, frame->channel, NULL, error);
  case AMQP_BASIC_ACK_METHOD:
    take_confirmation (link, ((amqp_basic_ack_t *) method->decoded)->delivery_tag, false);
    return true;
  case AMQP_BASIC_NACK_METHOD:
    take_confirmation (link, ((amqp_basic_nack_t *) method->decoded)->delivery_tag, true);
    return true;
  case AMQP_CONNECTION_BLOCKED_METHOD:
    return take_blocked (link, method->decoded);
  case AMQP_CONNECTION_UNBLOCKED_METHOD:
    return take_blocked (link, NULL);
  case AMQP_CHANNEL_CLOSE_METHOD:
  case AMQP_CONNECTION_CLOSE_METHOD:
    return fleet_link_fail_closed (link, "closed", method, error);
  case AMQP_BASIC_CANCEL_METHOD:
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: a queue was deleted, or moves", link->shown);
    return false;
  default: /* answers to what librabbitmq asked are its own business; the rest tells nothing */
    return true;
  }
}

bool
fleet_link_read_frame (FleetLink *link, gint64 timeout_us, uint32_t *n_frames, GError **error)
{
  const struct timeval timeout = {.tv_sec = timeout_us / G_USEC_PER_SEC,
                                  .tv_usec = timeout_us % G_USEC_PER_SEC};
  amqp_frame_t frame;
  bool is_fine = true;

  *n_frames = 0;
  amqp_maybe_release_buffers (link->connection);
  const int status = amqp_simple_wait_frame_noblock (link->connection, &frame, &timeout);
  if (status == AMQP_STATUS_TIMEOUT)
    return true;
  if (status != AMQP_STATUS_OK)
    return fleet_link_fail (link, "the connection broke", status, error);
  *n_frames = 1;
  if (frame.frame_type == AMQP_FRAME_HEARTBEAT)
    return true;
  if (frame.channel >= N_CHANNELS)
    return fleet_link_fail (link, "a channel that nobody opened", AMQP_STATUS_BAD_AMQP_DATA, error);
  if (frame.frame_type == AMQP_FRAME_METHOD)
    is_fine = take_method (link, &frame, error);
  else if (frame.frame_type == AMQP_FRAME_HEADER)
    is_fine = take_header (link, &frame, error);
  else if (frame.frame_type == AMQP_FRAME_BODY)
    is_fine = take_body (link, &frame, error);
  return is_fine;
}

/* A stream gives more notes as those before are acknowledged, which deletes none. */
static bool
settle_note (FleetLink *link, const FleetArrival *arrival, GError **error)
{
  if (arrival->origin != FLEET_FROM_CONTROL)
    return true;
  const int status = amqp_basic_ack (link->connection, CONTROL_CHANNEL, arrival->tag, 0);
  return status == AMQP_STATUS_OK || fleet_link_fail (link, "can't settle", status, error);
}

/* Returns: false where the wait was ended by @wake. */
static bool
wait_for_bytes (FleetLink *link, int wake, gint64 timeout_us)
{
  struct pollfd files[] = {{.fd = amqp_get_sockfd (link->connection), .events = POLLIN},
                           {.fd = wake, .events = POLLIN}};

  /* TLS may have decrypted more than it was asked for; that shows in no descriptor, but a look
   * every half second finds it. */
  if (amqp_frames_enqueued (link->connection) || amqp_data_in_buffer (link->connection))
    return true;
  const int n = poll (files, 2, (int) (timeout_us / 1000));
  return !(n > 0 && (files[1].revents & POLLIN));
}

bool
fleet_link_wait (FleetLink *link, int wake, gint64 timeout_us, FleetArrival **arrival,
                 GError **error)
{
  const gint64 end_us = g_get_monotonic_time () + timeout_us;
  uint32_t n_frames = 0;

  *arrival = NULL;
  link->has_news = false;
  while (g_queue_is_empty (&link->arrived)) {
    const gint64 left_us = end_us - g_get_monotonic_time ();
    const bool goes_on = wait_for_bytes (link, wake, CLAMP (left_us, 0, LOOK_US));
    /* Also when woken: the connection wants its heartbeats, however often that is. */
    if (!fleet_link_read_frame (link, 0, &n_frames, error))
      return false;
    if (link->has_news || (n_frames == 0 && (!goes_on || left_us <= 0)))
      return true;
  }
  *arrival = g_queue_pop_head (&link->arrived);
  return settle_note (link, *arrival, error);
}

bool
fleet_link_wait_confirmed (FleetLink *link, GError **error)
{
  const gint64 end_us = g_get_monotonic_time () + FLEET_ANSWER_S * G_USEC_PER_SEC;
  FleetReceipt receipt;
  uint32_t n_frames;

  for (;;) {
    if (!fleet_link_look_at_sent (link, &receipt, error))
      return false;
    if (receipt == FLEET_CONFIRMED)
      return true;
    if (receipt == FLEET_REFUSED || (link->blocked && g_get_monotonic_time () > end_us))
      break;
    if (!fleet_link_read_frame (link, LOOK_US, &n_frames, error))
      return false;
  }
  if (receipt == FLEET_REFUSED)
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: the broker did not take a message: %s",
                 link->shown, fleet_link_why_refused (link));
  else
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: the broker has not taken a message yet: %s",
                 link->shown, link->blocked);
  return false;
}
