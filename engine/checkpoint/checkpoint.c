/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/checkpoint.c - a file of weights, opened: any container, one tree of values. */
#include "engine/checkpoint/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/file.h"
#include "engine/checkpoint/identify.h"
#include "engine/checkpoint/legacy.h"
#include "engine/checkpoint/pickle.h"
#include "engine/checkpoint/pool.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/torchzip.h"
#include "engine/error.h"
#include "engine/span.h"

struct _YvCheckpoint {
  char *path;
  const char *format; /* static */
  GBytes *bytes;      /* the file mapping, which tensors of the pool point into */
  YvPool *pool;
  const YvObject *root; /* the pool's */
  YvZip *archive;       /* of a "torch zip", else NULL */
  int fd;               /* of the mapped file, whatever its path names by now; -1: of bytes */
  struct stat opened;   /* as fd was before it was read */
};

static bool
matches_zip (YvSpan file)
{
  return yv_span_starts_with (file, "PK\3\4", 4);
}

static bool
matches_pickle (YvSpan file)
{
  return file.size_bytes >= 2 && file.data[0] == 0x80 && file.data[1] <= 5;
}

static const YvObject *
read_zip (YvCheckpoint *checkpoint, YvSpan file, GError **error)
{
  return yv_torchzip_read (file, checkpoint->pool, &checkpoint->archive, error);
}

static const YvObject *
read_legacy (YvCheckpoint *checkpoint, YvSpan file, GError **error)
{
  return yv_legacy_read (file, checkpoint->pool, error);
}

static const YvObject *
read_safetensors (YvCheckpoint *checkpoint, YvSpan file, GError **error)
{
  return yv_safetensors_read (file, checkpoint->pool, error);
}

/* A pickle without the container of torch.save cannot hold tensors, but is read all the same: a
 * malicious or damaged one should be called that. */
static const YvObject *
refuse_bare_pickle (YvCheckpoint *checkpoint, YvSpan file, GError **error)
{
  g_autoptr (YvStorages) storages = yv_storages_new (checkpoint->pool);

  if (yv_pickle_read (&file, "the pickle", checkpoint->pool, storages, error))
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "this was written by Python's pickle, not by torch.save; load it with Python and "
                 "save it with torch.save");
  return NULL;
}

/* First match wins. */
static const struct {
  const char *name;
  bool (*matches) (YvSpan file);
  const YvObject *(*read) (YvCheckpoint *checkpoint, YvSpan file, GError **error);
} formats[] = {
    {"torch zip", matches_zip, read_zip},
    {"torch legacy", yv_legacy_matches, read_legacy},
    {"pickle", matches_pickle, refuse_bare_pickle},
    {"safetensors", yv_safetensors_matches, read_safetensors},
};

static bool
read_root (YvCheckpoint *checkpoint, YvSpan file, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (formats[i].matches (file)) {
      checkpoint->format = formats[i].name;
      checkpoint->root = formats[i].read (checkpoint, file, error);
      return checkpoint->root != NULL;
    }
  }
  yv_identify_refuse (file, error);
  return false;
}

YvCheckpoint *
yv_checkpoint_open_bytes (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (YvCheckpoint) checkpoint = g_new0 (YvCheckpoint, 1);
  YvSpan file;

  checkpoint->fd = -1;
  checkpoint->path = g_strdup (name);
  checkpoint->bytes = g_bytes_ref (bytes);
  checkpoint->pool = yv_pool_new ();
  file.data = g_bytes_get_data (bytes, &file.size_bytes);
  if (file.size_bytes == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: the file is empty, as an interrupted copy or download leaves; fetch it again",
                 name);
    return NULL;
  }
  if (!read_root (checkpoint, file, error)) {
    g_prefix_error (error, "%s: ", name);
    return NULL;
  }
  return g_steal_pointer (&checkpoint);
}

/* Takes @fd where it succeeds. */
static YvCheckpoint *
open_fd (int fd, const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  struct stat opened;

  if (fstat (fd, &opened) != 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be read: %s", path, g_strerror (errno));
    return NULL;
  }
  g_autoptr (GMappedFile) mapping = g_mapped_file_new_from_fd (fd, FALSE, &reason);
  if (!mapping) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be opened: %s", path, reason->message);
    return NULL;
  }
  g_autoptr (GBytes) bytes = g_mapped_file_get_bytes (mapping);
  YvCheckpoint *checkpoint = yv_checkpoint_open_bytes (bytes, path, error);
  if (checkpoint) {
    checkpoint->fd = fd;
    checkpoint->opened = opened;
  }
  return checkpoint;
}

YvCheckpoint *
yv_checkpoint_open (const char *path, GError **error)
{
  if (!yv_check_is_file (path, "a checkpoint, such as weights/best.pt of a training run", error))
    return NULL;
  const int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be opened: %s", path, g_strerror (errno));
    return NULL;
  }
  YvCheckpoint *checkpoint = open_fd (fd, path, error);
  if (!checkpoint)
    close (fd);
  return checkpoint;
}

/* A file that another replaces by renaming stays as it is, and so does what fd says of it. */
bool
yv_checkpoint_check_unchanged (const YvCheckpoint *checkpoint, GError **error)
{
  const struct stat *opened = &checkpoint->opened;
  struct stat now;

  if (checkpoint->fd < 0 || (fstat (checkpoint->fd, &now) == 0 && now.st_size == opened->st_size &&
                             now.st_mtim.tv_sec == opened->st_mtim.tv_sec &&
                             now.st_mtim.tv_nsec == opened->st_mtim.tv_nsec))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO,
               "%s: the file was changed in place since it was opened, and its weights are still "
               "needed; load the model again, and replace such a file by renaming another over it",
               checkpoint->path);
  return false;
}

void
yv_checkpoint_free (YvCheckpoint *checkpoint)
{
  if (!checkpoint)
    return;
  yv_zip_free (checkpoint->archive);
  yv_pool_free (checkpoint->pool);
  g_clear_pointer (&checkpoint->bytes, g_bytes_unref);
  if (checkpoint->fd >= 0)
    close (checkpoint->fd);
  g_free (checkpoint->path);
  g_free (checkpoint);
}

const YvObject *
yv_checkpoint_root (const YvCheckpoint *checkpoint)
{
  return checkpoint->root;
}

const char *
yv_checkpoint_path (const YvCheckpoint *checkpoint)
{
  return checkpoint->path;
}

const char *
yv_checkpoint_format (const YvCheckpoint *checkpoint)
{
  return checkpoint->format;
}

char *
yv_checkpoint_warning (const YvCheckpoint *checkpoint, GHashTable *tensors)
{
  return checkpoint->archive ? yv_torchzip_check_sums (checkpoint->archive, tensors) : NULL;
}
