/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-spirv.c - every variant of every kernel: valid for Vulkan 1.2 by spirv-val, and
 * asking for no more than engine/vulkan/ enables. Needs no device. */
#include <glib/gstdio.h>

#include "engine/vulkan/kernels.h"

#define OP_CAPABILITY 17
#define HEADER_WORDS 5

/* Numbers from the SPIR-V specification. */
enum {
  CAPABILITY_SHADER = 1,
  CAPABILITY_FLOAT64 = 10,
  CAPABILITY_IMAGE_BUFFER = 47,
  CAPABILITY_STORAGE_IMAGE_EXTENDED_FORMATS = 49,
  CAPABILITY_GROUP_NON_UNIFORM = 61,
  CAPABILITY_GROUP_NON_UNIFORM_SHUFFLE = 65,
  CAPABILITY_FLOAT16 = 9,
  CAPABILITY_STORAGE_BUFFER_16BIT = 4433,
  CAPABILITY_VULKAN_MEMORY_MODEL = 5345,
  CAPABILITY_PHYSICAL_STORAGE_BUFFER = 5347,
  CAPABILITY_COOPERATIVE_MATRIX_PER_ELEMENT = 5432,
  CAPABILITY_COOPERATIVE_MATRIX_TENSOR = 5433,
  CAPABILITY_TENSOR_ADDRESSING = 5439,
  CAPABILITY_COOPERATIVE_MATRIX = 6022,
};

typedef void (*Check) (YvKernel kernel, YvDType dtype, bool texel, const YvSpirv *spirv);

/* Calls @check for each variant that there is. */
static void
for_each_variant (Check check)
{
  for (int kernel = YV_KERNEL_NONE + 1; kernel < YV_N_KERNELS; kernel++) {
    uint32_t n_variants = 0;

    for (int variant = 0; variant < 4; variant++) {
      const YvDType dtype = variant & 1 ? YV_DTYPE_F16 : YV_DTYPE_F32;
      const YvSpirv spirv = yv_kernel_spirv ((YvKernel) kernel, dtype, variant & 2);

      if (spirv.words) {
        check ((YvKernel) kernel, dtype, variant & 2, &spirv);
        n_variants++;
      }
    }
    g_assert_cmpuint (n_variants, >, 0);
  }
}

static bool
has_matrices (YvKernel kernel)
{
  return kernel == YV_KERNEL_CONV_COOPMAT || kernel == YV_KERNEL_CONV_COOPMAT2;
}

static void
assert_valid (YvKernel kernel, YvDType dtype, bool texel, const YvSpirv *spirv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL, *errors = NULL;
  int status = 0;

  /* Debian 12's validator does not know its matrices; tests/newer/check-spirv.sh has Debian 13's.
   */
  if (has_matrices (kernel))
    return;

  g_close (g_file_open_tmp ("yolov7-XXXXXX", &path, &error), NULL);
  g_assert_no_error (error);
  g_file_set_contents (path, (const char *) spirv->words, (gssize) spirv->size_bytes, &error);
  g_assert_no_error (error);
  const char *argv[] = {"spirv-val", "--target-env", "vulkan1.2", path, NULL};
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &errors, &status,
                &error);
  g_remove (path);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s %s%s: %s", yv_kernel_name (kernel), yv_dtype_name (dtype), texel ? " texel" : "",
             errors);
}

static void
every_variant_is_valid (void)
{
  g_autofree char *validator = g_find_program_in_path ("spirv-val");

  if (!validator) {
    g_test_skip ("spirv-val is not installed");
    return;
  }
  for_each_variant (assert_valid);
}

static bool
is_lanes (YvKernel kernel)
{
  return kernel == YV_KERNEL_CONV_LANES8 || kernel == YV_KERNEL_CONV_LANES16 ||
         kernel == YV_KERNEL_CONV_LANES32 || kernel == YV_KERNEL_CONV_LANES64 ||
         kernel == YV_KERNEL_CONV_LANES32X16 || kernel == YV_KERNEL_CONV_LANES64X16;
}

static bool
is_expected (uint32_t capability, YvKernel kernel, YvDType dtype, bool texel)
{
  switch (capability) {
  case CAPABILITY_SHADER:
  case CAPABILITY_PHYSICAL_STORAGE_BUFFER:
    return true;
  case CAPABILITY_STORAGE_BUFFER_16BIT: /* single elements */
    return (kernel == YV_KERNEL_COPY && dtype == YV_DTYPE_F16 && !texel) ||
           kernel == YV_KERNEL_CONV_COOPMAT2;
  case CAPABILITY_FLOAT64: /* wide stores */
  case CAPABILITY_IMAGE_BUFFER:
    return texel;
  case CAPABILITY_STORAGE_IMAGE_EXTENDED_FORMATS: /* r16ui */
    return texel && kernel == YV_KERNEL_LETTERBOX;
  case CAPABILITY_FLOAT16:
  case CAPABILITY_VULKAN_MEMORY_MODEL:
  case CAPABILITY_COOPERATIVE_MATRIX:
    return has_matrices (kernel);
  case CAPABILITY_COOPERATIVE_MATRIX_PER_ELEMENT:
  case CAPABILITY_COOPERATIVE_MATRIX_TENSOR:
  case CAPABILITY_TENSOR_ADDRESSING:
    return kernel == YV_KERNEL_CONV_COOPMAT2;
  case CAPABILITY_GROUP_NON_UNIFORM:
    return kernel == YV_KERNEL_CONV_COOPMAT || is_lanes (kernel);
  case CAPABILITY_GROUP_NON_UNIFORM_SHUFFLE:
    return is_lanes (kernel);
  default:
    return false;
  }
}

static void
assert_modest (YvKernel kernel, YvDType dtype, bool texel, const YvSpirv *spirv)
{
  const size_t n_words = spirv->size_bytes / sizeof *spirv->words;

  for (size_t i = HEADER_WORDS; i < n_words; i += spirv->words[i] >> 16)
    if ((spirv->words[i] & 0xffff) == OP_CAPABILITY &&
        !is_expected (spirv->words[i + 1], kernel, dtype, texel))
      g_error ("%s %s%s asks for capability %u", yv_kernel_name (kernel), yv_dtype_name (dtype),
               texel ? " texel" : "", spirv->words[i + 1]);
}

static void
no_variant_asks_for_more_than_it_should (void)
{
  for_each_variant (assert_modest);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spirv/valid", every_variant_is_valid);
  g_test_add_func ("/spirv/capabilities", no_variant_asks_for_more_than_it_should);
  return g_test_run ();
}
