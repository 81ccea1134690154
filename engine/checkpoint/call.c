/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/call.c - what becomes of a call in a pickle. */
#include "engine/checkpoint/call.h"

#include <string.h>

#include "engine/error.h"

typedef struct {
  YvPool *pool;
  YvStorages *storages;
  const YvObject *class_name;
  const YvObject *args;
} Call;

/* Sets *value where it knows the answer and leaves it NULL where the call stays a note. */
typedef bool (*Answer) (const Call *call, YvObject **value, GError **error);

static YvObject *
arg_at (const Call *call, uint32_t index)
{
  return index < call->args->sequence.n_items ? call->args->sequence.items[index] : NULL;
}

static bool
is_sequence (const YvObject *object)
{
  return object && (object->kind == YV_OBJECT_LIST || object->kind == YV_OBJECT_TUPLE ||
                    object->kind == YV_OBJECT_SET);
}

/* The items of the only argument as another kind of sequence. They are shared, not copied: a
 * reference of two bytes must not cost a copy of a long list. What is full is copied on append. */
static YvObject *
convert_sequence (const Call *call, YvObjectKind kind)
{
  const YvObject *from = arg_at (call, 0);
  YvObject *value = yv_pool_object (call->pool, kind);

  if (from) {
    value->sequence = from->sequence;
    value->sequence.n_reserved = from->sequence.n_items;
  }
  return value;
}

static bool
answer_sequence (const Call *call, YvObjectKind kind, YvObject **value)
{
  if (!arg_at (call, 0) || is_sequence (arg_at (call, 0)))
    *value = convert_sequence (call, kind);
  return true;
}

static bool
answer_set (const Call *call, YvObject **value, GError **error)
{
  (void) error;
  return answer_sequence (call, YV_OBJECT_SET, value);
}

static bool
answer_list (const Call *call, YvObject **value, GError **error)
{
  (void) error;
  return answer_sequence (call, YV_OBJECT_LIST, value);
}

static bool
answer_tuple (const Call *call, YvObject **value, GError **error)
{
  (void) error;
  return answer_sequence (call, YV_OBJECT_TUPLE, value);
}

/* dict () and OrderedDict (), which SETITEMS then fills, or of a list of pairs, or of a dict. */
static bool
answer_dict (const Call *call, YvObject **value, GError **error)
{
  const YvObject *from = arg_at (call, 0);

  if (from && from->kind == YV_OBJECT_DICT) {
    *value = convert_sequence (call, YV_OBJECT_DICT);
    return true;
  }
  if (from && !is_sequence (from))
    return true;

  *value = yv_pool_object (call->pool, YV_OBJECT_DICT);
  for (uint32_t i = 0; from && i < from->sequence.n_items; i++) {
    const YvObject *pair = from->sequence.items[i];
    if (!is_sequence (pair) || pair->sequence.n_items != 2) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "a dict is to be made of a list whose item "
                   "%u is no pair of key and value",
                   i);
      return false;
    }
    yv_pool_append (call->pool, *value, pair->sequence.items[0]);
    yv_pool_append (call->pool, *value, pair->sequence.items[1]);
  }
  return true;
}

/* _rebuild_tensor (storage, offset, sizes, strides) and _v2, which adds what only training needs.
 */
static bool
answer_tensor (const Call *call, YvObject **value, GError **error)
{
  return yv_storages_make_tensor (call->storages, call->args, YV_N_DTYPES, value, error);
}

/* _rebuild_tensor_v3 (storage, offset, sizes, strides, requires_grad, hooks, dtype). */
static bool
answer_tensor_v3 (const Call *call, YvObject **value, GError **error)
{
  const YvObject *name = arg_at (call, 6);
  const YvDType dtype = name && name->kind == YV_OBJECT_CLASS
                            ? yv_storage_dtype (name->class_name.name)
                            : YV_N_DTYPES;

  return yv_storages_make_tensor (call->storages, call->args, dtype, value, error);
}

/* A Parameter is its tensor: (tensor, requires_grad, hooks[, state]). */
static bool
answer_parameter (const Call *call, YvObject **value, GError **error)
{
  (void) error;
  YvObject *tensor = arg_at (call, 0);

  if (tensor && tensor->kind == YV_OBJECT_TENSOR)
    *value = tensor;
  return true;
}

/* copyreg._reconstructor (class, base, state): what protocols 0 and 1 have in place of NEWOBJ. */
static bool
answer_new (const Call *call, YvObject **value, GError **error)
{
  (void) error;
  const YvObject *class_name = arg_at (call, 0);

  if (class_name && class_name->kind == YV_OBJECT_CLASS) {
    *value = yv_pool_object (call->pool, YV_OBJECT_INSTANCE);
    (*value)->instance.class_name = class_name;
  }
  return true;
}

static bool answer_from_type (const Call *call, YvObject **value, GError **error);

#define BUILTIN(name, answer)                                                                      \
  {"__builtin__", name, answer},                                                                   \
  {                                                                                                \
    "builtins", name, answer                                                                       \
  }
static const struct {
  const char *module, *name;
  Answer answer;
} answers[] = {
    {"collections", "OrderedDict", answer_dict},
    {"torch._utils", "_rebuild_tensor_v2", answer_tensor},
    {"torch._utils", "_rebuild_parameter", answer_parameter},
    {"torch._utils", "_rebuild_tensor", answer_tensor},
    {"torch._utils", "_rebuild_tensor_v3", answer_tensor_v3},
    {"torch._utils", "_rebuild_parameter_with_state", answer_parameter},
    {"torch.nn.parameter", "Parameter", answer_parameter},
    {"torch._tensor", "_rebuild_from_type_v2", answer_from_type},
    {"torch", "Size", answer_tuple},
    {"copyreg", "_reconstructor", answer_new},
    {"copy_reg", "_reconstructor", answer_new},
    BUILTIN ("set", answer_set),
    BUILTIN ("frozenset", answer_set),
    BUILTIN ("list", answer_list),
    BUILTIN ("tuple", answer_tuple),
    BUILTIN ("dict", answer_dict),
};
#undef BUILTIN

static Answer
find_answer (const YvObject *class_name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (answers); i++) {
    if (strcmp (class_name->class_name.name, answers[i].name) == 0 &&
        strcmp (class_name->class_name.module, answers[i].module) == 0)
      return answers[i].answer;
  }
  return NULL;
}

/* _rebuild_from_type_v2 (function, type, args, state): a tensor with attributes of its own. */
static bool
answer_from_type (const Call *call, YvObject **value, GError **error)
{
  const YvObject *function = arg_at (call, 0);
  const YvObject *args = arg_at (call, 2);

  if (!function || function->kind != YV_OBJECT_CLASS || !args || args->kind != YV_OBJECT_TUPLE)
    return true;

  const Answer inner = find_answer (function);
  /* Never itself again: arguments nested a million deep must not exhaust the stack. */
  if (!inner || inner == answer_from_type)
    return true;
  const Call inner_call = {call->pool, call->storages, function, args};
  return inner (&inner_call, value, error);
}

static YvObject *
note_call (const Call *call)
{
  YvObject *value = yv_pool_object (call->pool, YV_OBJECT_INSTANCE);

  value->instance.class_name = call->class_name;
  value->instance.args = call->args;
  return value;
}

YvObject *
yv_call (YvPool *pool, YvStorages *storages, const YvObject *callable, const YvObject *args,
         GError **error)
{
  /* A bound method (getattr) or a partial, called in turn, is noted under the class it came of. */
  const bool is_class = callable->kind == YV_OBJECT_CLASS;
  if ((!is_class && callable->kind != YV_OBJECT_INSTANCE) || args->kind != YV_OBJECT_TUPLE) {
    g_set_error (
        error, YV_ERROR, YV_ERROR_MALFORMED,
        "what is of kind %s is called with what is of kind %s, expected a class and a tuple",
        yv_object_kind_name (callable), yv_object_kind_name (args));
    return NULL;
  }

  const Call call = {
      .pool = pool,
      .storages = storages,
      .class_name = is_class ? callable : callable->instance.class_name,
      .args = args,
  };
  const Answer answer = is_class ? find_answer (callable) : NULL;
  YvObject *value = NULL;
  if (answer && !answer (&call, &value, error))
    return NULL;
  return value ? value : note_call (&call);
}
