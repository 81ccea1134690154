/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/seed-model.c - writes the seeds in corpus/model/: a small network in each container,
 * and state dicts. Files that fuzzing found lie beside them.
 * usage: seed-model FOLDER */
#include <glib.h>

#include "tests/common/objects.h"
#include "tests/common/writeobject.h"

static void
save (const char *folder, const char *name, const YvObject *object, YvPtContainer container)
{
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
  g_autofree char *path = g_build_filename (folder, name, NULL);

  yv_test_put_object (writer, object);
  g_autoptr (GBytes) file = yv_ptwriter_finish (writer, container, YV_PT_INTACT);
  g_assert_true (g_file_set_contents (path, g_bytes_get_data (file, NULL),
                                      (gssize) g_bytes_get_size (file), NULL));
}

int
main (int argc, char **argv)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *dict = yv_test_dict (objects);
  YvObject *state = yv_test_dict (objects);

  g_assert_cmpint (argc, ==, 2);
  yv_test_set (objects, dict, "epoch", yv_test_number (objects, -1));
  yv_test_set (objects, dict, "model", yv_test_model (objects));
  yv_test_set (objects, dict, "ema", yv_test_none (objects));
  yv_test_set (objects, state, "model.0.conv.weight", yv_test_tensor_of (objects, 1, 2, 2));
  save (argv[1], "zip", dict, YV_PT_ZIP);
  save (argv[1], "legacy", dict, YV_PT_LEGACY);
  save (argv[1], "bare", yv_test_model (objects), YV_PT_LEGACY);
  save (argv[1], "state-dict", state, YV_PT_LEGACY);
  return 0;
}
