/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/tune.c - times the ways to compute each convolution, and keeps what came out. */
#include "engine/tune.h"

#include <stdlib.h>
#include <string.h>

#include "engine/cache.h"
#include "engine/ops/conv.h"
#include "engine/tunebands.h"

#define CACHE_KIND "tuning"
#define MAX_SIDE 8192

/* Of a way, after one that is not timed. Nobody notices a few milliseconds at load. */
#define MIN_RUNS 3
#define MAX_RUNS 50
#define RUNS_NS UINT64_C (3000000)
#define THOROUGH_RUNS_NS UINT64_C (100000000)

/* One that takes so many times as long as the best so far is timed once. */
#define HOPELESS 2

/* Clocks and other programs change times by a few percent: for less nothing is changed. */
#define LEAST_GAIN 0.03

/* A shape, on its way through all ways. */
typedef struct {
  const YvNode *node; /* the first of its convolutions */
  char *shape, *step, *what;
  uint32_t n_images, n_steps;
  uint64_t flops; /* of one */

  GArray *ways;     /* of YvTuneWay, whose texts are owned, */
  GArray *measured; /* and of YvWay, in parallel */
  uint32_t usual;   /* of them, or UINT32_MAX */
  YvTuneBands bands;
  bool is_touched;   /* its entries and refusals may be others than before */
  bool is_cut_short; /* there was no time for all ways */
} Layer;

typedef struct {
  const YvTuneRequest *request;
  YvPlan *usual_plan;
  YvPlan **plans;    /* [n ways]: each convolution that way, if it can; NULL: none can */
  GPtrArray *layers; /* of Layer *, the costliest first */
  bool *is_proven;   /* [n ways]: it ran here, for some shape, and the device was there after it */
  uint64_t end_ns;
  YvTuneTotals *totals;
} Tuner;

static void
free_layer (void *pointer)
{
  Layer *layer = pointer;

  for (uint32_t i = 0; i < layer->ways->len; i++)
    g_free ((char *) g_array_index (layer->ways, YvTuneWay, i).way);
  g_array_unref (layer->ways);
  g_array_unref (layer->measured);
  yv_tune_bands_clear (&layer->bands);
  g_free (layer->what);
  g_free (layer->step);
  g_free (layer->shape);
  g_free (layer);
}

static void
tuner_clear (Tuner *tuner)
{
  for (uint32_t i = 0; tuner->plans && i < yv_conv_n_ways (); i++)
    yv_plan_free (tuner->plans[i]);
  g_free (tuner->plans);
  g_free (tuner->is_proven);
  yv_plan_free (tuner->usual_plan);
  g_clear_pointer (&tuner->layers, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tuner, tuner_clear)

/* ---- which layers ---------------------------------------------------------------------------- */

static const YvStep *
step_at (const YvPlan *plan, uint32_t i)
{
  return &g_array_index (plan->steps, YvStep, i);
}

/* The node's first step, which reads its source, or its last, which writes its destination. */
static const YvStep *
step_of_node (const YvPlan *plan, const YvNode *node, bool last)
{
  const YvStep *found = NULL;

  for (uint32_t i = 0; i < plan->steps->len && (!found || last); i++)
    if (step_at (plan, i)->node == node)
      found = step_at (plan, i);
  return found;
}

static uint64_t
flops_of_node (const YvPlan *plan, const YvNode *node)
{
  uint64_t flops = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++)
    if (step_at (plan, i)->node == node)
      flops += step_at (plan, i)->flops;
  return flops;
}

static Layer *
find_layer (const Tuner *tuner, const char *shape)
{
  for (uint32_t i = 0; i < tuner->layers->len; i++) {
    Layer *layer = g_ptr_array_index (tuner->layers, i);

    if (strcmp (layer->shape, shape) == 0)
      return layer;
  }
  return NULL;
}

static char *
describe (const YvStep *first, const YvStep *last)
{
  YvStep whole = *first;

  whole.part = YV_PART_WHOLE;
  whole.dst = last->dst;
  whole.act = first->node->act;
  return yv_plan_describe_step (&whole);
}

static void
add_layer (Tuner *tuner, const YvStep *first)
{
  const YvPlan *plan = tuner->usual_plan;
  const YvStep *last = step_of_node (plan, first->node, true);
  g_autofree char *shape = yv_way_shape (first->node, &first->src[0], &last->dst);
  Layer *layer = find_layer (tuner, shape);

  if (layer) {
    layer->n_steps++;
    return;
  }
  layer = g_new0 (Layer, 1);
  layer->node = first->node;
  layer->shape = g_steal_pointer (&shape);
  layer->step = g_strdup (first->name);
  layer->what = describe (first, last);
  layer->n_images = first->src[0].n;
  layer->n_steps = 1;
  layer->flops = flops_of_node (plan, first->node);
  layer->ways = g_array_new (FALSE, FALSE, sizeof (YvTuneWay));
  layer->measured = g_array_new (FALSE, FALSE, sizeof (YvWay));
  layer->usual = UINT32_MAX;
  g_ptr_array_add (tuner->layers, layer);
}

static int
compare_costs (gconstpointer a, gconstpointer b)
{
  const Layer *x = *(Layer *const *) a, *y = *(Layer *const *) b;
  const uint64_t of_x = x->flops * x->n_steps, of_y = y->flops * y->n_steps;

  return (of_x < of_y) - (of_x > of_y);
}

static YvPlan *
new_plan (const YvTuneRequest *request, YvWays *ways, GError **error)
{
  YvPlanOptions options = *request->options;

  options.ways = ways;
  return yv_plan_new (request->graph, yv_device_caps (request->device), &options, error);
}

static bool
find_layers (Tuner *tuner, GError **error)
{
  const YvTuneRequest *request = tuner->request;

  tuner->layers = g_ptr_array_new_with_free_func (free_layer);
  tuner->usual_plan = new_plan (request, NULL, error);
  if (!tuner->usual_plan)
    return false;
  for (uint32_t i = 0; i < tuner->usual_plan->steps->len; i++) {
    const YvStep *step = step_at (tuner->usual_plan, i);

    if (step->op == YV_OP_CONV && step == step_of_node (tuner->usual_plan, step->node, false))
      add_layer (tuner, step);
  }
  for (uint32_t i = tuner->layers->len; i-- > 0;) {
    const Layer *layer = g_ptr_array_index (tuner->layers, i);

    if (!request->is_thorough && yv_ways_has (request->ways, layer->shape, layer->n_images))
      g_ptr_array_remove_index (tuner->layers, i);
  }
  g_ptr_array_sort (tuner->layers, compare_costs);
  tuner->totals->n_layers = tuner->layers->len;
  return true;
}

/* A plan for each way, of all layers at once: making one takes milliseconds. What cannot be planned
 * cannot be chosen. */
static void
make_plans (Tuner *tuner)
{
  tuner->plans = g_new0 (YvPlan *, yv_conv_n_ways ());
  tuner->is_proven = g_new0 (bool, yv_conv_n_ways ());
  for (uint32_t i = 0; i < yv_conv_n_ways (); i++) {
    const YvWay way = yv_conv_way (i);
    g_autoptr (YvWays) only = yv_ways_new ();

    yv_ways_set_for_all (only, &way);
    tuner->plans[i] = new_plan (tuner->request, only, NULL);
  }
}

/* ---- timing ---------------------------------------------------------------------------------- */

/* On the device, or where that has no clock on the host's. */
static bool
run_once (YvExecutor *executor, uint64_t *ns, GError **error)
{
  const YvBatch batch = {.confidence = 1};
  const uint64_t start_ns = yv_executor_now_ns ();
  YvTiming timing = {0};

  if (!executor->klass->submit (executor, 0, &batch, error) ||
      !executor->klass->wait (executor, 0, NULL, NULL, &timing, error))
    return false;
  *ns = timing.network_ns ? timing.network_ns : yv_executor_now_ns () - start_ns;
  return true;
}

static int
compare_ns (const void *a, const void *b)
{
  const uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

  return (x > y) - (x < y);
}

static bool
time_runs (YvExecutor *executor, uint64_t enough_ns, uint64_t best_ns, uint64_t *median_ns,
           GError **error)
{
  uint64_t ns[MAX_RUNS], total_ns = 0;
  uint32_t n = 0;

  do {
    if (!run_once (executor, &ns[n], error))
      return false;
    total_ns += ns[n++];
    if (best_ns > 0 && ns[0] > HOPELESS * best_ns)
      break;
  } while (n < MIN_RUNS || (n < MAX_RUNS && total_ns < enough_ns));
  qsort (ns, n, sizeof *ns, compare_ns);
  *median_ns = MAX (ns[n / 2], 1);
  return true;
}

static uint64_t
best_ns (const Layer *layer)
{
  uint64_t best = 0;

  for (uint32_t i = 0; i < layer->ways->len; i++) {
    const YvTuneWay *way = &g_array_index (layer->ways, YvTuneWay, i);

    if (!way->is_wrong && way->ns > 0 && (best == 0 || way->ns < best))
      best = way->ns;
  }
  return best;
}

/* ---- kept ------------------------------------------------------------------------------------ */

YvWays *
yv_tune_load (const YvDevice *device)
{
  YvWays *ways = yv_ways_new ();
  g_autoptr (GBytes) text =
      yv_cache_read (CACHE_KIND, yv_device_uuid (device), yv_device_identity (device));

  if (text && !yv_ways_parse (ways, g_bytes_get_data (text, NULL)))
    g_debug ("the tuning of %s is not understood; ignored", yv_device_identity (device));
  return ways;
}

static void
copy_touched (const Tuner *tuner, YvWays *to)
{
  for (uint32_t i = 0; i < tuner->layers->len; i++) {
    const Layer *layer = g_ptr_array_index (tuner->layers, i);

    if (layer->is_touched)
      yv_ways_copy (to, tuner->request->ways, layer->shape);
  }
}

/* NULL: together they are more than can be read again. */
static char *
print_readable (YvWays *ways)
{
  g_autoptr (YvWays) again = yv_ways_new ();
  g_autofree char *text = yv_ways_print (ways);

  return yv_ways_parse (again, text) ? g_steal_pointer (&text) : NULL;
}

/* With what others have kept meanwhile, of other shapes: of other models, by other engines. What
 * this run had of its own shapes before is gone. @way: (nullable): is refused for @layer in the
 * file alone. */
static bool
save (const Tuner *tuner, const Layer *layer, const YvWay *way)
{
  const YvDevice *device = tuner->request->device;
  g_autoptr (YvWays) all = yv_tune_load (device);
  g_autoptr (YvWays) own = yv_ways_new ();

  copy_touched (tuner, all);
  copy_touched (tuner, own);
  if (way) {
    yv_ways_refuse (all, layer->shape, way);
    yv_ways_refuse (own, layer->shape, way);
  }
  g_autofree char *of_all = print_readable (all);
  g_autofree char *text = of_all ? g_steal_pointer (&of_all) : yv_ways_print (own);
  return yv_cache_write (CACHE_KIND, yv_device_uuid (device), yv_device_identity (device), text,
                         strlen (text));
}

/* A way that takes the device or the process down must not do so in each process: it is refused
 * until the next write. Not so what has run already, for whatever shape. */
static void
note_trial (const Tuner *tuner, const Layer *layer, uint32_t index)
{
  const YvWay way = yv_conv_way (index);

  if (tuner->request->keeps && way.kernel != YV_KERNEL_CONV_TILE && !tuner->is_proven[index])
    save (tuner, layer, &way);
}

/* ---- a way ----------------------------------------------------------------------------------- */

/* Of a node whose images are computed in slices, those of the first one, which begin as it does. */
static YvTuneOperands
operands_of (const YvPlan *alone)
{
  const YvStep *first = step_at (alone, 0), *last = first;

  for (uint32_t i = 1; i < alone->steps->len && step_at (alone, i)->part != first->part; i++)
    last = step_at (alone, i);
  return (YvTuneOperands){.src = &first->src[0],
                          .residual = last->n_srcs > 1 ? &last->src[1] : NULL,
                          .dst = &last->dst};
}

static bool
measure (const Tuner *tuner, Layer *layer, const YvPlan *alone, YvWeightStore *store,
         YvTuneWay *measured, GError **error)
{
  const YvTuneRequest *request = tuner->request;
  const YvTuneOperands operands = operands_of (alone);
  g_autoptr (YvExecutor) executor =
      yv_vulkan_executor_new (request->device, store, alone, 1, error);
  uint64_t first_ns;

  if (!executor)
    return false;
  if (layer->bands.n_bands == 0 &&
      !yv_tune_bands_fill (&layer->bands, layer->shape, &operands, request->is_thorough, error))
    return false;
  if (!yv_tune_bands_write (&layer->bands, executor, &operands, error) ||
      !run_once (executor, &first_ns, error) ||
      !yv_tune_bands_compare (&layer->bands, executor, operands.dst, &step_at (alone, 0)->way,
                              &measured->worst_share, error))
    return false;
  measured->is_wrong = measured->worst_share > 1;
  return measured->is_wrong ||
         time_runs (executor, request->is_thorough ? THOROUGH_RUNS_NS : RUNS_NS, best_ns (layer),
                    &measured->ns, error);
}

static void
add_measured (Tuner *tuner, Layer *layer, const YvWay *way, YvTuneWay *measured)
{
  const YvWay *usual = &step_of_node (tuner->usual_plan, layer->node, false)->way;

  measured->way = yv_way_print (way);
  if (yv_way_equal (way, usual))
    layer->usual = layer->ways->len;
  if (measured->is_wrong) {
    g_debug ("%s computes something wrong, %g times what rounding explains: %s", measured->way,
             measured->worst_share, layer->what);
    yv_ways_refuse (tuner->request->ways, layer->shape, way);
    tuner->totals->n_wrong++;
  }
  g_array_append_val (layer->ways, *measured);
  g_array_append_val (layer->measured, *way);
}

/* The device is lost, and would be so again in the next process, but for what is noted here. */
static void
refuse_for_good (Tuner *tuner, const Layer *layer, const YvWay *way)
{
  if (way->kernel != YV_KERNEL_CONV_TILE)
    yv_ways_refuse (tuner->request->ways, layer->shape, way);
}

/* A way that the device has no memory for, or no pipeline, is not taken; where the device is lost,
 * all ends. */
static bool
try_way (Tuner *tuner, Layer *layer, uint32_t index, YvWeightStore *store, GError **error)
{
  const YvPlan *plan = tuner->plans[index];
  const YvStep *first = plan ? step_of_node (plan, layer->node, false) : NULL;
  const YvWay way = yv_conv_way (index);
  g_autoptr (GError) why = NULL;
  YvTuneWay measured = {0};

  if (!first || !yv_way_equal (&first->way, &way) ||
      yv_ways_refused (tuner->request->ways, layer->shape, &way))
    return true;
  g_autoptr (YvPlan) alone = yv_plan_isolate_node (plan, layer->node);
  note_trial (tuner, layer, index);
  if (measure (tuner, layer, alone, store, &measured, &why)) {
    add_measured (tuner, layer, &way, &measured);
    tuner->is_proven[index] = true;
    return true;
  }
  if (g_error_matches (why, YV_ERROR, YV_ERROR_DEVICE_LOST)) {
    refuse_for_good (tuner, layer, &way);
    g_propagate_prefixed_error (error, g_steal_pointer (&why), "%s: ", layer->step);
    return false;
  }
  g_debug ("%s: %s", layer->step, why->message);
  return true;
}

/* ---- a layer --------------------------------------------------------------------------------- */

/* conv_tile, which the others are compared with; what is usual; the others. */
static uint32_t
turn_of (const YvWay *way, const YvWay *usual)
{
  if (way->kernel == YV_KERNEL_CONV_TILE)
    return 0;
  return yv_way_equal (way, usual) ? 1 : 2;
}

/* Where it was measured or used for another number of images already, the sums have to stay. */
static bool
keeps_sums (const Tuner *tuner, const Layer *layer, const YvWay *way)
{
  YvWay known;

  return !yv_ways_find (tuner->request->ways, layer->shape, layer->n_images, &known) ||
         yv_way_same_sums (way, &known);
}

static bool
is_late (const Tuner *tuner)
{
  return tuner->end_ns > 0 && yv_executor_now_ns () >= tuner->end_ns;
}

static bool
may_try (const Tuner *tuner, const Layer *layer, uint32_t index, uint32_t turn)
{
  const YvWay usual = step_of_node (tuner->usual_plan, layer->node, false)->way;
  const YvWay way = yv_conv_way (index);

  return turn_of (&way, &usual) == turn && (turn == 0 || keeps_sums (tuner, layer, &way));
}

/* Where conv_tile does not run here there is nothing to compare the others with. */
static bool
try_ways (Tuner *tuner, Layer *layer, GError **error)
{
  g_autoptr (YvWeightStore) store = yv_weight_store_new (tuner->request->device);

  layer->is_touched = true;
  yv_tune_bands_init (&layer->bands, layer->node, tuner->request->options->dtype);
  for (uint32_t turn = 0; turn < 3 && (turn == 0 || layer->bands.has_expected); turn++)
    for (uint32_t i = 0; i < yv_conv_n_ways (); i++) {
      if (!may_try (tuner, layer, i, turn))
        continue;
      layer->is_cut_short |= is_late (tuner);
      if (!layer->is_cut_short && !try_way (tuner, layer, i, store, error))
        return false;
    }
  return true;
}

/* UINT32_MAX: nothing can be said. */
static uint32_t
choose (const Tuner *tuner, const Layer *layer)
{
  uint32_t best = UINT32_MAX;

  for (uint32_t i = 0; i < layer->ways->len; i++) {
    const YvTuneWay *way = &g_array_index (layer->ways, YvTuneWay, i);

    if (way->is_wrong || !keeps_sums (tuner, layer, &g_array_index (layer->measured, YvWay, i)))
      continue;
    if (best == UINT32_MAX || way->ns < g_array_index (layer->ways, YvTuneWay, best).ns)
      best = i;
  }
  if (layer->usual == UINT32_MAX || best == UINT32_MAX)
    return is_late (tuner) ? UINT32_MAX : best;

  const YvTuneWay *usual = &g_array_index (layer->ways, YvTuneWay, layer->usual);
  const double gain =
      1 - (double) g_array_index (layer->ways, YvTuneWay, best).ns / (double) MAX (usual->ns, 1);
  return !usual->is_wrong && gain < LEAST_GAIN ? layer->usual : best;
}

/* For as long as the table lives, so that a plan that is made later takes the same. */
static void
settle_usual (Tuner *tuner, const Layer *layer)
{
  const YvWay *usual = &step_of_node (tuner->usual_plan, layer->node, false)->way;
  YvWays *ways = tuner->request->ways;
  YvWay known;

  if (!yv_ways_find (ways, layer->shape, layer->n_images, &known) &&
      !yv_ways_refused (ways, layer->shape, usual))
    yv_ways_keep (ways, layer->shape, layer->n_images, usual);
}

static void
count (YvTuneTotals *totals, const Layer *layer, uint32_t chosen)
{
  const YvTuneWay *ways = (const YvTuneWay *) (const void *) layer->ways->data;

  totals->n_tuned++;
  if (layer->usual == UINT32_MAX || ways[layer->usual].is_wrong)
    return;
  totals->usual_ns += layer->n_steps * ways[layer->usual].ns;
  totals->chosen_ns += layer->n_steps * ways[chosen].ns;
}

/* What was found in too little time is left to be measured by the next process. */
static void
settle (Tuner *tuner, const Layer *layer, uint32_t chosen)
{
  YvWays *ways = tuner->request->ways;

  if (chosen == UINT32_MAX) {
    settle_usual (tuner, layer);
    return;
  }
  const YvWay *way = &g_array_index (layer->measured, YvWay, chosen);
  if (layer->is_cut_short) {
    yv_ways_keep (ways, layer->shape, layer->n_images, way);
    return;
  }
  yv_ways_add (ways, layer->shape, layer->n_images, way);
  count (tuner->totals, layer, chosen);
}

static bool
report (const Tuner *tuner, const Layer *layer, uint32_t chosen, GError **error)
{
  const YvTuneRequest *request = tuner->request;
  const YvTuneLayer told = {
      .step = layer->step,
      .what = layer->what,
      .n_steps = layer->n_steps,
      .flops = layer->flops,
      .n_ways = layer->ways->len,
      .ways = (const YvTuneWay *) (const void *) layer->ways->data,
      .chosen = MIN (chosen, layer->ways->len),
      .usual = MIN (layer->usual, layer->ways->len),
  };

  if (!request->report || request->report (&told, request->data))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO,
               "tuning was stopped at %s, because its report was not taken", layer->step);
  return false;
}

static bool
tune_layer (Tuner *tuner, Layer *layer, GError **error)
{
  if (tuner->request->is_thorough && !is_late (tuner))
    yv_ways_forget (tuner->request->ways, layer->shape);
  if (!is_late (tuner) && !try_ways (tuner, layer, error))
    return false;

  const uint32_t chosen = choose (tuner, layer);
  settle (tuner, layer, chosen);
  return report (tuner, layer, chosen, error);
}

static bool
tune_layers (Tuner *tuner, GError **error)
{
  if (tuner->layers->len > 0)
    make_plans (tuner);
  for (uint32_t i = 0; i < tuner->layers->len; i++)
    if (!tune_layer (tuner, g_ptr_array_index (tuner->layers, i), error))
      return false;
  return true;
}

static bool
has_touched (const Tuner *tuner)
{
  for (uint32_t i = 0; i < tuner->layers->len; i++)
    if (((const Layer *) g_ptr_array_index (tuner->layers, i))->is_touched)
      return true;
  return false;
}

bool
yv_tune (const YvTuneRequest *request, YvTuneTotals *out, GError **error)
{
  g_auto (Tuner) tuner = {.request = request, .totals = out};

  *out = (YvTuneTotals){0};
  if (request->budget_ns > 0)
    tuner.end_ns = yv_executor_now_ns () + request->budget_ns;
  if (!find_layers (&tuner, error))
    return false;
  const bool is_done = tune_layers (&tuner, error);
  if (request->keeps && (request->is_thorough || has_touched (&tuner)))
    out->is_kept = save (&tuner, NULL, NULL);
  return is_done;
}

/* ---- `yolov7 tune` --------------------------------------------------------------------------- */

static bool
check_tune_options (const YvEngine *engine, const YvTuneOptions *options, GError **error)
{
  if (!engine->device) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "the reference has one way to compute a convolution; name a Vulkan device");
    return false;
  }
  if (options->width <= MAX_SIDE && options->height <= MAX_SIDE && options->batch <= YV_MAX_BATCH)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "tuning for %u pictures of %ux%u px: expected at most %d, of at most %d px a side",
               options->batch, options->width, options->height, YV_MAX_BATCH, MAX_SIDE);
  return false;
}

bool
yv_engine_tune (YvEngine *engine, const YvTuneOptions *options, YvTuneResult *out, GError **error)
{
  const uint32_t side = engine->info.default_size;

  if (!check_tune_options (engine, options, error))
    return false;
  if (engine->checkpoint && !yv_checkpoint_check_unchanged (engine->checkpoint, error))
    return false;
  g_autoptr (YvWays) loaded = engine->ways ? NULL : yv_tune_load (engine->device);
  YvWays *ways = engine->ways ? engine->ways : loaded;
  const YvPlanOptions plan_options = {
      .n = MAX (options->batch, 1),
      .h = options->height ? options->height : side,
      .w = options->width ? options->width : side,
      .dtype = engine->info.precision == YV_PRECISION_FP16 ? YV_DTYPE_F16 : YV_DTYPE_F32,
  };
  const YvTuneRequest request = {
      .device = engine->device,
      .graph = engine->graph,
      .options = &plan_options,
      .ways = ways,
      .budget_ns = options->budget_ms * UINT64_C (1000000),
      .is_thorough = true,
      .keeps = true,
      .report = options->report,
      .data = options->data,
  };
  YvTuneTotals totals;

  g_mutex_lock (&engine->tuning);
  const bool is_done = yv_tune (&request, &totals, error);
  g_mutex_unlock (&engine->tuning);
  *out = (YvTuneResult){
      .width = plan_options.w,
      .height = plan_options.h,
      .batch = plan_options.n,
      .n_layers = totals.n_layers,
      .n_tuned = totals.n_tuned,
      .n_wrong = totals.n_wrong,
      .usual_ns = totals.usual_ns,
      .chosen_ns = totals.chosen_ns,
      .is_kept = totals.is_kept,
  };
  return is_done;
}
