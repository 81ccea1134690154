/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/faults/faultcase.c - see faultcase.h. */
#include "tests/faults/faultcase.h"

#include <string.h>

#include "tests/common/paths.h"
#include "tests/model/enginecase.h"

#define N_PICTURES 6
#define N_IN_BATCH 3

/* ---- which faults ---------------------------------------------------------------------------- */

uint32_t
fault_pick_uses (uint32_t n_uses, uint32_t uses[3])
{
  const uint32_t wanted[] = {1, (n_uses + 1) / 2, n_uses};
  uint32_t n = 0;

  for (uint32_t i = 0; n_uses > 0 && i < G_N_ELEMENTS (wanted); i++)
    if (wanted[i] > (n > 0 ? uses[n - 1] : 0))
      uses[n++] = wanted[i];
  return n;
}

void
fault_count_uses (void (*run) (void *data), void *data, GArray *n_uses)
{
  g_array_set_size (n_uses, 0);
  for (uint32_t i = 0; fault_call_name (i); i++) {
    const uint32_t n = fault_count (fault_call_name (i));
    g_array_append_val (n_uses, n);
  }
  run (data);
  for (uint32_t i = 0; i < n_uses->len; i++)
    g_array_index (n_uses, uint32_t, i) =
        fault_count (fault_call_name (i)) - g_array_index (n_uses, uint32_t, i);
}

static uint32_t
count_results (const char *call)
{
  uint32_t n = 0;

  while (fault_call_result (call, n) != VK_SUCCESS)
    n++;
  return n;
}

static void
try_one (const Fault *fault, void (*try_fault) (const Fault *fault, void *data), void *data)
{
  g_test_message ("use %u of %s: %d", fault->nth, fault->call, fault->result);
  fault_arm (fault->call, fault->nth, fault->result, false);
  try_fault (fault, data);
  fault_disarm ();
}

void
fault_try_all (const GArray *n_uses, void (*try_fault) (const Fault *fault, void *data), void *data)
{
  for (uint32_t i = 0; i < n_uses->len; i++) {
    const char *call = fault_call_name (i);
    const uint32_t n_results = count_results (call);
    uint32_t uses[3];
    const uint32_t n = fault_pick_uses (g_array_index (n_uses, uint32_t, i), uses);

    for (uint32_t k = 0; k < n; k++)
      for (uint32_t r = 0; r < (k == 0 ? n_results : 1); r++)
        try_one (&(Fault){call, uses[k], fault_call_result (call, (k + r) % n_results)}, try_fault,
                 data);
  }
}

/* ---- what an error has to be ----------------------------------------------------------------- */

static YvError
code_of_result (VkResult result)
{
  switch ((int) result) {
  case VK_ERROR_DEVICE_LOST:
    return YV_ERROR_DEVICE_LOST;
  case VK_ERROR_INVALID_EXTERNAL_HANDLE:
    return YV_ERROR_UNSUPPORTED;
  case VK_ERROR_INITIALIZATION_FAILED:
  case VK_ERROR_LAYER_NOT_PRESENT:
  case VK_ERROR_EXTENSION_NOT_PRESENT:
  case VK_ERROR_FEATURE_NOT_PRESENT:
  case VK_ERROR_INCOMPATIBLE_DRIVER:
    return YV_ERROR_NO_DEVICE;
  default:
    return YV_ERROR_OUT_OF_MEMORY;
  }
}

/* A loader without drivers, and a device that is lost already, tell so in their own words; and the
 * loader calls for itself what lists extensions, when a device is made. */
void
fault_check_error (const Fault *fault, const GError *error)
{
  g_test_message ("%s", error->message);
  g_assert_error (error, YV_ERROR, (int) code_of_result (fault->result));
  if (strstr (error->message, "no Vulkan dr") || strstr (error->message, "no Vulkan device"))
    return;
  if (fault->result == VK_ERROR_DEVICE_LOST)
    g_assert_nonnull (strstr (error->message, "VK_ERROR_DEVICE_LOST"));
  else
    g_assert_true (strstr (error->message, fault->call) ||
                   strstr (error->message, "vkCreateDevice failed"));
}

/* ---- the engine ------------------------------------------------------------------------------ */

YvEngine *
fault_load (YvPrecision precision, GError **error)
{
  g_autofree char *path = yv_test_source_path ("tests/faults/model.yaml");
  const YvEngineOptions options = {
      .config_file = path, .precision = precision, .tuning = YV_TUNING_OFF};

  return yv_engine_new (&options, error);
}

/* @batch_size: most frames of a batch that streams share; 0: batches are its own */
static YvStream *
new_stream (YvEngine *engine, uint32_t batch_size)
{
  YvStreamOptions options = YV_STREAM_DEFAULTS;

  options.input_size = 64;
  options.confidence_threshold = 0.001f;
  options.shares_batches = batch_size > 0;
  options.batch_size = batch_size;
  options.max_in_flight = batch_size > 0 ? N_PICTURES : 0;
  return open_stream (engine, &options);
}

/* Every other one is small, so that slots have to grow. */
static YvImage
picture (uint8_t *pixels, uint32_t index)
{
  YvImage image = draw_picture (pixels, 7 * index);

  if (index % 2 == 0) {
    image.width = FRAME_W / 2;
    image.height = FRAME_H / 2;
  }
  return image;
}

/* ---- what is right --------------------------------------------------------------------------- */

static GBytes *expected[YV_PRECISION_FP16 + 1][N_PICTURES]; /* detections of each picture */

void
fault_note_expected (YvEngine *engine)
{
  g_autoptr (YvStream) stream = new_stream (engine, 0);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  GBytes **row = expected[engine->info.precision];

  for (uint32_t i = 0; i < N_PICTURES; i++) {
    const YvImage image = picture (pixels, i);
    g_autoptr (GError) error = NULL;
    const YvDetections *found = yv_stream_detect (stream, &image, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (found->n_detections, >, 0);
    g_clear_pointer (&row[i], g_bytes_unref);
    row[i] = g_bytes_new (found->detections, found->n_detections * sizeof *found->detections);
  }
}

static void
check_detections (const YvEngine *engine, const YvDetections *found, uint32_t index)
{
  GBytes *wanted = expected[engine->info.precision][index];

  g_assert_cmpmem (found->detections, found->n_detections * sizeof *found->detections,
                   g_bytes_get_data (wanted, NULL), g_bytes_get_size (wanted));
}

/* ---- a stream -------------------------------------------------------------------------------- */

typedef struct {
  YvEngine *engine;
  YvStream *stream;
  YvFrameMemory *memory; /* NULL until it is made */
  uint8_t *pixels;
  const Fault *fault;
  uint32_t n_failed;
  bool is_lost;
} Run;

static bool
note_error (Run *run, const GError *error)
{
  g_assert_nonnull (error);
  if (!run->fault)
    g_error ("nothing was to fail: %s", error->message);
  fault_check_error (run->fault, error);
  run->is_lost |= g_error_matches (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
  run->n_failed++;
  return false;
}

static bool
judge (Run *run, const YvDetections *found, uint32_t index, const GError *error)
{
  if (!found)
    return note_error (run, error);
  g_assert_no_error (error);
  g_assert_false (run->is_lost);
  check_detections (run->engine, found, index);
  return true;
}

/* What a stream does: true if all of it was right. @index: of a picture. */
typedef bool Act (Run *run, uint32_t index);

static bool
prepare (Run *run, uint32_t index)
{
  g_autoptr (GError) error = NULL;

  (void) index;
  return yv_stream_prepare (run->stream, FRAME_W, FRAME_H, &error) || note_error (run, error);
}

static bool
detect (Run *run, uint32_t index)
{
  const YvImage image = picture (run->pixels, index);
  g_autoptr (GError) error = NULL;
  const YvDetections *found = yv_stream_detect (run->stream, &image, &error);

  return judge (run, found, index, error);
}

static bool
detect_in_place (Run *run, uint32_t index)
{
  g_autoptr (GError) error = NULL;

  if (!run->memory)
    run->memory = yv_frame_memory_new (run->engine, FRAME_BYTES, &error);
  if (!run->memory)
    return note_error (run, error);

  YvImage image = picture (yv_frame_memory_bytes (run->memory), index);
  image.memory = run->memory;
  const YvDetections *found = yv_stream_detect (run->stream, &image, &error);
  return judge (run, found, index, error);
}

/* Where the device can read memory of others. */
static bool
detect_imported (Run *run, uint32_t index)
{
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  g_autoptr (GError) error = NULL;
  YvFrameMemory *memory = yv_frame_memory_import (run->engine, pixels, FRAME_BYTES, &error);

  if (!memory && strstr (error->message, "cannot read memory of others"))
    return true;
  if (!memory)
    return note_error (run, error);

  YvImage image = picture (pixels, index);
  image.memory = memory;
  const YvDetections *found = yv_stream_detect (run->stream, &image, &error);
  const bool done = judge (run, found, index, error);
  yv_frame_memory_free (memory);
  return done;
}

static bool
detect_batch (Run *run, uint32_t index)
{
  g_autofree uint8_t *pixels = g_malloc (N_IN_BATCH * FRAME_BYTES);
  YvImage images[N_IN_BATCH];
  const YvDetections *results[N_IN_BATCH] = {0};
  g_autoptr (GError) error = NULL;

  for (uint32_t i = 0; i < N_IN_BATCH; i++)
    images[i] = picture (pixels + i * FRAME_BYTES, index + i);
  if (!yv_stream_detect_batch (run->stream, images, N_IN_BATCH, results, &error))
    return note_error (run, error);
  for (uint32_t i = 0; i < N_IN_BATCH; i++)
    check_detections (run->engine, &results[0][i], index + i);
  return true;
}

static bool
submit (Run *run, uint32_t index)
{
  const YvImage image = picture (run->pixels, index);
  const uint32_t n_before = yv_stream_n_in_flight (run->stream);
  g_autoptr (GError) error = NULL;
  const bool done = yv_stream_submit (run->stream, &image, 1, &error);

  g_assert_cmpuint (yv_stream_n_in_flight (run->stream), ==, n_before + done);
  return done || note_error (run, error);
}

static bool
collect (Run *run, uint32_t index)
{
  g_autoptr (GError) error = NULL;
  const uint32_t n_before = yv_stream_n_in_flight (run->stream);
  const YvDetections *found = yv_stream_collect (run->stream, NULL, &error);

  g_assert_cmpuint (yv_stream_n_in_flight (run->stream), ==, n_before - 1);
  return judge (run, found, index, error);
}

/* Of two in flight the one is right, whatever becomes of the other. */
static bool
fly (Run *run, uint32_t index)
{
  const bool first = submit (run, index), second = submit (run, index + 1);
  const bool first_done = !first || collect (run, index);
  const bool second_done = !second || collect (run, index + 1);

  g_assert_cmpuint (yv_stream_n_in_flight (run->stream), ==, 0);
  return first && second && first_done && second_done;
}

static bool
fly_and_abandon (Run *run, uint32_t index)
{
  const bool first = submit (run, index), second = submit (run, index + 1);

  yv_stream_abandon (run->stream);
  g_assert_cmpuint (yv_stream_n_in_flight (run->stream), ==, 0);
  return first && second;
}

/* As many as there are pictures, whose results come in order. */
static bool
fly_many (Run *run, uint32_t first)
{
  bool is_flying[N_PICTURES], done = true;

  for (uint32_t i = first; i < N_PICTURES; i++)
    done &= is_flying[i] = submit (run, i);
  for (uint32_t i = first; i < N_PICTURES; i++)
    done &= !is_flying[i] || collect (run, i);
  return done;
}

/* In an order in which each has something new to make. */
typedef struct {
  Act *act;
  uint32_t index;
} Turn;

static const Turn turns[] = {
    {prepare, 0},      {detect, 0},          {detect, 1}, {detect_in_place, 2}, {fly, 2},
    {fly, 3},          {fly_and_abandon, 4}, {detect, 4}, {detect_imported, 3}, {fly, 0},
    {detect_batch, 1}, {detect, 5},
};

/* Of streams that share their batches. */
static const Turn shared_turns[] = {
    {prepare, 0}, {fly_many, 0}, {fly_and_abandon, 4}, {fly_many, 3}};

static void
run_init (Run *run, YvEngine *engine, bool shares_batches, const Fault *fault)
{
  *run = (Run){.engine = engine,
               .stream = new_stream (engine, shares_batches ? N_IN_BATCH : 0),
               .pixels = g_malloc (FRAME_BYTES),
               .fault = fault};
}

/* One frame stays in flight: who frees a stream need not collect. */
static void
run_clear (Run *run)
{
  const YvImage image = picture (run->pixels, 0);

  yv_stream_submit (run->stream, &image, 1, NULL);
  yv_stream_free (run->stream);
  yv_frame_memory_free (run->memory);
  g_free (run->pixels);
  yv_engine_drop_idle_runners (run->engine);
}

/* What only makes ready may need nothing of a device that is lost. */
static void
act_twice (Run *run, Act *act, uint32_t index)
{
  if (act (run, index))
    return;
  const bool done = act (run, index);
  g_assert_true (done != run->is_lost || act == prepare);
}

static uint32_t
run_turns (YvEngine *engine, const Turn *some, size_t n, const Fault *fault)
{
  Run run;

  run_init (&run, engine, some == shared_turns, fault);
  for (size_t i = 0; i < n; i++)
    act_twice (&run, some[i].act, some[i].index);
  run_clear (&run);
  return run.n_failed;
}

uint32_t
fault_stream (YvEngine *engine, const Fault *fault)
{
  return run_turns (engine, turns, G_N_ELEMENTS (turns), fault);
}

uint32_t
fault_share (YvEngine *engine, const Fault *fault)
{
  return run_turns (engine, shared_turns, G_N_ELEMENTS (shared_turns), fault);
}

void
fault_prepare_batches (YvEngine *engine)
{
  for (uint32_t n = 1; n <= N_IN_BATCH; n++) {
    g_autoptr (YvStream) stream = new_stream (engine, n);
    g_autoptr (GError) error = NULL;

    yv_stream_prepare (stream, FRAME_W, FRAME_H, &error);
    g_assert_no_error (error);
  }
  yv_engine_drop_idle_runners (engine);
}

uint32_t
fault_stream_short_of_memory (YvEngine *engine, bool shares_batches)
{
  const Fault shortage = {"vkAllocateMemory", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY};
  const Turn *some = shares_batches ? shared_turns : turns;
  Run run;

  run_init (&run, engine, shares_batches, &shortage);
  for (size_t i = 0; i < (shares_batches ? G_N_ELEMENTS (shared_turns) : G_N_ELEMENTS (turns)); i++)
    some[i].act (&run, some[i].index);
  run_clear (&run);
  return run.n_failed;
}

void
fault_check_works (YvEngine *engine)
{
  Run run;

  run_init (&run, engine, false, NULL);
  detect (&run, 1);
  run_clear (&run);
}
