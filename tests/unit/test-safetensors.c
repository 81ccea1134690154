/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-safetensors.c - engine/checkpoint/safetensors.h: what is written is read, what is
 * broken is told. */
#include "engine/checkpoint/safetensors.h"

#include <string.h>

#include <glib/gstdio.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"
#include "tests/common/objecttext.h"

static const float numbers[] = {0, 1, 2, 3, 4, 5};

/* A header and data as a file; the root as text, or the error. */
static char *
read_to_text (const char *header, size_t data_bytes, int code)
{
  const uint64_t header_bytes = GUINT64_TO_LE (strlen (header));
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_append (bytes, (const uint8_t *) &header_bytes, sizeof header_bytes);
  g_byte_array_append (bytes, (const uint8_t *) header, (guint) strlen (header));
  g_byte_array_append (bytes, (const uint8_t *) numbers, (guint) data_bytes);

  g_autoptr (GBytes) file = g_byte_array_free_to_bytes (bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);
  if (!error) {
    g_assert_cmpstr (yv_checkpoint_format (checkpoint), ==, "safetensors");
    return yv_test_object_to_string (yv_checkpoint_root (checkpoint));
  }
  g_assert_error (error, YV_ERROR, code);
  return g_strdup (error->message);
}

#define T(name, dtype, shape, offsets)                                                             \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void
headers_become_tensors_or_errors (void)
{
  static const struct {
    const char *header;
    size_t data_bytes;
    int code;
    const char *text;
  } rows[] = {
      {"{}", 0, -1, "{}"},
      {"{" T ("a", "F32", "[2,3]", "[0,24]") "}", 24, -1, "{'a': f32[2,3]=0,1,2,3,4,5}"},
      {"{" T ("a", "F32", "[]", "[0,4]") "," T ("b", "F16", "[0]", "[4,4]") "}  ", 4, -1,
       "{'a': f32[]=0, 'b': f16[0]=}"},
      {"{\"__metadata__\":{\"format\":\"pt\"}," T ("b", "F32", "[1]",
                                                   "[4,8]") "," T ("a", "BF16", "[2]", "[0,4]") "}",
       8, -1, "{'b': f32[1]=1, 'a': bf16[2]=0,0}"},
      {"{" T ("a", "I64", "[1]", "[0,8]") "," T ("b", "U8", "[1]",
                                                 "[8,9]") "," T ("c", "BOOL", "[1]", "[9,10]") "}",
       10, -1, "{'a': i64[1]=4.57566e+18, 'b': u8[1]=0, 'c': bool[1]=0}"},
      {"{", 0, YV_ERROR_MALFORMED, "test: the safetensors header is not JSON"},
      {"{[[[[[[[[", 0, YV_ERROR_MALFORMED, "nests more than 4 deep"},
      {"{\"a\":/* \" */1}", 0, YV_ERROR_MALFORMED, "has a comment or a '...', which JSON has not,"},
      {"{} {}", 0, YV_ERROR_MALFORMED, "goes on after its end at byte 3"},
      {"{\"a\":'1'}", 0, YV_ERROR_MALFORMED, "which JSON has not, at byte 5"},
      {"{\"/* ' [[[[[[ \\\\ \\\"\":1}", 0, YV_ERROR_MALFORMED, "is not described by an object"},
      {"{\"\\ud83d\\ude00\\u00e9\":1}", 0, YV_ERROR_MALFORMED, "is not described by an object"},
      {"{\"\\u1\":1}", 0, YV_ERROR_MALFORMED, "has a broken escape at byte 2"},
      {"{\"\\udc00\":1}", 0, YV_ERROR_MALFORMED, "has a broken escape at byte 2"},
      {"{\"\\ud800\\u0041\":1}", 0, YV_ERROR_MALFORMED, "has a broken escape at byte 2"},
      {"{\"a\":1}", 0, YV_ERROR_MALFORMED, "tensor 'a' is not described by an object"},
      {"{\"a\":{}}", 0, YV_ERROR_MALFORMED, "tensor 'a' has no element type"},
      {"{\"a\":{\"dtype\":4}}", 0, YV_ERROR_MALFORMED, "tensor 'a' has no element type"},
      {"{" T ("a", "F8_E4M3", "[1]", "[0,1]") "}", 1, YV_ERROR_UNSUPPORTED,
       "the element type 'F8_E4M3'"},
      {"{\"a\":{\"dtype\":\"F32\"}}", 0, YV_ERROR_MALFORMED, "tensor 'a' has no shape"},
      {"{" T ("a", "F32", "[-1]", "[0,4]") "}", 4, YV_ERROR_MALFORMED, "has no shape of at most"},
      {"{" T ("a", "F32", "[1.5]", "[0,4]") "}", 4, YV_ERROR_MALFORMED, "has no shape of at most"},
      {"{" T ("a", "F32", "[[1]]", "[0,4]") "}", 4, YV_ERROR_MALFORMED, "has no shape of at most"},
      {"{" T ("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, YV_ERROR_MALFORMED,
       "has no shape of at most 8 sizes"},
      {"{" T ("a", "F32", "[1]", "[0]") "}", 4, YV_ERROR_MALFORMED, "data_offsets of two numbers"},
      {"{" T ("a", "F32", "[1]", "[0,4,8]") "}", 4, YV_ERROR_MALFORMED, "two numbers"},
      {"{" T ("a", "F32", "[4294967296,4294967296]", "[0,4]") "}", 4, YV_ERROR_MALFORMED,
       "has no shape"},
      {"{" T ("a", "F32", "[2]", "[0,4]") "}", 4, YV_ERROR_MALFORMED,
       "tensor 'a' of shape [2] lies at [0,4), expected 8 bytes"},
      {"{" T ("a", "F32", "[1]", "[4,0]") "}", 4, YV_ERROR_MALFORMED, "lies at [4,0)"},
      {"{" T ("a", "F32", "[2]", "[0,8]") "}", 4, YV_ERROR_MALFORMED,
       "tensor 'a' ends at byte 8 of the data, the file has 4 there: it is cut off"},
      {"{" T ("a", "F32", "[2]", "[0,8]") "," T ("b", "F32", "[2]", "[4,12]") "}", 12,
       YV_ERROR_MALFORMED, "tensor 'b' begins at byte 4 of the data, expected 8"},
      {"{" T ("a", "F32", "[1]", "[0,4]") "," T ("b", "F32", "[1]", "[8,12]") "}", 12,
       YV_ERROR_MALFORMED, "tensor 'b' begins at byte 8 of the data, expected 4"},
      {"{" T ("a", "F32", "[1]", "[0,4]") "}", 8, YV_ERROR_MALFORMED,
       "the tensors end at byte 4 of the data, of which there are 8"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = read_to_text (rows[i].header, rows[i].data_bytes, rows[i].code);
    if (rows[i].code < 0)
      g_assert_cmpstr (text, ==, rows[i].text);
    else if (!strstr (text, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, text, rows[i].text);
  }
}

/* Behind what json-glib reads and JSON has not, a million brackets would use up its stack. */
static void
brackets_can_not_be_hidden (void)
{
  static const char *const starts[] = {
      "{\"a\":/* \" */", "{/* \" */\"a\":", "{'\"':", "{\"\\u1\"\":", "{\"\\ud800\"\":"};
  g_autofree char *brackets = g_strnfill (1000000, '[');

  for (size_t i = 0; i < G_N_ELEMENTS (starts); i++) {
    g_autofree char *header = g_strconcat (starts[i], brackets, NULL);
    g_autofree char *text = read_to_text (header, 0, YV_ERROR_MALFORMED);

    g_test_message ("%s", text);
    g_assert_true (g_str_has_prefix (text, "test: the safetensors header has a "));
  }
}

static void
a_header_longer_than_the_file_or_the_limit_is_refused (void)
{
  static const struct {
    const char *file, *text;
  } rows[] = {
      {"\xff\0\0\0\0\0\0\0{}", "said to be 255 bytes, 2 follow: the file is cut off"},
      {"\1\0\x20\0\0\0\0\0{}", "said to be 2097153 bytes, the limit is 2097152"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new (rows[i].file, 10);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (bytes, "test", &error);
    g_assert_null (checkpoint);
    g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
    g_assert_nonnull (strstr (error->message, rows[i].text));
  }
}

static void
what_is_written_is_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("yv-safetensors-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *path = g_build_filename (folder, "out.safetensors", NULL);
  const YvNamedTensor tensors[] = {
      {"z", {.dtype = YV_DTYPE_F32, .n_dims = 2, .shape = {2, 2}, .data = (const void *) numbers}},
      {"a \"quoted\" \\ name\n",
       {.dtype = YV_DTYPE_I16, .n_dims = 1, .shape = {1}, .data = (const void *) numbers}},
      {"empty", {.dtype = YV_DTYPE_U8, .n_dims = 1, .shape = {0}, .data = (const void *) numbers}},
      {"scalar", {.dtype = YV_DTYPE_F64, .n_dims = 0, .data = (const void *) numbers}},
  };

  /* Twice: an earlier file is replaced. */
  for (uint32_t n_tensors = 1; n_tensors <= G_N_ELEMENTS (tensors); n_tensors += 3) {
    g_assert_true (yv_safetensors_write (path, tensors, n_tensors, &error));
    g_assert_no_error (error);
  }
  {
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open (path, &error);
    g_assert_no_error (error);
    g_autofree char *text = yv_test_object_to_string (yv_checkpoint_root (checkpoint));
    g_assert_cmpstr (text, ==,
                     "{'z': f32[2,2]=0,1,2,3, 'a \"quoted\" \\ name\n': i16[1]=0, "
                     "'empty': u8[0]=, 'scalar': f64[]=0.0078125}");
    const YvObject *z = yv_object_get (yv_checkpoint_root (checkpoint), "z");
    g_assert_cmpuint (GPOINTER_TO_SIZE (z->tensor.data) % 8, ==, 0);
  }
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0); /* nothing was left beside the file */
}

static void
a_path_that_can_not_be_written_is_named (void)
{
  const YvNamedTensor tensor = {"a", {.dtype = YV_DTYPE_F32, .data = (const void *) numbers}};
  g_autoptr (GError) error = NULL;

  g_assert_false (yv_safetensors_write ("/no/such/folder/out.safetensors", &tensor, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/no/such/folder/out.safetensors: can't be written"));
}

/* A folder stands where the file should be, so only the last step, the renaming, fails. */
static void
a_failed_renaming_leaves_nothing_behind (void)
{
  const YvNamedTensor tensor = {"a", {.dtype = YV_DTYPE_F32, .data = (const void *) numbers}};
  g_autofree char *folder = g_dir_make_tmp ("yv-safetensors-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "out.safetensors", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_false (yv_safetensors_write (path, &tensor, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/safetensors/headers", headers_become_tensors_or_errors);
  g_test_add_func ("/safetensors/brackets", brackets_can_not_be_hidden);
  g_test_add_func ("/safetensors/header-length",
                   a_header_longer_than_the_file_or_the_limit_is_refused);
  g_test_add_func ("/safetensors/written", what_is_written_is_read);
  g_test_add_func ("/safetensors/unwritable", a_path_that_can_not_be_written_is_named);
  g_test_add_func ("/safetensors/renaming", a_failed_renaming_leaves_nothing_behind);
  return g_test_run ();
}
