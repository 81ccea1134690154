// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// conv_first.comp - a camera's picture -> the output of the first convolution, for any GPU: dst =
// act (weight * letterbox (pixels) + bias). The network's input is never stored.
//   pixels  bytes of the picture as YvFrameParams tells
//   weight  FIRST of engine/plan/pack.h
//   dst     [1, c_out, out_h, out_w]
// A workgroup of 64 makes 8 x 8 pixels of all channels. It computes the pixels that they see once,
// into shared memory, as the network's input would be stored; then 16 channels at a time, an
// invocation 4 pixels x 4 channels.
// Reference: yv_ref_first() in engine/ref/first.c; test: tests/ops/test-letterbox.c.

#include "tensor.glsl"
#include "act.glsl"

layout(constant_id = 2) const uint KERNEL = 3;
layout(constant_id = 3) const uint STRIDE = 1;

layout(push_constant, std430) uniform Push { YvFirstParams p; };

#include "letterbox.glsl"

const uint LOCAL = YV_FIRST_LOCAL;
const uint TILE = YV_FIRST_TILE;
const uint COLUMNS = YV_FIRST_CHANNELS / 4;
const uint OWN_PIXELS = 4; // of one invocation, side by side
const uint SIDE = (TILE - 1) * STRIDE + KERNEL;
const uint WEIGHT_QUADS = KERNEL * KERNEL * 3 * COLUMNS; // of 16 channels

#ifdef YV_F16
shared uvec2 tile_src[SIDE * SIDE];
#define PACK(v) pack_half4(v)
#define UNPACK(v) unpack_half4(v)
#else
shared vec4 tile_src[SIDE * SIDE];
#define PACK(v) (v)
#define UNPACK(v) (v)
#endif
shared vec4 tile_weight[WEIGHT_QUADS]; // [tap][R G B][channel / 4]

// What the tile sees of the network's input; zeros outside of it, which is the padding.
void load_pixels(ivec2 corner)
{
    const YvFrameParams frame = Frame(p.frame).frame;

    for (uint i = gl_LocalInvocationIndex; i < SIDE * SIDE; i += LOCAL) {
        const ivec2 at = corner + ivec2(i % SIDE, i / SIDE);
        const bool inside = uint(at.x) < p.net_w && uint(at.y) < p.net_h;
        tile_src[i] = PACK(inside ? vec4(letterbox(frame, at), 0.0) : vec4(0.0));
    }
}

void load_weights(uint first_quad)
{
    for (uint i = gl_LocalInvocationIndex; i < WEIGHT_QUADS; i += LOCAL)
        tile_weight[i] = LOAD4(weight, first_quad + i);
}

void add_products(inout vec4 sums[OWN_PIXELS], uvec2 own, uint column)
{
    for (uint ky = 0; ky < KERNEL; ky++)
        for (uint kx = 0; kx < KERNEL; kx++) {
            const uint at = (own.y * STRIDE + ky) * SIDE + own.x * STRIDE + kx;
            vec4 x[OWN_PIXELS];
            UNROLL for (uint j = 0; j < OWN_PIXELS; j++)
                x[j] = UNPACK(tile_src[at + j * STRIDE]);
            UNROLL for (uint c = 0; c < 3; c++) {
                const vec4 w = tile_weight[((ky * KERNEL + kx) * 3 + c) * COLUMNS + column];
                UNROLL for (uint j = 0; j < OWN_PIXELS; j++)
                    sums[j] += w * x[j][c];
            }
        }
}

void main()
{
    const uint id = gl_LocalInvocationIndex;
    const uint tiles_w = (p.out_w + TILE - 1) / TILE;
    const ivec2 tile = pixel_position(int(unfolded_group_x()), int(tiles_w)) * int(TILE);
    const uint column = id % COLUMNS, row = id / COLUMNS;
    const uvec2 own = uvec2(row % (TILE / OWN_PIXELS) * OWN_PIXELS, row / (TILE / OWN_PIXELS));
    const uvec2 first = uvec2(tile) + own;
    const uint n_blocks = (p.c_out + YV_FIRST_CHANNELS - 1) / YV_FIRST_CHANNELS;
#ifdef YV_F16
    const uint weight_start = n_blocks * COLUMNS * 2; // biases are f32
#else
    const uint weight_start = n_blocks * COLUMNS;
#endif

    load_pixels(tile * int(STRIDE) - int(p.pad));
    for (uint block = 0; block < n_blocks; block++) {
        const uint channel_quad = block * COLUMNS + column;
        load_weights(weight_start + block * WEIGHT_QUADS);
        barrier();

        vec4 sums[OWN_PIXELS];
        UNROLL for (uint j = 0; j < OWN_PIXELS; j++)
            sums[j] = Float4s(p.weight).at[channel_quad];
        add_products(sums, own, column);
        UNROLL for (uint j = 0; j < OWN_PIXELS; j++)
            if (first.x + j < p.out_w && first.y < p.out_h && channel_quad * 4 < p.c_out) {
                const uint pixel = first.y * p.out_w + first.x + j;
                STORE4(dst, pixel * (p.out_cstride / 4) + channel_quad,
                       activate(sums[j], p.slope));
            }
        barrier(); // before the next block's weights
    }
}
