/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/seed-checkpoint.c - writes the seeds in corpus/checkpoint/: each container, whole and
 * with each fault, and pickles with every opcode. Files that fuzzing found lie beside them.
 * usage: seed-checkpoint FOLDER */
#include <string.h>

#include <glib.h>

#include "tests/common/ptwrite.h"

static const uint8_t data[64] = {0, 0x3c, 0, 0x40, 0, 0, 0x80, 0x3f};

static void
save (const char *folder, const char *name, const void *bytes, size_t size_bytes)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) size_bytes, NULL));
}

/* A module with a Parameter, a buffer, a view and the attributes that describe a layer. */
static void
put_module (YvPtWriter *writer)
{
  const YvTensor weight = {.dtype = YV_DTYPE_F16, .n_dims = 4, .shape = {2, 2, 1, 1}, .data = data};
  const YvTensor count = {.dtype = YV_DTYPE_I64, .data = data};
  const YvTensor view = {.n_dims = 2, .shape = {1, 2}, .stride_elems = {7, 2}};
  const uint32_t storage = yv_ptwriter_add_storage (writer, YV_DTYPE_F32, data, 4);

  yv_ptwriter_put_class (writer, "models.common", "Conv");
  yv_ptwriter_put_raw (writer, ")\x81}(", 4);
  yv_ptwriter_put_string (writer, "weight");
  yv_ptwriter_put_parameter (writer, &weight);
  yv_ptwriter_put_string (writer, "num_batches_tracked");
  yv_ptwriter_put_tensor (writer, &count);
  yv_ptwriter_put_string (writer, "stride");
  yv_ptwriter_put_view (writer, storage, 1, &view);
  yv_ptwriter_put_string (writer, "f");
  yv_ptwriter_put_raw (writer,
                       "](J\xff\xff\xff\xffK\x06"
                       "e",
                       10);
  yv_ptwriter_put_string (writer, "eps");
  yv_ptwriter_put_float (writer, 1e-3);
  yv_ptwriter_put_raw (writer, "ub", 2);
}

static void
save_container (const char *folder, YvPtContainer container, YvPtFault fault)
{
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
  g_autofree char *name =
      g_strdup_printf (container == YV_PT_ZIP ? "zip-%02d" : "legacy-%02d", (int) fault);

  put_module (writer);
  g_autoptr (GBytes) file = yv_ptwriter_finish (writer, container, fault);
  save (folder, name, g_bytes_get_data (file, NULL), g_bytes_get_size (file));
}

/* Two billion elements that are all the same one. */
static void
save_expanded (const char *folder)
{
  const YvTensor view = {.n_dims = 1, .shape = {G_MAXINT32}, .stride_elems = {0}};
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();

  yv_ptwriter_put_view (writer, yv_ptwriter_add_storage (writer, YV_DTYPE_F32, data, 4), 0, &view);
  g_autoptr (GBytes) file = yv_ptwriter_finish (writer, YV_PT_ZIP, YV_PT_INTACT);
  save (folder, "zip-expanded", g_bytes_get_data (file, NULL), g_bytes_get_size (file));
}

static void
save_others (const char *folder)
{
  static const struct {
    const char *name, *bytes;
    size_t size_bytes;
  } seeds[] = {
#define SEED(name, bytes) {name, bytes, sizeof bytes - 1}
      SEED ("pickle-text", "\x80\0(I1\nL2L\nF1.5\nS'a\\x41'\nVb\\u00e4\np0\ng0\nl(t\x86."),
      SEED ("pickle-4", "\x80\4\x95\x20\0\0\0\0\0\0\0(\x8c\1m\x94\x8c\1C\x93)\x81}\x94(K\1M\2\0ub"
                        "\x8f(K\1\x90(N\x91\x88\x89\x8a\2\0\1\x8b\1\0\0\0\1t."),
      SEED ("pickle-calls", "\x80\2ccollections\nOrderedDict\n](NN\x86"
                            "e\x85Rctorch\nSize\n(K\1t"
                            "\x85Rc__builtin__\nset\n]\x85R\x87."),
      SEED ("pickle-hostile", "\x80\2cos\nsystem\nX\2\0\0\0ls\x85R."),
      SEED ("pickle-cycle", "\x80\2]q\0h\0a}q\1(h\1h\0u\x86."),
      SEED ("pickle-shared", "\x80\2]2\x86\x32\x86\x32\x86\x32\x86\x32\x86\x32\x86\x32\x86."),
      SEED ("pickle-sparse-memo", "\x80\2Nr\xff\xff\xff\x7f."),
      SEED ("legacy-view", "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.M\xe9\3.}."
                           "ctorch._utils\n_rebuild_tensor\n((S'storage'\nctorch\nByteStorage\nS'k'"
                           "\nS'cpu'\nK\3(S'v'\nK\1K\2ttQK\1(K\1t(K\1ttR.](S'k'\ne."
                           "\3\0\0\0\0\0\0\0abc"),
      SEED ("onnx", "\x08\x07\x12\x07pytorch"),
      SEED ("html", "<!DOCTYPE html><html></html>"),
      SEED ("darknet", "\0\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0"),
      SEED ("yaml", "nc: 80\nbackbone:\n"),
#undef SEED
  };

  for (size_t i = 0; i < G_N_ELEMENTS (seeds); i++)
    save (folder, seeds[i].name, seeds[i].bytes, seeds[i].size_bytes);
}

static void
save_safetensors (const char *folder)
{
  const YvNamedTensor tensors[] = {
      {"a", {.dtype = YV_DTYPE_F16, .n_dims = 2, .shape = {2, 1}, .data = data}},
      {"b", {.dtype = YV_DTYPE_U8, .data = data}},
  };
  g_autofree char *path = g_build_filename (folder, "safetensors", NULL);

  g_assert_true (yv_safetensors_write (path, tensors, G_N_ELEMENTS (tensors), NULL));
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (argc, ==, 2);
  for (YvPtFault fault = YV_PT_INTACT; fault < YV_PT_N_FAULTS; fault++) {
    save_container (argv[1], YV_PT_ZIP, fault);
    if (fault <= YV_PT_SHORT_STORAGE)
      save_container (argv[1], YV_PT_LEGACY, fault);
  }
  save_expanded (argv[1]);
  save_safetensors (argv[1]);
  save_others (argv[1]);
  return 0;
}
