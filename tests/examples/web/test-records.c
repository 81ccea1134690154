/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/web/test-records.c - examples/web/records.h: lines out of a pipe. */
#include "examples/web/records.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
keep_line (const char *line, gsize n_bytes, gpointer user_data)
{
  g_ptr_array_add (user_data, g_strndup (line, n_bytes));
}

/* The end that yolov7publish opens. */
static int
open_end (const Records *records)
{
  g_autofree char *launch = records_launch (records, "street");
  const char *path = strstr (launch, "file-path=") + strlen ("file-path=");
  g_autofree char *name = g_strndup (path, strcspn (path, " "));
  const int fd = open (name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

  g_assert_nonnull (strstr (launch, "source=street"));
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Writes, and reads what is there before the pipe is full. */
static void
write_text (int fd, const char *text, gsize n_bytes)
{
  while (n_bytes > 0) {
    const ssize_t n = write (fd, text, MIN (n_bytes, 4096));
    g_assert_cmpint (n, >, 0);
    text += n;
    n_bytes -= (gsize) n;
    while (g_main_context_iteration (NULL, FALSE))
      continue;
  }
}

static void
lines_come_whole_however_they_are_written (void)
{
  static const char text[] = "{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}\n";

  for (gsize portion = 1; portion < sizeof text; portion++) {
    g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
    g_autoptr (GError) error = NULL;
    g_autoptr (Records) records = records_new (keep_line, lines, &error);
    g_assert_no_error (error);
    const int fd = open_end (records);
    for (gsize at = 0; at < sizeof text - 1; at += portion)
      write_text (fd, text + at, MIN (portion, sizeof text - 1 - at));
    g_assert_cmpuint (lines->len, ==, 4);
    g_assert_cmpstr (lines->pdata[0], ==, "{\"a\":1}");
    g_assert_cmpstr (lines->pdata[2], ==, "");
    g_assert_cmpstr (lines->pdata[3], ==, "{\"c\":3}");
    close (fd);
  }
}

static void
a_writer_may_come_again (void)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (Records) records = records_new (keep_line, lines, NULL);

  for (guint i = 1; i < 4; i++) {
    const int fd = open_end (records);
    write_text (fd, "{}\n", 3);
    g_assert_cmpuint (lines->len, ==, i);
    close (fd);
  }
}

static void
a_line_without_end_is_left_out (void)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (Records) records = records_new (keep_line, lines, NULL);
  g_autofree char *endless = g_strnfill (3 * RECORDS_MAX_BYTES, 'x');
  const int fd = open_end (records);

  write_text (fd, endless, 3 * RECORDS_MAX_BYTES);
  write_text (fd, "\n{\"good\":1}\n", 12);
  g_assert_cmpuint (lines->len, ==, 1);
  g_assert_cmpstr (lines->pdata[0], ==, "{\"good\":1}");
  close (fd);
}

static void
it_can_not_be_without_descriptors (void)
{
  g_autoptr (GPtrArray) held = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  int fd;

  while ((fd = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    g_ptr_array_add (held, GINT_TO_POINTER (fd));
  g_assert_null (records_new (keep_line, NULL, &error));
  g_assert_nonnull (strstr (error->message, "the pipe for records: "));
  for (guint i = 0; i < held->len; i++)
    close (GPOINTER_TO_INT (held->pdata[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/records/lines_come_whole_however_they_are_written",
                   lines_come_whole_however_they_are_written);
  g_test_add_func ("/records/a_writer_may_come_again", a_writer_may_come_again);
  g_test_add_func ("/records/a_line_without_end_is_left_out", a_line_without_end_is_left_out);
  g_test_add_func ("/records/it_can_not_be_without_descriptors", it_can_not_be_without_descriptors);
  return g_test_run ();
}
