/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-pickle.c - engine/checkpoint/pickle.h: what each opcode makes, what is refused.
 */
#include "engine/checkpoint/pickle.h"

#include <string.h>

#include "engine/checkpoint/global.h"
#include "engine/error.h"
#include "tests/common/objecttext.h"

/* A pickle that may hold NULs. */
#define PICKLE(text) text, sizeof text - 1

/* 257 of them */
#define BYTES_16 "0123456789abcdef"
#define BYTES_64 BYTES_16 BYTES_16 BYTES_16 BYTES_16
#define LONG_BYTES BYTES_64 BYTES_64 BYTES_64 BYTES_64 "x"

/* The value as text; or the error's message where it has the code that is expected. */
static char *
read_to_text (const void *pickle, size_t size_bytes, int code)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  g_autoptr (GError) error = NULL;
  g_autofree uint8_t *copy = g_memdup2 (pickle, size_bytes); /* so that sanitizers see its end */
  YvSpan input = {.data = copy, .size_bytes = size_bytes};
  const YvObject *value = yv_pickle_read (&input, "test", pool, storages, &error);

  g_assert_true ((value == NULL) == (error != NULL));
  if (!error) {
    g_assert_cmpuint (input.size_bytes, ==, 0);
    return yv_test_object_to_string (value);
  }
  g_assert_error (error, YV_ERROR, code);
  return g_strdup (error->message);
}

static void
opcodes_make_their_values (void)
{
  static const struct {
    const char *pickle;
    size_t size_bytes;
    const char *text;
  } rows[] = {
      {PICKLE ("\x80\x02N."), "None"},
      {PICKLE ("\x88."), "True"},
      {PICKLE ("\x89."), "False"},
      {PICKLE ("K\xff."), "255"},
      {PICKLE ("M\x01\x02."), "513"},
      {PICKLE ("J\xfe\xff\xff\xff."), "-2"},
      {PICKLE ("\x8a\x00."), "0"},
      {PICKLE ("\x8a\x02\x00\x80."), "-32768"},
      {PICKLE ("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), "9223372036854775807"},
      {PICKLE ("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01."), "1.84467e+19"},
      {PICKLE ("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\xfe."), "-1.84467e+19"},
      {PICKLE ("\x8b\x01\x00\x00\x00\x05."), "5"},
      {PICKLE ("G\x3f\xf8\x00\x00\x00\x00\x00\x00."), "1.50000"},
      {PICKLE ("I42\n."), "42"},
      {PICKLE ("I01\n."), "True"},
      {PICKLE ("I00\n."), "False"},
      {PICKLE ("L-7L\n."), "-7"},
      {PICKLE ("L99999999999999999999L\n."), "1.00000e+20"},
      {PICKLE ("F0.25\n."), "0.250000"},
      {PICKLE ("S'a\\'\\x41\\n'\n."), "'a'A\n'"},
      {PICKLE ("S\"q\\z\"\r\n."), "'q\\z'"},
      {PICKLE ("Vx\\u00e4\xe4\n."), "'x\xc3\xa4\xc3\xa4'"},
      {PICKLE ("X\x02\x00\x00\x00hi."), "'hi'"},
      {PICKLE ("X\x00\x00\x00\x00."), "''"},
      {PICKLE ("X\x03\x00\x00\x00\xed\xa0\x80."), "b'eda080'"}, /* a lone surrogate */
      {PICKLE ("X\x03\x00\x00\x00\x61\x00\x62."), "b'610062'"}, /* a NUL inside */
      {PICKLE ("U\x02hi."), "'hi'"},
      {PICKLE ("T\x02\x00\x00\x00hi."), "'hi'"},
      {PICKLE ("\x8c\x02hi."), "'hi'"},
      {PICKLE ("\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi."), "'hi'"},
      {PICKLE ("B\x02\x00\x00\x00hi."), "b'6869'"},
      {PICKLE ("C\x02hi."), "b'6869'"},
      {PICKLE ("\x8e\x02\x00\x00\x00\x00\x00\x00\x00hi."), "b'6869'"},
      {PICKLE ("\x96\x02\x00\x00\x00\x00\x00\x00\x00hi."), "b'6869'"},
      {PICKLE ("]."), "[]"},
      {PICKLE (")."), "()"},
      {PICKLE ("}."), "{}"},
      {PICKLE ("\x8f."), "<>"},
      {PICKLE ("]K\1a."), "[1]"},
      {PICKLE ("](K\1K\2e."), "[1, 2]"},
      {PICKLE ("(K\1K\2l."), "[1, 2]"},
      {PICKLE ("(K\1K\2t."), "(1, 2)"},
      {PICKLE ("K\1\x85."), "(1)"},
      {PICKLE ("K\1K\2\x86."), "(1, 2)"},
      {PICKLE ("K\1K\2K\3\x87."), "(1, 2, 3)"},
      {PICKLE ("}K\1K\2s."), "{1: 2}"},
      {PICKLE ("}(K\1K\2K\3K\4u."), "{1: 2, 3: 4}"},
      {PICKLE ("(K\1K\2d."), "{1: 2}"},
      {PICKLE ("\x8f(K\1K\2\x90."), "<1, 2>"},
      {PICKLE ("(K\1K\2\x91."), "<1, 2>"},
      {PICKLE ("K\1K\2"
               "0."),
       "1"},
      {PICKLE ("K\1(K\2K\3"
               "1."),
       "1"},
      {PICKLE ("K\1(0."), "1"}, /* POP takes a mark */
      {PICKLE ("K\1"
               "2\x86."),
       "(1, 1)"},
      {PICKLE ("K\7q\0h\0\x86."), "(7, 7)"},
      {PICKLE ("K\7r\0\0\0\0j\0\0\0\0\x86."), "(7, 7)"},
      {PICKLE ("K\7\x94h\0\x86."), "(7, 7)"},
      {PICKLE ("K\7p0\ng0\n\x86."), "(7, 7)"},
      {PICKLE ("\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00K\1."), "1"},
      {PICKLE ("]q\0h\0a."), "[...]"}, /* a list in itself */
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = read_to_text (rows[i].pickle, rows[i].size_bytes, -1);
    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
calls_become_data_or_notes (void)
{
  static const struct {
    const char *pickle;
    size_t size_bytes;
    const char *text;
  } rows[] = {
      {PICKLE ("cmodels.common\nConv\n."), "<models.common.Conv>"},
      {PICKLE ("\x8c\x01m\x8c\x01"
               "C\x93."),
       "<m.C>"},
      {PICKLE ("cm\nC\n)\x81}X\1\0\0\0aK\1sb."), "m.C(){'a': 1}"},
      {PICKLE ("cm\nC\n)\x81}}\x86"
               "b."),
       "m.C()({}, {})"},
      {PICKLE ("cm\nC\nK\1\x85R."), "m.C(1)"},
      {PICKLE ("cm\nC\n)}\x92."), "m.C()"},
      {PICKLE ("cm\nL\n)\x81K\1a."), "m.L()[1]"},
      {PICKLE ("cm\nL\n)\x81(K\1K\2e}b."), "m.L(){}[1, 2]"},
      {PICKLE ("cm\nD\n)\x81K\1K\2s."), "m.D(){1: 2}"},
      {PICKLE ("ccollections\nOrderedDict\n)RK\1K\2s."), "{1: 2}"},
      {PICKLE ("ccollections\nOrderedDict\n)R}b."), "{}"},
      {PICKLE ("ccollections\nOrderedDict\n](](K\1K\2eK\3K\4\x86"
               "e\x85R."),
       "{1: 2, 3: 4}"},
      {PICKLE ("c__builtin__\nset\n](K\1K\2e\x85R."), "<1, 2>"},
      {PICKLE ("cbuiltins\nfrozenset\n)R."), "<>"},
      {PICKLE ("cbuiltins\ndict\n}K\1K\2s\x85R."), "{1: 2}"},
      {PICKLE ("ctorch\nSize\n(K\1K\2t\x85R."), "(1, 2)"},
      {PICKLE ("ctorch\nfloat16\n."), "<torch.float16>"},
      {PICKLE ("ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR}b."), "m.C{}"},
      /* A fused module: its forward is another method. */
      {PICKLE ("cm\nC\n)\x81q\0}X\7\0\0\0forwardc__builtin__\ngetattr\nh\0"
               "X\x0b\0\0\0fuseforward\x86Rsb."),
       "m.C(){'forward': __builtin__.getattr(..., 'fuseforward')}"},
      {PICKLE ("cfunctools\npartial\ncm\nf\n\x85R)R."), "functools.partial()"},
      {PICKLE ("cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\2\0\0\0f8\x85RC\1x\x86R."),
       "numpy.core.multiarray.scalar(numpy.dtype('f8'), b'78')"},
      {PICKLE ("c_codecs\nencode\nX\1\0\0\0aX\6\0\0\0latin1\x86R."),
       "_codecs.encode('a', 'latin1')"},
      {PICKLE ("ctorch._utils\n_rebuild_parameter\nNN\x86R."),
       "torch._utils._rebuild_parameter(None, None)"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = read_to_text (rows[i].pickle, rows[i].size_bytes, -1);
    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
appending_to_a_converted_list_leaves_the_list_alone (void)
{
  /* m = list (l); m.append (4); l.append (3): both began with the items 1 and 2. */
  g_autofree char *text =
      read_to_text (PICKLE ("](K\1K\2eq\0cbuiltins\nlist\nh\0\x85RK\4ah\0K\3a0\x86."), -1);

  g_assert_cmpstr (text, ==, "([1, 2, 3], [1, 2, 4])");
}

static void
broken_pickles_are_refused_with_their_place (void)
{
  static const struct {
    const char *pickle;
    size_t size_bytes;
    int code;
    const char *text;
  } rows[] = {
      {PICKLE (""), YV_ERROR_MALFORMED, "test, byte 0: the pickle ends without STOP"},
      {PICKLE ("\x80\x02N"), YV_ERROR_MALFORMED, "test, byte 3: the pickle ends without STOP"},
      {PICKLE ("."), YV_ERROR_MALFORMED, "leaves 0 values and 0 marks on its stack, expected 1"},
      {PICKLE ("NN."), YV_ERROR_MALFORMED, "leaves 2 values and 0 marks"},
      {PICKLE ("N(."), YV_ERROR_MALFORMED, "leaves 1 values and 1 marks"},
      {PICKLE ("\x80\x06N."), YV_ERROR_UNSUPPORTED, "pickle protocol 6, expected at most 5"},
      {PICKLE ("\x82\x01."), YV_ERROR_MALFORMED, "opcode 0x82, which no checkpoint uses"},
      {PICKLE ("P1\n."), YV_ERROR_MALFORMED, "opcode 0x50"},
      {PICKLE ("(im\nC\n."), YV_ERROR_MALFORMED, "opcode 0x69"},
      {PICKLE ("\x97."), YV_ERROR_MALFORMED, "opcode 0x97"},
      {PICKLE ("M\x01"), YV_ERROR_MALFORMED, "test, byte 0: the pickle ends in the middle"},
      {PICKLE ("G\x01"), YV_ERROR_MALFORMED, "ends in the middle"},
      {PICKLE ("X\x05\x00\x00\x00hi."), YV_ERROR_MALFORMED, "ends in the middle"},
      {PICKLE ("X\xff\xff\xff\xff."), YV_ERROR_MALFORMED, "a string of 4294967295 bytes"},
      {PICKLE ("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), YV_ERROR_MALFORMED,
       "a string of 184467440"},
      {PICKLE ("\x8b\x01\x01\x00\x00" LONG_BYTES "."), YV_ERROR_MALFORMED,
       "an integer of 257 bytes, the limit is 256"},
      {PICKLE ("\x95\xff\xff\xff\xff\xff\xff\xff\xff."), YV_ERROR_MALFORMED,
       "a frame of 18446744073709551615"},
      {PICKLE ("Ix\n."), YV_ERROR_MALFORMED, "the text of an integer is not one"},
      {PICKLE ("I\n."), YV_ERROR_MALFORMED, "the text of an integer is not one"},
      {PICKLE ("Fx\n."), YV_ERROR_MALFORMED, "the text of a float is not one"},
      {PICKLE ("S'x\n."), YV_ERROR_MALFORMED, "the text of a string is not one"},
      {PICKLE ("0."), YV_ERROR_MALFORMED, "needs 1 values, the stack has 0"},
      {PICKLE ("N(2."), YV_ERROR_MALFORMED, "needs 1 values, the stack has 0"},
      {PICKLE ("N\x86."), YV_ERROR_MALFORMED, "needs 2 values, the stack has 1"},
      {PICKLE ("Nt."), YV_ERROR_MALFORMED, "needs a mark, the stack has none"},
      {PICKLE ("1."), YV_ERROR_MALFORMED, "needs a mark"},
      {PICKLE ("h\0."), YV_ERROR_MALFORMED, "memo index 0 was never set"},
      {PICKLE ("q\0."), YV_ERROR_MALFORMED, "needs 1 values"},
      {PICKLE ("Nr\xff\xff\xff\x7f."), YV_ERROR_MALFORMED, "memo index 2147483647, expected one"},
      {PICKLE ("Np-1\n."), YV_ERROR_MALFORMED, "a memo index is no number"},
      {PICKLE ("(NNNd."), YV_ERROR_MALFORMED, "a dict is made of a key without a value"},
      {PICKLE ("}(Nu."), YV_ERROR_MALFORMED,
       "1 values are added to what is of kind dict, expected keys"},
      {PICKLE ("N(NNu."), YV_ERROR_MALFORMED, "added to what is of kind none, expected dict"},
      {PICKLE ("NNa."), YV_ERROR_MALFORMED, "kind none, expected list"},
      {PICKLE ("(e."), YV_ERROR_MALFORMED, "items without a container"},
      {PICKLE ("cm\nL\n)\x81Na(NNu."), YV_ERROR_MALFORMED, "added to what is of kind instance"},
      {PICKLE ("NN\x81."), YV_ERROR_MALFORMED, "kind none is called with what is of kind none"},
      {PICKLE ("cm\nC\nNR."), YV_ERROR_MALFORMED, "what is of kind class is called"},
      {PICKLE ("NNb."), YV_ERROR_MALFORMED, "what is of kind none is given attributes"},
      {PICKLE ("NQ."), YV_ERROR_MALFORMED, "a persistent id is of kind none"},
      {PICKLE ("c\nC\n."), YV_ERROR_MALFORMED, "the name of a class is empty"},
      {PICKLE ("cm\n\xff\n."), YV_ERROR_MALFORMED, "not UTF-8"},
      {PICKLE ("NN\x93."), YV_ERROR_MALFORMED, "the name of a class is empty"},
      {PICKLE ("\x8c\0\x8c\1x\x93."), YV_ERROR_MALFORMED, "the name of a class is empty"},
      {PICKLE ("ccollections\nOrderedDict\n]Na\x85R."), YV_ERROR_MALFORMED, "item 0 is no pair"},
      {PICKLE ("ctorch._utils\n_rebuild_tensor_v2\n)R."), YV_ERROR_MALFORMED,
       "the storage of a tensor is nothing, expected a persistent id"},
      {PICKLE ("ctorch._utils\n_rebuild_tensor_v2\ncm\nC\n)\x81\x85R."), YV_ERROR_MALFORMED,
       "the storage of a tensor is m.C, expected a persistent id"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = read_to_text (rows[i].pickle, rows[i].size_bytes, rows[i].code);
    if (!strstr (text, rows[i].text))
      g_error ("row %" G_GSIZE_FORMAT ": '%s' does not say '%s'", i, text, rows[i].text);
  }
}

static void
ways_to_run_code_are_called_malicious (void)
{
  static const char *const pickles[] = {
      "cos\nsystem\n(S'ls'\ntR.",
      "cposix\nsystem\n.",
      "cnt\nsystem\n.",
      "cos.path\nexists\n.",
      "csubprocess\nPopen\n.",
      "csys\nexit\n.",
      "c__builtin__\neval\n.",
      "c__builtin__\nexecfile\n.",
      "cbuiltins\nexec\n.",
      "cbuiltins\ncompile\n.",
      "cbuiltins\nopen\n.",
      "cbuiltins\n__import__\n.",
      "cimportlib\nimport_module\n.",
      "crunpy\nrun_path\n.",
      "csocket\nsocket\n.",
      "cctypes\nCDLL\n.",
      "cshutil\nrmtree\n.",
      "cpty\nspawn\n.",
      "cpickle\nloads\n.",
      "c_pickle\nloads\n.",
      "cmarshal\nloads\n.",
      "ctypes\nCodeType\n.",
      "ctypes\nFunctionType\n.",
      "cwebbrowser\nopen\n.",
      "ctorch\nload\n.",
      "ctorch\nos.system\n.",
      "ctorch\nserialization.os.system\n.",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (pickles); i++) {
    g_autofree char *text = read_to_text (pickles[i], strlen (pickles[i]), YV_ERROR_MALFORMED);
    if (!strstr (text, "malicious or was tampered with"))
      g_error ("pickle %" G_GSIZE_FORMAT ": '%s'", i, text);
  }
  g_autofree char *named = read_to_text (PICKLE ("cos\nsystem\n."), YV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (named, "'os.system'"));
  g_autofree char *stack_global =
      read_to_text (PICKLE ("\x8c\2os\x8c\6system\x93)R."), YV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (stack_global, "malicious"));
}

static void
names_of_ordinary_checkpoints_pass (void)
{
  static const struct {
    const char *module, *name;
  } rows[] = {
      {"models.yolo", "Model"},
      {"torch.nn.modules.conv", "Conv2d"},
      {"collections", "OrderedDict"},
      {"__builtin__", "set"},
      {"__builtin__", "getattr"},
      {"builtins", "bytearray"},
      {"numpy", "ndarray"},
      {"numpy.core.multiarray", "_reconstruct"},
      {"_codecs", "encode"},
      {"pathlib", "PosixPath"},
      {"datetime", "datetime"},
      {"argparse", "Namespace"},
      {"code.models.common", "Conv"}, /* a user's own package */
      {"test", "Model"},
      {"types", "SimpleNamespace"},
      {"models.sys", "Conv"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_true (yv_global_check (rows[i].module, rows[i].name, &error));
    g_assert_no_error (error);
  }
}

/* Each step makes a value of two references to the one before: 2^1000 leaves in 5 kB. */
static void
shared_values_cost_nothing (void)
{
  g_autoptr (YvPool) pool = yv_pool_new ();
  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) ops = g_byte_array_new ();

  g_byte_array_append (ops, (const uint8_t *) "]", 1);
  for (int i = 0; i < 1000; i++)
    g_byte_array_append (ops, (const uint8_t *) "2\x86", 2);
  g_byte_array_append (ops, (const uint8_t *) ".", 1);
  YvSpan input = {.data = ops->data, .size_bytes = ops->len};
  g_assert_nonnull (yv_pickle_read (&input, "test", pool, storages, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (yv_pool_size_bytes (pool), <, 256 * 1024);
}

/* l = a long list; then dict (l) and list (l) + [None], over and over. */
static void
copies_of_a_long_list_do_not_exhaust_memory (void)
{
  static const char *const copies[] = {
      "cbuiltins\nlist\nh\0\x85RNa0",
      "cbuiltins\ndict\nh\0\x85R0",
  };

  for (size_t kind = 0; kind < G_N_ELEMENTS (copies); kind++) {
    const size_t copy_bytes = kind == 0 ? 21 : 19;
    g_autoptr (YvPool) pool = yv_pool_new ();
    g_autoptr (YvStorages) storages = yv_storages_new (pool);
    g_autoptr (GError) error = NULL;
    g_autoptr (GByteArray) ops = g_byte_array_new ();
    g_byte_array_append (ops, (const uint8_t *) "]q\0(", 4);
    for (int i = 0; i < 100000; i++)
      g_byte_array_append (ops, (const uint8_t *) "NN\x86", 3);
    g_byte_array_append (ops, (const uint8_t *) "e", 1);
    for (int i = 0; i < 5000; i++)
      g_byte_array_append (ops, (const uint8_t *) copies[kind], (guint) copy_bytes);
    g_byte_array_append (ops, (const uint8_t *) ".", 1);
    YvSpan input = {.data = ops->data, .size_bytes = ops->len};
    g_assert_null (yv_pickle_read (&input, "test", pool, storages, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
    g_assert_nonnull (strstr (error->message, "made to exhaust memory"));
    g_assert_cmpuint (yv_pool_size_bytes (pool), <, 150 * ops->len);
  }
}

/* The limit is not only of proportion: here 32 MB of bytes would pay for copies of 4 GB. */
static void
copies_in_a_large_file_do_not_exhaust_memory (void)
{
  const uint32_t padding_bytes = 16 << 20, n_pairs = 1 << 20;
  g_autofree char *padding = g_malloc0 (padding_bytes);
  g_autoptr (YvPool) pool = yv_pool_new ();
  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) ops = g_byte_array_new ();

  for (int i = 0; i < 2; i++) {
    g_byte_array_append (ops, (const uint8_t *) "B\0\0\0\1", 5);
    g_byte_array_append (ops, (const uint8_t *) padding, padding_bytes);
    g_byte_array_append (ops, (const uint8_t *) "0", 1);
  }
  g_byte_array_append (ops, (const uint8_t *) "cbuiltins\ndict\nq\1", 17);
  g_byte_array_append (ops, (const uint8_t *) "]q\0(", 4);
  for (uint32_t i = 0; i < n_pairs; i++)
    g_byte_array_append (ops, (const uint8_t *) "NN\x86", 3);
  g_byte_array_append (ops, (const uint8_t *) "e", 1);
  for (int i = 0; i < 200; i++)
    g_byte_array_append (ops, (const uint8_t *) "h\1h\0\x85R0", 7);
  g_byte_array_append (ops, (const uint8_t *) "00N.", 4);
  YvSpan input = {.data = ops->data, .size_bytes = ops->len};
  g_assert_null (yv_pickle_read (&input, "test", pool, storages, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, "take more than 256 MiB"));
  g_assert_cmpuint (yv_pool_size_bytes (pool), <=, ((size_t) 256 << 20) + (1 << 20));
}

static void
deep_nesting_is_refused_or_harmless (void)
{
  g_autoptr (GByteArray) marks = g_byte_array_new ();
  g_autoptr (GByteArray) tuples = g_byte_array_new ();
  g_autoptr (YvPool) pool = yv_pool_new ();
  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 1001; i++)
    g_byte_array_append (marks, (const uint8_t *) "(", 1);
  g_autofree char *text = read_to_text (marks->data, marks->len, YV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (text, "values nest more than 1000 deep"));

  g_byte_array_append (tuples, (const uint8_t *) "N", 1);
  for (int i = 0; i < 1000000; i++)
    g_byte_array_append (tuples, (const uint8_t *) "\x85", 1);
  g_byte_array_append (tuples, (const uint8_t *) ".", 1);
  YvSpan input = {.data = tuples->data, .size_bytes = tuples->len};
  g_assert_nonnull (yv_pickle_read (&input, "test", pool, storages, &error));
  g_assert_no_error (error);
}

static void
too_many_opcodes_are_refused (void)
{
  const size_t n_ops = (4 << 20) + 1;
  g_autofree uint8_t *ops = g_malloc (n_ops);

  memset (ops, 'N', n_ops);
  for (size_t i = 1; i < n_ops; i += 2)
    ops[i] = '0';
  g_autofree char *text = read_to_text (ops, n_ops, YV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (text, "more than 4194304 opcodes"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pickle/opcodes", opcodes_make_their_values);
  g_test_add_func ("/pickle/calls", calls_become_data_or_notes);
  g_test_add_func ("/pickle/converted", appending_to_a_converted_list_leaves_the_list_alone);
  g_test_add_func ("/pickle/broken", broken_pickles_are_refused_with_their_place);
  g_test_add_func ("/pickle/malicious", ways_to_run_code_are_called_malicious);
  g_test_add_func ("/pickle/ordinary", names_of_ordinary_checkpoints_pass);
  g_test_add_func ("/pickle/shared", shared_values_cost_nothing);
  g_test_add_func ("/pickle/copies", copies_of_a_long_list_do_not_exhaust_memory);
  g_test_add_func ("/pickle/copies-large", copies_in_a_large_file_do_not_exhaust_memory);
  g_test_add_func ("/pickle/nesting", deep_nesting_is_refused_or_harmless);
  g_test_add_func ("/pickle/opcode-limit", too_many_opcodes_are_refused);
  return g_test_run ();
}
