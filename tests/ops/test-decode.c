/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-decode.c - decode.comp and head_tile.comp, as DETECT uses them, against
 * engine/ref/detect.c: dense rows element by element, candidates whatever their order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ops/opcase.h"

#define MAX_BATCH 3

typedef struct {
  const char *name;
  uint32_t n, n_levels, n_anchors, n_classes;
  uint32_t h, w; /* of the first level's grid; the second has half of it */
} HeadShape;

static const HeadShape shapes[] = {
    {"one cell", 1, 1, 1, 1, 1, 1},      {"21 cells, 3 anchors", 1, 1, 3, 2, 3, 7},
    {"two levels", 3, 2, 3, 4, 6, 10},   {"many classes", 1, 2, 3, 80, 8, 6},
    {"other anchors", 3, 2, 5, 6, 4, 4}, {"65 rows", 1, 1, 1, 3, 5, 13},
};

static uint32_t
n_rows (const HeadShape *s)
{
  const uint32_t first = s->n_anchors * s->h * s->w;

  return s->n_levels == 1 ? first : first + s->n_anchors * (s->h / 2) * (s->w / 2);
}

static OpCase
new_case (const HeadShape *s, bool dense)
{
  const uint32_t c = s->n_anchors * (5 + s->n_classes);
  OpCase result = {
      .name = s->name,
      .node = {.op = YV_OP_DETECT,
               .name = (char *) "detect",
               .n_inputs = s->n_levels,
               .c_out = 5 + s->n_classes,
               .detect = {.n_levels = s->n_levels,
                          .n_anchors = s->n_anchors,
                          .n_classes = s->n_classes,
                          .stride = {8, 16}}},
      .n = s->n,
      .dtype = YV_DTYPE_F32,
      .dst_dtype = YV_DTYPE_F32,
      .src = {{c, s->h, s->w, 0, 0, false}, {c, s->h / 2, s->w / 2, 0, 8, false}},
      .n_srcs = s->n_levels,
      .dst = {5 + s->n_classes, n_rows (s), 1, 0, 0, false},
      .amplitude = 6,
      .dense = dense,
      .capacity = n_rows (s),
  };

  for (uint32_t level = 0; level < s->n_levels; level++)
    for (uint32_t a = 0; a < s->n_anchors; a++) {
      result.node.detect.anchor_px[level][a][0] = 5.5f + 20 * level + 3 * a;
      result.node.detect.anchor_px[level][a][1] = 7.25f + 16 * level + 5 * a;
    }
  return result;
}

/* A few roundings in fp32 of values as large as the picture, and exp. */
static OpBound
row_bound (const OpCase *c, double largest)
{
  (void) c;
  (void) largest;
  return (OpBound){.absolute = 1e-5, .relative = 1e-6};
}

static void
dense_rows (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const OpCase c = new_case (&shapes[i], true);
    op_case_check (&c, row_bound);
  }
}

static int
compare_rows (const void *a, const void *b)
{
  const struct YvCandidate *x = a, *y = b;

  if (x->row != y->row)
    return x->row < y->row ? -1 : 1;
  return x->class_index < y->class_index ? -1 : x->class_index > y->class_index;
}

static struct YvCandidate *
sorted_by_row (const struct YvCandidate *candidates, uint32_t n)
{
  struct YvCandidate *sorted = g_memdup2 (candidates, n * sizeof *candidates);

  if (n)
    qsort (sorted, n, sizeof *sorted, compare_rows);
  return sorted;
}

#define DECODE_BOUND 1e-6f
#define HEAD_BOUND 1e-5f /* sums of up to 260 products, too */

static void
assert_same_candidate (const struct YvCandidate *got, const struct YvCandidate *expected,
                       float bound)
{
  g_assert_cmpuint (got->row, ==, expected->row);
  g_assert_cmpuint (got->class_index, ==, expected->class_index);
  g_assert_cmpfloat_with_epsilon (got->objectness, expected->objectness, bound);
  g_assert_cmpfloat_with_epsilon (got->confidence, expected->confidence, bound);
  g_assert_cmpfloat_with_epsilon (got->x, expected->x, 10 * bound * (1 + fabsf (expected->x)));
  g_assert_cmpfloat_with_epsilon (got->y, expected->y, 10 * bound * (1 + fabsf (expected->y)));
  g_assert_cmpfloat_with_epsilon (got->w, expected->w, 10 * bound * (1 + fabsf (expected->w)));
  g_assert_cmpfloat_with_epsilon (got->h, expected->h, 10 * bound * (1 + fabsf (expected->h)));
}

/* One that is there and not here is at the threshold. */
static void
assert_same_candidates (const struct YvCandidate *got, uint32_t n_got,
                        const struct YvCandidate *expected, uint32_t n_expected, float threshold,
                        float bound)
{
  g_autofree struct YvCandidate *a = sorted_by_row (got, n_got);
  g_autofree struct YvCandidate *b = sorted_by_row (expected, n_expected);
  uint32_t i = 0, j = 0;

  while (i < n_got && j < n_expected) {
    const int order = compare_rows (&a[i], &b[j]);

    if (order == 0)
      assert_same_candidate (&a[i++], &b[j++], bound);
    else if (order < 0)
      g_assert_cmpfloat_with_epsilon (a[i++].confidence, threshold, bound);
    else
      g_assert_cmpfloat_with_epsilon (b[j++].confidence, threshold, bound);
  }
  for (; i < n_got; i++)
    g_assert_cmpfloat_with_epsilon (a[i].confidence, threshold, bound);
  for (; j < n_expected; j++)
    g_assert_cmpfloat_with_epsilon (b[j].confidence, threshold, bound);
}

static void
set_batch (OpRun *run, const YvBatch *how)
{
  YvBatch *batch = op_run_batch (run);

  batch->confidence = how->confidence;
  batch->obj_only = how->obj_only;
  batch->multi_label = how->multi_label;
  batch->class_wanted = how->class_wanted;
}

/* Returns how many candidates the reference found. */
static uint32_t
check_case (const OpCase *c, const YvBatch *how)
{
  const struct YvCandidate *got[MAX_BATCH], *expected[MAX_BATCH];
  uint32_t n_got[MAX_BATCH], n_expected[MAX_BATCH], n_all = 0;

  g_autoptr (OpRun) run = op_run_new (c);
  if (!run)
    return 1000;
  set_batch (run, how);
  op_run_submit (run, got, n_got, expected, n_expected);
  for (uint32_t i = 0; i < c->n; i++) {
    assert_same_candidates (got[i], n_got[i], expected[i], n_expected[i], how->confidence,
                            c->heads ? HEAD_BOUND : DECODE_BOUND);
    n_all += n_expected[i];
  }
  op_run_assert_rest_untouched (run);
  return n_all;
}

static uint32_t
check_candidates (const HeadShape *s, float threshold, bool obj_only, float amplitude)
{
  OpCase c = new_case (s, false);

  c.amplitude = amplitude;
  return check_case (&c, &(YvBatch){.confidence = threshold, .obj_only = obj_only});
}

static void
candidates_are_the_references (void)
{
  uint32_t n_all = 0;

  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++) {
    n_all += check_candidates (&shapes[i], 0.3f, false, 6);
    n_all += check_candidates (&shapes[i], 0.001f, false, 6);
    n_all += check_candidates (&shapes[i], 0.5f, true, 6);
  }
  g_assert_cmpuint (n_all, >, 100); /* the threshold lets some through */
}

static uint32_t
check_every_class (const HeadShape *s, float threshold)
{
  OpCase c = new_case (s, false);

  c.capacity = n_rows (s) * s->n_classes;
  return check_case (&c, &(YvBatch){.confidence = threshold, .multi_label = true});
}

static void
every_class_above_the_threshold_is_a_candidate (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++) {
    check_every_class (&shapes[i], 0.3f);
    check_every_class (&shapes[i], 0.001f);
  }
  /* more than one of most rows */
  g_assert_cmpuint (check_every_class (&shapes[3], 0.001f), >, 10 * n_rows (&shapes[3]));
}

#define N_MANY 80 /* classes of shapes[3]: three words */

/* Of the candidates @all those of a class wanted. */
static struct YvCandidate *
of_wanted (const struct YvCandidate *all, uint32_t n_all, const bool *wanted, uint32_t *n)
{
  struct YvCandidate *some = g_new (struct YvCandidate, n_all + 1);

  *n = 0;
  for (uint32_t i = 0; i < n_all; i++)
    if (wanted[all[i].class_index])
      some[(*n)++] = all[i];
  return some;
}

/* A list as long as what is wanted of it: nothing else takes a place. */
static void
check_wanted (bool multi_label, const bool *wanted)
{
  OpCase c = new_case (&shapes[3], false);
  YvBatch how = {.confidence = 0.1f, .multi_label = multi_label};
  const struct YvCandidate *got, *expected;
  uint32_t n_got, n_expected, n_some;

  c.capacity = n_rows (&shapes[3]) * N_MANY;
  g_autoptr (OpRun) run = op_run_new (&c);
  if (!run)
    return;
  set_batch (run, &how);
  op_run_submit (run, &got, &n_got, &expected, &n_expected);
  g_autofree struct YvCandidate *some = of_wanted (got, n_got, wanted, &n_some);
  g_assert_cmpuint (n_some, >, 0);
  g_assert_cmpuint (n_some, <, n_got);

  c.capacity = n_some;
  how.class_wanted = wanted;
  g_autoptr (OpRun) short_run = op_run_new (&c);
  set_batch (short_run, &how);
  op_run_submit (short_run, &got, &n_got, &expected, &n_expected);
  assert_same_candidates (got, n_got, some, n_some, how.confidence, DECODE_BOUND);
  assert_same_candidates (expected, n_expected, some, n_some, how.confidence, DECODE_BOUND);
}

static void
only_classes_that_are_wanted_become_candidates (void)
{
  const uint32_t classes[] = {0, 31, 32, 63, 64, 79};
  bool wanted[N_MANY] = {false};

  for (uint32_t i = 0; i < G_N_ELEMENTS (classes); i++)
    wanted[classes[i]] = true;
  check_wanted (false, wanted);
  check_wanted (true, wanted);
}

/* Logits that are too many for a texel buffer are read by address, which changes no bit: else an
 * image's detections would depend on how many are in its batch. */
static void
logits_read_by_address_give_the_same_bits (void)
{
  OpCase c = new_case (&shapes[3], false);
  const YvBatch how = {.confidence = 0.1f, .multi_label = true};
  const struct YvCandidate *bound, *addressed, *expected;
  uint32_t n_bound, n_addressed, n_expected;

  c.capacity = n_rows (&shapes[3]) * N_MANY;
  g_autoptr (OpRun) by_texel = op_run_new (&c);
  if (!by_texel)
    return;
  OpCase large = c;
  large.by_address = true;
  g_autoptr (OpRun) by_address = op_run_new (&large);
  set_batch (by_texel, &how);
  set_batch (by_address, &how);
  op_run_submit (by_texel, &bound, &n_bound, &expected, &n_expected);
  op_run_submit (by_address, &addressed, &n_addressed, &expected, &n_expected);

  g_autofree struct YvCandidate *a = sorted_by_row (bound, n_bound);
  g_autofree struct YvCandidate *b = sorted_by_row (addressed, n_addressed);
  g_assert_cmpuint (n_bound, >, 100);
  g_assert_cmpmem (a, n_bound * sizeof *a, b, n_addressed * sizeof *b);
}

static void
nothing_is_above_one (void)
{
  check_candidates (&shapes[2], 1.0f, false, 6);
}

/* Sigmoids of large logits are all 1. */
static void
the_first_of_equal_classes_wins (void)
{
  g_assert_cmpuint (check_candidates (&shapes[3], 0.5f, false, 1000), >, 10);
}

/* A list that is too short is filled, and nothing is written behind it. */
static void
a_full_list_ends_where_it_ends (void)
{
  OpCase c = new_case (&shapes[2], false);
  const struct YvCandidate *got[MAX_BATCH], *expected[MAX_BATCH];
  uint32_t n_got[MAX_BATCH], n_expected[MAX_BATCH];

  c.capacity = 7;
  g_autoptr (OpRun) run = op_run_new (&c);
  if (!run)
    return;
  YvBatch how = {.confidence = 1, .obj_only = true}; /* finds nothing, tells where the lists are */
  set_batch (run, &how);
  op_run_submit (run, got, n_got, expected, n_expected);
  struct YvCandidate behind[MAX_BATCH];
  for (uint32_t i = 0; i < c.n; i++)
    behind[i] = got[i][7]; /* op_run_new() leaves room for one more */

  how.confidence = 0;
  set_batch (run, &how);
  op_run_submit (run, got, n_got, expected, n_expected);
  for (uint32_t i = 0; i < c.n; i++) {
    g_assert_cmpuint (n_got[i], ==, 7);
    g_assert_cmpmem (&got[i][7], sizeof behind[i], &behind[i], sizeof behind[i]);
  }
}

/* ---- heads: the convolution, too ------------------------------------------------------------ */

/* Of a case of two levels at most; what they read has c_in, then 2 c_in channels. */
typedef struct {
  YvWeight *weights[2];
  YvNode nodes[2];
  const YvNode *heads[2];
} Heads;

/* A logit is a sum of even numbers, and has a deviation of about amplitude / 1.7. */
static void
heads_init (Heads *heads, const HeadShape *s, uint32_t c_in, double objectness_bias)
{
  *heads = (Heads){.heads = {&heads->nodes[0], &heads->nodes[1]}};
  for (uint32_t level = 0; level < s->n_levels; level++) {
    YvWeight *weight =
        yv_weight_new (s->n_anchors * (5 + s->n_classes), (level + 1) * c_in, 1, 1, 1);

    yv_weight_add_random (weight, 7 + level);
    for (uint32_t o = 0; o < weight->c_out; o++)
      weight->bias[o] = o % (5 + s->n_classes) == 4 ? objectness_bias : 0.25 * sin (o);
    heads->weights[level] = weight;
    heads->nodes[level] =
        (YvNode){.op = YV_OP_CONV, .name = (char *) "head", .conv = {.weight = weight}};
  }
}

static void
heads_clear (Heads *heads)
{
  yv_weight_free (heads->weights[0]);
  yv_weight_free (heads->weights[1]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Heads, heads_clear)

static OpCase
new_head_case (const HeadShape *s, const Heads *heads, uint32_t c_in, YvDType dtype)
{
  OpCase c = new_case (s, false);

  c.heads = heads->heads;
  c.dtype = dtype;
  c.amplitude = 4;
  c.capacity = n_rows (s) * s->n_classes;
  for (uint32_t level = 0; level < s->n_levels; level++)
    c.src[level].c = (level + 1) * c_in;
  return c;
}

/* Tiles are of 64 pixels, blocks of 32 channels, steps of 16 input channels. */
static const struct {
  HeadShape shape;
  uint32_t c_in;
} head_shapes[] = {
    {{"one of all", 1, 1, 1, 1, 1, 1}, 1},
    {{"63 pixels, 15 -> 3 x 32", 1, 1, 3, 27, 7, 9}, 15},
    {{"64 pixels, 16 -> 31", 3, 1, 1, 26, 8, 8}, 16},
    {{"65 pixels, 17 -> 5 x 33", 1, 1, 5, 28, 5, 13}, 17},
    {{"two levels, 5 classes", 3, 2, 3, 5, 12, 22}, 33},
    {{"80 classes", 1, 2, 3, 80, 20, 10}, 130},
    {{"1203 classes", 1, 1, 3, 1203, 3, 5}, 24},
};

static uint32_t
check_head (uint32_t index, YvDType dtype, double objectness_bias, const YvBatch *how)
{
  const HeadShape *s = &head_shapes[index].shape;
  const uint32_t c_in = head_shapes[index].c_in;
  g_auto (Heads) heads;

  heads_init (&heads, s, c_in, objectness_bias);
  const OpCase c = new_head_case (s, &heads, c_in, dtype);
  return check_case (&c, how);
}

static void
check_heads (YvDType dtype)
{
  uint32_t n_best = 0, n_every = 0;

  for (uint32_t i = 0; i < G_N_ELEMENTS (head_shapes); i++) {
    n_best += check_head (i, dtype, 0, &(YvBatch){.confidence = 0.3f});
    check_head (i, dtype, 0, &(YvBatch){.confidence = 0.5f, .obj_only = true});
    n_every += check_head (i, dtype, 0, &(YvBatch){.confidence = 0.3f, .multi_label = true});
  }
  g_assert_cmpuint (n_best, >, 100);
  g_assert_cmpuint (n_every, >, 3 * n_best);
}

static void
heads_give_the_references_candidates_in_fp32 (void)
{
  check_heads (YV_DTYPE_F32);
}

static void
heads_give_the_references_candidates_in_fp16 (void)
{
  check_heads (YV_DTYPE_F16);
}

/* Most tiles have no object, and some have one. */
static void
tiles_without_an_object_are_left_out (void)
{
  const YvBatch how = {.confidence = 0.25f, .multi_label = true};

  g_assert_cmpuint (check_head (4, YV_DTYPE_F32, -4, &how), >, 100);
  g_assert_cmpuint (check_head (4, YV_DTYPE_F32, -10, &how), >, 1);
  g_assert_cmpuint (check_head (4, YV_DTYPE_F32, -30, &how), ==, 0);
}

static void
heads_take_only_classes_that_are_wanted (void)
{
  bool wanted[N_MANY] = {[0] = true, [31] = true, [32] = true, [79] = true};
  YvBatch how = {.confidence = 0.1f, .class_wanted = wanted};

  g_assert_cmpuint (check_head (5, YV_DTYPE_F32, 0, &how), >, 0);
  how.multi_label = true;
  g_assert_cmpuint (check_head (5, YV_DTYPE_F32, 0, &how), >, 10);
}

static void
bench (void)
{
  static const HeadShape real = {"80 x 80 x 3 of 80 classes", 1, 1, 3, 80, 80, 80};

  for (int dense = 0; dense <= 1; dense++) {
    const OpCase c = new_case (&real, dense);
    op_case_bench (&c, 0, n_rows (&real) * 85 * 4e-9);
  }
}

int
main (int argc, char **argv)
{
  if (op_bench_wanted (argc, argv)) {
    bench ();
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decode/rows", dense_rows);
  g_test_add_func ("/decode/candidates", candidates_are_the_references);
  g_test_add_func ("/decode/every-class", every_class_above_the_threshold_is_a_candidate);
  g_test_add_func ("/decode/wanted", only_classes_that_are_wanted_become_candidates);
  g_test_add_func ("/decode/by-address", logits_read_by_address_give_the_same_bits);
  g_test_add_func ("/decode/none", nothing_is_above_one);
  g_test_add_func ("/decode/ties", the_first_of_equal_classes_wins);
  g_test_add_func ("/decode/full", a_full_list_ends_where_it_ends);
  g_test_add_func ("/head/fp32", heads_give_the_references_candidates_in_fp32);
  g_test_add_func ("/head/fp16", heads_give_the_references_candidates_in_fp16);
  g_test_add_func ("/head/few", tiles_without_an_object_are_left_out);
  g_test_add_func ("/head/wanted", heads_take_only_classes_that_are_wanted);
  return op_run_tests ();
}
