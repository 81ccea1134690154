/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/frame.h - a YvImage as the letterbox kernel wants it: three components, each with its own
 * walk through one block of bytes.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/image.h"
#include "engine/letterbox.h"
#include "shaders/params.h"

G_BEGIN_DECLS

/* Not in the public header: it grows with each format. */
#define YV_N_FORMATS (YV_FORMAT_P010_10LE + 1)

/* False with YV_ERROR_INVALID where sizes, strides or planes contradict the format, or planes do
 * not lie in the image's memory. */
bool yv_image_check (const YvImage *image, GError **error);

/* Bytes of a packed copy of @image: planes one after the other without padding between rows, each
 * at a multiple of 64. */
size_t yv_image_size_bytes (const YvImage *image);

/* Writes that copy. @dst has yv_image_size_bytes(). */
void yv_image_pack (const YvImage *image, uint8_t *dst);

/* Writes that copy into @memory, which has yv_image_size_bytes(), and describes it. */
void yv_image_pack_to_memory (const YvImage *image, YvFrameMemory *memory, YvImage *packed);

/* Does @image name memory that @device, the YvDevice of one engine, reads, and so needs no copy?
 * Samples of two bytes at odd places do. */
bool yv_image_is_read_in_place (const YvImage *image, const void *device);

/* Describes the copy that lies at @offset_bytes of the staging memory (colour matrices: ITU-R
 * BT.601, BT.709, BT.2020; ranges: 16..235/240 or 0..255, of 10 bits 64..940/960 or 0..1023). */
void yv_frame_params_init (struct YvFrameParams *params, const YvImage *image,
                           const YvLetterbox *letterbox, size_t offset_bytes);

/* The same of an image where it lies in its memory. */
void yv_frame_params_init_in_place (struct YvFrameParams *params, const YvImage *image,
                                    const YvLetterbox *letterbox);

G_END_DECLS
