/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/enginecase.c - models, streams and pictures for the tests of engine/yolov7.h. */
#include "tests/model/enginecase.h"

#include "tests/common/device.h"
#include "tests/common/paths.h"

char *
model_path (void)
{
  return yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
}

char *
calm_model_path (void)
{
  return yv_test_source_path ("tests/golden/checkpoints/tiny-silu.pt");
}

YvEngine *
open_engine (const char *device)
{
  g_autofree char *path = model_path ();
  const YvEngineOptions options = {.model_file = path, .device = device};
  g_autoptr (GError) error = NULL;
  YvEngine *engine = yv_engine_new (&options, &error);

  g_assert_no_error (error);
  return engine;
}

YvEngine *
open_vulkan (void)
{
  return yv_test_needs_vulkan () ? open_engine (NULL) : NULL;
}

YvStreamOptions
low_options (void)
{
  YvStreamOptions options = YV_STREAM_DEFAULTS;

  options.input_size = 160;
  options.confidence_threshold = 0.02f;
  return options;
}

YvStream *
open_stream (YvEngine *engine, const YvStreamOptions *options)
{
  g_autoptr (GError) error = NULL;
  YvStream *stream = yv_stream_new (engine, options, &error);

  g_assert_no_error (error);
  return stream;
}

YvImage
draw_picture (uint8_t *pixels, uint32_t phase)
{
  for (uint32_t y = 0; y < FRAME_H; y++) {
    for (uint32_t x = 0; x < FRAME_W; x++) {
      uint8_t *pixel = pixels + 3 * (y * FRAME_W + x);
      const bool inside = (x + phase) % 50 < 20 && y % 40 < 25;

      pixel[0] = (uint8_t) (inside ? 230 : x);
      pixel[1] = (uint8_t) (inside ? 40 + phase : y);
      pixel[2] = (uint8_t) (inside ? y : 255 - x);
    }
  }
  return (YvImage){.format = YV_FORMAT_RGB,
                   .width = FRAME_W,
                   .height = FRAME_H,
                   .planes = {pixels},
                   .stride_bytes = {3 * FRAME_W}};
}
