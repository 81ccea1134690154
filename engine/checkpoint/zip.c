/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/zip.c - the entries of a zip archive. Numbers of fields and flags: PKWARE's
 * APPNOTE.TXT 6.3, sections 4.3 (records) and 4.5.3 (the zip64 extra field). */
#include "engine/checkpoint/zip.h"

#include <string.h>

#include "engine/error.h"

#define MAX_ENTRIES 100000

#define LOCAL_BYTES 30
#define CENTRAL_BYTES 46
#define END_BYTES 22
#define END64_BYTES 56
#define LOCATOR64_BYTES 20
#define MAX_COMMENT_BYTES 0xffff

#define ZIP64_EXTRA_ID 1
#define FLAG_ENCRYPTED 0x0001
#define FLAG_STRONG_ENCRYPTION 0x0040
#define FLAG_MASKED_HEADERS 0x2000

static const char local_magic[] = "PK\3\4";
static const char central_magic[] = "PK\1\2";
static const char end_magic[] = "PK\5\6";
static const char end64_magic[] = "PK\6\6";
static const char locator64_magic[] = "PK\6\7";

struct _YvZip {
  GArray *entries;     /* YvZipEntry */
  GHashTable *by_name; /* borrowed name -> index + 1 */
};

/* What the end records say. */
typedef struct {
  uint64_t n_entries;
  uint64_t offset_bytes; /* of the central directory */
  uint64_t size_bytes;
  uint64_t end_bytes; /* where the directory has to end: the first of the end records */
} Directory;

/* A row of the central directory. */
typedef struct {
  uint16_t flags, method, disk;
  uint32_t crc;
  uint64_t packed_bytes, size_bytes, local_offset;
  YvSpan name;
} Row;

/* Where an entry lies, to prove that no two overlap. */
typedef struct {
  uint64_t first, end;
  const char *name; /* borrowed: the entry's */
} Extent;

/* Set as the whole error of a structure that is broken. */
#define malformed(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

static uint16_t
u16_at (YvSpan record, size_t offset)
{
  return (uint16_t) (record.data[offset] | record.data[offset + 1] << 8);
}

static uint32_t
u32_at (YvSpan record, size_t offset)
{
  return (uint32_t) u16_at (record, offset) | (uint32_t) u16_at (record, offset + 2) << 16;
}

static uint64_t
u64_at (YvSpan record, size_t offset)
{
  return (uint64_t) u32_at (record, offset) | (uint64_t) u32_at (record, offset + 4) << 32;
}

/* The end record is the only one without a fixed place: a comment of any length follows it. */
static bool
find_end (YvSpan file, YvSpan *record, uint64_t *offset_bytes, GError **error)
{
  uint32_t n_found = 0;

  for (uint64_t comment_bytes = 0; comment_bytes <= MAX_COMMENT_BYTES; comment_bytes++) {
    YvSpan candidate;
    if (comment_bytes + END_BYTES > file.size_bytes)
      break;
    const uint64_t offset = file.size_bytes - comment_bytes - END_BYTES;
    if (!yv_span_slice (file, offset, END_BYTES, &candidate) ||
        !yv_span_starts_with (candidate, end_magic, 4) || u16_at (candidate, 20) != comment_bytes)
      continue;
    *record = candidate;
    *offset_bytes = offset;
    n_found++;
  }
  if (n_found == 0)
    malformed (error,
               "the zip archive has no end record: the file is cut off, as by an incomplete copy "
               "or download (%" G_GSIZE_FORMAT " bytes are there); fetch it again",
               file.size_bytes);
  else if (n_found > 1)
    malformed (error, "the zip archive has %u end records, expected one", n_found);
  return n_found == 1;
}

/* A field of the classic record holds either the value or, all bits set, a hint at zip64. */
static bool
merge_field (const char *what, uint64_t classic, uint64_t unset, uint64_t zip64, GError **error)
{
  if (classic == unset || classic == zip64)
    return true;
  malformed (error,
             "the zip archive contradicts itself: its %s is %" G_GUINT64_FORMAT
             " in the end record and %" G_GUINT64_FORMAT " in the zip64 end record",
             what, classic, zip64);
  return false;
}

static bool
read_end64 (YvSpan file, YvSpan end, uint64_t locator_offset, Directory *dir, GError **error)
{
  YvSpan locator, end64;

  if (!yv_span_slice (file, locator_offset, LOCATOR64_BYTES, &locator) ||
      !yv_span_slice (file, u64_at (locator, 8), END64_BYTES, &end64) ||
      !yv_span_starts_with (end64, end64_magic, 4)) {
    malformed (error, "the zip archive's zip64 end record is not where its locator says");
    return false;
  }
  if (u32_at (locator, 4) != 0 || u32_at (locator, 16) > 1 || u32_at (end64, 16) != 0 ||
      u32_at (end64, 20) != 0 || u64_at (end64, 24) != u64_at (end64, 32)) {
    malformed (error, "the zip archive is one part of several");
    return false;
  }
  dir->n_entries = u64_at (end64, 32);
  dir->size_bytes = u64_at (end64, 40);
  dir->offset_bytes = u64_at (end64, 48);
  dir->end_bytes = u64_at (locator, 8);
  return merge_field ("number of entries", u16_at (end, 10), 0xffff, dir->n_entries, error) &&
         merge_field ("directory size", u32_at (end, 12), 0xffffffff, dir->size_bytes, error) &&
         merge_field ("directory offset", u32_at (end, 16), 0xffffffff, dir->offset_bytes, error);
}

static bool
read_end_records (YvSpan file, Directory *dir, GError **error)
{
  YvSpan end = {0}, locator;
  uint64_t end_offset;

  if (!find_end (file, &end, &end_offset, error))
    return false;
  if (end_offset >= LOCATOR64_BYTES &&
      yv_span_slice (file, end_offset - LOCATOR64_BYTES, LOCATOR64_BYTES, &locator) &&
      yv_span_starts_with (locator, locator64_magic, 4))
    return read_end64 (file, end, end_offset - LOCATOR64_BYTES, dir, error);

  if (u16_at (end, 4) != 0 || u16_at (end, 6) != 0 || u16_at (end, 8) != u16_at (end, 10)) {
    malformed (error, "the zip archive is one part of several");
    return false;
  }
  dir->n_entries = u16_at (end, 10);
  dir->size_bytes = u32_at (end, 12);
  dir->offset_bytes = u32_at (end, 16);
  dir->end_bytes = end_offset;
  return true;
}

static bool
find_directory (YvSpan file, YvSpan *directory, Directory *dir, GError **error)
{
  if (!read_end_records (file, dir, error))
    return false;
  if (dir->n_entries > MAX_ENTRIES) {
    malformed (error, "the zip archive claims %" G_GUINT64_FORMAT " entries, the limit is %d",
               dir->n_entries, MAX_ENTRIES);
    return false;
  }
  if (!yv_span_slice (file, dir->offset_bytes, dir->size_bytes, directory) ||
      dir->offset_bytes + dir->size_bytes != dir->end_bytes) {
    malformed (error,
               "the zip archive's directory is said to be %" G_GUINT64_FORMAT
               " bytes at %" G_GUINT64_FORMAT ", expected to end at %" G_GUINT64_FORMAT,
               dir->size_bytes, dir->offset_bytes, dir->end_bytes);
    return false;
  }
  return true;
}

/* The zip64 extra field holds, in this order, those of the values that did not fit. */
static bool
read_zip64_extra (YvSpan extra, Row *row)
{
  uint64_t *const fields[] = {&row->size_bytes, &row->packed_bytes, &row->local_offset};
  YvSpan body = {0};

  while (extra.size_bytes) {
    uint16_t id, size_bytes;
    if (!yv_span_take_u16 (&extra, &id) || !yv_span_take_u16 (&extra, &size_bytes) ||
        !yv_span_take (&extra, size_bytes, &body))
      return false;
    if (id == ZIP64_EXTRA_ID)
      break;
    body.size_bytes = 0;
  }
  for (uint32_t i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (*fields[i] == 0xffffffff && !yv_span_take_u64 (&body, fields[i]))
      return false;
  }
  return true;
}

static bool
read_row (YvSpan *directory, Row *row)
{
  YvSpan fixed, extra;

  if (!yv_span_take (directory, CENTRAL_BYTES, &fixed) ||
      !yv_span_starts_with (fixed, central_magic, 4))
    return false;
  row->flags = u16_at (fixed, 8);
  row->method = u16_at (fixed, 10);
  row->crc = u32_at (fixed, 16);
  row->packed_bytes = u32_at (fixed, 20);
  row->size_bytes = u32_at (fixed, 24);
  row->disk = u16_at (fixed, 34);
  row->local_offset = u32_at (fixed, 42);
  return yv_span_take (directory, u16_at (fixed, 28), &row->name) &&
         yv_span_take (directory, u16_at (fixed, 30), &extra) &&
         yv_span_skip (directory, u16_at (fixed, 32)) && read_zip64_extra (extra, row);
}

static bool
is_packed (const Row *row)
{
  const uint16_t encrypted = FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED_HEADERS;

  return row->method != 0 || row->flags & encrypted;
}

static bool
check_row (const Row *row, const char *name, GError **error)
{
  if (!is_packed (row) && row->packed_bytes != row->size_bytes) {
    malformed (error,
               "entry '%s' is stored but %" G_GUINT64_FORMAT " bytes packed and %" G_GUINT64_FORMAT
               " unpacked",
               name, row->packed_bytes, row->size_bytes);
    return false;
  }
  if (row->disk != 0) {
    malformed (error, "entry '%s' is on another part of a split archive", name);
    return false;
  }
  return true;
}

/* The bytes of an entry begin behind its local header, whose name must be the directory's and whose
 * extra field torch pads to align them. */
static bool
find_bytes (YvSpan before_directory, const Row *row, const char *name, YvSpan *bytes,
            GError **error)
{
  YvSpan rest = before_directory, header, local_name;

  if (!yv_span_skip (&rest, row->local_offset) || !yv_span_take (&rest, LOCAL_BYTES, &header) ||
      !yv_span_starts_with (header, local_magic, 4) ||
      !yv_span_take (&rest, u16_at (header, 26), &local_name) ||
      !yv_span_skip (&rest, u16_at (header, 28))) {
    malformed (error, "entry '%s' has no local header at byte %" G_GUINT64_FORMAT, name,
               row->local_offset);
    return false;
  }
  if (local_name.size_bytes != row->name.size_bytes ||
      !yv_span_starts_with (local_name, row->name.data, row->name.size_bytes)) {
    malformed (error, "entry '%s' has another name in its local header", name);
    return false;
  }
  if (!yv_span_take (&rest, row->packed_bytes, bytes)) {
    malformed (error,
               "entry '%s' is said to be %" G_GUINT64_FORMAT " bytes, %" G_GSIZE_FORMAT
               " are left of the file",
               name, row->packed_bytes, rest.size_bytes);
    return false;
  }
  return true;
}

static char *
read_name (YvSpan name, GError **error)
{
  if (name.size_bytes == 0 ||
      !g_utf8_validate ((const char *) name.data, (gssize) name.size_bytes, NULL)) {
    malformed (error, "the zip archive has an entry whose name is empty or not UTF-8");
    return NULL;
  }
  return g_strndup ((const char *) name.data, name.size_bytes);
}

static bool
add_entry (YvZip *zip, YvSpan before_directory, const Row *row, GArray *extents, GError **error)
{
  g_autofree char *name = read_name (row->name, error);
  YvZipEntry entry = {.crc = row->crc, .is_packed = is_packed (row)};

  if (!name || !check_row (row, name, error) ||
      !find_bytes (before_directory, row, name, &entry.bytes, error))
    return false;
  if (g_hash_table_contains (zip->by_name, name)) {
    malformed (error, "the zip archive has two entries named '%s'", name);
    return false;
  }

  const Extent extent = {
      .first = row->local_offset,
      .end = (uint64_t) (entry.bytes.data - before_directory.data) + entry.bytes.size_bytes,
      .name = name,
  };
  g_array_append_val (extents, extent);
  entry.name = g_steal_pointer (&name);
  g_array_append_val (zip->entries, entry);
  g_hash_table_insert (zip->by_name, entry.name, GUINT_TO_POINTER (zip->entries->len));
  return true;
}

static int
compare_extents (const void *a, const void *b)
{
  const Extent *x = a, *y = b;

  return (x->first > y->first) - (x->first < y->first);
}

static bool
check_no_overlap (GArray *extents, GError **error)
{
  g_array_sort (extents, compare_extents);
  for (uint32_t i = 1; i < extents->len; i++) {
    const Extent *before = &g_array_index (extents, Extent, i - 1);
    const Extent *after = &g_array_index (extents, Extent, i);
    if (after->first < before->end) {
      malformed (error, "entries '%s' and '%s' of the zip archive overlap", before->name,
                 after->name);
      return false;
    }
  }
  return true;
}

static void
clear_entry (void *entry)
{
  g_free (((YvZipEntry *) entry)->name);
}

YvZip *
yv_zip_new (YvSpan file, GError **error)
{
  Directory dir = {0};
  YvSpan rows = {0}, before_directory;

  if (!find_directory (file, &rows, &dir, error) ||
      !yv_span_slice (file, 0, dir.offset_bytes, &before_directory))
    return NULL;

  g_autoptr (YvZip) zip = g_new0 (YvZip, 1);
  zip->entries = g_array_new (FALSE, FALSE, sizeof (YvZipEntry));
  g_array_set_clear_func (zip->entries, clear_entry);
  zip->by_name = g_hash_table_new (g_str_hash, g_str_equal);

  g_autoptr (GArray) extents = g_array_new (FALSE, FALSE, sizeof (Extent));
  for (uint64_t i = 0; i < dir.n_entries; i++) {
    Row row;
    if (!read_row (&rows, &row)) {
      malformed (error,
                 "row %" G_GUINT64_FORMAT " of the zip archive's directory is damaged; its end "
                 "record claims %" G_GUINT64_FORMAT " rows",
                 i, dir.n_entries);
      return NULL;
    }
    if (!add_entry (zip, before_directory, &row, extents, error))
      return NULL;
  }
  if (rows.size_bytes != 0) {
    malformed (error, "%" G_GSIZE_FORMAT " bytes follow the last row of the zip's directory",
               rows.size_bytes);
    return NULL;
  }
  return check_no_overlap (extents, error) ? g_steal_pointer (&zip) : NULL;
}

void
yv_zip_free (YvZip *zip)
{
  if (!zip)
    return;
  g_clear_pointer (&zip->by_name, g_hash_table_unref);
  g_clear_pointer (&zip->entries, g_array_unref);
  g_free (zip);
}

uint32_t
yv_zip_n_entries (const YvZip *zip)
{
  return zip->entries->len;
}

const YvZipEntry *
yv_zip_entry (const YvZip *zip, uint32_t index)
{
  g_assert (index < zip->entries->len);
  return &g_array_index (zip->entries, YvZipEntry, index);
}

const YvZipEntry *
yv_zip_find (const YvZip *zip, const char *name)
{
  const uint32_t place = GPOINTER_TO_UINT (g_hash_table_lookup (zip->by_name, name));

  return place ? yv_zip_entry (zip, place - 1) : NULL;
}
