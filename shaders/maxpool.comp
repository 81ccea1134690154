// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// maxpool.comp - dst[y, x] = max of src over the kernel x kernel window at (y, x) * stride - pad;
// what lies outside the image takes no part.
//   src  [n, c, in_h, in_w]
//   dst  [n, c, out_h, out_w]
// One invocation makes one output pixel x 8 channels: x = pixel, y = oct of channels, z = image.
// Reference: engine/ref/maxpool.c; test: tests/ops/test-maxpool.c.

#include "tensor.glsl"

layout(push_constant, std430) uniform Push { YvResampleParams p; };
YV_SOURCE(0, src);

void main()
{
    const int in_w = int(p.in_w), in_h = int(p.in_h), out_w = int(p.out_w);
    const int n_pixels = out_w * int(p.out_h);
    const int pixel = int(unfolded_invocation_x());
    const int oct = int(gl_WorkGroupID.y);
    const int image = int(image_index());
    const int quads = int(p.in_cstride) / 4;

    if (pixel >= n_pixels)
        return;

    // The window is cut rather than tested: pixels at the border count more than once.
    const ivec2 corner = pixel_position(pixel, out_w) * int(p.stride) - int(p.pad);
    const ivec2 border = ivec2(in_w, in_h) - 1;
    const ivec2 first = max(corner, 0);
    const ivec2 last = clamp(corner + int(p.kernel) - 1, ivec2(0), border);
    const int start = image * in_w * in_h * quads + oct * 2;
    const int next = quads > 1 ? 1 : 0; // the network's input has a single quad

    vec4 a = vec4(0.0), b = vec4(0.0);
    for (int ky = 0; ky < int(p.kernel); ky++) {
        const int row = start + min(first.y + ky, last.y) * in_w * quads;
        for (int kx = 0; kx < int(p.kernel); kx++) {
            const int quad = row + min(first.x + kx, last.x) * quads;
            const vec4 c = LOAD4(src, quad), d = LOAD4(src, quad + next);
            a = ky + kx == 0 ? c : max(a, c);
            b = ky + kx == 0 ? d : max(b, d);
        }
    }
    STORE8(dst, (image * n_pixels + pixel) * (int(p.out_cstride) / 8) + oct, a, b);
}
