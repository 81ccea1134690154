/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/model.c - a model on a device, loaded once for all elements of a process that want the same.
 *
 * The table of models is the one global of this project: elements share without knowing of each
 * other, and nothing but the process is common to all of them. It is there as long as a model is.
 */
#include "gst/model.h"

#include <stdlib.h>

#include <glib/gstdio.h>

struct _GstYolov7Model {
  char *key;   /* in the table */
  char *files; /* as name_files() has it */
  char *model_file, *config_file, *device;
  YvEngineOptions options;

  /* protected by the lock */
  guint n_users;
  bool is_loading;
  bool is_lost;             /* shared with nobody any more, and replaced by who asks next */
  bool is_superseded;       /* the same, but it can be taken back */
  GstYolov7Model *replaces; /* (nullable): a lost one, held while this one is loading */
  GError *error;            /* (nullable): why it could not be loaded */
  YvEngine *engine;         /* once it is loaded: constant */
};

static GMutex lock;
static GCond loaded;
static GHashTable *models; /* by key; NULL while there is none; its users hold them, it does not */

/* ---- keys ----------------------------------------------------------------------------------- */

/* Where nothing has this name the absolute path is as good as the resolved one.
 * Returns: (transfer full) */
static char *
resolve (const char *path)
{
  g_autofree char *resolved = realpath (path, NULL);

  return resolved ? g_steal_pointer (&resolved) : g_canonicalize_filename (path, NULL);
}

/* The path alone where nothing is there: yv_engine_new() will say so. A file that is rewritten in
 * place changes its time, one that is renamed to this path has another inode.
 * Returns: (transfer full): "" for NULL */
static char *
identify (const char *path)
{
  GStatBuf info;

  if (!path)
    return g_strdup ("");
  g_autofree char *resolved = resolve (path);
  if (g_stat (resolved, &info) != 0)
    return g_steal_pointer (&resolved);
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT ".%09ld %s",
                          (guint64) info.st_dev, (guint64) info.st_ino, (gint64) info.st_size,
                          (gint64) info.st_mtim.tv_sec, info.st_mtim.tv_nsec, resolved);
}

/* "//" is in no resolved path, so different parts never make the same key.
 * Returns: (transfer full) */
static char *
make_key (const YvEngineOptions *options)
{
  g_autofree char *model = identify (options->model_file);
  g_autofree char *config = identify (options->config_file);

  return g_strdup_printf ("%d %d %d %" G_GUINT64_FORMAT " %s//%s//%s", options->precision,
                          options->fallback, options->tuning, options->seed, model, config,
                          options->device ? options->device : "");
}

/* What an element of an instance id calls for, to compare and to read.
 * Returns: (transfer full): "" for none */
static char *
name_files (const YvEngineOptions *options)
{
  g_autofree char *model = options->model_file ? resolve (options->model_file) : NULL;
  g_autofree char *config = options->config_file ? resolve (options->config_file) : NULL;

  if (model && config)
    return g_strdup_printf ("%s with %s", model, config);
  return g_strdup (model ? model : config ? config : "");
}

/* ---- the table ------------------------------------------------------------------------------ */

static GstYolov7Model *
find_locked (const char *key)
{
  return models ? g_hash_table_lookup (models, key) : NULL;
}

static void
list_locked (GstYolov7Model *model)
{
  if (!models)
    models = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_replace (models, model->key, model);
}

static void
delist_locked (GstYolov7Model *model)
{
  if (find_locked (model->key) != model)
    return;
  g_hash_table_remove (models, model->key);
  if (g_hash_table_size (models) == 0)
    g_clear_pointer (&models, g_hash_table_unref);
}

static bool
is_given_up (const GstYolov7Model *model)
{
  return model->is_lost || model->is_superseded;
}

/* @listed: (nullable): what has the id now
 * Returns: false with YV_ERROR_INVALID. */
static bool
check_instance_locked (const GstYolov7Model *listed, const char *instance_id, const char *files,
                       GError **error)
{
  if (!listed && *files == '\0') {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "no model has the instance id \"%s\" yet: name a model file here, too, or start "
                 "the element that names it first",
                 instance_id);
    return false;
  }
  if (listed && !is_given_up (listed) && *files != '\0' && !g_str_equal (files, listed->files)) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "the model of instance id \"%s\" is %s, not %s: name that one or none, or take "
                 "another id",
                 instance_id, listed->files, files);
    return false;
  }
  return true;
}

/* Its user is the caller, who loads it.
 * @lost: (nullable): whose place it takes, and whose files where @options name none */
static GstYolov7Model *
list_new_locked (const char *key, const char *files, const YvEngineOptions *options,
                 GstYolov7Model *lost)
{
  GstYolov7Model *model = g_new0 (GstYolov7Model, 1);
  const bool is_again = lost && *files == '\0';
  const YvEngineOptions *from = is_again ? &lost->options : options;

  model->key = g_strdup (key);
  model->files = g_strdup (is_again ? lost->files : files);
  model->model_file = g_strdup (from->model_file);
  model->config_file = g_strdup (from->config_file);
  model->device = g_strdup (from->device);
  model->options = *from;
  model->options.model_file = model->model_file;
  model->options.config_file = model->config_file;
  model->options.device = model->device;
  model->n_users = 1;
  model->is_loading = true;
  model->replaces = lost;
  if (lost)
    lost->n_users++;
  list_locked (model);
  return model;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
model_free (GstYolov7Model *model)
{
  g_clear_pointer (&model->engine, yv_engine_unref);
  g_clear_error (&model->error);
  g_free (model->device);
  g_free (model->config_file);
  g_free (model->model_file);
  g_free (model->files);
  g_free (model->key);
  g_free (model);
}

/* Where it fails the lost one is back in its place, for the sake of those who name no files. */
static void
load (GstYolov7Model *model)
{
  GError *error = NULL;
  YvEngine *engine = yv_engine_new (&model->options, &error);

  g_mutex_lock (&lock);
  GstYolov7Model *lost = g_steal_pointer (&model->replaces);
  if (!engine)
    delist_locked (model);
  if (!engine && lost)
    list_locked (lost);
  model->engine = engine;
  model->error = error;
  model->is_loading = false;
  g_cond_broadcast (&loaded);
  g_mutex_unlock (&lock);
  gst_yolov7_model_unref (lost);
}

/* Returns: false with why it could not be loaded. */
static bool
wait_until_loaded (GstYolov7Model *model, GError **error)
{
  g_mutex_lock (&lock);
  while (model->is_loading)
    g_cond_wait (&loaded, &lock);
  g_mutex_unlock (&lock);
  if (model->error)
    g_propagate_error (error, g_error_copy (model->error));
  return model->engine != NULL;
}

GstYolov7Model *
gst_yolov7_model_get (const YvEngineOptions *options, const char *instance_id, GError **error)
{
  g_autofree char *key =
      instance_id ? g_strconcat ("instance ", instance_id, NULL) : make_key (options);
  g_autofree char *files = name_files (options);

  g_mutex_lock (&lock);
  GstYolov7Model *listed = find_locked (key);
  if (instance_id && !check_instance_locked (listed, instance_id, files, error)) {
    g_mutex_unlock (&lock);
    return NULL;
  }
  const bool is_new = !listed || is_given_up (listed);
  if (!is_new)
    listed->n_users++;
  g_autoptr (GstYolov7Model) model =
      is_new ? list_new_locked (key, files, options, listed) : listed;
  g_mutex_unlock (&lock);

  if (is_new)
    load (model);
  return wait_until_loaded (model, error) ? g_steal_pointer (&model) : NULL;
}

void
gst_yolov7_model_unref (GstYolov7Model *model)
{
  if (!model)
    return;

  g_mutex_lock (&lock);
  const bool is_last = --model->n_users == 0;
  if (is_last)
    delist_locked (model);
  g_mutex_unlock (&lock);
  if (is_last) /* it takes long, so it's done without the lock */
    model_free (model);
}

YvEngine *
gst_yolov7_model_engine (GstYolov7Model *model)
{
  return model->engine;
}

void
gst_yolov7_model_forget (GstYolov7Model *model)
{
  g_mutex_lock (&lock);
  model->is_lost = true;
  g_mutex_unlock (&lock);
}

void
gst_yolov7_model_supersede (GstYolov7Model *model)
{
  g_mutex_lock (&lock);
  model->is_superseded = true;
  g_mutex_unlock (&lock);
}

void
gst_yolov7_model_keep (GstYolov7Model *model)
{
  g_mutex_lock (&lock);
  const GstYolov7Model *listed = find_locked (model->key);
  if (!listed || listed == model) {
    model->is_superseded = false;
    list_locked (model);
  }
  g_mutex_unlock (&lock);
}
