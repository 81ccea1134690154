/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mosquittoprocess.h - a real mosquitto at ports of its own, in a folder of its own, that
 * a test starts, ends, kills and starts again; and certificates for it.
 *
 * What its subscribers have not got yet it keeps over an end, but not over being killed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  char *folder;
  uint16_t port;
  char *address; /* "localhost:<port>" */
  char *options; /* (nullable): lines of its configuration, for its one listener */
  GPid pid;      /* 0: it does not run */
  int log;       /* what it says comes from here */
} Mosquitto;

/* Whether there is one; else g_test_skip() says so. */
bool mosquitto_is_installed (void);

/* @options: (nullable): lines for mosquitto.conf; "%s" in them is the folder. It is not started,
 * so that the test may write files first. */
Mosquitto *mosquitto_process_new (const char *options);
void mosquitto_process_free (Mosquitto *mosquitto); /* kills it; removes the folder */

/* Returns once it listens; at the same port as before. */
void mosquitto_process_start (Mosquitto *mosquitto);
void mosquitto_process_end (Mosquitto *mosquitto);  /* it may save what it has */
void mosquitto_process_kill (Mosquitto *mosquitto); /* it may not */

/* Free with g_free(). */
char *mosquitto_process_path (const Mosquitto *mosquitto, const char *name);

/* Runs a command in its folder; the test fails where it does. NULL ends the words. */
void mosquitto_process_run (const Mosquitto *mosquitto, const char *word,
                            ...) G_GNUC_NULL_TERMINATED;

/* Makes ca.crt, other.crt (another CA), and of ca: server.crt and server.key for @server_name, and
 * client.crt and client.key, which is encrypted with @key_password. */
void mosquitto_process_make_certificates (const Mosquitto *mosquitto, const char *server_name,
                                          const char *key_password);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mosquitto, mosquitto_process_free)

G_END_DECLS
