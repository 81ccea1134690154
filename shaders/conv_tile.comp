// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// conv_tile.comp - convolution for any GPU: dst = act (weight * src + bias), as an implicit matrix
// product, pixels x channels, summed over K = taps x input channels.
//   src     [n, c_in, in_h, in_w]
//   weight  TILE of engine/plan/pack.h
//   dst     [n, c_out, out_h, out_w]
// With groups a tile sees, and K has, only the input channels of its own groups.
// A workgroup of 128 makes a tile of 64 pixels x 64 channels or of 128 x 32 through shared memory,
// 16 of K at a time (params.h); an invocation makes 8 pixels x 4 channels of it. Groups: x = tile
// of pixels, y = tile of channels, z = part of K x image (params.h). While one step is computed the
// next is on its way from memory.
// Reference: engine/ref/conv.c; test: tests/ops/test-conv.c.

#include "tensor.glsl"

layout(push_constant, std430) uniform Push { YvConvParams p; };

#include "epilogue.glsl"

layout(constant_id = 3) const uint TILE_CHANNELS = YV_TILE_CHANNELS; // or half of it: c_out <= 32

const uint TILE_PIXELS = YV_TILE_OUTPUTS / TILE_CHANNELS;
const uint STEP = YV_TILE_K;
const uint STEP_QUADS = STEP / 4;
const uint OWN_PIXELS = 8;       // of one invocation
const uint COLUMNS = TILE_CHANNELS / 4;
const uint BLOCK_COLUMNS = YV_TILE_CHANNELS / 4; // of the weight
const uint SRC_LOADS = STEP_QUADS * TILE_PIXELS / YV_TILE_LOCAL;
const uint WEIGHT_LOADS = STEP * COLUMNS / YV_TILE_LOCAL;
const uint WEIGHT_ROWS = YV_TILE_LOCAL / COLUMNS; // loaded at once

shared vec4 tile_src[STEP][TILE_PIXELS / 4];      // [k][pixel / 4]
shared vec4 tile_weight[STEP][TILE_CHANNELS / 4]; // [k][channel / 4]

// Which 4 input channels of which tap a K-quad is; walks on without division.
struct Walk {
    uint quad, kx, ky;
};

void advance(inout Walk walk, uint n_quads, uint c_quads)
{
    walk.quad += n_quads;
    while (walk.quad >= c_quads) {
        walk.quad -= c_quads;
        if (++walk.kx == p.kernel_w) {
            walk.kx = 0;
            walk.ky++;
        }
    }
}

// yv_tile_first_channel() of engine/plan/step.c, in quads.
uint first_quad()
{
    const uint group = gl_WorkGroupID.y * YV_TILE_CHANNELS / p.group_out;
    return min(group * p.group_in, p.src_channels - p.c_in) / 4;
}

vec4 load_src(Walk walk, ivec2 corner, uint image, uint first)
{
    const int x = corner.x + int(walk.kx), y = corner.y + int(walk.ky);

    // Behind the last tap, where K is padded, the weights are zero whatever is loaded.
    if (uint(x) >= p.in_w || uint(y) >= p.in_h)
        return vec4(0.0);
    const uint pixel = (image * p.in_h + uint(y)) * p.in_w + uint(x);
    return LOAD4(src, pixel * (p.in_cstride / 4) + first + walk.quad);
}

// The weights are elements behind a bias that is always f32.
vec4 load_weight(uint bias_quads, uint quad)
{
#ifdef YV_F16
    return LOAD4(weight, bias_quads * 2 + quad);
#else
    return LOAD4(weight, bias_quads + quad);
#endif
}

void main()
{
    const uint id = gl_LocalInvocationIndex;
    const uint n_parts = gl_NumWorkGroups.z / FOLDS / p.n_images;
    const uint part = image_index() / p.n_images, image = image_index() % p.n_images;
    const uint n_pixels = p.out_w * p.out_h;
    const uint first_pixel = unfolded_group_x() * TILE_PIXELS;
    const uint c_quads = p.c_in / 4;
    const uint n_steps = (p.kernel_w * p.kernel_h * c_quads + STEP_QUADS - 1) / STEP_QUADS;
    const uint first_step = n_steps * part / n_parts, end_step = n_steps * (part + 1) / n_parts;

    // Loading: an invocation brings neighbouring quads of K of one pixel, and some of weights.
    const uint load_pixel = id % TILE_PIXELS;
    const uint load_quad = id / TILE_PIXELS * SRC_LOADS;
    const uint source_pixel = first_pixel + load_pixel;
    ivec2 corner = pixel_position(int(source_pixel), int(p.out_w));
    corner = corner * ivec2(p.stride_w, p.stride_h) - ivec2(p.pad_w, p.pad_h);
    Walk walk[SRC_LOADS];
    UNROLL for (uint i = 0; i < SRC_LOADS; i++) {
        walk[i] = Walk(0, 0, 0);
        advance(walk[i], first_step * STEP_QUADS + load_quad + i, c_quads);
    }

    const uint bias_quads = (p.c_out + YV_TILE_CHANNELS - 1) / YV_TILE_CHANNELS * BLOCK_COLUMNS;
    const uint load_row = id / COLUMNS;
    uint weight_quad = ((gl_WorkGroupID.y * n_steps + first_step) * STEP + load_row) *
                           BLOCK_COLUMNS + id % COLUMNS;

    // Computing: COLUMNS invocations side by side cover the channels, groups of them the pixels.
    const uint column = id % COLUMNS;
    const uint row = id / COLUMNS * (OWN_PIXELS / 4);
    const uint channel_quad = gl_WorkGroupID.y * COLUMNS + column;
    vec4 sums[OWN_PIXELS];
    const vec4 bias = part == 0 ? Float4s(p.weight).at[channel_quad] : vec4(0.0);
    UNROLL for (uint j = 0; j < OWN_PIXELS; j++)
        sums[j] = bias;

    const uint first = first_quad();
    vec4 src[SRC_LOADS], weight[WEIGHT_LOADS];
    UNROLL for (uint i = 0; i < SRC_LOADS; i++)
        src[i] = load_src(walk[i], corner, image, first);
    UNROLL for (uint i = 0; i < WEIGHT_LOADS; i++)
        weight[i] = load_weight(bias_quads, weight_quad + i * WEIGHT_ROWS * BLOCK_COLUMNS);

    for (uint step = first_step; step < end_step; step++) {
        UNROLL for (uint i = 0; i < SRC_LOADS; i++)
            UNROLL for (uint e = 0; e < 4; e++)
                tile_src[(load_quad + i) * 4 + e][load_pixel / 4][load_pixel % 4] = src[i][e];
        UNROLL for (uint i = 0; i < WEIGHT_LOADS; i++)
            tile_weight[load_row + i * WEIGHT_ROWS][column] = weight[i];
        barrier();

        if (step + 1 < end_step) {
            weight_quad += STEP * BLOCK_COLUMNS;
            UNROLL for (uint i = 0; i < SRC_LOADS; i++) {
                advance(walk[i], STEP_QUADS, c_quads);
                src[i] = load_src(walk[i], corner, image, first);
            }
            UNROLL for (uint i = 0; i < WEIGHT_LOADS; i++)
                weight[i] = load_weight(bias_quads, weight_quad + i * WEIGHT_ROWS * BLOCK_COLUMNS);
        }

        UNROLL for (uint k = 0; k < STEP; k++) {
            const vec4 w = tile_weight[k][column];
            UNROLL for (uint h = 0; h < OWN_PIXELS / 4; h++) {
                const vec4 x = tile_src[k][row + h];
                UNROLL for (uint e = 0; e < 4; e++)
                    sums[h * 4 + e] += w * x[e];
            }
        }
        barrier();
    }

    if (channel_quad * 4 >= p.c_out)
        return;
    UNROLL for (uint j = 0; j < OWN_PIXELS; j++) {
        const uint pixel = first_pixel + row * 4 + j;
        if (pixel < n_pixels)
            store4(int(image_index() * n_pixels + pixel), int(p.out_w), int(p.out_cstride / 4),
                   int(channel_quad), sums[j]);
    }
}
