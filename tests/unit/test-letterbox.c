/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-letterbox.c - engine/letterbox.h against upstream's figures. */
#include <math.h>

#include "engine/letterbox.h"

/* Examples of spec 4.1, and what upstream made of the pictures of letterbox.safetensors. */
static const struct {
  uint32_t frame_w, frame_h, size, stride;
  YvLetterboxMode mode;
  YvLetterbox expected;
} fits[] = {
    {1280, 720, 640, 32, YV_LETTERBOX_AUTO, {1280, 720, 640, 384, 640, 360, 0, 12, false}},
    {773, 512, 640, 32, YV_LETTERBOX_AUTO, {773, 512, 640, 448, 640, 424, 0, 12, false}},
    {1920, 1080, 1280, 64, YV_LETTERBOX_AUTO, {1920, 1080, 1280, 768, 1280, 720, 0, 24, false}},
    {640, 480, 640, 32, YV_LETTERBOX_AUTO, {640, 480, 640, 480, 640, 480, 0, 0, false}},
    {640, 480, 640, 32, YV_LETTERBOX_FIXED, {640, 480, 640, 640, 640, 480, 0, 80, false}},
    {640, 426, 640, 32, YV_LETTERBOX_AUTO, {640, 426, 640, 448, 640, 426, 0, 11, false}},
    {640, 426, 640, 32, YV_LETTERBOX_FIXED, {640, 426, 640, 640, 640, 426, 0, 107, false}},
    {640, 171, 640, 32, YV_LETTERBOX_AUTO, {640, 171, 640, 192, 640, 171, 0, 10, false}},
    {640, 171, 640, 32, YV_LETTERBOX_FIXED, {640, 171, 640, 640, 640, 171, 0, 234, false}},
    {213, 425, 640, 32, YV_LETTERBOX_AUTO, {213, 425, 352, 640, 321, 640, 15, 0, false}},
    {213, 425, 640, 32, YV_LETTERBOX_FIXED, {213, 425, 640, 640, 321, 640, 159, 0, false}},
    /* A size between two multiples of the stride is raised. */
    {640, 480, 609, 32, YV_LETTERBOX_FIXED, {640, 480, 640, 640, 640, 480, 0, 80, false}},
};

static void
frames_are_fitted_as_upstream_does (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (fits); i++) {
    const YvLetterbox *want = &fits[i].expected;
    YvLetterbox got;

    g_test_message ("%ux%u at %u", fits[i].frame_w, fits[i].frame_h, fits[i].size);
    g_assert_true (yv_letterbox_fit (fits[i].frame_w, fits[i].frame_h, fits[i].size, fits[i].stride,
                                     fits[i].mode, true, &got));
    g_assert_cmpuint (got.frame_w, ==, want->frame_w);
    g_assert_cmpuint (got.frame_h, ==, want->frame_h);
    g_assert_cmpuint (got.net_w, ==, want->net_w);
    g_assert_cmpuint (got.net_h, ==, want->net_h);
    g_assert_cmpuint (got.resized_w, ==, want->resized_w);
    g_assert_cmpuint (got.resized_h, ==, want->resized_h);
    g_assert_cmpuint (got.left, ==, want->left);
    g_assert_cmpuint (got.top, ==, want->top);
  }
}

static void
a_network_of_any_shape_takes_a_frame (void)
{
  YvLetterbox got;

  g_assert_true (yv_letterbox_fit_exactly (600, 400, 672, 480, false, &got));
  g_assert_cmpuint (got.net_w, ==, 672);
  g_assert_cmpuint (got.net_h, ==, 480);
  g_assert_cmpuint (got.resized_w, ==, 600);
  g_assert_cmpuint (got.left, ==, 36);
  g_assert_cmpuint (got.top, ==, 40);

  g_assert_true (yv_letterbox_fit_exactly (1000, 100, 96, 320, true, &got));
  g_assert_cmpuint (got.resized_w, ==, 96);
  g_assert_cmpuint (got.resized_h, ==, 10);
  g_assert_cmpuint (got.net_h, ==, 320);
  g_assert_cmpuint (got.top, ==, 155);
  g_assert_false (yv_letterbox_fit_exactly (1000, 1, 96, 320, true, &got));
  g_assert_false (yv_letterbox_fit_exactly (0, 1, 96, 320, true, &got));
}

static void
small_frames_stay_small_without_scale_up (void)
{
  YvLetterbox got;

  g_assert_true (yv_letterbox_fit (100, 50, 640, 32, YV_LETTERBOX_AUTO, false, &got));
  g_assert_cmpuint (got.resized_w, ==, 100);
  g_assert_cmpuint (got.resized_h, ==, 50);
  g_assert_cmpuint (got.net_w, ==, 128);
  g_assert_cmpuint (got.net_h, ==, 64);
  g_assert_cmpuint (got.left, ==, 14);
  g_assert_cmpuint (got.top, ==, 7);
}

static void
every_fit_holds_its_picture (void)
{
  for (uint32_t i = 0; i < 4000; i++) {
    const uint32_t w = (uint32_t) g_test_rand_int_range (1, 5000);
    const uint32_t h = (uint32_t) g_test_rand_int_range (1, 5000);
    const uint32_t stride = i % 2 ? 32 : 64;
    YvLetterbox got;

    if (!yv_letterbox_fit (w, h, 640, stride, i % 3 ? YV_LETTERBOX_AUTO : YV_LETTERBOX_FIXED,
                           i % 5 != 0, &got))
      continue;
    g_assert_cmpuint (got.net_w % stride, ==, 0);
    g_assert_cmpuint (got.net_h % stride, ==, 0);
    g_assert_cmpuint (MAX (got.net_w, got.net_h), <=, 640);
    g_assert_cmpuint (got.left + got.resized_w, <=, got.net_w);
    g_assert_cmpuint (got.top + got.resized_h, <=, got.net_h);
  }
}

static void
what_leaves_no_picture_is_refused (void)
{
  YvLetterbox untouched;

  g_assert_false (yv_letterbox_fit (0, 10, 640, 32, YV_LETTERBOX_AUTO, true, &untouched));
  g_assert_false (yv_letterbox_fit (10, 0, 640, 32, YV_LETTERBOX_AUTO, true, &untouched));
  g_assert_false (yv_letterbox_fit (10, 10, 0, 32, YV_LETTERBOX_AUTO, true, &untouched));
  g_assert_false (yv_letterbox_fit (10, 10, UINT32_MAX, 32, YV_LETTERBOX_AUTO, true, &untouched));
  g_assert_false (yv_letterbox_fit (5000, 1, 640, 32, YV_LETTERBOX_AUTO, true, &untouched));
}

/* boxes.I and unboxed.I of letterbox.safetensors (auto, 640, stride 32). */
static const float boxes[4][4] = {
    {10, 20, 200, 180}, {-5, -5, 700, 700}, {100.5f, 60.25f, 101.75f, 61.5f}, {320, 0, 640, 640}};

static const struct {
  uint32_t frame_w, frame_h;
  float unboxed[4][4];
} undone[] = {
    {640,
     480,
     {{10, 20, 200, 180}, {0, 0, 640, 480}, {100.5f, 60.25f, 101.75f, 61.5f}, {320, 0, 640, 480}}},
    {640,
     426,
     {{10, 9, 200, 169}, {0, 0, 640, 426}, {100.5f, 49.25f, 101.75f, 50.5f}, {320, 0, 640, 426}}},
    {640,
     171,
     {{10, 9.5f, 200, 169.5f},
      {0, 0, 640, 171},
      {100.5f, 49.75f, 101.75f, 51},
      {320, 0, 640, 171}}},
    {213,
     425,
     {{0, 13.28125f, 122.43749f, 119.53125f},
      {0, 0, 213, 425},
      {56.36328f, 40.009766f, 57.19336f, 40.839844f},
      {202.12498f, 0, 213, 425}}},
};

static void
boxes_return_to_where_upstream_puts_them (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (undone); i++) {
    YvLetterbox letterbox;

    g_assert_true (yv_letterbox_fit (undone[i].frame_w, undone[i].frame_h, 640, 32,
                                     YV_LETTERBOX_AUTO, true, &letterbox));
    for (size_t b = 0; b < 4; b++) {
      float box[4] = {boxes[b][0], boxes[b][1], boxes[b][2], boxes[b][3]};

      yv_letterbox_undo (&letterbox, box);
      for (size_t k = 0; k < 4; k++)
        g_assert_cmpfloat_with_epsilon (box[k], undone[i].unboxed[b][k], 1e-3f);
    }
  }
}

/* The corners of the resized picture are those of the frame, whatever the padding. */
static void
check_round_trip (YvLetterboxMode mode, bool scale_up)
{
  YvLetterbox fit;

  g_assert_true (yv_letterbox_fit (100, 50, 640, 32, mode, scale_up, &fit));
  float box[4] = {fit.left, fit.top, fit.left + fit.resized_w / 2.0f,
                  fit.top + fit.resized_h / 2.0f};
  yv_letterbox_undo (&fit, box);
  g_assert_cmpfloat_with_epsilon (box[0], 0, 1e-3f);
  g_assert_cmpfloat_with_epsilon (box[1], 0, 1e-3f);
  g_assert_cmpfloat_with_epsilon (box[2], 50, 1e-3f);
  g_assert_cmpfloat_with_epsilon (box[3], 25, 1e-3f);
}

static void
boxes_of_small_frames_return_with_and_without_scale_up (void)
{
  check_round_trip (YV_LETTERBOX_AUTO, true);
  check_round_trip (YV_LETTERBOX_FIXED, true);
  check_round_trip (YV_LETTERBOX_AUTO, false);
  check_round_trip (YV_LETTERBOX_FIXED, false);
}

static void
no_box_leaves_the_frame (void)
{
  const YvLetterbox letterbox = {1280, 720, 640, 384, 640, 360, 0, 12, false};
  float box[4] = {-INFINITY, NAN, INFINITY, 1e30f};

  yv_letterbox_undo (&letterbox, box);
  g_assert_cmpfloat (box[0], ==, 0);
  g_assert_cmpfloat (box[1], ==, 0);
  g_assert_cmpfloat (box[2], ==, 1280);
  g_assert_cmpfloat (box[3], ==, 720);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/letterbox/fit", frames_are_fitted_as_upstream_does);
  g_test_add_func ("/letterbox/exactly", a_network_of_any_shape_takes_a_frame);
  g_test_add_func ("/letterbox/no-scale-up", small_frames_stay_small_without_scale_up);
  g_test_add_func ("/letterbox/round-trip", boxes_of_small_frames_return_with_and_without_scale_up);
  g_test_add_func ("/letterbox/holds", every_fit_holds_its_picture);
  g_test_add_func ("/letterbox/refused", what_leaves_no_picture_is_refused);
  g_test_add_func ("/letterbox/undo", boxes_return_to_where_upstream_puts_them);
  g_test_add_func ("/letterbox/clamp", no_box_leaves_the_frame);
  return g_test_run ();
}
