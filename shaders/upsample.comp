// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// upsample.comp - nearest neighbour: dst[y, x] = src[y / factor, x / factor].
//   src  [n, c, in_h, in_w]
//   dst  [n, c, in_h * factor, in_w * factor]
// One invocation reads one input pixel x 8 channels and writes its factor x factor copies:
// x = input pixel, y = oct of channels, z = image.
// Reference: engine/ref/move.c; test: tests/ops/test-upsample.c.

#include "tensor.glsl"

layout(push_constant, std430) uniform Push { YvResampleParams p; };
YV_SOURCE(0, src);

void main()
{
    const int in_w = int(p.in_w), out_w = int(p.out_w), factor = int(p.factor);
    const int n_pixels = in_w * int(p.in_h);
    const int pixel = int(unfolded_invocation_x());
    const int oct = int(gl_WorkGroupID.y);
    const int image = int(image_index());

    if (pixel >= n_pixels)
        return;

    const int quads = int(p.in_cstride) / 4;
    const int quad = (image * n_pixels + pixel) * quads + oct * 2;
    const int next = quads > 1 ? 1 : 0; // the network's input has a single quad
    const vec4 a = LOAD4(src, quad), b = LOAD4(src, quad + next);
    const ivec2 first = pixel_position(pixel, in_w) * factor;
    const int start = (image * int(p.out_h) + first.y) * out_w + first.x;

    for (int y = 0; y < factor; y++)
        for (int x = 0; x < factor; x++)
            STORE8(dst, (start + y * out_w + x) * (int(p.out_cstride) / 8) + oct, a, b);
}
