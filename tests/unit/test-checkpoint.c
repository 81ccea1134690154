/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-checkpoint.c - engine/checkpoint/checkpoint.h: real files, files cut off
 * anywhere, and files that are something else. */
#include "engine/checkpoint/checkpoint.h"

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "engine/error.h"
#include "tests/common/objecttext.h"
#include "tests/common/paths.h"
#include "tests/common/ptwrite.h"

#define BYTES(text) text, sizeof text - 1

/* What a walk over all tensors of a file adds up to. */
typedef struct {
  GHashTable *seen; /* the values walked already: they may be shared or enclose themselves */
  uint32_t n_tensors;
  uint64_t n_elems;
  double sum; /* of all but integers */
} Tally;

static void
tally_tensor (Tally *tally, const YvTensor *tensor)
{
  const uint64_t n_elems = yv_tensor_n_elems (tensor);

  tally->n_tensors++;
  tally->n_elems += n_elems;
  for (uint64_t i = 0; i < n_elems && tensor->dtype != YV_DTYPE_I64; i++)
    tally->sum += yv_tensor_get (tensor, i);
}

static void
tally_value (Tally *tally, const YvObject *object)
{
  if (!object || !g_hash_table_add (tally->seen, (void *) object))
    return;
  if (object->kind == YV_OBJECT_TENSOR) {
    tally_tensor (tally, &object->tensor);
  } else if (object->kind == YV_OBJECT_INSTANCE) {
    tally_value (tally, object->instance.state);
    tally_value (tally, object->instance.items);
  } else if (object->kind >= YV_OBJECT_LIST && object->kind <= YV_OBJECT_DICT) {
    for (uint32_t i = 0; i < object->sequence.n_items; i++)
      tally_value (tally, object->sequence.items[i]);
  }
}

static void
tally_up (Tally *tally, const YvCheckpoint *checkpoint)
{
  *tally = (Tally){.seen = g_hash_table_new (NULL, NULL)};
  tally_value (tally, yv_checkpoint_root (checkpoint));
  g_hash_table_unref (tally->seen);
}

/* The child under a name of a module's _modules. */
static const YvObject *
child_of (const YvObject *module, const char *name)
{
  return yv_object_get (yv_object_get (module, "_modules"), name);
}

static void
real_files_hold_what_torch_reads_from_them (void)
{
  static const struct {
    const char *path, *format, *head;
    uint32_t n_tensors;
    uint64_t n_elems;
    double sum;
    const char *last_row;
  } rows[] = {
      /* counted and summed by torch 1.13 */
      {"tests/golden/checkpoints/tiny-silu.pt", "torch zip", "Detect", 342, 387692,
       27455.237587809563, "77"},
      {"tests/golden/checkpoints/x-legacy.pt", "torch legacy", "IDetect", 648, 1143492,
       30589.02380758524, "121"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = yv_test_source_path (rows[i].path);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open (path, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (yv_checkpoint_format (checkpoint), ==, rows[i].format);
    g_assert_cmpstr (yv_checkpoint_path (checkpoint), ==, path);
    g_autofree char *warning = yv_checkpoint_warning (checkpoint, NULL);
    g_assert_null (warning);

    const YvObject *model = yv_object_get (yv_checkpoint_root (checkpoint), "model");
    g_assert_cmpstr (yv_object_class_name (model), ==, "Model");
    const YvObject *list = child_of (model, "model");
    g_assert_cmpstr (yv_object_class_name (child_of (list, rows[i].last_row)), ==, rows[i].head);
    const YvObject *conv = child_of (child_of (list, "0"), "conv");
    const YvObject *weight = yv_object_get (yv_object_get (conv, "_parameters"), "weight");
    const uint64_t shape[] = {8, 3, 3, 3};
    g_assert_true (yv_tensor_has_shape (&weight->tensor, 4, shape));
    g_assert_cmpfloat (yv_tensor_get (&weight->tensor, 0), ==, -0.0014410018920898438);
    g_assert_cmpfloat (yv_tensor_get (&weight->tensor, 2), ==, -0.158447265625);

    Tally tally;
    tally_up (&tally, checkpoint);
    g_assert_cmpuint (tally.n_tensors, ==, rows[i].n_tensors);
    g_assert_cmpuint (tally.n_elems, ==, rows[i].n_elems);
    g_assert_cmpfloat_with_epsilon (tally.sum, rows[i].sum, 1e-6);
  }
}

static void
all_reference_files_open (void)
{
  g_autofree char *folder = yv_test_shared_path ("reference");
  g_autoptr (GDir) dir = folder ? g_dir_open (folder, 0, NULL) : NULL;
  const char *name;

  if (!dir) {
    g_test_skip ("needs the reference files beside the checkout");
    return;
  }
  while ((name = g_dir_read_name (dir))) {
    if (!g_str_has_suffix (name, ".pt") && !g_str_has_suffix (name, ".safetensors"))
      continue;
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open (path, &error);
    g_assert_no_error (error);
    g_autofree char *warning = yv_checkpoint_warning (checkpoint, NULL);
    g_assert_null (warning);
  }
}

/* An attempt to open the first @n bytes, copied so that sanitizers see their end. */
static void
assert_prefix_is_refused (const char *whole, size_t n)
{
  g_autoptr (GBytes) prefix = g_bytes_new (whole, n);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (prefix, "cut.pt", &error);

  if (checkpoint)
    g_error ("the first %" G_GSIZE_FORMAT " bytes were taken for a whole file", n);
  g_assert_true (error->domain == YV_ERROR);
  g_assert_true (g_str_has_prefix (error->message, "cut.pt: "));
}

static void
no_prefix_of_a_real_file_is_one (void)
{
  static const char *const paths[] = {"tests/golden/checkpoints/tiny-silu.pt",
                                      "tests/golden/checkpoints/x-legacy.pt"};

  for (size_t i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *path = yv_test_source_path (paths[i]);
    g_autofree char *whole = NULL;
    size_t size_bytes;
    g_assert_true (g_file_get_contents (path, &whole, &size_bytes, NULL));
    /* The beginning and the end byte by byte, where the records are; a sample between. */
    for (size_t n = 0; n < 256; n++) {
      assert_prefix_is_refused (whole, n);
      assert_prefix_is_refused (whole, size_bytes - 1 - n);
    }
    for (size_t n = 256; n < size_bytes; n += size_bytes / 128 + 1)
      assert_prefix_is_refused (whole, n);
  }
}

static void
wrong_checksums_are_a_warning (void)
{
  static const struct {
    YvPtFault fault;
    const char *warning;
  } rows[] = {
      {YV_PT_INTACT, NULL},
      {YV_PT_NO_CRC, NULL},
      {YV_PT_WRONG_CRC, "1 of 4 entries, the first being 'tiny/data/0', do not have the checksum"},
  };
  const YvTensor tensor = {.dtype = YV_DTYPE_U8, .n_dims = 1, .shape = {1}, .data = (void *) "a"};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
    yv_ptwriter_put_tensor (writer, &tensor);
    g_autoptr (GBytes) file = yv_ptwriter_finish (writer, YV_PT_ZIP, rows[i].fault);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);
    g_assert_no_error (error);
    g_autofree char *warning = yv_checkpoint_warning (checkpoint, NULL);
    g_assert_true (rows[i].warning ? strstr (warning, rows[i].warning) != NULL : !warning);
  }
}

/* Of two tensors the last is damaged: only who uses it hears of it. */
static void
checksums_of_unused_tensors_are_not_compared (void)
{
  const YvTensor tensor = {.dtype = YV_DTYPE_U8, .n_dims = 1, .shape = {1}, .data = (void *) "a"};
  const YvNamedTensor both[] = {{"model", tensor}, {"optimizer", tensor}};
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
  yv_ptwriter_put_state_dict (writer, both, G_N_ELEMENTS (both));
  g_autoptr (GBytes) file = yv_ptwriter_finish (writer, YV_PT_ZIP, YV_PT_WRONG_CRC);
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", NULL);
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);

  for (size_t i = 0; i < G_N_ELEMENTS (both); i++) {
    const YvObject *value = yv_object_get (yv_checkpoint_root (checkpoint), both[i].name);
    g_hash_table_insert (used, (char *) both[i].name, (gpointer) &value->tensor);
    g_autofree char *warning = yv_checkpoint_warning (checkpoint, used);
    g_assert_cmpint (warning != NULL, ==, i == 1);
  }
}

static void
containers_with_a_fault_are_refused (void)
{
  static const struct {
    YvPtFault fault;
    int code;
    const char *text;
  } rows[] = {
      {YV_PT_BIG_ENDIAN, YV_ERROR_UNSUPPORTED, "test: entry 'tiny/byteorder' says that"},
      {YV_PT_TORCHSCRIPT, YV_ERROR_UNSUPPORTED, "TorchScript export"},
      {YV_PT_TRAILING_PICKLE, YV_ERROR_MALFORMED,
       "entry 'tiny/data.pkl': 1 bytes follow the end of the pickle"},
      {YV_PT_COMPRESSED, YV_ERROR_UNSUPPORTED,
       "test: entry 'tiny/version' is compressed or encrypted"},
      {YV_PT_ENCRYPTED, YV_ERROR_UNSUPPORTED, "'tiny/version' is compressed or encrypted"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
    yv_ptwriter_put_op (writer, 'N');
    g_autoptr (GBytes) file = yv_ptwriter_finish (writer, YV_PT_ZIP, rows[i].fault);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);
    g_assert_null (checkpoint);
    g_assert_error (error, YV_ERROR, rows[i].code);
    if (!strstr (error->message, rows[i].text))
      g_error ("'%s' does not say '%s'", error->message, rows[i].text);
  }
}

static void
archives_of_something_else_are_told_apart (void)
{
  static const struct {
    YvPtEntry entries[2];
    int code;
    const char *text;
  } rows[] = {
      {{{"a.txt", "", 0}, {"b/best.pt", "", 0}}, YV_ERROR_UNSUPPORTED, "without a data.pkl"},
      {{{"word/document.xml", "", 0}, {"a", "", 0}}, YV_ERROR_UNSUPPORTED, "an office document"},
      {{{"a", "", 0}, {"META-INF/MANIFEST.MF", "", 0}}, YV_ERROR_UNSUPPORTED, "Android package"},
      {{{"a.npy", "", 0}, {"b.npy", "", 0}}, YV_ERROR_UNSUPPORTED, "a NumPy .npz archive"},
      {{{"a/data.pkl", BYTES ("N.")}, {"b/data.pkl", BYTES ("N.")}},
       YV_ERROR_MALFORMED,
       "the two pickles 'a/data.pkl' and 'b/data.pkl'"},
      {{{"m/data.pkl", BYTES ("N.")}, {"m/code/x.py", "", 0}},
       YV_ERROR_UNSUPPORTED,
       "give the .pt that training wrote"},
      {{{"m/data.pkl", BYTES ("cos\nsystem\n(S'ls'\ntR.")}, {"m/version", "", 0}},
       YV_ERROR_MALFORMED,
       "'os.system', which no checkpoint needs: it is malicious"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) file = yv_ptwrite_zip (rows[i].entries, 2, YV_PT_INTACT);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);
    g_assert_null (checkpoint);
    g_assert_error (error, YV_ERROR, rows[i].code);
    if (!strstr (error->message, rows[i].text))
      g_error ("'%s' does not say '%s'", error->message, rows[i].text);
  }
}

static void
a_pickle_at_the_root_of_the_archive_is_read (void)
{
  const YvPtEntry entry = {"data.pkl", BYTES ("K\7.")};
  g_autoptr (GBytes) file = yv_ptwrite_zip (&entry, 1, YV_PT_INTACT);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);

  g_assert_no_error (error);
  g_autofree char *text = yv_test_object_to_string (yv_checkpoint_root (checkpoint));
  g_assert_cmpstr (text, ==, "7");
}

static void
other_files_are_called_by_their_name (void)
{
  static const struct {
    const char *bytes;
    size_t size_bytes;
    int code;
    const char *text;
  } rows[] = {
      {BYTES (""), YV_ERROR_MALFORMED, "test: the file is empty"},
      {BYTES ("version https://git-lfs.github.com/spec/v1\noid sha256:00"), YV_ERROR_UNSUPPORTED,
       "a Git LFS pointer, not the file itself; run 'git lfs pull'"},
      {BYTES ("\n<!DOCTYPE html><html>"), YV_ERROR_UNSUPPORTED, "an HTML page: the download"},
      {BYTES ("<html lang='en'>"), YV_ERROR_UNSUPPORTED, "an HTML page"},
      {BYTES ("<?xml version='1.0'?>"), YV_ERROR_UNSUPPORTED, "an XML file"},
      {BYTES ("nc: 80\nanchors:\n  - [1,2]\nbackbone:\n"), YV_ERROR_UNSUPPORTED,
       "a model description without weights"},
      {BYTES ("hello\nworld"), YV_ERROR_UNSUPPORTED, "a text file that begins 'hello'; give"},
      {BYTES ("{\"a\": 1, \"b\": 2}"), YV_ERROR_UNSUPPORTED, "a text file that begins '{\"a\""},
      {BYTES ("[net]\nbatch=1"), YV_ERROR_UNSUPPORTED, "a darknet cfg"},
      {BYTES ("\0\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0"), YV_ERROR_UNSUPPORTED,
       "a darknet .weights file"},
      {BYTES ("\x08\x07\x12\x07pytorch\x1a\x04"
              "1.13"),
       YV_ERROR_UNSUPPORTED, "an ONNX model"},
      {BYTES ("ftrt\0\0\0\0"), YV_ERROR_UNSUPPORTED, "a TensorRT engine"},
      {BYTES ("\x1f\x8b\x08\x00"), YV_ERROR_UNSUPPORTED, "compressed with gzip; unpack it first"},
      {BYTES ("L119547037146038801333356L\n."), YV_ERROR_UNSUPPORTED, "pickle protocol 0 or 1"},
      {BYTES ("\x80\x02"
              "ctorch._utils\n_rebuild_tensor_v2\n"
              "(ctorch.storage\n_load_from_bytes\n(C\1xtRtR."),
       YV_ERROR_UNSUPPORTED, "save it with torch.save"},
      {BYTES ("PYTORCH1xxxx"), YV_ERROR_UNSUPPORTED, "a very early PyTorch"},
      {BYTES ("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), YV_ERROR_UNSUPPORTED, "an empty zip"},
      {BYTES ("\0\0\0\0\0\0\0\0\0\0\0\0"), YV_ERROR_UNSUPPORTED, "made of zeros"},
      {BYTES ("\x01\x02\x03\xff"), YV_ERROR_UNSUPPORTED, "it begins with the bytes 01 02 03 ff;"},
      {BYTES ("PK\3\4 and then nothing"), YV_ERROR_MALFORMED, "is cut off"},
      {BYTES ("\x80\x02}."), YV_ERROR_UNSUPPORTED, "written by Python's pickle, not by torch.save"},
      {BYTES ("\x80\x02"
              "cposix\nsystem\n."),
       YV_ERROR_MALFORMED, "malicious"},
      {BYTES ("\x80\x02}"), YV_ERROR_MALFORMED, "test: the pickle, byte 3: the pickle ends"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) file = g_bytes_new (rows[i].bytes, rows[i].size_bytes);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);
    g_assert_null (checkpoint);
    g_assert_error (error, YV_ERROR, rows[i].code);
    if (!strstr (error->message, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, error->message, rows[i].text);
  }
}

static void
a_tar_archive_is_told_by_its_header (void)
{
  char header[512] = "best.pt";
  g_autoptr (GError) error = NULL;

  memcpy (header + 257, "ustar", 5);
  g_autoptr (GBytes) file = g_bytes_new (header, sizeof header);
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);
  g_assert_null (checkpoint);
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "a tar archive"));
}

static void
paths_that_are_no_file_are_refused (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-checkpoint-XXXXXX", NULL);
  g_autofree char *missing = g_build_filename (folder, "no.pt", NULL);
  g_autofree char *pipe = g_build_filename (folder, "pipe.pt", NULL);
  g_autofree char *empty = g_build_filename (folder, "empty.pt", NULL);

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_true (g_file_set_contents (empty, "", 0, NULL));
  const struct {
    const char *path;
    int code;
    const char *text;
  } rows[] = {
      {missing, YV_ERROR_IO, "/no.pt: can't be opened: No such file or directory"},
      {folder, YV_ERROR_IO, ": is a directory; expected a checkpoint, such as weights/best.pt"},
      {pipe, YV_ERROR_IO, "/pipe.pt: is no regular file"},
      {empty, YV_ERROR_MALFORMED, "/empty.pt: the file is empty"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open (rows[i].path, &error);
    g_assert_null (checkpoint);
    g_assert_error (error, YV_ERROR, rows[i].code);
    if (!strstr (error->message, rows[i].text))
      g_error ("'%s' does not say '%s'", error->message, rows[i].text);
  }
  g_remove (pipe);
  g_remove (empty);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_setenv ("LC_ALL", "C", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/checkpoint/real", real_files_hold_what_torch_reads_from_them);
  g_test_add_func ("/checkpoint/reference", all_reference_files_open);
  g_test_add_func ("/checkpoint/prefixes", no_prefix_of_a_real_file_is_one);
  g_test_add_func ("/checkpoint/checksums", wrong_checksums_are_a_warning);
  g_test_add_func ("/checkpoint/unused-checksums", checksums_of_unused_tensors_are_not_compared);
  g_test_add_func ("/checkpoint/faults", containers_with_a_fault_are_refused);
  g_test_add_func ("/checkpoint/archives", archives_of_something_else_are_told_apart);
  g_test_add_func ("/checkpoint/root-pickle", a_pickle_at_the_root_of_the_archive_is_read);
  g_test_add_func ("/checkpoint/other-files", other_files_are_called_by_their_name);
  g_test_add_func ("/checkpoint/tar", a_tar_archive_is_told_by_its_header);
  g_test_add_func ("/checkpoint/paths", paths_that_are_no_file_are_refused);
  return g_test_run ();
}
