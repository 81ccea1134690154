/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/torchzip.c - the container of torch >= 1.6: a pickle and its storages in a zip.
 */
#include "engine/checkpoint/torchzip.h"

#include <string.h>

#include "engine/checkpoint/pickle.h"
#include "engine/checkpoint/zip.h"
#include "engine/error.h"

#define PICKLE_NAME "data.pkl"

/* The entry "<folder>/data.pkl" (in old files "data.pkl"); NULL where there is none. */
static const YvZipEntry *
find_pickle (const YvZip *zip)
{
  for (uint32_t i = 0; i < yv_zip_n_entries (zip); i++) {
    const YvZipEntry *entry = yv_zip_entry (zip, i);
    const char *slash = strrchr (entry->name, '/');
    const char *base = slash ? slash + 1 : entry->name;
    if (strcmp (base, PICKLE_NAME) == 0 &&
        !(slash && memchr (entry->name, '/', (size_t) (slash - entry->name))))
      return entry;
  }
  return NULL;
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
    storage->bytes = entry->bytes;
  }
  return yv_storages_bind (storages, error);
}

const YvObject *
yv_torchzip_read (YvSpan file, YvPool *pool, GError **error)
{
  g_autoptr (YvZip) zip = yv_zip_new (file, error);
  const YvZipEntry *pickle = zip ? find_pickle (zip) : NULL;

  if (zip && !pickle)
    refuse_other_archive (zip, error);
  if (!pickle || !refuse_torchscript (zip, pickle, error) || !check_byte_order (zip, pickle, error))
    return NULL;

  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  g_autofree char *where = g_strdup_printf ("entry '%s'", pickle->name);
  YvSpan rest = pickle->bytes;
  const YvObject *root = yv_pickle_read (&rest, where, pool, storages, error);
  if (!root)
    return NULL;
  if (rest.size_bytes != 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %" G_GSIZE_FORMAT " bytes follow the end "
                 "of the pickle",
                 where, rest.size_bytes);
    return NULL;
  }
  return find_storages (zip, pickle, storages, error) ? root : NULL;
}
