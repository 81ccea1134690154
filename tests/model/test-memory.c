/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-memory.c - loading holds the file and the packed weights, and little else.
 *
 * A child of its own loads; the kernel tells its peak (VmHWM: anonymous, file and shared pages that
 * were resident). What a process has that only opened the same device is taken off: the Vulkan
 * driver, and on lavapipe LLVM, are not ours. What is left includes the pipelines, the arena of the
 * smallest network, and all the garbage of reading. */
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine.h"
#include "tests/common/device.h"
#include "tests/common/layers.h"
#include "tests/common/paths.h"
#include "tests/common/writeobject.h"

#define MIB (1024.0 * 1024.0)
#define SLACK_MIB 64
#define LARGE_FILE_BYTES (100u << 20)

typedef struct {
  uint64_t peak_bytes;
  uint64_t packed_bytes;
} Usage;

/* VmHWM of this process; 0 where the kernel does not tell. */
static uint64_t
peak_bytes (void)
{
  g_autofree char *status = NULL;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  const char *line = g_strstr_len (status, -1, "VmHWM:");
  return line ? g_ascii_strtoull (line + 6, NULL, 10) * 1024 : 0;
}

/* Nothing where there is no device. */
static Usage
only_open_the_device (void)
{
  g_autoptr (YvDevice) device = yv_device_new (NULL, NULL);

  return (Usage){.peak_bytes = device ? peak_bytes () : 0};
}

static Usage
load (const YvEngineOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (options, &error);

  g_assert_no_error (error);
  return (Usage){.peak_bytes = peak_bytes (),
                 .packed_bytes = yv_weight_store_size_bytes (engine->store)};
}

/* In a child, so that each peak starts from nothing. @options: NULL: opens the device only. */
static Usage
measure (const YvEngineOptions *options)
{
  Usage usage = {0};
  int ends[2], status;

  g_assert_cmpint (pipe (ends), ==, 0);
  const pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    usage = options ? load (options) : only_open_the_device ();
    _exit (write (ends[1], &usage, sizeof usage) == sizeof usage ? 0 : 1);
  }
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &usage, sizeof usage), ==, sizeof usage);
  close (ends[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  return usage;
}

static uint64_t
file_bytes (const char *path)
{
  g_autoptr (GMappedFile) file = path ? g_mapped_file_new (path, FALSE, NULL) : NULL;

  return file ? g_mapped_file_get_length (file) : 0;
}

static void
check_peak (const char *label, const YvEngineOptions *options)
{
  const Usage baseline = measure (NULL);

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the address sanitizer's own memory would be measured");
  return;
#endif
  if (baseline.peak_bytes == 0) {
    yv_test_lacks_vulkan ("no Vulkan device, or no /proc/self/status");
    return;
  }
  const Usage loaded = measure (options);
  const uint64_t file = file_bytes (options->model_file);
  const double added = ((double) loaded.peak_bytes - (double) baseline.peak_bytes) / MIB;
  const double allowed = (double) (file + loaded.packed_bytes) / MIB + SLACK_MIB;

  g_test_message ("%s: peak %.1f MiB above the %.1f MiB of an open device; file %.1f + packed "
                  "%.1f + %d MiB are allowed",
                  label, added, (double) baseline.peak_bytes / MIB, (double) file / MIB,
                  (double) loaded.packed_bytes / MIB, SLACK_MIB);
  g_assert_cmpuint (loaded.packed_bytes, >, 0);
  g_assert_cmpfloat (added, <=, allowed);
}

static void
a_small_checkpoint_stays_within_bounds (void)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");

  check_peak ("x-legacy", &(YvEngineOptions){.model_file = path});
}

static void
a_full_sized_network_stays_within_bounds (void)
{
  g_autofree char *config = yv_test_source_path ("cfg/training/yolov7.yaml");

  check_peak ("yolov7 of random weights",
              &(YvEngineOptions){.config_file = config, .precision = YV_PRECISION_FP32});
}

static void
a_file_of_more_than_100_megabytes_stays_within_bounds (void)
{
  g_autofree char *config = yv_test_source_path ("cfg/training/yolov7.yaml");
  g_autofree char *folder = g_dir_make_tmp ("yv-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "yolov7.safetensors", NULL);

  yv_test_write_state_dict (config, path);
  g_assert_cmpuint (file_bytes (path), >=, LARGE_FILE_BYTES);
  check_peak ("yolov7 of fp32 weights", &(YvEngineOptions){.model_file = path,
                                                           .config_file = config,
                                                           .precision = YV_PRECISION_FP32});
  yv_test_remove (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/memory/checkpoint", a_small_checkpoint_stays_within_bounds);
  g_test_add_func ("/memory/full-size", a_full_sized_network_stays_within_bounds);
  g_test_add_func ("/memory/large-file", a_file_of_more_than_100_megabytes_stays_within_bounds);
  return g_test_run ();
}
