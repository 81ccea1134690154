// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

// conv_lanes.comp - convolution for lavapipe (Vulkan on a CPU): dst = act (weight * src + bias),
// and what else epilogue.glsl does.
//   src     [n, c_in, in_h, in_w], texel buffer
//   weight  LANES<P> of engine/plan/pack.h, texel buffer
//   dst     [n, c_out, out_h, out_w], storage buffer
// One invocation makes NB pixels, LANES apart, x P channels. Groups: x = block of P channels,
// y = block of NB * LANES pixels of all images, z = point of Winograd's, or nothing.
// Only built with YV_TEXEL, and with P, LANES and PIXELS as shaders/meson.build has them.
// Reference: engine/ref/conv.c; test: tests/ops/test-conv.c.
//
// Why it looks like this (measured with tests/ops/test-conv.c --bench): a lane is a pixel, so
// that imageLoad becomes straight vector code. Weights are loaded one texel a lane, i.e. P
// different ones at once, and each is broadcast by a shuffle from a constant lane, which is one
// or two instructions. The P * NB sums of a lane don't fit registers; they lie in the L1 cache and
// are touched once per 4 multiply-adds, so all 4 channels of a quad come innermost. Taps and quads
// are one flat loop, because entering a loop costs a copy of all sums. Its body is 16 KB of code
// with P = 32; with 64 it is larger, and faster only where the CPU has 32 vector registers.

#include "tensor.glsl"

layout(constant_id = 3) const bool IS_1X1 = false; // kernel 1x1, stride 1, no padding

layout(push_constant, std430) uniform Push { YvConvParams p; };
YV_SOURCE(0, src);
YV_SOURCE(2, weight);

#include "epilogue.glsl"

const int NB = PIXELS / LANES;
const int BIAS_LOADS = (P / 4 + LANES - 1) / LANES;

float sums[NB][P];

// Channel i of the texels that the lanes hold: element i % 4 of lane i / 4.
#define BROADCAST(texels, i) \
    subgroupShuffle((texels)[(i) / 4 / LANES][(i) % 4], uint((i) / 4 % LANES))

void start_with_bias(int at)
{
    vec4 bias[BIAS_LOADS];

    UNROLL for (int r = 0; r < BIAS_LOADS; r++)
        bias[r] = LOAD4(weight, at + r * LANES);
    UNROLL for (int q = 0; q < P; q++) {
        const float b = BROADCAST(bias, q);
        UNROLL for (int j = 0; j < NB; j++)
            sums[j][q] = b;
    }
}

void add_products(vec4 weights[P / LANES], vec4 x[NB])
{
    UNROLL for (int q = 0; q < P; q++) {
        float w[4];
        UNROLL for (int e = 0; e < 4; e++)
            w[e] = BROADCAST(weights, e * P + q);
        UNROLL for (int j = 0; j < NB; j++) {
            float sum = sums[j][q];
            UNROLL for (int e = 0; e < 4; e++)
                sum += w[e] * x[j][e];
            sums[j][q] = sum;
        }
    }
}

void store_pixel(int j, int pixel, int first_oct, int octs_left)
{
    UNROLL for (int o = 0; o < P / 8; o++) {
        const int q = o * 8;
        if (o < octs_left)
            store8(pixel, int(p.out_w), int(p.out_cstride) / 8, first_oct + o,
                   vec4(sums[j][q], sums[j][q + 1], sums[j][q + 2], sums[j][q + 3]),
                   vec4(sums[j][q + 4], sums[j][q + 5], sums[j][q + 6], sums[j][q + 7]));
    }
}

void main()
{
    const int block = int(gl_WorkGroupID.x);
    const int point = int(image_index());
    const int in_w = int(p.in_w), in_h = int(p.in_h), out_w = int(p.out_w);
    const int n_pixels = out_w * int(p.out_h) * int(p.n_images);
    const int in_quads = int(p.in_cstride) / 4;
    const int c_quads = int(p.c_in) / 4;
    const int kernel_w = int(p.kernel_w);
    const int n_steps = kernel_w * int(p.kernel_h) * c_quads;
    const int src_start = point * in_w * in_h * in_quads;

    const int first_pixel = int(unfolded_group_y()) * NB * LANES + int(gl_LocalInvocationID.x);
    int pixel[NB], x0[NB], y0[NB], start[NB];
    UNROLL for (int j = 0; j < NB; j++) {
        pixel[j] = first_pixel + j * LANES;
        if (IS_1X1) {
            start[j] = pixel[j] < n_pixels ? src_start + pixel[j] * in_quads : OUTSIDE;
        } else {
            const ivec2 at = pixel_position(pixel[j], out_w);
            const ivec2 row = pixel_position(at.y, int(p.out_h)); // .y: the image
            x0[j] = at.x * int(p.stride_w) - int(p.pad_w);
            y0[j] = row.x * int(p.stride_h) - int(p.pad_h);
            start[j] = ((row.y * in_h + y0[j]) * in_w + x0[j]) * in_quads;
        }
    }

    int at = block * int(p.weight_block) + point * int(p.weight_point) +
             int(gl_SubgroupInvocationID);
    start_with_bias(at);
    at += P / 4;

    const int end = at + n_steps * P;
    int quad = 0, kx = 0, ky = 0, tap = 0; // tap: quads from a window's first pixel to this one
    for (; at < end; at += P) {
        vec4 weights[P / LANES], x[NB];
        UNROLL for (int r = 0; r < P / LANES; r++)
            weights[r] = LOAD4(weight, at + r * LANES);
        if (IS_1X1) {
            UNROLL for (int j = 0; j < NB; j++)
                x[j] = LOAD4(src, start[j] + quad);
            quad++;
        } else {
            UNROLL for (int j = 0; j < NB; j++) {
                const bool inside = uint(x0[j] + kx) < p.in_w && uint(y0[j] + ky) < p.in_h;
                x[j] = LOAD4(src, inside ? start[j] + tap + quad : OUTSIDE);
            }
            const bool next_tap = ++quad == c_quads;
            quad = next_tap ? 0 : quad;
            kx += next_tap ? 1 : 0;
            tap += next_tap ? in_quads : 0;
            const bool next_row = kx == kernel_w;
            kx = next_row ? 0 : kx;
            ky += next_row ? 1 : 0;
            tap += next_row ? (in_w - kernel_w) * in_quads : 0;
        }
        add_products(weights, x);
    }

    const int octs_left = int(p.c_out) / 8 - block * (P / 8);
    UNROLL for (int j = 0; j < NB; j++)
        if (pixel[j] < n_pixels)
            store_pixel(j, point * n_pixels + pixel[j], block * (P / 8), octs_left);
}
