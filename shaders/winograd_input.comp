// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// winograd_input.comp - windows of a picture -> their values at Winograd's 36 points.
//   src  [n, c, h, w]
//   dst  [36, c, 1, tiles]
// One invocation: one tile (4 x 4 outputs, a window of 6 x 6) x 8 channels. Neighbouring lanes are
// neighbouring channels, so that what they write is one piece.
// Reference: engine/ref/winograd.c; test: tests/ops/test-conv.c.

#include "tensor.glsl"
#include "winograd.glsl"

layout(push_constant, std430) uniform Push { YvWinogradParams p; };
YV_SOURCE(0, src);

void transform(int x0, int y0, int first, int quad, out vec4 points[YV_WINOGRAD_POINTS])
{
    vec4 columns[WINDOW][WINDOW];

    UNROLL for (int x = 0; x < WINDOW; x++) {
        vec4 d[WINDOW];
        const bool inside = uint(x0 + x) < p.w;
        UNROLL for (int y = 0; y < WINDOW; y++) {
            const int pixel = (y0 + y) * int(p.w) + x0 + x;
            d[y] = LOAD4(src, inside && uint(y0 + y) < p.h
                                  ? (first + pixel) * int(p.cstride / 4) + quad
                                  : OUTSIDE);
        }
        columns[x] = to_points(d);
    }
    UNROLL for (int i = 0; i < WINDOW; i++) {
        const vec4 row[WINDOW] =
            to_points(vec4[WINDOW](columns[0][i], columns[1][i], columns[2][i], columns[3][i],
                                   columns[4][i], columns[5][i]));
        UNROLL for (int j = 0; j < WINDOW; j++)
            points[i * WINDOW + j] = row[j];
    }
}

void main()
{
    const int octs = int(p.channels) / 8;
    const ivec2 at = pixel_position(int(unfolded_invocation_x()), octs); // (oct, tile)
    const ivec2 in_batch = pixel_position(at.y + int(p.first_tile), int(p.tiles_w * p.tiles_h));
    const ivec2 tile = pixel_position(in_batch.x, int(p.tiles_w));
    const int first = in_batch.y * int(p.w * p.h); // pixel of the image
    const int next_tile = int(p.point_cstride) / 8;
    vec4 a[YV_WINOGRAD_POINTS], b[YV_WINOGRAD_POINTS];

    if (uint(at.y) >= p.n_tiles)
        return;
    transform(tile.x * TILE - 1, tile.y * TILE - 1, first, at.x * 2, a);
    transform(tile.x * TILE - 1, tile.y * TILE - 1, first, at.x * 2 + 1, b);
    UNROLL for (int i = 0; i < YV_WINOGRAD_POINTS; i++)
        STORE8(dst, (i * int(p.n_tiles) + at.y) * next_tile + at.x, a[i], b[i]);
}
