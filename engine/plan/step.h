/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/step.h - one dispatch, as data.
 *
 * A step says what to compute (node: for the reference and for people) and how (kernel, constants,
 * groups, push bytes: for the Vulkan executor, which knows nothing else). Ops (engine/ops/) write
 * it; nothing changes it afterwards.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/graph/graph.h"

G_BEGIN_DECLS

/* Until it is placed, each value has a terabyte of its own: an operand's offset is its number
 * shifted by this, plus the offset inside it (plan/draft.h). */
#define YV_VALUE_SHIFT 40

/* Where an operand's bytes are. */
typedef enum {
  YV_MEMORY_NONE,
  YV_MEMORY_ARENA,      /* activations; offset_bytes from its start */
  YV_MEMORY_WEIGHTS,    /* YvPlan.weights[offset_bytes is 0]; see YvStep.weight */
  YV_MEMORY_STAGING,    /* the slot's frame bytes; their size is the executor's business */
  YV_MEMORY_PARAMS,     /* the slot's YvFrameParams[n] then YvThresholds, see YvPlan */
  YV_MEMORY_CANDIDATES, /* the slot's candidate lists */
} YvMemory;

/* A value as a step sees it: [n, c, h, w], channels-last with cstride elements a pixel. */
typedef struct {
  YvMemory memory;
  YvDType dtype; /* F32 or F16 */
  uint64_t offset_bytes;
  uint64_t size_bytes; /* from the first to behind the last element that may be touched */
  uint32_t n, c, h, w;
  uint32_t cstride;
} YvOperand;

/* From one image to the next. */
static inline uint64_t
yv_operand_image_bytes (const YvOperand *operand)
{
  return (uint64_t) operand->h * operand->w * operand->cstride *
         yv_dtype_size_bytes (operand->dtype);
}

/* A kernel is a shader and its variant; which SPIR-V it is stands in engine/vulkan/kernels.c. The
 * element type (f32, f16) is the step's dtype; whether operands are texel buffers or addresses is
 * step->texel. */
typedef enum {
  YV_KERNEL_NONE,            /* reference only */
  YV_KERNEL_LETTERBOX,       /* letterbox.comp */
  YV_KERNEL_CONV_LANES8,     /* conv_lanes.comp, 8 output channels a workgroup; texel only */
  YV_KERNEL_CONV_LANES16,    /* the same with 16, */
  YV_KERNEL_CONV_LANES32,    /* 32 */
  YV_KERNEL_CONV_LANES64,    /* and 64; texel only */
  YV_KERNEL_CONV_LANES32X16, /* these for subgroups of 16 lanes; f32 texel only */
  YV_KERNEL_CONV_LANES64X16,
  YV_KERNEL_CONV_TILE,       /* conv_tile.comp; addresses only */
  YV_KERNEL_CONV_FIRST,      /* conv_first.comp; addresses only */
  YV_KERNEL_CONV_COOPMAT,    /* conv_coopmat.comp; f16 addresses only */
  YV_KERNEL_CONV_COOPMAT2,   /* conv_coopmat2.comp; f16 addresses only */
  YV_KERNEL_CONV_SUM,        /* conv_sum.comp; addresses only */
  YV_KERNEL_WINOGRAD_INPUT,  /* winograd_input.comp; f32 texel only */
  YV_KERNEL_WINOGRAD_OUTPUT, /* winograd_output.comp; f32 texel only */
  YV_KERNEL_MAXPOOL,         /* maxpool.comp */
  YV_KERNEL_MAXPOOL_PYRAMID, /* maxpool_pyramid.comp; addresses only */
  YV_KERNEL_UPSAMPLE,        /* upsample.comp */
  YV_KERNEL_COPY,            /* copy.comp */
  YV_KERNEL_ELTWISE,         /* eltwise.comp */
  YV_KERNEL_REORG,           /* reorg.comp */
  YV_KERNEL_DECODE,          /* decode.comp */
  YV_KERNEL_HEAD_TILE,       /* head_tile.comp; addresses only */
  YV_N_KERNELS
} YvKernel;

const char *yv_kernel_name (YvKernel kernel); /* "conv_lanes32" */

/* How a convolution is computed (plan/way.h); zero for other steps and on the reference. */
typedef struct {
  YvKernel kernel; /* of the products */
  bool winograd;   /* as three steps, of which @kernel is the second (winograd.h) */
  uint32_t tile_pixels, tile_channels; /* of a kernel with tiles of several sizes; else 0 */
} YvWay;

/* What a tile of conv_tile, YV_TILE_CHANNELS output channels, sees of the source's channels: all,
 * or with groups those of its own groups. Both are multiples of 4; the first and the number, which
 * is the same for all tiles, so that some see a little more. */
uint32_t yv_tile_first_channel (const YvWeight *weight, uint32_t tile);
uint32_t yv_tile_n_channels (const YvWeight *weight);

/* Input channels as conv_coopmat counts them: rounded up to 8, or to 4 where they are not more. */
uint32_t yv_coopmat_n_channels (const YvWeight *weight);

/* How conv_coopmat2 goes over K: so many input channels of a tap at a time, and so many it counts,
 * a multiple of that. */
uint32_t yv_coopmat2_k_step (const YvWeight *weight);
uint32_t yv_coopmat2_n_channels (const YvWeight *weight);
/* Does a FIRST's convolution read the picture after REORG? Else as it is. */
bool yv_first_is_reorged (const YvWeight *weight);

/* How a weight is laid out for a kernel; the exact order is told in engine/plan/pack.h. */
typedef enum {
  YV_PACK_NONE,
  YV_PACK_LANES8,
  YV_PACK_LANES16,
  YV_PACK_LANES32,
  YV_PACK_LANES64,
  YV_PACK_WINOGRAD32,
  YV_PACK_WINOGRAD64,
  YV_PACK_TILE,
  YV_PACK_COOPMAT,
  YV_PACK_HEAD,
  YV_PACK_COOPMAT2,
  YV_PACK_FIRST,
  YV_PACK_AFFINE, /* scale[c8], shift[c8] as f32, of an AFFINE node */
  YV_N_PACKS
} YvPack;

/* What one of the 8-byte addresses at the front of a push block points at. */
typedef enum {
  YV_ADDRESS_NONE, /* the kernel's constants say that it is not read; stays 0 */
  YV_ADDRESS_SRC0,
  YV_ADDRESS_SRC1,
  YV_ADDRESS_WEIGHT,
  YV_ADDRESS_FRAME,      /* the slot's YvFrameParams of YvStep.image */
  YV_ADDRESS_THRESHOLDS, /* the slot's YvThresholds */
  YV_ADDRESS_DST,
} YvAddress;

/* Which part of its op a step computes. A convolution by Winograd is three (winograd.h), one whose
 * sum is cut into parts of K two (ops/split.c). A HEAD is DETECT and the convolution that makes its
 * logits, a FIRST is INPUT of one image and the convolution that reads it, with REORG before it or
 * without; what goes between them is never stored. */
typedef enum {
  YV_PART_WHOLE,
  YV_PART_WINOGRAD_INPUT,
  YV_PART_WINOGRAD_PRODUCT,
  YV_PART_WINOGRAD_OUTPUT,
  YV_PART_HEAD,
  YV_PART_SPLIT_PRODUCT, /* to [parts of K, c_out, 1, pixels] in fp32 */
  YV_PART_SPLIT_SUM,
  YV_PART_FIRST,
} YvPart;

#define YV_MAX_STEP_SRCS 2
#define YV_MAX_PUSH_BYTES 128
#define YV_MAX_SPEC 16
#define YV_MAX_ADDRESSES 4

typedef struct {
  const YvNode *node; /* borrowed: the graph outlives its plans; of FIRST the convolution */
  YvOpKind op;        /* what it computes; YV_OP_INPUT: letterbox of image @image */
  YvPart part;
  char *name;     /* owned: "model.24.cv1.conv", a copy's with its input */
  YvAct act;      /* what this step applies: the node's, or none where more steps follow */
  uint32_t image; /* LETTERBOX: which image of the batch */
  uint32_t head;  /* DETECT: which level of the DetectSpec (not of the schedule) */
  uint32_t level; /* steps of one level are independent; a barrier lies between levels */

  YvOperand src[YV_MAX_STEP_SRCS]; /* what is read, in the order of the node's inputs */
  uint32_t n_srcs;
  YvOperand dst; /* what is written */
  const void
      *weight_source; /* the YvWeight (CONV, HEAD, FIRST) or YvNode (AFFINE) to pack, or NULL */
  YvPack pack;
  YvWay way; /* of CONV: what its op chose */

  YvKernel kernel;
  YvDType dtype; /* element type of the kernel: that of src[0]; LETTERBOX: that of dst; SPLIT_SUM,
                    which reads fp32: that of its convolution */
  bool texel;    /* operands are bound as texel buffers (src, weight) and a storage buffer (dst) */
  uint32_t spec[YV_MAX_SPEC]; /* specialization constants 0.. ; local size first (0 = x) */
  uint32_t n_spec;
  uint32_t groups[3];
  uint8_t push[YV_MAX_PUSH_BYTES]; /* a struct of params.h, addresses still zero */
  uint32_t n_push_bytes;
  uint8_t addresses[YV_MAX_ADDRESSES]; /* YvAddress: what the executor writes at its front */
  uint32_t n_addresses;
  uint64_t flops; /* 2 * multiply-adds, of all images; 0 where it is not a convolution */
} YvStep;

G_END_DECLS
