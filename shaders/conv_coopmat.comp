// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require

// conv_coopmat.comp - convolution by cooperative matrices: dst = act (weight * src + bias), as an
// implicit matrix product, pixels x channels, summed over K = taps x input channels.
//   src     f16 [n, c_in, in_h, in_w]
//   weight  COOPMAT of engine/plan/pack.h
//   dst     [n, c_out, out_h, out_w]
// A workgroup makes a tile of TILE_PIXELS x TILE_CHANNELS, each of its subgroups a part of it, all
// sums in fp32 fragments. Pixels count through all images, so small pictures of a batch fill tiles.
// Groups: x = tile of channels, y = tile of pixels, z = part of K (params.h). engine/ops/coopmat.c
// chooses the tile and the number of parts.
// Reference: engine/ref/conv.c; test: tests/ops/test-conv.c. Debian 12 cannot compile this file, so
// its SPIR-V is in spirv/: run scripts/update-spirv.sh after each change.
//
// Why it looks like this (reasoned for NVIDIA, and not yet measured on any GPU):
// * Loads are 16 bytes, 8 channels. Four invocations bring the 64 bytes that a pixel has in a step,
//   the weights are one stream. While a step is computed the next is on its way into registers, so
//   two stages of shared memory and one barrier a step are enough; where memory is short, one.
// * Rows in shared memory are 80 bytes apart: the 16-byte pieces of 8 rows that a fragment is made
//   of lie in all 32 banks. For stores to hit each bank once, too, 8 invocations take rows 0, 2, 4,
//   6 and two neighbouring pieces; global loads then still use whole sectors of 32 bytes.
// * With a part of 64 x 64 a subgroup reads 4 KB of shared memory for 2^16 products of a fragment
//   row of K = 16: 80 bytes a cycle at the rate of Hopper's mma.sync, of 128. 64 x 32 needs 120.
//   Its sums take 128 registers of an invocation, fragments 32, the loads on their way 32: below
//   255, two workgroups of 128 for each multiprocessor. Two stages of 128 x 128 take 40 KB of 48.
// * Fragments know no rows and columns, so bias and activation come when sums go through shared
//   memory, where also stores become 16 bytes. Rows there are 32 bytes longer than the part, which
//   spreads the pairs of sums that an invocation holds over all banks.
// * Channels go fastest through the groups: those that run at one time share their pixels.

#include "tensor.glsl"

layout(constant_id = 3) const uint SOURCE = YV_COOPMAT_OCTS;
layout(constant_id = 5) const uint M = 16; // of a fragment: pixels,
layout(constant_id = 6) const uint N = 16; // channels,
layout(constant_id = 7) const uint K = 16; // and products summed
layout(constant_id = 8) const uint TILE_PIXELS = 64;
layout(constant_id = 9) const uint TILE_CHANNELS = 64;
layout(constant_id = 10) const uint OWN_PIXELS = 32; // of the tile, a subgroup's part
layout(constant_id = 11) const uint OWN_CHANNELS = 32;
layout(constant_id = 12) const uint SUBGROUP = 32; // its invocations
layout(constant_id = 13) const uint STAGES = 2;    // 1 or 2 steps of K in shared memory

layout(push_constant, std430) uniform Push { YvConvParams p; };

#include "epilogue.glsl"

const uint UNROLLED = K < 16 ? K : YV_COOPMAT_K; // of K; lavapipe's 8 would compile for a minute

#define Fragment coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>
#define FragmentA coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA>
#define FragmentB coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB>

const uint ROW_OCTS = YV_COOPMAT_K / 8;
const uint ROW_STRIDE = ROW_OCTS + 1;
const uint SUBGROUPS_ACROSS = TILE_CHANNELS / OWN_CHANNELS;
const uint LOCAL = TILE_PIXELS / OWN_PIXELS * SUBGROUPS_ACROSS * SUBGROUP;
const uint ROWS_AT_ONCE = LOCAL / ROW_OCTS;
const uint SRC_LOADS = TILE_PIXELS / ROWS_AT_ONCE;
const uint WEIGHT_LOADS = TILE_CHANNELS / ROWS_AT_ONCE;
const uint BLOCK_OCTS = YV_TILE_CHANNELS * ROW_OCTS; // of the weight: one step of one block

// Shared memory: stages of [pixel][K] and [channel][K]; at the end sums, M rows of each subgroup.
const uint WEIGHT_START = TILE_PIXELS * ROW_STRIDE;
const uint STAGE = (TILE_PIXELS + TILE_CHANNELS) * ROW_STRIDE;
const uint SUM_STRIDE = OWN_CHANNELS / 4 + 2;
const uint SUMS = M * SUM_STRIDE;
const uint ALL_SUMS = LOCAL / SUBGROUP * SUMS;
shared uvec4 memory[STAGE * STAGES > ALL_SUMS ? STAGE * STAGES : ALL_SUMS];

// Which input channels of which tap an invocation brings next.
struct Walk {
    uint oct, kx, ky;
    int offset; // of the tap, in octs
};

void advance(inout Walk walk, uint n_octs, uint c_octs, int in_units)
{
    walk.oct += n_octs;
    if (SOURCE != YV_COOPMAT_OCTS)
        return;
    while (walk.oct >= c_octs) {
        walk.oct -= c_octs;
        walk.offset += in_units;
        if (++walk.kx == p.kernel_w) {
            walk.kx = 0;
            walk.ky++;
            walk.offset += (int(p.in_w) - int(p.kernel_w)) * in_units;
        }
    }
}

bool is_inside(ivec2 at)
{
    return uint(at.x) < p.in_w && uint(at.y) < p.in_h;
}

// Two taps of 4 channels each. Behind the last one the weights are zero whatever is loaded.
uvec4 load_taps(ivec2 corner, int start, uint first_tap, int in_quads)
{
    uvec4 taps = uvec4(0);

    UNROLL for (uint i = 0; i < 2; i++) {
        const uint tap = first_tap + i;
        const ivec2 at = ivec2(tap % p.kernel_w, tap / p.kernel_w);
        if (is_inside(corner + at)) {
            const uvec2 quad = Half4s(p.src).at[start + (at.y * int(p.in_w) + at.x) * in_quads];
            if (i == 0)
                taps.xy = quad;
            else
                taps.zw = quad;
        }
    }
    return taps;
}

uvec4 load_src(Walk walk, ivec2 corner, int start, uint c_octs, int in_units)
{
    if (SOURCE == YV_COOPMAT_QUADS)
        return load_taps(corner, start, walk.oct * 2, in_units);
    const bool inside = SOURCE == YV_COOPMAT_1X1
                            ? start >= 0 && walk.oct < c_octs
                            : is_inside(corner + ivec2(walk.kx, walk.ky));
    return inside ? Half8s(p.src).at[start + walk.offset + int(walk.oct)] : uvec4(0);
}

vec4 load_bias(uint part, uint quad)
{
    return part == 0 ? Float4s(p.weight).at[quad] : vec4(0.0);
}

void main()
{
    const uint id = gl_LocalInvocationIndex;
    const uint n_image_pixels = p.out_w * p.out_h;
    const uint n_pixels = p.n_images * n_image_pixels;
    const uint first_pixel = unfolded_group_y() * TILE_PIXELS;
    const uint first_channel = gl_WorkGroupID.x * TILE_CHANNELS;
    const uint c_octs = p.c_in / 8;
    const int in_units = int(p.in_cstride) / (SOURCE == YV_COOPMAT_QUADS ? 4 : 8);
    const uint all_steps = (p.kernel_w * p.kernel_h * p.c_in + YV_COOPMAT_K - 1) / YV_COOPMAT_K;
    const uint part = image_index(), n_parts = gl_NumWorkGroups.z / FOLDS;
    const uint first_step = all_steps * part / n_parts;
    const uint n_steps = all_steps * (part + 1) / n_parts - first_step;

    // Loading: 32 invocations bring 8 rows.
    const uint load_row = id / 32 * 8 + (id / 2 % 4 * 2 + id / 8 % 2);
    const uint load_oct = id % 2 + id / 16 % 2 * 2;
    ivec2 corner[SRC_LOADS];
    int start[SRC_LOADS];
    UNROLL for (uint i = 0; i < SRC_LOADS; i++) {
        const uint pixel = first_pixel + load_row + i * ROWS_AT_ONCE;
        const ivec2 in_image = pixel_position(int(pixel), int(n_image_pixels));
        const ivec2 stride = ivec2(p.stride_w, p.stride_h);
        const ivec2 at = pixel_position(in_image.x, int(p.out_w)) * stride -
                         ivec2(p.pad_w, p.pad_h);

        corner[i] = pixel < n_pixels ? at : ivec2(-0x10000000);
        start[i] = (in_image.y * int(p.in_h * p.in_w) + at.y * int(p.in_w) + at.x) * in_units;
        if (SOURCE == YV_COOPMAT_1X1 && pixel >= n_pixels)
            start[i] = -1;
    }
    Walk walk = Walk(0, 0, 0, 0);
    advance(walk, first_step * ROW_OCTS + load_oct, c_octs, in_units);

    const uint n_blocks = (p.c_out + YV_TILE_CHANNELS - 1) / YV_TILE_CHANNELS;
    uint weight_at[WEIGHT_LOADS];
    UNROLL for (uint i = 0; i < WEIGHT_LOADS; i++) {
        const uint channel = first_channel + load_row + i * ROWS_AT_ONCE;
        const uint block = min(channel / YV_TILE_CHANNELS, n_blocks - 1);
        weight_at[i] = n_blocks * (YV_TILE_CHANNELS / 4) +
                       (block * all_steps + first_step) * BLOCK_OCTS +
                       channel % YV_TILE_CHANNELS * ROW_OCTS + load_oct;
    }
    const uint put_at = load_row * ROW_STRIDE + load_oct;

    // Computing: where this subgroup's part of the tile is.
    const uint own_pixel = gl_SubgroupID / SUBGROUPS_ACROSS * OWN_PIXELS;
    const uint own_channel = gl_SubgroupID % SUBGROUPS_ACROSS * OWN_CHANNELS;
    Fragment sums[OWN_PIXELS / M][OWN_CHANNELS / N];
    UNROLL for (uint i = 0; i < OWN_PIXELS / M; i++)
        UNROLL for (uint j = 0; j < OWN_CHANNELS / N; j++)
            sums[i][j] = Fragment(0.0);

    uvec4 src[SRC_LOADS], weight[WEIGHT_LOADS];
    for (uint step = 0; step <= n_steps; step++) {
        if (step < n_steps) {
            UNROLL for (uint i = 0; i < SRC_LOADS; i++)
                src[i] = load_src(walk, corner[i], start[i], c_octs, in_units);
            UNROLL for (uint i = 0; i < WEIGHT_LOADS; i++)
                weight[i] = Half8s(p.weight).at[weight_at[i] + step * BLOCK_OCTS];
            advance(walk, ROW_OCTS, c_octs, in_units);
        }

        if (step > 0) { // what was stored in the last round
            for (uint first_k = 0; first_k < YV_COOPMAT_K; first_k += UNROLLED) {
                UNROLL for (uint k = first_k; k < first_k + UNROLLED; k += K) {
                    const uint at = (step - 1) % STAGES * STAGE + k / 8;
                    FragmentA a[OWN_PIXELS / M];
                    UNROLL for (uint i = 0; i < OWN_PIXELS / M; i++)
                        coopMatLoad(a[i], memory, at + (own_pixel + i * M) * ROW_STRIDE,
                                    ROW_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
                    UNROLL for (uint j = 0; j < OWN_CHANNELS / N; j++) {
                        FragmentB b;
                        coopMatLoad(b, memory,
                                    at + WEIGHT_START + (own_channel + j * N) * ROW_STRIDE,
                                    ROW_STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
                        UNROLL for (uint i = 0; i < OWN_PIXELS / M; i++)
                            sums[i][j] = coopMatMulAdd(a[i], b, sums[i][j]);
                    }
                }
            }
        }
        if (STAGES == 1)
            barrier();
        if (step < n_steps) {
            const uint stage = step % STAGES * STAGE + put_at;
            UNROLL for (uint i = 0; i < SRC_LOADS; i++)
                memory[stage + i * ROWS_AT_ONCE * ROW_STRIDE] = src[i];
            UNROLL for (uint i = 0; i < WEIGHT_LOADS; i++)
                memory[stage + WEIGHT_START + i * ROWS_AT_ONCE * ROW_STRIDE] = weight[i];
        }
        barrier();
    }

    const uint sums_at = gl_SubgroupID * SUMS;
    UNROLL for (uint i = 0; i < OWN_PIXELS / M; i++) {
        UNROLL for (uint j = 0; j < OWN_CHANNELS / N; j++)
            coopMatStore(sums[i][j], memory, sums_at + j * (N / 4), SUM_STRIDE,
                         gl_CooperativeMatrixLayoutRowMajor);
        barrier();
        for (uint o = gl_SubgroupInvocationID; o < M * OWN_CHANNELS / 8; o += SUBGROUP) {
            const uint row = o / (OWN_CHANNELS / 8), oct = o % (OWN_CHANNELS / 8);
            const uint pixel = first_pixel + own_pixel + i * M + row;
            const uint channel = first_channel + own_channel + oct * 8;
            if (pixel < n_pixels && channel < p.c_out) {
                const uint at = sums_at + row * SUM_STRIDE + oct * 2;
                const vec4 low = uintBitsToFloat(memory[at]) + load_bias(part, channel / 4);
                const vec4 high =
                    uintBitsToFloat(memory[at + 1]) + load_bias(part, channel / 4 + 1);
                store8(int(part * n_pixels + pixel), int(p.out_w), int(p.out_cstride / 8),
                       int(channel / 8), low, high);
            }
        }
        barrier();
    }
}
