/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-storage.c - engine/checkpoint/storage.h: tensors lie inside their storages. */
#include "engine/checkpoint/storage.h"

#include <string.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"
#include "tests/common/objecttext.h"
#include "tests/common/ptwrite.h"

static const float numbers[] = {0, 1, 2, 3, 4, 5};

/* The root of a file as text, or its error where it has the code that is expected. */
static char *
finish_to_text (YvPtWriter *writer, YvPtFault fault, int code)
{
  g_autoptr (GBytes) file = yv_ptwriter_finish (writer, YV_PT_ZIP, fault);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "test", &error);

  if (!error)
    return yv_test_object_to_string (yv_checkpoint_root (checkpoint));
  g_assert_error (error, YV_ERROR, code);
  return g_strdup (error->message);
}

static void
views_read_what_their_strides_say (void)
{
  static const struct {
    uint64_t offset;
    YvTensor view;
    const char *text;
  } rows[] = {
      {0, {.n_dims = 2, .shape = {2, 3}, .stride_elems = {3, 1}}, "f32[2,3]=0,1,2,3,4,5"},
      {0, {.n_dims = 2, .shape = {3, 2}, .stride_elems = {1, 3}}, "f32[3,2]=0,3,1,4,2,5"},
      {2, {.n_dims = 1, .shape = {2}, .stride_elems = {3}}, "f32[2]=2,5"},
      {5, {.n_dims = 0}, "f32[]=5"},
      {6, {.n_dims = 1, .shape = {0}, .stride_elems = {1}}, "f32[0]="},
      /* strides of dimensions of size 1 are arbitrary */
      {1, {.n_dims = 3, .shape = {1, 2, 1}, .stride_elems = {99, 4, 77}}, "f32[1,2,1]=1,5"},
      {3, {.n_dims = 1, .shape = {4}, .stride_elems = {0}}, "f32[4]=3,3,3,3"}, /* expanded */
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
    const uint32_t storage = yv_ptwriter_add_storage (writer, YV_DTYPE_F32, numbers, 6);
    yv_ptwriter_put_view (writer, storage, rows[i].offset, &rows[i].view);
    g_autofree char *text = finish_to_text (writer, YV_PT_INTACT, -1);
    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
no_view_leaves_its_storage (void)
{
  static const struct {
    uint64_t offset;
    YvTensor view;
    const char *text;
  } rows[] = {
      {0, {.n_dims = 1, .shape = {7}, .stride_elems = {1}}, "reaches over 7 elements"},
      {1, {.n_dims = 1, .shape = {6}, .stride_elems = {1}}, "storage '0', which has 6"},
      {6, {.n_dims = 0}, "reaches over 1 elements from element 6"},
      {7, {.n_dims = 1, .shape = {0}, .stride_elems = {1}}, "reaches over 0 elements from"},
      {0, {.n_dims = 2, .shape = {2, 2}, .stride_elems = {5, 1}}, "reaches over 7 elements"},
      {0, {.n_dims = 1, .shape = {3}, .stride_elems = {UINT32_MAX}}, "at most 8, none negative"},
      {UINT32_MAX, {.n_dims = 0}, "at most 8, none negative"},
      {0, {.n_dims = 1, .shape = {UINT32_MAX}, .stride_elems = {0}}, "none negative"},
      {0,
       {.n_dims = 3, .shape = {2147483647, 2147483647, 2147483647}, .stride_elems = {0, 0, 0}},
       "not described by"},
      {0, {.n_dims = 1, .shape = {2147483647}, .stride_elems = {0}}, "made to exhaust memory"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
    const uint32_t storage = yv_ptwriter_add_storage (writer, YV_DTYPE_F32, numbers, 6);
    yv_ptwriter_put_view (writer, storage, rows[i].offset, &rows[i].view);
    g_autofree char *text = finish_to_text (writer, YV_PT_INTACT, YV_ERROR_MALFORMED);
    if (!strstr (text, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, text, rows[i].text);
  }
}

static void
every_element_type_is_read (void)
{
  static const uint8_t bytes[] = {0x00, 0x3c, 0, 0, 0, 0, 0, 0x40};
  static const struct {
    YvDType dtype;
    const char *text;
  } rows[] = {
      {YV_DTYPE_F16, "f16[1]=1"},
      {YV_DTYPE_BF16, "bf16[1]=0.0078125"},
      {YV_DTYPE_F64, "f64[1]=2"},
      {YV_DTYPE_I16, "i16[1]=15360"},
      {YV_DTYPE_I32, "i32[1]=15360"},
      {YV_DTYPE_U8, "u8[1]=0"},
      {YV_DTYPE_I8, "i8[1]=0"},
      {YV_DTYPE_BOOL, "bool[1]=0"},
      {YV_DTYPE_F32, "f32[1]=2.15239e-41"},
      {YV_DTYPE_I64, "i64[1]=4.61169e+18"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
    const YvTensor tensor = {.dtype = rows[i].dtype, .n_dims = 1, .shape = {1}, .data = bytes};
    yv_ptwriter_put_tensor (writer, &tensor);
    g_autofree char *text = finish_to_text (writer, YV_PT_INTACT, -1);
    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
a_storage_of_wrong_size_is_named (void)
{
  static const struct {
    YvPtFault fault;
    const char *text;
  } rows[] = {
      {YV_PT_SHORT_STORAGE,
       "entry 'tiny/data/0' has 23 bytes, expected 24 for 6 elements of a FloatStorage"},
      {YV_PT_NO_STORAGE, "the archive has no entry 'data/0'"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
    const YvTensor tensor = {
        .dtype = YV_DTYPE_F32, .n_dims = 1, .shape = {6}, .data = (const uint8_t *) numbers};
    yv_ptwriter_put_tensor (writer, &tensor);
    g_autofree char *text = finish_to_text (writer, rows[i].fault, YV_ERROR_MALFORMED);
    if (!strstr (text, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, text, rows[i].text);
  }
}

/* An answer to a persistent id, or the error of what follows it, as text. @id is a pickle without
 * STOP that leaves the id on the stack. */
static char *
refer_to_text (const char *id, int code)
{
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();

  yv_ptwriter_add_storage (writer, YV_DTYPE_F32, numbers, 6);
  yv_ptwriter_put_raw (writer, id, strlen (id));
  return finish_to_text (writer, YV_PT_INTACT, code);
}

#define STORAGE(type, key, n_elems)                                                                \
  "(S'storage'\nctorch\n" type "\nS'" key "'\nS'cpu'\nI" n_elems "\n"
#define VIEW(storage, offset, shape, stride)                                                       \
  "ctorch._utils\n_rebuild_tensor\n(" storage "I" offset "\n" shape stride "tR"

static void
persistent_ids_are_checked (void)
{
  static const struct {
    const char *id;
    int code;
    const char *text;
  } rows[] = {
      {"(S'module'\ncm\nC\nS'file.py'\nS'source'\ntQ", -1, "<m.C>"},
      {"(S'other'\ntQ", YV_ERROR_MALFORMED, "a persistent id is of kind other"},
      {"(S'module'\nNtQ", YV_ERROR_MALFORMED, "a persistent id is of kind module"},
      {"(S'storage'\ntQ", YV_ERROR_MALFORMED, "a storage is not described as"},
      {STORAGE ("FloatStorage", "0", "-6") "tQ", YV_ERROR_MALFORMED, "a storage is not described"},
      {STORAGE ("NewStorage", "0", "6") "tQ", YV_ERROR_UNSUPPORTED,
       "storage '0' is a torch.NewStorage, whose elements are of unknown size"},
      /* what no layer is made of stays a note */
      {VIEW (STORAGE ("ComplexFloatStorage", "0", "3") "tQ", "0", "(I3\nt", "(I1\nt"), -1,
       "torch._utils._rebuild_tensor(torch.ComplexFloatStorage('storage', "},
      {STORAGE ("FloatStorage", "0", "9223372036854775807") "tQ", YV_ERROR_MALFORMED,
       "storage '0' claims 9223372036854775807 elements"},
      {STORAGE ("FloatStorage", "0", "6") "tQ" STORAGE ("HalfStorage", "0", "6") "tQ\x86",
       YV_ERROR_MALFORMED, "storage '0' is a FloatStorage of 6 elements in one place and a"},
      {STORAGE ("FloatStorage", "0", "6") "tQ" STORAGE ("FloatStorage", "0", "5") "tQ\x86",
       YV_ERROR_MALFORMED, "of 6 elements in one place and a FloatStorage of 5 in another"},
      {STORAGE ("FloatStorage", "../../x", "6") "tQ", YV_ERROR_MALFORMED,
       "the archive has no entry 'data/../../x'"},
      /* views of the legacy container: (key, offset, number of elements) */
      {VIEW (STORAGE ("FloatStorage", "0", "6") "(S'v'\nI2\nI3\nttQ", "1", "(I2\nt", "(I1\nt"), -1,
       "f32[2]=3,4"},
      {VIEW (STORAGE ("FloatStorage", "0", "6") "(S'v'\nI2\nI3\nttQ", "1", "(I3\nt", "(I1\nt"),
       YV_ERROR_MALFORMED, "which has 3"},
      {STORAGE ("FloatStorage", "0", "6") "(S'v'\nI4\nI3\nttQ", YV_ERROR_MALFORMED,
       "storage '0' is viewed beyond its 6 elements"},
      /* an untyped storage counts bytes, and the tensor has the type */
      {"ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE (
           "UntypedStorage", "0", "24") "tQI1\n(I2\nt(I1\ntI00\nNctorch\nfloat32\ntR",
       -1, "f32[2]=1,2"},
      {"ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE (
           "UntypedStorage", "0", "24") "tQI5\n(I2\nt(I1\ntI00\nNctorch\nfloat32\ntR",
       YV_ERROR_MALFORMED, "which has 6"},
      {"ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE (
           "UntypedStorage", "0", "24") "tQI1\n(I2\nt(I1\ntI00\nNctorch\ncomplex64\ntR",
       -1, "torch._utils._rebuild_tensor_v3("},
      {VIEW (STORAGE ("FloatStorage", "0", "6") "tQ", "0", "(I4\nt", "(I9223372036854775807\nt"),
       YV_ERROR_MALFORMED, "is not described by"},
      /* shape and strides of different lengths, too many dimensions, other kinds */
      {VIEW (STORAGE ("FloatStorage", "0", "6") "tQ", "0", "(I2\nI2\nt", "(I1\nt"),
       YV_ERROR_MALFORMED, "and as many strides"},
      {VIEW (STORAGE ("FloatStorage", "0", "6") "tQ", "0", "(I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nt",
             "(I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nt"),
       YV_ERROR_MALFORMED, "at most 8"},
      {VIEW (STORAGE ("FloatStorage", "0", "6") "tQ", "0", "(S'a'\nt", "(I1\nt"),
       YV_ERROR_MALFORMED, "is not described by"},
      {VIEW (STORAGE ("FloatStorage", "0", "6") "tQ", "0", "N", "N"), YV_ERROR_MALFORMED,
       "is not described by"},
      /* a tensor with attributes of its own */
      {"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_"
       "tensor\nctorch\nTensor\n(" STORAGE ("FloatStorage", "0", "6") "tQI4\n(I2\nt(I1\nttNtR",
       -1, "f32[2]=4,5"},
      {"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nN(NttR", -1,
       "torch._tensor._rebuild_from_type_v2(<torch._tensor._rebuild_from_type_v2>, None, (None))"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = refer_to_text (rows[i].id, rows[i].code);
    if (!strstr (text, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, text, rows[i].text);
  }
}

static void
a_parameter_is_its_tensor (void)
{
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
  const YvTensor tensor = {
      .dtype = YV_DTYPE_F32, .n_dims = 2, .shape = {2, 3}, .data = (const uint8_t *) numbers};

  yv_ptwriter_put_parameter (writer, &tensor);
  g_autofree char *text = finish_to_text (writer, YV_PT_INTACT, -1);
  g_assert_cmpstr (text, ==, "f32[2,3]=0,1,2,3,4,5");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/storage/views", views_read_what_their_strides_say);
  g_test_add_func ("/storage/bounds", no_view_leaves_its_storage);
  g_test_add_func ("/storage/types", every_element_type_is_read);
  g_test_add_func ("/storage/size", a_storage_of_wrong_size_is_named);
  g_test_add_func ("/storage/ids", persistent_ids_are_checked);
  g_test_add_func ("/storage/parameter", a_parameter_is_its_tensor);
  return g_test_run ();
}
