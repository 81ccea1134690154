/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/transport.h - what carries records away: a file, a FIFO, a broker. One small table of
 * functions for each kind.
 *
 * In:    records, each a JSON object as text, in order, from gst/publish/publisher.h.
 * Out:   a word for each of them once it has arrived, or can't ever: YvTransportEvents.done.
 *
 * A transport keeps no record longer than its connection. What it has taken and not answered for
 * when disconnect() or free() is called it forgets, and never delivers later by itself: the
 * publisher gives it again after the next connect(), in the old order, with "redelivered": true in
 * its text. So a library that keeps a queue of its own has to drop it there.
 *
 * Threads: new() and free() on whichever thread; wake() and cancel() on any, at any time between
 * them; all else on the worker's thread alone, one call at a time. SIGPIPE and SIGXFSZ are blocked
 * there, so that a write to nobody, or beyond a limit, is an error. No call may block longer than
 * it is told: send() and disconnect() at most for a moment (what a write to a disk takes),
 * connect() and poll() for timeout_ms.
 *
 * Errors are of YV_ERROR; they say what failed, where, and what to do, and never a password. But
 * memory that held a secret is freed as any other, not overwritten: GObject's values, json-glib and
 * the brokers' libraries have copies that we can't reach, so it would protect nobody.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* All strings are borrowed for the call of new(), which copies what it keeps. NULL: not set. */
typedef struct {
  /* file */
  const char *file_path; /* "stdout", or a path: a file, a FIFO, a device */
  bool json_array;       /* all of the file is one JSON array; else each line is a record */

  /* brokers */
  const char *address;              /* "host:port"; Kafka: several, with commas */
  const char *topic;                /* not checked yet */
  const char *client_id;            /* NULL: the transport makes one that nobody else has */
  const char *username, *password;  /* secret: in no message and no log */
  bool tls;                         /* encrypted; also where one of the three files is set */
  bool no_tls;                      /* it is an error where anything asks for encryption */
  bool tls_insecure;                /* neither certificate nor name of the broker is checked */
  const char *ca_file;              /* PEM; NULL: those that the system trusts */
  const char *cert_file, *key_file; /* PEM; of the client */
  const char *const *settings;      /* name, value, name, value, ..., NULL; for the library as they
                                     * are (librdkafka's configuration); may hold secrets */
} YvTransportConfig;

/* How a transport speaks to its user. */
typedef struct {
  /* @refusal: NULL: the record has arrived, as surely as this transport can know; else why it
   * can't ever, as too large: it is not sent again. On the worker's thread, inside of connect(),
   * send() or poll(). Ids that are not, or not any more, of the current connection are ignored. */
  void (*done) (void *user_data, uint64_t id, const char *refusal);
  /* A line for a debug log, without secrets; on any thread. */
  void (*log) (void *user_data, const char *text);
  void *user_data;
} YvTransportEvents;

typedef enum {
  YV_SEND_TAKEN,   /* done() has been called or will be */
  YV_SEND_FULL,    /* not taken: once more after a poll() that returned; no error is set */
  YV_SEND_REFUSED, /* not taken, and never will be: the next one may; the error says why */
  YV_SEND_BROKEN,  /* the connection is of no more use; whether the record arrived is not known */
} YvSend;

typedef struct {
  const char *name; /* "file"; for messages */

  /* Checks the configuration as far as it can without a connection; what only the user can put
   * right is an error here. Returns: NULL with an error, or the transport, not connected. */
  void *(*new) (const YvTransportConfig *config, const YvTransportEvents *events, GError **error);

  /* Connects anew, for at most @timeout_ms. Returns: false with an error, and nothing is left to
   * disconnect. */
  bool (*connect) (void *self, int timeout_ms, GError **error);

  /* @bytes: of a JSON object, valid until send() returns or done() is called for it; @again: it was
   * taken before by a connection that broke, and may have arrived. Its text says so already; this
   * is for transports with a flag of their own. */
  YvSend (*send) (void *self, uint64_t id, const char *bytes, size_t n_bytes, bool again,
                  GError **error);

  /* Does what the connection needs (keep-alive, answers, the rest of what was taken), and waits
   * until something was answered, there is room again after YV_SEND_FULL, wake() was called, or
   * @timeout_ms, at most a second, have passed. Returns: false with an error where the connection
   * is of no more use. */
  bool (*poll) (void *self, int timeout_ms, GError **error);

  /* Ends a poll() that waits, or the next one if none does; no connect(). Cheap, never blocks. */
  void (*wake) (void *self);

  /* Time is up: from here on connect() and poll() return at once, with an error or not. Only
   * disconnect() and free() follow. */
  void (*cancel) (void *self);

  /* Ends the connection, politely where that takes no time; ok where there is none. */
  void (*disconnect) (void *self);

  void (*free) (void *self); /* NULL ok */
} YvTransport;

G_END_DECLS
