/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-datayaml.c - any bytes as a data.yaml: refused with an error, or places and as
 * many names as it says. What is at the places is not looked at. */
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tools/eval/datayaml.h"

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DataYaml) yaml = datayaml_read (fuzz_put ("data.yaml", bytes, size_bytes), &error);

  fuzz_check_error (yaml, error);
  if (!yaml)
    return 0;
  g_assert_cmpuint (yaml->n_places, >, 0);
  g_assert_cmpuint (g_strv_length (yaml->places), ==, yaml->n_places);
  g_assert_cmpuint (g_strv_length (yaml->names), ==, yaml->n_names);
  g_assert_true (yaml->n_names == 0 || yaml->n_names == yaml->n_classes);
  return 0;
}
