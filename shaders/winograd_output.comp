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
#include "winograd.glsl"

layout(push_constant, std430) uniform Push { YvWinogradParams p; };
YV_SOURCE(0, src);
YV_SOURCE(2, weight);

#include "epilogue.glsl"

void transform(int at, int next_point, vec4 bias, out vec4 outputs[TILE * TILE])
{
    vec4 columns[WINDOW][TILE];

    UNROLL for (int j = 0; j < WINDOW; j++) {
        vec4 m[WINDOW];
        UNROLL for (int i = 0; i < WINDOW; i++)
            m[i] = LOAD4(src, at + (i * WINDOW + j) * next_point);
        columns[j] = from_points(m);
    }
    UNROLL for (int y = 0; y < TILE; y++) {
        const vec4 row[TILE] =
            from_points(vec4[WINDOW](columns[0][y], columns[1][y], columns[2][y], columns[3][y],
                                     columns[4][y], columns[5][y]));
        UNROLL for (int x = 0; x < TILE; x++)
            outputs[y * TILE + x] = row[x] + bias;
    }
}

void main()
{
    const int octs = int(p.channels) / 8;
    const ivec2 at = pixel_position(int(unfolded_invocation_x()), octs); // (oct, tile)
    const ivec2 in_batch = pixel_position(at.y + int(p.first_tile), int(p.tiles_w * p.tiles_h));
    const ivec2 tile = pixel_position(in_batch.x, int(p.tiles_w));
    const int x0 = tile.x * TILE, y0 = tile.y * TILE;
    const int next_tile = int(p.point_cstride) / 4, next_point = int(p.n_tiles) * next_tile;
    const int quad = at.y * next_tile + at.x * 2;
    const int bias = int((at.x * 8 / p.block_channels) * p.weight_block + p.weight_bias +
                         at.x * 8 % p.block_channels / 4);
    vec4 a[TILE * TILE], b[TILE * TILE];

    if (uint(at.y) >= p.n_tiles)
        return;
    transform(quad, next_point, LOAD4(weight, bias), a);
    transform(quad + 1, next_point, LOAD4(weight, bias + 1), b);
    UNROLL for (int i = 0; i < TILE * TILE; i++) {
        const int x = x0 + i % TILE, y = y0 + i / TILE;
        const int pixel = (in_batch.y * int(p.h) + y) * int(p.w) + x;
        if (uint(x) < p.w && uint(y) < p.h)
            store8(pixel, int(p.w), int(p.cstride / 8), at.x, a[i], b[i]);
    }
}
