/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-model.c - gst/model.h: who gets the same engine, and when one is loaded or freed.
 *
 * The linker puts functions of this file before the engine's (meson.build: --wrap): they count, ask
 * for another model in the meantime, and hold a load until all others wait for it. */
#include "gst/model.h"

#include <string.h>
#include <unistd.h>
#include <utime.h>

#include <glib/gstdio.h>

#include "tests/common/paths.h"

#define N_THREADS 8

/* Atomic. */
static gint n_loads, n_frees;
static gint n_expected; /* threads that wait before a load goes on */

static GMutex counting;
static GCond counted;
static gint n_waiting; /* threads, protected by counting */

/* What this thread asks for while it loads or frees another. */
static _Thread_local const YvEngineOptions *meanwhile;

YvEngine *__real_yv_engine_new (const YvEngineOptions *options, GError **error);
YvEngine *__wrap_yv_engine_new (const YvEngineOptions *options, GError **error);
void __real_yv_engine_unref (YvEngine *engine);
void __wrap_yv_engine_unref (YvEngine *engine);
void __real_g_cond_wait (GCond *cond, GMutex *mutex);
void __wrap_g_cond_wait (GCond *cond, GMutex *mutex);

/* It would wait for ever where a lock is held. */
static void
use_another_model (void)
{
  const YvEngineOptions *options = g_steal_pointer (&meanwhile);

  if (options)
    gst_yolov7_model_unref (gst_yolov7_model_get (options, NULL, NULL));
}

YvEngine *
__wrap_yv_engine_new (const YvEngineOptions *options, GError **error)
{
  g_atomic_int_inc (&n_loads);
  use_another_model ();
  g_mutex_lock (&counting);
  while (n_waiting < g_atomic_int_get (&n_expected))
    __real_g_cond_wait (&counted, &counting);
  g_mutex_unlock (&counting);
  return __real_yv_engine_new (options, error);
}

void
__wrap_yv_engine_unref (YvEngine *engine)
{
  g_atomic_int_inc (&n_frees);
  use_another_model ();
  __real_yv_engine_unref (engine);
}

/* Counts the threads that came here, each once. */
void
__wrap_g_cond_wait (GCond *cond, GMutex *mutex)
{
  static _Thread_local bool is_counted;

  if (!is_counted) {
    is_counted = true;
    g_mutex_lock (&counting);
    n_waiting++;
    g_cond_signal (&counted);
    g_mutex_unlock (&counting);
  }
  __real_g_cond_wait (cond, mutex);
}

/* ---- files ---------------------------------------------------------------------------------- */

typedef struct {
  char *folder, *file, *other; /* two copies of a small checkpoint */
  YvEngineOptions options;     /* of file */
} Files;

static char *
copy_checkpoint (const char *folder, const char *name)
{
  g_autofree char *source = yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
  g_autofree char *bytes = NULL;
  char *path = g_build_filename (folder, name, NULL);
  gsize size = 0;

  g_assert_true (g_file_get_contents (source, &bytes, &size, NULL));
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  return path;
}

static YvEngineOptions
options_of (const char *path)
{
  return (YvEngineOptions){.model_file = path, .device = "reference"};
}

static void
set_up (Files *files, gconstpointer data)
{
  (void) data;
  files->folder = g_dir_make_tmp (NULL, NULL);
  files->file = copy_checkpoint (files->folder, "a.pt");
  files->other = copy_checkpoint (files->folder, "b.pt");
  files->options = options_of (files->file);
  n_loads = n_frees = n_expected = n_waiting = 0;
}

static void
tear_down (Files *files, gconstpointer data)
{
  (void) data;
  g_remove (files->file);
  g_remove (files->other);
  g_assert_cmpint (g_rmdir (files->folder), ==, 0);
  g_free (files->folder);
  g_free (files->file);
  g_free (files->other);
}

static GstYolov7Model *
get (const YvEngineOptions *options, const char *instance_id)
{
  g_autoptr (GError) error = NULL;
  GstYolov7Model *model = gst_yolov7_model_get (options, instance_id, &error);

  g_assert_no_error (error);
  g_assert_nonnull (gst_yolov7_model_engine (model));
  return model;
}

static void
assert_refused (const YvEngineOptions *options, const char *instance_id, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (gst_yolov7_model_get (options, instance_id, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, message);
}

/* ---- without an instance id ----------------------------------------------------------------- */

static void
the_same_options_are_the_same_model (Files *files, gconstpointer data)
{
  (void) data;
  g_autoptr (GstYolov7Model) a = get (&files->options, NULL);
  g_autoptr (GstYolov7Model) b = get (&files->options, NULL);

  g_assert_true (a == b);
  g_assert_cmpint (n_loads, ==, 1);
}

static void
the_last_user_drops_the_engine (Files *files, gconstpointer data)
{
  (void) data;
  GstYolov7Model *a = get (&files->options, NULL);
  GstYolov7Model *b = get (&files->options, NULL);

  gst_yolov7_model_unref (a);
  g_assert_cmpint (n_frees, ==, 0);
  g_assert_nonnull (yv_engine_info (gst_yolov7_model_engine (b))->class_names);
  gst_yolov7_model_unref (b);
  g_assert_cmpint (n_frees, ==, 1);
  gst_yolov7_model_unref (get (&files->options, NULL));
  g_assert_cmpint (n_loads, ==, 2);
  gst_yolov7_model_unref (NULL);
}

static void
any_way_to_the_file_is_the_same_model (Files *files, gconstpointer data)
{
  (void) data;
  g_autoptr (GstYolov7Model) model = get (&files->options, NULL);
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *link = g_build_filename (files->folder, "link.pt", NULL);
  g_autofree char *dots = g_build_filename (files->folder, ".", "..", NULL);
  g_autofree char *base = g_path_get_basename (files->folder);
  g_autofree char *around = g_build_filename (dots, base, "a.pt", NULL);

  g_assert_cmpint (symlink ("a.pt", link), ==, 0);
  g_assert_cmpint (g_chdir (files->folder), ==, 0);
  const char *const ways[] = {link, around, "link.pt", "a.pt", "./a.pt"};
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    const YvEngineOptions options = options_of (ways[i]);
    g_autoptr (GstYolov7Model) same = get (&options, NULL);
    g_assert_true (same == model);
  }
  g_assert_cmpint (g_chdir (here), ==, 0);
  g_assert_cmpint (g_remove (link), ==, 0);
}

static void
a_replaced_file_is_another_model (Files *files, gconstpointer data)
{
  (void) data;
  g_autoptr (GstYolov7Model) old = get (&files->options, NULL);

  g_assert_cmpint (g_rename (files->other, files->file), ==, 0);
  g_autoptr (GstYolov7Model) new = get (&files->options, NULL);
  g_autoptr (GstYolov7Model) again = get (&files->options, NULL);
  g_assert_true (new != old);
  g_assert_true (new == again);
  g_assert_cmpint (n_frees, ==, 0);
}

static void
a_touched_file_is_another_model (Files *files, gconstpointer data)
{
  (void) data;
  g_autoptr (GstYolov7Model) old = get (&files->options, NULL);
  struct utimbuf times = {.actime = 1, .modtime = 1};

  g_assert_cmpint (g_utime (files->file, &times), ==, 0);
  g_autoptr (GstYolov7Model) new = get (&files->options, NULL);
  g_assert_true (new != old);
}

static void
other_options_are_another_model (Files *files, gconstpointer data)
{
  (void) data;
  const YvEngineOptions *options = &files->options;
  g_autoptr (GstYolov7Model) model = get (options, NULL);
  YvEngineOptions rows[5];

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    rows[i] = *options;
  rows[0].model_file = files->other;
  rows[1].precision = YV_PRECISION_FP32;
  rows[2].fallback = YV_FALLBACK_NONE;
  rows[3].tuning = YV_TUNING_OFF;
  rows[4].seed = 1;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstYolov7Model) other = get (&rows[i], NULL);
    g_assert_true (other != model);
  }
}

static void
random_weights_are_shared_by_their_seed (Files *files, gconstpointer data)
{
  (void) files;
  (void) data;
  g_autofree char *config = yv_test_source_path ("tests/bench/quick.yaml");
  YvEngineOptions options = {.config_file = config, .device = "reference", .seed = 7};
  g_autoptr (GstYolov7Model) a = get (&options, NULL);
  g_autoptr (GstYolov7Model) b = get (&options, NULL);

  options.seed = 8;
  g_autoptr (GstYolov7Model) c = get (&options, NULL);
  g_assert_true (a == b);
  g_assert_true (a != c);
}

static void
a_failure_is_not_remembered (Files *files, gconstpointer data)
{
  (void) data;
  g_autoptr (GError) error = NULL;
  g_autofree char *missing = g_build_filename (files->folder, "c.pt", NULL);
  const YvEngineOptions options = options_of (missing);

  g_assert_null (gst_yolov7_model_get (&options, NULL, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, missing));
  g_assert_cmpint (g_rename (files->other, missing), ==, 0);
  gst_yolov7_model_unref (get (&options, NULL));
  g_assert_cmpint (n_loads, ==, 2);
  g_remove (missing);
}

static void
no_file_at_all_is_the_engines_error (Files *files, gconstpointer data)
{
  (void) files;
  (void) data;
  const YvEngineOptions options = {.device = "reference"};

  assert_refused (&options, NULL, "neither a model file nor a config file is given");
}

static void
no_lock_is_held_while_one_is_loaded_or_freed (Files *files, gconstpointer data)
{
  (void) data;
  const YvEngineOptions other = options_of (files->other);

  meanwhile = &other;
  g_autoptr (GstYolov7Model) model = get (&files->options, NULL);
  g_assert_cmpint (n_loads, ==, 2);
  g_assert_cmpint (n_frees, ==, 1);

  meanwhile = &other;
  gst_yolov7_model_unref (g_steal_pointer (&model));
  g_assert_cmpint (n_loads, ==, 3);
  g_assert_cmpint (n_frees, ==, 3);
}

/* ---- with one ------------------------------------------------------------------------------- */

static void
an_instance_is_shared_by_its_id_alone (Files *files, gconstpointer data)
{
  (void) data;
  const YvEngineOptions none = {0};
  YvEngineOptions fp32 = files->options;

  fp32.precision = YV_PRECISION_FP32;
  g_autoptr (GstYolov7Model) first = get (&files->options, "doors");
  g_autoptr (GstYolov7Model) other_options = get (&fp32, "doors");
  g_autoptr (GstYolov7Model) no_options = get (&none, "doors");
  g_autoptr (GstYolov7Model) other_id = get (&files->options, "gates");
  g_autoptr (GstYolov7Model) no_id = get (&files->options, NULL);

  g_assert_true (other_options == first);
  g_assert_true (no_options == first);
  g_assert_true (other_id != first);
  g_assert_true (no_id != first);
  g_assert_true (no_id != other_id);
  g_assert_cmpint (n_loads, ==, 3);
}

static void
an_instance_has_one_model_file (Files *files, gconstpointer data)
{
  (void) data;
  const YvEngineOptions none = {0}, other = options_of (files->other);
  YvEngineOptions described = files->options;
  g_autofree char *file = realpath (files->file, NULL);
  g_autofree char *second = realpath (files->other, NULL);
  g_autofree char *message =
      g_strdup_printf ("the model of instance id \"doors\" is %s, not %s: name that one or none, "
                       "or take another id",
                       file, second);
  g_autofree char *with =
      g_strdup_printf ("the model of instance id \"doors\" is %s, not %s with %s: name that one or "
                       "none, or take another id",
                       file, file, second);

  assert_refused (&none, "doors",
                  "no model has the instance id \"doors\" yet: name a model file here, too, or "
                  "start the element that names it first");
  g_autoptr (GstYolov7Model) model = get (&files->options, "doors");
  assert_refused (&other, "doors", message);
  described.config_file = files->other;
  assert_refused (&described, "doors", with);
  g_assert_cmpint (n_loads, ==, 1);

  gst_yolov7_model_unref (g_steal_pointer (&model));
  model = get (&other, "doors");
}

/* ---- forgotten ------------------------------------------------------------------------------ */

static void
a_forgotten_model_is_loaded_anew_once (Files *files, gconstpointer data)
{
  (void) data;
  g_autoptr (GstYolov7Model) lost = get (&files->options, NULL);
  g_autoptr (GstYolov7Model) same = get (&files->options, NULL);

  gst_yolov7_model_forget (lost);
  g_autoptr (GstYolov7Model) new = get (&files->options, NULL);
  gst_yolov7_model_forget (same);
  g_autoptr (GstYolov7Model) again = get (&files->options, NULL);
  g_assert_true (new != lost);
  g_assert_true (again == new);
  g_assert_cmpint (n_loads, ==, 2);

  gst_yolov7_model_unref (g_steal_pointer (&lost));
  g_assert_cmpint (n_frees, ==, 0);
  gst_yolov7_model_unref (g_steal_pointer (&same));
  g_assert_cmpint (n_frees, ==, 1);
  g_autoptr (GstYolov7Model) still = get (&files->options, NULL);
  g_assert_true (still == new);
}

static void
a_forgotten_instance_keeps_its_files_or_gets_others (Files *files, gconstpointer data)
{
  (void) data;
  const YvEngineOptions none = {0}, other = options_of (files->other);
  g_autoptr (GstYolov7Model) first = get (&files->options, "doors");

  gst_yolov7_model_forget (first);
  g_autoptr (GstYolov7Model) second = get (&none, "doors");
  g_assert_true (second != first);
  g_assert_cmpstr (yv_engine_info (gst_yolov7_model_engine (second))->model_source, ==,
                   files->file);

  gst_yolov7_model_forget (second);
  g_autoptr (GstYolov7Model) third = get (&other, "doors");
  g_autoptr (GstYolov7Model) fourth = get (&none, "doors");
  g_assert_true (third == fourth);
  g_assert_cmpstr (yv_engine_info (gst_yolov7_model_engine (third))->model_source, ==,
                   files->other);
}

static void
a_forgotten_instance_can_be_tried_again (Files *files, gconstpointer data)
{
  (void) data;
  const YvEngineOptions none = {0};
  g_autofree char *away = g_build_filename (files->folder, "away.pt", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstYolov7Model) lost = get (&files->options, "doors");

  gst_yolov7_model_forget (lost);
  g_assert_cmpint (g_rename (files->file, away), ==, 0);
  g_assert_null (gst_yolov7_model_get (&none, "doors", &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_cmpint (g_rename (away, files->file), ==, 0);
  g_autoptr (GstYolov7Model) new = get (&none, "doors");
  g_assert_true (new != lost);
}

/* ---- threads -------------------------------------------------------------------------------- */

typedef struct {
  const YvEngineOptions *options;
  GstYolov7Model *model; /* out */
  GError *error;         /* out */
} User;

static gpointer
run_user (gpointer data)
{
  User *user = data;

  user->model = gst_yolov7_model_get (user->options, NULL, &user->error);
  return NULL;
}

/* One loads, and the others wait for it before it does. */
static void
run_users (User *users, const YvEngineOptions *options)
{
  GThread *threads[N_THREADS];

  g_atomic_int_set (&n_expected, N_THREADS - 1);
  for (guint i = 0; i < N_THREADS; i++) {
    users[i] = (User){.options = options};
    threads[i] = g_thread_new ("user", run_user, &users[i]);
  }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_atomic_int_set (&n_expected, 0);
}

static void
threads_load_a_model_once (Files *files, gconstpointer data)
{
  (void) data;
  User users[N_THREADS];

  run_users (users, &files->options);
  g_assert_cmpint (n_loads, ==, 1);
  for (guint i = 0; i < N_THREADS; i++) {
    g_assert_no_error (users[i].error);
    g_assert_nonnull (users[i].model);
    g_assert_true (users[i].model == users[0].model);
  }
  for (guint i = 0; i < N_THREADS; i++)
    gst_yolov7_model_unref (users[i].model);
  g_assert_cmpint (n_frees, ==, 1);
}

static void
threads_share_a_failure (Files *files, gconstpointer data)
{
  (void) data;
  User users[N_THREADS];

  g_assert_true (g_file_set_contents (files->file, "no model", -1, NULL));
  run_users (users, &files->options);
  g_assert_cmpint (n_loads, ==, 1);
  for (guint i = 0; i < N_THREADS; i++) {
    g_assert_null (users[i].model);
    g_assert_error (users[i].error, YV_ERROR, YV_ERROR_UNSUPPORTED);
    g_assert_cmpstr (users[i].error->message, ==, users[0].error->message);
  }
  for (guint i = 0; i < N_THREADS; i++)
    g_error_free (users[i].error);
}

static gpointer
use_again_and_again (gpointer data)
{
  for (guint i = 0; i < 4; i++) {
    g_autoptr (GstYolov7Model) model = get (data, NULL);
    if (i % 4 == 0)
      gst_yolov7_model_forget (model);
    g_assert_nonnull (yv_engine_info (gst_yolov7_model_engine (model))->device_name);
  }
  return NULL;
}

static void
threads_come_and_go (Files *files, gconstpointer data)
{
  (void) data;
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("user", use_again_and_again, &files->options);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (n_frees, ==, n_loads);
}

int
main (int argc, char **argv)
{
  const struct {
    const char *path;
    void (*run) (Files *files, gconstpointer data);
  } tests[] = {
      {"/model/same", the_same_options_are_the_same_model},
      {"/model/last", the_last_user_drops_the_engine},
      {"/model/paths", any_way_to_the_file_is_the_same_model},
      {"/model/replaced", a_replaced_file_is_another_model},
      {"/model/touched", a_touched_file_is_another_model},
      {"/model/options", other_options_are_another_model},
      {"/model/seed", random_weights_are_shared_by_their_seed},
      {"/model/failure", a_failure_is_not_remembered},
      {"/model/no-file", no_file_at_all_is_the_engines_error},
      {"/model/locks", no_lock_is_held_while_one_is_loaded_or_freed},
      {"/model/instance/id", an_instance_is_shared_by_its_id_alone},
      {"/model/instance/files", an_instance_has_one_model_file},
      {"/model/forgotten/once", a_forgotten_model_is_loaded_anew_once},
      {"/model/forgotten/instance", a_forgotten_instance_keeps_its_files_or_gets_others},
      {"/model/forgotten/retry", a_forgotten_instance_can_be_tried_again},
      {"/model/threads/once", threads_load_a_model_once},
      {"/model/threads/failure", threads_share_a_failure},
      {"/model/threads/traffic", threads_come_and_go},
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Files, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
