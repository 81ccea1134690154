/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-steady.c - once all has been seen, drawing allocates nothing.
 *
 * This program's malloc() is everybody's; it counts, for each thread, and asks glibc's. */
#include <stdlib.h>

#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"

#define W 320
#define H 240
#define N_BOXES 20
#define N_WARM 150    /* frames: tails have their length by then, and texts were all there */
#define N_COUNTED 100 /* frames */

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *memory, size_t size);

static __thread guint n_allocations;

void *
malloc (size_t size)
{
  n_allocations++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  n_allocations++;
  return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t size)
{
  n_allocations++;
  return __libc_realloc (memory, size);
}

static GstBuffer *
new_frame (GstSample *paper, guint i)
{
  GstYolov7Detection found[N_BOXES];
  GstBuffer *frame = yv_test_frame (paper);

  for (guint k = 0; k < N_BOXES; k++)
    found[k] = (GstYolov7Detection){.x = k * 13 + i,
                                    .y = k * 9,
                                    .w = 60,
                                    .h = 50,
                                    .confidence = 0.5 + k * 0.01,
                                    .class_index = (gint) (k % 3),
                                    .id = k % 2 ? (gint) k : -1,
                                    .predicted = k % 5 == 0,
                                    .label = k % 3 ? "person" : "car"};
  yv_test_attach (frame, W, H, found, N_BOXES, 0);
  return frame;
}

/* How often memory was asked for while so many frames went through and came back. */
static guint
push_frames (GstHarness *h, GstBuffer *frames[2], guint first, guint n)
{
  const guint before = n_allocations;

  for (guint i = first; i < first + n; i++) {
    GST_BUFFER_PTS (frames[i % 2]) = i * 10 * GST_MSECOND;
    gst_harness_push (h, frames[i % 2]);
    frames[i % 2] = gst_harness_pull (h);
  }
  return n_allocations - before;
}

static guint
count_for (const char *element)
{
  g_autoptr (GstSample) paper = yv_test_plain (W, H, 0x406080);
  GstHarness *h = gst_harness_new_parse (element);
  GstBuffer *frames[2] = {new_frame (paper, 0), new_frame (paper, 4)};

  gst_harness_set_caps (h, gst_caps_ref (gst_sample_get_caps (paper)),
                        gst_caps_ref (gst_sample_get_caps (paper)));
  push_frames (h, frames, 0, N_WARM);
  const guint n = push_frames (h, frames, N_WARM, N_COUNTED);
  gst_buffer_unref (frames[0]);
  gst_buffer_unref (frames[1]);
  gst_harness_teardown (h);
  return n;
}

/* The harness itself may allocate: hence beside an element that does nothing. */
static void
drawing_allocates_nothing (void)
{
  static const char *const launches[] = {
      "yolov7overlay",
      "yolov7overlay pixelated-box=true filled-box=true draw-statistics=true",
      "yolov7overlay tail-length=500000000",
  };
  const guint n_idle = count_for ("identity");

  for (guint i = 0; i < G_N_ELEMENTS (launches); i++)
    g_assert_cmpuint (count_for (launches[i]), <=, n_idle);
}

static void
allocations_are_counted (void)
{
  const guint before = n_allocations;
  g_autofree char *memory = g_malloc (100);

  g_assert_nonnull (memory);
  g_assert_cmpuint (n_allocations, >, before);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-steady/counted", allocations_are_counted);
  g_test_add_func ("/overlay-steady/nothing", drawing_allocates_nothing);
  return g_test_run ();
}
