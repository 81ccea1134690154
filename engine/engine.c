/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/engine.c - loads a model onto a device, and keeps what was made ready for each size.
 */
#include "engine/engine.h"

#include "engine/graph/build.h"
#include "engine/memory.h"
#include "engine/passes/passes.h"
#include "engine/selftest.h"
#include "engine/tune.h"

/* Runners that nobody uses: enough for a folder of pictures of a few shapes; each costs an arena.
 */
#define MAX_IDLE_RUNNERS 4

YvModel *
yv_engine_read_model (const char *model_file, const char *config_file, YvCheckpoint **checkpoint,
                      GError **error)
{
  g_autoptr (YvCheckpoint) opened = NULL;

  if (!model_file && !config_file) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "neither a model file nor a config file is given");
    return NULL;
  }
  if (model_file) {
    opened = yv_checkpoint_open (model_file, error);
    if (!opened)
      return NULL;
  }
  YvModel *model = yv_model_load (opened, config_file, error);
  if (model)
    *checkpoint = g_steal_pointer (&opened);
  return model;
}

char *
yv_engine_warning_of (const YvCheckpoint *checkpoint, const YvModel *model)
{
  g_autofree char *warning = checkpoint ? yv_checkpoint_warning (checkpoint, model->tensors) : NULL;

  return warning ? g_strdup_printf ("%s: %s", yv_checkpoint_path (checkpoint), warning) : NULL;
}

uint32_t
yv_engine_default_size (uint32_t max_stride)
{
  return max_stride >= 64 ? 1280 : 640;
}

bool
yv_engine_obj_only (const YvEngine *engine)
{
  return engine->info.n_classes == 1;
}

/* Frames have red, green and blue. */
static bool
check_input (const YvModel *model, GError **error)
{
  if (model->n_input_channels == 3)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s: the network takes %u input channels, expected 3 (red, green, blue)",
               model->source, model->n_input_channels);
  return false;
}

/* The model itself is dropped here: the graph needs only the checkpoint's tensors. */
static bool
load_model (YvEngine *engine, const YvEngineOptions *options, GError **error)
{
  g_autoptr (YvModel) model =
      yv_engine_read_model (options->model_file, options->config_file, &engine->checkpoint, error);

  if (!model || !check_input (model, error))
    return false;
  engine->graph = yv_graph_build (model, options->seed, error);
  if (!engine->graph) {
    g_prefix_error (error, "%s: ", model->source);
    return false;
  }
  yv_passes_run (engine->graph, NULL);

  engine->class_names = g_strdupv (model->class_names);
  engine->model_source = g_strdup (model->source);
  engine->warning = yv_engine_warning_of (engine->checkpoint, model);
  engine->info.n_classes = model->n_classes;
  engine->info.max_stride = yv_graph_max_stride (engine->graph);
  return true;
}

static bool
is_reference (const char *device)
{
  return device && g_ascii_strcasecmp (device, "reference") == 0;
}

/* Elements and tools have no option for it. */
static bool
uses_tuning (YvTuning tuning)
{
  return tuning != YV_TUNING_OFF && g_strcmp0 (g_getenv ("YV_TUNING"), "off") != 0;
}

static bool
open_device (YvEngine *engine, const char *selector, YvTuning tuning, YvCaps *caps, GError **error)
{
  if (is_reference (selector)) {
    yv_caps_init_reference (caps);
  } else {
    engine->device = yv_device_new (selector, error);
    if (!engine->device)
      return false;
    engine->store = yv_weight_store_new (engine->device);
    engine->ways = uses_tuning (tuning) ? yv_tune_load (engine->device) : NULL;
    *caps = *yv_device_caps (engine->device);
  }
  engine->device_name = g_strdup (caps->name);
  return true;
}

static void
close_device (YvEngine *engine)
{
  g_clear_pointer (&engine->ways, yv_ways_free);
  g_clear_pointer (&engine->store, yv_weight_store_free);
  if (engine->device)
    yv_device_retire (engine->device);
  g_clear_pointer (&engine->device, yv_device_unref);
  g_clear_pointer (&engine->device_name, g_free);
}

static bool
check_options (const YvEngineOptions *options, GError **error)
{
  if ((unsigned) options->precision <= YV_PRECISION_FP16 &&
      (unsigned) options->fallback <= YV_FALLBACK_NONE &&
      (unsigned) options->tuning <= YV_TUNING_OFF)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "precision %d, fallback %d, tuning %d: expected auto, fp32 or fp16; fp32 or none; "
               "auto or off",
               (int) options->precision, (int) options->fallback, (int) options->tuning);
  return false;
}

/* Does the device store 16-bit floats, and compute rightly with them? The reference does. */
static bool
check_fp16 (YvEngine *engine, const YvCaps *caps, GError **error)
{
  if (caps->fp16_storage)
    return !engine->device || yv_selftest_fp16 (engine, error);
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "it cannot store 16-bit floats");
  return false;
}

static void
add_warning (YvEngine *engine, const char *warning)
{
  char *both =
      engine->warning ? g_strdup_printf ("%s; %s", engine->warning, warning) : g_strdup (warning);

  g_free (engine->warning);
  engine->warning = both;
}

/* As a rule the largest stride, but a layer between the heads may have a larger one. */
static bool
find_smallest_size (YvEngine *engine, const YvCaps *caps, GError **error)
{
  const uint32_t stride = engine->info.max_stride;
  const uint32_t largest = yv_engine_default_size (stride);

  for (uint32_t side = stride;; side *= 2) {
    const YvPlanOptions options = {.n = 1, .h = side, .w = side, .dtype = YV_DTYPE_F32};
    g_autoptr (GError) why = NULL;
    g_autoptr (YvPlan) plan = yv_plan_new (engine->graph, caps, &options, &why);

    engine->smallest_size = side;
    if (plan)
      return true;
    if (side < largest && g_error_matches (why, YV_ERROR, YV_ERROR_MALFORMED))
      continue;
    g_propagate_prefixed_error (error, g_steal_pointer (&why), "%s: ", engine->model_source);
    return false;
  }
}

/* The device is opened afresh: one that was lost stays so, and the weights that the check packed go
 * with the store. It is the same one, whatever the user's selector means by now. */
static bool
fall_back (YvEngine *engine, YvCaps *caps, const char *why, GError **error)
{
  g_autofree char *warning = g_strdup_printf (
      "device \"%s\" is used in fp32, which is slower, because it fails in fp16: %s; a newer "
      "driver may help, `yolov7 selftest` tells more",
      engine->device_name, why);
  g_autofree char *name = g_strdup (engine->device_name);
  g_autofree char *uuid = g_strdup (yv_device_uuid (engine->device));
  const YvTuning tuning = engine->ways ? YV_TUNING_AUTO : YV_TUNING_OFF;

  add_warning (engine, warning);
  engine->info.precision = YV_PRECISION_FP32;
  close_device (engine);
  if (open_device (engine, uuid, tuning, caps, error))
    return find_smallest_size (engine, caps, error);
  g_prefix_error (error, "device \"%s\" fails in fp16 (%s), and cannot be opened again: ", name,
                  why);
  return false;
}

/* Rather than of the file, the options or the memory, which fp32 does not mend. */
static bool
is_fault_of_fp16 (const GError *error)
{
  return !g_error_matches (error, YV_ERROR, YV_ERROR_IO) &&
         !g_error_matches (error, YV_ERROR, YV_ERROR_MALFORMED) &&
         !g_error_matches (error, YV_ERROR, YV_ERROR_INVALID) &&
         !g_error_matches (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
}

static bool
choose_precision (YvEngine *engine, const YvEngineOptions *options, YvCaps *caps, GError **error)
{
  const bool is_auto = options->precision == YV_PRECISION_AUTO;
  const bool prefers_fp16 = caps->fp16_storage && !caps->is_cpu && !caps->is_reference;
  const bool wants_fp16 = is_auto ? prefers_fp16 : options->precision == YV_PRECISION_FP16;
  g_autoptr (GError) wrong = NULL;

  engine->info.precision = wants_fp16 ? YV_PRECISION_FP16 : YV_PRECISION_FP32;
  if (!wants_fp16 || check_fp16 (engine, caps, &wrong))
    return true;
  if (!is_fault_of_fp16 (wrong)) {
    g_propagate_error (error, g_steal_pointer (&wrong));
    return false;
  }
  if (!is_auto && options->fallback == YV_FALLBACK_NONE) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "device \"%s\" fails in fp16: %s; use precision fp32, or let it fall back",
                 caps->name, wrong->message);
    return false;
  }
  return fall_back (engine, caps, wrong->message, error);
}

static void
fill_info (YvEngine *engine)
{
  engine->info.class_names = (const char *const *) engine->class_names;
  engine->info.default_size = yv_engine_default_size (engine->info.max_stride);
  engine->info.device_name = engine->device_name;
  engine->info.model_source = engine->model_source;
  engine->info.warning = engine->warning;
}

/* Makes the smallest network there is and throws it away: the packed weights and the pipelines
 * stay, so that the first frame finds those that its size takes, too, and a device that cannot hold
 * them is known at once. Where a size has other ways, the weights of those are packed with it. */
static bool
pack_weights (YvEngine *engine, GError **error)
{
  const uint32_t side = engine->smallest_size;
  const YvPlanOptions options = {
      .n = 1,
      .h = side,
      .w = side,
      .dtype = engine->info.precision == YV_PRECISION_FP16 ? YV_DTYPE_F16 : YV_DTYPE_F32,
      .ways = engine->ways,
  };
  g_autoptr (YvRunner) runner =
      yv_runner_new (engine->graph, &options, engine->device, engine->store, error);

  if (!runner)
    g_prefix_error (error, "%s: ", engine->model_source);
  return runner != NULL;
}

static bool
load (YvEngine *engine, const YvEngineOptions *options, GError **error)
{
  const int64_t start_us = g_get_monotonic_time ();
  YvCaps caps;

  if (!check_options (options, error) || !load_model (engine, options, error) ||
      !open_device (engine, options->device, options->tuning, &caps, error))
    return false;
  if (!find_smallest_size (engine, &caps, error) ||
      !choose_precision (engine, options, &caps, error))
    return false;
  fill_info (engine);
  if (!pack_weights (engine, error))
    return false;
  engine->info.load_ns = (uint64_t) (g_get_monotonic_time () - start_us) * 1000;
  return true;
}

/* Frees in reverse order of creation; fields that were never reached are NULL. */
static void
free_engine (YvEngine *engine)
{
  g_ptr_array_unref (engine->busy);
  g_ptr_array_unref (engine->runners);
  close_device (engine);
  yv_graph_free (engine->graph);
  yv_checkpoint_free (engine->checkpoint);
  g_strfreev (engine->class_names);
  g_free (engine->model_source);
  g_free (engine->warning);
  g_cond_clear (&engine->done);
  g_mutex_clear (&engine->tuning);
  g_mutex_clear (&engine->mutex);
  g_free (engine);
}

const char *
yv_version (void)
{
  return YV_VERSION;
}

YvEngine *
yv_engine_new (const YvEngineOptions *options, GError **error)
{
  g_autoptr (YvEngine) engine = g_new0 (YvEngine, 1);

  g_atomic_ref_count_init (&engine->n_refs);
  g_mutex_init (&engine->mutex);
  g_mutex_init (&engine->tuning);
  g_cond_init (&engine->done);
  engine->busy = g_ptr_array_new ();
  engine->runners = g_ptr_array_new_with_free_func ((GDestroyNotify) yv_runner_free);
  if (!load (engine, options, error))
    return NULL;
  return g_steal_pointer (&engine);
}

YvEngine *
yv_engine_ref (YvEngine *engine)
{
  g_atomic_ref_count_inc (&engine->n_refs);
  return engine;
}

void
yv_engine_unref (YvEngine *engine)
{
  if (engine && g_atomic_ref_count_dec (&engine->n_refs))
    free_engine (engine);
}

const YvEngineInfo *
yv_engine_info (const YvEngine *engine)
{
  return &engine->info;
}

void
yv_engine_memory (YvEngine *engine, YvEngineMemory *out)
{
  *out = (YvEngineMemory){0};
  if (!engine->device)
    return;

  YvDevice *device = engine->device;
  out->weights_bytes = yv_weight_store_size_bytes (engine->store);
  const uint64_t local_bytes = yv_device_used_bytes (device, YV_BUFFER_LOCAL);
  out->activations_bytes = local_bytes - MIN (local_bytes, out->weights_bytes) +
                           yv_device_used_bytes (device, YV_BUFFER_READBACK);
  out->frames_bytes = yv_device_used_bytes (device, YV_BUFFER_FRAMES) +
                      yv_device_used_bytes (device, YV_BUFFER_UPLOAD);
}

/* Lists with room for every class serve those who want the best alone. */
static bool
serves (const YvPlanOptions *a, const YvPlanOptions *wanted)
{
  return a->n == wanted->n && a->h == wanted->h && a->w == wanted->w && a->dtype == wanted->dtype &&
         a->tensor_input == wanted->tensor_input && a->dense_rows == wanted->dense_rows &&
         a->keep_all == wanted->keep_all && (a->multi_label || !wanted->multi_label);
}

static YvRunner *
find_runner_locked (YvEngine *engine, const YvPlanOptions *options)
{
  for (uint32_t i = 0; i < engine->runners->len; i++) {
    YvRunner *runner = g_ptr_array_index (engine->runners, i);

    if (serves (&runner->plan->options, options))
      return runner;
  }
  return NULL;
}

static bool
is_busy_locked (const YvEngine *engine, const YvPlanOptions *options)
{
  for (uint32_t i = 0; i < engine->busy->len; i++)
    if (serves (g_ptr_array_index (engine->busy, i), options))
      return true;
  return false;
}

/* NULL: there is none, and nobody is at it. */
static YvRunner *
wait_for_runner_locked (YvEngine *engine, const YvPlanOptions *options)
{
  YvRunner *found;

  while (!(found = find_runner_locked (engine, options)) && is_busy_locked (engine, options))
    g_cond_wait (&engine->done, &engine->mutex);
  return found;
}

/* Among the runners from now on, where there is one. */
static void
end_busy_locked (YvEngine *engine, const YvPlanOptions *options, YvRunner *runner)
{
  g_ptr_array_remove_fast (engine->busy, (gpointer) options);
  if (runner)
    g_ptr_array_add (engine->runners, runner);
  g_cond_broadcast (&engine->done);
}

/* Takes out the one nobody uses that was used longest ago, if more than @n_allowed are idle. */
static YvRunner *
take_idle_locked (YvEngine *engine, uint32_t n_allowed)
{
  YvRunner *oldest = NULL;
  uint32_t n_idle = 0, oldest_index = 0;

  for (uint32_t i = 0; i < engine->runners->len; i++) {
    YvRunner *runner = g_ptr_array_index (engine->runners, i);

    if (runner->n_users > 0)
      continue;
    n_idle++;
    if (!oldest || runner->last_use < oldest->last_use) {
      oldest = runner;
      oldest_index = i;
    }
  }
  return n_idle > n_allowed ? g_ptr_array_steal_index_fast (engine->runners, oldest_index) : NULL;
}

/* Freeing waits for the device, so it happens outside the lock. */
static bool
drop_idle (YvEngine *engine, uint32_t n_allowed)
{
  bool dropped = false;

  for (;;) {
    g_mutex_lock (&engine->mutex);
    g_autoptr (YvRunner) runner = take_idle_locked (engine, n_allowed);
    g_mutex_unlock (&engine->mutex);
    if (!runner)
      return dropped;
    dropped = true;
  }
}

/* A CPU compiles each kernel for longer than a frame takes, and its usual ways have been measured;
 * there it is left to `yolov7 tune`. Where it fails, the usual ways are there, but for a device
 * that is lost. */
static bool
tune_network (YvEngine *engine, const YvPlanOptions *options, GError **error)
{
  const YvTuneRequest request = {
      .device = engine->device,
      .graph = engine->graph,
      .options = options,
      .ways = engine->ways,
      .budget_ns = YV_TUNE_BUDGET_NS,
      .keeps = true,
  };
  g_autoptr (GError) why = NULL;
  YvTuneTotals totals;

  if (!engine->ways || yv_device_caps (engine->device)->is_cpu)
    return true;
  g_mutex_lock (&engine->tuning);
  const bool is_done = yv_tune (&request, &totals, &why);
  g_mutex_unlock (&engine->tuning);
  if (is_done)
    return true;
  if (g_error_matches (why, YV_ERROR, YV_ERROR_DEVICE_LOST)) {
    g_propagate_error (error, g_steal_pointer (&why));
    return false;
  }
  g_debug ("tuning: %s", why->message);
  return true;
}

/* A runner may pack weights, which still lie in the mapped file: rewritten in place they would be
 * others, and cut short they would end the process. */
static YvRunner *
new_runner_of_file (YvEngine *engine, const YvPlanOptions *options, GError **error)
{
  if (engine->checkpoint && !yv_checkpoint_check_unchanged (engine->checkpoint, error))
    return NULL;
  if (!tune_network (engine, options, error))
    return NULL;
  YvRunner *runner = yv_runner_new (engine->graph, options, engine->device, engine->store, error);

  if (runner && engine->device)
    yv_device_save_pipelines (engine->device);
  return runner;
}

/* Where memory runs out, what lies idle is given up for it. */
static YvRunner *
new_runner (YvEngine *engine, const YvPlanOptions *options, GError **error)
{
  g_autoptr (GError) first_error = NULL;
  YvRunner *runner = new_runner_of_file (engine, options, &first_error);

  if (!runner && g_error_matches (first_error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY) &&
      drop_idle (engine, 0))
    return new_runner_of_file (engine, options, error);
  if (!runner)
    g_propagate_error (error, g_steal_pointer (&first_error));
  return runner;
}

static YvPlanOptions
with_dtype (const YvEngine *engine, const YvPlanOptions *options)
{
  YvPlanOptions complete = *options;

  complete.dtype = engine->info.precision == YV_PRECISION_FP16 ? YV_DTYPE_F16 : YV_DTYPE_F32;
  complete.ways = engine->ways;
  return complete;
}

YvRunner *
yv_engine_make_runner (YvEngine *engine, const YvPlanOptions *options, GError **error)
{
  const YvPlanOptions complete = with_dtype (engine, options);

  return new_runner (engine, &complete, error);
}

YvRunner *
yv_engine_use_runner (YvEngine *engine, const YvPlanOptions *options, GError **error)
{
  YvPlanOptions complete = with_dtype (engine, options);

  g_mutex_lock (&engine->mutex);
  YvRunner *runner = wait_for_runner_locked (engine, &complete);
  if (runner)
    runner->n_users++;
  else
    g_ptr_array_add (engine->busy, &complete);
  g_mutex_unlock (&engine->mutex);
  if (runner)
    return runner;

  runner = new_runner (engine, &complete, error);
  if (runner)
    runner->n_users = 1;
  g_mutex_lock (&engine->mutex);
  end_busy_locked (engine, &complete, runner);
  g_mutex_unlock (&engine->mutex);
  return runner;
}

YvRunner *
yv_engine_share_runner (YvEngine *engine, YvRunner *runner)
{
  g_mutex_lock (&engine->mutex);
  g_assert (runner->n_users > 0);
  runner->n_users++;
  g_mutex_unlock (&engine->mutex);
  return runner;
}

void
yv_engine_leave_runner (YvEngine *engine, YvRunner *runner)
{
  if (!runner)
    return;
  g_mutex_lock (&engine->mutex);
  g_assert (runner->n_users > 0);
  runner->n_users--;
  runner->last_use = ++engine->n_uses;
  g_mutex_unlock (&engine->mutex);
  drop_idle (engine, MAX_IDLE_RUNNERS);
}

static void
take_all_idle_locked (YvEngine *engine, GPtrArray *idle)
{
  for (uint32_t i = engine->runners->len; i > 0; i--) {
    YvRunner *runner = g_ptr_array_index (engine->runners, i - 1);

    if (runner->n_users > 0)
      continue;
    g_ptr_array_add (idle, g_ptr_array_steal_index_fast (engine->runners, i - 1));
    g_ptr_array_add (engine->busy, &runner->plan->options);
  }
}

/* Outside the lock, since it frees much; whoever wants one of them waits until that is done. */
void
yv_engine_forget_frames (YvEngine *engine)
{
  g_autoptr (GPtrArray) idle = g_ptr_array_new ();

  g_mutex_lock (&engine->mutex);
  take_all_idle_locked (engine, idle);
  g_mutex_unlock (&engine->mutex);
  for (uint32_t i = 0; i < idle->len; i++) {
    YvRunner *runner = g_ptr_array_index (idle, i);

    runner->executor->klass->forget_frames (runner->executor);
    g_mutex_lock (&engine->mutex);
    end_busy_locked (engine, &runner->plan->options, runner);
    g_mutex_unlock (&engine->mutex);
  }
}

bool
yv_engine_drop_idle_runners (YvEngine *engine)
{
  return drop_idle (engine, 0);
}

static bool
check_memory_size (size_t size_bytes, GError **error)
{
  if (size_bytes >= 1 && size_bytes <= YV_MAX_FRAME_MEMORY_BYTES)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "memory of %zu bytes for a frame, expected 1 to %u", size_bytes,
               YV_MAX_FRAME_MEMORY_BYTES);
  return false;
}

YvFrameMemory *
yv_frame_memory_new (YvEngine *engine, size_t size_bytes, GError **error)
{
  if (!check_memory_size (size_bytes, error))
    return NULL;
  return engine->device ? yv_vulkan_memory_new (engine->device, size_bytes, error)
                        : yv_memory_new_plain (size_bytes, error);
}

YvFrameMemory *
yv_frame_memory_import (YvEngine *engine, void *bytes, size_t size_bytes, GError **error)
{
  if (!check_memory_size (size_bytes, error))
    return NULL;
  if (engine->device)
    return yv_vulkan_memory_import (engine->device, bytes, size_bytes, error);
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "the reference copies its frames");
  return NULL;
}

bool
yv_frame_memory_is_of (const YvFrameMemory *memory, const YvEngine *engine)
{
  if (!memory->device)
    return false;
  return engine ? memory->device == engine->device : !yv_device_is_retired (memory->device);
}

uint8_t *
yv_frame_memory_bytes (YvFrameMemory *memory)
{
  return memory->bytes;
}

void
yv_frame_memory_free (YvFrameMemory *memory)
{
  yv_memory_give_up (memory);
}

char *
yv_device_list_text (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) devices = yv_device_list (&error);
  GString *text = g_string_new (NULL);

  if (!devices)
    g_string_append_printf (text, "%s\n", error->message);
  else if (devices->len == 0)
    g_string_append (text, "no Vulkan device\n");
  for (uint32_t i = 0; devices && i < devices->len; i++) {
    const YvDeviceInfo *info = &g_array_index (devices, YvDeviceInfo, i);

    g_string_append_printf (text, "%u: %s (%s, %s)\n", info->index, info->name, info->type,
                            info->driver);
  }
  return g_string_free (text, FALSE);
}
