/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/pickle.c - what each opcode of a pickle does. Their meaning is documented in
 * Python's pickletools module. */
#include "engine/checkpoint/pickle.h"

#include "engine/checkpoint/call.h"
#include "engine/checkpoint/global.h"
#include "engine/checkpoint/literal.h"
#include "engine/checkpoint/machine.h"
#include "engine/error.h"

#define MAX_PROTOCOL 5
#define MAX_PICKLE_BYTES ((size_t) 64 << 20) /* real ones have a few hundred kB */
#define MAX_OPS ((uint32_t) 4 << 20)         /* real ones have some 150 thousand */
#define MAX_LONG_BYTES 256
#define MAX_GLOBAL_CHARS 1024

/* No opcode makes values of more than some 40 times its own bytes, so this is met only by an
 * attempt to multiply values; see call.c on copies. */
#define MAX_GROWTH 128
#define MAX_GROWTH_SLACK_BYTES ((size_t) 1 << 20)

#define malformed(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

/* Runs an opcode; @arg is what tells it from others of its family in the table of opcodes. */
typedef bool (*Op) (YvMachine *m, uint32_t arg, GError **error);

/* ---- framing; arg: unused ---- */

static bool
op_proto (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  uint64_t protocol;

  if (!yv_machine_take_uint (m, 1, &protocol, error))
    return false;
  if (protocol > MAX_PROTOCOL) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "pickle protocol %" G_GUINT64_FORMAT ", expected at most %d", protocol,
                 MAX_PROTOCOL);
    return false;
  }
  return true;
}

static bool
op_frame (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  uint64_t size_bytes;

  if (!yv_machine_take_uint (m, 8, &size_bytes, error))
    return false;
  if (size_bytes > m->rest.size_bytes) {
    malformed (error, "a frame of %" G_GUINT64_FORMAT " bytes, %" G_GSIZE_FORMAT " are left",
               size_bytes, m->rest.size_bytes);
    return false;
  }
  return true;
}

/* ---- stack; arg: unused ---- */

static bool
op_mark (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  return yv_machine_push_mark (m, error);
}

static bool
op_pop (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  uint32_t height;

  /* Python's POP takes a mark that is on top. */
  if (m->marks->len && m->stack->len == yv_machine_floor (m))
    return yv_machine_pop_mark (m, &height, error);
  return yv_machine_need (m, 1, error) && yv_machine_pop (m);
}

static bool
op_pop_mark (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  uint32_t height;

  if (!yv_machine_pop_mark (m, &height, error))
    return false;
  g_ptr_array_set_size (m->stack, (int) height);
  return true;
}

static bool
op_dup (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  return yv_machine_need (m, 1, error) && yv_machine_push (m, yv_machine_top (m));
}

/* ---- memo; arg: the width of the index in bytes ---- */

static bool
op_put (YvMachine *m, uint32_t arg, GError **error)
{
  uint64_t index;

  return yv_machine_take_uint (m, arg, &index, error) && yv_machine_memoize (m, index, error);
}

static bool
op_get (YvMachine *m, uint32_t arg, GError **error)
{
  uint64_t index;

  return yv_machine_take_uint (m, arg, &index, error) && yv_machine_recall (m, index, error);
}

static bool
op_memoize (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  return yv_machine_memoize (m, m->memo->len, error);
}

static bool
take_index_line (YvMachine *m, uint64_t *index, GError **error)
{
  YvSpan line;
  double number;

  if (!yv_machine_take_line (m, &line, error))
    return false;
  if (!yv_object_get_number (yv_literal_int_text (m->pool, line), &number) || number < 0 ||
      number > G_MAXINT) {
    malformed (error, "a memo index is no number");
    return false;
  }
  *index = (uint64_t) number;
  return true;
}

static bool
op_put_text (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  uint64_t index;

  return take_index_line (m, &index, error) && yv_machine_memoize (m, index, error);
}

static bool
op_get_text (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  uint64_t index;

  return take_index_line (m, &index, error) && yv_machine_recall (m, index, error);
}

/* ---- constants and numbers ---- */

static bool
op_none (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg, (void) error;
  return yv_machine_push (m, m->none);
}

/* arg: the value */
static bool
op_bool (YvMachine *m, uint32_t arg, GError **error)
{
  (void) error;
  return yv_machine_push (m, arg ? m->yes : m->no);
}

/* arg: the width in bytes; only that of 4 is signed */
static bool
op_int (YvMachine *m, uint32_t arg, GError **error)
{
  uint64_t bits;

  if (!yv_machine_take_uint (m, arg, &bits, error))
    return false;
  const int64_t value = arg == 4 ? (int32_t) (uint32_t) bits : (int64_t) bits;
  return yv_machine_push (m, yv_pool_int (m->pool, value));
}

/* arg: the width of the length in bytes */
static bool
op_long (YvMachine *m, uint32_t arg, GError **error)
{
  YvSpan bytes;

  if (!yv_machine_take_counted (m, arg, &bytes, error))
    return false;
  if (bytes.size_bytes > MAX_LONG_BYTES) {
    malformed (error, "an integer of %" G_GSIZE_FORMAT " bytes, the limit is %d", bytes.size_bytes,
               MAX_LONG_BYTES);
    return false;
  }
  return yv_machine_push (m, yv_literal_long (m->pool, bytes));
}

static bool
op_float (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  double value;

  return yv_machine_take_f64_be (m, &value, error) &&
         yv_machine_push (m, yv_pool_float (m->pool, value));
}

/* ---- texts ---- */

/* arg: the width of the length in bytes */
static bool
op_string (YvMachine *m, uint32_t arg, GError **error)
{
  YvSpan text;

  return yv_machine_take_counted (m, arg, &text, error) &&
         yv_machine_push (m, yv_pool_string (m->pool, text.data, text.size_bytes));
}

static bool
op_bytes (YvMachine *m, uint32_t arg, GError **error)
{
  YvSpan bytes;

  return yv_machine_take_counted (m, arg, &bytes, error) &&
         yv_machine_push (m, yv_pool_bytes (m->pool, bytes.data, bytes.size_bytes));
}

/* arg: the opcode; protocol 0 */
static bool
op_text_form (YvMachine *m, uint32_t arg, GError **error)
{
  YvSpan line;
  YvObject *value;

  if (!yv_machine_take_line (m, &line, error))
    return false;
  if (arg == 'F')
    value = yv_literal_float_text (m->pool, line);
  else if (arg == 'S')
    value = yv_literal_quoted_text (m->pool, line);
  else if (arg == 'V')
    value = yv_literal_unicode_text (m->pool, line);
  else
    value = yv_literal_int_text (m->pool, line);
  if (!value) {
    malformed (error, "the text of %s is not one",
               arg == 'F'   ? "a float"
               : arg == 'S' ? "a string"
                            : "an integer");
    return false;
  }
  return yv_machine_push (m, value);
}

/* ---- containers; arg: a YvObjectKind ---- */

static bool
op_empty (YvMachine *m, uint32_t arg, GError **error)
{
  (void) error;
  return yv_machine_push (m, yv_pool_object (m->pool, (YvObjectKind) arg));
}

static bool
op_collect (YvMachine *m, uint32_t arg, GError **error)
{
  uint32_t height;

  if (!yv_machine_pop_mark (m, &height, error))
    return false;
  if (arg == YV_OBJECT_DICT && (m->stack->len - height) % 2) {
    malformed (error, "a dict is made of a key without a value");
    return false;
  }
  return yv_machine_push (m, yv_machine_collect (m, (YvObjectKind) arg, height));
}

/* arg: the number of items */
static bool
op_short_tuple (YvMachine *m, uint32_t arg, GError **error)
{
  return yv_machine_need (m, arg, error) &&
         yv_machine_push (m, yv_machine_collect (m, YV_OBJECT_TUPLE, m->stack->len - arg));
}

/* Where items of @kind go that are added to @target: into itself, or, for a class derived from list
 * or dict, beside its state. NULL where it takes none. */
static YvObject *
items_of (YvMachine *m, YvObject *target, YvObjectKind kind)
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
add_items (YvMachine *m, YvObjectKind kind, uint32_t height, GError **error)
{
  if (height == yv_machine_floor (m)) {
    malformed (error, "items without a container to add them to");
    return false;
  }

  YvObject *target = m->stack->pdata[height - 1];
  YvObject *items = items_of (m, target, kind);
  const uint32_t n_values = m->stack->len - height;
  if (!items || (kind == YV_OBJECT_DICT && n_values % 2)) {
    malformed (error, "%u values are added to what is of kind %s, expected %s", n_values,
               yv_object_kind_name (target),
               items                    ? "keys and values"
               : kind == YV_OBJECT_DICT ? "dict"
                                        : "list");
    return false;
  }
  for (uint32_t i = height; i < m->stack->len; i++)
    yv_pool_append (m->pool, items, m->stack->pdata[i]);
  g_ptr_array_set_size (m->stack, (int) height);
  return true;
}

static bool
op_add_items (YvMachine *m, uint32_t arg, GError **error)
{
  uint32_t height;

  return yv_machine_pop_mark (m, &height, error) &&
         add_items (m, (YvObjectKind) arg, height, error);
}

static bool
op_add_item (YvMachine *m, uint32_t arg, GError **error)
{
  const uint32_t n_values = arg == YV_OBJECT_DICT ? 2 : 1;

  return yv_machine_need (m, n_values + 1, error) &&
         add_items (m, (YvObjectKind) arg, m->stack->len - n_values, error);
}

/* ---- classes and instances; arg: unused ---- */

static bool
push_global (YvMachine *m, const char *module, const char *name, GError **error)
{
  return yv_global_check (module, name, error) &&
         yv_machine_push (m, yv_pool_class (m->pool, module, name));
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
op_global (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  YvSpan module_line, name_line;

  if (!yv_machine_take_line (m, &module_line, error) ||
      !yv_machine_take_line (m, &name_line, error))
    return false;
  g_autofree char *module = copy_global_part (module_line, error);
  g_autofree char *name = module ? copy_global_part (name_line, error) : NULL;
  return name && push_global (m, module, name, error);
}

static bool
is_global_part (const YvObject *object)
{
  return object->kind == YV_OBJECT_STRING && object->string.size_bytes > 0 &&
         object->string.size_bytes <= MAX_GLOBAL_CHARS;
}

static bool
op_stack_global (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  if (!yv_machine_need (m, 2, error))
    return false;

  const YvObject *name = yv_machine_pop (m);
  const YvObject *module = yv_machine_pop (m);
  if (!is_global_part (name) || !is_global_part (module)) {
    malformed (error, "the name of a class is empty, too long or no string");
    return false;
  }
  return push_global (m, module->string.text, name->string.text, error);
}

static bool
op_call (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  if (!yv_machine_need (m, 2, error))
    return false;

  const YvObject *args = yv_machine_pop (m);
  const YvObject *callable = yv_machine_pop (m);
  YvObject *value = yv_call (m->pool, m->storages, callable, args, error);
  return value && yv_machine_push (m, value);
}

static bool
op_call_with_keywords (YvMachine *m, uint32_t arg, GError **error)
{
  if (!yv_machine_need (m, 3, error))
    return false;
  yv_machine_pop (m); /* the keywords, which nothing that we read has */
  return op_call (m, arg, error);
}

static bool
op_build (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  if (!yv_machine_need (m, 2, error))
    return false;

  const YvObject *state = yv_machine_pop (m);
  YvObject *target = yv_machine_top (m);
  /* An OrderedDict (a state dict has _metadata) or a Parameter may have attributes too. */
  const bool takes_any = target->kind >= YV_OBJECT_LIST && target->kind <= YV_OBJECT_TENSOR;
  if (target->kind == YV_OBJECT_INSTANCE)
    target->instance.state = state;
  else if (!takes_any)
    malformed (error, "what is of kind %s is given attributes", yv_object_kind_name (target));
  return takes_any || target->kind == YV_OBJECT_INSTANCE;
}

static bool
op_persistent_id (YvMachine *m, uint32_t arg, GError **error)
{
  (void) arg;
  if (!yv_machine_need (m, 1, error))
    return false;

  YvObject *value = yv_storages_refer (m->storages, yv_machine_pop (m), error);
  return value && yv_machine_push (m, value);
}

/* All opcodes but STOP. Those without a row (EXT, INST, OBJ, PERSID, out-of-band buffers) would
 * need what a file does not hold, and torch writes none. */
static const struct {
  Op run;
  uint32_t arg;
} ops[256] = {
    [0x80] = {op_proto, 0},
    [0x95] = {op_frame, 0},
    ['('] = {op_mark, 0},
    ['0'] = {op_pop, 0},
    ['1'] = {op_pop_mark, 0},
    ['2'] = {op_dup, 0},
    ['q'] = {op_put, 1},
    ['r'] = {op_put, 4},
    ['p'] = {op_put_text, 0},
    [0x94] = {op_memoize, 0},
    ['h'] = {op_get, 1},
    ['j'] = {op_get, 4},
    ['g'] = {op_get_text, 0},
    ['N'] = {op_none, 0},
    [0x88] = {op_bool, true},
    [0x89] = {op_bool, false},
    ['K'] = {op_int, 1},
    ['M'] = {op_int, 2},
    ['J'] = {op_int, 4},
    [0x8a] = {op_long, 1},
    [0x8b] = {op_long, 4},
    ['G'] = {op_float, 0},
    ['U'] = {op_string, 1},
    [0x8c] = {op_string, 1},
    ['T'] = {op_string, 4},
    ['X'] = {op_string, 4},
    [0x8d] = {op_string, 8},
    ['C'] = {op_bytes, 1},
    ['B'] = {op_bytes, 4},
    [0x8e] = {op_bytes, 8},
    [0x96] = {op_bytes, 8},
    ['I'] = {op_text_form, 'I'},
    ['L'] = {op_text_form, 'L'},
    ['F'] = {op_text_form, 'F'},
    ['S'] = {op_text_form, 'S'},
    ['V'] = {op_text_form, 'V'},
    [']'] = {op_empty, YV_OBJECT_LIST},
    [')'] = {op_empty, YV_OBJECT_TUPLE},
    ['}'] = {op_empty, YV_OBJECT_DICT},
    [0x8f] = {op_empty, YV_OBJECT_SET},
    ['l'] = {op_collect, YV_OBJECT_LIST},
    ['t'] = {op_collect, YV_OBJECT_TUPLE},
    ['d'] = {op_collect, YV_OBJECT_DICT},
    [0x91] = {op_collect, YV_OBJECT_SET},
    [0x85] = {op_short_tuple, 1},
    [0x86] = {op_short_tuple, 2},
    [0x87] = {op_short_tuple, 3},
    ['a'] = {op_add_item, YV_OBJECT_LIST},
    ['s'] = {op_add_item, YV_OBJECT_DICT},
    ['e'] = {op_add_items, YV_OBJECT_LIST},
    ['u'] = {op_add_items, YV_OBJECT_DICT},
    [0x90] = {op_add_items, YV_OBJECT_SET},
    ['c'] = {op_global, 0},
    [0x93] = {op_stack_global, 0},
    ['R'] = {op_call, 0},
    [0x81] = {op_call, 0},
    [0x92] = {op_call_with_keywords, 0},
    ['b'] = {op_build, 0},
    ['Q'] = {op_persistent_id, 0},
};

static bool
run_op (YvMachine *m, uint8_t opcode, GError **error)
{
  if (!ops[opcode].run) {
    malformed (error, "opcode 0x%02x, which no checkpoint uses", opcode);
    return false;
  }
  return ops[opcode].run (m, ops[opcode].arg, error);
}

static const YvObject *
stop (const YvMachine *m, GError **error)
{
  if (m->stack->len == 1 && m->marks->len == 0)
    return yv_machine_top (m);
  malformed (error, "the pickle leaves %u values and %u marks on its stack, expected 1 value",
             m->stack->len, m->marks->len);
  return NULL;
}

/* Up to STOP. *op_offset is where the opcode at fault began. */
static const YvObject *
run (YvMachine *m, size_t *op_offset, GError **error)
{
  const size_t first_pool_bytes = yv_pool_size_bytes (m->pool) + MAX_GROWTH_SLACK_BYTES;

  for (uint32_t n_ops = 0; n_ops < MAX_OPS; n_ops++) {
    uint8_t opcode;
    *op_offset = yv_machine_n_read (m);
    if (!yv_span_take_u8 (&m->rest, &opcode)) {
      malformed (error, "the pickle ends without STOP");
      return NULL;
    }
    if (opcode == '.')
      return stop (m, error);
    if (!run_op (m, opcode, error))
      return NULL;
    if (!yv_pool_check (m->pool, error))
      return NULL;
    if (yv_pool_size_bytes (m->pool) > first_pool_bytes + yv_machine_n_read (m) * MAX_GROWTH) {
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
  YvMachine m;
  YvSpan bounded = *input;

  bounded.size_bytes = MIN (bounded.size_bytes, MAX_PICKLE_BYTES);
  yv_machine_init (&m, bounded, pool, storages);
  const YvObject *root = run (&m, &op_offset, error);
  if (root)
    yv_span_skip (input, yv_machine_n_read (&m));
  else
    g_prefix_error (error, "%s, byte %" G_GSIZE_FORMAT ": ", name, op_offset);
  yv_machine_clear (&m);
  return root;
}
