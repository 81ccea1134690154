// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// letterbox.comp - a camera's picture -> the network's input: scaled, padded with grey, R G B / 255.
//   pixels  bytes of the picture as YvFrameParams tells
//   dst     [1, 4, net_h, net_w], the fourth channel 0
// One invocation makes one pixel. Reference: engine/ref/; test: tests/ops/test-letterbox.c.
//
// Full-size components are scaled to 8 bits exactly as OpenCV scales bytes bilinearly, which is
// what a network was trained on: weights of 11 bits, a horizontal pass without loss, a vertical
// pass that drops bits. Subsampled chroma is interpolated in float at the same place, then the
// colour matrix makes R G B and rounds them to bytes.

#include "tensor.glsl"

layout(push_constant, std430) uniform Push { YvLetterboxParams p; };
YV_SOURCE_AS(0, pixels, r8);

layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Frame {
    YvFrameParams frame;
};
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Words { uint at[]; };

const float GREY = 114.0;
const int ONE = 2048; // 1 in OpenCV's fixed-point weights

int load_byte(uint at)
{
#ifdef YV_TEXEL
    return int(LOAD4(pixels, at).x * 255.0 + 0.5);
#else
    return int(Words(p.pixels).at[at / 4] >> (at % 4 * 8) & 255);
#endif
}

// Where a destination column (or row) falls in the frame: between samples `first` and `second`.
struct Place {
    int first, second; // inside the frame
    int weight;        // of the second, in 1 / ONE
    float position;    // in samples, may lie outside by half a sample
};

// position = (at + 0.5) * frame / resized - 0.5, first as an exact fraction, then rounded to a
// float, because that is the type in which OpenCV takes the weight from it.
Place place(int at, int frame, int resized)
{
    const int numerator = (2 * at + 1) * frame - resized;
    const int denominator = 2 * resized;
    int whole = int(floor(float(numerator) / float(denominator)));
    whole += numerator - whole * denominator < 0 ? -1 : 0;
    whole += numerator - whole * denominator >= denominator ? 1 : 0;

    precise const float position =
        float(whole) + float(numerator - whole * denominator) / float(denominator);
    precise const float part = position - float(whole);
    return Place(clamp(whole, 0, frame - 1), clamp(whole + 1, 0, frame - 1),
                 int(roundEven(part * float(ONE))), position);
}

// The same for a subsampled component.
Place place_chroma(float position, uint shift, float offset, int frame)
{
    const int size = (frame + (1 << shift) - 1) >> shift;
    const float at = (position + 0.5) / float(1 << shift) - 0.5 + offset;
    const int whole = int(floor(at));

    return Place(clamp(whole, 0, size - 1), clamp(whole + 1, 0, size - 1), 0, at - float(whole));
}

ivec4 load_square(Frame from, uint i, Place x, Place y)
{
    const uint row0 = from.frame.offset[i] + uint(y.first) * from.frame.row_bytes[i];
    const uint row1 = from.frame.offset[i] + uint(y.second) * from.frame.row_bytes[i];
    const uint column0 = uint(x.first) * from.frame.pixel_bytes[i];
    const uint column1 = uint(x.second) * from.frame.pixel_bytes[i];

    return ivec4(load_byte(row0 + column0), load_byte(row0 + column1), load_byte(row1 + column0),
                 load_byte(row1 + column1));
}

// OpenCV's 8-bit bilinear interpolation.
int blend_exactly(ivec4 square, Place x, Place y)
{
    const int above = square.x * (ONE - x.weight) + square.y * x.weight;
    const int below = square.z * (ONE - x.weight) + square.w * x.weight;

    return (((ONE - y.weight) * (above >> 4) >> 16) + (y.weight * (below >> 4) >> 16) + 2) >> 2;
}

float blend(ivec4 square, float x, float y)
{
    return mix(mix(float(square.x), float(square.y), x), mix(float(square.z), float(square.w), x),
               y);
}

void main()
{
    Frame from = Frame(p.frame);
    const int pixel = int(gl_GlobalInvocationID.x);
    const ivec2 at = pixel_position(pixel, int(p.net_w));
    const int frame_w = int(from.frame.frame_w), frame_h = int(from.frame.frame_h);
    const ivec2 inside = at - ivec2(from.frame.left, from.frame.top);
    const ivec2 resized = ivec2(from.frame.resized_w, from.frame.resized_h);

    Place x = place(clamp(inside.x, 0, resized.x - 1), frame_w, resized.x);
    const Place y = place(clamp(inside.y, 0, resized.y - 1), frame_h, resized.y);
    // Beyond the first and last column OpenCV drops the weight; rows it merely repeats.
    x.weight = x.position < 0.0 || x.first == frame_w - 1 ? 0 : x.weight;

    vec3 colour;
    UNROLL for (uint i = 0; i < 3; i++) {
        const bool whole = from.frame.shift_x[i] + from.frame.shift_y[i] == 0;
        const Place cx = place_chroma(x.position, from.frame.shift_x[i], from.frame.chroma_x, frame_w);
        const Place cy = place_chroma(y.position, from.frame.shift_y[i], 0.0, frame_h);
        Place sx = x, sy = y;
        if (!whole) {
            sx = cx;
            sy = cy;
        }
        const ivec4 square = load_square(from, i, sx, sy);
        colour[i] = whole ? float(blend_exactly(square, x, y))
                          : blend(square, cx.position, cy.position);
    }

    if (from.frame.is_rgb == 0) {
        vec3 rgb;
        UNROLL for (uint i = 0; i < 3; i++)
            rgb[i] = dot(colour, vec3(from.frame.matrix[i * 4], from.frame.matrix[i * 4 + 1],
                                      from.frame.matrix[i * 4 + 2])) +
                     from.frame.matrix[i * 4 + 3];
        colour = clamp(floor(rgb + 0.5), 0.0, 255.0);
    }
    if (any(lessThan(inside, ivec2(0))) || any(greaterThanEqual(inside, resized)))
        colour = vec3(GREY);

    if (pixel < int(p.net_w * p.net_h))
        STORE4(dst, pixel, vec4(colour / 255.0, 0.0));
}
