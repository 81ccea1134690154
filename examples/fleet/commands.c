/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/commands.c - messages to the queue, notes to all, and a look at what is there. */
#include "examples/fleet/commands.h"

#include <stdio.h>
#include <string.h>

#include "common/excerpt.h"
#include "common/file.h"
#include "engine/error.h"
#include "examples/fleet/link.h"
#include "examples/fleet/note.h"
#include "examples/fleet/report.h"

#define LIST_US (2 * G_USEC_PER_SEC)
#define MAX_FAILED G_MAXUINT16 /* that AMQP lets a consumer have at a time */

static int
report (const GError *error)
{
  g_printerr ("yolov7-fleet: %s\n", error->message);
  return 1;
}

static double
now_s (void)
{
  return (double) g_get_real_time () / G_USEC_PER_SEC;
}

static FleetLink *
connect_and_declare (const FleetAddress *address, GError **error)
{
  g_autoptr (FleetLink) link = fleet_link_new (address, "yolov7-fleet", error);

  return link && fleet_link_declare (link, error) ? g_steal_pointer (&link) : NULL;
}

/* ---- add ------------------------------------------------------------------------------------- */

static bool
read_stdin (char **text, gsize *size, GError **error)
{
  g_autoptr (GString) all = g_string_new (NULL);
  char part[4096];
  size_t n;

  while (all->len <= FLEET_MAX_BODY_BYTES && (n = fread (part, 1, sizeof part, stdin)) > 0)
    g_string_append_len (all, part, (gssize) n);
  if (ferror (stdin)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "can't be read");
    return false;
  }
  *size = all->len;
  *text = g_string_free (g_steal_pointer (&all), FALSE);
  return true;
}

static bool
read_file (const char *file, char **text, gsize *size, GError **error)
{
  if (strcmp (file, "-") == 0)
    return read_stdin (text, size, error);
  return yv_check_is_file (file, "a camera as a JSON object", error) &&
         g_file_get_contents (file, text, size, error);
}

static FleetCard *
read_card (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  FleetCard *card = NULL;

  if (read_file (file, &text, &size, error))
    card = fleet_card_parse (text, size, error);
  if (!card)
    g_prefix_error (error, "%s: ", file);
  return card;
}

static bool
send_text (FleetLink *link, const char *queue, const char *text, GError **error)
{
  const FleetMessage message = {.body = text, .size_bytes = strlen (text)};

  return fleet_link_send (link, queue, &message, error);
}

static bool
send_removal (FleetLink *link, const char *name, double at_s, GError **error)
{
  const FleetNote note = {.kind = FLEET_NOTE_REMOVE, .name = (char *) name, .at_s = at_s};
  g_autofree char *text = fleet_note_text (&note);

  return send_text (link, FLEET_REMOVALS, text, error);
}

/* What had that name before goes, so that there is room for it where it is a change. */
static bool
send_card (FleetLink *link, const FleetCard *card, GError **error)
{
  const double added_s = now_s ();
  g_autofree char *text = fleet_card_text (card, added_s);

  if (!send_text (link, FLEET_CAMERAS, text, error) ||
      !send_removal (link, card->name, added_s - 1e-6, error))
    return false;
  printf ("%s added\n", card->name);
  return true;
}

static void
free_card (gpointer card)
{
  fleet_card_free (card);
}

int
fleet_command_add (const FleetAddress *address, char **files)
{
  g_autoptr (GPtrArray) cards = g_ptr_array_new_with_free_func (free_card);
  g_autoptr (FleetLink) link = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; files[i]; i++) {
    FleetCard *card = read_card (files[i], &error);
    if (!card)
      return report (error);
    g_ptr_array_add (cards, card);
  }
  link = connect_and_declare (address, &error);
  if (!link)
    return report (error);
  for (guint i = 0; i < cards->len; i++)
    if (!send_card (link, cards->pdata[i], &error))
      return report (error);
  return 0;
}

/* ---- remove ---------------------------------------------------------------------------------- */

static bool
check_names (char **names, GError **error)
{
  for (guint i = 0; names[i]; i++)
    if (!fleet_is_name (names[i])) {
      g_autofree char *excerpt = yv_excerpt (names[i]);
      g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "'%s' can't be the name of a camera",
                   excerpt);
      return false;
    }
  return true;
}

int
fleet_command_remove (const FleetAddress *address, char **names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetLink) link = NULL;

  if (!check_names (names, &error))
    return report (error);
  link = connect_and_declare (address, &error);
  if (!link)
    return report (error);
  for (guint i = 0; names[i]; i++) {
    if (!send_removal (link, names[i], now_s (), &error))
      return report (error);
    printf ("%s removed\n", names[i]);
  }
  return 0;
}

/* ---- list ------------------------------------------------------------------------------------ */

/* Whoever answers does so within a moment; nobody knows how many there are. */
static bool
collect_answers (FleetLink *link, GPtrArray *lines, uint32_t *n_cameras, GError **error)
{
  const gint64 end_us = g_get_monotonic_time () + LIST_US;

  for (;;) {
    g_autoptr (FleetArrival) arrival = NULL;
    g_autoptr (GString) line = g_string_new (NULL);
    const gint64 left_us = end_us - g_get_monotonic_time ();
    if (left_us <= 0)
      return true;
    if (!fleet_link_wait (link, -1, left_us, &arrival, error))
      return false;
    if (arrival && fleet_report_show (arrival->body->str, arrival->body->len, line, n_cameras))
      g_ptr_array_add (lines, g_string_free (g_steal_pointer (&line), FALSE));
  }
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static bool
list (FleetLink *link, GError **error)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  const char *queue = fleet_link_open_answers (link, error);
  uint32_t n_waiting, n_failed, n_cameras = 0;

  if (!queue)
    return false;
  g_autofree char *text =
      fleet_note_text (&(FleetNote){.kind = FLEET_NOTE_LIST, .reply_to = (char *) queue});
  if (!send_text (link, FLEET_CONTROL, text, error) ||
      !collect_answers (link, lines, &n_cameras, error) ||
      !fleet_link_count_waiting (link, FLEET_CAMERAS, &n_waiting, error) ||
      !fleet_link_count_waiting (link, FLEET_FAILED, &n_failed, error))
    return false;
  g_ptr_array_sort (lines, compare_lines);
  for (guint i = 0; i < lines->len; i++)
    fputs (lines->pdata[i], stdout);
  printf ("%u running, %u waiting for a worker, %u failed\n", n_cameras, n_waiting, n_failed);
  return true;
}

int
fleet_command_list (const FleetAddress *address)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetLink) link = connect_and_declare (address, &error);

  return link && list (link, &error) ? 0 : report (error);
}

/* ---- failed and retry ------------------------------------------------------------------------ */

typedef bool (*Visit) (FleetLink *link, const FleetArrival *arrival, gpointer user_data,
                       GError **error);

/* @arrival: (out) (transfer full): or NULL where there is none any more. */
static bool
wait_for_message (FleetLink *link, FleetArrival **arrival, GError **error)
{
  const gint64 end_us = g_get_monotonic_time () + FLEET_ANSWER_S * G_USEC_PER_SEC;

  do {
    if (!fleet_link_wait (link, -1, end_us - g_get_monotonic_time (), arrival, error))
      return false;
  } while (!*arrival && g_get_monotonic_time () < end_us);
  return true;
}

/* Takes all messages of the failed ones that are there now; those that @visit does not settle go
 * back when the connection ends. */
static bool
visit_failed (FleetLink *link, Visit visit, gpointer user_data, GError **error)
{
  uint32_t n_waiting;

  if (!fleet_link_count_waiting (link, FLEET_FAILED, &n_waiting, error))
    return false;
  n_waiting = MIN (n_waiting, MAX_FAILED);
  if (n_waiting > 0 && !fleet_link_read_queue (link, FLEET_FAILED, n_waiting, error))
    return false;
  for (uint32_t i = 0; i < n_waiting; i++) {
    g_autoptr (FleetArrival) arrival = NULL;
    if (!wait_for_message (link, &arrival, error))
      return false;
    if (!arrival) /* somebody else has the rest */
      return true;
    if (!visit (link, arrival, user_data, error))
      return false;
  }
  if (n_waiting == MAX_FAILED)
    g_printerr ("yolov7-fleet: %s has more than these %u\n", FLEET_FAILED, n_waiting);
  return true;
}

static char *
get_name (const FleetArrival *arrival)
{
  g_autoptr (FleetCard) card = fleet_card_parse (arrival->body->str, arrival->body->len, NULL);

  return card ? g_strdup (card->name) : NULL;
}

static bool
print_failed (FleetLink *link G_GNUC_UNUSED, const FleetArrival *arrival,
              gpointer user_data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  g_autofree char *name = get_name (arrival),
                  *reason = fleet_plain (arrival->reason ? arrival->reason : "no reason is given");

  printf ("%s: %s\n", name ? name : "(no camera)", reason);
  return true;
}

int
fleet_command_failed (const FleetAddress *address)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetLink) link = connect_and_declare (address, &error);

  return link && visit_failed (link, print_failed, NULL, &error) ? 0 : report (error);
}

typedef struct {
  char **names; /* NULL: all */
  uint32_t n;
} Retry;

/* The camera counts as added when it was: a removal since then stays one. */
static bool
retry_one (FleetLink *link, const FleetArrival *arrival, gpointer retry_, GError **error)
{
  Retry *retry = retry_;
  g_autofree char *name = get_name (arrival);

  if (!name || (retry->names && !g_strv_contains ((const char *const *) retry->names, name)))
    return true;
  const FleetMessage message = {.body = arrival->body->str, .size_bytes = arrival->body->len};
  if (!fleet_link_send (link, FLEET_CAMERAS, &message, error) ||
      !fleet_link_settle (link, arrival->tag, true, error))
    return false;
  printf ("%s added\n", name);
  retry->n++;
  return true;
}

int
fleet_command_retry (const FleetAddress *address, char **names, bool is_all)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetLink) link = NULL;
  Retry retry = {.names = is_all ? NULL : names};

  if (!check_names (names, &error))
    return report (error);
  link = connect_and_declare (address, &error);
  if (!link || !visit_failed (link, retry_one, &retry, &error))
    return report (error);
  if (retry.n > 0)
    return 0;
  g_printerr ("yolov7-fleet: no such camera is in %s\n", FLEET_FAILED);
  return 1;
}
