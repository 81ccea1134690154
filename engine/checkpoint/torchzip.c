/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/torchzip.c - the container of torch >= 1.6: a pickle and its storages in a zip.
 */
#include "engine/checkpoint/torchzip.h"

#include <string.h>

#include "engine/checkpoint/crc.h"
#include "engine/checkpoint/pickle.h"
#include "engine/error.h"

#define PICKLE_NAME "data.pkl"

/* True for "<folder>/data.pkl" and, as some old files have it, "data.pkl". */
static bool
is_pickle_name (const char *name)
{
  const char *slash = strchr (name, '/');

  return strcmp (slash ? slash + 1 : name, PICKLE_NAME) == 0;
}

/* Sets *pickle to the one entry that holds the pickle, NULL where there is none. */
static bool
find_pickle (const YvZip *zip, const YvZipEntry **pickle, GError **error)
{
  *pickle = NULL;
  for (uint32_t i = 0; i < yv_zip_n_entries (zip); i++) {
    const YvZipEntry *entry = yv_zip_entry (zip, i);
    if (!is_pickle_name (entry->name))
      continue;
    if (*pickle) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "the archive has the two pickles '%s' and '%s', expected one", (*pickle)->name,
                   entry->name);
      return false;
    }
    *pickle = entry;
  }
  return true;
}

/* An entry of the folder that the pickle lies in. */
static const YvZipEntry *
find_beside (const YvZip *zip, const YvZipEntry *pickle, const char *name)
{
  const size_t folder_bytes = strlen (pickle->name) - strlen (PICKLE_NAME);
  g_autofree char *path = g_strdup_printf ("%.*s%s", (int) folder_bytes, pickle->name, name);

  return yv_zip_find (zip, path);
}

static bool
has_entry (const YvZip *zip, const char *prefix, const char *suffix)
{
  for (uint32_t i = 0; i < yv_zip_n_entries (zip); i++) {
    const char *name = yv_zip_entry (zip, i)->name;
    if ((prefix && g_str_has_prefix (name, prefix)) || (suffix && g_str_has_suffix (name, suffix)))
      return true;
  }
  return false;
}

static void
refuse_other_archive (const YvZip *zip, GError **error)
{
  const char *what = "a zip archive without a data.pkl, so not one that torch.save wrote; if the "
                     "checkpoint is packed in it, unpack it first";

  if (has_entry (zip, "word/", NULL) || has_entry (zip, "xl/", NULL))
    what = "an office document";
  else if (has_entry (zip, "META-INF/", NULL))
    what = "a Java or Android package";
  else if (has_entry (zip, NULL, ".npy"))
    what = "a NumPy .npz archive; give the checkpoint that torch.save wrote";
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "this is %s", what);
}

static bool
refuse_torchscript (const YvZip *zip, const YvZipEntry *pickle, GError **error)
{
  const size_t folder_bytes = strlen (pickle->name) - strlen (PICKLE_NAME);
  g_autofree char *code = g_strdup_printf ("%.*scode/", (int) folder_bytes, pickle->name);

  if (!find_beside (zip, pickle, "constants.pkl") && !has_entry (zip, code, NULL))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "this is a TorchScript export (a traced program, such as the traced_model.pt that "
               "detect.py leaves behind), not a checkpoint; give the .pt that training wrote, such "
               "as best.pt");
  return false;
}

static bool
refuse_packed (const YvZip *zip, GError **error)
{
  for (uint32_t i = 0; i < yv_zip_n_entries (zip); i++) {
    if (yv_zip_entry (zip, i)->is_packed) {
      g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                   "entry '%s' is compressed or encrypted, expected stored bytes: the archive was "
                   "packed again by another program than torch; give the file that torch.save "
                   "wrote",
                   yv_zip_entry (zip, i)->name);
      return false;
    }
  }
  return true;
}

/* torch 2 notes the byte order of the machine that saved; earlier ones were always little-endian.
 */
static bool
check_byte_order (const YvZip *zip, const YvZipEntry *pickle, GError **error)
{
  const YvZipEntry *entry = find_beside (zip, pickle, "byteorder");

  if (!entry || yv_span_starts_with (entry->bytes, "little", 6))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "entry '%s' says that the tensors are not little-endian; save the checkpoint again "
               "on a little-endian machine",
               entry->name);
  return false;
}

static bool
find_storages (const YvZip *zip, const YvZipEntry *pickle, YvStorages *storages, GError **error)
{
  for (uint32_t i = 0; i < yv_storages_n (storages); i++) {
    YvStorage *storage = yv_storages_at (storages, i);
    g_autofree char *name = g_strdup_printf ("data/%s", storage->key);
    const YvZipEntry *entry = find_beside (zip, pickle, name);
    if (!entry) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "entry '%s' refers to storage '%s', but the archive has no entry '%s' beside it",
                   pickle->name, storage->key, name);
      return false;
    }
    if (entry->bytes.size_bytes != storage->size_bytes) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "entry '%s' has %" G_GSIZE_FORMAT " bytes, expected %" G_GUINT64_FORMAT
                   " for %" G_GUINT64_FORMAT " elements of a %s",
                   entry->name, entry->bytes.size_bytes, storage->size_bytes, storage->n_elems,
                   storage->type);
      return false;
    }
    storage->bytes = entry->bytes;
  }
  return yv_storages_bind (storages, error);
}

static const YvObject *
read_pickle (const YvZip *zip, const YvZipEntry *pickle, YvPool *pool, GError **error)
{
  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  g_autofree char *where = g_strdup_printf ("entry '%s'", pickle->name);
  YvSpan rest = pickle->bytes;
  const YvObject *root = yv_pickle_read (&rest, where, pool, storages, error);

  if (!root)
    return NULL;
  if (rest.size_bytes != 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %" G_GSIZE_FORMAT " bytes follow the end of the pickle", where,
                 rest.size_bytes);
    return NULL;
  }
  return find_storages (zip, pickle, storages, error) ? root : NULL;
}

const YvObject *
yv_torchzip_read (YvSpan file, YvPool *pool, YvZip **archive, GError **error)
{
  g_autoptr (YvZip) zip = yv_zip_new (file, error);
  const YvZipEntry *pickle;

  if (!zip || !find_pickle (zip, &pickle, error))
    return NULL;
  if (!pickle) {
    refuse_other_archive (zip, error);
    return NULL;
  }
  if (!refuse_torchscript (zip, pickle, error) || !refuse_packed (zip, error) ||
      !check_byte_order (zip, pickle, error))
    return NULL;
  const YvObject *root = read_pickle (zip, pickle, pool, error);
  if (root)
    *archive = g_steal_pointer (&zip);
  return root;
}

/* ---- checksums ------------------------------------------------------------------------------- */

static int
compare_places (const void *a, const void *b)
{
  const uint8_t *x = *(const uint8_t *const *) a, *y = *(const uint8_t *const *) b;

  return (x > y) - (x < y);
}

/* Where tensors begin, in the order of the file. */
static GPtrArray *
list_places (GHashTable *tensors)
{
  GPtrArray *places = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer tensor;

  g_hash_table_iter_init (&iter, tensors);
  while (g_hash_table_iter_next (&iter, NULL, &tensor))
    g_ptr_array_add (places, (gpointer) ((const YvTensor *) tensor)->data);
  g_ptr_array_sort (places, compare_places);
  return places;
}

static bool
holds_one_of (YvSpan bytes, const GPtrArray *places)
{
  guint low = 0, high = places->len;

  while (low < high) {
    const guint middle = low + (high - low) / 2;
    if ((const uint8_t *) places->pdata[middle] < bytes.data)
      low = middle + 1;
    else
      high = middle;
  }
  return low < places->len && (const uint8_t *) places->pdata[low] < bytes.data + bytes.size_bytes;
}

/* "<folder>/data/<key>" */
static bool
is_storage (const YvZipEntry *entry)
{
  return g_str_has_prefix (entry->name, "data/") || strstr (entry->name, "/data/");
}

char *
yv_torchzip_check_sums (const YvZip *archive, GHashTable *tensors)
{
  g_autoptr (GPtrArray) places = tensors ? list_places (tensors) : NULL;
  g_autofree YvCrc *crc = g_new (YvCrc, 1);
  const YvZipEntry *first = NULL;
  uint32_t n_wrong = 0;

  yv_crc_init (crc);
  for (uint32_t i = 0; i < yv_zip_n_entries (archive); i++) {
    const YvZipEntry *entry = yv_zip_entry (archive, i);
    if (entry->crc == 0 || (places && is_storage (entry) && !holds_one_of (entry->bytes, places)) ||
        yv_crc_of (crc, entry->bytes) == entry->crc)
      continue;
    first = first ? first : entry;
    n_wrong++;
  }
  if (n_wrong == 0)
    return NULL;
  return g_strdup_printf (
      "%u of %u entries, the first being '%s', do not have the checksum that the archive states: "
      "the file may be damaged; fetch it again",
      n_wrong, yv_zip_n_entries (archive), first->name);
}
