// SPDX-License-Identifier: LGPL-2.1-or-later
// letterbox.glsl - one pixel of the network's input from a camera's picture.
//
// Full-size components are scaled to 8 bits exactly as OpenCV scales bytes bilinearly, which is
// what upstream does: weights of 11 bits, a horizontal pass without loss, a vertical pass that
// drops bits; those of 10 bits are scaled by the same arithmetic to 10 bits. Subsampled chroma is
// interpolated in float at the same place, then the colour matrix makes R G B and rounds them to
// bytes, or of 10 bits not at all.
// The kernel's push block is p and has pixels, which is also its texel source, net_w and net_h as
// YvLetterboxParams of params.h.
#ifndef YV_LETTERBOX_GLSL
#define YV_LETTERBOX_GLSL

layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Frame {
    YvFrameParams frame;
};
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Words { uint at[]; };

const float GREY = 114.0;
const int ONE = 2048; // 1 in OpenCV's fixed-point weights

// No sample lies across two texels or words: those of two bytes are at even places.
int load_sample(YvFrameParams frame, uint at)
{
#ifdef YV_TEXEL
    const uint word = LOAD4(pixels, at / 2).x >> (at % 2 * 8);
#else
    const uint word = Words(p.pixels).at[at / 4] >> (at % 4 * 8);
#endif
    return int(word >> frame.low_bit & frame.sample_mask);
}

// Where an output column (or row) falls along a side of a component.
struct Place {
    int first, second; // samples to mix, inside the component
    int whole;         // its position is whole + part
    float part;        // 0..1
    ivec2 weights;     // of the samples, in 1 / ONE
};

// The position (at + 0.5) * size / resized - 0.5 as an exact fraction; the weights as OpenCV takes
// them from it, which holds the position in a float.
Place place(int at, int size, int resized)
{
    const int numerator = (2 * at + 1) * size - resized;
    const int denominator = 2 * resized;
    int whole = int(floor(float(numerator) / float(denominator)));
    whole += numerator < whole * denominator ? -1 : 0;
    whole += numerator >= (whole + 1) * denominator ? 1 : 0;

    const float part = float(numerator - whole * denominator) / float(denominator);
    precise const float position = float(whole) + part;
    precise const float rounded = position - float(whole);
    return Place(clamp(whole, 0, size - 1), clamp(whole + 1, 0, size - 1), whole, part,
                 ivec2(roundEven(vec2(1.0 - rounded, rounded) * float(ONE))));
}

// The same place in a component that is 2^shift times smaller: ((whole + part) + 0.5) / 2^shift -
// 0.5 + offset, split so that a large position does not cost bits of the part.
Place place_subsampled(Place full, uint shift, float offset, int full_size)
{
    const int size = (full_size + (1 << shift) - 1) >> shift;
    const int coarse = full.whole >> shift;
    const float rest = (float(full.whole - (coarse << shift)) + full.part + 0.5) /
                           float(1 << shift) - 0.5 + offset;
    const int whole = coarse + int(floor(rest));

    return Place(clamp(whole, 0, size - 1), clamp(whole + 1, 0, size - 1), whole,
                 rest - floor(rest), ivec2(0));
}

ivec4 load_square(YvFrameParams frame, uint i, Place x, Place y)
{
    const uint row0 = frame.offset[i] + uint(y.first) * frame.row_bytes[i];
    const uint row1 = frame.offset[i] + uint(y.second) * frame.row_bytes[i];
    const uint column0 = uint(x.first) * frame.pixel_bytes[i];
    const uint column1 = uint(x.second) * frame.pixel_bytes[i];

    return ivec4(load_sample(frame, row0 + column0), load_sample(frame, row0 + column1),
                 load_sample(frame, row1 + column0), load_sample(frame, row1 + column1));
}

int blend_exactly(ivec4 square, ivec2 x, ivec2 y)
{
    const int above = square.x * x[0] + square.y * x[1];
    const int below = square.z * x[0] + square.w * x[1];

    return ((y[0] * (above >> 4) >> 16) + (y[1] * (below >> 4) >> 16) + 2) >> 2;
}

float blend(ivec4 square, float x, float y)
{
    const vec2 rows = mix(vec2(square.xz), vec2(square.yw), x);

    return mix(rows[0], rows[1], y);
}

float scale(YvFrameParams frame, uint i, Place x, Place y)
{
    const uint shift_x = frame.shift_x[i], shift_y = frame.shift_y[i];
    const bool is_full = shift_x + shift_y == 0;
    const Place small_x =
        place_subsampled(x, shift_x, frame.chroma_x, int(frame.frame_w));
    const Place small_y = place_subsampled(y, shift_y, 0.0, int(frame.frame_h));
    // One load of either square: lavapipe would run both sides of a branch.
    Place sx = small_x, sy = small_y;
    sx.first = is_full ? x.first : sx.first;
    sx.second = is_full ? x.second : sx.second;
    sy.first = is_full ? y.first : sy.first;
    sy.second = is_full ? y.second : sy.second;
    const ivec4 square = load_square(frame, i, sx, sy);

    return is_full ? float(blend_exactly(square, x.weights, y.weights))
                   : blend(square, small_x.part, small_y.part);
}

vec3 apply_matrix(YvFrameParams frame, vec3 c)
{
    vec3 rgb;

    UNROLL for (uint i = 0; i < 3; i++)
        rgb[i] = frame.matrix[i * 4] * c.x + frame.matrix[i * 4 + 1] * c.y +
                 frame.matrix[i * 4 + 2] * c.z + frame.matrix[i * 4 + 3];
    rgb = clamp(rgb, 0.0, 255.0);
    return frame.is_deep != 0 ? rgb : roundEven(rgb);
}

// R G B from 0 to 1, at a position of the network's input.
vec3 letterbox(YvFrameParams frame, ivec2 position)
{
    const ivec2 resized = ivec2(frame.resized_w, frame.resized_h);
    const ivec2 corner = ivec2(frame.left, frame.top);
    const bool is_rgb = frame.is_rgb != 0;
    const ivec2 at = position - corner;
    const bool inside = all(greaterThanEqual(at, ivec2(0))) && all(lessThan(at, resized));

    const Place x = place(at.x, int(frame.frame_w), resized.x);
    const Place y = place(at.y, int(frame.frame_h), resized.y);
    vec3 colour;
    UNROLL for (uint i = 0; i < 3; i++)
        colour[i] = scale(frame, i, x, y);
    const vec3 rgb = apply_matrix(frame, colour);
    colour = is_rgb ? colour : rgb;
    return (inside ? colour : vec3(GREY)) / 255.0;
}

#endif
