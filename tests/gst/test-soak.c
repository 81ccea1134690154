/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-soak.c - what the element yolov7 holds does not grow: memory and descriptors, over
 * many frames, models that are swapped, and starts.
 *
 * Each test measures early, when all that is made once has been made, and again at the end. The
 * linker puts functions of this file in the place of what opens a device (meson.build: --wrap), so
 * that it can wait until the device of an old model is gone.
 *
 * Resident memory is what the system gives. Some of it is holes, free parts of malloc's heap
 * between others that are used. What is held leaves these out, and nothing else. For that
 * meson.build makes malloc take one heap, and lets no thread keep what it freed, which malloc
 * counts as used; docs/testing.md has the figures with and without. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <malloc.h>
#include <string.h>

#include "engine/vulkan/device.h"
#include "gst/detectionmeta.h"
#include "gst/gstyolov7.h"
#include "tests/common/device.h"
#include "tests/common/layers.h"
#include "tests/common/paths.h"
#include "tests/gst/pipeline.h"

#define MAX_GROWTH_BYTES (1 << 20)

/* ---- devices that are open ------------------------------------------------------------------ */

static GMutex mutex; /* of what follows */
static GCond changed;
static guint n_devices, n_updates;
static PFN_vkDestroyDevice destroy_device;

YvDevice *__real_yv_device_new (const char *selector, GError **error);
YvDevice *__wrap_yv_device_new (const char *selector, GError **error);

static void
add (guint *count, gint n)
{
  g_mutex_lock (&mutex);
  *count += (guint) n;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&mutex);
}

static void
wait_until (const guint *count, guint n)
{
  g_mutex_lock (&mutex);
  while (*count != n)
    g_cond_wait (&changed, &mutex);
  g_mutex_unlock (&mutex);
}

static VKAPI_ATTR void VKAPI_CALL
destroy_and_count (VkDevice device, const VkAllocationCallbacks *callbacks)
{
  destroy_device (device, callbacks);
  add (&n_devices, -1);
}

YvDevice *
__wrap_yv_device_new (const char *selector, GError **error)
{
  YvDevice *device = __real_yv_device_new (selector, error);

  if (!device)
    return NULL;
  add (&n_devices, 1);
  destroy_device = device->vk.vkDestroyDevice;
  device->vk.vkDestroyDevice = destroy_and_count;
  return device;
}

/* ---- what the process holds ----------------------------------------------------------------- */

typedef struct {
  guint n; /* frames, swaps or starts so far */
  gint64 resident_bytes, held_bytes;
  guint n_descriptors;
} Usage;

static guint
count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  g_assert_nonnull (folder);
  while (g_dir_read_name (folder))
    n++;
  return n;
}

/* Adds up the resident memory of mappings, from /proc/self/smaps. */
static void
add_mappings (gint64 *all_bytes, gint64 *heap_bytes)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean in_heap = FALSE;
  *all_bytes = *heap_bytes = 0;
  for (guint i = 0; lines[i]; i++) {
    if (!g_ascii_isupper (lines[i][0])) /* the addresses of the next mapping, and its name */
      in_heap = g_str_has_suffix (lines[i], "[heap]");
    if (!g_str_has_prefix (lines[i], "Rss:"))
      continue;
    const gint64 bytes = g_ascii_strtoll (lines[i] + strlen ("Rss:"), NULL, 10) * 1024;
    *all_bytes += bytes;
    *heap_bytes += in_heap ? bytes : 0;
  }
  g_assert_cmpint (*heap_bytes, >, 0);
}

static Usage
measure (guint n)
{
  gint64 all_bytes, heap_bytes;

  malloc_trim (0);
  const gint64 used_bytes = (gint64) mallinfo2 ().uordblks;
  add_mappings (&all_bytes, &heap_bytes);
  return (Usage){
      .n = n,
      .resident_bytes = all_bytes,
      .held_bytes = all_bytes - heap_bytes + used_bytes,
      .n_descriptors = count_descriptors (),
  };
}

static double
in_mib (gint64 bytes)
{
  return (double) bytes / (1 << 20);
}

static void
assert_no_growth (const char *what, const Usage *first, const Usage *last)
{
  const gint64 growth = last->held_bytes - first->held_bytes;
  const gint64 resident_growth = last->resident_bytes - first->resident_bytes;

  g_test_message ("%s: after %u: %.2f MiB held, %.2f resident, %u descriptors; after %u: %.2f, "
                  "%.2f, %u; grown by %.2f, %.2f",
                  what, first->n, in_mib (first->held_bytes), in_mib (first->resident_bytes),
                  first->n_descriptors, last->n, in_mib (last->held_bytes),
                  in_mib (last->resident_bytes), last->n_descriptors, in_mib (growth),
                  in_mib (resident_growth));
  g_assert_cmpint (growth, <, MAX_GROWTH_BYTES);
  g_assert_cmpint (resident_growth, <, MAX_GROWTH_BYTES);
  g_assert_cmpuint (last->n_descriptors, ==, first->n_descriptors);
}

/* ---- a pipeline ----------------------------------------------------------------------------- */

/* Two files, so that one is another model than the other. */
static char *folder, *models[2];

static void
write_models (void)
{
  g_autofree char *config = yv_test_source_path ("tests/gst/soak.yaml");
  g_autoptr (GBytes) file = yv_test_make_checkpoint (config);

  folder = g_dir_make_tmp ("yolov7-soak-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree char *name = g_strdup_printf ("%u.pt", i);
    models[i] = g_build_filename (folder, name, NULL);
    g_assert_true (g_file_set_contents (models[i], g_bytes_get_data (file, NULL),
                                        (gssize) g_bytes_get_size (file), NULL));
  }
}

static void
remove_models (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_remove (models[i]);
    g_free (models[i]);
  }
  g_rmdir (folder);
  g_free (folder);
}

/* @n_frames: -1: without end, 100 a second */
static GstElement *
pipeline_new (const char *device, gint n_frames)
{
  g_autofree char *config = yv_test_source_path ("tests/gst/soak.yaml");

  return launch_pipeline (
      "videotestsrc pattern=ball num-buffers=%d ! "
      "video/x-raw,format=I420,width=32,height=32,framerate=100/1 ! "
      "yolov7 name=d model-file=\"%s\" config-file=\"%s\" input-size=32 device=%s ! "
      "fakesink name=sink sync=%s",
      n_frames, models[0], config, device, n_frames < 0 ? "true" : "false");
}

static void
play_and_stop (GstElement *pipeline, guint n_starts)
{
  for (guint i = 0; i < n_starts; i++) {
    play_to_the_end (pipeline);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
}

/* ---- the tests ------------------------------------------------------------------------------ */

enum { FIRST_FRAME = 1000, LAST_FRAME = 10000 };

typedef struct {
  guint n;
  Usage first, last;
} FrameCount;

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  FrameCount *count = user_data;
  (void) pad;
  (void) info;

  count->n++;
  if (count->n == FIRST_FRAME)
    count->first = measure (count->n);
  if (count->n == LAST_FRAME)
    count->last = measure (count->n);
  return GST_PAD_PROBE_OK;
}

static void
frames_leave_nothing (gconstpointer device)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstElement) pipeline = pipeline_new (device, LAST_FRAME);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  FrameCount count = {0};

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, &count, NULL);
  play_and_stop (pipeline, 1);
  g_assert_cmpuint (count.n, ==, LAST_FRAME);
  assert_no_growth ("frames", &count.first, &count.last);
}

static void
count_update (GstElement *element, const char *model_file, gpointer user_data)
{
  (void) element;
  (void) model_file;
  (void) user_data;

  add (&n_updates, 1);
}

/* Returns: the least that was held after one of the last ten swaps: beside it are frames and
 * drivers at work, who hold more for a moment. */
static Usage
swap_models (GstElement *yolov7, guint from, guint to, guint n_open)
{
  Usage least = {G_MAXUINT, G_MAXINT64, G_MAXINT64, G_MAXUINT};

  for (guint i = from; i < to; i++) {
    g_object_set (yolov7, "model-file", models[(i + 1) % G_N_ELEMENTS (models)], NULL);
    wait_until (&n_updates, i + 1);
    wait_until (&n_devices, n_open); /* the old one is closed */
    if (i + 10 < to)
      continue;
    const Usage usage = measure (i + 1);
    least = (Usage){
        .n = usage.n,
        .resident_bytes = MIN (least.resident_bytes, usage.resident_bytes),
        .held_bytes = MIN (least.held_bytes, usage.held_bytes),
        .n_descriptors = MIN (least.n_descriptors, usage.n_descriptors),
    };
  }
  return least;
}

static void
swapped_models_leave_nothing (gconstpointer device)
{
  if (!yv_test_needs_vulkan ())
    return;

  const guint n_open = g_str_equal (device, "reference") ? 0 : 1;
  g_autoptr (GstElement) pipeline = pipeline_new (device, -1);
  g_autoptr (GstElement) yolov7 = gst_bin_get_by_name (GST_BIN (pipeline), "d");

  n_updates = 0;
  g_signal_connect (yolov7, "model-updated", G_CALLBACK (count_update), NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  const Usage first = swap_models (yolov7, 0, 20, n_open);
  const Usage last = swap_models (yolov7, 20, 200, n_open);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  assert_no_growth ("swapped models", &first, &last);
}

static void
starts_leave_nothing (gconstpointer device)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstElement) pipeline = pipeline_new (device, 1);

  play_and_stop (pipeline, 50);
  const Usage first = measure (50);
  play_and_stop (pipeline, 500 - 50);
  const Usage last = measure (500);
  assert_no_growth ("starts", &first, &last);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  gst_yolov7_detections_register ();
  GST_ELEMENT_REGISTER (yolov7, NULL);
  write_models ();
  g_test_add_data_func ("/soak/frames/vulkan", "0", frames_leave_nothing);
  g_test_add_data_func ("/soak/frames/reference", "reference", frames_leave_nothing);
  g_test_add_data_func ("/soak/swaps/vulkan", "0", swapped_models_leave_nothing);
  g_test_add_data_func ("/soak/swaps/reference", "reference", swapped_models_leave_nothing);
  g_test_add_data_func ("/soak/starts/vulkan", "0", starts_leave_nothing);
  g_test_add_data_func ("/soak/starts/reference", "reference", starts_leave_nothing);
  const int result = g_test_run ();
  remove_models ();
  return result;
}
