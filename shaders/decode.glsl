// SPDX-License-Identifier: LGPL-2.1-or-later
// decode.glsl - what kernels that make candidates share: thresholds, boxes, lists.
//
// The kernel's push block is p and has thresholds, dst, list_bytes, capacity, stride and
// anchors_offset as YvDecodeParams of params.h.
#ifndef YV_DECODE_GLSL
#define YV_DECODE_GLSL

layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Thresholds {
    YvThresholds thresholds;
    uint class_wanted[]; // a bit a class
};
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Candidates {
    YvCandidate at[];
};

const uint RECORD_BYTES = 32; // of YvCandidate, and of the list's header

float sigmoid(float logit)
{
    return 1.0 / (1.0 + exp(min(-logit, 80.0))); // act.glsl says why 80
}

// Centre and size from the sigmoids of their four logits.
vec4 make_box(vec4 s, vec2 cell, uint anchor)
{
    const uint at = p.anchors_offset + anchor * 2;
    const vec2 anchor_px = vec2(Thresholds(p.thresholds).thresholds.anchor_px[at],
                                Thresholds(p.thresholds).thresholds.anchor_px[at + 1]);
    const vec2 centre = s.xy * 2.0 - 0.5 + cell;
    const vec2 size = s.zw * 2.0;

    return vec4(centre * float(p.stride), size * size * anchor_px);
}

bool is_wanted(uint class_index)
{
    const uint word = Thresholds(p.thresholds).class_wanted[class_index / 32];
    return (word >> (class_index % 32) & 1) != 0;
}

void append(uint image, vec4 box, float objectness, float confidence, uint class_index, uint row)
{
    const uint list = image * (p.list_bytes / RECORD_BYTES);
    const uint slot = atomicAdd(Words(p.dst).at[list * (RECORD_BYTES / 4)], 1);

    if (slot < p.capacity)
        Candidates(p.dst).at[list + 1 + slot] = YvCandidate(
            box.x, box.y, box.z, box.w, objectness, confidence, class_index, row);
}

#endif
