/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/pickle.c - the stack machine that reads a pickle. The meaning of each opcode is
 * documented in Python's pickletools module; one function here is one opcode or a family.
 *
 * One table and its functions, so longer than most files: splitting them would only hide that they
 * share one state. */
#include "engine/checkpoint/pickle.h"

#include <string.h>

#include "engine/checkpoint/call.h"
#include "engine/checkpoint/global.h"
#include "engine/checkpoint/literal.h"
#include "engine/error.h"

#define MAX_PROTOCOL 5
#define MAX_PICKLE_BYTES ((size_t) 64 << 20) /* real ones have a few hundred kB */
#define MAX_OPS ((uint32_t) 4 << 20)         /* real ones have some 150 thousand */
#define MAX_MARKS 1000                       /* real ones nest some ten deep */
#define MAX_STRING_BYTES ((size_t) 16 << 20)
#define MAX_LONG_BYTES 256
#define MAX_GLOBAL_CHARS 1024

/* No opcode makes values of more than some 40 times its own bytes, so this is met only by an
 * attempt to multiply values; see call.c on copies. */
#define MAX_GROWTH 128
#define MAX_GROWTH_SLACK_BYTES ((size_t) 1 << 20)

#define malformed(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

typedef struct {
  YvSpan rest;          /* what was not read yet */
  size_t size_bytes;    /* of all of it */
  YvPool *pool;         /* borrowed */
  YvStorages *storages; /* borrowed */
  GPtrArray *stack;     /* YvObject, the pool's */
  GArray *marks;        /* uint32_t: heights of the stack */
  GPtrArray *memo;      /* YvObject or NULL */
  YvObject *none, *yes, *no;
} Machine;

typedef bool (*Op) (Machine *m, GError **error);

/* ---- operands ---- */

static bool
fail_cut_off (GError **error)
{
  malformed (error, "the pickle ends in the middle of an opcode");
  return false;
}

static bool
take_u8 (Machine *m, uint8_t *out, GError **error)
{
  return yv_span_take_u8 (&m->rest, out) || fail_cut_off (error);
}

static bool
take_u32 (Machine *m, uint32_t *out, GError **error)
{
  return yv_span_take_u32 (&m->rest, out) || fail_cut_off (error);
}

static bool
take_bytes (Machine *m, uint64_t size_bytes, YvSpan *out, GError **error)
{
  if (size_bytes > MAX_STRING_BYTES) {
    malformed (error, "a string of %" G_GUINT64_FORMAT " bytes, the limit is %" G_GSIZE_FORMAT,
               size_bytes, MAX_STRING_BYTES);
    return false;
  }
  return yv_span_take (&m->rest, size_bytes, out) || fail_cut_off (error);
}

static bool
take_line (Machine *m, YvSpan *out, GError **error)
{
  if (!yv_span_take_line (&m->rest, out))
    return fail_cut_off (error);
  if (out->size_bytes && out->data[out->size_bytes - 1] == '\r')
    out->size_bytes--;
  return true;
}

/* Bytes behind their length, which is @length_bytes wide. */
static bool
take_counted (Machine *m, uint32_t length_bytes, YvSpan *out, GError **error)
{
  uint64_t size_bytes = 0;

  for (uint32_t i = 0; i < length_bytes; i++) {
    uint8_t byte;
    if (!take_u8 (m, &byte, error))
      return false;
    size_bytes |= (uint64_t) byte << 8 * i;
  }
  return take_bytes (m, size_bytes, out, error);
}

/* ---- stack ---- */

/* The height below which nothing may be popped: values under the last mark belong to it. */
static uint32_t
floor_of_stack (const Machine *m)
{
  return m->marks->len ? g_array_index (m->marks, uint32_t, m->marks->len - 1) : 0;
}

static bool
push (Machine *m, YvObject *value)
{
  g_ptr_array_add (m->stack, value);
  return true;
}

static bool
need (const Machine *m, uint32_t n_values, GError **error)
{
  if (m->stack->len - floor_of_stack (m) >= n_values)
    return true;
  malformed (error, "an opcode needs %u values, the stack has %u", n_values,
             m->stack->len - floor_of_stack (m));
  return false;
}

static YvObject *
top (const Machine *m)
{
  return g_ptr_array_index (m->stack, m->stack->len - 1);
}

static size_t
n_bytes_read (const Machine *m)
{
  return m->size_bytes - m->rest.size_bytes;
}

/* After need(). */
static YvObject *
pop (Machine *m)
{
  YvObject *value = top (m);

  g_ptr_array_set_size (m->stack, (int) m->stack->len - 1);
  return value;
}

static bool
pop_mark (Machine *m, uint32_t *height, GError **error)
{
  if (m->marks->len == 0) {
    malformed (error, "an opcode needs a mark, the stack has none");
    return false;
  }
  *height = floor_of_stack (m);
  g_array_set_size (m->marks, m->marks->len - 1);
  return true;
}

/* A sequence of all values above @height, which leave the stack. */
static YvObject *
collect (Machine *m, YvObjectKind kind, uint32_t height)
{
  YvObject *sequence = yv_pool_object (m->pool, kind);
  const uint32_t n_items = m->stack->len - height;

  if (n_items) {
    sequence->sequence.items = yv_pool_alloc (m->pool, n_items * sizeof (YvObject *));
    memcpy (sequence->sequence.items, m->stack->pdata + height, n_items * sizeof (YvObject *));
    sequence->sequence.n_items = n_items;
    sequence->sequence.n_reserved = n_items;
  }
  g_ptr_array_set_size (m->stack, (int) height);
  return sequence;
}

static bool
collect_to_mark (Machine *m, YvObjectKind kind, GError **error)
{
  uint32_t height;

  if (!pop_mark (m, &height, error))
    return false;
  if (kind == YV_OBJECT_DICT && (m->stack->len - height) % 2) {
    malformed (error, "a dict is made of a key without a value");
    return false;
  }
  return push (m, collect (m, kind, height));
}

static bool
op_mark (Machine *m, GError **error)
{
  const uint32_t height = m->stack->len;

  if (m->marks->len == MAX_MARKS) {
    malformed (error, "values nest more than %d deep", MAX_MARKS);
    return false;
  }
  g_array_append_val (m->marks, height);
  return true;
}

static bool
op_pop (Machine *m, GError **error)
{
  uint32_t height;

  /* Python's POP takes a mark that is on top. */
  if (m->marks->len && m->stack->len == floor_of_stack (m))
    return pop_mark (m, &height, error);
  if (!need (m, 1, error))
    return false;
  pop (m);
  return true;
}

static bool
op_pop_mark (Machine *m, GError **error)
{
  uint32_t height;

  if (!pop_mark (m, &height, error))
    return false;
  g_ptr_array_set_size (m->stack, (int) height);
  return true;
}

static bool
op_dup (Machine *m, GError **error)
{
  return need (m, 1, error) && push (m, top (m));
}

/* ---- memo ---- */

static bool
memoize (Machine *m, uint64_t index, GError **error)
{
  if (!need (m, 1, error))
    return false;
  /* Writers count up from 0, so an index beyond the bytes so far is a try to exhaust memory. */
  if (index >= n_bytes_read (m)) {
    malformed (error, "memo index %" G_GUINT64_FORMAT ", expected one in order", index);
    return false;
  }
  if (index >= m->memo->len)
    g_ptr_array_set_size (m->memo, (int) index + 1);
  m->memo->pdata[index] = top (m);
  return true;
}

static bool
recall (Machine *m, uint64_t index, GError **error)
{
  YvObject *value = index < m->memo->len ? m->memo->pdata[index] : NULL;

  if (!value) {
    malformed (error, "memo index %" G_GUINT64_FORMAT " was never set", index);
    return false;
  }
  return push (m, value);
}

static bool
op_binput (Machine *m, GError **error)
{
  uint8_t index;

  return take_u8 (m, &index, error) && memoize (m, index, error);
}

static bool
op_long_binput (Machine *m, GError **error)
{
  uint32_t index;

  return take_u32 (m, &index, error) && memoize (m, index, error);
}

static bool
op_memoize (Machine *m, GError **error)
{
  return memoize (m, m->memo->len, error);
}

static bool
op_binget (Machine *m, GError **error)
{
  uint8_t index;

  return take_u8 (m, &index, error) && recall (m, index, error);
}

static bool
op_long_binget (Machine *m, GError **error)
{
  uint32_t index;

  return take_u32 (m, &index, error) && recall (m, index, error);
}

static bool
take_index_line (Machine *m, uint64_t *index, GError **error)
{
  YvSpan line;

  if (!take_line (m, &line, error))
    return false;
  const YvObject *value = yv_literal_int_text (m->pool, line);
  double number;
  if (!yv_object_get_number (value, &number) || number < 0 || number > G_MAXINT) {
    malformed (error, "a memo index is no number");
    return false;
  }
  *index = (uint64_t) number;
  return true;
}

static bool
op_put (Machine *m, GError **error)
{
  uint64_t index;

  return take_index_line (m, &index, error) && memoize (m, index, error);
}

static bool
op_get (Machine *m, GError **error)
{
  uint64_t index;

  return take_index_line (m, &index, error) && recall (m, index, error);
}

/* ---- constants and numbers ---- */

static bool
op_none (Machine *m, GError **error)
{
  (void) error;
  return push (m, m->none);
}

static bool
op_true (Machine *m, GError **error)
{
  (void) error;
  return push (m, m->yes);
}

static bool
op_false (Machine *m, GError **error)
{
  (void) error;
  return push (m, m->no);
}

static bool
op_binint (Machine *m, GError **error)
{
  uint32_t bits;

  return take_u32 (m, &bits, error) && push (m, yv_pool_int (m->pool, (int32_t) bits));
}

static bool
op_binint1 (Machine *m, GError **error)
{
  uint8_t value;

  return take_u8 (m, &value, error) && push (m, yv_pool_int (m->pool, value));
}

static bool
op_binint2 (Machine *m, GError **error)
{
  uint16_t value;

  if (!yv_span_take_u16 (&m->rest, &value))
    return fail_cut_off (error);
  return push (m, yv_pool_int (m->pool, value));
}

static bool
push_long (Machine *m, uint32_t length_bytes, GError **error)
{
  YvSpan bytes;

  if (!take_counted (m, length_bytes, &bytes, error))
    return false;
  if (bytes.size_bytes > MAX_LONG_BYTES) {
    malformed (error, "an integer of %" G_GSIZE_FORMAT " bytes, the limit is %d", bytes.size_bytes,
               MAX_LONG_BYTES);
    return false;
  }
  return push (m, yv_literal_long (m->pool, bytes));
}

static bool
op_long1 (Machine *m, GError **error)
{
  return push_long (m, 1, error);
}

static bool
op_long4 (Machine *m, GError **error)
{
  return push_long (m, 4, error);
}

static bool
op_binfloat (Machine *m, GError **error)
{
  double value;

  if (!yv_span_take_f64_be (&m->rest, &value))
    return fail_cut_off (error);
  return push (m, yv_pool_float (m->pool, value));
}

static bool
push_text_form (Machine *m, YvObject *(*parse) (YvPool *, YvSpan), const char *what, GError **error)
{
  YvSpan line;

  if (!take_line (m, &line, error))
    return false;
  YvObject *value = parse (m->pool, line);
  if (!value) {
    malformed (error, "the text of %s is not one", what);
    return false;
  }
  return push (m, value);
}

static bool
op_int_text (Machine *m, GError **error)
{
  return push_text_form (m, yv_literal_int_text, "an integer", error);
}

static bool
op_float_text (Machine *m, GError **error)
{
  return push_text_form (m, yv_literal_float_text, "a float", error);
}

static bool
op_string_text (Machine *m, GError **error)
{
  return push_text_form (m, yv_literal_quoted_text, "a string", error);
}

static bool
op_unicode_text (Machine *m, GError **error)
{
  return push_text_form (m, yv_literal_unicode_text, "a string", error);
}

/* ---- strings and bytes ---- */

static bool
push_counted (Machine *m, uint32_t length_bytes, YvObject *(*make) (YvPool *, const void *, size_t),
              GError **error)
{
  YvSpan text;

  return take_counted (m, length_bytes, &text, error) &&
         push (m, make (m->pool, text.data, text.size_bytes));
}

static bool
op_string_u8 (Machine *m, GError **error)
{
  return push_counted (m, 1, yv_pool_string, error);
}

static bool
op_string_u32 (Machine *m, GError **error)
{
  return push_counted (m, 4, yv_pool_string, error);
}

static bool
op_string_u64 (Machine *m, GError **error)
{
  return push_counted (m, 8, yv_pool_string, error);
}

static bool
op_bytes_u8 (Machine *m, GError **error)
{
  return push_counted (m, 1, yv_pool_bytes, error);
}

static bool
op_bytes_u32 (Machine *m, GError **error)
{
  return push_counted (m, 4, yv_pool_bytes, error);
}

static bool
op_bytes_u64 (Machine *m, GError **error)
{
  return push_counted (m, 8, yv_pool_bytes, error);
}

/* ---- containers ---- */

static bool
op_empty_list (Machine *m, GError **error)
{
  (void) error;
  return push (m, yv_pool_object (m->pool, YV_OBJECT_LIST));
}

static bool
op_empty_tuple (Machine *m, GError **error)
{
  (void) error;
  return push (m, yv_pool_object (m->pool, YV_OBJECT_TUPLE));
}

static bool
op_empty_dict (Machine *m, GError **error)
{
  (void) error;
  return push (m, yv_pool_object (m->pool, YV_OBJECT_DICT));
}

static bool
op_empty_set (Machine *m, GError **error)
{
  (void) error;
  return push (m, yv_pool_object (m->pool, YV_OBJECT_SET));
}

static bool
op_list (Machine *m, GError **error)
{
  return collect_to_mark (m, YV_OBJECT_LIST, error);
}

static bool
op_tuple (Machine *m, GError **error)
{
  return collect_to_mark (m, YV_OBJECT_TUPLE, error);
}

static bool
op_dict (Machine *m, GError **error)
{
  return collect_to_mark (m, YV_OBJECT_DICT, error);
}

static bool
op_frozenset (Machine *m, GError **error)
{
  return collect_to_mark (m, YV_OBJECT_SET, error);
}

static bool
push_short_tuple (Machine *m, uint32_t n_items, GError **error)
{
  return need (m, n_items, error) &&
         push (m, collect (m, YV_OBJECT_TUPLE, m->stack->len - n_items));
}

static bool
op_tuple1 (Machine *m, GError **error)
{
  return push_short_tuple (m, 1, error);
}

static bool
op_tuple2 (Machine *m, GError **error)
{
  return push_short_tuple (m, 2, error);
}

static bool
op_tuple3 (Machine *m, GError **error)
{
  return push_short_tuple (m, 3, error);
}

/* Where items of @kind go that are added to @target: into itself, or, for a class derived from list
 * or dict, beside its state. NULL where it takes none. */
static YvObject *
items_of (Machine *m, YvObject *target, YvObjectKind kind)
{
  if (target->kind == kind)
    return target;
  if (target->kind != YV_OBJECT_INSTANCE)
    return NULL;
  if (!target->instance.items)
    target->instance.items = yv_pool_object (m->pool, kind);
  /* Made by this machine, so it may also change it. */
  YvObject *items = (YvObject *) target->instance.items;
  return items->kind == kind ? items : NULL;
}

/* Adds all values from @height up to the container just below them. */
static bool
add_items (Machine *m, YvObjectKind kind, uint32_t height, GError **error)
{
  if (height == floor_of_stack (m)) {
    malformed (error, "items without a container to add them to");
    return false;
  }

  YvObject *target = m->stack->pdata[height - 1];
  YvObject *items = items_of (m, target, kind);
  const uint32_t n_values = m->stack->len - height;
  if (!items || (kind == YV_OBJECT_DICT && n_values % 2)) {
    malformed (error, "%u values are added to a %s, expected %s", n_values,
               yv_object_kind_name (target),
               items                    ? "keys and values in pairs"
               : kind == YV_OBJECT_DICT ? "a dict"
                                        : "a list");
    return false;
  }
  for (uint32_t i = height; i < m->stack->len; i++)
    yv_pool_append (m->pool, items, m->stack->pdata[i]);
  g_ptr_array_set_size (m->stack, (int) height);
  return true;
}

static bool
op_append (Machine *m, GError **error)
{
  return need (m, 2, error) && add_items (m, YV_OBJECT_LIST, m->stack->len - 1, error);
}

static bool
op_appends (Machine *m, GError **error)
{
  uint32_t height;

  return pop_mark (m, &height, error) && add_items (m, YV_OBJECT_LIST, height, error);
}

static bool
op_setitem (Machine *m, GError **error)
{
  return need (m, 3, error) && add_items (m, YV_OBJECT_DICT, m->stack->len - 2, error);
}

static bool
op_setitems (Machine *m, GError **error)
{
  uint32_t height;

  return pop_mark (m, &height, error) && add_items (m, YV_OBJECT_DICT, height, error);
}

static bool
op_additems (Machine *m, GError **error)
{
  uint32_t height;

  return pop_mark (m, &height, error) && add_items (m, YV_OBJECT_SET, height, error);
}

/* ---- classes and instances ---- */

static bool
push_global (Machine *m, const char *module, const char *name, GError **error)
{
  return yv_global_check (module, name, error) && push (m, yv_pool_class (m->pool, module, name));
}

static char *
copy_global_part (YvSpan line, GError **error)
{
  if (line.size_bytes > 0 && line.size_bytes <= MAX_GLOBAL_CHARS &&
      g_utf8_validate ((const char *) line.data, (gssize) line.size_bytes, NULL))
    return g_strndup ((const char *) line.data, line.size_bytes);
  malformed (error, "the name of a class is empty, too long or not UTF-8");
  return NULL;
}

static bool
op_global (Machine *m, GError **error)
{
  YvSpan module_line, name_line;

  if (!take_line (m, &module_line, error) || !take_line (m, &name_line, error))
    return false;
  g_autofree char *module = copy_global_part (module_line, error);
  g_autofree char *name = module ? copy_global_part (name_line, error) : NULL;
  return name && push_global (m, module, name, error);
}

static bool
op_stack_global (Machine *m, GError **error)
{
  if (!need (m, 2, error))
    return false;

  const YvObject *name = pop (m);
  const YvObject *module = pop (m);
  if (name->kind != YV_OBJECT_STRING || module->kind != YV_OBJECT_STRING ||
      name->string.size_bytes - 1 >= MAX_GLOBAL_CHARS ||
      module->string.size_bytes - 1 >= MAX_GLOBAL_CHARS) {
    malformed (error, "the name of a class is empty, too long or no string");
    return false;
  }
  return push_global (m, module->string.text, name->string.text, error);
}

static bool
op_reduce (Machine *m, GError **error)
{
  if (!need (m, 2, error))
    return false;

  const YvObject *args = pop (m);
  const YvObject *callable = pop (m);
  YvObject *value = yv_call (m->pool, m->storages, callable, args, error);
  return value && push (m, value);
}

static bool
op_newobj_ex (Machine *m, GError **error)
{
  if (!need (m, 3, error))
    return false;
  pop (m); /* keyword arguments, which nothing that we read has */
  return op_reduce (m, error);
}

static bool
op_build (Machine *m, GError **error)
{
  if (!need (m, 2, error))
    return false;

  const YvObject *state = pop (m);
  YvObject *target = top (m);
  switch (target->kind) {
  case YV_OBJECT_INSTANCE:
    target->instance.state = state;
    return true;
  case YV_OBJECT_DICT:   /* an OrderedDict with attributes, e.g. a state dict's _metadata */
  case YV_OBJECT_TENSOR: /* a Parameter with attributes */
  case YV_OBJECT_LIST:
  case YV_OBJECT_TUPLE:
  case YV_OBJECT_SET:
    return true;
  case YV_OBJECT_NONE:
  case YV_OBJECT_BOOL:
  case YV_OBJECT_INT:
  case YV_OBJECT_FLOAT:
  case YV_OBJECT_STRING:
  case YV_OBJECT_BYTES:
  case YV_OBJECT_CLASS:
    break;
  }
  malformed (error, "a %s is given attributes", yv_object_kind_name (target));
  return false;
}

static bool
op_binpersid (Machine *m, GError **error)
{
  if (!need (m, 1, error))
    return false;

  YvObject *value = yv_storages_refer (m->storages, pop (m), error);
  return value && push (m, value);
}

/* ---- framing ---- */

static bool
op_proto (Machine *m, GError **error)
{
  uint8_t protocol;

  if (!take_u8 (m, &protocol, error))
    return false;
  if (protocol > MAX_PROTOCOL) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "pickle protocol %u, expected at most %d",
                 protocol, MAX_PROTOCOL);
    return false;
  }
  return true;
}

static bool
op_frame (Machine *m, GError **error)
{
  uint64_t size_bytes;

  if (!yv_span_take_u64 (&m->rest, &size_bytes) || size_bytes > m->rest.size_bytes)
    return fail_cut_off (error);
  return true;
}

static const Op ops[256] = {
    ['('] = op_mark,       ['0'] = op_pop,           ['1'] = op_pop_mark,
    ['2'] = op_dup,        ['F'] = op_float_text,    ['G'] = op_binfloat,
    ['I'] = op_int_text,   ['J'] = op_binint,        ['K'] = op_binint1,
    ['L'] = op_int_text,   ['M'] = op_binint2,       ['N'] = op_none,
    ['Q'] = op_binpersid,  ['R'] = op_reduce,        ['S'] = op_string_text,
    ['T'] = op_string_u32, ['U'] = op_string_u8,     ['V'] = op_unicode_text,
    ['X'] = op_string_u32, ['B'] = op_bytes_u32,     ['C'] = op_bytes_u8,
    ['a'] = op_append,     ['b'] = op_build,         ['c'] = op_global,
    ['d'] = op_dict,       ['}'] = op_empty_dict,    ['e'] = op_appends,
    ['g'] = op_get,        ['h'] = op_binget,        ['j'] = op_long_binget,
    ['l'] = op_list,       [']'] = op_empty_list,    ['p'] = op_put,
    ['q'] = op_binput,     ['r'] = op_long_binput,   ['s'] = op_setitem,
    ['t'] = op_tuple,      [')'] = op_empty_tuple,   ['u'] = op_setitems,
    [0x80] = op_proto,     [0x81] = op_reduce,       [0x85] = op_tuple1,
    [0x86] = op_tuple2,    [0x87] = op_tuple3,       [0x88] = op_true,
    [0x89] = op_false,     [0x8a] = op_long1,        [0x8b] = op_long4,
    [0x8c] = op_string_u8, [0x8d] = op_string_u64,   [0x8e] = op_bytes_u64,
    [0x8f] = op_empty_set, [0x90] = op_additems,     [0x91] = op_frozenset,
    [0x92] = op_newobj_ex, [0x93] = op_stack_global, [0x94] = op_memoize,
    [0x95] = op_frame,     [0x96] = op_bytes_u64,
};

static void
machine_init (Machine *m, YvSpan input, YvPool *pool, YvStorages *storages)
{
  *m = (Machine){
      .rest = input,
      .size_bytes = input.size_bytes,
      .pool = pool,
      .storages = storages,
      .stack = g_ptr_array_new (),
      .marks = g_array_new (FALSE, FALSE, sizeof (uint32_t)),
      .memo = g_ptr_array_new (),
      .none = yv_pool_object (pool, YV_OBJECT_NONE),
      .yes = yv_pool_object (pool, YV_OBJECT_BOOL),
      .no = yv_pool_object (pool, YV_OBJECT_BOOL),
  };
  m->yes->boolean = true;
}

static void
machine_clear (Machine *m)
{
  g_ptr_array_unref (m->stack);
  g_array_unref (m->marks);
  g_ptr_array_unref (m->memo);
}

static bool
run_op (Machine *m, uint8_t opcode, GError **error)
{
  if (!ops[opcode]) {
    malformed (error, "opcode 0x%02x, which no checkpoint uses", opcode);
    return false;
  }
  return ops[opcode](m, error);
}

/* Up to STOP. *op_offset is where the opcode at fault began. */
static const YvObject *
run (Machine *m, size_t *op_offset, GError **error)
{
  const size_t first_pool_bytes = yv_pool_size_bytes (m->pool) + MAX_GROWTH_SLACK_BYTES;

  for (uint32_t n_ops = 0; n_ops < MAX_OPS; n_ops++) {
    uint8_t opcode;
    *op_offset = n_bytes_read (m);
    if (!yv_span_take_u8 (&m->rest, &opcode)) {
      malformed (error, "the pickle ends without STOP");
      return NULL;
    }
    if (opcode == '.') {
      if (m->stack->len == 1 && m->marks->len == 0)
        return top (m);
      malformed (error, "the pickle leaves %u values on its stack, expected 1", m->stack->len);
      return NULL;
    }
    if (!run_op (m, opcode, error))
      return NULL;
    if (yv_pool_size_bytes (m->pool) > first_pool_bytes + n_bytes_read (m) * MAX_GROWTH) {
      malformed (error,
                 "the pickle describes values of more than %d times its size: it was made "
                 "to exhaust memory",
                 MAX_GROWTH);
      return NULL;
    }
  }
  malformed (error, "the pickle has more than %u opcodes", MAX_OPS);
  return NULL;
}

const YvObject *
yv_pickle_read (YvSpan *input, const char *name, YvPool *pool, YvStorages *storages, GError **error)
{
  size_t op_offset = 0;
  Machine m;

  YvSpan bounded = *input;
  bounded.size_bytes = MIN (bounded.size_bytes, MAX_PICKLE_BYTES);
  machine_init (&m, bounded, pool, storages);
  const YvObject *root = run (&m, &op_offset, error);
  if (root)
    yv_span_skip (input, n_bytes_read (&m));
  else
    g_prefix_error (error, "%s, byte %" G_GSIZE_FORMAT ": ", name, op_offset);
  machine_clear (&m);
  return root;
}
