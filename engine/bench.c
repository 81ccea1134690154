/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/bench.c - how long each stage takes, on pictures of exactly the network's size.
 */
#include <stdlib.h>
#include <time.h>

#include "engine/engine.h"
#include "engine/plan/pack.h"
#include "engine/post/nms.h"
#include "engine/stream.h"

#define MAX_SIDE 8192
#define MAX_RUNS 1000000

/* Of each slot: before the second it is recorded as its device wants it (vulkan/slot.h). */
#define WARM_RUNS 2

enum { UPLOAD, LETTERBOX, NETWORK, DECODE, READBACK, NMS, TOTAL, HOST, N_STAGES };

typedef struct {
  YvEngine *engine;
  YvRunner *runner;
  uint32_t n_batch;
  uint8_t *pixels;       /* of all pictures, */
  YvFrameMemory *memory; /* or NULL and this */
  YvImage *images;
  YvLetterbox *letterboxes;
  const struct YvCandidate **lists;
  uint32_t *n_candidates;
  YvNms *nms;
  YvDetection *detections;
  uint32_t n_detections;              /* of the last run */
  uint32_t n_slots, slot;             /* taken: 0 to n_slots - 1; the one whose turn it is */
  int64_t start_us;                   /* when there was an engine and pictures, and nothing else */
  double first_ms;                    /* from there to the first detections */
  double counted_from_ms, counted_ms; /* all runs but those of warm-up */
  double *ms[N_STAGES];               /* [warm-up and runs] */
  double *step_ms;                    /* [n steps][n_runs], while profiled */
  uint32_t n_warmup, n_runs;          /* the latter without the former */
  const uint64_t *step_ns;            /* of the last run; NULL unless profiled */
} Bench;

static void
bench_clear (Bench *bench)
{
  for (int i = 0; i < N_STAGES; i++)
    g_free (bench->ms[i]);
  g_free (bench->detections);
  yv_nms_free (bench->nms);
  g_free (bench->n_candidates);
  g_free (bench->lists);
  g_free (bench->letterboxes);
  g_free (bench->images);
  for (uint32_t i = 0; i < bench->n_slots; i++)
    yv_runner_give_slot (bench->runner, i);
  yv_runner_free (bench->runner);
  yv_frame_memory_free (bench->memory);
  g_free (bench->pixels);
  g_free (bench->step_ms);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static bool
check_options (const YvBenchOptions *options, GError **error)
{
  if (options->width >= 1 && options->width <= MAX_SIDE && options->height >= 1 &&
      options->height <= MAX_SIDE && options->batch >= 1 && options->batch <= YV_MAX_BATCH &&
      options->n_runs >= 1 && options->n_runs <= MAX_RUNS && options->n_warmup <= MAX_RUNS &&
      options->in_flight <= YV_MAX_IN_FLIGHT)
    return true;
  g_set_error (
      error, YV_ERROR, YV_ERROR_INVALID,
      "bench of %u runs after %u, of %u pictures of %ux%u px: expected 1 to %d runs after at "
      "most %d, of 1 to %d pictures of 1 to %d px a side; and at most %d in flight, not %u",
      options->n_runs, options->n_warmup, options->batch, options->width, options->height, MAX_RUNS,
      MAX_RUNS, YV_MAX_BATCH, MAX_SIDE, YV_MAX_IN_FLIGHT, options->in_flight);
  return false;
}

/* Noise, the same on every machine: a picture that no cache and no clock can make easier. */
static void
fill_pixels (uint8_t *pixels, size_t n)
{
  uint32_t state = 1;

  for (size_t i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u; /* Numerical Recipes' generator */
    pixels[i] = (uint8_t) (state >> 24);
  }
}

/* Where all pictures lie. */
static uint8_t *
make_pixels (Bench *bench, size_t n_bytes, bool in_place, GError **error)
{
  if (in_place) {
    bench->memory = yv_frame_memory_new (bench->engine, n_bytes, error);
    return bench->memory ? yv_frame_memory_bytes (bench->memory) : NULL;
  }
  bench->pixels = g_try_malloc (n_bytes);
  if (!bench->pixels)
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory for %zu bytes of pictures",
                 n_bytes);
  return bench->pixels;
}

static bool
make_pictures (Bench *bench, const YvBenchOptions *options, GError **error)
{
  const size_t image_bytes = (size_t) options->width * options->height * 3;
  const YvLetterbox whole = {
      .frame_w = options->width,
      .frame_h = options->height,
      .net_w = options->width,
      .net_h = options->height,
      .resized_w = options->width,
      .resized_h = options->height,
  };
  uint8_t *pixels = make_pixels (bench, options->batch * image_bytes, options->in_place, error);

  if (!pixels)
    return false;
  fill_pixels (pixels, options->batch * image_bytes);
  bench->images = g_new0 (YvImage, options->batch);
  bench->letterboxes = g_new0 (YvLetterbox, options->batch);
  for (uint32_t i = 0; i < options->batch; i++) {
    bench->images[i] = (YvImage){.format = YV_FORMAT_RGB,
                                 .width = options->width,
                                 .height = options->height,
                                 .planes = {pixels + i * image_bytes},
                                 .stride_bytes = {options->width * 3},
                                 .memory = bench->memory};
    bench->letterboxes[i] = whole;
  }
  return true;
}

/* The runner is new, so they are the first. */
static bool
take_slots (Bench *bench, uint32_t n, GError **error)
{
  for (; bench->n_slots < n; bench->n_slots++) {
    uint32_t slot;

    if (!yv_runner_take_slot (bench->runner, true, &slot, error))
      return false;
    g_assert (slot == bench->n_slots);
  }
  return true;
}

static bool
bench_init (Bench *bench, const YvBenchOptions *options, GError **error)
{
  const YvStreamOptions defaults = YV_STREAM_DEFAULTS;
  const YvPlanOptions plan_options = {
      .n = options->batch, .h = options->height, .w = options->width};

  bench->n_batch = options->batch;
  if (!make_pictures (bench, options, error))
    return false;
  bench->start_us = g_get_monotonic_time ();
  bench->runner = yv_engine_make_runner (bench->engine, &plan_options, error);
  if (!bench->runner)
    return false;
  bench->lists = g_new0 (const struct YvCandidate *, options->batch);
  bench->n_candidates = g_new0 (uint32_t, options->batch);
  bench->nms = yv_nms_new ();
  bench->detections = g_new (YvDetection, defaults.max_detections);
  if (!take_slots (bench, options->in_flight ? options->in_flight : 1, error))
    return false;
  bench->n_warmup = options->n_warmup ? MAX (options->n_warmup, WARM_RUNS * bench->n_slots) : 0;
  bench->n_runs = options->n_runs;
  for (int i = 0; i < N_STAGES; i++)
    bench->ms[i] = g_new0 (double, bench->n_warmup + bench->n_runs);
  return true;
}

static uint32_t
suppress_all (Bench *bench)
{
  const YvStreamOptions defaults = YV_STREAM_DEFAULTS;
  const YvNmsOptions options = {
      .iou_threshold = defaults.iou_threshold,
      .max_detections = defaults.max_detections,
      .n_classes = bench->engine->info.n_classes,
  };
  uint32_t n_detections = 0;

  for (uint32_t i = 0; i < bench->n_batch; i++) {
    uint32_t n_kept;
    const YvKept *kept =
        yv_nms_run (bench->nms, bench->lists[i], bench->n_candidates[i], &options, &n_kept);

    n_detections += yv_detections_place (kept, n_kept, &bench->letterboxes[i], bench->detections);
  }
  return n_detections;
}

/* CPU time of the calling thread alone: a driver's own threads, and lavapipe's, are others. */
static double
thread_ms (void)
{
  struct timespec used;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
  return (double) used.tv_sec * 1e3 + (double) used.tv_nsec / 1e6;
}

static double
now_ms (void)
{
  return (double) yv_executor_now_ns () / 1e6;
}

static bool
start_run (Bench *bench, uint32_t run, GError **error)
{
  const YvStreamOptions defaults = YV_STREAM_DEFAULTS;
  YvExecutor *executor = bench->runner->executor;
  const YvBatch batch = {
      .n_images = bench->n_batch,
      .images = bench->images,
      .letterboxes = bench->letterboxes,
      .confidence = defaults.confidence_threshold,
      .obj_only = yv_engine_obj_only (bench->engine),
  };

  bench->ms[TOTAL][run] = -now_ms ();
  bench->ms[HOST][run] = -thread_ms ();
  const bool done = executor->klass->submit (executor, bench->slot, &batch, error);
  bench->ms[HOST][run] += thread_ms ();
  return done;
}

/* Of the batch that was started first. */
static bool
finish_run (Bench *bench, uint32_t run, GError **error)
{
  YvExecutor *executor = bench->runner->executor;
  YvTiming timing = {0};

  bench->ms[HOST][run] -= thread_ms ();
  if (!executor->klass->wait (executor, bench->slot, bench->lists, bench->n_candidates, &timing,
                              error))
    return false;
  bench->step_ns = timing.step_ns;
  const double nms_start_ms = now_ms ();
  bench->n_detections = suppress_all (bench);
  bench->ms[HOST][run] += thread_ms ();
  const double end_ms = now_ms ();

  bench->ms[UPLOAD][run] = (double) timing.upload_ns / 1e6;
  bench->ms[LETTERBOX][run] = (double) timing.letterbox_ns / 1e6;
  bench->ms[NETWORK][run] = (double) timing.network_ns / 1e6;
  bench->ms[DECODE][run] = (double) timing.decode_ns / 1e6;
  bench->ms[READBACK][run] = (double) timing.readback_ns / 1e6;
  bench->ms[NMS][run] = end_ms - nms_start_ms;
  bench->ms[TOTAL][run] += end_ms;
  return true;
}

/* Called after each run that counts; NULL: nothing is. */
typedef void (*OnFinished) (Bench *bench, uint32_t counted_run);

static bool
finish_and_note (Bench *bench, uint32_t run, OnFinished on_finished, GError **error)
{
  if (!finish_run (bench, run, error))
    return false;
  if (run == 0)
    bench->first_ms = (double) (g_get_monotonic_time () - bench->start_us) / 1e3;
  if (run + 1 == bench->n_warmup)
    bench->counted_from_ms = now_ms ();
  if (run >= bench->n_warmup && on_finished)
    on_finished (bench, run - bench->n_warmup);
  return true;
}

/* Runs of warm-up come first. */
static bool
run_all (Bench *bench, OnFinished on_finished, GError **error)
{
  const uint32_t n_runs = bench->n_warmup + bench->n_runs;

  bench->counted_from_ms = now_ms (); /* where there is no warm-up */
  for (uint32_t i = 0; i < n_runs + bench->n_slots; i++) {
    bench->slot = i % bench->n_slots;
    if (i >= bench->n_slots && !finish_and_note (bench, i - bench->n_slots, on_finished, error))
      return false;
    if (i < n_runs && !start_run (bench, i, error))
      return false;
  }
  bench->counted_ms = now_ms () - bench->counted_from_ms;
  return true;
}

static int
compare_doubles (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Between the two nearest ranks, as numpy does. */
static double
percentile (const double *sorted, uint32_t n, double fraction)
{
  const double rank = fraction * (n - 1);
  const uint32_t below = (uint32_t) rank;
  const uint32_t above = MIN (below + 1, n - 1);

  return sorted[below] + (sorted[above] - sorted[below]) * (rank - below);
}

static YvBenchStage
summarise (double *ms, uint32_t n_runs)
{
  qsort (ms, n_runs, sizeof *ms, compare_doubles);
  return (YvBenchStage){
      .median_ms = percentile (ms, n_runs, 0.5),
      .p10_ms = percentile (ms, n_runs, 0.1),
      .p90_ms = percentile (ms, n_runs, 0.9),
  };
}

/* What YvBenchResult.network is the time of. */
static uint64_t
network_flops (const YvPlan *plan)
{
  uint64_t flops = 0;

  for (uint32_t i = plan->first_network_step; i < plan->first_decode_step; i++)
    flops += g_array_index (plan->steps, YvStep, i).flops;
  return flops;
}

static void
fill_result (Bench *bench, const YvBenchOptions *options, YvBenchResult *out)
{
  const YvRunner *runner = bench->runner;
  YvFootprint footprint = {0};
  YvBenchStage *const stages[N_STAGES] = {
      [UPLOAD] = &out->upload,     [LETTERBOX] = &out->letterbox,
      [NETWORK] = &out->network,   [DECODE] = &out->decode,
      [READBACK] = &out->readback, [NMS] = &out->nms,
      [TOTAL] = &out->total,       [HOST] = &out->host};

  for (int i = 0; i < N_STAGES; i++)
    *stages[i] = summarise (bench->ms[i] + bench->n_warmup, bench->n_runs);
  out->n_warmup = bench->n_warmup;
  out->n_detections = bench->n_detections;
  out->images_per_s =
      bench->counted_ms > 0 ? 1e3 * options->n_runs * options->batch / bench->counted_ms : 0;
  out->first_ms = bench->first_ms;
  out->flops_per_image = (double) runner->plan->flops / options->batch;
  out->network_flops_per_image = (double) network_flops (runner->plan) / options->batch;
  out->n_steps = runner->plan->steps->len;

  runner->executor->klass->footprint (runner->executor, &footprint);
  out->weights_bytes = footprint.weights;
  out->arena_bytes = footprint.arena;
  out->slots_bytes = footprint.slots;
}

bool
yv_engine_bench (YvEngine *engine, const YvBenchOptions *options, YvBenchResult *out,
                 GError **error)
{
  g_auto (Bench) bench = {.engine = engine};

  if (!check_options (options, error) || !bench_init (&bench, options, error) ||
      !run_all (&bench, NULL, error))
    return false;
  *out = (YvBenchResult){0};
  fill_result (&bench, options, out);
  return true;
}

/* ---- a step at a time ----------------------------------------------------------------------- */

static double
operand_bytes (const YvOperand *operand)
{
  return (double) operand->n * operand->h * operand->w * operand->c *
         (double) yv_dtype_size_bytes (operand->dtype);
}

static void
describe_step (YvProfileStep *row, const YvStep *step)
{
  const YvOperand *src = step->n_srcs ? &step->src[0] : &step->dst;
  GString *op = g_string_new (NULL);

  yv_step_print_what (op, step);
  *row = (YvProfileStep){
      .name = g_strdup (step->name),
      .op = g_string_free (op, FALSE),
      .kernel = yv_kernel_name (step->kernel),
      .n = step->dst.n,
      .c_in = src->c,
      .h_in = src->h,
      .w_in = src->w,
      .c_out = step->dst.c,
      .h_out = step->dst.h,
      .w_out = step->dst.w,
      .flops = (double) step->flops,
      .bytes = operand_bytes (&step->dst) + (double) yv_pack_size_bytes (step),
  };
  for (uint32_t i = 0; i < step->n_srcs; i++)
    row->bytes += operand_bytes (&step->src[i]);
}

static void
note_steps (Bench *bench, uint32_t run)
{
  const uint32_t n_steps = bench->runner->plan->steps->len;

  for (uint32_t i = 0; i < n_steps; i++)
    bench->step_ms[(size_t) i * bench->n_runs + run] = (double) bench->step_ns[i] / 1e6;
}

static YvProfile *
make_profile (const YvPlan *plan, double *ms, uint32_t n_runs)
{
  YvProfile *profile = g_new (YvProfile, 1);
  YvProfileStep *rows = g_new (YvProfileStep, plan->steps->len);

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    describe_step (&rows[i], &g_array_index (plan->steps, YvStep, i));
    double *of_step = ms + (size_t) i * n_runs;

    rows[i].median_ms = summarise (of_step, n_runs).median_ms; /* sorts them */
    rows[i].min_ms = of_step[0];
  }
  *profile = (YvProfile){.n_steps = plan->steps->len, .steps = rows};
  return profile;
}

YvProfile *
yv_engine_profile (YvEngine *engine, const YvBenchOptions *options, GError **error)
{
  g_auto (Bench) bench = {.engine = engine};
  YvBenchOptions one_by_one = *options;

  one_by_one.in_flight = 1;
  if (!check_options (options, error) || !bench_init (&bench, &one_by_one, error))
    return NULL;

  const YvPlan *plan = bench.runner->plan;
  YvExecutor *executor = bench.runner->executor;
  bench.step_ms = g_try_new (double, (size_t) plan->steps->len * options->n_runs);
  if (!bench.step_ms) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory for the times of %u runs",
                 options->n_runs);
    return NULL;
  }
  if (!executor->klass->profile (executor, 0, true, error) || !run_all (&bench, note_steps, error))
    return NULL;
  return make_profile (plan, bench.step_ms, options->n_runs);
}

void
yv_profile_free (YvProfile *profile)
{
  if (!profile)
    return;
  for (uint32_t i = 0; i < profile->n_steps; i++) {
    g_free ((char *) profile->steps[i].name);
    g_free ((char *) profile->steps[i].op);
  }
  g_free ((YvProfileStep *) profile->steps);
  g_free (profile);
}
