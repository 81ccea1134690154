/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publishwriters.c - two that would write their records to the same place. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/error.h"
#include "gst/publish/file.h"

#define T yv_transport_file

static void
on_done (void *user_data, uint64_t id, const char *refusal)
{
  (void) id;
  g_assert_null (refusal);
  ++*(int *) user_data;
}

static void
on_log (void *user_data, const char *text)
{
  (void) user_data;
  (void) text;
}

static void *
make (const char *path, int *n_done, GError **error)
{
  const YvTransportConfig config = {.file_path = path};
  const YvTransportEvents events = {on_done, on_log, n_done};

  return T.new(&config, &events, error);
}

static void *
make_connected (const char *path, int *n_done)
{
  g_autoptr (GError) error = NULL;
  void *file = make (path, n_done, &error);

  g_assert_no_error (error);
  g_assert_true (T.connect (file, 0, &error));
  return file;
}

static void
assert_is_taken (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expected =
      g_strdup_printf ("%s: another yolov7publish writes to it. Name a file", path);

  g_assert_null (make (path, NULL, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_true (g_str_has_prefix (error->message, expected));
}

/* A path where nothing is yet. */
static char *
make_path (void)
{
  char *path = g_build_filename (g_get_tmp_dir (), "yv-publishwriters-XXXXXX", NULL);
  const int fd = g_mkstemp (path);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_remove (path);
  return path;
}

/* Also where the first has written: it loses nothing. */
static void
a_file_has_one (void)
{
  g_autofree char *path = make_path (), *content = NULL;
  int n_done = 0;
  void *file = make_connected (path, &n_done);

  g_assert_cmpint (T.send (file, 1, "{}", 2, false, NULL), ==, YV_SEND_TAKEN);
  assert_is_taken (path);
  g_assert_cmpint (T.send (file, 2, "{}", 2, false, NULL), ==, YV_SEND_TAKEN);
  g_assert_cmpint (n_done, ==, 2);
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "{}\n{}\n");
  T.disconnect (file);
  T.free (file);
  T.free (make_connected (path, NULL)); /* as soon as the first has ended */
  g_remove (path);
}

static void
a_fifo_has_one (void)
{
  g_autofree char *path = make_path ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  const int reader = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  void *first = make_connected (path, NULL), *second = make (path, NULL, NULL);
  g_assert_false (T.connect (second, 0, &error));
  g_assert_nonnull (strstr (error->message, "another yolov7publish writes to it"));
  T.disconnect (first);
  g_assert_true (T.connect (second, 0, NULL));
  T.free (second);
  T.free (first);
  close (reader);
  g_remove (path);
}

static void
stdout_has_one (void)
{
  void *file = make ("stdout", NULL, NULL);

  g_assert_nonnull (file);
  assert_is_taken ("stdout");
  T.free (file);
  T.free (make_connected ("stdout", NULL));
}

static void
a_device_has_many (void)
{
  void *first = make_connected ("/dev/null", NULL), *second = make_connected ("/dev/null", NULL);

  T.free (first);
  T.free (second);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/publishwriters/" #name, name)
  TEST (a_file_has_one);
  TEST (a_fifo_has_one);
  TEST (stdout_has_one);
  TEST (a_device_has_many);
#undef TEST
  return g_test_run ();
}
