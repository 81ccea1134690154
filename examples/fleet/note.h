/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/note.h - what workers and commands tell all workers, and what of a camera's
 * message is read before the camera itself: JSON texts, which may be hostile.
 *
 * In:    bodies of messages (examples/fleet/link.h).
 * Out:   FleetNote and FleetCard; examples/fleet/holds.h decides with them.
 *
 *   {"note":"remove","name":"street","at":1795987800.5}
 *   {"note":"hello","id":"5f0c...","after":"91d3..."}
 *   {"note":"bye","id":"5f0c..."}
 *   {"note":"held","name":"street","added":1795987000.25,"id":"77e1...","session":"5f0c..."}
 *   {"note":"held","name":"street","added":1795987000.25,"id":"77e1...","against":"03ab..."}
 *   {"note":"forget","name":"street","session":"5f0c...","at":1795987060.75}
 *   {"note":"list","reply-to":"amq.gen-..."}
 *
 * Times are seconds since 1970 of the clock of the machine that wrote them. One that lies ahead
 * would count more than all that follow: so what can be no seconds is refused, and removals more
 * than FLEET_AHEAD_S after "now", too. For cameras see examples/fleet/intake.c.  Pure; any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* No message that makes sense is longer. */
#define FLEET_MAX_BODY_BYTES 65536

#define FLEET_AHEAD_S 60

/* How long the broker keeps notes, and so how long they count. */
#define FLEET_NOTES_DAYS 7

typedef enum {
  FLEET_NOTE_REMOVE, /* the camera is not wanted any longer */
  FLEET_NOTE_HELLO,  /* a session begins. A worker hears its own: what came before is history */
  FLEET_NOTE_BYE,    /* a session ends, because its worker is to end */
  FLEET_NOTE_HELD,   /* who holds a camera; see examples/fleet/holds.h */
  FLEET_NOTE_FORGET, /* what is known against a camera; see examples/fleet/history.h */
  FLEET_NOTE_LIST,   /* every worker is to tell what it holds */
} FleetNoteKind;

/* Strings are owned; NULL and 0 where the kind has none. */
typedef struct {
  FleetNoteKind kind;
  char *name;     /* REMOVE, HELD, FORGET: a valid name of a camera */
  double at_s;    /* REMOVE: cameras that were added until then; FORGET: also attempts that failed
                   * until then, none where it is negative */
  double added_s; /* HELD */
  char *id;       /* HELLO, BYE, HELD */
  char *after;    /* HELLO (nullable): the session before it, whose worker has lived on */
  char *session;  /* HELD (nullable): in which it was taken just now; FORGET (nullable): in which
                   * alone it has done no harm; NULL: in all */
  char *against;  /* HELD (nullable): the id of a hold that has lost against this one */
  char *reply_to; /* LIST: the queue to answer to, which has a name that the broker gave */
} FleetNote;

/* Returns: (transfer full): or NULL with YV_ERROR_MALFORMED. Members that are not known are passed
 * over, so that workers of different versions understand each other. */
FleetNote *fleet_note_parse (const char *text, size_t size_bytes, double now_s, GError **error);
void fleet_note_free (FleetNote *note); /* NULL ok */

char *fleet_note_text (const FleetNote *note); /* one line; free with g_free() */

/* What of a camera's message is the fleet's own. */
typedef struct {
  char *name;     /* owned */
  double added_s; /* "added"; negative: the message does not say */
  char *camera;   /* owned: the JSON object without "added", for examples/common/cameraconfig.h */
} FleetCard;

/* Returns: (transfer full): or NULL with YV_ERROR_MALFORMED: no JSON object, longer than
 * FLEET_MAX_BODY_BYTES, also when it is sent again, no valid name, "added" is no time. */
FleetCard *fleet_card_parse (const char *text, size_t size_bytes, GError **error);
void fleet_card_free (FleetCard *card); /* NULL ok */

/* The same message with "added", of FLEET_MAX_BODY_BYTES at most; free with g_free(). */
char *fleet_card_text (const FleetCard *card, double added_s);

/* Names go into file names, topics and metrics: 1 to 64 letters, digits, '.', '_' and '-' of ASCII,
 * the first of them no '.' or '-'. */
bool fleet_is_name (const char *name);

/* What others wrote must not steer a terminal, nor forge lines of a log. Returns: (transfer full):
 * @text, UTF-8, with '?' for control characters. */
char *fleet_plain (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetNote, fleet_note_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetCard, fleet_card_free)

G_END_DECLS
