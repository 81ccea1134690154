// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// eltwise.comp - dst = act ((src0 + src1) * scale + shift): a residual, a batch-norm or an
// activation that found no convolution to go into.
//   src0, src1, dst  [n, c, h, w]
//   weight           AFFINE of engine/plan/pack.h, f32 always
// One invocation makes one pixel x 8 channels: x = pixel of all images, y = oct of channels.
// Reference: engine/ref/eltwise.c; test: tests/ops/test-eltwise.c.

#include "tensor.glsl"
#include "act.glsl"

layout(constant_id = 2) const bool HAS_SRC1 = false;
layout(constant_id = 3) const bool HAS_SCALE = false;

layout(push_constant, std430) uniform Push { YvEltwiseParams p; };
YV_SOURCE(0, src0);
YV_SOURCE(1, src1);
YV_SOURCE_AS(2, weight, imageBuffer, rgba32f);

vec4 load_weight(uint quad)
{
#ifdef YV_TEXEL
    return LOAD4(weight, quad);
#else
    return Float4s(p.weight).at[quad];
#endif
}

vec4 compute(uint pixel, uint quad)
{
    // The network's input has a single quad, the octs of the others two.
    vec4 v = LOAD4(src0, pixel * (p.cstride0 / 4) + (p.cstride0 > 4 ? quad : 0));

    if (HAS_SRC1)
        v += LOAD4(src1, pixel * (p.cstride1 / 4) + (p.cstride1 > 4 ? quad : 0));
    if (HAS_SCALE)
        v = v * load_weight(quad) + load_weight((p.channels + 7) / 8 * 2 + quad);
    return activate(v, p.slope);
}

void main()
{
    const uint pixel = unfolded_invocation_x();
    const uint oct = gl_WorkGroupID.y;

    if (pixel >= p.n_pixels)
        return;

    const vec4 a = compute(pixel, oct * 2), b = compute(pixel, oct * 2 + 1);
    STORE8(dst, pixel * (p.out_cstride / 8) + oct, a, b);
}
