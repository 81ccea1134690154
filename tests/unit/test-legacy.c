/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-legacy.c - engine/checkpoint/legacy.h: the container of torch < 1.6. */
#include "engine/checkpoint/legacy.h"

#include <string.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"
#include "tests/common/objecttext.h"
#include "tests/common/ptwrite.h"

static const float numbers[] = {0, 1, 2, 3, 4, 5};

static GBytes *
write_state (YvPtFault fault)
{
  const YvNamedTensor tensors[] = {
      {"a", {.dtype = YV_DTYPE_F32, .n_dims = 1, .shape = {2}, .data = (const uint8_t *) numbers}},
      {"b",
       {.dtype = YV_DTYPE_F32,
        .n_dims = 2,
        .shape = {2, 2},
        .data = (const uint8_t *) (numbers + 2)}},
  };
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();

  yv_ptwriter_put_state_dict (writer, tensors, G_N_ELEMENTS (tensors));
  return yv_ptwriter_finish (writer, YV_PT_LEGACY, fault);
}

/* The root as text, or the error. The bytes are copied so that sanitizers see their end. */
static char *
open_to_text (const void *bytes, size_t size_bytes, int code)
{
  g_autoptr (GBytes) file = g_bytes_new (bytes, size_bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);

  if (!error) {
    g_assert_cmpstr (yv_checkpoint_format (checkpoint), ==, "torch legacy");
    return yv_test_object_to_string (yv_checkpoint_root (checkpoint));
  }
  g_assert_error (error, YV_ERROR, code);
  return g_strdup (error->message);
}

static void
storages_follow_in_the_order_of_their_list (void)
{
  g_autoptr (GBytes) file = write_state (YV_PT_INTACT);
  g_autofree char *text = open_to_text (g_bytes_get_data (file, NULL), g_bytes_get_size (file), -1);

  g_assert_cmpstr (text, ==, "{'a': f32[2]=0,1, 'b': f32[2,2]=2,3,4,5}");
}

static void
faults_are_told_by_name (void)
{
  static const struct {
    YvPtFault fault;
    int code;
    const char *text;
  } rows[] = {
      {YV_PT_BIG_ENDIAN, YV_ERROR_UNSUPPORTED, "test: the tensors are not little-endian"},
      {YV_PT_SHORT_STORAGE, YV_ERROR_MALFORMED,
       "storage '1' should be 16 bytes, the file ends after 15: it is cut off"},
      {YV_PT_NO_STORAGE, YV_ERROR_MALFORMED, "storage '1' has 0 bytes, expected 16"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) file = write_state (rows[i].fault);
    g_autofree char *text =
        open_to_text (g_bytes_get_data (file, NULL), g_bytes_get_size (file), rows[i].code);
    if (!strstr (text, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, text, rows[i].text);
  }
}

#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define VERSION "\x80\x02M\xe9\x03."
#define MACHINE "\x80\x02}."
#define STORAGE "(S'storage'\nctorch\nByteStorage\nS'k'\nS'cpu'\nI2\nNtQ"
#define COUNT "\2\0\0\0\0\0\0\0"
#define BYTES(text) text, sizeof text - 1

static void
broken_containers_are_refused (void)
{
  static const struct {
    const char *file;
    size_t size_bytes;
    int code;
    const char *text;
  } rows[] = {
      {BYTES (MAGIC), YV_ERROR_MALFORMED, "the version's pickle, byte 0: the pickle ends"},
      {BYTES (MAGIC "\x80\x02M\xea\x03."), YV_ERROR_UNSUPPORTED, "container is not 1001"},
      {BYTES (MAGIC VERSION "N"), YV_ERROR_MALFORMED, "the machine's pickle, byte 1"},
      {BYTES (MAGIC STORAGE "."), YV_ERROR_MALFORMED, "the version's pickle refers to storages"},
      {BYTES (MAGIC VERSION MACHINE "cos\nsystem\n."), YV_ERROR_MALFORMED, "malicious"},
      {BYTES (MAGIC VERSION MACHINE "N.N."), YV_ERROR_MALFORMED,
       "the list of storages is of kind none"},
      {BYTES (MAGIC VERSION MACHINE "N.](S'k'\ne."), YV_ERROR_MALFORMED,
       "the list of storages names 'k', which no tensor refers to"},
      {BYTES (MAGIC VERSION MACHINE STORAGE ".](Ne."), YV_ERROR_MALFORMED, "names 'none'"},
      {BYTES (MAGIC VERSION MACHINE STORAGE ".](S'k'\ne."), YV_ERROR_MALFORMED,
       "begins with a count of 0 elements, expected 2"},
      {BYTES (MAGIC VERSION MACHINE STORAGE ".](S'k'\nS'k'\ne." COUNT "ab" COUNT "cd"),
       YV_ERROR_MALFORMED, "names 'k' twice"},
      {BYTES (MAGIC VERSION MACHINE STORAGE ".](S'k'\ne.\3\0\0\0\0\0\0\0abc"), YV_ERROR_MALFORMED,
       "begins with a count of 3 elements, expected 2"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = open_to_text (rows[i].file, rows[i].size_bytes, rows[i].code);
    if (!strstr (text, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, text, rows[i].text);
  }
}

static void
classes_of_whole_modules_lose_their_source (void)
{
  g_autofree char *text =
      open_to_text (BYTES (MAGIC VERSION MACHINE
                           "(S'module'\ncmodels.common\nConv\nS'common.py'\nS'class Conv:'\n"
                           "tQ)\x81}b.]."),
                    -1);

  g_assert_cmpstr (text, ==, "models.common.Conv(){}");
}

static void
later_protocols_put_a_frame_first (void)
{
  g_autofree char *text =
      open_to_text (BYTES ("\x80\4\x95\x0d\0\0\0\0\0\0\0\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a"
                           "\xa8\x50\x19." VERSION MACHINE "K\7.]."),
                    -1);

  g_assert_cmpstr (text, ==, "7");
}

static void
no_prefix_of_a_file_is_one (void)
{
  g_autoptr (GBytes) whole = write_state (YV_PT_INTACT);

  for (size_t n = 1; n < g_bytes_get_size (whole); n++) {
    g_autoptr (GBytes) prefix = g_bytes_new (g_bytes_get_data (whole, NULL), n);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (prefix, "test", &error);
    g_assert_null (checkpoint);
    g_assert_nonnull (error);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/legacy/order", storages_follow_in_the_order_of_their_list);
  g_test_add_func ("/legacy/faults", faults_are_told_by_name);
  g_test_add_func ("/legacy/broken", broken_containers_are_refused);
  g_test_add_func ("/legacy/module", classes_of_whole_modules_lose_their_source);
  g_test_add_func ("/legacy/frame", later_protocols_put_a_frame_first);
  g_test_add_func ("/legacy/prefixes", no_prefix_of_a_file_is_one);
  return g_test_run ();
}
