/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-align.c - which row of one model is which row of another. */
#include "engine/diff/align.h"

#include <string.h>

/* Rows by letters: c and w convolutions of two widths, k a convolution of another kernel, p a pool,
 * x a convolution that is dropped, D and I heads. */
static YvLayerInfo
make_row (char letter)
{
  YvLayerInfo row = {.module = "Conv", .deployed = "conv 1x1 silu", .c_out = 8};

  row.n_params_deployed = 72;
  if (letter == 'w')
    row.c_out = 16;
  if (letter == 'k')
    row.deployed = "conv 3x3 silu";
  if (letter == 'p')
    row = (YvLayerInfo){.module = "MP", .deployed = "maxpool 2x2/2", .c_out = 8};
  if (letter == 'x')
    row.deployed = "";
  if (letter == 'D' || letter == 'I')
    row = (YvLayerInfo){.module = letter == 'D' ? "Detect" : "IDetect", .deployed = "detect"};
  return row;
}

static YvLayerInfo *
make_rows (const char *letters)
{
  YvLayerInfo *rows = g_new0 (YvLayerInfo, strlen (letters) + 1);

  for (gsize i = 0; letters[i]; i++)
    rows[i] = make_row (letters[i]);
  return rows;
}

/* @expected: for each row of @a its partner's digit, or '-'. */
static void
check (const char *a, const char *b, const char *expected)
{
  g_autofree YvLayerInfo *a_rows = make_rows (a);
  g_autofree YvLayerInfo *b_rows = make_rows (b);
  g_autofree int32_t *b_of_a = g_new0 (int32_t, strlen (a) + 1);
  g_autofree char *found = g_strdup (expected);

  g_assert_true (
      yv_align_rows (a_rows, (uint32_t) strlen (a), b_rows, (uint32_t) strlen (b), b_of_a, NULL));
  for (gsize i = 0; a[i]; i++)
    found[i] = b_of_a[i] == YV_NO_ROW ? '-' : (char) ('0' + b_of_a[i]);
  g_test_message ("%s with %s: %s", a, b, found);
  g_assert_cmpstr (found, ==, expected);
}

static void
equal_models_are_aligned_row_by_row (void)
{
  check ("ckpcD", "ckpcD", "01234");
  check ("", "", "");
  check ("", "ck", "");
  check ("ck", "", "--");
}

static void
an_inserted_row_has_no_partner (void)
{
  check ("cpD", "ckpD", "023");
  check ("ckpD", "cpD", "0-12");
  check ("cpD", "ccpD", "023"); /* which of two equal ones was inserted cannot be told */
}

static void
changed_rows_keep_their_partner (void)
{
  check ("cccD", "wwwD", "0123");
  check ("ckcD", "cccD", "0123");
  check ("cD", "kD", "01");
}

/* Three rows of a wider model are equal to those before them, which are not the same ones. */
static void
a_wider_model_is_not_one_that_moved (void)
{
  check ("cckkwwD", "wwkkccD", "0123456");
}

static void
heads_are_one_kind (void)
{
  check ("cI", "cD", "01");
}

static void
kinds_are_not_mixed (void)
{
  check ("cpD", "cD", "0-1");
  check ("cpD", "ckD", "0-2");
}

static void
dropped_rows_are_not_paired_with_kept_ones (void)
{
  check ("ckxxI", "ckD", "01--2");
  check ("ckxxI", "ckxxI", "01234");
  check ("cx", "cc", "0-");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/align/equal", equal_models_are_aligned_row_by_row);
  g_test_add_func ("/align/inserted", an_inserted_row_has_no_partner);
  g_test_add_func ("/align/changed", changed_rows_keep_their_partner);
  g_test_add_func ("/align/wider", a_wider_model_is_not_one_that_moved);
  g_test_add_func ("/align/heads", heads_are_one_kind);
  g_test_add_func ("/align/kinds", kinds_are_not_mixed);
  g_test_add_func ("/align/dropped", dropped_rows_are_not_paired_with_kept_ones);
  return g_test_run ();
}
