// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// head_tile.comp - a head for any GPU: the convolution of 1 x 1 that makes a level's logits, and
// the candidates among them (decode.comp tells the formulas), without storing a logit.
//   src     [n, c_in, grid_h, grid_w]
//   weight  HEAD of engine/plan/pack.h
//   dst     the candidate list of each image
// A workgroup of 128 sees 64 pixels of one anchor. First the objectness alone: where no pixel has
// an object, which is nearly everywhere in a real picture, there is no more to do. Else 32 channels
// of the anchor at a time, as conv_tile does it, an invocation 4 pixels x 4 channels, whose logits
// meet in shared memory. Groups: x = tile of pixels, y = anchor, z = image.
// Reference: yv_ref_head() in engine/ref/detect.c; test: tests/ops/test-decode.c.

#include "tensor.glsl"

layout(push_constant, std430) uniform Push { YvHeadParams p; };

#include "decode.glsl"

const uint LOCAL = YV_HEAD_LOCAL;
const uint PIXELS = YV_HEAD_PIXELS;
const uint CHANNELS = YV_HEAD_CHANNELS;
const uint COLUMNS = CHANNELS / 4;
const uint STEP = YV_TILE_K;
const uint PARTS = 8; // invocations that share the sum of an objectness

shared vec4 tile_src[STEP][PIXELS / 4];      // [k][pixel / 4]
shared vec4 tile_weight[STEP][CHANNELS / 4]; // [k][channel / 4]
shared float logits[PIXELS][CHANNELS + 1];   // one more, so that a column's banks differ
shared uint any_object;

// Where the parts of the packed weight start, in quads of its elements.
struct Weight {
    uint objectness, blocks, n_steps;
};

Weight find_weight(uint anchor, uint n_blocks)
{
    const uint n_steps = (p.c_in + STEP - 1) / STEP;
    const uint n_biases = p.n_anchors * n_blocks * COLUMNS;
#ifdef YV_F16
    const uint rows = n_biases * 2; // biases are f32
#else
    const uint rows = n_biases;
#endif
    return Weight(rows + anchor * n_steps * STEP / 4,
                  rows + p.n_anchors * n_steps * STEP / 4 +
                      anchor * n_blocks * n_steps * STEP * COLUMNS,
                  n_steps);
}

vec4 load_src(uint image, uint pixel, uint quad)
{
    const uint n_pixels = p.grid_w * p.grid_h;

    if (pixel >= n_pixels || quad >= p.c_in / 4)
        return vec4(0.0);
    return LOAD4(src, (image * n_pixels + pixel) * (p.cstride / 4) + quad);
}

// Neighbouring invocations sum neighbouring quads, so that loads are of whole cache lines.
void sum_objectness(uint image, uint first_pixel, uint at)
{
    const uint id = gl_LocalInvocationIndex, part = id % PARTS;

    for (uint pixel = id / PARTS; pixel < PIXELS; pixel += LOCAL / PARTS) {
        vec4 sums = vec4(0.0);
        for (uint quad = part; quad < p.c_in / 4; quad += PARTS)
            sums += load_src(image, first_pixel + pixel, quad) * LOAD4(weight, at + quad);
        logits[pixel][part] = (sums.x + sums.y) + (sums.z + sums.w);
    }
}

float objectness_of(uint pixel, float bias)
{
    float sum = bias;

    UNROLL for (uint part = 0; part < PARTS; part++)
        sum += logits[pixel][part];
    return sigmoid(sum);
}

// A block of channels of all pixels, into logits.
void compute_block(uint image, uint first_pixel, uint bias_quad, uint weight_quad, uint n_steps)
{
    const uint id = gl_LocalInvocationIndex;
    const uint load_pixel = id % PIXELS, load_quad = id / PIXELS * 2;
    const uint column = id % COLUMNS, row = id / COLUMNS;
    vec4 sums[4];
    UNROLL for (uint j = 0; j < 4; j++)
        sums[j] = Float4s(p.weight).at[bias_quad + column];

    vec4 src0 = load_src(image, first_pixel + load_pixel, load_quad);
    vec4 src1 = load_src(image, first_pixel + load_pixel, load_quad + 1);
    vec4 weights = LOAD4(weight, weight_quad + id);
    for (uint step = 0; step < n_steps; step++) {
        UNROLL for (uint e = 0; e < 4; e++) {
            tile_src[load_quad * 4 + e][load_pixel / 4][load_pixel % 4] = src0[e];
            tile_src[load_quad * 4 + 4 + e][load_pixel / 4][load_pixel % 4] = src1[e];
        }
        tile_weight[id / COLUMNS][column] = weights;
        barrier();

        if (step + 1 < n_steps) {
            const uint quad = (step + 1) * (STEP / 4) + load_quad;
            src0 = load_src(image, first_pixel + load_pixel, quad);
            src1 = load_src(image, first_pixel + load_pixel, quad + 1);
            weights = LOAD4(weight, weight_quad + (step + 1) * LOCAL + id);
        }

        UNROLL for (uint k = 0; k < STEP; k++) {
            const vec4 w = tile_weight[k][column];
            const vec4 x = tile_src[k][row];
            UNROLL for (uint j = 0; j < 4; j++)
                sums[j] += w * x[j];
        }
        barrier();
    }
    UNROLL for (uint j = 0; j < 4; j++)
        UNROLL for (uint e = 0; e < 4; e++)
            logits[row * 4 + j][column * 4 + e] = sums[j][e];
}

// A pixel with an object, and the best of its classes so far.
struct Row {
    uint image, index;
    float objectness, confidence;
    uint class_index;
    vec4 box;
};

void take_classes(inout Row row, uint pixel, uint first, uint end, uint first_class)
{
    const float threshold = Thresholds(p.thresholds).thresholds.confidence;
    const bool multi_label = Thresholds(p.thresholds).thresholds.multi_label != 0;

    for (uint k = first; k < end; k++) {
        const uint class_index = first_class + k;
        const float product = row.objectness * sigmoid(logits[pixel][k]);
        if (multi_label) {
            if (product > threshold && is_wanted(class_index))
                append(row.image, row.box, row.objectness, product, class_index, row.index);
        } else if (product > row.confidence) {
            row.confidence = product;
            row.class_index = class_index;
        }
    }
}

void append_best(Row row)
{
    const float threshold = Thresholds(p.thresholds).thresholds.confidence;
    const bool obj_only = Thresholds(p.thresholds).thresholds.obj_only != 0;
    const float confidence = obj_only ? row.objectness : row.confidence;

    if (Thresholds(p.thresholds).thresholds.multi_label == 0 && confidence > threshold &&
        is_wanted(row.class_index))
        append(row.image, row.box, row.objectness, confidence, row.class_index, row.index);
}

void main()
{
    const uint id = gl_LocalInvocationIndex;
    const uint anchor = gl_WorkGroupID.y;
    const uint first_pixel = unfolded_group_x() * PIXELS;
    const uint n_pixels = p.grid_w * p.grid_h;
    const uint n_values = 5 + p.n_classes;
    const uint n_blocks = (n_values + CHANNELS - 1) / CHANNELS;
    const uint bias_quad = anchor * n_blocks * COLUMNS;
    const Weight weight = find_weight(anchor, n_blocks);
    Row row = Row(image_index(), p.first_row + anchor * n_pixels + first_pixel + id, 0.0, 0.0, 0,
                  vec4(0.0));

    if (id == 0)
        any_object = 0;
    sum_objectness(row.image, first_pixel, weight.objectness);
    barrier();

    const bool is_pixel = id < PIXELS && first_pixel + id < n_pixels;
    if (is_pixel)
        row.objectness = objectness_of(id, Float4s(p.weight).at[bias_quad + 1].x);
    const bool has_object =
        is_pixel && row.objectness > Thresholds(p.thresholds).thresholds.confidence;
    if (has_object)
        atomicOr(any_object, 1);
    barrier();

    const uint n_wanted = any_object != 0 ? n_blocks : 0; // the same for the whole workgroup
    for (uint block = 0; block < n_wanted; block++) {
        compute_block(row.image, first_pixel, bias_quad + block * COLUMNS,
                      weight.blocks + block * weight.n_steps * STEP * COLUMNS, weight.n_steps);
        barrier();
        if (has_object) {
            if (block == 0)
                row.box = make_box(vec4(sigmoid(logits[id][0]), sigmoid(logits[id][1]),
                                        sigmoid(logits[id][2]), sigmoid(logits[id][3])),
                                   vec2(pixel_position(int(first_pixel + id), int(p.grid_w))),
                                   anchor);
            take_classes(row, id, block == 0 ? 5 : 0, min(CHANNELS, n_values - block * CHANNELS),
                         block * CHANNELS - 5);
        }
        barrier();
    }
    if (has_object)
        append_best(row);
}
