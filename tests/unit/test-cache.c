/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-cache.c - engine/cache.c: what was written is read, anything else is ignored. */
#include "engine/cache.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#define KIND "tuning"
#define OWNER "0123"
#define IDENTITY "0123 driver 1 build 7"

static const char content[] = "some\nbytes\0 and more";

static void
write_content (void)
{
  g_assert_true (yv_cache_write (KIND, OWNER, IDENTITY, content, sizeof content));
}

static void
assert_is_content (GBytes *got)
{
  g_assert_nonnull (got);
  g_assert_cmpmem (g_bytes_get_data (got, NULL), g_bytes_get_size (got), content, sizeof content);
  g_bytes_unref (got);
}

static void
what_was_written_is_read (void)
{
  g_autofree char *path = yv_cache_path (KIND, OWNER);

  g_assert_true (g_str_has_prefix (path, g_get_user_cache_dir ()));
  write_content ();
  assert_is_content (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_true (yv_cache_write (KIND, OWNER, IDENTITY, "", 0));
  g_autoptr (GBytes) empty = yv_cache_read (KIND, OWNER, IDENTITY);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
}

static void
what_is_foreign_is_ignored_and_replaced (void)
{
  g_assert_true (yv_cache_write (KIND, OWNER, "0123 driver 2 build 7", "else", 4));
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_null (yv_cache_read (KIND, "4567", IDENTITY));
  g_assert_null (yv_cache_read ("pipelines", OWNER, IDENTITY));
  write_content ();
  assert_is_content (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_null (yv_cache_read (KIND, OWNER, "0123 driver 2 build 7"));
}

/* Thousands of times, so without waiting for the disk. */
static void
put (const char *bytes, gsize n)
{
  g_autofree char *path = yv_cache_path (KIND, OWNER);
  FILE *file = g_fopen (path, "wb");

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (bytes, 1, n, file), ==, n);
  g_assert_cmpint (fclose (file), ==, 0);
}

/* Every length, every bit. */
static void
what_is_corrupt_is_ignored_and_replaced (void)
{
  g_autofree char *path = yv_cache_path (KIND, OWNER), *bytes = NULL;
  gsize n;

  write_content ();
  g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  for (gsize length = 0; length < n; length++) {
    put (bytes, length);
    g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  }
  for (gsize bit = 0; bit < 8 * n; bit++) {
    bytes[bit / 8] = (char) (bytes[bit / 8] ^ 1 << bit % 8);
    put (bytes, n);
    g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
    bytes[bit / 8] = (char) (bytes[bit / 8] ^ 1 << bit % 8);
  }
  g_autofree char *longer = g_malloc0 (n + 1);
  memcpy (longer, bytes, n);
  put (longer, n + 1);
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  write_content ();
  assert_is_content (yv_cache_read (KIND, OWNER, IDENTITY));
}

/* A pipe without a writer would be waited for. */
static void
what_is_no_file_is_ignored (void)
{
  g_autofree char *path = yv_cache_path (KIND, OWNER);

  g_remove (path);
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  write_content (); /* renamed over it */
  assert_is_content (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_false (yv_cache_write (KIND, OWNER, IDENTITY, content, sizeof content));
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
what_is_too_large_is_not_kept (void)
{
  g_autofree char *path = yv_cache_path (KIND, OWNER);
  g_autofree char *large = g_malloc0 (YV_CACHE_MAX_BYTES + 1);

  write_content ();
  g_assert_false (yv_cache_write (KIND, OWNER, IDENTITY, large, YV_CACHE_MAX_BYTES));
  assert_is_content (yv_cache_read (KIND, OWNER, IDENTITY));
  put (large, YV_CACHE_MAX_BYTES + 1);
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  g_remove (path);
}

static void
it_can_be_turned_off (void)
{
  write_content ();
  g_setenv ("YV_CACHE", "off", TRUE);
  g_assert_null (yv_cache_path (KIND, OWNER));
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_false (yv_cache_write (KIND, OWNER, IDENTITY, content, sizeof content));
  g_unsetenv ("YV_CACHE");
  assert_is_content (yv_cache_read (KIND, OWNER, IDENTITY));
}

static void
clear (void)
{
  g_autofree char *path = yv_cache_path (KIND, OWNER), *folder = g_path_get_dirname (path);

  g_remove (path);
  g_rmdir (folder);
}

/* A file where the folder should be. */
static void
a_folder_that_cannot_be_made_is_no_error (void)
{
  g_autofree char *path = yv_cache_path (KIND, OWNER), *folder = g_path_get_dirname (path);

  clear ();
  g_assert_true (g_file_set_contents (folder, "", 0, NULL));
  g_assert_null (yv_cache_read (KIND, OWNER, IDENTITY));
  g_assert_false (yv_cache_write (KIND, OWNER, IDENTITY, content, sizeof content));
  g_assert_cmpint (g_remove (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_autofree char *home = g_dir_make_tmp ("yolov7-cache-XXXXXX", NULL);

  g_setenv ("XDG_CACHE_HOME", home, TRUE);
  g_unsetenv ("YV_CACHE");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cache/round-trip", what_was_written_is_read);
  g_test_add_func ("/cache/foreign", what_is_foreign_is_ignored_and_replaced);
  g_test_add_func ("/cache/corrupt", what_is_corrupt_is_ignored_and_replaced);
  g_test_add_func ("/cache/no-file", what_is_no_file_is_ignored);
  g_test_add_func ("/cache/large", what_is_too_large_is_not_kept);
  g_test_add_func ("/cache/off", it_can_be_turned_off);
  g_test_add_func ("/cache/folder", a_folder_that_cannot_be_made_is_no_error);
  const int status = g_test_run ();
  clear ();
  g_rmdir (home);
  return status;
}
