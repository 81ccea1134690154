/* SPDX-License-Identifier: LGPL-2.1-or-later
 * shaders/slices.h - which parts of its tensors conv_coopmat2 loads and stores. The one definition
 * for GLSL and for C, where tests/unit/test-slices.c carries it out element by element: few devices
 * run the shader.
 *
 * A tile is a rectangle of tile_h x tile_w output pixels of one image. A step of K is k_step input
 * channels of one tap (ky, kx): the tile's source pixels under it are a rectangle, too, in the
 * picture that is left of the source when only each stride-th row and column is kept. So they are a
 * slice of a tensor [y][x][channel], and a device that knows slices needs no index of a pixel.
 */
#ifndef YV_SLICES_H
#define YV_SLICES_H

#include "params.h"

#ifdef VULKAN
#define YV_SHARED
#define YV_INT(value) int (value)
#else
#define uint yv_uint
#define YV_SHARED static inline
#define YV_INT(value) ((int) (value))
typedef struct YvConvParams YvConvParams;
typedef struct YvPixelTile YvPixelTile;
typedef struct YvSlice YvSlice;
#endif

struct YvPixelTile {
  uint image, y, x; /* of its first pixel */
};

/* What lies outside of the tensor reads as 0 and is not written. */
struct YvSlice {
  uint start;              /* where in the operand the tensor starts, in elements */
  uint h, w, c;            /* size of the tensor */
  uint y_stride, x_stride; /* elements from one row and column to the next; of channels 1 */
  int y, x;                /* where the slice starts */
  uint channel;
};

YV_SHARED uint
yv_ceil_div (uint value, uint size)
{
  return (value + size - 1) / size;
}

/* Kernel 1, stride 1, no padding: all pixels of all images are one row. */
YV_SHARED YvConvParams
yv_flattened (YvConvParams p)
{
  p.in_w = p.out_w = p.n_images * p.out_h * p.out_w;
  p.in_h = p.out_h = p.n_images = 1;
  return p;
}

YV_SHARED uint
yv_n_pixel_tiles (YvConvParams p, uint tile_h, uint tile_w)
{
  return p.n_images * yv_ceil_div (p.out_h, tile_h) * yv_ceil_div (p.out_w, tile_w);
}

YV_SHARED YvPixelTile
yv_pixel_tile (YvConvParams p, uint index, uint tile_h, uint tile_w)
{
  const uint across = yv_ceil_div (p.out_w, tile_w), down = yv_ceil_div (p.out_h, tile_h);
  YvPixelTile tile;

  tile.image = index / (across * down);
  tile.y = index / across % down * tile_h;
  tile.x = index % across * tile_w;
  return tile;
}

YV_SHARED uint
yv_n_k_steps (YvConvParams p, uint k_step)
{
  return p.kernel_h * p.kernel_w * yv_ceil_div (p.c_in, k_step);
}

/* Of the source. ky - pad is a whole number of strides and a rest; the rest says which rows are
 * kept. It is taken of a number that is not below 0. */
YV_SHARED YvSlice
yv_src_slice (YvConvParams p, YvPixelTile tile, uint step, uint k_step)
{
  const uint n_of_tap = yv_ceil_div (p.c_in, k_step), tap = step / n_of_tap;
  const uint y = tap / p.kernel_w + p.pad_h * (p.stride_h - 1);
  const uint x = tap % p.kernel_w + p.pad_w * (p.stride_w - 1);
  const uint first_y = y % p.stride_h, first_x = x % p.stride_w;
  YvSlice slice;

  slice.start = ((tile.image * p.in_h + first_y) * p.in_w + first_x) * p.in_cstride;
  slice.h = (p.in_h + p.stride_h - 1 - first_y) / p.stride_h;
  slice.w = (p.in_w + p.stride_w - 1 - first_x) / p.stride_w;
  slice.c = p.c_in;
  slice.y_stride = p.stride_h * p.in_w * p.in_cstride;
  slice.x_stride = p.stride_w * p.in_cstride;
  slice.y = YV_INT (tile.y + y / p.stride_h) - YV_INT (p.pad_h);
  slice.x = YV_INT (tile.x + x / p.stride_w) - YV_INT (p.pad_w);
  slice.channel = step % n_of_tap * k_step;
  return slice;
}

/* Of the weight, [output channel][1][K] behind its biases (COOPMAT2 of engine/plan/pack.h). */
YV_SHARED YvSlice
yv_weight_slice (YvConvParams p, uint step, uint k_step, uint first_channel)
{
  YvSlice slice;

  slice.h = yv_ceil_div (p.c_out, YV_TILE_CHANNELS) * YV_TILE_CHANNELS;
  slice.w = 1;
  slice.c = yv_n_k_steps (p, k_step) * k_step;
  slice.start = slice.h * 2; /* of fp16, as biases are fp32 */
  slice.y_stride = slice.x_stride = slice.c;
  slice.y = YV_INT (first_channel);
  slice.x = 0;
  slice.channel = step * k_step;
  return slice;
}

/* Of the destination; of part @part of K. */
YV_SHARED YvSlice
yv_dst_slice (YvConvParams p, YvPixelTile tile, uint part, uint first_channel)
{
  YvSlice slice;

  slice.start = (part * p.n_images + tile.image) * p.out_h * p.out_w * p.out_cstride;
  slice.h = p.out_h;
  slice.w = p.out_w;
  slice.c = p.c_out;
  slice.y_stride = p.out_w * p.out_cstride;
  slice.x_stride = p.out_cstride;
  slice.y = YV_INT (tile.y);
  slice.x = YV_INT (tile.x);
  slice.channel = first_channel;
  return slice;
}

#ifndef VULKAN
#undef uint
#endif
#undef YV_SHARED
#undef YV_INT

#endif
