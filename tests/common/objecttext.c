/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/objecttext.c - a value of a checkpoint as text, to compare in one line. */
#include "tests/common/objecttext.h"

typedef struct {
  GString *text;
  GHashTable *open; /* what encloses the value that is printed */
} Printer;

static void print (Printer *p, const YvObject *object);

static void
print_items (Printer *p, const YvObject *sequence, const char *brackets)
{
  g_string_append_c (p->text, brackets[0]);
  for (uint32_t i = 0; i < sequence->sequence.n_items; i++) {
    if (i > 0)
      g_string_append (p->text, sequence->kind == YV_OBJECT_DICT && i % 2 ? ": " : ", ");
    print (p, sequence->sequence.items[i]);
  }
  g_string_append_c (p->text, brackets[1]);
}

static void
print_tensor (Printer *p, const YvTensor *tensor)
{
  g_autofree char *shape = yv_tensor_shape_to_string (tensor);

  g_string_append_printf (p->text, "%s%s=", yv_dtype_name (tensor->dtype), shape);
  for (uint64_t i = 0; i < yv_tensor_n_elems (tensor); i++)
    g_string_append_printf (p->text, i ? ",%g" : "%g", yv_tensor_get (tensor, i));
}

static void
print_instance (Printer *p, const YvObject *object)
{
  g_autofree char *path = yv_object_class_path (object);

  g_string_append (p->text, path);
  if (object->instance.args)
    print (p, object->instance.args);
  if (object->instance.state)
    print (p, object->instance.state);
  if (object->instance.items)
    print (p, object->instance.items);
}

static void
print_scalar (Printer *p, const YvObject *object)
{
  switch (object->kind) {
  case YV_OBJECT_NONE:
    g_string_append (p->text, "None");
    break;
  case YV_OBJECT_BOOL:
    g_string_append (p->text, object->boolean ? "True" : "False");
    break;
  case YV_OBJECT_INT:
    g_string_append_printf (p->text, "%" G_GINT64_FORMAT, object->integer);
    break;
  case YV_OBJECT_FLOAT:
    g_string_append_printf (p->text, "%#g", object->real);
    break;
  case YV_OBJECT_STRING:
    g_string_append_printf (p->text, "'%s'", object->string.text);
    break;
  case YV_OBJECT_BYTES:
    g_string_append (p->text, "b'");
    for (size_t i = 0; i < object->string.size_bytes; i++)
      g_string_append_printf (p->text, "%02x", (uint8_t) object->string.text[i]);
    g_string_append_c (p->text, '\'');
    break;
  case YV_OBJECT_CLASS:
    g_string_append_printf (p->text, "<%s.%s>", object->class_name.module, object->class_name.name);
    break;
  case YV_OBJECT_LIST:
  case YV_OBJECT_TUPLE:
  case YV_OBJECT_SET:
  case YV_OBJECT_DICT:
  case YV_OBJECT_TENSOR:
  case YV_OBJECT_INSTANCE:
    g_assert_not_reached ();
  }
}

static void
print_inside (Printer *p, const YvObject *object)
{
  static const char *const brackets[] = {
      [YV_OBJECT_LIST] = "[]",
      [YV_OBJECT_TUPLE] = "()",
      [YV_OBJECT_SET] = "<>",
      [YV_OBJECT_DICT] = "{}",
  };

  if (object->kind == YV_OBJECT_TENSOR)
    print_tensor (p, &object->tensor);
  else if (object->kind == YV_OBJECT_INSTANCE)
    print_instance (p, object);
  else if (object->kind >= YV_OBJECT_LIST && object->kind <= YV_OBJECT_DICT)
    print_items (p, object, brackets[object->kind]);
  else
    print_scalar (p, object);
}

static void
print (Printer *p, const YvObject *object)
{
  if (!g_hash_table_add (p->open, (void *) object)) {
    g_string_append (p->text, "...");
    return;
  }
  print_inside (p, object);
  g_hash_table_remove (p->open, object);
}

char *
yv_test_object_to_string (const YvObject *object)
{
  g_autoptr (GHashTable) open = g_hash_table_new (NULL, NULL);
  Printer p = {.text = g_string_new (NULL), .open = open};

  print (&p, object);
  return g_string_free (p.text, FALSE);
}
