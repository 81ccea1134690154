// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require
#ifdef YV_F16
#extension GL_EXT_shader_16bit_storage : require
#endif

// copy.comp - dst = src: what is left of a concat whose input could not be written in place.
//   src, dst  [n, c, h, w]
// One invocation copies one pixel x 8 channels: x = pixel, y = oct of channels, z = image.
// Reference: engine/ref/move.c; test: tests/ops/test-copy.c.

#include "tensor.glsl"

layout(constant_id = 1) const bool ALIGNED = true;

layout(push_constant, std430) uniform Push { YvResampleParams p; };
YV_SOURCE(0, src);

#ifndef YV_TEXEL
#ifdef YV_F16
layout(buffer_reference, std430, buffer_reference_align = 2) buffer Elements { uint16_t at[]; };
#else
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Elements { uint at[]; };
#endif

void copy_one_by_one(uint from, uint to, uint first_channel)
{
    const uint last_channel = min(first_channel + 8, p.channels);

    for (uint c = first_channel; c < last_channel; c++)
        Elements(p.dst).at[to + c] = Elements(p.src).at[from + c];
}
#endif

void main()
{
    const uint n_pixels = p.out_w * p.out_h;
    const uint oct = gl_WorkGroupID.y;
    const uint own = unfolded_invocation_x();
    const uint pixel = image_index() * n_pixels + own;

    if (own >= n_pixels)
        return;

#ifndef YV_TEXEL
    if (!ALIGNED) {
        copy_one_by_one(pixel * p.in_cstride, pixel * p.out_cstride, oct * 8);
        return;
    }
#endif
    const uint quad = pixel * (p.in_cstride / 4) + oct * 2;
    STORE8(dst, pixel * (p.out_cstride / 8) + oct, LOAD4(src, quad), LOAD4(src, quad + 1));
}
