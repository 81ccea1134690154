/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/write-checkpoint.c - the state dict of a model description, as training would save
 * it.
 *
 * usage: write-checkpoint CONFIG FILE.pt
 * Numbers are made up, in fp16 as in a stripped checkpoint: of cfg/training/yolov7.yaml 75 MB. */
#include "tests/common/layers.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 3) {
    g_printerr ("usage: %s CONFIG FILE.pt\n", argv[0]);
    return 2;
  }
  g_autoptr (GBytes) file = yv_test_make_checkpoint (argv[1]);
  if (g_file_set_contents (argv[2], g_bytes_get_data (file, NULL), (gssize) g_bytes_get_size (file),
                           &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
