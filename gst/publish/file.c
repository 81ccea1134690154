/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/file.c - records into a file, a FIFO, or what stdout is. */
#include "gst/publish/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/error.h"
#include "gst/publish/wake.h"

#define OPENING "[\n"
#define SEPARATOR ",\n"
#define CLOSING "\n]\n"
#define EMPTY "[\n]\n"

typedef struct {
  char *path; /* NULL: stdout */
  bool json_array;
  YvTransportEvents events;
  YvWake wake;

  int fd;           /* -1: not open */
  bool owns_stdout; /* see take_stdout() */
  bool is_regular;
  bool is_first; /* no record has been written since what is there began */

  /* regular */
  bool has_begun; /* what was there before is gone */
  dev_t device;   /* this and the next: which file that was */
  ino_t inode;
  off_t end; /* so far it is whole, its closing bracket left out */

  /* others: what has been taken and not written. */
  GString *rest;
  size_t n_written;
  uint64_t rest_id; /* 0: it is no record */
} File;

/* All of a process write to the same pipe there: the parts of their records would mix. */
static atomic_flag is_stdout_taken = ATOMIC_FLAG_INIT;

static void
file_free (void *data)
{
  File *self = data;

  if (!self)
    return;
  if (self->owns_stdout)
    atomic_flag_clear (&is_stdout_taken);
  if (self->fd >= 0)
    close (self->fd);
  yv_wake_clear (&self->wake);
  if (self->rest)
    g_string_free (self->rest, TRUE);
  g_free (self->path);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (File, file_free)

static const char *
path_of (const File *self)
{
  return self->path ? self->path : "stdout";
}

static bool
set_error (const File *self, const char *doing, int code, const char *remedy, GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be %s: %s. %s", path_of (self), doing,
               g_strerror (code), remedy);
  return false;
}

/* What to do about the errors that people see. */
static const char *
remedy_of_open (int code)
{
  switch (code) {
  case EISDIR:
    return "Name a file in that folder";
  case ENOENT:
    return "Make the folder that it shall be in";
  case EACCES:
  case EROFS:
    return "Choose a place that this user may write to";
  default:
    return "Is it a file, a FIFO or a device?";
  }
}

static const char *
remedy_of_write (int code)
{
  switch (code) {
  case ENOSPC:
  case EDQUOT:
    return "It goes on when there is room";
  case EPIPE:
    return "It goes on when something reads it";
  case EFBIG:
    return "Files of this process may not be larger, see 'ulimit -f'";
  default:
    return "It is tried again";
  }
}

/* ---- opening -------------------------------------------------------------------------------- */

/* Returns: 0, or errno */
static int
write_all_at (int fd, const char *bytes, size_t n_bytes, off_t offset)
{
  while (n_bytes > 0) {
    const ssize_t n = pwrite (fd, bytes, n_bytes, offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno;
    bytes += n;
    n_bytes -= (size_t) n;
    offset += n;
  }
  return 0;
}

/* Leaves what is whole, with its closing bracket, for which there was room before. Returns: 0, or
 * errno */
static int
cut_back (const File *self)
{
  const char *closing = !self->json_array ? "" : self->end > 0 ? CLOSING : EMPTY;
  const size_t n_closing = strlen (closing);

  if (ftruncate (self->fd, self->end + (off_t) n_closing) < 0)
    return errno;
  return write_all_at (self->fd, closing, n_closing, self->end);
}

static bool
refuse_second (const File *self, GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_IO,
               "%s: another yolov7publish writes to it. Name a file or a FIFO of its own for each",
               path_of (self));
  return false;
}

static bool
take_stdout (File *self, GError **error)
{
  if (atomic_flag_test_and_set (&is_stdout_taken))
    return refuse_second (self, error);
  self->owns_stdout = true;
  return true;
}

/* Two that write to one file, of one process or of several, would write over each other. Where a
 * file system knows no locks nobody is kept out. */
static bool
lock_file (const File *self, GError **error)
{
  if (flock (self->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return true;
  return refuse_second (self, error);
}

/* What lies in a file from before the start belongs to another run. */
static bool
begin (File *self, GError **error)
{
  struct stat info;

  if (fstat (self->fd, &info) < 0)
    return set_error (self, "looked at", errno, "It is tried again", error);
  const bool is_device = S_ISCHR (info.st_mode);
  if (self->path && !is_device && !lock_file (self, error))
    return false;
  self->is_regular = S_ISREG (info.st_mode) && self->path;
  if (!self->is_regular) {
    self->is_first = true;
    return true;
  }
  const bool is_same = info.st_dev == self->device && info.st_ino == self->inode;
  if (self->has_begun && is_same && info.st_size >= self->end)
    return true;
  /* The first time, or somebody has made it shorter, or put another there: it begins anew. */
  self->end = 0;
  self->is_first = true;
  const int code = cut_back (self);
  if (code != 0)
    return set_error (self, "emptied", code, remedy_of_write (code), error);
  self->has_begun = true;
  self->device = info.st_dev;
  self->inode = info.st_ino;
  return true;
}

/* A FIFO would be waited for until somebody reads it, were it not for O_NONBLOCK. */
static int
open_path (const File *self)
{
  if (!self->path)
    return fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  return open (self->path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0666);
}

static bool
is_fifo (const char *path)
{
  struct stat info;

  return path && stat (path, &info) == 0 && S_ISFIFO (info.st_mode);
}

static void
close_file (File *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_string_truncate (self->rest, 0);
  self->n_written = 0;
}

static bool
open_file (File *self, GError **error)
{
  self->fd = open_path (self);
  if (self->fd < 0 && errno == ENXIO && is_fifo (self->path)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO,
                 "%s: nothing reads this FIFO. It goes on when something does", self->path);
    return false;
  }
  if (self->fd < 0)
    return set_error (self, "opened", errno, remedy_of_open (errno), error);
  if (begin (self, error))
    return true;
  close_file (self);
  return false;
}

static void *
file_new (const YvTransportConfig *config, const YvTransportEvents *events, GError **error)
{
  g_autoptr (File) self = g_new0 (File, 1);

  self->fd = self->wake.fd = -1; /* nothing to close yet */
  self->rest = g_string_new (NULL);
  self->json_array = config->json_array;
  self->events = *events;
  if (!config->file_path || !*config->file_path) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "there is no file-path. Name a file, a FIFO, or \"stdout\"");
    return NULL;
  }
  if (!g_str_equal (config->file_path, "stdout"))
    self->path = g_strdup (config->file_path);
  else if (!take_stdout (self, error))
    return NULL;
  if (!yv_wake_init (&self->wake)) {
    set_error (self, "waited for", errno, "It is tried again", error);
    return NULL;
  }
  /* Nobody may read a FIFO yet, and connect() opens that; a file that can't be written can be told
   * now. */
  if (!is_fifo (self->path) && !open_file (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* A pipe says POLLERR where its readers have gone, a socket and a terminal say POLLHUP. */
static bool
is_gone (short revents)
{
  return revents & (POLLERR | POLLHUP | POLLNVAL);
}

static bool
file_connect (void *data, int timeout_ms, GError **error)
{
  File *self = data;
  (void) timeout_ms;

  if (self->fd < 0 && !open_file (self, error))
    return false;
  struct pollfd reader = {.fd = self->fd};
  if (poll (&reader, 1, 0) <= 0 || !is_gone (reader.revents))
    return true;
  close_file (self);
  return set_error (self, "written", EPIPE, remedy_of_write (EPIPE), error);
}

/* ---- regular files -------------------------------------------------------------------------- */

static YvSend
write_regular (File *self, uint64_t id, GError **error)
{
  const size_t n_closing = self->json_array ? strlen (CLOSING) : 0;
  const int code = write_all_at (self->fd, self->rest->str, self->rest->len, self->end);

  if (code != 0) {
    set_error (self, "written", code, remedy_of_write (code), error);
    const int cut_code = cut_back (self);
    if (cut_code != 0)
      self->events.log (self->events.user_data, g_strerror (cut_code));
    return YV_SEND_BROKEN;
  }
  self->end += (off_t) (self->rest->len - n_closing);
  self->is_first = false;
  g_string_truncate (self->rest, 0);
  self->events.done (self->events.user_data, id, NULL);
  return YV_SEND_TAKEN;
}

/* ---- others --------------------------------------------------------------------------------- */

/* Not more at once than a pipe takes that poll() says has room: stdout may be somebody's blocking
 * pipe. Returns: false with an error where nobody reads. */
static bool
write_rest (File *self, GError **error)
{
  while (self->n_written < self->rest->len) {
    struct pollfd room = {.fd = self->fd, .events = POLLOUT};
    if (poll (&room, 1, 0) == 0)
      return true;
    const size_t n_left = self->rest->len - self->n_written;
    const ssize_t n =
        write (self->fd, self->rest->str + self->n_written, MIN (n_left, (size_t) PIPE_BUF));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return true;
    if (n < 0)
      return set_error (self, "written", errno, remedy_of_write (errno), error);
    self->n_written += (size_t) n;
  }
  if (self->rest->len == 0)
    return true;
  g_string_truncate (self->rest, 0);
  self->n_written = 0;
  self->is_first = false;
  if (self->rest_id > 0)
    self->events.done (self->events.user_data, self->rest_id, NULL);
  return true;
}

/* ---- records -------------------------------------------------------------------------------- */

static void
frame (File *self, const char *bytes, size_t n_bytes)
{
  g_string_truncate (self->rest, 0);
  if (self->json_array)
    g_string_append (self->rest, self->is_first ? OPENING : SEPARATOR);
  g_string_append_len (self->rest, bytes, (gssize) n_bytes);
  if (!self->json_array)
    g_string_append_c (self->rest, '\n');
  else if (self->is_regular)
    g_string_append (self->rest, CLOSING);
}

static YvSend
file_send (void *data, uint64_t id, const char *bytes, size_t n_bytes, bool again, GError **error)
{
  File *self = data;
  (void) again;

  if (self->rest->len > 0)
    return YV_SEND_FULL;
  frame (self, bytes, n_bytes);
  if (self->is_regular)
    return write_regular (self, id, error);
  self->rest_id = id;
  return write_rest (self, error) ? YV_SEND_TAKEN : YV_SEND_BROKEN;
}

static bool
file_poll (void *data, int timeout_ms, GError **error)
{
  File *self = data;
  struct pollfd reader = {
      .fd = self->is_regular ? -1 : self->fd,
      .events = self->rest->len > 0 ? POLLOUT : 0,
  };

  if (yv_wake_is_cancelled (&self->wake))
    return true;
  if (!yv_wake_wait (&self->wake, &reader, timeout_ms))
    return set_error (self, "waited for", errno, "It is tried again", error);
  if (is_gone (reader.revents))
    return set_error (self, "written", EPIPE, remedy_of_write (EPIPE), error);
  return write_rest (self, error);
}

static void
file_wake (void *data)
{
  File *self = data;

  yv_wake_up (&self->wake);
}

static void
file_cancel (void *data)
{
  File *self = data;

  yv_wake_cancel (&self->wake);
}

/* The end of an array, where its reader is still there and takes it at once. */
static void
file_disconnect (void *data)
{
  File *self = data;

  if (self->fd >= 0 && !self->is_regular && self->json_array && self->rest->len == 0) {
    g_string_append (self->rest, self->is_first ? EMPTY : CLOSING);
    self->rest_id = 0;
    g_autoptr (GError) error = NULL;
    if (!write_rest (self, &error))
      self->events.log (self->events.user_data, error->message);
  }
  close_file (self);
}

const YvTransport yv_transport_file = {
    .name = "file",
    .new = file_new,
    .connect = file_connect,
    .send = file_send,
    .poll = file_poll,
    .wake = file_wake,
    .cancel = file_cancel,
    .disconnect = file_disconnect,
    .free = file_free,
};
