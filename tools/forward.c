/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/forward.c - `yolov7 forward`: tensors in, tensors out, to compare with other programs. */
#include "engine/yolov7-tools.h"
#include "tools/command.h"

int
command_forward (int argc, char **argv)
{
  ModelOptions model = {0};
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "where to write (safetensors)", "FILE"},
      FALLBACK_ENTRY (model),
      G_OPTION_ENTRY_NULL,
  };

  const bool parsed = command_parse (
      &argc, &argv, "MODEL IN.safetensors -o OUT.safetensors",
      "Reads `images` (B,3,H,W; RGB 0..1; f32) and writes `head.K`, the raw logits of "
      "level K\n(B,anchors,h,w,5+classes), `pred`, the decoded rows (B,N,5+classes), "
      "and `det.I`, what is left\nof image I after suppression (n,6: x1 y1 x2 y2 "
      "confidence class; confidence .25, IoU .45).",
      entries, &model);
  int status = EXIT_USAGE;
  if (parsed && (argc != 3 || !output)) {
    status = fail_usage ("expected a model, an input file and -o OUT.safetensors");
  } else if (parsed) {
    g_autoptr (YvEngine) engine = engine_from_options (argv[1], &model);
    status = EXIT_FAILED;
    if (engine)
      status = yv_engine_forward_file (engine, argv[2], output, &error) ? EXIT_OK : fail (error);
  }
  model_options_clear (&model);
  return status;
}
