// SPDX-License-Identifier: LGPL-2.1-or-later
#version 460
#extension GL_GOOGLE_include_directive : require

// decode.comp - logits of one level -> rows (x, y, w, h, objectness, classes), with s = sigmoid:
//   x = (2 s0 - 0.5 + column) * stride   w = (2 s2)^2 * anchor_w   objectness = s4
//   y = (2 s1 - 0.5 + row) * stride      h = (2 s3)^2 * anchor_h   class k = s[5 + k]
//   logits  f32 [n, n_anchors * (5 + n_classes), grid_h, grid_w], channel a * (5 + n_classes) + k
//   dst     ROWS: f32 [n][image_rows][5 + n_classes]; else the candidate list of each image
// One invocation makes one row, or the candidates of it: x = (anchor, cell), z = image.
// Reference: engine/ref/detect.c; test: tests/ops/test-decode.c.

#undef YV_F16 // whatever the network's elements are, heads are f32
#include "tensor.glsl"

layout(constant_id = 1) const uint WRITES = YV_DECODE_CANDIDATES;

layout(push_constant, std430) uniform Push { YvDecodeParams p; };
YV_SOURCE(0, logits);

#include "decode.glsl"

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };

float sigmoid_at(uint element)
{
    return sigmoid(LOAD4(logits, element / 4)[element % 4]);
}

vec4 decode_box(uint element, vec2 cell, uint anchor)
{
    return make_box(vec4(sigmoid_at(element), sigmoid_at(element + 1), sigmoid_at(element + 2),
                         sigmoid_at(element + 3)), cell, anchor);
}

void write_row(uint start, uint n_values, uint element, vec4 box)
{
    for (uint k = 0; k < 4; k++)
        Floats(p.dst).at[start + k] = box[k];
    for (uint k = 4; k < n_values; k++)
        Floats(p.dst).at[start + k] = sigmoid_at(element + k);
}

// In both of these a loop's own condition, not an if around it, skips rows without an object, and
// in each mode the other's loop: lavapipe leaves a loop once no lane is left, but never jumps over
// a branch.

void append_best_class(uint image, uint row, uint element, vec2 cell, uint anchor,
                       float objectness, uint n_classes)
{
    const float threshold = Thresholds(p.thresholds).thresholds.confidence;
    const bool obj_only = Thresholds(p.thresholds).thresholds.obj_only != 0;
    float confidence = 0.0;
    uint class_index = 0;

    for (uint k = 0; k < n_classes; k++) {
        const float product = objectness * sigmoid_at(element + 5 + k);
        class_index = product > confidence ? k : class_index;
        confidence = max(confidence, product);
    }
    confidence = obj_only && n_classes > 0 ? objectness : confidence;

    if (confidence > threshold && is_wanted(class_index)) {
        const vec4 box = decode_box(element, cell, anchor);
        append(image, box, objectness, confidence, class_index, row);
    }
}

void append_every_class(uint image, uint row, uint element, vec2 cell, uint anchor,
                        float objectness, uint n_classes)
{
    const float threshold = Thresholds(p.thresholds).thresholds.confidence;

    for (uint k = 0; k < n_classes; k++) {
        const float confidence = objectness * sigmoid_at(element + 5 + k);
        if (confidence > threshold && is_wanted(k)) {
            const vec4 box = decode_box(element, cell, anchor);
            append(image, box, objectness, confidence, k, row);
        }
    }
}

void append_candidates(uint image, uint row, uint element, vec2 cell, uint anchor)
{
    const float threshold = Thresholds(p.thresholds).thresholds.confidence;
    const bool multi_label = Thresholds(p.thresholds).thresholds.multi_label != 0;
    const float objectness = sigmoid_at(element + 4);
    const uint n_classes = objectness > threshold ? p.n_classes : 0;

    append_best_class(image, row, element, cell, anchor, objectness, multi_label ? 0 : n_classes);
    append_every_class(image, row, element, cell, anchor, objectness, multi_label ? n_classes : 0);
}

void main()
{
    const uint n_cells = p.grid_w * p.grid_h;
    const uint id = unfolded_invocation_x();
    const uint image = image_index();
    const uint n_values = 5 + p.n_classes;
    const uint anchor = uint(pixel_position(int(id), int(n_cells)).y);
    const uint cell_index = id - anchor * n_cells;
    const vec2 cell = vec2(pixel_position(int(cell_index), int(p.grid_w)));
    const uint element = (image * n_cells + cell_index) * p.cstride + anchor * n_values;
    const uint row = p.first_row + id;

    if (anchor >= p.n_anchors)
        return;

    if (WRITES == YV_DECODE_ROWS)
        write_row((image * p.image_rows + row) * n_values, n_values, element,
                  decode_box(element, cell, anchor));
    else
        append_candidates(image, row, element, cell, anchor);
}
