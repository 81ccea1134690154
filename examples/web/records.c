/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/records.c - what yolov7publish writes of a camera, line by line. */
#include "examples/web/records.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#define READ_BYTES 65536 /* what a pipe holds */

struct _Records {
  int read_fd, write_fd; /* ours, so that the pipe never ends; -1: not open */
  guint watch;
  RecordsFunc func;
  gpointer user_data;
  GString *rest;    /* of a line that is not whole yet */
  bool is_too_long; /* that line; what comes of it is left out */
};

static void
keep_rest (Records *self, const char *bytes, gsize n_bytes)
{
  if (self->rest->len + n_bytes > RECORDS_MAX_BYTES)
    self->is_too_long = true;
  if (self->is_too_long)
    g_string_truncate (self->rest, 0);
  else
    g_string_append_len (self->rest, bytes, (gssize) n_bytes);
}

static void
end_line (Records *self, const char *bytes, gsize n_bytes)
{
  if (self->rest->len == 0 && !self->is_too_long) {
    self->func (bytes, n_bytes, self->user_data);
    return;
  }
  keep_rest (self, bytes, n_bytes);
  if (!self->is_too_long)
    self->func (self->rest->str, self->rest->len, self->user_data);
  g_string_truncate (self->rest, 0);
  self->is_too_long = false;
}

static void
split (Records *self, const char *bytes, gsize n_bytes)
{
  const char *end;

  while ((end = memchr (bytes, '\n', n_bytes))) {
    const gsize n_line = (gsize) (end - bytes);
    end_line (self, bytes, n_line);
    bytes += n_line + 1;
    n_bytes -= n_line + 1;
  }
  if (n_bytes > 0)
    keep_rest (self, bytes, n_bytes);
}

/* One portion each time: other work of this thread has its turn between. */
static gboolean
on_bytes (gint fd, GIOCondition condition, gpointer user_data)
{
  Records *self = user_data;
  char bytes[READ_BYTES];
  const ssize_t n = read (fd, bytes, sizeof bytes);
  (void) condition;

  if (n > 0)
    split (self, bytes, (gsize) n);
  return G_SOURCE_CONTINUE;
}

Records *
records_new (RecordsFunc func, gpointer user_data, GError **error)
{
  g_autoptr (Records) self = g_new0 (Records, 1);
  int fds[2];

  self->read_fd = self->write_fd = -1;
  self->rest = g_string_new (NULL);
  self->func = func;
  self->user_data = user_data;
  if (!g_unix_open_pipe (fds, FD_CLOEXEC, error)) {
    g_prefix_error (error, "the pipe for records: ");
    return NULL;
  }
  self->read_fd = fds[0];
  self->write_fd = fds[1];
  if (!g_unix_set_fd_nonblocking (self->read_fd, TRUE, error))
    return NULL;
  self->watch = g_unix_fd_add (self->read_fd, G_IO_IN, on_bytes, self);
  return g_steal_pointer (&self);
}

void
records_free (Records *self)
{
  if (!self)
    return;
  g_clear_handle_id (&self->watch, g_source_remove);
  if (self->read_fd >= 0)
    close (self->read_fd);
  if (self->write_fd >= 0)
    close (self->write_fd);
  g_string_free (self->rest, TRUE);
  g_free (self);
}

/* The name of an open pipe: proc(5), "/proc/pid/fd". */
char *
records_launch (const Records *self, const char *source)
{
  return g_strdup_printf ("yolov7publish name=records method=file file-format=json-lines "
                          "file-path=/proc/self/fd/%d source=%s",
                          self->write_fd, source);
}
