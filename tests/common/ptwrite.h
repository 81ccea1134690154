/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/ptwrite.h - writes small checkpoints as torch.save does, whole or broken to order.
 *
 * A writer gathers the opcodes of a pickle and the storages it refers to, then packs both into a
 * container. For a plain state dict yv_ptwriter_put_state_dict is all it takes:
 *
 *   g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
 *   yv_ptwriter_put_state_dict (writer, tensors, n_tensors);
 *   g_autoptr (GBytes) file = yv_ptwriter_finish (writer, YV_PT_ZIP, YV_PT_INTACT);
 *
 * A module is a GLOBAL, an empty tuple, NEWOBJ, its state as a dict, BUILD: put_class, put_op
 * (')'), put_op (0x81), put_op ('}'), put_op ('('), keys and values, put_op ('u'), put_op ('b').
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/checkpoint/safetensors.h"

G_BEGIN_DECLS

typedef enum {
  YV_PT_ZIP,    /* torch >= 1.6 */
  YV_PT_LEGACY, /* torch < 1.6 */
} YvPtContainer;

/* What is wrong with the file. Those after YV_PT_SHORT_STORAGE are of the zip container. */
typedef enum {
  YV_PT_INTACT,
  YV_PT_BIG_ENDIAN,
  YV_PT_NO_STORAGE,    /* the last storage is missing */
  YV_PT_SHORT_STORAGE, /* the last storage is a byte too short */
  YV_PT_WRONG_CRC,     /* of the last entry */
  YV_PT_NO_CRC,        /* all are zero; valid */
  YV_PT_NO_ZIP64,      /* only the classic end record; valid */
  YV_PT_ZIP64_ONLY,    /* the classic end record refers to the zip64 one in all fields; valid */
  YV_PT_ZIP64_DIFFERS, /* the end records disagree */
  YV_PT_TWO_ENDS,      /* the end record's comment is a second end record */
  YV_PT_SPLIT,         /* says it is one of several disks */
  YV_PT_COMPRESSED,    /* the last entry claims method 8 */
  YV_PT_ENCRYPTED,
  YV_PT_SAME_NAME, /* the last entry is named as the first */
  YV_PT_OVERLAP,   /* the last entry but one reaches into the last */
  YV_PT_OTHER_LOCAL_NAME,
  YV_PT_TOO_LONG,        /* the last entry's size passes the directory */
  YV_PT_ZIP64_ROWS,      /* sizes and offsets of entries are in zip64 extra fields; valid */
  YV_PT_MANY_ROWS,       /* the end record claims a row too many */
  YV_PT_FEW_ROWS,        /* the end record claims a row too few */
  YV_PT_TORCHSCRIPT,     /* has code/ and constants.pkl */
  YV_PT_TRAILING_PICKLE, /* a byte follows STOP */
  YV_PT_N_FAULTS
} YvPtFault;

typedef struct _YvPtWriter YvPtWriter;

YvPtWriter *yv_ptwriter_new (void); /* begins with PROTO 2 */
void yv_ptwriter_free (YvPtWriter *writer);

/* Before any tensor: refers to storages as PyTorch itself wants it in a zip container. Without, as
 * in a legacy one, which our reader takes in both. */
void yv_ptwriter_be_for_torch (YvPtWriter *writer);

/* One opcode without operands, or the first byte of one whose operand put_raw gives. */
void yv_ptwriter_put_op (YvPtWriter *writer, uint8_t opcode);
void yv_ptwriter_put_raw (YvPtWriter *writer, const void *bytes, size_t size_bytes);

void yv_ptwriter_put_int (YvPtWriter *writer, int32_t value);
void yv_ptwriter_put_float (YvPtWriter *writer, double value);
void yv_ptwriter_put_string (YvPtWriter *writer, const char *text);
void yv_ptwriter_put_class (YvPtWriter *writer, const char *module, const char *name);

/* Adds a storage and gives its key, to be used in put_view. */
uint32_t yv_ptwriter_add_storage (YvPtWriter *writer, YvDType dtype, const void *bytes,
                                  uint64_t n_elems);

/* A tensor: the shape and strides of @view, @offset elements into a storage. */
void yv_ptwriter_put_view (YvPtWriter *writer, uint32_t storage, uint64_t offset,
                           const YvTensor *view);

/* A contiguous tensor with a storage of its own; as a Parameter. */
void yv_ptwriter_put_tensor (YvPtWriter *writer, const YvTensor *tensor);
void yv_ptwriter_put_parameter (YvPtWriter *writer, const YvTensor *tensor);

/* An OrderedDict of name to contiguous tensor. */
void yv_ptwriter_put_state_dict (YvPtWriter *writer, const YvNamedTensor *tensors,
                                 uint32_t n_tensors);

/* The file; STOP is added. The writer is used up. */
GBytes *yv_ptwriter_finish (YvPtWriter *writer, YvPtContainer container, YvPtFault fault);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvPtWriter, yv_ptwriter_free)

/* A zip archive of stored entries, laid out as torch does: for archives that are no checkpoint. */
typedef struct {
  const char *name;
  const void *bytes;
  size_t size_bytes;
} YvPtEntry;

GBytes *yv_ptwrite_zip (const YvPtEntry *entries, uint32_t n_entries, YvPtFault fault);

G_END_DECLS
