// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// conv_sum.comp - the end of a convolution that was summed in parts of K: dst = act (sum of src).
//   src  f32 [parts, c_out, 1, pixels]; the bias is in the first part
//   dst  [n, c_out, out_h, out_w]
// Parts are added in their order, whoever was ready first: the same result every time.
// One invocation: one pixel x 8 channels; pixels count through all images.
// Reference: engine/ref/split.c; test: tests/ops/test-conv.c.

#include "tensor.glsl"
#include "act.glsl"

layout(constant_id = 2) const bool DST_F32 = false;

layout(push_constant, std430) uniform Push { YvConvSumParams p; };

void main()
{
    const ivec2 at = pixel_position(int(unfolded_invocation_x()), int(p.channels / 8));
    const uint oct = uint(at.x), pixel = uint(at.y);
    uint quad = pixel * (p.in_cstride / 4) + oct * 2;
    vec4 a = vec4(0.0), b = vec4(0.0);

    if (pixel >= p.n_pixels)
        return;
    for (uint part = 0; part < p.n_parts; part++) {
        a += Float4s(p.src).at[quad];
        b += Float4s(p.src).at[quad + 1];
        quad += p.n_pixels * (p.in_cstride / 4);
    }
    a = activate(a, p.slope);
    b = activate(b, p.slope);
    const uint dst_oct = pixel * (p.out_cstride / 8) + oct;
    if (DST_F32)
        STORE8_FLOAT(dst, dst_oct, a, b);
    else
        STORE8(dst, dst_oct, a, b);
}
