/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-nms.c - engine/post/nms.h against the definition, carried out box by box. */
#include "engine/post/nms.h"

#include <math.h>

#include "engine/checkpoint/checkpoint.h"
#include "tests/common/paths.h"

#define N_CLASSES 80

typedef struct {
  float box[4];
  const struct YvCandidate *candidate;
  bool suppressed;
} Slow;

static gint
compare_slow (gconstpointer a, gconstpointer b)
{
  const struct YvCandidate *x = ((const Slow *) a)->candidate;
  const struct YvCandidate *y = ((const Slow *) b)->candidate;

  if (x->confidence != y->confidence)
    return x->confidence < y->confidence ? 1 : -1;
  if (x->row != y->row)
    return x->row < y->row ? -1 : 1;
  return x->class_index < y->class_index ? -1 : x->class_index > y->class_index;
}

static float
iou (const float *a, const float *b)
{
  const float w = fmaxf (0, fminf (a[2], b[2]) - fmaxf (a[0], b[0]));
  const float h = fmaxf (0, fminf (a[3], b[3]) - fmaxf (a[1], b[1]));
  const float shared = w * h;

  return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared);
}

/* Spec 4.2, steps 3 to 8, one after the other: all boxes moved, sorted, each of the survivors
 * suppressing all behind it. */
static GArray *
slow_nms (const struct YvCandidate *candidates, uint32_t n, const YvNmsOptions *options)
{
  GArray *all = g_array_new (FALSE, TRUE, sizeof (Slow));

  for (uint32_t i = 0; i < n; i++) {
    const struct YvCandidate *c = &candidates[i];
    const float move = options->class_agnostic ? 0 : (float) c->class_index * 4096;
    const Slow slow = {{c->x - c->w / 2 + move, c->y - c->h / 2 + move, c->x + c->w / 2 + move,
                        c->y + c->h / 2 + move},
                       c,
                       false};

    g_array_append_val (all, slow);
  }
  g_array_sort (all, compare_slow);
  for (uint32_t i = 0; i < all->len; i++) {
    const Slow *a = &g_array_index (all, Slow, i);

    for (uint32_t j = i + 1; j < all->len && !a->suppressed; j++) {
      Slow *b = &g_array_index (all, Slow, j);

      b->suppressed |= iou (a->box, b->box) > options->iou_threshold;
    }
  }
  for (uint32_t i = all->len; i > 0; i--) {
    if (g_array_index (all, Slow, i - 1).suppressed)
      g_array_remove_index (all, i - 1);
  }
  return all;
}

static void
check_against_slow (YvNms *nms, const struct YvCandidate *candidates, uint32_t n,
                    const YvNmsOptions *options)
{
  g_autoptr (GArray) want = slow_nms (candidates, n, options);
  uint32_t n_kept;
  const YvKept *kept = yv_nms_run (nms, candidates, n, options, &n_kept);

  g_assert_cmpuint (n_kept, ==, MIN (want->len, options->max_detections));
  for (uint32_t i = 0; i < n_kept; i++) {
    const struct YvCandidate *c = g_array_index (want, Slow, i).candidate;

    g_assert_cmpuint (kept[i].row, ==, c->row);
    g_assert_cmpuint (kept[i].class_index, ==, c->class_index);
    g_assert_cmpfloat (kept[i].confidence, ==, c->confidence);
    g_assert_cmpfloat (kept[i].objectness, ==, c->objectness);
    g_assert_cmpfloat (kept[i].box[0], ==, c->x - c->w / 2);
    g_assert_cmpfloat (kept[i].box[3], ==, c->y + c->h / 2);
  }
}

static float
uniform (double from, double to)
{
  return (float) g_test_rand_double_range (from, to);
}

/* Boxes in heaps, as a network leaves them; confidences on a coarse grid, so that many tie. */
static void
fill_random (struct YvCandidate *candidates, uint32_t n, float largest_px, uint32_t n_classes)
{
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t other = (uint32_t) g_test_rand_int_range (0, (gint32) i + 1);
    const bool near = i > 0 && i % 3 != 0;

    candidates[i] = (struct YvCandidate){
        .x = near ? candidates[other % i].x + uniform (-9, 9) : uniform (0, 640),
        .y = near ? candidates[other % i].y + uniform (-9, 9) : uniform (0, 640),
        .w = uniform (0, largest_px),
        .h = uniform (0, largest_px),
        .objectness = uniform (0, 1),
        .confidence = (float) g_test_rand_int_range (1, 50) / 50,
        .class_index = (uint32_t) g_test_rand_int_range (0, (gint32) n_classes),
        .row = i,
    };
  }
}

static void
shuffle (struct YvCandidate *candidates, uint32_t n)
{
  for (uint32_t i = n; i > 1; i--) {
    const uint32_t j = (uint32_t) g_test_rand_int_range (0, (gint32) i);
    const struct YvCandidate swapped = candidates[i - 1];

    candidates[i - 1] = candidates[j];
    candidates[j] = swapped;
  }
}

static void
random_boxes_agree_with_the_definition (void)
{
  static const float largest[] = {60, 300, 6000};
  g_autoptr (YvNms) nms = yv_nms_new ();
  struct YvCandidate candidates[400];

  for (uint32_t round = 0; round < 60; round++) {
    const uint32_t n = (uint32_t) g_test_rand_int_range (0, G_N_ELEMENTS (candidates));
    const YvNmsOptions options = {
        .iou_threshold = round % 7 == 0 ? 0 : uniform (0.2, 0.9),
        .class_agnostic = round % 4 == 0,
        .max_detections = round % 5 == 0 ? 20 : 300,
        .n_classes = N_CLASSES,
    };

    fill_random (candidates, n, largest[round % 3], round % 2 ? 4 : N_CLASSES);
    shuffle (candidates, n);
    check_against_slow (nms, candidates, n, &options);
  }
}

/* Class 0 at 4100 px to the right of, and below, a box is where upstream puts class 1. */
static void
boxes_beyond_4096_px_meet_the_next_class_as_upstream (void)
{
  const struct YvCandidate candidates[] = {
      {.x = 4196,
       .y = 4196,
       .w = 100,
       .h = 100,
       .objectness = 1,
       .confidence = 0.9f,
       .class_index = 0,
       .row = 0},
      {.x = 100,
       .y = 100,
       .w = 100,
       .h = 100,
       .objectness = 1,
       .confidence = 0.8f,
       .class_index = 1,
       .row = 1},
  };
  const YvNmsOptions options = {.iou_threshold = 0.45f, .max_detections = 300, .n_classes = 2};
  g_autoptr (YvNms) nms = yv_nms_new ();
  uint32_t n_kept;

  yv_nms_run (nms, candidates, 2, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 1);
}

static void
overlap_at_the_threshold_is_kept (void)
{
  /* IoU exactly 1/2 */
  const struct YvCandidate candidates[] = {
      {.x = 10, .y = 10, .w = 20, .h = 20, .objectness = 1, .confidence = 0.9f, .row = 0},
      {.x = 10, .y = 15, .w = 20, .h = 10, .objectness = 1, .confidence = 0.8f, .row = 1},
  };
  YvNmsOptions options = {.iou_threshold = 0.5f, .max_detections = 300, .n_classes = 1};
  g_autoptr (YvNms) nms = yv_nms_new ();
  uint32_t n_kept;

  yv_nms_run (nms, candidates, 2, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 2);
  options.iou_threshold = nextafterf (0.5f, 0);
  yv_nms_run (nms, candidates, 2, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 1);
}

/* The best 30000 overlap nobody but each other; a box behind them is out, whatever it is. */
static void
only_the_best_thirty_thousand_take_part (void)
{
  const uint32_t n = 30001;
  g_autofree struct YvCandidate *candidates = g_new0 (struct YvCandidate, n);
  const YvNmsOptions options = {.iou_threshold = 0.45f, .max_detections = 300, .n_classes = 1};
  g_autoptr (YvNms) nms = yv_nms_new ();
  uint32_t n_kept;

  for (uint32_t i = 0; i < n; i++)
    candidates[i] = (struct YvCandidate){
        .x = 50, .y = 50, .w = 9, .h = 9, .objectness = 1, .confidence = 0.5f, .row = i};
  candidates[7].confidence = 0.4f; /* the last of all ... */
  candidates[7].x = 500;           /* ... though nothing suppresses it */
  yv_nms_run (nms, candidates, n, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 1);
  g_assert_cmpfloat (yv_nms_last_confidence (nms, candidates, n, 1), ==, 0.5f);
  yv_nms_run (nms, candidates, n - 1, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 2);
  g_assert_cmpfloat (yv_nms_last_confidence (nms, candidates, n - 1, 1), ==, 0.4f);
  g_assert_cmpfloat (yv_nms_last_confidence (nms, candidates, n - 2, 1), ==, 0);
}

static void
what_an_image_does_not_want_is_left_out (void)
{
  const struct YvCandidate good = {.w = 5, .h = 5, .objectness = 0.6f, .confidence = 0.5f};
  struct YvCandidate candidates[4];
  const bool class_wanted[] = {true, false};
  YvNmsOptions options = {.iou_threshold = 0.45f, .max_detections = 300, .n_classes = 2};
  g_autoptr (YvNms) nms = yv_nms_new ();
  uint32_t n_kept;

  for (uint32_t i = 0; i < G_N_ELEMENTS (candidates); i++) {
    candidates[i] = good;
    candidates[i].x = (float) (100 * i);
    candidates[i].row = i;
  }
  candidates[1].confidence = 0.4f;
  candidates[2].objectness = 0.4f;
  candidates[3].class_index = 1;
  yv_nms_run (nms, candidates, 4, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 4);
  options.confidence = 0.4f;
  yv_nms_run (nms, candidates, 4, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 2);
  options.class_wanted = class_wanted;
  const YvKept *kept = yv_nms_run (nms, candidates, 4, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 1);
  g_assert_cmpuint (kept[0].row, ==, 0);
}

static void
what_is_no_box_is_left_out (void)
{
  const struct YvCandidate good = {
      .x = 10, .y = 10, .w = 5, .h = 5, .objectness = 1, .confidence = 0.5f};
  struct YvCandidate candidates[10];
  const YvNmsOptions options = {.iou_threshold = 0.45f, .max_detections = 300, .n_classes = 3};
  g_autoptr (YvNms) nms = yv_nms_new ();
  uint32_t n_kept;

  for (uint32_t i = 0; i < G_N_ELEMENTS (candidates); i++)
    candidates[i] = good;
  candidates[0].x = NAN;
  candidates[1].y = INFINITY;
  candidates[2].w = -1;
  candidates[3].h = NAN;
  candidates[4].confidence = NAN;
  candidates[5].objectness = -INFINITY;
  candidates[6].class_index = 3;
  candidates[7].class_index = UINT32_MAX;
  candidates[8].w = candidates[8].x = 3e38f; /* a corner overflows */
  candidates[9].row = 9;
  const YvKept *kept = yv_nms_run (nms, candidates, G_N_ELEMENTS (candidates), &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 1);
  g_assert_cmpuint (kept[0].row, ==, 9);
}

static void
boxes_without_area_suppress_nothing (void)
{
  const struct YvCandidate candidates[] = {
      {.x = 10, .y = 10, .objectness = 1, .confidence = 0.9f, .row = 0},
      {.x = 10, .y = 10, .objectness = 1, .confidence = 0.8f, .row = 1},
      {.x = 1e30f,
       .y = 1e30f,
       .w = 1e30f,
       .h = 1e30f,
       .objectness = 1,
       .confidence = 0.7f,
       .row = 2},
      {.x = 1e30f,
       .y = 1e30f,
       .w = 1e30f,
       .h = 1e30f,
       .objectness = 1,
       .confidence = 0.6f,
       .row = 3},
  };
  const YvNmsOptions options = {.iou_threshold = 0.45f, .max_detections = 300, .n_classes = 1};
  g_autoptr (YvNms) nms = yv_nms_new ();
  uint32_t n_kept;

  yv_nms_run (nms, candidates, 4, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 4); /* 0 / 0 and inf / inf are no overlap, as in upstream */
}

static void
nothing_in_is_nothing_out (void)
{
  const YvNmsOptions options = {.iou_threshold = 0.45f, .max_detections = 300, .n_classes = 1};
  g_autoptr (YvNms) nms = yv_nms_new ();
  uint32_t n_kept = 9;

  yv_nms_run (nms, NULL, 0, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, 0);
}

/* ---- against upstream ----------------------------------------------------------------------- */

/* Spec 4.2, steps 1 and 2, in float32: the candidates that a device would have found. */
static uint32_t
find_candidates (const float *pred, uint32_t n_rows, uint32_t n_classes,
                 struct YvCandidate *candidates)
{
  uint32_t n = 0;

  for (uint32_t row = 0; row < n_rows; row++, pred += 5 + n_classes) {
    uint32_t best = 0;

    for (uint32_t i = 1; i < n_classes; i++) {
      if (pred[5 + i] * pred[4] > pred[5 + best] * pred[4])
        best = i;
    }
    const float confidence = n_classes == 1 ? pred[4] : pred[5 + best] * pred[4];
    if (!(pred[4] > 0.25f && confidence > 0.25f))
      continue;
    candidates[n++] = (struct YvCandidate){
        .x = pred[0],
        .y = pred[1],
        .w = pred[2],
        .h = pred[3],
        .objectness = pred[4],
        .confidence = confidence,
        .class_index = best,
        .row = row,
    };
  }
  return n;
}

/* With multi-label: each class of a row is a candidate. At most @n_max of them. */
static uint32_t
find_every_class (const float *pred, uint32_t n_rows, uint32_t n_classes, float threshold,
                  struct YvCandidate *candidates, uint32_t n_max)
{
  uint32_t n = 0;

  for (uint32_t pair = 0; pair < n_rows * n_classes && n < n_max; pair++) {
    const float *row = pred + pair / n_classes * (5 + n_classes);
    const uint32_t k = pair % n_classes;

    if (row[4] > threshold && row[4] * row[5 + k] > threshold)
      candidates[n++] = (struct YvCandidate){
          .x = row[0],
          .y = row[1],
          .w = row[2],
          .h = row[3],
          .objectness = row[4],
          .confidence = row[4] * row[5 + k],
          .class_index = k,
          .row = pair / n_classes,
      };
  }
  return n;
}

static float *
read_floats (const YvTensor *tensor, uint64_t first, uint64_t n)
{
  float *values = g_new (float, n + 1);

  yv_tensor_read_f32 (tensor, first, n, values);
  return values;
}

/* Bit by bit: x1 y1 x2 y2 conf cls. */
static void
check_image (const YvCheckpoint *file, uint32_t image)
{
  const YvObject *root = yv_checkpoint_root (file);
  const YvTensor *pred = &yv_object_get (root, "pred")->tensor;
  g_autofree char *name = g_strdup_printf ("det.%u", image);
  const YvTensor *det = &yv_object_get (root, name)->tensor;
  const uint32_t n_rows = (uint32_t) pred->shape[1], n_classes = (uint32_t) pred->shape[2] - 5;
  const uint64_t image_elems = pred->shape[1] * pred->shape[2];
  const YvNmsOptions options = {
      .iou_threshold = 0.45f, .max_detections = 300, .n_classes = n_classes};
  g_autofree float *rows = read_floats (pred, image * image_elems, image_elems);
  g_autofree float *expected = read_floats (det, 0, yv_tensor_n_elems (det));
  g_autofree struct YvCandidate *candidates = g_new (struct YvCandidate, n_rows);
  g_autoptr (YvNms) nms = yv_nms_new ();
  const uint32_t n = find_candidates (rows, n_rows, n_classes, candidates);
  uint32_t n_kept;

  shuffle (candidates, n);
  const YvKept *kept = yv_nms_run (nms, candidates, n, &options, &n_kept);
  g_assert_cmpuint (n_kept, ==, det->shape[0]);
  for (uint32_t i = 0; i < n_kept; i++) {
    g_assert_cmpmem (kept[i].box, sizeof kept[i].box, expected + 6 * i, sizeof kept[i].box);
    g_assert_cmpfloat (kept[i].confidence, ==, expected[6 * i + 4]);
    g_assert_cmpfloat ((float) kept[i].class_index, ==, expected[6 * i + 5]);
  }
}

static uint32_t
check_folder (const char *folder)
{
  g_autoptr (GDir) dir = folder ? g_dir_open (folder, 0, NULL) : NULL;
  const char *name;
  uint32_t n_images = 0;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autoptr (YvCheckpoint) file =
        g_str_has_suffix (name, ".safetensors") ? yv_checkpoint_open (path, NULL) : NULL;
    const YvObject *pred = file ? yv_object_get (yv_checkpoint_root (file), "pred") : NULL;

    for (uint32_t i = 0; pred && i < pred->tensor.shape[0]; i++, n_images++)
      check_image (file, i);
  }
  return n_images;
}

static void
predictions_become_what_upstream_detected (void)
{
  g_autofree char *golden = yv_test_source_path ("tests/golden/checkpoints");
  g_autofree char *shared = yv_test_shared_path ("reference");

  g_assert_cmpuint (check_folder (golden), >=, 2);
  g_test_message ("and %u images of the folder of measurements", check_folder (shared));
}

/* Five classes; slow_nms() would take for ever with all that is above test.py's 0.001. */
static void
every_class_of_a_prediction_agrees_with_the_definition (void)
{
  static const float thresholds[] = {0.02f, 0.05f, 0.2f};
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/x-legacy.safetensors");
  g_autoptr (YvCheckpoint) file = yv_checkpoint_open (path, NULL);
  const YvTensor *pred = &yv_object_get (yv_checkpoint_root (file), "pred")->tensor;
  const uint32_t n_rows = (uint32_t) pred->shape[1], n_classes = (uint32_t) pred->shape[2] - 5;
  g_autofree float *rows = read_floats (pred, 0, pred->shape[1] * pred->shape[2]);
  struct YvCandidate candidates[3000];
  g_autoptr (YvNms) nms = yv_nms_new ();

  for (uint32_t i = 0; i < G_N_ELEMENTS (thresholds); i++) {
    const uint32_t n = find_every_class (rows, n_rows, n_classes, thresholds[i], candidates,
                                         G_N_ELEMENTS (candidates));
    YvNmsOptions options = {.iou_threshold = 0.65f, .max_detections = 300, .n_classes = n_classes};

    g_test_message ("%u candidates above %g", n, (double) thresholds[i]);
    shuffle (candidates, n);
    check_against_slow (nms, candidates, n, &options);
    options.class_agnostic = true; /* a box has IoU 1 with itself in another class */
    check_against_slow (nms, candidates, n, &options);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nms/random", random_boxes_agree_with_the_definition);
  g_test_add_func ("/nms/beyond-4096", boxes_beyond_4096_px_meet_the_next_class_as_upstream);
  g_test_add_func ("/nms/strict", overlap_at_the_threshold_is_kept);
  g_test_add_func ("/nms/thirty-thousand", only_the_best_thirty_thousand_take_part);
  g_test_add_func ("/nms/no-box", what_is_no_box_is_left_out);
  g_test_add_func ("/nms/unwanted", what_an_image_does_not_want_is_left_out);
  g_test_add_func ("/nms/no-area", boxes_without_area_suppress_nothing);
  g_test_add_func ("/nms/empty", nothing_in_is_nothing_out);
  g_test_add_func ("/nms/upstream", predictions_become_what_upstream_detected);
  g_test_add_func ("/nms/every-class", every_class_of_a_prediction_agrees_with_the_definition);
  return g_test_run ();
}
