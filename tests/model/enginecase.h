/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/enginecase.h - models, streams and pictures for the tests of engine/yolov7.h.
 *
 * None of these fails.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

#define FRAME_W 200
#define FRAME_H 120
#define FRAME_BYTES (3 * FRAME_W * FRAME_H)

/* Five classes. Free with g_free(), as the next. */
char *model_path (void);

/* One class, and no amplified rounding (docs/numerics.md): devices agree on what it sees. */
char *calm_model_path (void);

/* The one of five classes, on a device as in YvEngineOptions. */
YvEngine *open_engine (const char *device);

/* On the best device of Vulkan; NULL after a skip. */
YvEngine *open_vulkan (void);

/* A threshold this low makes a network of random weights see something everywhere. */
YvStreamOptions low_options (void);

YvStream *open_stream (YvEngine *engine, const YvStreamOptions *options);

/* Coloured rectangles on a gradient; @phase moves them. @pixels: FRAME_BYTES, which the picture
 * borrows */
YvImage draw_picture (uint8_t *pixels, uint32_t phase);

G_END_DECLS
