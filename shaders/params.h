/* SPDX-License-Identifier: LGPL-2.1-or-later
 * shaders/params.h - what C and shaders both must know: push constants, one struct per kernel, and
 * the buffers that host and device share. The one definition for C and GLSL.
 *
 * Push blocks: device addresses first (sources, weights, parameters, destination: the executor
 * writes what YvStep.addresses says; texel kernels ignore those they have descriptors for), then
 * 4-byte members; at most 128 bytes, Vulkan's guaranteed maxPushConstantsSize. All structs have the
 * same layout in C and std430: 8-byte members first.
 *
 * Activations are channels-last, [n, h, w, c] with `cstride` elements from one pixel to the next;
 * images of a batch follow each other at h * w * cstride.
 */
#ifndef YV_PARAMS_H
#define YV_PARAMS_H

#ifndef VULKAN /* glslang defines VULKAN: here we are in C */
#include <stdint.h>
typedef uint32_t yv_uint;
typedef uint64_t yv_addr;
#define uint yv_uint
#define uint64_t_addr yv_addr
#else
#define uint64_t_addr uvec2 /* the same 8 bytes; a shader then needs no 64-bit integers */
#endif

/* Texel kernels (lavapipe) bind set 0: 0 and 1 = sources, 2 = weight, each a storage texel buffer
 * of rgba32f or rgba16f by the step's dtype (the frame of letterbox: r16ui; the logits of
 * decode: rgba32f); 3 = destination, a storage buffer. Letterbox's and decode's shared buffers
 * (frame, thresholds, candidates, dense rows) are addresses in both modes.
 *
 * Constant 0 is local_size_x; the kernel's own follow, named at each struct. Constant 4, FOLDS, is
 * given where the blocks of pixels below are more than the device takes workgroups in that
 * dimension: then it is FOLDS times shorter and z = image * FOLDS + fold.
 */

/* What a workgroup of conv_lanes<P> makes: P channels of so many pixels. Its local size is that of
 * a subgroup: 8 lanes, or 16 where lavapipe has vectors of 512 bits. */
#define YV_LANES8_PIXELS 64
#define YV_LANES16_PIXELS 64
#define YV_LANES32_PIXELS 40
#define YV_LANES64_PIXELS 32
#define YV_LANES32X16_PIXELS 80
#define YV_LANES64X16_PIXELS 32

/* And one of conv_tile: so many pixels x channels, so much of K at a time. A tile has half of its
 * channels and twice the pixels where a convolution has no more. */
#define YV_TILE_LOCAL 128
#define YV_TILE_OUTPUTS 4096
#define YV_TILE_CHANNELS 64
#define YV_TILE_K 16

/* conv_coopmat: so much of K at a time, and what the 8 of it that one invocation loads are: */
#define YV_COOPMAT_K 32
#define YV_COOPMAT_OCTS 0  /* channels of one tap */
#define YV_COOPMAT_1X1 1   /* the same of the only tap: kernel 1, stride 1, no padding */
#define YV_COOPMAT_QUADS 2 /* two taps of a source that has 4 channels a pixel: the first layer */

/* dst = act (W * src + bias).
 * conv_lanes<P> (texel): local size its lanes; groups = ceil (c_out / channels),
 * ceil (n * out_w * out_h / pixels), 1; of WINOGRAD: n = 1, and so many points instead of 1.
 * conv_tile (addresses): local YV_TILE_LOCAL; groups = ceil (out_w * out_h / pixels),
 * ceil (c_out / channels), parts * n; constant 3: channels of a tile.
 * conv_coopmat (addresses): groups = ceil (c_out / channels), ceil (n * out_w * out_h / pixels),
 * parts; tiles, and so the local size, are engine/ops/coopmat.c's choice, handed over as constants
 * 3 and 5 to 13.
 * conv_coopmat2 (addresses): groups = ceil (c_out / channels), yv_n_pixel_tiles() of slices.h,
 * parts; constants 0 and 3 to 8 are engine/ops/coopmat2.c's choice.
 *
 * Parts of K, of these three: part i goes over steps of K (YV_TILE_K, YV_COOPMAT_K,
 * yv_coopmat2_k_step() of engine/plan/step.h) from steps * i / parts to before
 * steps * (i + 1) / parts and writes its sums as block i of n images; the bias is in the first.
 * Where there is more than one, conv_sum follows.
 *
 * All: constant 1: ACT, a YvActKind (lavapipe runs every branch of a switch, so what is fixed per
 * layer kind is no push constant); 2: EPILOGUE, a sum of YV_EPILOGUE_*, of conv_coopmat2
 * YV_EPILOGUE_F32 or nothing. conv_lanes: 3: IS_1X1 (kernel 1, stride 1, no padding). */
#define YV_EPILOGUE_F32 1      /* the destination is f32 whatever the element type (heads) */
#define YV_EPILOGUE_RESIDUAL 2 /* residual is added: [n, c_out, out_h, out_w], binding 1 */
#define YV_EPILOGUE_ACT_LAST 4 /* before the activation, not after it */
#define YV_EPILOGUE_DOUBLED 8  /* a pixel is stored 2 x 2 times: [n, c_out, 2 out_h, 2 out_w] */
struct YvConvParams {
  uint64_t_addr src, weight, dst, residual;
  uint in_w, in_h, out_w, out_h; /* px */
  uint in_cstride, out_cstride;  /* elements */
  uint c_in;  /* rounded up to 4; the extra channels of src are finite, of the weight zero */
  uint c_out; /* as stored: rounded up to 8; the extra channels become act (0) */
  uint kernel_w, kernel_h;
  uint stride_w, stride_h, pad_w, pad_h;
  uint weight_block; /* conv_lanes: texels from a block of channels of the weight to the next */
  uint weight_point; /* and from one point to the next, of WINOGRAD */
  float slope;       /* of LEAKY_RELU */
  /* conv_tile: c_in is what a tile sees of src_channels (rounded up to 4), which with groups is
   * only what its own groups do: yv_tile_first_channel() in engine/plan/step.h. */
  uint group_in, group_out, src_channels;
  uint n_images; /* of the batch: tiles may go on from one to the next */
  uint residual_cstride;
};

/* conv_sum (addresses): local 64, constants 1: ACT, 2: DST_F32, the destination is f32
 * whatever the element type. One invocation:
 * one pixel x 8 channels: groups = ceil (n_pixels * channels / 8 / local), 1, 1. */
struct YvConvSumParams {
  uint64_t_addr src, dst;
  uint n_pixels;   /* of all images */
  uint n_parts;    /* of src; n_pixels * in_cstride elements from one to the next */
  uint in_cstride; /* elements, as all strides */
  uint out_cstride;
  uint channels; /* rounded up to 8 */
  float slope;
};

/* Winograd's F(4 x 4, 3 x 3), engine/winograd.h. */
#define YV_WINOGRAD_TILE 4   /* outputs on a side */
#define YV_WINOGRAD_WINDOW 6 /* inputs on a side; points on a side */
#define YV_WINOGRAD_POINTS 36
#define YV_WINOGRAD_A 0.75 /* the points on a side are 0, A, -A, B, -B and infinity */
#define YV_WINOGRAD_B 1.5

/* winograd_input, winograd_output (texel): local 32. One invocation: one tile of 4 x 4 outputs x 8
 * channels: groups = ceil (n_tiles * channels / 8 / local), 1, 1. Between the two the products at
 * the 36 points are a convolution of 1 x 1 by conv_lanes: 36 images of n_tiles x 1 pixels, each
 * with a weight of its own. Constants 1 and 2, output: ACT and EPILOGUE. Tiles count through all
 * images of a batch. */
struct YvWinogradParams {
  uint64_t_addr src, weight, dst, residual; /* weight, residual: of output */
  uint w, h;                                /* px of the picture; input and output have the same */
  uint tiles_w, tiles_h;                    /* of one image */
  uint first_tile, n_tiles;                 /* of this dispatch */
  uint channels;                            /* rounded up to 8 */
  uint cstride, point_cstride;              /* of the picture, of the values at the points */
  uint block_channels;                      /* output: P of the weight, */
  uint weight_block, weight_bias;           /* texels from block to block, and to its biases */
  float slope;
  uint residual_cstride;
};

/* maxpool, upsample, reorg (space to depth by 2, spec 1.4), copy: local 32. One invocation: one
 * pixel (output; of upsample: input) x 8 output channels: groups = ceil (pixels / local),
 * ceil (output channels / 8), n.
 * copy: constant 1: ALIGNED; where 0 (addresses only) src or dst does not start at a multiple of 8
 * channels and exactly `channels` are copied, one by one. */
struct YvResampleParams {
  uint64_t_addr src, dst;
  uint in_w, in_h, out_w, out_h;
  uint in_cstride, out_cstride;
  uint channels; /* of src, exact; dst has as many, of reorg 4 times as many; kernels that
                    go by 8 may write up to the next multiple of 8 */
  uint kernel, stride, pad; /* maxpool */
  uint factor;              /* upsample */
};

/* maxpool_pyramid (addresses): the three levels of a pyramid from one source, each the max over
 * YV_PYRAMID_KERNEL squared of the one before. The block of maxpool, with `channels` a multiple of
 * 8. Local YV_PYRAMID_LOCAL; groups = tiles of an image, channels / 4, n. Constant 1: FALLING, dst
 * has the last level first. */
#define YV_PYRAMID_LEVELS 3
#define YV_PYRAMID_KERNEL 5
#define YV_PYRAMID_TILE 10 /* px: with what lies around it 22, twice in 16 KB of shared memory */
#define YV_PYRAMID_LOCAL 128

/* eltwise: local 32, constants 1: ACT (YvActKind), 2: HAS_SRC1, 3: HAS_SCALE. One invocation: one
 * pixel x 8 channels: groups = ceil (n_pixels / local), ceil (channels / 8), 1. dst = act ((src0 +
 * src1) * scale + shift); src1 and scale/shift by spec constants; where absent their address is 0
 * and their binding that of src0. scale and shift lie in the weights as f32 whatever the element
 * type (the texel kernel: rgba32f), scale[c8] then shift[c8], c8 = channels rounded up to 8. */
struct YvEltwiseParams {
  uint64_t_addr src0, src1, weight, dst;
  uint n_pixels; /* of all images */
  uint cstride0, cstride1, out_cstride;
  uint channels; /* exact; kernels that go by 8 may write up to the next multiple of 8 */
  float slope;
};

/* letterbox: local 128, groups = ceil (net_w * net_h / local), 1, 1. One picture of the frame
 * buffer -> one image of the network's input, NHWC, cstride 4, the fourth channel 0. One dispatch
 * per image, so that `frame` is uniform. */
struct YvLetterboxParams {
  uint64_t_addr pixels; /* the slot's staging memory */
  uint64_t_addr frame;  /* its YvFrameParams */
  uint64_t_addr dst;
  uint net_w, net_h;
};

/* conv_first (addresses): letterbox and the first convolution, of the picture that is then stored
 * nowhere: local YV_FIRST_LOCAL; groups = tiles of YV_FIRST_TILE x YV_FIRST_TILE output pixels, 1,
 * 1; one dispatch per image. Constants 1: ACT, 2: KERNEL, 3: STRIDE, of both directions. A
 * convolution of 3 x 3 over the picture after REORG is one of 6 x 6 with stride 2 over the picture
 * itself. */
#define YV_FIRST_LOCAL 64
#define YV_FIRST_TILE 8
#define YV_FIRST_CHANNELS 16 /* computed at a time */
struct YvFirstParams {
  uint64_t_addr pixels, frame; /* as YvLetterboxParams */
  uint64_t_addr weight, dst;
  uint net_w, net_h;
  uint out_w, out_h, out_cstride;
  uint c_out; /* as stored: rounded up to 8; the extra channels become act (0) */
  uint pad;   /* px, of both directions */
  float slope;
};

/* One picture in staging memory, whatever its format: three components, each with its own walk. A
 * sample of 8 bits is a byte; one of more bits is part of two, at an even place, little-endian. */
struct YvFrameParams {
  uint offset[3];              /* bytes from the start of the staging memory to the first sample */
  uint row_bytes[3];           /* from one row of samples to the next */
  uint pixel_bytes[3];         /* from one sample to the next */
  uint shift_x[3], shift_y[3]; /* log2 of the subsampling */
  uint low_bit, sample_mask;   /* value = word >> low_bit & sample_mask */
  uint frame_w, frame_h;
  uint resized_w, resized_h, left, top; /* YvLetterbox */
  float chroma_x;   /* where chroma sits: sample position = (x + 0.5) * 2^-shift - 0.5 + chroma_x */
  uint is_rgb;      /* components are R, G, B: the matrix is not applied */
  uint is_deep;     /* samples of more than 8 bits: colours are not rounded to 8 bits */
  float matrix[12]; /* rows R, G, B (0..255): coefficients of the components, and a constant */
};

/* decode: local 64, constant 1: WRITES, a YV_DECODE_*. One invocation: one anchor of one cell:
 * groups = ceil (grid_w * grid_h * n_anchors / local), 1, n. ROWS: all rows of one level.
 * CANDIDATES: those among them that YvThresholds lets through. */
#define YV_DECODE_CANDIDATES 0
#define YV_DECODE_ROWS 1
struct YvDecodeParams {
  uint64_t_addr logits;     /* f32 */
  uint64_t_addr thresholds; /* YvThresholds of the slot */
  uint64_t_addr dst;        /* ROWS: f32 [n][rows][5 + nc]; else YvCandidateList of image 0 */
  uint grid_w, grid_h;
  uint cstride; /* of the logits */
  uint n_anchors, n_classes;
  uint stride;         /* px per cell */
  uint first_row;      /* of this level among all rows of an image */
  uint list_bytes;     /* from one image's YvCandidateList to the next */
  uint capacity;       /* candidates that fit into one list */
  uint anchors_offset; /* of this level in YvThresholds.anchor_px, in floats: level * 32 */
  uint image_rows;     /* ROWS: of one image over all levels */
};

/* head_tile (addresses): a convolution of 1 x 1 and decode of what it makes, as CANDIDATES: local
 * YV_HEAD_LOCAL; groups = ceil (grid_w * grid_h / YV_HEAD_PIXELS), n_anchors, n. An anchor's
 * 5 + n_classes channels are computed YV_HEAD_CHANNELS at a time, YV_TILE_K of K at a time. */
#define YV_HEAD_LOCAL 128
#define YV_HEAD_PIXELS 64
#define YV_HEAD_CHANNELS 32
struct YvHeadParams {
  uint64_t_addr src, weight;
  uint64_t_addr thresholds; /* YvThresholds of the slot */
  uint64_t_addr dst;        /* YvCandidateList of image 0 */
  uint grid_w, grid_h;
  uint cstride, c_in; /* of src; c_in is rounded up to 4, see YvConvParams */
  uint n_anchors, n_classes;
  uint stride, first_row, list_bytes, capacity, anchors_offset; /* as YvDecodeParams */
};

#define YV_MAX_ANCHOR_FLOATS 256 /* YvDetectSpec.anchor_px as it is: [8 levels][16 anchors][2] */

/* Per slot, written by the host before each submit. Behind it follow ceil (nc / 32) words: bit
 * k % 32 of word k / 32 says whether class k is wanted.
 *
 * A candidate is a row with obj > confidence and its best class, where that is wanted and conf =
 * obj * cls > confidence; with obj_only conf = obj. With multi_label it is such a row and any
 * wanted class with obj * cls > confidence, whatever obj_only says. All comparisons are strict. */
struct YvThresholds {
  float confidence;
  uint obj_only;                         /* nc == 1: confidence is obj alone (spec 3.3) */
  uint multi_label;                      /* a candidate for each class, not for the best alone */
  float anchor_px[YV_MAX_ANCHOR_FLOATS]; /* w, h per level and anchor */
};

/* What the device found above the threshold; order is arbitrary, `row` restores upstream's. */
struct YvCandidate {
  float x, y, w, h; /* centre and size in network px */
  float objectness, confidence;
  uint class_index;
  uint row; /* level-major, then anchor, y, x */
};

/* One per image in host-visible memory: this header, then `capacity` candidates. */
struct YvCandidateList {
  uint n_found; /* may exceed the capacity: then only capacity candidates are stored */
  uint reserved[7];
};

#ifndef VULKAN
#undef uint
#undef uint64_t_addr
_Static_assert(sizeof (struct YvConvParams) == 120, "push block layout");
_Static_assert(sizeof (struct YvConvSumParams) == 40, "push block layout");
_Static_assert(sizeof (struct YvWinogradParams) == 88, "push block layout");
_Static_assert(sizeof (struct YvDecodeParams) <= 128, "push block size");
_Static_assert(sizeof (struct YvFirstParams) == 64, "push block layout");
_Static_assert(sizeof (struct YvHeadParams) == 80, "push block layout");
_Static_assert(sizeof (struct YvThresholds) == 12 + 4 * YV_MAX_ANCHOR_FLOATS, "shared layout");
_Static_assert(sizeof (struct YvCandidate) == 32, "shared layout");
_Static_assert(sizeof (struct YvCandidateList) == 32, "shared layout");
#endif

#endif
