/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/safetensors.c - the safetensors container: a JSON header, then all tensors. */
#include "engine/checkpoint/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "common/json.h"
#include "engine/error.h"

#define LENGTH_BYTES 8
#define ALIGN_BYTES 8
/* Real ones have some 100 bytes a tensor; json-glib takes some 0.8 s and 80 MB for 2 MB. */
#define MAX_HEADER_BYTES ((uint64_t) 2 << 20)
#define MAX_HEADER_DEPTH 4 /* name, description, list */
#define METADATA_KEY "__metadata__"

#define malformed(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

static const struct {
  const char *name;
  YvDType dtype;
} dtypes[] = {
    {"F16", YV_DTYPE_F16}, {"F32", YV_DTYPE_F32},   {"BF16", YV_DTYPE_BF16}, {"F64", YV_DTYPE_F64},
    {"I64", YV_DTYPE_I64}, {"I32", YV_DTYPE_I32},   {"I16", YV_DTYPE_I16},   {"I8", YV_DTYPE_I8},
    {"U8", YV_DTYPE_U8},   {"BOOL", YV_DTYPE_BOOL},
};

/* Where the bytes of a tensor lie behind the header. */
typedef struct {
  uint64_t begin, end;
  const char *name; /* borrowed: the pool's */
} Extent;

/* ---- reading ---- */

bool
yv_safetensors_matches (YvSpan file)
{
  uint64_t header_bytes;

  return yv_span_take_u64 (&file, &header_bytes) && file.size_bytes > 0 && file.data[0] == '{' &&
         header_bytes < UINT32_MAX;
}

static JsonParser *
parse_header (YvSpan json, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) reason = NULL;

  if (!yv_json_check ((const char *) json.data, json.size_bytes, MAX_HEADER_DEPTH, error)) {
    g_prefix_error (error, "the safetensors header ");
    return NULL;
  }
  if (!json_parser_load_from_data (parser, (const char *) json.data, (gssize) json.size_bytes,
                                   &reason)) {
    g_autofree char *why = g_utf8_make_valid (reason->message, -1); /* it cuts what it cites */
    malformed (error, "the safetensors header is not JSON: %s", why);
    return NULL;
  }
  if (!json_parser_get_root (parser) || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser))) {
    malformed (error, "the safetensors header is no JSON object");
    return NULL;
  }
  return g_steal_pointer (&parser);
}

static bool
read_unsigned (JsonNode *node, uint64_t *out)
{
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64 ||
      json_node_get_int (node) < 0)
    return false;
  *out = (uint64_t) json_node_get_int (node);
  return true;
}

/* The unsigned integers of the list under @key, at most @max_values. */
static bool
read_list (JsonObject *object, const char *key, uint64_t *values, uint32_t max_values,
           uint32_t *n_values)
{
  JsonNode *node = json_object_get_member (object, key);

  if (!node || !JSON_NODE_HOLDS_ARRAY (node))
    return false;
  JsonArray *array = json_node_get_array (node);
  *n_values = json_array_get_length (array);
  if (*n_values > max_values)
    return false;
  for (uint32_t i = 0; i < *n_values; i++) {
    if (!read_unsigned (json_array_get_element (array, i), &values[i]))
      return false;
  }
  return true;
}

static bool
read_dtype (JsonObject *object, const char *name, YvDType *out, GError **error)
{
  JsonNode *node = json_object_get_member (object, "dtype");
  const char *text = node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;

  for (size_t i = 0; text && i < G_N_ELEMENTS (dtypes); i++) {
    if (strcmp (text, dtypes[i].name) == 0) {
      *out = dtypes[i].dtype;
      return true;
    }
  }
  if (text)
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "tensor '%s' has the element type '%s', expected F16, F32, BF16, F64, a signed "
                 "integer type, U8 or BOOL",
                 name, text);
  else
    malformed (error, "tensor '%s' has no element type", name);
  return false;
}

/* Row-major strides, and the size in bytes; false where it does not fit 64 bits. */
static bool
lay_out (YvTensor *tensor, uint64_t *size_bytes)
{
  uint64_t n_elems = 1;

  for (uint32_t i = tensor->n_dims; i-- > 0;) {
    tensor->stride_elems[i] = n_elems;
    if (!g_uint64_checked_mul (&n_elems, n_elems, tensor->shape[i]))
      return false;
  }
  return g_uint64_checked_mul (size_bytes, n_elems, yv_dtype_size_bytes (tensor->dtype));
}

static bool
read_tensor (JsonNode *node, YvSpan data, YvTensor *tensor, Extent *extent, GError **error)
{
  uint64_t offsets[2], size_bytes;
  uint32_t n_offsets = 0;
  YvSpan bytes;

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    malformed (error, "tensor '%s' is not described by an object", extent->name);
    return false;
  }
  JsonObject *object = json_node_get_object (node);
  if (!read_dtype (object, extent->name, &tensor->dtype, error))
    return false;
  if (!read_list (object, "shape", tensor->shape, YV_MAX_DIMS, &tensor->n_dims) ||
      !read_list (object, "data_offsets", offsets, 2, &n_offsets) || n_offsets != 2 ||
      !lay_out (tensor, &size_bytes)) {
    malformed (error,
               "tensor '%s' has no shape of at most %d sizes, or no data_offsets of two numbers",
               extent->name, YV_MAX_DIMS);
    return false;
  }
  if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != size_bytes) {
    g_autofree char *shape = yv_tensor_shape_to_string (tensor);
    malformed (error,
               "tensor '%s' of shape %s lies at [%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT
               "), expected %" G_GUINT64_FORMAT " bytes",
               extent->name, shape, offsets[0], offsets[1], size_bytes);
    return false;
  }
  if (!yv_span_slice (data, offsets[0], size_bytes, &bytes)) {
    malformed (error,
               "tensor '%s' ends at byte %" G_GUINT64_FORMAT
               " of the data, the file has %" G_GSIZE_FORMAT
               " there: it is cut off; fetch it again",
               extent->name, offsets[1], data.size_bytes);
    return false;
  }
  tensor->data = bytes.data;
  extent->begin = offsets[0];
  extent->end = offsets[1];
  return true;
}

static int
compare_extents (const void *a, const void *b)
{
  const Extent *x = a, *y = b;

  if (x->begin != y->begin)
    return (x->begin > y->begin) - (x->begin < y->begin);
  return (x->end > y->end) - (x->end < y->end);
}

static bool
check_cover (GArray *extents, uint64_t size_bytes, GError **error)
{
  uint64_t covered = 0;

  g_array_sort (extents, compare_extents);
  for (uint32_t i = 0; i < extents->len; i++) {
    const Extent *extent = &g_array_index (extents, Extent, i);
    if (extent->begin != covered) {
      malformed (error,
                 "tensor '%s' begins at byte %" G_GUINT64_FORMAT
                 " of the data, expected %" G_GUINT64_FORMAT ", where the one before it ends",
                 extent->name, extent->begin, covered);
      return false;
    }
    covered = extent->end;
  }
  if (covered == size_bytes)
    return true;
  malformed (error,
             "the tensors end at byte %" G_GUINT64_FORMAT " of the data, of which there are "
             "%" G_GUINT64_FORMAT,
             covered, size_bytes);
  return false;
}

static YvObject *
read_tensors (JsonObject *header, YvSpan data, YvPool *pool, GError **error)
{
  YvObject *dict = yv_pool_object (pool, YV_OBJECT_DICT);
  g_autoptr (GArray) extents = g_array_new (FALSE, FALSE, sizeof (Extent));
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, header);
  while (json_object_iter_next_ordered (&iter, &name, &node)) {
    if (strcmp (name, METADATA_KEY) == 0)
      continue;
    YvObject *key = yv_pool_string (pool, name, strlen (name));
    YvObject *value = yv_pool_object (pool, YV_OBJECT_TENSOR);
    Extent extent = {.name = key->string.text};
    if (!read_tensor (node, data, &value->tensor, &extent, error))
      return NULL;
    g_array_append_val (extents, extent);
    yv_pool_append (pool, dict, key);
    yv_pool_append (pool, dict, value);
  }
  return check_cover (extents, data.size_bytes, error) ? dict : NULL;
}

const YvObject *
yv_safetensors_read (YvSpan file, YvPool *pool, GError **error)
{
  YvSpan data = file, json;
  uint64_t header_bytes = 0;

  if (!yv_span_take_u64 (&data, &header_bytes) || header_bytes > MAX_HEADER_BYTES) {
    malformed (error,
               "the safetensors header is said to be %" G_GUINT64_FORMAT
               " bytes, the limit is %" G_GUINT64_FORMAT,
               header_bytes, MAX_HEADER_BYTES);
    return NULL;
  }
  if (!yv_span_take (&data, header_bytes, &json)) {
    malformed (error,
               "the safetensors header is said to be %" G_GUINT64_FORMAT " bytes, %" G_GSIZE_FORMAT
               " follow: the file is cut off; fetch it again",
               header_bytes, data.size_bytes);
    return NULL;
  }
  g_autoptr (JsonParser) parser = parse_header (json, error);
  return parser ? read_tensors (json_node_get_object (json_parser_get_root (parser)), data, pool,
                                error)
                : NULL;
}

/* ---- writing ---- */

static const char *
dtype_name (YvDType dtype)
{
  for (size_t i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    if (dtypes[i].dtype == dtype)
      return dtypes[i].name;
  }
  g_assert_not_reached ();
}

static uint64_t
tensor_bytes (const YvTensor *tensor)
{
  return yv_tensor_n_elems (tensor) * yv_dtype_size_bytes (tensor->dtype);
}

static void
append_quoted (GString *json, const char *text)
{
  g_string_append_c (json, '"');
  for (const char *p = text; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c (json, '\\');
    if ((unsigned char) *p < 0x20)
      g_string_append_printf (json, "\\u%04x", *p);
    else
      g_string_append_c (json, *p);
  }
  g_string_append_c (json, '"');
}

static GString *
make_header (const YvNamedTensor *tensors, uint32_t n_tensors)
{
  GString *json = g_string_new ("{");
  uint64_t offset = 0;

  for (uint32_t i = 0; i < n_tensors; i++) {
    const YvTensor *tensor = &tensors[i].tensor;
    g_autofree char *shape = yv_tensor_shape_to_string (tensor);
    const uint64_t end = offset + tensor_bytes (tensor);
    if (i > 0)
      g_string_append_c (json, ',');
    append_quoted (json, tensors[i].name);
    g_string_append_printf (json,
                            ":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%" G_GUINT64_FORMAT
                            ",%" G_GUINT64_FORMAT "]}",
                            dtype_name (tensor->dtype), shape, offset, end);
    offset = end;
  }
  g_string_append_c (json, '}');
  while (json->len % ALIGN_BYTES)
    g_string_append_c (json, ' '); /* the format wants the data aligned, and blanks for it */
  return json;
}

static bool
write_all (FILE *file, const YvNamedTensor *tensors, uint32_t n_tensors)
{
  g_autoptr (GString) header = make_header (tensors, n_tensors);
  const uint64_t header_bytes = GUINT64_TO_LE (header->len);

  if (fwrite (&header_bytes, sizeof header_bytes, 1, file) != 1 ||
      fwrite (header->str, header->len, 1, file) != 1)
    return false;
  for (uint32_t i = 0; i < n_tensors; i++) {
    const uint64_t size_bytes = tensor_bytes (&tensors[i].tensor);
    if (size_bytes && fwrite (tensors[i].tensor.data, size_bytes, 1, file) != 1)
      return false;
  }
  return fflush (file) == 0 && fsync (fileno (file)) == 0;
}

static FILE *
open_beside (const char *temporary)
{
  const int fd = g_open (temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  FILE *file = fd >= 0 ? fdopen (fd, "wb") : NULL;

  if (fd >= 0 && !file)
    close (fd);
  return file;
}

bool
yv_safetensors_write (const char *path, const YvNamedTensor *tensors, uint32_t n_tensors,
                      GError **error)
{
  g_autofree char *temporary = g_strdup_printf ("%s.%d.part", path, (int) getpid ());
  FILE *file = open_beside (temporary);
  bool written = file && write_all (file, tensors, n_tensors);
  int reason = errno;

  if (file && fclose (file) != 0 && written) {
    written = false;
    reason = errno;
  }
  if (written && g_rename (temporary, path) != 0) {
    written = false;
    reason = errno;
  }
  if (!written) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be written: %s", path,
                 g_strerror (reason));
    if (file)
      g_unlink (temporary);
  }
  return written;
}
