/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publishfile.c - records into files that are whole at any moment, and into FIFOs
 * whose readers leave. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/error.h"
#include "gst/publish/file.h"

#define T yv_transport_file

static uint64_t last_done;
static char *folder;

static void
on_done (void *user_data, uint64_t id, const char *refusal)
{
  (void) user_data;
  g_assert_null (refusal);
  g_assert_cmpuint (id, >, last_done);
  last_done = id;
}

static void
on_log (void *user_data, const char *text)
{
  (void) user_data;
  (void) text;
}

static void *
make (const char *path, bool json_array, GError **error)
{
  const YvTransportConfig config = {.file_path = path, .json_array = json_array};
  const YvTransportEvents events = {on_done, on_log, NULL};

  last_done = 0;
  return T.new(&config, &events, error);
}

static void *
make_connected (const char *path, bool json_array)
{
  g_autoptr (GError) error = NULL;
  void *file = make (path, json_array, &error);

  g_assert_no_error (error);
  T.connect (file, 0, &error);
  g_assert_no_error (error);
  return file;
}

static YvSend
send_text (void *file, uint64_t id, const char *text, GError **error)
{
  return T.send (file, id, text, strlen (text), false, error);
}

static void
assert_arrives (void *file, uint64_t id, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (send_text (file, id, text, &error), ==, YV_SEND_TAKEN);
  g_assert_no_error (error);
  g_assert_cmpuint (last_done, ==, id);
}

static void
assert_content (const char *path, const char *expected)
{
  g_autofree char *content = NULL;

  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, expected);
}

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void
lines_are_records (void)
{
  g_autofree char *path = path_of ("lines");
  g_assert_true (g_file_set_contents (path, "of another run, and longer than this one", -1, NULL));
  void *file = make_connected (path, false);

  assert_content (path, "");
  assert_arrives (file, 1, "{\"n\":1}");
  assert_content (path, "{\"n\":1}\n");
  assert_arrives (file, 2, "{\"n\":2}");
  T.disconnect (file);
  T.free (file);
  assert_content (path, "{\"n\":1}\n{\"n\":2}\n");
}

static void
an_array_is_whole_at_any_moment (void)
{
  g_autofree char *path = path_of ("array");
  void *file = make_connected (path, true);

  assert_content (path, "[\n]\n");
  assert_arrives (file, 1, "{\"n\":1}");
  assert_content (path, "[\n{\"n\":1}\n]\n");
  assert_arrives (file, 2, "{\"n\":2}");
  assert_content (path, "[\n{\"n\":1},\n{\"n\":2}\n]\n");
  T.disconnect (file);
  T.free (file);
  assert_content (path, "[\n{\"n\":1},\n{\"n\":2}\n]\n");
}

static void
a_file_goes_on_where_it_was (void)
{
  g_autofree char *path = path_of ("again");
  void *file = make_connected (path, true);

  assert_arrives (file, 1, "{\"n\":1}");
  T.disconnect (file);
  g_assert_true (T.connect (file, 0, NULL));
  assert_arrives (file, 2, "{\"n\":2}");
  assert_content (path, "[\n{\"n\":1},\n{\"n\":2}\n]\n");
  /* Somebody takes what is there, and leaves the file. */
  T.disconnect (file);
  g_assert_cmpint (truncate (path, 0), ==, 0);
  g_assert_true (T.connect (file, 0, NULL));
  assert_arrives (file, 3, "{\"n\":3}");
  assert_content (path, "[\n{\"n\":3}\n]\n");
  T.disconnect (file);
  T.free (file);
}

/* A limit of the process stands for a disk: what does not fit is written in part. */
static void
a_full_disk_leaves_what_is_whole (void)
{
  for (int json_array = 0; json_array < 2; json_array++) {
    g_autofree char *path = path_of ("full");
    g_autoptr (GError) error = NULL;
    struct rlimit before, small = {24, RLIM_INFINITY};
    void *file = make_connected (path, json_array);

    assert_arrives (file, 1, "{\"n\":1}");
    g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
    small.rlim_max = before.rlim_max;
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
    g_assert_cmpint (send_text (file, 2, "{\"n\":2,\"long\":\"............\"}", &error), ==,
                     YV_SEND_BROKEN);
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
    g_assert_error (error, YV_ERROR, YV_ERROR_IO);
    g_assert_nonnull (strstr (error->message, "can't be written: File too large"));
    assert_content (path, json_array ? "[\n{\"n\":1}\n]\n" : "{\"n\":1}\n");

    T.disconnect (file);
    g_assert_true (T.connect (file, 0, NULL));
    assert_arrives (file, 2, "{\"n\":2}");
    assert_content (path, json_array ? "[\n{\"n\":1},\n{\"n\":2}\n]\n" : "{\"n\":1}\n{\"n\":2}\n");
    T.disconnect (file);
    T.free (file);
  }
}

static void
a_full_device_is_an_error_that_says_so (void)
{
  g_autoptr (GError) error = NULL;
  void *file = make_connected ("/dev/full", false);

  g_assert_cmpint (send_text (file, 1, "{}", &error), ==, YV_SEND_BROKEN);
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/dev/full: can't be written: No space left"));
  T.disconnect (file);
  T.free (file);
}

static void
places_that_take_no_records_are_refused (void)
{
  g_autofree char *socket_path = path_of ("socket");
  const struct {
    const char *path, *expected;
    YvError code;
  } rows[] = {
      {NULL, "there is no file-path", YV_ERROR_INVALID},
      {"", "there is no file-path", YV_ERROR_INVALID},
      {folder, "can't be opened: Is a directory. Name a file", YV_ERROR_IO},
      {"/no/such/folder/x", "No such file or directory. Make the folder", YV_ERROR_IO},
      {"/dev/null/x", "/dev/null/x: can't be opened: Not a directory", YV_ERROR_IO},
      {"/proc/self/exe", "/proc/self/exe: can't be opened: Text file busy", YV_ERROR_IO},
      {socket_path, "can't be opened: No such device or address", YV_ERROR_IO},
  };
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_strlcpy (address.sun_path, socket_path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (make (rows[i].path, true, &error));
    g_assert_error (error, YV_ERROR, (gint) rows[i].code);
    if (!strstr (error->message, rows[i].expected))
      g_error ("\"%s\" does not say \"%s\"", error->message, rows[i].expected);
  }
  close (fd);
  g_remove (socket_path);
}

/* While it was closed somebody has taken the file away, and put a longer one there. */
static void
another_file_in_its_place_begins_anew (void)
{
  g_autofree char *path = path_of ("rotated"), *old = path_of ("rotated.1");
  void *file = make_connected (path, false);

  assert_arrives (file, 1, "{\"n\":1}");
  T.disconnect (file);
  g_assert_cmpint (g_rename (path, old), ==, 0);
  g_assert_true (g_file_set_contents (path, "somebody's, and longer than a record", -1, NULL));
  g_assert_true (T.connect (file, 0, NULL));
  assert_arrives (file, 2, "{\"n\":2}");
  assert_content (path, "{\"n\":2}\n");
  assert_content (old, "{\"n\":1}\n");
  T.disconnect (file);
  T.free (file);
}

/* ---- FIFOs ---------------------------------------------------------------------------------- */

static char *
make_fifo (const char *name)
{
  char *path = path_of (name);

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  return path;
}

static int
open_reader (const char *path)
{
  const int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* What is in the pipe now. */
static char *
read_all (int fd)
{
  GString *text = g_string_new (NULL);
  char bytes[4096];
  ssize_t n;

  while ((n = read (fd, bytes, sizeof bytes)) > 0)
    g_string_append_len (text, bytes, n);
  return g_string_free (text, FALSE);
}

static void
assert_reads (int fd, const char *expected)
{
  g_autofree char *text = read_all (fd);

  g_assert_cmpstr (text, ==, expected);
}

static void
a_fifo_without_a_reader_is_no_connection (void)
{
  g_autofree char *path = make_fifo ("no-reader");
  g_autoptr (GError) error = NULL;
  void *file = make (path, false, &error);

  g_assert_no_error (error);
  g_assert_false (T.connect (file, 0, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "nothing reads this FIFO"));
  T.free (file);
}

static void
readers_of_a_fifo_come_and_go (void)
{
  g_autofree char *path = make_fifo ("readers");
  g_autoptr (GError) poll_error = NULL, send_error = NULL;
  int reader = open_reader (path);
  void *file = make_connected (path, true);

  assert_arrives (file, 1, "{\"n\":1}");
  assert_arrives (file, 2, "{\"n\":2}");
  assert_reads (reader, "[\n{\"n\":1},\n{\"n\":2}");
  close (reader);

  g_assert_false (T.poll (file, 1000, &poll_error)); /* at once, not after a second */
  g_assert_nonnull (strstr (poll_error->message, "goes on when something reads it"));
  g_assert_cmpint (send_text (file, 3, "{\"n\":3}", &send_error), ==, YV_SEND_BROKEN);
  g_assert_nonnull (strstr (send_error->message, "can't be written: Broken pipe"));
  T.disconnect (file);
  g_assert_false (T.connect (file, 0, NULL));

  reader = open_reader (path);
  g_assert_true (T.connect (file, 0, NULL));
  assert_arrives (file, 3, "{\"n\":3}");
  T.disconnect (file);
  assert_reads (reader, "[\n{\"n\":3}\n]\n"); /* an array of its own */
  close (reader);
  T.free (file);
}

static void
a_pipe_that_is_full_takes_the_rest_later (void)
{
  g_autofree char *path = make_fifo ("slow");
  g_autofree char *filling = g_strnfill (300000, '.');
  g_autofree char *large = g_strdup_printf ("{\"large\":\"%s\"}", filling);
  g_autoptr (GString) text = g_string_new (NULL);
  const int reader = open_reader (path);
  void *file = make_connected (path, false);

  g_assert_cmpint (send_text (file, 1, large, NULL), ==, YV_SEND_TAKEN);
  g_assert_cmpuint (last_done, ==, 0);
  g_assert_cmpint (send_text (file, 2, "{}", NULL), ==, YV_SEND_FULL);
  while (last_done == 0) {
    g_autofree char *part = read_all (reader);
    g_string_append (text, part);
    g_assert_true (T.poll (file, 1000, NULL));
  }
  assert_arrives (file, 2, "{}");
  g_autofree char *part = read_all (reader);
  g_string_append (text, part);
  g_assert_cmpuint (text->len, ==, strlen (large) + 4);
  g_assert_true (g_str_has_suffix (text->str, "\"}\n{}\n"));
  T.disconnect (file);
  T.free (file);
  close (reader);
}

static void
half_a_record_is_not_continued_for_another_reader (void)
{
  g_autofree char *path = make_fifo ("half");
  g_autofree char *filling = g_strnfill (300000, '.');
  int reader = open_reader (path);
  void *file = make_connected (path, false);

  g_assert_cmpint (send_text (file, 1, filling, NULL), ==, YV_SEND_TAKEN);
  close (reader);
  g_assert_false (T.poll (file, 1000, NULL));
  T.disconnect (file);
  reader = open_reader (path);
  g_assert_true (T.connect (file, 0, NULL));
  assert_arrives (file, 2, "{}");
  assert_reads (reader, "{}\n");
  T.disconnect (file);
  T.free (file);
  close (reader);
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* Without the wake the test would never end. */
static void
a_wake_ends_the_next_poll (void)
{
  g_autofree char *path = path_of ("wake");
  void *file = make_connected (path, false);

  T.wake (file);
  T.wake (file);
  g_assert_true (T.poll (file, -1, NULL));
  T.cancel (file);
  g_assert_true (T.poll (file, -1, NULL));
  g_assert_true (T.poll (file, -1, NULL));
  T.disconnect (file);
  T.free (file);
}

/* ---- stdout --------------------------------------------------------------------------------- */

static void
write_to_stdout (void)
{
  void *file = make_connected ("stdout", true);

  assert_arrives (file, 1, "{\"n\":1}");
  assert_arrives (file, 2, "{\"n\":2}");
  T.disconnect (file);
  T.free (file);
}

/* As that of a service, whose log has ended. */
static void
a_socket_whose_peer_has_gone_is_an_error (void)
{
  g_autoptr (GError) poll_error = NULL, connect_error = NULL;
  const int before = dup (STDOUT_FILENO);
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
  g_assert_cmpint (dup2 (ends[0], STDOUT_FILENO), ==, STDOUT_FILENO);
  void *file = make_connected ("stdout", false);
  close (ends[1]);
  const bool is_fine = T.poll (file, -1, &poll_error);
  T.disconnect (file);
  const bool is_connected = T.connect (file, 0, &connect_error);
  T.free (file);
  dup2 (before, STDOUT_FILENO);
  close (before);
  close (ends[0]);
  g_assert_false (is_fine);
  g_assert_nonnull (strstr (poll_error->message, "stdout: can't be written: Broken pipe"));
  g_assert_false (is_connected);
  g_assert_nonnull (strstr (connect_error->message, "stdout: can't be written: Broken pipe"));
}

static void
stdout_gets_records_and_stays_open (void)
{
  if (g_test_subprocess ()) {
    write_to_stdout ();
    write_to_stdout ();
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*[\n{\"n\":1},\n{\"n\":2}\n]\n[\n{\"n\":1},\n{\"n\":2}\n]\n*");
}

static void
remove_folder (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = path_of (name);
    g_remove (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("yv-publishfile-XXXXXX", NULL);
  signal (SIGPIPE, SIG_IGN); /* as on the worker's thread */
  signal (SIGXFSZ, SIG_IGN);
#define TEST(name) g_test_add_func ("/publishfile/" #name, name)
  TEST (lines_are_records);
  TEST (an_array_is_whole_at_any_moment);
  TEST (a_file_goes_on_where_it_was);
  TEST (a_full_disk_leaves_what_is_whole);
  TEST (a_full_device_is_an_error_that_says_so);
  TEST (places_that_take_no_records_are_refused);
  TEST (another_file_in_its_place_begins_anew);
  TEST (a_fifo_without_a_reader_is_no_connection);
  TEST (readers_of_a_fifo_come_and_go);
  TEST (a_pipe_that_is_full_takes_the_rest_later);
  TEST (half_a_record_is_not_continued_for_another_reader);
  TEST (a_wake_ends_the_next_poll);
  TEST (a_socket_whose_peer_has_gone_is_an_error);
  TEST (stdout_gets_records_and_stays_open);
#undef TEST
  const int status = g_test_run ();
  remove_folder ();
  return status;
}
