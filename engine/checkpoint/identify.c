/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/identify.c - what a file is that is no checkpoint, and what to give instead. */
#include "engine/checkpoint/identify.h"

#include <string.h>

#include "engine/error.h"

#define GIVE "give the .pt file that training wrote, such as best.pt"
#define UNPACK "unpack it first"

#define SAMPLE_BYTES 512
#define SHOWN_CHARS 40

/* Files that have bytes of their own at an offset. First match wins. */
#define MAGIC(text) text, sizeof text - 1
static const struct {
  size_t offset;
  const char *magic;
  size_t magic_bytes;
  const char *what;
} signatures[] = {
    {0, MAGIC ("version https://git-lfs"),
     "a Git LFS pointer, not the file itself; run 'git lfs pull' where it was cloned"},
    {0, MAGIC ("L119547037146038801333356L"),
     "saved with pickle protocol 0 or 1; save it again without asking for a protocol"},
    {0, MAGIC ("PYTORCH1"),
     "of a very early PyTorch; load it with Python and save it again with torch.save"},
    {257, MAGIC ("ustar"),
     "a tar archive, as the earliest PyTorch saved; load it with Python and save it again with "
     "torch.save, or " UNPACK " if the checkpoint is packed in it"},
    {0, MAGIC ("PK\5\6"), "an empty zip archive"},
    {0, MAGIC ("\x1f\x8b"), "compressed with gzip; " UNPACK},
    {0, MAGIC ("BZh"), "compressed with bzip2; " UNPACK},
    {0, MAGIC ("\xfd\x37zXZ"), "compressed with xz; " UNPACK},
    {0, MAGIC ("\x28\xb5\x2f\xfd"), "compressed with zstd; " UNPACK},
    {0, MAGIC ("7z\xbc\xaf\x27\x1c"), "a 7z archive; " UNPACK},
    {0, MAGIC ("Rar!"), "a RAR archive; " UNPACK},
    {0, MAGIC ("ftrt"), "a TensorRT engine, compiled for one GPU; " GIVE},
    {0, MAGIC ("ptrt"), "a TensorRT engine, compiled for one GPU; " GIVE},
    {0, MAGIC ("\x89HDF\r\n"), "an HDF5 file, as Keras writes; " GIVE},
    {4, MAGIC ("TFL3"), "a TensorFlow Lite model; " GIVE},
    {0, MAGIC ("GGUF"), "a GGUF file, which holds language models; " GIVE},
    {0, MAGIC ("7767517\n"), "an ncnn model; " GIVE},
    {0, MAGIC ("\x93NUMPY"), "a NumPy array; " GIVE},
    {0, MAGIC ("\x89PNG"), "a PNG picture; " GIVE},
    {0, MAGIC ("\xff\xd8\xff"), "a JPEG picture; " GIVE},
    {4, MAGIC ("ftyp"), "a video; give it to the pipeline's source, and here " GIVE},
    {0, MAGIC ("%PDF"), "a PDF document; " GIVE},
    {0, MAGIC ("\x7f\x45LF"), "a program or library; " GIVE},
    {0, MAGIC ("[net]"), "a darknet cfg; convert it and its weights to a PyTorch checkpoint"},
};
#undef MAGIC

/* Texts by a word of their first part, in lower case. First match wins. */
static const struct {
  const char *word, *what;
} texts[] = {
    {"<!doctype html", "an HTML page: the download got a web page in place of the file; use the "
                       "link of the file itself"},
    {"<html", "an HTML page: the download got a web page in place of the file; use the link of the "
              "file itself"},
    {"<?xml", "an XML file, such as an OpenVINO model; " GIVE},
    {"backbone:", "a model description without weights; " GIVE},
};

static const char *
find_signature (YvSpan file)
{
  for (size_t i = 0; i < G_N_ELEMENTS (signatures); i++) {
    YvSpan there;
    if (yv_span_slice (file, signatures[i].offset, signatures[i].magic_bytes, &there) &&
        memcmp (there.data, signatures[i].magic, signatures[i].magic_bytes) == 0)
      return signatures[i].what;
  }
  return NULL;
}

/* darknet begins with its version, three 32-bit numbers: 0.1.0 to 0.2.5. */
static bool
is_darknet (YvSpan file)
{
  uint32_t major, minor, revision;

  return yv_span_take_u32 (&file, &major) && yv_span_take_u32 (&file, &minor) &&
         yv_span_take_u32 (&file, &revision) && major == 0 && (minor == 1 || minor == 2) &&
         revision <= 5;
}

/* ONNX is a protobuf: field 1, the version of the format, then field 2, the name of the writer. */
static bool
is_onnx (YvSpan file)
{
  return file.size_bytes > 4 && file.data[0] == 0x08 && file.data[1] > 0 && file.data[1] < 32 &&
         file.data[2] == 0x12 && file.data[3] < 64 && g_ascii_isalnum (file.data[4]);
}

static bool
is_all_zero (YvSpan file)
{
  for (size_t i = 0; i < MIN (file.size_bytes, SAMPLE_BYTES); i++) {
    if (file.data[i] != 0)
      return false;
  }
  return true;
}

/* The beginning as a text, NULL where it is none. */
static char *
sample_text (YvSpan file)
{
  const size_t n = MIN (file.size_bytes, SAMPLE_BYTES);
  const char *end;

  for (size_t i = 0; i < n; i++) {
    if (file.data[i] < 0x20 && !g_ascii_isspace (file.data[i]))
      return NULL;
  }
  /* The sample may end in the middle of a character. */
  if (!g_utf8_validate ((const char *) file.data, (gssize) n, &end) &&
      end + 4 < (const char *) file.data + n)
    return NULL;
  return g_strndup ((const char *) file.data, (size_t) (end - (const char *) file.data));
}

static char *
describe_text (const char *text)
{
  g_autofree char *lower = g_ascii_strdown (text, -1);

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (strstr (lower, texts[i].word))
      return g_strdup (texts[i].what);
  }
  g_autofree char *line = g_strndup (text, strcspn (text, "\r\n"));
  g_autofree char *shown = g_utf8_substring (line, 0, MIN (g_utf8_strlen (line, -1), SHOWN_CHARS));
  return g_strdup_printf ("a text file that begins '%s'; " GIVE, shown);
}

static char *
describe_bytes (YvSpan file)
{
  YvSpan first;
  GString *text = g_string_new ("of no known kind; it begins with the bytes");

  yv_span_slice (file, 0, MIN (file.size_bytes, 8), &first);
  for (size_t i = 0; i < first.size_bytes; i++)
    g_string_append_printf (text, " %02x", first.data[i]);
  g_string_append (text, "; expected a checkpoint of torch.save or safetensors");
  return g_string_free (text, FALSE);
}

static char *
describe (YvSpan file)
{
  const char *what = find_signature (file);

  if (what)
    return g_strdup (what);
  if (is_all_zero (file))
    return g_strdup ("made of zeros, as an interrupted copy or download leaves; fetch it again");
  if (is_darknet (file))
    return g_strdup ("a darknet .weights file; convert it to a PyTorch checkpoint");
  if (is_onnx (file))
    return g_strdup ("an ONNX model, whose training form is lost; " GIVE);
  g_autofree char *text = sample_text (file);
  return text ? describe_text (text) : describe_bytes (file);
}

void
yv_identify_refuse (YvSpan file, GError **error)
{
  g_autofree char *what = describe (file);

  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "not a checkpoint: the file is %s", what);
}
