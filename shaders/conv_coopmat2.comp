// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_NV_cooperative_matrix2 : require

// conv_coopmat2.comp - convolution by the matrices of a whole workgroup: dst = act (weight * src +
// bias), as an implicit matrix product, pixels x channels, summed over K = taps x input channels.
//   src     f16 [n, c_in, in_h, in_w]
//   weight  COOPMAT2 of engine/plan/pack.h
//   dst     [n, c_out, out_h, out_w]
// A workgroup makes a tile of TILE_H x TILE_W pixels of an image x TILE_CHANNELS, all sums in fp32.
// What it loads and stores are slices of tensors (slices.h); the driver finds the elements, reads
// zeros outside of the picture, and takes data through shared memory as it likes. Groups: x = tile
// of channels, y = tile of pixels, z = part of K (params.h). engine/ops/coopmat2.c chooses.
// Reference: engine/ref/conv.c; test: tests/ops/test-conv.c on a device that has it, which none of
// ours has: this shader has never run. tests/unit/test-slices.c carries its slices out on the host.
// Debian 12 cannot compile this file, so its SPIR-V is in spirv/: run scripts/update-spirv.sh after
// each change.

#include "tensor.glsl"
#include "act.glsl"
#include "slices.h"

layout(constant_id = 2) const bool DST_F32 = false;
layout(constant_id = 3) const bool IS_1X1 = false; // kernel 1, stride 1, no padding
layout(constant_id = 5) const uint TILE_H = 8;
layout(constant_id = 6) const uint TILE_W = 16;
layout(constant_id = 7) const uint TILE_CHANNELS = 128;
layout(constant_id = 8) const uint K_STEP = 64; // input channels of a tap in a step

layout(push_constant, std430) uniform Push { YvConvParams p; };

layout(buffer_reference, std430, buffer_reference_align = 16) buffer Halfs { float16_t at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Floats { float at[]; };

const uint TILE_PIXELS = TILE_H * TILE_W;

#define Sums coopmat<float, gl_ScopeWorkgroup, TILE_PIXELS, TILE_CHANNELS, gl_MatrixUseAccumulator>
#define Halves \
    coopmat<float16_t, gl_ScopeWorkgroup, TILE_PIXELS, TILE_CHANNELS, gl_MatrixUseAccumulator>
#define Source coopmat<float16_t, gl_ScopeWorkgroup, TILE_PIXELS, K_STEP, gl_MatrixUseA>
#define Weights coopmat<float16_t, gl_ScopeWorkgroup, K_STEP, TILE_CHANNELS, gl_MatrixUseB>
#define Tensor3 tensorLayoutNV<3, gl_CooperativeMatrixClampModeConstantNV>
#define Tensor2 tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV>

// Elements of all operands come in whole octs. The driver cannot know that, and loads 16 bytes at
// once only where it does.
uint whole_octs(uint n_elems)
{
    return n_elems & ~7u;
}

Tensor3 tensor_of(YvSlice s, uint n_channels)
{
    Tensor3 tensor = createTensorLayoutNV(3, gl_CooperativeMatrixClampModeConstantNV);

    tensor = setTensorLayoutDimensionNV(tensor, s.h, s.w, whole_octs(s.c));
    tensor = setTensorLayoutStrideNV(tensor, whole_octs(s.y_stride), whole_octs(s.x_stride), 1);
    return sliceTensorLayoutNV(tensor, s.y, TILE_H, s.x, TILE_W, int(s.channel), n_channels);
}

// Of all of the tile's channels and K_STEP of K; columns of the matrix that they become.
Tensor2 weights_of(YvSlice s)
{
    Tensor2 tensor = createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);

    tensor = setTensorLayoutDimensionNV(tensor, s.h, s.c);
    return sliceTensorLayoutNV(tensor, s.y, TILE_CHANNELS, int(s.channel), K_STEP);
}

// Of one element of the tile. Behind the last channel nothing is stored, but the bias must be read
// somewhere.
float finish(const in uint32_t row, const in uint32_t column, const in float sum,
             const in uint32_t first_channel, const in uint32_t part)
{
    const uint channel = min(first_channel + column, p.c_out - 1);
    const float bias = part == 0 ? Floats(p.weight).at[channel] : 0.0;
    const float v = activate(vec4(sum + bias), p.slope).x;
    return DST_F32 ? v : clamp(v, -MAX_HALF, MAX_HALF);
}

void main()
{
    YvConvParams q = p;
    if (IS_1X1)
        q = yv_flattened(p);
    const uint index = unfolded_group_y(), part = image_index();
    const uint n_parts = gl_NumWorkGroups.z / FOLDS;
    const YvPixelTile tile = yv_pixel_tile(q, index, TILE_H, TILE_W);
    const uint first_channel = gl_WorkGroupID.x * TILE_CHANNELS;
    const uint n_steps = yv_n_k_steps(q, K_STEP);
    const uint end_step = n_steps * (part + 1) / n_parts;

    if (tile.image >= q.n_images) // the last fold may have tiles too many
        return;

    const tensorViewNV<2, false, 1, 0> transposed = createTensorViewNV(2, false, 1, 0);

    Sums sums = Sums(0.0);
    for (uint step = n_steps * part / n_parts; step < end_step; step++) {
        const YvSlice s = yv_src_slice(q, tile, step, K_STEP);
        const YvSlice w = yv_weight_slice(q, step, K_STEP, first_channel);
        Source src;
        Weights weight;

        coopMatLoadTensorNV(src, Halfs(p.src).at, whole_octs(s.start), tensor_of(s, K_STEP));
        coopMatLoadTensorNV(weight, Halfs(p.weight).at, w.start, weights_of(w), transposed);
        sums = coopMatMulAdd(src, weight, sums);
    }
    coopMatPerElementNV(sums, sums, finish, first_channel, part);

    const YvSlice s = yv_dst_slice(q, tile, part, first_channel);
    const uint start = whole_octs(s.start);
    if (DST_F32)
        coopMatStoreTensorNV(sums, Floats(p.dst).at, start, tensor_of(s, TILE_CHANNELS));
    else
        coopMatStoreTensorNV(Halves(sums), Halfs(p.dst).at, start, tensor_of(s, TILE_CHANNELS));
}
