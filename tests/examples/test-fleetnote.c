/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-fleetnote.c - notes and cards: what workers tell each other, and cameras. */
#include <string.h>

#include "engine/error.h"
#include "examples/fleet/note.h"

#define NOW_S 1795987860.0

static void
notes_come_back_as_they_were_sent (void)
{
  const FleetNote notes[] = {
      {.kind = FLEET_NOTE_REMOVE, .name = (char *) "a", .at_s = 1795987800.123456},
      {.kind = FLEET_NOTE_HELLO, .id = (char *) "x"},
      {.kind = FLEET_NOTE_HELLO, .id = (char *) "x", .after = (char *) "w"},
      {.kind = FLEET_NOTE_BYE, .id = (char *) "x"},
      {.kind = FLEET_NOTE_HELD,
       .name = (char *) "a",
       .added_s = 1795987800.654321,
       .id = (char *) "x",
       .session = (char *) "z"},
      {.kind = FLEET_NOTE_FORGET, .name = (char *) "a", .session = (char *) "z", .at_s = -1},
      {.kind = FLEET_NOTE_FORGET, .name = (char *) "a", .at_s = 1795987800.123456},
      {.kind = FLEET_NOTE_HELD,
       .name = (char *) "a",
       .added_s = 1795987800.654321,
       .id = (char *) "x",
       .against = (char *) "y"},
      {.kind = FLEET_NOTE_LIST, .reply_to = (char *) "amq.gen-1"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (notes); i++) {
    g_autofree char *text = fleet_note_text (&notes[i]);
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetNote) note = fleet_note_parse (text, strlen (text), NOW_S, &error);
    g_assert_no_error (error);
    g_assert_cmpint (note->kind, ==, notes[i].kind);
    g_assert_cmpstr (note->name, ==, notes[i].name);
    g_assert_cmpstr (note->id, ==, notes[i].id);
    g_assert_cmpstr (note->against, ==, notes[i].against);
    g_assert_cmpstr (note->reply_to, ==, notes[i].reply_to);
    g_assert_cmpstr (note->after, ==, notes[i].after);
    g_assert_cmpstr (note->session, ==, notes[i].session);
    /* What decides between two messages may not be rounded. */
    g_assert_true (note->at_s == notes[i].at_s);
    g_assert_true (note->added_s == notes[i].added_s);
  }
}

/* A byte that JSON escapes with six. */
static void
a_camera_that_grows_when_it_is_sent_again_is_refused (void)
{
  for (gsize n = 1; n <= 32768; n *= 2) {
    g_autofree char *tags = g_strnfill (n, 0x7f);
    g_autofree char *text = g_strdup_printf ("{\"name\":\"a\",\"tags\":\"%s\"}", tags);
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetCard) card = fleet_card_parse (text, strlen (text), &error);

    if (n >= 16384) {
      g_assert_null (card);
      g_assert_nonnull (strstr (error->message, "when it is sent again"));
      continue;
    }
    g_assert_no_error (error);
    g_autofree char *again = fleet_card_text (card, 1795987800.654321);
    g_assert_cmpuint (strlen (again), <=, FLEET_MAX_BODY_BYTES);
    g_autoptr (FleetCard) back = fleet_card_parse (again, strlen (again), &error);
    g_assert_no_error (error);
    g_assert_true (back->added_s == 1795987800.654321);
    g_assert_cmpstr (back->camera, ==, card->camera);
  }
}

static void
no_message_about_json_shows_a_password (void)
{
  static const char *const texts[] = {
      "{\"name\": \"a\", \"source\": \"rtsp://u:geheim@h/x\" \"yolov7\": {}}",
      "{\"name\": \"a\", \"source\" \"rtsp://u:geheim@h/x\"}",
      "{\"rtsp://u:geheim@h/x\"}",
      "\"rtsp://u:geheim@h/x\"",
      "{\"name\": \"rtsp://u:geheim@h/x\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetCard) card = fleet_card_parse (texts[i], strlen (texts[i]), &error);

    g_test_message ("%s", error ? error->message : "taken");
    g_assert_null (card);
    g_assert_null (strstr (error->message, "geheim"));
  }
}

static void
bad_notes_are_refused (void)
{
  static const struct {
    const char *text, *expected;
  } rows[] = {
      {"", "JSON"},
      {"x", "JSON"},
      {"[]", "not a JSON object"},
      {"7", "not a JSON object"},
      {"{\"note\":\"remove\"", "JSON"},
      {"{}", "'note' is missing"},
      {"{\"note\":7}", "'note' is no string"},
      {"{\"note\":\"stop\"}", "note 'stop' is not known"},
      {"{\"note\":\"remove\",\"at\":1}", "'name' is missing"},
      {"{\"note\":\"remove\",\"name\":\"a\"}", "'at' is missing"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":\"1\"}", "'at' is no number"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":-1}", "'at' is -1"},
      {"{\"note\":\"remove\",\"name\":\"../a\",\"at\":1}", "name '../a' is not allowed"},
      {"{\"note\":\"hello\"}", "'id' is missing"},
      {"{\"note\":\"bye\",\"id\":7}", "'id' is no string"},
      {"{\"note\":\"forget\"}", "'name' is missing"},
      {"{\"note\":\"forget\",\"name\":\"a\",\"at\":null}", "'at' is no number"},
      {"{\"note\":\"forget\",\"name\":\"a\",\"at\":9e10}", "which is to come"},
      {"{\"note\":\"held\",\"name\":\"a\",\"added\":1}", "'id' is missing"},
      {"{\"note\":\"held\",\"name\":\"a\",\"id\":\"x\"}", "'added' is missing"},
      {"{\"note\":\"held\",\"name\":\"a\",\"added\":1,\"id\":\"x\",\"against\":1}",
       "'against' is no"},
      {"{\"note\":\"list\",\"reply-to\":null}", "'reply-to' is no string"},
      {"{\"note\":\"list\",\"reply-to\":\"yolov7.failed\"}",
       "reply-to 'yolov7.failed' is no queue"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":1795987800000}",
       "'at' is 1795987800000, expected seconds since 1970, no milliseconds"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":1795987921}", "which is now 1795987860"},
      {"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "nests more"},
      {"{\"note\":\"hello\",\"id\":\"\xff\"}", "not UTF-8"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetNote) note =
        fleet_note_parse (rows[i].text, strlen (rows[i].text), NOW_S, &error);
    g_autofree char *shown = g_strescape (rows[i].text, NULL); /* one is no text */
    g_test_message ("%s: %s", shown, error ? error->message : "taken");
    g_assert_null (note);
    g_assert_nonnull (strstr (error->message, rows[i].expected));
  }
}

static void
names_are_plain (void)
{
  static const char *const good[] = {"a", "Street_7", "a.b-c", "0"};
  static const char *const bad[] = {"",     ".",     "..",  "-a",    "a/b",         "a b",
                                    "a\nb", "a\\b",  "{a}", "a\x1b", "str\xc3\xa4", "a%2f",
                                    "a;b",  "$(ls)", "a*"};
  g_autofree char *longest = g_strnfill (64, 'a'), *longer = g_strnfill (65, 'a');

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (fleet_is_name (good[i]));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (fleet_is_name (bad[i]));
  g_assert_true (fleet_is_name (longest));
  g_assert_false (fleet_is_name (longer));
}

static void
cards_keep_when_they_were_added (void)
{
  static const char text[] = "{\"source\":\"x\",\"added\":1795987800.123456,\"name\":\"a\"}";
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetCard) card = fleet_card_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  g_assert_null (strstr (card->camera, "added"));
  g_autofree char *again = fleet_card_text (card, card->added_s);
  g_autoptr (FleetCard) other = fleet_card_parse (again, strlen (again), &error);
  g_assert_no_error (error);
  g_assert_true (other->added_s == card->added_s);
  g_assert_cmpstr (other->camera, ==, card->camera);
}

static void
control_characters_are_not_shown (void)
{
  g_autofree char *plain = fleet_plain ("a\x1b[2J\n\xc2\x9b"
                                        "2J \xc2\xa9 \xc3\xa4\x7f");

  g_assert_cmpstr (plain, ==, "a?[2J???2J \xc2\xa9 \xc3\xa4?");
}

static void
bad_cards_are_refused (void)
{
  static const char *const rows[] = {
      "",
      "null",
      "{}",
      "{\"name\":null}",
      "{\"name\":\"a\",\"added\":\"now\"}",
      "{\"name\":\"a\",\"added\":-5}",
      "{\"name\":\"a\",\"added\":1795987800000}",
      "{\"name\":\"a\"} {\"name\":\"b\"}",
      "{\"name\":\"a\\u0000b\"}",
      "{name: a}",
      "{\"name\":\"a\",}",
      "{\"name\":\"a\",\"source\":NaN}",
  };
  g_autofree char *blanks = g_strnfill (FLEET_MAX_BODY_BYTES + 1, ' ');
  g_autoptr (GError) too_long = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetCard) card = fleet_card_parse (rows[i], strlen (rows[i]), &error);
    g_test_message ("%s: %s", rows[i], error ? error->message : "taken");
    g_assert_null (card);
    g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
  }
  g_assert_null (fleet_card_parse (blanks, strlen (blanks), &too_long));
  g_assert_nonnull (strstr (too_long->message, "longer than"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/fleet/" #name, name)
  TEST (notes_come_back_as_they_were_sent);
  TEST (a_camera_that_grows_when_it_is_sent_again_is_refused);
  TEST (no_message_about_json_shows_a_password);
  TEST (bad_notes_are_refused);
  TEST (names_are_plain);
  TEST (cards_keep_when_they_were_added);
  TEST (control_characters_are_not_shown);
  TEST (bad_cards_are_refused);
#undef TEST
  return g_test_run ();
}
