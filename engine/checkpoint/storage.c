/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/storage.c - the storages that a pickle names, and the tensors that lie in them.
 */
#include "engine/checkpoint/storage.h"

#include <string.h>

#include "engine/error.h"

/* Tensors may overlap (tied weights, an expanded dimension), but a small file must not describe
 * an amount of numbers that no memory holds. */
#define MAX_OVERLAP 4
#define MAX_OVERLAP_SLACK_BYTES ((uint64_t) 1 << 20)

#define malformed(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

/* The class torch.<storage>, the object torch.<dtype>, and how many bytes an element has. Those of
 * type YV_N_DTYPES are not read, but a file may hold them where nobody looks. */
static const struct {
  const char *storage, *dtype;
  YvDType type;
  uint32_t elem_bytes;
} element_types[] = {
    {"FloatStorage", "float32", YV_DTYPE_F32, 4},
    {"HalfStorage", "float16", YV_DTYPE_F16, 2},
    {"BFloat16Storage", "bfloat16", YV_DTYPE_BF16, 2},
    {"DoubleStorage", "float64", YV_DTYPE_F64, 8},
    {"ByteStorage", "uint8", YV_DTYPE_U8, 1},
    {"CharStorage", "int8", YV_DTYPE_I8, 1},
    {"ShortStorage", "int16", YV_DTYPE_I16, 2},
    {"IntStorage", "int32", YV_DTYPE_I32, 4},
    {"LongStorage", "int64", YV_DTYPE_I64, 8},
    {"BoolStorage", "bool", YV_DTYPE_BOOL, 1},
    {"ComplexFloatStorage", "complex64", YV_N_DTYPES, 8},
    {"ComplexDoubleStorage", "complex128", YV_N_DTYPES, 16},
    {"QInt8Storage", "qint8", YV_N_DTYPES, 1},
    {"QUInt8Storage", "quint8", YV_N_DTYPES, 1},
    {"QInt32Storage", "qint32", YV_N_DTYPES, 4},
    {"QUInt4x2Storage", "quint4x2", YV_N_DTYPES, 1},
    {"QUInt2x4Storage", "quint2x4", YV_N_DTYPES, 1},
    {"UntypedStorage", "", YV_N_DTYPES, 1}, /* its tensors say what type they have */
};

/* The part of a storage that a stand-in object means: all of it but for legacy views. */
typedef struct {
  YvStorage *storage;
  uint64_t offset_bytes, size_bytes;
} Part;

/* A tensor that waits for its data. */
typedef struct {
  YvObject *tensor;
  const YvStorage *storage;
  uint64_t offset_bytes;
} Pending;

struct _YvStorages {
  YvPool *pool;          /* borrowed */
  GPtrArray *storages;   /* borrowed: the pool's */
  GHashTable *by_key;    /* key -> storage */
  GHashTable *by_object; /* stand-in -> Part of the pool */
  GArray *pending;       /* Pending */
  uint64_t tensor_bytes; /* of all tensors, overlaps counted each time; saturates */
};

YvStorages *
yv_storages_new (YvPool *pool)
{
  YvStorages *storages = g_new0 (YvStorages, 1);

  storages->pool = pool;
  storages->storages = g_ptr_array_new ();
  storages->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  storages->by_object = g_hash_table_new (NULL, NULL);
  storages->pending = g_array_new (FALSE, FALSE, sizeof (Pending));
  return storages;
}

void
yv_storages_free (YvStorages *storages)
{
  if (!storages)
    return;
  g_array_unref (storages->pending);
  g_hash_table_unref (storages->by_object);
  g_hash_table_unref (storages->by_key);
  g_ptr_array_unref (storages->storages);
  g_free (storages);
}

uint32_t
yv_storages_n (const YvStorages *storages)
{
  return storages->storages->len;
}

YvStorage *
yv_storages_at (const YvStorages *storages, uint32_t index)
{
  g_assert (index < storages->storages->len);
  return g_ptr_array_index (storages->storages, index);
}

YvDType
yv_storage_dtype (const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (element_types); i++) {
    if (strcmp (name, element_types[i].dtype) == 0)
      return element_types[i].type;
  }
  return YV_N_DTYPES;
}

/* False where it is no class of storage that we know. */
static bool
find_type (YvStorage *storage)
{
  for (size_t i = 0; i < G_N_ELEMENTS (element_types); i++) {
    if (strcmp (storage->type, element_types[i].storage) == 0) {
      storage->dtype = element_types[i].type;
      storage->elem_bytes = element_types[i].elem_bytes;
      return true;
    }
  }
  return false;
}

/* The item of a TUPLE, NULL where it is too short. */
static const YvObject *
item_at (const YvObject *tuple, uint32_t index)
{
  return index < tuple->sequence.n_items ? tuple->sequence.items[index] : NULL;
}

static bool
get_size (const YvObject *object, uint64_t *out)
{
  if (!object || object->kind != YV_OBJECT_INT || object->integer < 0)
    return false;
  *out = (uint64_t) object->integer;
  return true;
}

/* Describes the storage of a persistent id; its bytes are the container's to find. */
static bool
describe_storage (const YvObject *id, YvStorage *out, GError **error)
{
  const YvObject *type = item_at (id, 1);

  out->key = yv_object_get_string (item_at (id, 2));
  if (!type || type->kind != YV_OBJECT_CLASS || !out->key ||
      !get_size (item_at (id, 4), &out->n_elems)) {
    malformed (error, "a storage is not described as (type, key, location, number of elements)");
    return false;
  }
  out->type = type->class_name.name;
  if (!find_type (out)) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "storage '%s' is a %s.%s, whose elements are of unknown size", out->key,
                 type->class_name.module, out->type);
    return false;
  }
  if (!g_uint64_checked_mul (&out->size_bytes, out->n_elems, out->elem_bytes)) {
    malformed (error, "storage '%s' claims %" G_GUINT64_FORMAT " elements", out->key, out->n_elems);
    return false;
  }
  return true;
}

/* The one storage of a key. All ids that mention it must describe it alike. */
static YvStorage *
intern_storage (YvStorages *storages, const YvStorage *described, GError **error)
{
  YvStorage *known = g_hash_table_lookup (storages->by_key, described->key);

  if (!known) {
    known = yv_pool_alloc (storages->pool, sizeof *known);
    *known = *described;
    g_hash_table_insert (storages->by_key, (char *) known->key, known);
    g_ptr_array_add (storages->storages, known);
  } else if (strcmp (known->type, described->type) != 0 || known->n_elems != described->n_elems) {
    malformed (error,
               "storage '%s' is a %s of %" G_GUINT64_FORMAT " elements in one place and a %s of "
               "%" G_GUINT64_FORMAT " in another",
               known->key, known->type, known->n_elems, described->type, described->n_elems);
    return NULL;
  }
  return known;
}

/* The view of a legacy id: None, or (key, offset, n_elems) in elements of the storage. */
static bool
apply_view (const YvObject *view, Part *part, GError **error)
{
  const uint64_t size_bytes = part->storage->elem_bytes;
  uint64_t offset, n_elems;

  if (!view || view->kind == YV_OBJECT_NONE)
    return true;
  if (view->kind != YV_OBJECT_TUPLE || !get_size (item_at (view, 1), &offset) ||
      !get_size (item_at (view, 2), &n_elems) || offset > part->storage->n_elems ||
      n_elems > part->storage->n_elems - offset) {
    malformed (error, "storage '%s' is viewed beyond its %" G_GUINT64_FORMAT " elements",
               part->storage->key, part->storage->n_elems);
    return false;
  }
  part->offset_bytes = offset * size_bytes;
  part->size_bytes = n_elems * size_bytes;
  return true;
}

static YvObject *
refer_storage (YvStorages *storages, const YvObject *id, GError **error)
{
  YvStorage described = {0};
  Part *part = yv_pool_alloc (storages->pool, sizeof *part);

  if (!describe_storage (id, &described, error))
    return NULL;
  part->storage = intern_storage (storages, &described, error);
  if (!part->storage)
    return NULL;
  part->size_bytes = part->storage->size_bytes;
  if (!apply_view (item_at (id, 5), part, error))
    return NULL;

  YvObject *stand_in = yv_pool_object (storages->pool, YV_OBJECT_INSTANCE);
  stand_in->instance.class_name = item_at (id, 1);
  stand_in->instance.args = id;
  g_hash_table_insert (storages->by_object, stand_in, part);
  return stand_in;
}

YvObject *
yv_storages_refer (YvStorages *storages, const YvObject *id, GError **error)
{
  const char *what = id->kind == YV_OBJECT_TUPLE ? yv_object_get_string (item_at (id, 0)) : NULL;

  if (g_strcmp0 (what, "storage") == 0)
    return refer_storage (storages, id, error);
  if (g_strcmp0 (what, "module") == 0 && id->sequence.n_items >= 2 &&
      id->sequence.items[1]->kind == YV_OBJECT_CLASS)
    return id->sequence.items[1];
  malformed (error, "a persistent id is of kind %s, expected ('storage', ...) or ('module', ...)",
             what ? what : yv_object_kind_name (id));
  return NULL;
}

static bool
read_dims (const YvObject *dims, uint64_t *out, uint32_t *n_dims)
{
  if (!dims || (dims->kind != YV_OBJECT_TUPLE && dims->kind != YV_OBJECT_LIST) ||
      dims->sequence.n_items > YV_MAX_DIMS)
    return false;
  *n_dims = dims->sequence.n_items;
  for (uint32_t i = 0; i < *n_dims; i++) {
    if (!get_size (dims->sequence.items[i], &out[i]))
      return false;
  }
  return true;
}

/* How many elements from the first to behind the last, 0 for a tensor without any. */
static bool
measure_extent (const YvTensor *tensor, uint64_t *n_elems, uint64_t *extent)
{
  *n_elems = 1;
  *extent = 1;
  for (uint32_t i = 0; i < tensor->n_dims; i++) {
    uint64_t reach;
    if (!g_uint64_checked_mul (n_elems, *n_elems, tensor->shape[i]))
      return false;
    if (tensor->shape[i] == 0)
      continue;
    if (!g_uint64_checked_mul (&reach, tensor->shape[i] - 1, tensor->stride_elems[i]) ||
        !g_uint64_checked_add (extent, *extent, reach))
      return false;
  }
  if (*n_elems == 0)
    *extent = 0;
  return true;
}

/* Places a tensor of @n_elems, which reach over @extent, @offset elements into its part. */
static bool
check_bounds (const Part *part, const YvTensor *tensor, uint64_t offset, uint64_t extent,
              GError **error)
{
  const uint64_t available = part->size_bytes / yv_dtype_size_bytes (tensor->dtype);
  g_autofree char *shape = yv_tensor_shape_to_string (tensor);

  if (offset <= available && extent <= available - offset)
    return true;
  malformed (error,
             "a %s tensor of shape %s reaches over %" G_GUINT64_FORMAT " elements from element "
             "%" G_GUINT64_FORMAT " of storage '%s', which has %" G_GUINT64_FORMAT,
             yv_dtype_name (tensor->dtype), shape, extent, offset, part->storage->key, available);
  return false;
}

static void
count_bytes (YvStorages *storages, uint64_t n_elems, YvDType dtype)
{
  uint64_t size_bytes;

  if (!g_uint64_checked_mul (&size_bytes, n_elems, yv_dtype_size_bytes (dtype)) ||
      !g_uint64_checked_add (&storages->tensor_bytes, storages->tensor_bytes, size_bytes))
    storages->tensor_bytes = UINT64_MAX;
}

static void
refuse_storage (const YvObject *found, GError **error)
{
  g_autofree char *path = yv_object_class_path (found);

  if (strcmp (path, "torch.storage._load_from_bytes") == 0)
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "a tensor was written by Python's pickle, not by torch.save; load the file with "
                 "Python and save it with torch.save");
  else
    malformed (error, "the storage of a tensor is %s, expected a persistent id", path);
}

/* The shape and strides of @args (storage, offset, sizes, strides). */
static bool
read_geometry (const YvObject *args, YvTensor *tensor, uint64_t *offset)
{
  uint32_t n_strides;

  return get_size (item_at (args, 1), offset) &&
         read_dims (item_at (args, 2), tensor->shape, &tensor->n_dims) &&
         read_dims (item_at (args, 3), tensor->stride_elems, &n_strides) &&
         n_strides == tensor->n_dims;
}

bool
yv_storages_make_tensor (YvStorages *storages, const YvObject *args, YvDType dtype,
                         YvObject **value, GError **error)
{
  const YvObject *stand_in = item_at (args, 0);
  const Part *part = stand_in ? g_hash_table_lookup (storages->by_object, stand_in) : NULL;
  YvTensor tensor = {0};
  uint64_t offset, n_elems, extent;

  if (!part) {
    refuse_storage (stand_in, error);
    return false;
  }
  tensor.dtype = part->storage->dtype != YV_N_DTYPES ? part->storage->dtype : dtype;
  if (tensor.dtype == YV_N_DTYPES)
    return true;
  if (!read_geometry (args, &tensor, &offset) || !measure_extent (&tensor, &n_elems, &extent)) {
    malformed (error,
               "a tensor in storage '%s' is not described by an offset, sizes and as many strides "
               "(at most %d, none negative)",
               part->storage->key, YV_MAX_DIMS);
    return false;
  }
  if (!check_bounds (part, &tensor, offset, extent, error))
    return false;

  *value = yv_pool_object (storages->pool, YV_OBJECT_TENSOR);
  (*value)->tensor = tensor;
  const Pending pending = {
      .tensor = *value,
      .storage = part->storage,
      .offset_bytes = part->offset_bytes + offset * yv_dtype_size_bytes (tensor.dtype),
  };
  g_array_append_val (storages->pending, pending);
  count_bytes (storages, n_elems, tensor.dtype);
  return true;
}

static bool
check_storages (const YvStorages *storages, GError **error)
{
  uint64_t size_bytes = 0;

  for (uint32_t i = 0; i < yv_storages_n (storages); i++) {
    const YvStorage *storage = yv_storages_at (storages, i);
    if (storage->bytes.size_bytes != storage->size_bytes) {
      malformed (error,
                 "storage '%s' has %" G_GSIZE_FORMAT " bytes, expected %" G_GUINT64_FORMAT
                 " for %" G_GUINT64_FORMAT " elements of a %s",
                 storage->key, storage->bytes.size_bytes, storage->size_bytes, storage->n_elems,
                 storage->type);
      return false;
    }
    size_bytes += storage->size_bytes; /* cannot overflow: each lies in the file */
  }
  if (storages->tensor_bytes / MAX_OVERLAP <= size_bytes + MAX_OVERLAP_SLACK_BYTES)
    return true;
  malformed (error,
             "the tensors claim %" G_GUINT64_FORMAT
             " bytes of a file that stores %" G_GUINT64_FORMAT ": it was made to exhaust memory",
             storages->tensor_bytes, size_bytes);
  return false;
}

bool
yv_storages_bind (YvStorages *storages, GError **error)
{
  if (!check_storages (storages, error))
    return false;
  for (uint32_t i = 0; i < storages->pending->len; i++) {
    const Pending *pending = &g_array_index (storages->pending, Pending, i);
    const uint8_t *data = pending->storage->bytes.data;
    pending->tensor->tensor.data =
        data && pending->offset_bytes ? data + pending->offset_bytes : data;
  }
  return true;
}
