// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// winograd_output.comp - products at Winograd's 36 points -> act (outputs + bias).
//   src     [36, c, 1, tiles]
//   weight  WINOGRAD<P> of engine/plan/pack.h: its biases
//   dst     [n, c, h, w]
// One invocation: one tile of 4 x 4 outputs x 8 channels.
// Reference: engine/ref/winograd.c; test: tests/ops/test-conv.c.

#include "tensor.glsl"
#include "act.glsl"
#include "winograd.glsl"

layout(push_constant, std430) uniform Push { YvWinogradParams p; };
YV_SOURCE(0, src);
YV_SOURCE(2, weight);

void transform(int at, int next_point, vec4 bias, out vec4 outputs[16])
{
    vec4 columns[6][4];

    UNROLL for (int j = 0; j < 6; j++) {
        vec4 m[6];
        UNROLL for (int i = 0; i < 6; i++)
            m[i] = LOAD4(src, at + (i * 6 + j) * next_point);
        columns[j] = from_points(m);
    }
    UNROLL for (int y = 0; y < 4; y++) {
        const vec4 row[4] = from_points(vec4[6](columns[0][y], columns[1][y], columns[2][y],
                                                columns[3][y], columns[4][y], columns[5][y]));
        UNROLL for (int x = 0; x < 4; x++)
            outputs[y * 4 + x] = activate(row[x] + bias, p.slope);
    }
}

void main()
{
    const int octs = int(p.channels) / 8;
    const ivec2 at = pixel_position(int(unfolded_invocation_x()), octs); // (oct, tile)
    const ivec2 in_batch = pixel_position(at.y + int(p.first_tile), int(p.tiles_w * p.tiles_h));
    const ivec2 tile = pixel_position(in_batch.x, int(p.tiles_w));
    const int x0 = tile.x * 4, y0 = tile.y * 4;
    const int next_point = int(p.n_tiles) * octs * 2;
    const int quad = (at.y * octs + at.x) * 2;
    const int bias = int((at.x * 8 / p.block_channels) * p.weight_block + p.weight_bias +
                         at.x * 8 % p.block_channels / 4);
    vec4 a[16], b[16];

    if (uint(at.y) >= p.n_tiles)
        return;
    transform(quad, next_point, LOAD4(weight, bias), a);
    transform(quad + 1, next_point, LOAD4(weight, bias + 1), b);
    UNROLL for (int i = 0; i < 16; i++) {
        const int x = x0 + i % 4, y = y0 + i / 4;
        const int pixel = (in_batch.y * int(p.h) + y) * int(p.w) + x;
        if (uint(x) < p.w && uint(y) < p.h)
            STORE8(dst, pixel * int(p.cstride / 8) + at.x, a[i], b[i]);
    }
}
