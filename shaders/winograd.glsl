// SPDX-License-Identifier: LGPL-2.1-or-later
// winograd.glsl - the one-dimensional transforms of Winograd's F(4, 3) (engine/winograd.h
// tells where they come from; engine/winograd.c transforms the weights).
#ifndef YV_WINOGRAD_GLSL
#define YV_WINOGRAD_GLSL

const int TILE = YV_WINOGRAD_TILE, WINDOW = YV_WINOGRAD_WINDOW;

// Of the points 0, A, -A, B, -B and infinity.
const float A = YV_WINOGRAD_A, B = YV_WINOGRAD_B;
const float A2 = A * A, B2 = B * B;

// The samples of a row (or column) -> its values at the points.
vec4[WINDOW] to_points(vec4 d[WINDOW])
{
    const vec4 even_a = d[4] - B2 * d[2], odd_a = A * (d[3] - B2 * d[1]);
    const vec4 even_b = d[4] - A2 * d[2], odd_b = B * (d[3] - A2 * d[1]);

    return vec4[WINDOW](A2 * B2 * d[0] - (A2 + B2) * d[2] + d[4], even_a + odd_a, even_a - odd_a,
                        even_b + odd_b, even_b - odd_b, A2 * B2 * d[1] - (A2 + B2) * d[3] + d[5]);
}

// The products at the points -> the outputs of the row (or column).
vec4[TILE] from_points(vec4 m[WINDOW])
{
    const vec4 even_a = m[1] + m[2], odd_a = A * (m[1] - m[2]);
    const vec4 even_b = m[3] + m[4], odd_b = B * (m[3] - m[4]);

    return vec4[TILE](m[0] + even_a + even_b, odd_a + odd_b, A2 * even_a + B2 * even_b,
                      A2 * odd_a + B2 * odd_b + m[5]);
}

#endif
