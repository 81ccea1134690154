// SPDX-License-Identifier: LGPL-2.1-or-later
// tensor.glsl - how kernels read and write tensors; included first.
//
// One kernel source becomes four shaders:
//   YV_TEXEL  operands are texel buffers and a storage buffer (params.h tells the bindings): what
//             lavapipe turns into straight vector code. Otherwise they are device addresses.
//   YV_F16    elements are 16-bit floats in memory. Arithmetic is fp32 in any case.
//
// A "quad" is 4 channels of a pixel, an "oct" 8; indices count quads or octs from the operand's
// start. A quad below 0 or behind the operand reads as zeros in texel kernels only.
#ifndef YV_TENSOR_GLSL
#define YV_TENSOR_GLSL

#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_control_flow_attributes : require

#include "params.h"

layout(local_size_x_id = 0) in;

// Dimension z is images x FOLDS: where a device takes fewer workgroups in one dimension than there
// are blocks of pixels, the others follow in z (params.h). FOLDS is 1 in any usual case, and then
// nothing of this is left.
layout(constant_id = 4) const uint FOLDS = 1;

uint image_index()
{
    return gl_WorkGroupID.z / FOLDS;
}

uint fold_index()
{
    return FOLDS > 1 ? gl_WorkGroupID.z % FOLDS : 0;
}

// gl_WorkGroupID.x and .y, and gl_GlobalInvocationID.x, of whichever dimension is folded.
uint unfolded_group_x()
{
    return gl_WorkGroupID.x + fold_index() * gl_NumWorkGroups.x;
}

uint unfolded_group_y()
{
    return gl_WorkGroupID.y + fold_index() * gl_NumWorkGroups.y;
}

uint unfolded_invocation_x()
{
    return unfolded_group_x() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
}

#define UNROLL [[unroll]]

const float MAX_HALF = 65504.0;

// An overflow must not become infinite: the next layer would turn it into a NaN.
uvec2 pack_half4(vec4 v)
{
    v = clamp(v, -MAX_HALF, MAX_HALF);
    return uvec2(packHalf2x16(v.xy), packHalf2x16(v.zw));
}

vec4 unpack_half4(uvec2 h)
{
    return vec4(unpackHalf2x16(h.x), unpackHalf2x16(h.y));
}

#ifdef YV_TEXEL

#ifdef YV_F16
#define YV_TEXEL_FORMAT rgba16f
#else
#define YV_TEXEL_FORMAT rgba32f
#endif

// Declares source `name`, whose address would be p.name.
#define YV_SOURCE(slot, name) YV_SOURCE_AS(slot, name, imageBuffer, YV_TEXEL_FORMAT)
#define YV_SOURCE_AS(slot, name, type, format) \
    layout(set = 0, binding = slot, format) uniform readonly type tex_##name

#define LOAD4(name, quad) imageLoad(tex_##name, int(quad))
#define OUTSIDE (-0x10000000) // reads as zeros, even with all quads of a pixel added

// lavapipe runs a loop over the lanes for each store whatever its width, so a store is as wide as
// types allow: 8 floats as 4 doubles.
layout(set = 0, binding = 3, std430) writeonly buffer DstFloat8 { dvec4 dst_float8[]; };
layout(set = 0, binding = 3, std430) writeonly buffer DstFloat4 { dvec2 dst_float4[]; };
layout(set = 0, binding = 3, std430) writeonly buffer DstHalf8 { uvec4 dst_half8[]; };
layout(set = 0, binding = 3, std430) writeonly buffer DstHalf4 { uvec2 dst_half4[]; };

dvec2 as_doubles(vec4 v)
{
    const uvec4 bits = floatBitsToUint(v);
    return dvec2(packDouble2x32(bits.xy), packDouble2x32(bits.zw));
}

#define STORE8_FLOAT(name, oct, a, b) dst_float8[oct] = dvec4(as_doubles(a), as_doubles(b))
#define STORE8_HALF(name, oct, a, b) dst_half8[oct] = uvec4(pack_half4(a), pack_half4(b))
#define STORE4_FLOAT(name, quad, a) dst_float4[quad] = as_doubles(a)
#define STORE4_HALF(name, quad, a) dst_half4[quad] = pack_half4(a)

#else // addresses

layout(buffer_reference, std430, buffer_reference_align = 16) buffer Float4s { vec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) buffer Half4s { uvec2 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Half8s { uvec4 at[]; };

#define YV_SOURCE(slot, name)
#define YV_SOURCE_AS(slot, name, type, format)

#ifdef YV_F16
#define LOAD4(name, quad) unpack_half4(Half4s(p.name).at[quad])
#else
#define LOAD4(name, quad) Float4s(p.name).at[quad]
#endif

#define STORE8_FLOAT(name, oct, a, b) store8_float(p.name, oct, a, b)
#define STORE8_HALF(name, oct, a, b) \
    Half8s(p.name).at[oct] = uvec4(pack_half4(a), pack_half4(b))
#define STORE4_FLOAT(name, quad, a) Float4s(p.name).at[quad] = (a)
#define STORE4_HALF(name, quad, a) Half4s(p.name).at[quad] = pack_half4(a)

void store8_float(uvec2 address, uint oct, vec4 a, vec4 b)
{
    Float4s(address).at[oct * 2] = a;
    Float4s(address).at[oct * 2 + 1] = b;
}

#endif

#ifdef YV_F16
#define STORE8 STORE8_HALF
#define STORE4 STORE4_HALF
#else
#define STORE8 STORE8_FLOAT
#define STORE4 STORE4_FLOAT
#endif

// (x, y) of a pixel counted row by row. Integer division is slow on every device; the float
// quotient is off by one at most (below 2^22 rows), which the remainder shows.
ivec2 pixel_position(int pixel, int width)
{
    int y = int((float(pixel) + 0.5) / float(width));
    int x = pixel - y * width;

    y += x < 0 ? -1 : (x >= width ? 1 : 0);
    return ivec2(pixel - y * width, y);
}

#endif
