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

enum { UPLOAD, LETTERBOX, NETWORK, DECODE, READBACK, NMS, TOTAL, HOST, N_STAGES };

typedef struct {
  YvEngine *engine;
  YvRunner *runner;
  uint32_t n_batch;
  uint8_t *pixels; /* of all pictures */
  YvImage *images;
  YvLetterbox *letterboxes;
  const struct YvCandidate **lists;
  uint32_t *n_candidates;
  YvNms *nms;
  YvDetection *detections;
  int64_t start_us;        /* when there was an engine and pictures, and nothing else */
  double first_ms;         /* from there to the first detections */
  double *ms[N_STAGES];    /* [n_runs] */
  const uint64_t *step_ns; /* of the last run; NULL unless profiled */
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
  g_free (bench->pixels);
  yv_runner_free (bench->runner);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static bool
check_options (const YvBenchOptions *options, GError **error)
{
  if (options->width >= 1 && options->width <= MAX_SIDE && options->height >= 1 &&
      options->height <= MAX_SIDE && options->batch >= 1 && options->batch <= YV_MAX_BATCH &&
      options->n_runs >= 1 && options->n_runs <= MAX_RUNS && options->n_warmup <= MAX_RUNS)
    return true;
  g_set_error (
      error, YV_ERROR, YV_ERROR_INVALID,
      "bench of %u runs after %u, of %u pictures of %ux%u px: expected 1 to %d runs after at "
      "most %d, of 1 to %d pictures of 1 to %d px a side",
      options->n_runs, options->n_warmup, options->batch, options->width, options->height, MAX_RUNS,
      MAX_RUNS, YV_MAX_BATCH, MAX_SIDE);
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

  bench->pixels = g_try_malloc_n (options->batch, image_bytes);
  if (!bench->pixels) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory for %u pictures of %ux%u px",
                 options->batch, options->width, options->height);
    return false;
  }
  fill_pixels (bench->pixels, options->batch * image_bytes);
  bench->images = g_new0 (YvImage, options->batch);
  bench->letterboxes = g_new0 (YvLetterbox, options->batch);
  for (uint32_t i = 0; i < options->batch; i++) {
    bench->images[i] = (YvImage){.format = YV_FORMAT_RGB,
                                 .width = options->width,
                                 .height = options->height,
                                 .planes = {bench->pixels + i * image_bytes},
                                 .stride_bytes = {options->width * 3}};
    bench->letterboxes[i] = whole;
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
  for (int i = 0; i < N_STAGES; i++)
    bench->ms[i] = g_new0 (double, options->n_runs);
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

/* One batch through every stage; writes its times to column @run. */
static bool
run_once (Bench *bench, uint32_t slot, uint32_t run, uint32_t *n_detections, GError **error)
{
  const YvStreamOptions defaults = YV_STREAM_DEFAULTS;
  const YvBatch batch = {
      .n_images = bench->n_batch,
      .images = bench->images,
      .letterboxes = bench->letterboxes,
      .confidence = defaults.confidence_threshold,
      .obj_only = yv_engine_obj_only (bench->engine),
  };
  const int64_t start_us = g_get_monotonic_time ();
  const double start_thread_ms = thread_ms ();
  YvTiming timing = {0};

  if (!yv_runner_run (bench->runner, slot, &batch, bench->lists, bench->n_candidates, &timing,
                      error))
    return false;
  bench->step_ns = timing.step_ns;
  const int64_t nms_start_us = g_get_monotonic_time ();
  *n_detections = suppress_all (bench);
  const double end_thread_ms = thread_ms ();
  const int64_t end_us = g_get_monotonic_time ();

  bench->ms[UPLOAD][run] = (double) timing.upload_ns / 1e6;
  bench->ms[LETTERBOX][run] = (double) timing.letterbox_ns / 1e6;
  bench->ms[NETWORK][run] = (double) timing.network_ns / 1e6;
  bench->ms[DECODE][run] = (double) timing.decode_ns / 1e6;
  bench->ms[READBACK][run] = (double) timing.readback_ns / 1e6;
  bench->ms[NMS][run] = (double) (end_us - nms_start_us) / 1e3;
  bench->ms[TOTAL][run] = (double) (end_us - start_us) / 1e3;
  bench->ms[HOST][run] = end_thread_ms - start_thread_ms;
  return true;
}

static bool
run_all (Bench *bench, const YvBenchOptions *options, uint32_t *n_detections, GError **error)
{
  const uint32_t slot = yv_runner_take_slot (bench->runner);
  bool done = true;

  for (uint32_t i = 0; done && i < options->n_warmup + options->n_runs; i++) {
    done = run_once (bench, slot, i < options->n_warmup ? 0 : i - options->n_warmup, n_detections,
                     error);
    if (i == 0)
      bench->first_ms = (double) (g_get_monotonic_time () - bench->start_us) / 1e3;
  }
  yv_runner_give_slot (bench->runner, slot);
  return done;
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

static void
fill_result (Bench *bench, const YvBenchOptions *options, YvBenchResult *out)
{
  const YvRunner *runner = bench->runner;
  YvFootprint footprint = {0};

  out->upload = summarise (bench->ms[UPLOAD], options->n_runs);
  out->letterbox = summarise (bench->ms[LETTERBOX], options->n_runs);
  out->network = summarise (bench->ms[NETWORK], options->n_runs);
  out->decode = summarise (bench->ms[DECODE], options->n_runs);
  out->readback = summarise (bench->ms[READBACK], options->n_runs);
  out->nms = summarise (bench->ms[NMS], options->n_runs);
  out->total = summarise (bench->ms[TOTAL], options->n_runs);
  out->host = summarise (bench->ms[HOST], options->n_runs);
  out->first_ms = bench->first_ms;
  out->flops_per_image = (double) runner->plan->flops / options->batch;
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
  uint32_t n_detections = 0;

  if (!check_options (options, error) || !bench_init (&bench, options, error) ||
      !run_all (&bench, options, &n_detections, error))
    return false;
  *out = (YvBenchResult){.n_detections = n_detections};
  fill_result (&bench, options, out);
  return true;
}

/* ---- a step at a time -------------------------------------------------------------------------
 */

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

/* One run after the other; a column of times for each step. */
static bool
time_steps (Bench *bench, const YvBenchOptions *options, uint32_t slot, double *ms, GError **error)
{
  const uint32_t n_steps = bench->runner->plan->steps->len;
  uint32_t n_detections;

  for (uint32_t run = 0; run < options->n_warmup + options->n_runs; run++) {
    if (!run_once (bench, slot, 0, &n_detections, error))
      return false;
    if (run < options->n_warmup)
      continue;
    for (uint32_t i = 0; i < n_steps; i++)
      ms[(size_t) i * options->n_runs + run - options->n_warmup] = (double) bench->step_ns[i] / 1e6;
  }
  return true;
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

  if (!check_options (options, error) || !bench_init (&bench, options, error))
    return NULL;

  const YvExecutorClass *klass = bench.runner->executor->klass;
  const uint32_t n_steps = bench.runner->plan->steps->len;
  g_autofree double *ms = g_try_new (double, (size_t) n_steps * options->n_runs);

  if (!ms) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory for the times of %u runs",
                 options->n_runs);
    return NULL;
  }
  const uint32_t slot = yv_runner_take_slot (bench.runner);
  const bool is_done = klass->profile (bench.runner->executor, slot, true, error) &&
                       time_steps (&bench, options, slot, ms, error);

  yv_runner_give_slot (bench.runner, slot);
  return is_done ? make_profile (bench.runner->plan, ms, options->n_runs) : NULL;
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
