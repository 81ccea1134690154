// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// letterbox.comp - a camera's picture -> the network's input: scaled, padded with grey, RGB / 255.
//   pixels  bytes of the picture as YvFrameParams tells
//   dst     [1, 4, net_h, net_w], the fourth channel 0
// One invocation makes one pixel.
// Reference: engine/ref/letterbox.c; test: tests/ops/test-letterbox.c.

#include "tensor.glsl"

layout(push_constant, std430) uniform Push { YvLetterboxParams p; };
YV_SOURCE_AS(0, pixels, uimageBuffer, r16ui);

#include "letterbox.glsl"

void main()
{
    // All of it here: behind a branch lavapipe would load it for each lane.
    const YvFrameParams frame = Frame(p.frame).frame;
    const int pixel = int(unfolded_invocation_x());
    const vec3 colour = letterbox(frame, pixel_position(pixel, int(p.net_w)));

    if (pixel < int(p.net_w * p.net_h))
        STORE4(dst, pixel, vec4(colour, 0.0));
}
