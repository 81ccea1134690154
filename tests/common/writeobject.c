/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/writeobject.c - the opcodes of each kind of value. */
#include "tests/common/writeobject.h"

#include <glib/gstdio.h>

static void
put_items (YvPtWriter *writer, const YvObject *object, uint8_t begin, uint8_t end)
{
  if (begin)
    yv_ptwriter_put_op (writer, begin);
  yv_ptwriter_put_op (writer, '(');
  for (uint32_t i = 0; i < object->sequence.n_items; i++)
    yv_test_put_object (writer, object->sequence.items[i]);
  yv_ptwriter_put_op (writer, end);
}

static void
put_instance (YvPtWriter *writer, const YvObject *object)
{
  const YvObject *class_name = object->instance.class_name;

  yv_ptwriter_put_class (writer, class_name->class_name.module, class_name->class_name.name);
  yv_ptwriter_put_op (writer, ')');  /* no arguments */
  yv_ptwriter_put_op (writer, 0x81); /* NEWOBJ */
  yv_test_put_object (writer, object->instance.state);
  yv_ptwriter_put_op (writer, 'b'); /* BUILD */
}

void
yv_test_put_object (YvPtWriter *writer, const YvObject *object)
{
  if (object->kind == YV_OBJECT_NONE)
    yv_ptwriter_put_op (writer, 'N');
  else if (object->kind == YV_OBJECT_BOOL)
    yv_ptwriter_put_op (writer, object->boolean ? 0x88 : 0x89);
  else if (object->kind == YV_OBJECT_INT)
    yv_ptwriter_put_int (writer, (int32_t) object->integer);
  else if (object->kind == YV_OBJECT_FLOAT)
    yv_ptwriter_put_float (writer, object->real);
  else if (object->kind == YV_OBJECT_STRING)
    yv_ptwriter_put_string (writer, object->string.text);
  else if (object->kind == YV_OBJECT_TUPLE)
    put_items (writer, object, 0, 't');
  else if (object->kind == YV_OBJECT_DICT)
    put_items (writer, object, '}', 'u');
  else if (object->kind == YV_OBJECT_TENSOR)
    yv_ptwriter_put_tensor (writer, &object->tensor);
  else if (object->kind == YV_OBJECT_INSTANCE)
    put_instance (writer, object);
  else
    g_assert_not_reached ();
}

char *
yv_test_write_object (const YvObject *object, YvPtContainer container)
{
  g_autoptr (YvPtWriter) writer = yv_ptwriter_new ();
  g_autofree char *folder = g_dir_make_tmp ("yv-test-XXXXXX", NULL);
  char *path = g_build_filename (folder, "x.pt", NULL);

  yv_test_put_object (writer, object);
  g_autoptr (GBytes) file = yv_ptwriter_finish (writer, container, YV_PT_INTACT);
  g_assert_true (g_file_set_contents (path, g_bytes_get_data (file, NULL),
                                      (gssize) g_bytes_get_size (file), NULL));
  return path;
}

void
yv_test_remove (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}
