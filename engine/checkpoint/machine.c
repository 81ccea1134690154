/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/machine.c - the state of a pickle that is being read: input, stack, marks,
 * memo.
 */
#include "engine/checkpoint/machine.h"

#include <string.h>

#include "engine/error.h"

#define MAX_MARKS 1000              /* real ones nest some ten deep */
#define MAX_MEMO ((size_t) 4 << 20) /* as many as there may be opcodes */
#define MAX_STRING_BYTES ((size_t) 16 << 20)

#define malformed(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

void
yv_machine_init (YvMachine *m, YvSpan input, YvPool *pool, YvStorages *storages)
{
  *m = (YvMachine){
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

void
yv_machine_clear (YvMachine *m)
{
  g_ptr_array_unref (m->stack);
  g_array_unref (m->marks);
  g_ptr_array_unref (m->memo);
}

size_t
yv_machine_n_read (const YvMachine *m)
{
  return m->size_bytes - m->rest.size_bytes;
}

static bool
fail_cut_off (GError **error)
{
  malformed (error, "the pickle ends in the middle of an opcode");
  return false;
}

bool
yv_machine_take_uint (YvMachine *m, uint32_t n_bytes, uint64_t *out, GError **error)
{
  YvSpan bytes;

  if (!yv_span_take (&m->rest, n_bytes, &bytes))
    return fail_cut_off (error);
  *out = 0;
  for (uint32_t i = n_bytes; i-- > 0;)
    *out = *out << 8 | bytes.data[i];
  return true;
}

bool
yv_machine_take_f64_be (YvMachine *m, double *out, GError **error)
{
  return yv_span_take_f64_be (&m->rest, out) || fail_cut_off (error);
}

bool
yv_machine_take_line (YvMachine *m, YvSpan *out, GError **error)
{
  if (!yv_span_take_line (&m->rest, out))
    return fail_cut_off (error);
  if (out->size_bytes && out->data[out->size_bytes - 1] == '\r')
    out->size_bytes--;
  return true;
}

bool
yv_machine_take_counted (YvMachine *m, uint32_t n_length_bytes, YvSpan *out, GError **error)
{
  uint64_t size_bytes;

  if (!yv_machine_take_uint (m, n_length_bytes, &size_bytes, error))
    return false;
  if (size_bytes > MAX_STRING_BYTES) {
    malformed (error, "a string of %" G_GUINT64_FORMAT " bytes, the limit is %" G_GSIZE_FORMAT,
               size_bytes, MAX_STRING_BYTES);
    return false;
  }
  return yv_span_take (&m->rest, size_bytes, out) || fail_cut_off (error);
}

bool
yv_machine_push (YvMachine *m, YvObject *value)
{
  g_ptr_array_add (m->stack, value);
  return true;
}

bool
yv_machine_need (const YvMachine *m, uint32_t n_values, GError **error)
{
  const uint32_t n_available = m->stack->len - yv_machine_floor (m);

  if (n_available >= n_values)
    return true;
  malformed (error, "an opcode needs %u values, the stack has %u", n_values, n_available);
  return false;
}

YvObject *
yv_machine_top (const YvMachine *m)
{
  g_assert (m->stack->len > 0);
  return g_ptr_array_index (m->stack, m->stack->len - 1);
}

YvObject *
yv_machine_pop (YvMachine *m)
{
  YvObject *value = yv_machine_top (m);

  g_ptr_array_set_size (m->stack, (int) m->stack->len - 1);
  return value;
}

uint32_t
yv_machine_floor (const YvMachine *m)
{
  return m->marks->len ? g_array_index (m->marks, uint32_t, m->marks->len - 1) : 0;
}

bool
yv_machine_push_mark (YvMachine *m, GError **error)
{
  const uint32_t height = m->stack->len;

  if (m->marks->len == MAX_MARKS) {
    malformed (error, "values nest more than %d deep", MAX_MARKS);
    return false;
  }
  g_array_append_val (m->marks, height);
  return true;
}

bool
yv_machine_pop_mark (YvMachine *m, uint32_t *height, GError **error)
{
  if (m->marks->len == 0) {
    malformed (error, "an opcode needs a mark, the stack has none");
    return false;
  }
  *height = yv_machine_floor (m);
  g_array_set_size (m->marks, m->marks->len - 1);
  return true;
}

YvObject *
yv_machine_collect (YvMachine *m, YvObjectKind kind, uint32_t height)
{
  YvObject *sequence = yv_pool_object (m->pool, kind);
  const uint32_t n_items = m->stack->len - height;
  YvObject **items = n_items ? yv_pool_try_alloc (m->pool, n_items * sizeof *items) : NULL;

  if (items) {
    memcpy (items, m->stack->pdata + height, n_items * sizeof *items);
    sequence->sequence.items = items;
    sequence->sequence.n_items = n_items;
    sequence->sequence.n_reserved = n_items;
  }
  g_ptr_array_set_size (m->stack, (int) height);
  return sequence;
}

bool
yv_machine_memoize (YvMachine *m, uint64_t index, GError **error)
{
  if (!yv_machine_need (m, 1, error))
    return false;
  /* Writers count up from 0, so an index beyond the bytes so far is a try to exhaust memory. */
  if (index >= MIN (yv_machine_n_read (m), MAX_MEMO)) {
    malformed (error, "memo index %" G_GUINT64_FORMAT ", expected one in order", index);
    return false;
  }
  if (index >= m->memo->len)
    g_ptr_array_set_size (m->memo, (int) index + 1);
  m->memo->pdata[index] = yv_machine_top (m);
  return true;
}

bool
yv_machine_recall (YvMachine *m, uint64_t index, GError **error)
{
  YvObject *value = index < m->memo->len ? m->memo->pdata[index] : NULL;

  if (!value) {
    malformed (error, "memo index %" G_GUINT64_FORMAT " was never set", index);
    return false;
  }
  return yv_machine_push (m, value);
}
