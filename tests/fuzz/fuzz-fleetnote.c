/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-fleetnote.c - any bytes as a message of a camera, and as a note: refused with an
 * error, or what comes back as it was when it is sent again. */
#include <glib.h>
#include <string.h>

#include "examples/fleet/history.h"
#include "examples/fleet/note.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S 1795987860.0

static void
check_error (const void *result, const GError *error)
{
  g_assert_true ((result == NULL) == (error != NULL));
  g_assert_true (!error || g_utf8_validate (error->message, -1, NULL));
}

static void
check_card (const char *text, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetCard) card = fleet_card_parse (text, size_bytes, &error);

  check_error (card, error);
  if (!card)
    return;
  g_assert_true (fleet_is_name (card->name));
  g_autofree char *again = fleet_card_text (card, NOW_S);
  g_assert_cmpuint (strlen (again), <=, FLEET_MAX_BODY_BYTES);
  g_autoptr (FleetCard) back = fleet_card_parse (again, strlen (again), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (back->name, ==, card->name);
  g_assert_cmpstr (back->camera, ==, card->camera);
  g_assert_true (back->added_s == NOW_S);
}

static void
check_note (const char *text, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetHistory) history = fleet_history_new ();
  g_autoptr (FleetNote) note = fleet_note_parse (text, size_bytes, NOW_S, &error);

  check_error (note, error);
  if (!note)
    return;
  fleet_history_hear (history, note);
  g_autofree char *again = fleet_note_text (note);
  g_autoptr (FleetNote) back = fleet_note_parse (again, strlen (again), NOW_S, &error);
  g_assert_no_error (error);
  g_autofree char *twice = fleet_note_text (back);
  g_assert_cmpstr (twice, ==, again);
  fleet_history_hear (history, back);
  g_assert_true (!note->name || fleet_history_deaths (history, note->name, -1, NULL).n <= 1);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  check_card ((const char *) bytes, size_bytes);
  check_note ((const char *) bytes, size_bytes);
  return 0;
}
