// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// maxpool_pyramid.comp - the max-pools of 5, 9 and 13 that a spatial pyramid makes of one value:
// level l of dst[y, x] = max of src over the window of 4 l + 5 around (y, x), cut at the border.
//   src  [n, c, h, w]
//   dst  [n, 3 c, h, w], level after level, or with FALLING the last level first; c % 8 == 0
// A workgroup makes TILE x TILE pixels x 4 channels of all levels: x = tile, y = quad of channels,
// z = image. A level is the max over 5 x 5 of the one before, first along rows, then along columns,
// in shared memory; a level needs two pixels more around the tile than the next.
// Reference: engine/ref/maxpool.c; test: tests/ops/test-maxpool.c.

#include "tensor.glsl"

layout(constant_id = 1) const bool FALLING = false;

layout(push_constant, std430) uniform Push { YvResampleParams p; };

const int TILE = YV_PYRAMID_TILE;
const int LEVELS = YV_PYRAMID_LEVELS;
const int WINDOW = YV_PYRAMID_KERNEL;
const int HALO = LEVELS * (WINDOW / 2);
const int SIDE = TILE + 2 * HALO;

shared vec4 pixels[SIDE * SIDE], rows[SIDE * SIDE];

void main()
{
    const int w = int(p.in_w), h = int(p.in_h);
    const ivec2 tiles = (ivec2(w, h) + TILE - 1) / TILE;
    const ivec2 first = pixel_position(int(unfolded_group_x()), tiles.x) * TILE;
    const int image = int(image_index());
    const int quad = int(gl_WorkGroupID.y);
    const int id = int(gl_LocalInvocationIndex);

    // Pixels beside the image repeat its border, which changes no window that is cut there.
    for (int i = id; i < SIDE * SIDE; i += YV_PYRAMID_LOCAL) {
        const ivec2 at = clamp(first + ivec2(i % SIDE, i / SIDE) - HALO, ivec2(0), ivec2(w, h) - 1);
        pixels[i] = LOAD4(src, ((image * h + at.y) * w + at.x) * int(p.in_cstride / 4) + quad);
    }
    barrier();

    const int level_quads = int(p.channels) / 4;
    for (int level = 0; level < LEVELS; level++) {
        const int start = (level + 1) * (WINDOW / 2), side = SIDE - 2 * start;

        // Columns [start, start + side) of the rows that the level before left.
        const int n_rows = side + WINDOW - 1;
        for (int i = id; i < n_rows * side; i += YV_PYRAMID_LOCAL) {
            const int at = (start - WINDOW / 2 + i / side) * SIDE + start + i % side;
            vec4 best = pixels[at - WINDOW / 2];
            UNROLL for (int k = 1; k < WINDOW; k++)
                best = max(best, pixels[at - WINDOW / 2 + k]);
            rows[at] = best;
        }
        barrier();

        const int dst_quad = (FALLING ? LEVELS - 1 - level : level) * level_quads + quad;
        for (int i = id; i < side * side; i += YV_PYRAMID_LOCAL) {
            const ivec2 in_tile = ivec2(start + i % side, start + i / side);
            const int at = in_tile.y * SIDE + in_tile.x;
            vec4 best = rows[at - WINDOW / 2 * SIDE];
            UNROLL for (int k = 1; k < WINDOW; k++)
                best = max(best, rows[at + (k - WINDOW / 2) * SIDE]);
            pixels[at] = best;

            const ivec2 own = in_tile - HALO, pixel = first + own;
            if (all(greaterThanEqual(own, ivec2(0))) && all(lessThan(own, ivec2(TILE))) &&
                pixel.x < w && pixel.y < h)
                STORE4(dst, ((image * h + pixel.y) * w + pixel.x) * int(p.out_cstride / 4) +
                                dst_quad, best);
        }
        barrier();
    }
}
