/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/selftest.h - whether a device can be trusted with fp16, asked once at each load.
 *
 * The whole self test of all steps is yv_engine_selftest() in yolov7-tools.h.
 */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

/**
 * yv_selftest_fp16:
 * @engine: with its graph, device and weight store
 *
 * Runs each kernel, in each variant that the model needs, once on the device and on the reference:
 * the smallest step that has it. Some milliseconds.
 *
 * Returns: false with YV_ERROR_UNSUPPORTED, naming the kernel, where one computes something else
 * or cannot be made; or with what else went wrong.
 */
bool yv_selftest_fp16 (YvEngine *engine, GError **error);

G_END_DECLS
