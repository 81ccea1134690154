/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/ptwrite.c - writes small checkpoints as torch.save does, whole or broken to order.
 */
#include "tests/common/ptwrite.h"

#include <stdbool.h>
#include <string.h>

#define FOLDER "tiny"
#define ALIGN_BYTES 64

typedef struct {
  YvDType dtype;
  uint64_t n_elems;
  GByteArray *bytes;
} Storage;

struct _YvPtWriter {
  GByteArray *ops;
  GArray *storages; /* Storage */
  bool for_torch;
};

static const struct {
  YvDType dtype;
  const char *storage;
} storage_classes[] = {
    {YV_DTYPE_F32, "FloatStorage"},     {YV_DTYPE_F16, "HalfStorage"},
    {YV_DTYPE_BF16, "BFloat16Storage"}, {YV_DTYPE_F64, "DoubleStorage"},
    {YV_DTYPE_U8, "ByteStorage"},       {YV_DTYPE_I8, "CharStorage"},
    {YV_DTYPE_I16, "ShortStorage"},     {YV_DTYPE_I32, "IntStorage"},
    {YV_DTYPE_I64, "LongStorage"},      {YV_DTYPE_BOOL, "BoolStorage"},
};

/* ---- bytes ---- */

static void
put_bytes (GByteArray *out, const void *bytes, size_t size_bytes)
{
  g_byte_array_append (out, bytes, (guint) size_bytes);
}

static void
put_number (GByteArray *out, uint64_t value, uint32_t n_bytes)
{
  for (uint32_t i = 0; i < n_bytes; i++) {
    const uint8_t byte = i < 8 ? (uint8_t) (value >> 8 * i) : 0;
    put_bytes (out, &byte, 1);
  }
}

static uint32_t
crc_of (const uint8_t *bytes, size_t size_bytes)
{
  uint32_t crc = ~0u;

  for (size_t i = 0; i < size_bytes; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

/* ---- the zip container ---- */

/* An entry as the central directory will describe it. */
typedef struct {
  const char *name;
  uint32_t crc;
  uint16_t flags, method;
  uint64_t offset, size_bytes;
} Row;

/* torch leaves the numbers of the local header zero and pads the extra field. */
static void
put_local_entry (GByteArray *out, const YvPtEntry *entry, const char *local_name)
{
  const size_t name_bytes = strlen (local_name);
  const size_t unpadded = out->len + 30 + name_bytes + 4;
  const size_t padding = (ALIGN_BYTES - unpadded % ALIGN_BYTES) % ALIGN_BYTES;

  put_bytes (out, "PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 26);
  put_number (out, name_bytes, 2);
  put_number (out, padding + 4, 2);
  put_bytes (out, local_name, name_bytes);
  put_bytes (out, "FB", 2);
  put_number (out, padding, 2);
  for (size_t i = 0; i < padding; i++)
    put_bytes (out, "Z", 1);
  put_bytes (out, entry->bytes, entry->size_bytes);
}

static void
put_data_descriptor (GByteArray *out, const Row *row)
{
  put_bytes (out, "PK\7\x08", 4);
  put_number (out, row->crc, 4);
  put_number (out, row->size_bytes, 4);
  put_number (out, row->size_bytes, 4);
}

/* What precedes the numbers of a row that does not fit 32 bits: another field, to be passed by. */
static void
put_zip64_extra (GByteArray *out, const Row *row)
{
  put_bytes (out, "FB\1\0Z", 5);
  put_number (out, 1, 2);
  put_number (out, 24, 2);
  put_number (out, row->size_bytes, 8);
  put_number (out, row->size_bytes, 8);
  put_number (out, row->offset, 8);
}

static void
put_row (GByteArray *out, const Row *row, bool zip64)
{
  put_bytes (out, "PK\1\2\0\0\0\0", 8);
  put_number (out, row->flags, 2);
  put_number (out, row->method, 2);
  put_number (out, 0, 4);
  put_number (out, row->crc, 4);
  put_number (out, zip64 ? UINT32_MAX : row->size_bytes, 4);
  put_number (out, zip64 ? UINT32_MAX : row->size_bytes, 4);
  put_number (out, strlen (row->name), 2);
  put_number (out, zip64 ? 5 + 4 + 24 : 0, 2);
  put_number (out, 0, 2 + 2 + 2 + 4);
  put_number (out, zip64 ? UINT32_MAX : row->offset, 4);
  put_bytes (out, row->name, strlen (row->name));
  if (zip64)
    put_zip64_extra (out, row);
}

static void
put_zip64_end (GByteArray *out, uint64_t n_rows, uint64_t size_bytes, uint64_t offset)
{
  const uint64_t end_offset = out->len;

  put_bytes (out, "PK\6\6", 4);
  put_number (out, 44, 8);
  put_number (out, 0, 2 + 2 + 4 + 4);
  put_number (out, n_rows, 8);
  put_number (out, n_rows, 8);
  put_number (out, size_bytes, 8);
  put_number (out, offset, 8);
  put_bytes (out, "PK\6\7", 4);
  put_number (out, 0, 4);
  put_number (out, end_offset, 8);
  put_number (out, 1, 4);
}

static void
put_end (GByteArray *out, uint64_t n_rows, uint64_t size_bytes, uint64_t offset, YvPtFault fault)
{
  if (fault == YV_PT_ZIP64_ONLY)
    n_rows = size_bytes = offset = UINT32_MAX;
  put_bytes (out, "PK\5\6", 4);
  put_number (out, fault == YV_PT_SPLIT, 2);
  put_number (out, 0, 2);
  put_number (out, n_rows, 2);
  put_number (out, n_rows, 2);
  put_number (out, size_bytes, 4);
  put_number (out, offset, 4);
  put_number (out, fault == YV_PT_TWO_ENDS ? 22 : 0, 2);
}

static void
put_directory (GByteArray *out, const Row *rows, uint32_t n_rows, YvPtFault fault)
{
  const uint64_t offset = out->len;

  for (uint32_t i = 0; i < n_rows; i++)
    put_row (out, &rows[i], fault == YV_PT_ZIP64_ROWS);

  const uint64_t size_bytes = out->len - offset;
  const uint64_t n_claimed = n_rows + (fault == YV_PT_MANY_ROWS) - (fault == YV_PT_FEW_ROWS);
  const bool classic_only = fault == YV_PT_NO_ZIP64 || fault == YV_PT_SPLIT;
  if (!classic_only)
    put_zip64_end (out, n_claimed, size_bytes, offset);
  put_end (out, n_claimed + (fault == YV_PT_ZIP64_DIFFERS), size_bytes, offset, fault);
  if (fault == YV_PT_TWO_ENDS)
    put_end (out, n_claimed, size_bytes, offset, YV_PT_INTACT);
}

/* Breaks the row of the last entry, for YV_PT_OVERLAP of the one before. */
static void
spoil_last (Row *rows, uint32_t n_rows, YvPtFault fault)
{
  Row *last = &rows[n_rows - 1];

  if (fault == YV_PT_WRONG_CRC)
    last->crc ^= 1;
  else if (fault == YV_PT_COMPRESSED)
    last->method = 8;
  else if (fault == YV_PT_ENCRYPTED)
    last->flags |= 1;
  else if (fault == YV_PT_TOO_LONG)
    last->size_bytes += 1 << 20;
  else if (fault == YV_PT_OVERLAP && n_rows > 1)
    last[-1].size_bytes += ALIGN_BYTES;
}

GBytes *
yv_ptwrite_zip (const YvPtEntry *entries, uint32_t n_entries, YvPtFault fault)
{
  GByteArray *out = g_byte_array_new ();
  g_autofree Row *rows = g_new0 (Row, n_entries);

  for (uint32_t i = 0; i < n_entries; i++) {
    const bool last = i == n_entries - 1;
    const char *name = last && fault == YV_PT_SAME_NAME ? entries[0].name : entries[i].name;
    rows[i] = (Row){
        .name = name,
        .flags = 0x0808,
        .crc = fault == YV_PT_NO_CRC ? 0 : crc_of (entries[i].bytes, entries[i].size_bytes),
        .offset = out->len,
        .size_bytes = entries[i].size_bytes,
    };
    put_local_entry (out, &entries[i], last && fault == YV_PT_OTHER_LOCAL_NAME ? "other" : name);
    put_data_descriptor (out, &rows[i]);
  }
  if (n_entries > 0)
    spoil_last (rows, n_entries, fault);
  put_directory (out, rows, n_entries, fault);
  return g_byte_array_free_to_bytes (out);
}

static void
add_entry (GArray *entries, GPtrArray *names, char *name, const void *bytes, size_t size_bytes)
{
  const YvPtEntry entry = {.name = name, .bytes = bytes, .size_bytes = size_bytes};

  g_ptr_array_add (names, name);
  g_array_append_val (entries, entry);
}

static GBytes *
finish_zip (YvPtWriter *writer, YvPtFault fault)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (YvPtEntry));
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *byte_order = fault == YV_PT_BIG_ENDIAN ? "big" : "little";

  if (fault == YV_PT_TRAILING_PICKLE)
    put_bytes (writer->ops, "N", 1);
  add_entry (entries, names, g_strdup (FOLDER "/data.pkl"), writer->ops->data, writer->ops->len);
  add_entry (entries, names, g_strdup (FOLDER "/byteorder"), byte_order, strlen (byte_order));
  if (fault == YV_PT_TORCHSCRIPT) {
    add_entry (entries, names, g_strdup (FOLDER "/code/__torch__.py"), "", 0);
    add_entry (entries, names, g_strdup (FOLDER "/constants.pkl"), "\x80\x02).", 4);
  }
  add_entry (entries, names, g_strdup (FOLDER "/version"), "3\n", 2);
  for (uint32_t i = 0; i < writer->storages->len; i++) {
    const Storage *storage = &g_array_index (writer->storages, Storage, i);
    const bool last = i == writer->storages->len - 1;
    if (last && fault == YV_PT_NO_STORAGE)
      continue;
    add_entry (entries, names, g_strdup_printf (FOLDER "/data/%u", i), storage->bytes->data,
               storage->bytes->len - (last && fault == YV_PT_SHORT_STORAGE));
  }
  return yv_ptwrite_zip ((const YvPtEntry *) (void *) entries->data, entries->len, fault);
}

/* ---- the legacy container ---- */

static void
put_legacy_preamble (GByteArray *out, bool little_endian)
{
  static const char magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  static const char version[] = "\x80\x02M\xe9\x03.";
  static const char machine[] = "\x80\x02}q\0(X\x10\0\0\0protocol_versionq\1M\xe9\3"
                                "X\x0d\0\0\0little_endianq\2";

  put_bytes (out, magic, sizeof magic - 1);
  put_bytes (out, version, sizeof version - 1);
  put_bytes (out, machine, sizeof machine - 1);
  put_bytes (out, little_endian ? "\x88u." : "\x89u.", 3);
}

static void
put_legacy_keys (GByteArray *out, uint32_t n_keys)
{
  put_bytes (out, "\x80\x02](", 4);
  for (uint32_t i = 0; i < n_keys; i++) {
    g_autofree char *key = g_strdup_printf ("%u", i);
    put_bytes (out, "X", 1);
    put_number (out, strlen (key), 4);
    put_bytes (out, key, strlen (key));
  }
  put_bytes (out, "e.", 2);
}

static GBytes *
finish_legacy (YvPtWriter *writer, YvPtFault fault)
{
  GByteArray *out = g_byte_array_new ();
  const uint32_t n_storages = writer->storages->len - (fault == YV_PT_NO_STORAGE);

  put_legacy_preamble (out, fault != YV_PT_BIG_ENDIAN);
  put_bytes (out, writer->ops->data, writer->ops->len);
  put_legacy_keys (out, n_storages);
  for (uint32_t i = 0; i < n_storages; i++) {
    const Storage *storage = &g_array_index (writer->storages, Storage, i);
    const bool shorten = i == n_storages - 1 && fault == YV_PT_SHORT_STORAGE;
    put_number (out, storage->n_elems, 8);
    put_bytes (out, storage->bytes->data, storage->bytes->len - shorten);
  }
  return g_byte_array_free_to_bytes (out);
}

/* ---- the pickle ---- */

static void
clear_storage (void *storage)
{
  g_byte_array_unref (((Storage *) storage)->bytes);
}

YvPtWriter *
yv_ptwriter_new (void)
{
  YvPtWriter *writer = g_new0 (YvPtWriter, 1);

  writer->ops = g_byte_array_new ();
  writer->storages = g_array_new (FALSE, FALSE, sizeof (Storage));
  g_array_set_clear_func (writer->storages, clear_storage);
  put_bytes (writer->ops, "\x80\x02", 2);
  return writer;
}

void
yv_ptwriter_free (YvPtWriter *writer)
{
  if (!writer)
    return;
  g_byte_array_unref (writer->ops);
  g_array_unref (writer->storages);
  g_free (writer);
}

void
yv_ptwriter_be_for_torch (YvPtWriter *writer)
{
  writer->for_torch = true;
}

void
yv_ptwriter_put_op (YvPtWriter *writer, uint8_t opcode)
{
  put_bytes (writer->ops, &opcode, 1);
}

void
yv_ptwriter_put_raw (YvPtWriter *writer, const void *bytes, size_t size_bytes)
{
  put_bytes (writer->ops, bytes, size_bytes);
}

void
yv_ptwriter_put_int (YvPtWriter *writer, int32_t value)
{
  yv_ptwriter_put_op (writer, 'J');
  put_number (writer->ops, (uint32_t) value, 4);
}

void
yv_ptwriter_put_float (YvPtWriter *writer, double value)
{
  uint64_t bits;

  memcpy (&bits, &value, sizeof bits);
  bits = GUINT64_SWAP_LE_BE (bits);
  yv_ptwriter_put_op (writer, 'G');
  put_number (writer->ops, bits, 8);
}

void
yv_ptwriter_put_string (YvPtWriter *writer, const char *text)
{
  yv_ptwriter_put_op (writer, 'X');
  put_number (writer->ops, strlen (text), 4);
  put_bytes (writer->ops, text, strlen (text));
}

void
yv_ptwriter_put_class (YvPtWriter *writer, const char *module, const char *name)
{
  g_autofree char *operand = g_strdup_printf ("c%s\n%s\n", module, name);

  put_bytes (writer->ops, operand, strlen (operand));
}

uint32_t
yv_ptwriter_add_storage (YvPtWriter *writer, YvDType dtype, const void *bytes, uint64_t n_elems)
{
  Storage storage = {.dtype = dtype, .n_elems = n_elems, .bytes = g_byte_array_new ()};

  put_bytes (storage.bytes, bytes, n_elems * yv_dtype_size_bytes (dtype));
  g_array_append_val (writer->storages, storage);
  return writer->storages->len - 1;
}

static const char *
storage_class (YvDType dtype)
{
  for (size_t i = 0; i < G_N_ELEMENTS (storage_classes); i++) {
    if (storage_classes[i].dtype == dtype)
      return storage_classes[i].storage;
  }
  g_assert_not_reached ();
}

/* BINPERSID of ('storage', class, key, 'cpu', n_elems, None); torch's zip has no last element. */
static void
put_storage_id (YvPtWriter *writer, uint32_t index)
{
  const Storage *storage = &g_array_index (writer->storages, Storage, index);
  g_autofree char *key = g_strdup_printf ("%u", index);

  yv_ptwriter_put_op (writer, '(');
  yv_ptwriter_put_string (writer, "storage");
  yv_ptwriter_put_class (writer, "torch", storage_class (storage->dtype));
  yv_ptwriter_put_string (writer, key);
  yv_ptwriter_put_string (writer, "cpu");
  yv_ptwriter_put_int (writer, (int32_t) storage->n_elems);
  if (!writer->for_torch)
    yv_ptwriter_put_op (writer, 'N');
  yv_ptwriter_put_raw (writer, "tQ", 2);
}

static void
put_dims (YvPtWriter *writer, const uint64_t *dims, uint32_t n_dims)
{
  yv_ptwriter_put_op (writer, '(');
  for (uint32_t i = 0; i < n_dims; i++)
    yv_ptwriter_put_int (writer, (int32_t) dims[i]);
  yv_ptwriter_put_op (writer, 't');
}

void
yv_ptwriter_put_view (YvPtWriter *writer, uint32_t storage, uint64_t offset, const YvTensor *view)
{
  yv_ptwriter_put_class (writer, "torch._utils", "_rebuild_tensor_v2");
  yv_ptwriter_put_op (writer, '(');
  put_storage_id (writer, storage);
  yv_ptwriter_put_int (writer, (int32_t) offset);
  put_dims (writer, view->shape, view->n_dims);
  put_dims (writer, view->stride_elems, view->n_dims);
  yv_ptwriter_put_op (writer, 0x89);
  yv_ptwriter_put_class (writer, "collections", "OrderedDict");
  yv_ptwriter_put_raw (writer, ")RtR", 4);
}

void
yv_ptwriter_put_tensor (YvPtWriter *writer, const YvTensor *tensor)
{
  const uint32_t storage =
      yv_ptwriter_add_storage (writer, tensor->dtype, tensor->data, yv_tensor_n_elems (tensor));
  YvTensor view = *tensor;
  uint64_t stride = 1;

  for (uint32_t i = view.n_dims; i-- > 0;) {
    view.stride_elems[i] = stride;
    stride *= view.shape[i];
  }
  yv_ptwriter_put_view (writer, storage, 0, &view);
}

void
yv_ptwriter_put_parameter (YvPtWriter *writer, const YvTensor *tensor)
{
  yv_ptwriter_put_class (writer, "torch._utils", "_rebuild_parameter");
  yv_ptwriter_put_tensor (writer, tensor);
  yv_ptwriter_put_op (writer, 0x88);
  yv_ptwriter_put_class (writer, "collections", "OrderedDict");
  yv_ptwriter_put_raw (writer, ")R\x87R", 4);
}

void
yv_ptwriter_put_state_dict (YvPtWriter *writer, const YvNamedTensor *tensors, uint32_t n_tensors)
{
  yv_ptwriter_put_class (writer, "collections", "OrderedDict");
  yv_ptwriter_put_raw (writer, ")R(", 3);
  for (uint32_t i = 0; i < n_tensors; i++) {
    yv_ptwriter_put_string (writer, tensors[i].name);
    yv_ptwriter_put_tensor (writer, &tensors[i].tensor);
  }
  yv_ptwriter_put_op (writer, 'u');
}

GBytes *
yv_ptwriter_finish (YvPtWriter *writer, YvPtContainer container, YvPtFault fault)
{
  yv_ptwriter_put_op (writer, '.');
  return container == YV_PT_ZIP ? finish_zip (writer, fault) : finish_legacy (writer, fault);
}
