/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-classes.c - engine/classes.h: what people write for a class filter. */
#include "engine/classes.h"

#include <string.h>

#include "engine/error.h"

static const char *const names[] = {"person", "traffic light", "cat", NULL};

static void
check (const char *text, const bool expected[3])
{
  g_autoptr (GError) error = NULL;
  g_autofree bool *wanted = NULL;

  g_assert_true (yv_classes_parse (text, names, 3, &wanted, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (wanted, 3, expected, 3);
}

static void
indices_and_names_may_be_mixed (void)
{
  check ("0", (const bool[]){true, false, false});
  check ("2,person", (const bool[]){true, false, true});
  check (" Traffic Light , 1,,", (const bool[]){false, true, false});
}

static void
nothing_means_every_class (void)
{
  const char *const texts[] = {NULL, "", " , "};

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    bool unused;
    bool *wanted = &unused;

    g_assert_true (yv_classes_parse (texts[i], names, 3, &wanted, NULL));
    g_assert_null (wanted);
  }
}

static void
unknown_classes_are_refused_with_those_there_are (void)
{
  const char *const texts[] = {"dog", "3", "-1", "4294967296", "0,1.5", "99999999999999999999999"};

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    bool *wanted = NULL;

    g_assert_false (yv_classes_parse (texts[i], names, 3, &wanted, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, "0 person, 1 traffic light, 2 cat"));
    g_assert_null (wanted);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/classes/mixed", indices_and_names_may_be_mixed);
  g_test_add_func ("/classes/all", nothing_means_every_class);
  g_test_add_func ("/classes/unknown", unknown_classes_are_refused_with_those_there_are);
  return g_test_run ();
}
