/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/checkpoint.h - a file of weights, opened: any container, one tree of values.
 *
 * In:   a path. The zip container of torch >= 1.6, the legacy one, or safetensors, told apart by
 *       content and never by name.
 * Out:  the root value (object.h). Tensors are views into the mapping of the file: nothing is
 *       copied, and the views live as long as the checkpoint.
 * Next: engine/model/ finds the model in it. This folder knows nothing of YOLO.
 *
 * A file is hostile until checked: all reads are bounded, all sizes overflow-checked, recursion and
 * element counts limited (spec section 5.7). A safetensors file gives a DICT of name to TENSOR.
 * Immutable once open, so any thread may read it. The file itself must not be changed in place
 * while it is open (a mapped file that shrinks ends the process); replacing it by renaming is fine.
 */
#pragma once

#include <glib.h>

#include "engine/checkpoint/object.h"

G_BEGIN_DECLS

typedef struct _YvCheckpoint YvCheckpoint;

/**
 * yv_checkpoint_open:
 * @path: a file name in the file system's encoding
 *
 * Maps and reads a file. Every error names the file, the place in it (entry, byte offset), what was
 * found and what was expected; for files people commonly mistake for a checkpoint (TorchScript,
 * darknet weights, ONNX, TensorRT engines, directories, HTML or Git LFS pointers) what to give
 * instead.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_IO, _MALFORMED or _UNSUPPORTED.
 */
YvCheckpoint *yv_checkpoint_open (const char *path, GError **error);

/* The same of bytes in memory, which the checkpoint keeps a reference to. @name stands for the path
 * in messages. */
YvCheckpoint *yv_checkpoint_open_bytes (GBytes *bytes, const char *name, GError **error);

void yv_checkpoint_free (YvCheckpoint *checkpoint); /* NULL ok; unmaps the file */

/* Whoever reads tensors long after opening calls this first. False with YV_ERROR_IO where the
 * file's size or time of change are not those at opening, so that its bytes are others or are gone.
 */
bool yv_checkpoint_check_unchanged (const YvCheckpoint *checkpoint, GError **error);

const YvObject *yv_checkpoint_root (const YvCheckpoint *checkpoint);
const char *yv_checkpoint_path (const YvCheckpoint *checkpoint);
const char *yv_checkpoint_format (const YvCheckpoint *checkpoint); /* "torch zip", "torch legacy",
                                                                      "safetensors" */

/**
 * yv_checkpoint_warning:
 * @tensors: (nullable) (element-type utf8 YvTensor): those of the tree that are used; NULL: all
 *
 * What a user should know about a file that was read all the same: that bytes of it do not have the
 * checksums which it states. Reads all of @tensors, but none of the others.
 *
 * Returns: (transfer full): or NULL where there is nothing.
 */
char *yv_checkpoint_warning (const YvCheckpoint *checkpoint, GHashTable *tensors);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvCheckpoint, yv_checkpoint_free)

G_END_DECLS
