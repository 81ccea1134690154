// SPDX-License-Identifier: LGPL-2.1-or-later
// act.glsl - the activations; numbers as YvActKind in engine/graph/graph.h (tests/ops runs each of
// them against yv_act_apply()).
//
// ACT is a specialization constant because lavapipe runs every branch of a switch.
#ifndef YV_ACT_GLSL
#define YV_ACT_GLSL

layout(constant_id = 1) const uint ACT = 0;

const uint ACT_SILU = 1;
const uint ACT_LEAKY_RELU = 2;
const uint ACT_RELU = 3;
const uint ACT_RELU6 = 4;
const uint ACT_HARDSWISH = 5;
const uint ACT_MISH = 6;
const uint ACT_SIGMOID = 7;

// x * tanh (log (1 + e^x)) with the logarithm and the tanh cancelled. Above 20 it is x in fp32,
// and e^2x must not overflow.
vec4 mish(vec4 x)
{
    const vec4 e = exp(min(x, 20.0));
    const vec4 n = e * (e + 2.0);
    return x * (n / (n + 2.0));
}

// e^-x, but finite: what an infinity does in a division is each device's own affair.
vec4 exp_minus(vec4 x)
{
    return exp(min(-x, 80.0));
}

vec4 activate(vec4 x, float slope)
{
    if (ACT == ACT_SILU)
        return x / (1.0 + exp_minus(x));
    if (ACT == ACT_LEAKY_RELU)
        return mix(x * slope, x, greaterThanEqual(x, vec4(0.0)));
    if (ACT == ACT_RELU)
        return max(x, 0.0);
    if (ACT == ACT_RELU6)
        return clamp(x, 0.0, 6.0);
    if (ACT == ACT_HARDSWISH)
        return x * clamp(x + 3.0, 0.0, 6.0) * (1.0 / 6.0);
    if (ACT == ACT_MISH)
        return mish(x);
    if (ACT == ACT_SIGMOID)
        return 1.0 / (1.0 + exp_minus(x));
    return x;
}

#endif
