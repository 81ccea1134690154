// SPDX-License-Identifier: LGPL-2.1-or-later
// epilogue.glsl - what a convolution does with its sums: activation, residual, and where they go.
// Included behind the push block p, which has residual, residual_cstride, slope and dst.
#ifndef YV_EPILOGUE_GLSL
#define YV_EPILOGUE_GLSL

#include "act.glsl"

layout(constant_id = 2) const uint EPILOGUE = 0; // sum of YV_EPILOGUE_*

const bool DST_F32 = (EPILOGUE & YV_EPILOGUE_F32) != 0;
const bool HAS_RESIDUAL = (EPILOGUE & YV_EPILOGUE_RESIDUAL) != 0;
const bool ACT_LAST = (EPILOGUE & YV_EPILOGUE_ACT_LAST) != 0;
const bool DOUBLED = (EPILOGUE & YV_EPILOGUE_DOUBLED) != 0;

YV_SOURCE(1, residual);

// 4 channels of a pixel; pixels count through all images.
vec4 finish(vec4 sum, int pixel, int quad)
{
    vec4 other = vec4(0.0);

    if (HAS_RESIDUAL)
        other = LOAD4(residual, pixel * int(p.residual_cstride / 4) + quad);
    if (ACT_LAST)
        return activate(sum + other, p.slope);
    return HAS_RESIDUAL ? activate(sum, p.slope) + other : activate(sum, p.slope);
}

// The first of the 2 x 2 pixels that one is stored as, of a picture twice as wide.
int doubled(int pixel, int width)
{
    const ivec2 at = pixel_position(pixel, width);
    return 4 * at.y * width + 2 * at.x;
}

void put8(int oct, vec4 a, vec4 b)
{
    if (DST_F32)
        STORE8_FLOAT(dst, oct, a, b);
    else
        STORE8(dst, oct, a, b);
}

void put4(int quad, vec4 v)
{
    if (DST_F32)
        STORE4_FLOAT(dst, quad, v);
    else
        STORE4(dst, quad, v);
}

// Sums of 8 channels of one pixel. The picture is `width` wide, pixels of dst lie `octs` apart.
void store8(int pixel, int width, int octs, int oct, vec4 a, vec4 b)
{
    a = finish(a, pixel, oct * 2);
    b = finish(b, pixel, oct * 2 + 1);
    if (DOUBLED) {
        const int first = doubled(pixel, width);
        UNROLL for (int i = 0; i < 4; i++)
            put8((first + i / 2 * 2 * width + i % 2) * octs + oct, a, b);
    } else {
        put8(pixel * octs + oct, a, b);
    }
}

// The same of 4 channels.
void store4(int pixel, int width, int quads, int quad, vec4 v)
{
    v = finish(v, pixel, quad);
    if (DOUBLED) {
        const int first = doubled(pixel, width);
        UNROLL for (int i = 0; i < 4; i++)
            put4((first + i / 2 * 2 * width + i % 2) * quads + quad, v);
    } else {
        put4(pixel * quads + quad, v);
    }
}

#endif
