/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/note.c - notes and cards <-> JSON. */
#include "examples/fleet/note.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "common/excerpt.h"
#include "common/json.h"
#include "engine/error.h"
#include "examples/common/config.h"

/* A camera's zones, written out in its message, are the deepest: camera, element, zones, list,
 * zone, polygon, point. */
#define MAX_DEPTH 10
#define MAX_NAME 64
#define MAX_TIME_S 1e11 /* the year 5138; milliseconds since 1970 are more since 1973 */
#define MAX_ID 255      /* what AMQP allows a queue's name */
#define ADDED_BYTES 64  /* at most, of `,"added":` and a number */

#define MALFORMED(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

static const char *const kind_names[] = {
    [FLEET_NOTE_REMOVE] = "remove", [FLEET_NOTE_HELLO] = "hello",   [FLEET_NOTE_BYE] = "bye",
    [FLEET_NOTE_HELD] = "held",     [FLEET_NOTE_FORGET] = "forget", [FLEET_NOTE_LIST] = "list",
};

static bool
is_plain (char c)
{
  return g_ascii_isalnum (c) || c == '_';
}

bool
fleet_is_name (const char *name)
{
  const size_t length = strlen (name);

  if (length == 0 || length > MAX_NAME || !is_plain (name[0]))
    return false;
  for (size_t i = 1; i < length; i++)
    if (!is_plain (name[i]) && name[i] != '.' && name[i] != '-')
      return false;
  return true;
}

char *
fleet_plain (const char *text)
{
  char *plain = g_strdup (text);

  for (char *at = plain; *at; at++) {
    /* 0x80 to 0x9f, which some terminals obey, too. */
    if ((guchar) at[0] == 0xc2 && (guchar) at[1] >= 0x80 && (guchar) at[1] <= 0x9f)
      at[0] = at[1] = '?';
    if (g_ascii_iscntrl (*at))
      *at = '?';
  }
  return plain;
}

/* Returns: (transfer full): the object, or NULL. */
static JsonObject *
parse_object (const char *text, size_t size_bytes, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();

  if (size_bytes > FLEET_MAX_BODY_BYTES) {
    MALFORMED (error, "is longer than %d bytes, which no camera needs", FLEET_MAX_BODY_BYTES);
    return NULL;
  }
  if (!g_utf8_validate_len (text, size_bytes, NULL)) {
    MALFORMED (error, "is not UTF-8");
    return NULL;
  }
  if (!yv_json_check (text, size_bytes, MAX_DEPTH, error))
    return NULL;
  /* json-glib's own message has what stands there, which may be a source with its password. */
  if (!json_parser_load_from_data (parser, text, (gssize) size_bytes, NULL)) {
    MALFORMED (error, "is not JSON: line %u, character %u is not what has to be there",
               json_parser_get_current_line (parser), json_parser_get_current_pos (parser));
    return NULL;
  }
  JsonNode *root = json_parser_get_root (parser);
  if (!root || !JSON_NODE_HOLDS_OBJECT (root)) {
    MALFORMED (error,
               "is not a JSON object, as {\"name\": \"street\", \"source\": \"rtsp://...\"}");
    return NULL;
  }
  return json_object_ref (json_node_get_object (root));
}

/* @is_needed: an absent member is an error. Returns: false with @error set. */
static bool
get_string (JsonObject *object, const char *member, bool is_needed, char **out, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);

  if (!node && !is_needed)
    return true;
  if (!node || json_node_get_value_type (node) != G_TYPE_STRING) {
    MALFORMED (error, "'%s' is %s, expected a string", member, node ? "no string" : "missing");
    return false;
  }
  if (strlen (json_node_get_string (node)) > MAX_ID) {
    MALFORMED (error, "'%s' is longer than %d bytes", member, MAX_ID);
    return false;
  }
  *out = json_node_dup_string (node);
  return true;
}

static bool
get_name (JsonObject *object, char **out, GError **error)
{
  if (!get_string (object, "name", true, out, error))
    return false;
  if (fleet_is_name (*out))
    return true;
  g_autofree char *excerpt =
      config_may_be_secret (*out) ? g_strdup ("(like a URI)") : yv_excerpt (*out);
  MALFORMED (error,
             "name '%s' is not allowed: 1 to %d letters, digits, '.', '_' and '-', and first a "
             "letter, digit or '_'",
             excerpt, MAX_NAME);
  return false;
}

static bool
get_time (JsonObject *object, const char *member, double *out, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  const GType type = node ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64) {
    MALFORMED (error, "'%s' is %s, expected seconds since 1970, a number", member,
               node ? "no number" : "missing");
    return false;
  }
  *out = json_node_get_double (node);
  if (isfinite (*out) && *out >= 0 && *out < MAX_TIME_S)
    return true;
  MALFORMED (error, "'%s' is %.15g, expected seconds since 1970, no milliseconds", member, *out);
  return false;
}

/* @now_s: what is later than a minute after it is refused. */
static bool
get_past_time (JsonObject *object, const char *member, double now_s, double *out, GError **error)
{
  if (!get_time (object, member, out, error))
    return false;
  if (*out <= now_s + FLEET_AHEAD_S)
    return true;
  MALFORMED (error,
             "'%s' is %.0f, which is to come: expected seconds since 1970, which is now %.0f",
             member, *out, now_s);
  return false;
}

/* Whoever may write notes may not have workers write into queues that others use. */
static bool
get_reply_to (JsonObject *object, char **out, GError **error)
{
  if (!get_string (object, "reply-to", true, out, error))
    return false;
  if (g_str_has_prefix (*out, "amq.gen-") || g_str_has_prefix (*out, "amq.rabbitmq.reply-to."))
    return true;
  g_autofree char *excerpt = yv_excerpt (*out);
  MALFORMED (error, "reply-to '%s' is no queue that the broker has named (amq.gen-...)", excerpt);
  return false;
}

static bool
find_kind (JsonObject *object, FleetNoteKind *kind, GError **error)
{
  g_autofree char *word = NULL;

  if (!get_string (object, "note", true, &word, error))
    return false;
  for (guint i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (strcmp (word, kind_names[i]) == 0) {
      *kind = (FleetNoteKind) i;
      return true;
    }
  g_autofree char *excerpt = yv_excerpt (word);
  MALFORMED (error, "note '%s' is not known, expected remove, hello, bye, held, forget or list",
             excerpt);
  return false;
}

static bool
read_note (FleetNote *note, JsonObject *object, double now_s, GError **error)
{
  switch (note->kind) {
  case FLEET_NOTE_REMOVE:
    return get_name (object, &note->name, error) &&
           get_past_time (object, "at", now_s, &note->at_s, error);
  case FLEET_NOTE_HELLO:
  case FLEET_NOTE_BYE:
    return get_string (object, "id", true, &note->id, error) &&
           get_string (object, "after", false, &note->after, error);
  case FLEET_NOTE_HELD:
    return get_name (object, &note->name, error) &&
           get_time (object, "added", &note->added_s, error) &&
           get_string (object, "id", true, &note->id, error) &&
           get_string (object, "session", false, &note->session, error) &&
           get_string (object, "against", false, &note->against, error);
  case FLEET_NOTE_FORGET:
    note->at_s = -1;
    return get_name (object, &note->name, error) &&
           get_string (object, "session", false, &note->session, error) &&
           (!json_object_has_member (object, "at") ||
            get_past_time (object, "at", now_s, &note->at_s, error));
  case FLEET_NOTE_LIST:
    return get_reply_to (object, &note->reply_to, error);
  }
  g_assert_not_reached ();
}

FleetNote *
fleet_note_parse (const char *text, size_t size_bytes, double now_s, GError **error)
{
  g_autoptr (JsonObject) object = parse_object (text, size_bytes, error);
  g_autoptr (FleetNote) note = g_new0 (FleetNote, 1);

  if (!object || !find_kind (object, &note->kind, error) || !read_note (note, object, now_s, error))
    return NULL;
  return g_steal_pointer (&note);
}

void
fleet_note_free (FleetNote *note)
{
  if (!note)
    return;
  g_free (note->name);
  g_free (note->id);
  g_free (note->after);
  g_free (note->session);
  g_free (note->against);
  g_free (note->reply_to);
  g_free (note);
}

static char *
object_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}

static void
set_string (JsonObject *object, const char *member, const char *text)
{
  if (text)
    json_object_set_string_member (object, member, text);
}

char *
fleet_note_text (const FleetNote *note)
{
  g_autoptr (JsonObject) object = json_object_new ();

  set_string (object, "note", kind_names[note->kind]);
  set_string (object, "name", note->name);
  if (note->kind == FLEET_NOTE_REMOVE || (note->kind == FLEET_NOTE_FORGET && note->at_s >= 0))
    json_object_set_double_member (object, "at", note->at_s);
  if (note->kind == FLEET_NOTE_HELD)
    json_object_set_double_member (object, "added", note->added_s);
  set_string (object, "id", note->id);
  set_string (object, "after", note->after);
  set_string (object, "session", note->session);
  set_string (object, "against", note->against);
  set_string (object, "reply-to", note->reply_to);
  return object_text (object);
}

FleetCard *
fleet_card_parse (const char *text, size_t size_bytes, GError **error)
{
  g_autoptr (JsonObject) object = parse_object (text, size_bytes, error);
  g_autoptr (FleetCard) card = g_new0 (FleetCard, 1);

  card->added_s = -1;
  if (!object || !get_name (object, &card->name, error))
    return NULL;
  if (json_object_has_member (object, "added")) {
    if (!get_time (object, "added", &card->added_s, error))
      return NULL;
    json_object_remove_member (object, "added");
  }
  card->camera = object_text (object);
  /* Escapes make a text longer: six characters for a byte. */
  if (strlen (card->camera) + ADDED_BYTES > FLEET_MAX_BODY_BYTES) {
    MALFORMED (error, "is longer than %d bytes when it is sent again, which no camera needs",
               FLEET_MAX_BODY_BYTES - ADDED_BYTES);
    return NULL;
  }
  return g_steal_pointer (&card);
}

void
fleet_card_free (FleetCard *card)
{
  if (!card)
    return;
  g_free (card->name);
  g_free (card->camera);
  g_free (card);
}

char *
fleet_card_text (const FleetCard *card, double added_s)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  /* The text of an object that has a member, its name: the last character is the brace. */
  return g_strdup_printf ("%.*s,\"added\":%s}", (int) strlen (card->camera) - 1, card->camera,
                          g_ascii_dtostr (number, sizeof number, added_s));
}
