/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-zip.c - engine/checkpoint/zip.h: intact archives and every way to break one. */
#include "engine/checkpoint/zip.h"

#include <string.h>

#include "engine/checkpoint/crc.h"
#include "engine/error.h"
#include "tests/common/ptwrite.h"

static const YvPtEntry entries[] = {
    {"tiny/first", "one", 3},
    {"tiny/empty", "", 0},
    {"tiny/last", "three", 5},
};

static YvZip *
open_bytes (GBytes *bytes, GError **error)
{
  YvSpan file;

  file.data = g_bytes_get_data (bytes, &file.size_bytes);
  return yv_zip_new (file, error);
}

static void
assert_refused (GBytes *bytes, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvZip) zip = open_bytes (bytes, &error);

  g_assert_null (zip);
  g_assert_error (error, YV_ERROR, code);
  if (!strstr (error->message, text))
    g_error ("'%s' does not say '%s'", error->message, text);
}

/* A copy with @n_bytes bytes at @offset replaced; negative offsets count from the end. */
static GBytes *
patch (GBytes *bytes, gssize offset, const void *patched, size_t n_bytes)
{
  size_t size_bytes;
  const uint8_t *data = g_bytes_get_data (bytes, &size_bytes);
  uint8_t *copy = g_memdup2 (data, size_bytes);

  memcpy (copy + (offset < 0 ? (gssize) size_bytes + offset : offset), patched, n_bytes);
  return g_bytes_new_take (copy, size_bytes);
}

static void
entries_are_found_where_they_lie (void)
{
  const YvPtFault valid[] = {YV_PT_INTACT,     YV_PT_NO_ZIP64, YV_PT_ZIP64_ONLY,
                             YV_PT_ZIP64_ROWS, YV_PT_NO_CRC,   YV_PT_WRONG_CRC};

  for (size_t i = 0; i < G_N_ELEMENTS (valid); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) bytes = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), valid[i]);
    g_autoptr (YvZip) zip = open_bytes (bytes, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (yv_zip_n_entries (zip), ==, G_N_ELEMENTS (entries));
    for (uint32_t k = 0; k < G_N_ELEMENTS (entries); k++) {
      const YvZipEntry *entry = yv_zip_find (zip, entries[k].name);
      g_assert_true (entry == yv_zip_entry (zip, k));
      g_assert_cmpmem (entry->bytes.data, entry->bytes.size_bytes, entries[k].bytes,
                       entries[k].size_bytes);
    }
    g_assert_null (yv_zip_find (zip, "first"));
  }
}

static void
packed_entries_are_marked (void)
{
  const YvPtFault kinds[] = {YV_PT_COMPRESSED, YV_PT_ENCRYPTED};

  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) bytes = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), kinds[i]);
    g_autoptr (YvZip) zip = open_bytes (bytes, &error);
    g_assert_no_error (error);
    g_assert_false (yv_zip_entry (zip, 0)->is_packed);
    g_assert_true (yv_zip_entry (zip, 2)->is_packed);
  }
}

static void
an_archive_without_entries_is_one (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = yv_ptwrite_zip (NULL, 0, YV_PT_INTACT);
  g_autoptr (YvZip) zip = open_bytes (bytes, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (yv_zip_n_entries (zip), ==, 0);
}

static void
every_fault_is_told_by_name (void)
{
  static const struct {
    YvPtFault fault;
    int code;
    const char *text;
  } rows[] = {
      {YV_PT_ZIP64_DIFFERS, YV_ERROR_MALFORMED,
       "number of entries is 4 in the end record and 3 in the zip64 end record"},
      {YV_PT_TWO_ENDS, YV_ERROR_MALFORMED, "2 end records"},
      {YV_PT_SPLIT, YV_ERROR_MALFORMED, "one part of several"},
      {YV_PT_SAME_NAME, YV_ERROR_MALFORMED, "two entries named 'tiny/first'"},
      {YV_PT_OVERLAP, YV_ERROR_MALFORMED,
       "'tiny/empty' and 'tiny/last' of the zip archive overlap"},
      {YV_PT_OTHER_LOCAL_NAME, YV_ERROR_MALFORMED, "'tiny/last' has another name in its local"},
      {YV_PT_TOO_LONG, YV_ERROR_MALFORMED, "'tiny/last' is said to be 1048581 bytes"},
      {YV_PT_FEW_ROWS, YV_ERROR_MALFORMED, "bytes follow the last row of the zip's directory"},
      {YV_PT_MANY_ROWS, YV_ERROR_MALFORMED, "row 3 of the zip archive's directory"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) bytes = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), rows[i].fault);
    assert_refused (bytes, rows[i].code, rows[i].text);
  }
}

/* The extra field of the last row claims to be longer than it is, or holds too few numbers. */
static void
damaged_zip64_rows_are_refused (void)
{
  g_autoptr (GBytes) intact = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), YV_PT_ZIP64_ROWS);
  const gssize extra_offset = -22 - 20 - 56 - 33;
  g_autoptr (GBytes) long_field = patch (intact, extra_offset + 7, "\x19", 1);
  g_autoptr (GBytes) other_field = patch (intact, extra_offset + 5, "\x02", 1);
  g_autoptr (GBytes) short_field = patch (intact, extra_offset + 7, "\x17", 1);

  assert_refused (long_field, YV_ERROR_MALFORMED, "row 2 of the zip archive's directory");
  assert_refused (other_field, YV_ERROR_MALFORMED, "row 2 of the zip archive's directory");
  assert_refused (short_field, YV_ERROR_MALFORMED, "row 2 of the zip archive's directory");
}

static void
damaged_end_records_are_refused (void)
{
  /* From the end: 22 bytes of end record, 20 of locator, 56 of zip64 end record. */
  static const struct {
    gssize offset;
    const char *patched;
    const char *text;
  } rows[] = {
      {-22 - 12, "\xff\xff", "not where its locator says"},
      {-22 - 20 - 56, "XX", "not where its locator says"},
      {-22 - 4, "\x02", "one part of several"},
      {-22 - 20 - 56 + 24, "\x09", "one part of several"},
      {-6, "\x01", "directory offset is"},
      {-10, "\x01", "directory size is"},
      {-22 - 20 - 56 + 34, "\xff", "the limit is 100000"},
  };
  g_autoptr (GBytes) intact = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), YV_PT_ZIP64_ONLY);
  g_autoptr (GBytes) classic = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), YV_PT_INTACT);

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    const bool in_classic = rows[i].offset > -22;
    GBytes *from = in_classic ? classic : intact;
    g_autoptr (GBytes) first =
        patch (from, rows[i].offset, rows[i].patched, strlen (rows[i].patched));
    /* The limit on entries is met only where both counts of the record agree. */
    g_autoptr (GBytes) bytes = rows[i].offset == -22 - 20 - 56 + 34
                                   ? patch (first, rows[i].offset - 8, rows[i].patched, 1)
                                   : g_bytes_ref (first);
    assert_refused (bytes, YV_ERROR_MALFORMED, rows[i].text);
  }
}

static void
a_directory_that_ends_elsewhere_is_refused (void)
{
  g_autoptr (GBytes) intact = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), YV_PT_NO_ZIP64);
  size_t size_bytes;
  const uint8_t *data = g_bytes_get_data (intact, &size_bytes);
  /* One byte between the directory and the end record. */
  g_autoptr (GByteArray) out = g_byte_array_new ();

  g_byte_array_append (out, data, (guint) size_bytes - 22);
  g_byte_array_append (out, (const uint8_t *) "x", 1);
  g_byte_array_append (out, data + size_bytes - 22, 22);
  g_autoptr (GBytes) bytes = g_bytes_new (out->data, out->len);
  assert_refused (bytes, YV_ERROR_MALFORMED, "expected to end at");
}

static void
no_prefix_of_an_archive_is_one (void)
{
  const YvPtFault kinds[] = {YV_PT_INTACT, YV_PT_NO_ZIP64};

  for (size_t kind = 0; kind < G_N_ELEMENTS (kinds); kind++) {
    g_autoptr (GBytes) whole = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), kinds[kind]);
    for (size_t n = 0; n < g_bytes_get_size (whole); n++) {
      /* A copy, so that a sanitizer sees a read past the end. */
      g_autoptr (GBytes) prefix = g_bytes_new (g_bytes_get_data (whole, NULL), n);
      assert_refused (prefix, YV_ERROR_MALFORMED, "");
    }
  }
}

/* Any single damaged byte of the records must give an error or the same number of entries. */
static void
no_flipped_byte_crashes (void)
{
  g_autoptr (GBytes) whole = yv_ptwrite_zip (entries, G_N_ELEMENTS (entries), YV_PT_INTACT);

  for (size_t i = 0; i < g_bytes_get_size (whole); i++) {
    for (int bit = 0; bit < 8; bit++) {
      const uint8_t flipped =
          (uint8_t) (((const uint8_t *) g_bytes_get_data (whole, NULL))[i] ^ 1 << bit);
      g_autoptr (GBytes) bytes = patch (whole, (gssize) i, &flipped, 1);
      g_autoptr (GError) error = NULL;
      g_autoptr (YvZip) zip = open_bytes (bytes, &error);
      g_assert_true ((zip == NULL) == (error != NULL));
      if (zip)
        g_assert_cmpuint (yv_zip_n_entries (zip), ==, G_N_ELEMENTS (entries));
    }
  }
}

static void
the_checksum_is_that_of_zip (void)
{
  static const char long_text[] = "The quick brown fox jumps over the lazy dog";
  YvCrc crc;

  yv_crc_init (&crc);
  g_assert_cmphex (yv_crc_of (&crc, (YvSpan){(const uint8_t *) "123456789", 9}), ==, 0xcbf43926);
  g_assert_cmphex (yv_crc_of (&crc, (YvSpan){(const uint8_t *) long_text, sizeof long_text - 1}),
                   ==, 0x414fa339);
  g_assert_cmphex (yv_crc_of (&crc, (YvSpan){0}), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/zip/entries", entries_are_found_where_they_lie);
  g_test_add_func ("/zip/packed", packed_entries_are_marked);
  g_test_add_func ("/zip/no-entries", an_archive_without_entries_is_one);
  g_test_add_func ("/zip/faults", every_fault_is_told_by_name);
  g_test_add_func ("/zip/zip64-rows", damaged_zip64_rows_are_refused);
  g_test_add_func ("/zip/end-records", damaged_end_records_are_refused);
  g_test_add_func ("/zip/directory-end", a_directory_that_ends_elsewhere_is_refused);
  g_test_add_func ("/zip/prefixes", no_prefix_of_an_archive_is_one);
  g_test_add_func ("/zip/flips", no_flipped_byte_crashes);
  g_test_add_func ("/zip/checksum", the_checksum_is_that_of_zip);
  return g_test_run ();
}
