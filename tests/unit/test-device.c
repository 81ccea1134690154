/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-device.c - which device a selector means, and what is said where there is none.
 * The choice itself is tested over made-up devices; the tests of the real loader need a driver. */
#include "engine/error.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/coopmat.h"
#include "engine/vulkan/coopmat2.h"
#include "engine/vulkan/select.h"
#include "engine/vulkan/vulkan.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/common/device.h"

static void
add_choice (GArray *choices, const char *name, VkPhysicalDeviceType type, const char *uuid,
            char *missing)
{
  YvChoice choice = {.type = type, .missing = missing};

  choice.info.index = choices->len;
  g_strlcpy (choice.info.name, name, sizeof choice.info.name);
  g_strlcpy (choice.uuid, uuid, sizeof choice.uuid);
  g_array_append_val (choices, choice);
}

static GArray *
new_choices (void)
{
  GArray *choices = g_array_new (FALSE, TRUE, sizeof (YvChoice));

  add_choice (choices, "llvmpipe (LLVM 15.0.6, 256 bits)", VK_PHYSICAL_DEVICE_TYPE_CPU,
              "6d657361-3232-2e33-2e36-000000000000", NULL);
  add_choice (choices, "Intel(R) UHD Graphics 620", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU,
              "00000000-0000-0000-0000-000000000620", NULL);
  add_choice (choices, "NVIDIA GeForce RTX 3060", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU,
              "00000000-0000-0000-0000-00000000306a", NULL);
  add_choice (choices, "Old Discrete", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, "",
              (char *) "bufferDeviceAddress");
  return choices;
}

static void
assert_selects (const char *selector, uint32_t index)
{
  g_autoptr (GArray) choices = new_choices ();
  g_autoptr (GError) error = NULL;
  const YvChoice *choice = yv_choice_select (choices, selector, &error);

  g_assert_no_error (error);
  g_assert_nonnull (choice);
  g_assert_cmpuint (choice->info.index, ==, index);
}

static void
assert_refuses (const GArray *choices, const char *selector, const char *const *parts)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (yv_choice_select (choices, selector, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_NO_DEVICE);
  for (; *parts; parts++)
    if (!strstr (error->message, *parts))
      g_error ("\"%s\" is not in \"%s\"", *parts, error->message);
}

static void
without_a_selector_a_usable_discrete_device_is_best (void)
{
  assert_selects (NULL, 2);
  assert_selects ("", 2);
}

static void
the_best_device_falls_from_discrete_to_integrated_to_cpu (void)
{
  g_autoptr (GArray) choices = new_choices ();

  g_array_remove_index (choices, 2);
  g_assert_cmpuint (yv_choice_select (choices, NULL, NULL)->info.index, ==, 1);
  g_array_remove_index (choices, 1);
  g_assert_cmpuint (yv_choice_select (choices, NULL, NULL)->info.index, ==, 0);
}

static void
a_number_is_an_index_before_it_is_part_of_a_name (void)
{
  assert_selects ("0", 0);
  assert_selects ("1", 1);
  assert_selects ("3060", 2);
  assert_selects ("620", 1);
}

static void
a_name_matches_in_any_case_and_in_part (void)
{
  assert_selects ("LLVMPIPE", 0);
  assert_selects ("geforce rtx", 2);
}

static void
a_uuid_matches_whole (void)
{
  assert_selects ("6D657361-3232-2E33-2E36-000000000000", 0);
  assert_selects ("00000000-0000-0000-0000-00000000306a", 2);
}

static void
an_unknown_selector_lists_what_there_is (void)
{
  g_autoptr (GArray) choices = new_choices ();

  assert_refuses (choices, "Radeon",
                  (const char *[]){"\"Radeon\"", "0: llvmpipe", "1: Intel", "2: NVIDIA",
                                   "lacks bufferDeviceAddress", NULL});
  assert_refuses (choices, "4", (const char *[]){"\"4\"", "0: llvmpipe", NULL});
}

static void
a_device_without_a_needed_feature_is_refused_by_name (void)
{
  g_autoptr (GArray) choices = new_choices ();

  assert_refuses (choices, "Old", (const char *[]){"Old Discrete", "bufferDeviceAddress", NULL});
}

static void
no_device_at_all_tells_what_to_install (void)
{
  g_autoptr (GArray) choices = g_array_new (FALSE, TRUE, sizeof (YvChoice));

  assert_refuses (choices, NULL, (const char *[]){"mesa-vulkan-drivers", NULL});
  assert_refuses (choices, "0", (const char *[]){"mesa-vulkan-drivers", NULL});
}

static bool
have_a_driver (void)
{
  g_autoptr (GArray) infos = yv_device_list (NULL);

  if (infos && infos->len > 0)
    return true;
  yv_test_lacks_vulkan ("no Vulkan device");
  return false;
}

static void
every_listed_device_that_is_usable_opens_by_its_index (void)
{
  if (!have_a_driver ())
    return;

  g_autoptr (GArray) infos = yv_device_list (NULL);
  for (guint i = 0; i < infos->len; i++) {
    const YvDeviceInfo *info = &g_array_index (infos, YvDeviceInfo, i);
    g_autofree char *index = g_strdup_printf ("%u", info->index);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvDevice) device = yv_device_new (index, &error);

    if (g_error_matches (error, YV_ERROR, YV_ERROR_NO_DEVICE))
      continue; /* it lacks something */
    g_assert_no_error (error);
    g_assert_cmpstr (yv_device_caps (device)->name, ==, info->name);
  }
}

static void
the_numbers_of_an_open_device_make_sense (void)
{
  if (!have_a_driver ())
    return;

  g_autoptr (GError) error = NULL;
  g_autoptr (YvDevice) device = yv_device_new (NULL, &error);
  g_assert_no_error (error);

  const YvCaps *caps = yv_device_caps (device);
  g_assert_cmpuint (caps->align_bytes, >=, 64);
  g_assert_cmpuint (caps->align_bytes & (caps->align_bytes - 1), ==, 0);
  g_assert_cmpuint (caps->max_groups[0], >=, 65535); /* what Vulkan guarantees */
  g_assert_cmpuint (caps->max_storage_range_bytes, >=, 1u << 27);
  g_assert_cmpuint (caps->max_texels, >=, 65536);
  g_assert_cmpuint (caps->subgroup_size, >=, 1);
  g_assert_false (caps->is_reference);
  if (caps->texel_lanes)
    g_assert_cmpuint (caps->subgroup_size, >=, 8);
}

static void
yv_kernels_portable_turns_the_kernels_for_cpus_off (void)
{
  if (!have_a_driver ())
    return;

  g_autofree char *before = g_strdup (g_getenv ("YV_KERNELS"));
  g_setenv ("YV_KERNELS", "portable", TRUE);
  g_autoptr (YvDevice) device = yv_device_new (NULL, NULL);
  g_assert_false (yv_device_caps (device)->texel_lanes);
  g_assert_cmpuint (yv_device_caps (device)->coopmat_m, ==, 0);
  if (before)
    g_setenv ("YV_KERNELS", before, TRUE);
  else
    g_unsetenv ("YV_KERNELS");
}

/* A row of what a driver tells: fp16 in, sums of @sum. */
static VkCooperativeMatrixPropertiesKHR
fragment (uint32_t m, uint32_t n, uint32_t k, VkComponentTypeKHR sum)
{
  return (VkCooperativeMatrixPropertiesKHR){
      .MSize = m,
      .NSize = n,
      .KSize = k,
      .AType = VK_COMPONENT_TYPE_FLOAT16_KHR,
      .BType = VK_COMPONENT_TYPE_FLOAT16_KHR,
      .CType = sum,
      .ResultType = sum,
      .scope = VK_SCOPE_SUBGROUP_KHR,
  };
}

static void
the_largest_fragment_with_sums_in_fp32_is_taken (void)
{
  const VkCooperativeMatrixPropertiesKHR rows[] = {
      fragment (16, 8, 8, VK_COMPONENT_TYPE_FLOAT32_KHR),
      fragment (16, 16, 32, VK_COMPONENT_TYPE_FLOAT16_KHR), /* loses sums */
      fragment (8, 16, 16, VK_COMPONENT_TYPE_FLOAT32_KHR),
      fragment (64, 16, 16, VK_COMPONENT_TYPE_FLOAT32_KHR), /* higher than parts of tiles */
      fragment (16, 16, 24, VK_COMPONENT_TYPE_FLOAT32_KHR), /* does not divide a step of K */
  };
  YvCaps caps = {0};

  yv_coopmat_choose (&caps, rows, G_N_ELEMENTS (rows));
  g_assert_cmpuint (caps.coopmat_m, ==, 8);
  g_assert_cmpuint (caps.coopmat_n, ==, 16);
  g_assert_cmpuint (caps.coopmat_k, ==, 16);
  caps = (YvCaps){0};
  yv_coopmat_choose (&caps, rows + 1, 1);
  g_assert_cmpuint (caps.coopmat_m, ==, 0);
}

/* Matrices of a workgroup of @size in fp16, sums of fp32. */
static VkCooperativeMatrixFlexibleDimensionsPropertiesNV
matrix (uint32_t m, uint32_t n, uint32_t k, uint32_t size)
{
  return (VkCooperativeMatrixFlexibleDimensionsPropertiesNV){
      .MGranularity = m,
      .NGranularity = n,
      .KGranularity = k,
      .AType = VK_COMPONENT_TYPE_FLOAT16_KHR,
      .BType = VK_COMPONENT_TYPE_FLOAT16_KHR,
      .CType = VK_COMPONENT_TYPE_FLOAT32_KHR,
      .ResultType = VK_COMPONENT_TYPE_FLOAT32_KHR,
      .scope = VK_SCOPE_WORKGROUP_KHR,
      .workgroupInvocations = size,
  };
}

static void
matrices_of_workgroups_are_taken_in_the_finest_unit (void)
{
  const VkPhysicalDeviceCooperativeMatrix2PropertiesNV limits = {
      .cooperativeMatrixWorkgroupScopeMaxWorkgroupSize = 256,
      .cooperativeMatrixFlexibleDimensionsMaxDimension = 1024};
  VkCooperativeMatrixFlexibleDimensionsPropertiesNV rows[] = {
      matrix (32, 32, 16, 128), matrix (32, 16, 16, 128), matrix (64, 32, 16, 256),
      matrix (8, 8, 8, 512), /* a size that no tile has */
      matrix (8, 8, 8, 128),    matrix (8, 8, 8, 128),    matrix (8, 8, 8, 128),
  };
  YvCaps caps = {0};

  rows[4].CType = rows[4].ResultType = VK_COMPONENT_TYPE_FLOAT16_KHR;
  rows[5].scope = VK_SCOPE_SUBGROUP_KHR;
  rows[6].saturatingAccumulation = true;
  yv_coopmat2_choose (&caps, &limits, rows, G_N_ELEMENTS (rows));
  g_assert_cmpuint (caps.coopmat2_max_side, ==, 1024);
  g_assert_cmpuint (caps.coopmat2[0].m, ==, 32);
  g_assert_cmpuint (caps.coopmat2[0].n, ==, 16);
  g_assert_cmpuint (caps.coopmat2[0].k, ==, 16);
  g_assert_cmpuint (caps.coopmat2[1].m, ==, 64);
}

static void
workgroups_larger_than_the_device_allows_are_not_taken (void)
{
  const VkPhysicalDeviceCooperativeMatrix2PropertiesNV limits = {
      .cooperativeMatrixWorkgroupScopeMaxWorkgroupSize = 128,
      .cooperativeMatrixFlexibleDimensionsMaxDimension = 1024};
  const VkCooperativeMatrixFlexibleDimensionsPropertiesNV rows[] = {matrix (32, 32, 16, 256)};
  YvCaps caps = {0};

  yv_coopmat2_choose (&caps, &limits, rows, 1);
  g_assert_cmpuint (caps.coopmat2[1].m, ==, 0);
}

static void
a_real_selector_that_fits_nothing_is_refused (void)
{
  if (!have_a_driver ())
    return;

  g_autoptr (GError) error = NULL;
  g_assert_null (yv_device_new ("no such device", &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_NO_DEVICE);
  g_assert_nonnull (strstr (error->message, "\"no such device\""));
  g_assert_nonnull (strstr (error->message, "0: "));
}

/* In a process of its own: the loader reads its environment once. */
static void
assert_no_device_in_subprocess (const char *remedy)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) list_error = NULL;

  g_assert_null (yv_device_new (NULL, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_NO_DEVICE);
  g_assert_nonnull (strstr (error->message, remedy));

  g_autoptr (GArray) infos = yv_device_list (&list_error);
  if (!infos)
    g_assert_error (list_error, YV_ERROR, YV_ERROR_NO_DEVICE);
  else
    g_assert_cmpuint (infos->len, ==, 0);
}

static void
without_a_driver_the_error_tells_what_to_install (void)
{
  if (g_test_subprocess ()) {
    g_setenv ("VK_ICD_FILENAMES", "/nonexistent", TRUE);
    g_setenv ("VK_DRIVER_FILES", "/nonexistent", TRUE);
    assert_no_device_in_subprocess ("mesa-vulkan-drivers");
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
write_broken_library (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, "no library", -1, NULL));
}

static void
without_a_loader_the_error_tells_what_to_install (void)
{
  if (g_test_subprocess ()) {
    assert_no_device_in_subprocess ("libvulkan1");
    return;
  }
  g_autofree char *folder = g_dir_make_tmp ("yv-loader-XXXXXX", NULL);
  g_autofree char *before = g_strdup (g_getenv ("LD_LIBRARY_PATH"));
  write_broken_library (folder, "libvulkan.so.1");
  write_broken_library (folder, "libvulkan.so");

  g_setenv ("LD_LIBRARY_PATH", folder, TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  if (before)
    g_setenv ("LD_LIBRARY_PATH", before, TRUE);
  else
    g_unsetenv ("LD_LIBRARY_PATH");

  g_autofree char *command = g_strdup_printf ("rm -r '%s'", folder);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_test_trap_assert_passed ();
}

static void
each_result_becomes_a_code_and_names_the_call (void)
{
  static const struct {
    VkResult result;
    YvError code;
    const char *name;
  } rows[] = {
      {VK_ERROR_OUT_OF_HOST_MEMORY, YV_ERROR_OUT_OF_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY"},
      {VK_ERROR_OUT_OF_DEVICE_MEMORY, YV_ERROR_OUT_OF_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY"},
      {VK_ERROR_DEVICE_LOST, YV_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST"},
      {VK_ERROR_INCOMPATIBLE_DRIVER, YV_ERROR_NO_DEVICE, "VK_ERROR_INCOMPATIBLE_DRIVER"},
      {VK_ERROR_UNKNOWN, YV_ERROR_UNSUPPORTED, "-13"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (yv_vk_check (rows[i].result, "vkCall", &error));
    g_assert_error (error, YV_ERROR, (int) rows[i].code);
    g_assert_nonnull (strstr (error->message, "vkCall"));
    g_assert_nonnull (strstr (error->message, rows[i].name));
  }
  g_assert_true (yv_vk_check (VK_SUCCESS, "vkCall", NULL));
  g_assert_true (yv_vk_check (VK_INCOMPLETE, "vkCall", NULL));
}

static VkResult listing_result;

static VKAPI_ATTR VkResult VKAPI_CALL
list_nothing (VkPhysicalDevice device G_GNUC_UNUSED, const char *layer G_GNUC_UNUSED,
              uint32_t *n G_GNUC_UNUSED, VkExtensionProperties *properties G_GNUC_UNUSED)
{
  return listing_result;
}

/* A lack of memory is of them all. */
static void
a_device_whose_extensions_can_not_be_listed_hides_no_other (void)
{
  if (!yv_test_needs_vulkan ())
    return;
  const YvInstance *instance = yv_instance_get (NULL);
  const PFN_vkEnumerateDeviceExtensionProperties real = vkEnumerateDeviceExtensionProperties;
  g_autoptr (GError) error = NULL, memory = NULL;

  vkEnumerateDeviceExtensionProperties = list_nothing;
  listing_result = VK_ERROR_UNKNOWN;
  g_autoptr (GArray) choices = yv_choice_list (instance, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (choices->len, >=, 1);
  const YvChoice *first = &g_array_index (choices, YvChoice, 0);
  g_assert_nonnull (strstr (first->missing, "vkEnumerateDeviceExtensionProperties failed"));
  listing_result = VK_ERROR_OUT_OF_HOST_MEMORY;
  g_assert_null (yv_choice_list (instance, &memory));
  g_assert_error (memory, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
  vkEnumerateDeviceExtensionProperties = real;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/device/best", without_a_selector_a_usable_discrete_device_is_best);
  g_test_add_func ("/device/rank", the_best_device_falls_from_discrete_to_integrated_to_cpu);
  g_test_add_func ("/device/index", a_number_is_an_index_before_it_is_part_of_a_name);
  g_test_add_func ("/device/name", a_name_matches_in_any_case_and_in_part);
  g_test_add_func ("/device/uuid", a_uuid_matches_whole);
  g_test_add_func ("/device/unknown", an_unknown_selector_lists_what_there_is);
  g_test_add_func ("/device/feature", a_device_without_a_needed_feature_is_refused_by_name);
  g_test_add_func ("/device/none", no_device_at_all_tells_what_to_install);
  g_test_add_func ("/device/result", each_result_becomes_a_code_and_names_the_call);
  g_test_add_func ("/device/coopmat", the_largest_fragment_with_sums_in_fp32_is_taken);
  g_test_add_func ("/device/matrices", matrices_of_workgroups_are_taken_in_the_finest_unit);
  g_test_add_func ("/device/matrices-limit",
                   workgroups_larger_than_the_device_allows_are_not_taken);
  g_test_add_func ("/device/real/index", every_listed_device_that_is_usable_opens_by_its_index);
  g_test_add_func ("/device/real/caps", the_numbers_of_an_open_device_make_sense);
  g_test_add_func ("/device/real/portable", yv_kernels_portable_turns_the_kernels_for_cpus_off);
  g_test_add_func ("/device/real/unknown", a_real_selector_that_fits_nothing_is_refused);
  g_test_add_func ("/device/real/extensions",
                   a_device_whose_extensions_can_not_be_listed_hides_no_other);
  g_test_add_func ("/device/no-driver", without_a_driver_the_error_tells_what_to_install);
  g_test_add_func ("/device/no-loader", without_a_loader_the_error_tells_what_to_install);
  return g_test_run ();
}
