// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// reorg.comp - space to depth by 2: dst[b * c + i, y, x] = src[i, 2y + b % 2, 2x + b / 2] for the
// blocks b = 0..3, so the row's parity toggles first.
//   src  [n, c, 2 * out_h, 2 * out_w]
//   dst  [n, 4 * c, out_h, out_w]
// One invocation makes one output pixel x 8 channels, channel by channel because c is 3 where this
// is used: x = pixel, y = oct of channels, z = image.
// Reference: engine/ref/move.c; test: tests/ops/test-reorg.c.

#include "tensor.glsl"

layout(push_constant, std430) uniform Push { YvResampleParams p; };
YV_SOURCE(0, src);

float load_channel(uint channel, uint first_pixel)
{
    const uint block = channel / p.channels;
    const uint pixel = first_pixel + block % 2 * (2 * p.out_w) + block / 2;
    const uint element = pixel * p.in_cstride + channel % p.channels;

    return block < 4 ? LOAD4(src, element / 4)[element % 4] : 0.0;
}

void main()
{
    const uint n_pixels = p.out_w * p.out_h;
    const uint pixel = unfolded_invocation_x();
    const uint oct = gl_WorkGroupID.y;
    const uint image = image_index();

    if (pixel >= n_pixels)
        return;

    const uvec2 at = uvec2(pixel_position(int(pixel), int(p.out_w)));
    const uint first_pixel = (image * 2 * p.out_h + 2 * at.y) * (2 * p.out_w) + 2 * at.x;
    float v[8];
    UNROLL for (uint i = 0; i < 8; i++)
        v[i] = load_channel(oct * 8 + i, first_pixel);

    STORE8(dst, (image * n_pixels + pixel) * (p.out_cstride / 8) + oct,
           vec4(v[0], v[1], v[2], v[3]), vec4(v[4], v[5], v[6], v[7]));
}
