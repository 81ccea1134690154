/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/way.c - ways as text, and the table of them. */
#include "engine/plan/way.h"

#include <stdio.h>
#include <string.h>

#define WINOGRAD "winograd "
#define MAX_LINES 16384 /* of a file: many models in many sizes */

struct _YvWays {
  GMutex lock;         /* of all that follows */
  GHashTable *entries; /* owned "1 of SHAPE", and SHAPE for the first of them -> owned Entry */
  GHashTable *refused; /* owned "SHAPE ! WAY" */
  bool has_for_all;
  YvWay for_all;
};

typedef struct {
  YvWay way;
  bool is_measured;
} Entry;

/* ---- one way --------------------------------------------------------------------------------- */

char *
yv_way_print (const YvWay *way)
{
  const char *winograd = way->winograd ? WINOGRAD : "", *kernel = yv_kernel_name (way->kernel);

  if (way->tile_pixels == 0)
    return g_strconcat (winograd, kernel, NULL);
  return g_strdup_printf ("%s%s %ux%u", winograd, kernel, way->tile_pixels, way->tile_channels);
}

static bool
find_kernel (const char *name, YvKernel *out)
{
  for (uint32_t i = 0; i < YV_N_KERNELS; i++) {
    if (strcmp (yv_kernel_name ((YvKernel) i), name) == 0) {
      *out = (YvKernel) i;
      return true;
    }
  }
  return false;
}

bool
yv_way_parse (const char *text, YvWay *out)
{
  YvWay way = {.winograd = g_str_has_prefix (text, WINOGRAD)};
  char name[32] = "";

  if (sscanf (text + (way.winograd ? strlen (WINOGRAD) : 0), "%31s %9ux%9u", name, &way.tile_pixels,
              &way.tile_channels) < 1 ||
      !find_kernel (name, &way.kernel))
    return false;

  /* sscanf() takes more than is printed: signs, spaces, an end that is no number. */
  g_autofree char *again = yv_way_print (&way);
  if (strcmp (again, text) != 0)
    return false;
  *out = way;
  return true;
}

bool
yv_way_equal (const YvWay *a, const YvWay *b)
{
  return yv_way_same_sums (a, b) && a->tile_pixels == b->tile_pixels &&
         a->tile_channels == b->tile_channels;
}

bool
yv_way_same_sums (const YvWay *a, const YvWay *b)
{
  return a->kernel == b->kernel && a->winograd == b->winograd;
}

/* The activation and what else is done as the output is stored. */
static char *
print_epilogue (const YvNode *node)
{
  const char *act = yv_act_name (node->act.kind), *doubled = node->conv.is_doubled ? " x2" : "";

  if (node->n_inputs == 1)
    return g_strconcat (act, doubled, NULL);
  return node->conv.act_last ? g_strconcat ("add+", act, doubled, NULL)
                             : g_strconcat (act, "+add", doubled, NULL);
}

char *
yv_way_shape (const YvNode *node, const YvOperand *src, const YvOperand *dst)
{
  const YvWeight *weight = node->conv.weight;
  const uint32_t factor = node->conv.is_doubled ? 2 : 1;
  g_autofree char *epilogue = print_epilogue (node);

  return g_strdup_printf (
      "%s>%s %ux%u/%u,%u+%u,%u %u>%u g%u %ux%u>%ux%u %s", yv_dtype_name (src->dtype),
      yv_dtype_name (dst->dtype), weight->kernel_h, weight->kernel_w, node->conv.stride_h,
      node->conv.stride_w, node->conv.pad_h, node->conv.pad_w, weight->c_in, weight->c_out,
      weight->groups, src->h, src->w, dst->h / factor, dst->w / factor, epilogue);
}

/* ---- the table ------------------------------------------------------------------------------- */

YvWays *
yv_ways_new (void)
{
  YvWays *ways = g_new0 (YvWays, 1);

  g_mutex_init (&ways->lock);
  ways->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  ways->refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return ways;
}

void
yv_ways_free (YvWays *ways)
{
  if (!ways)
    return;
  g_hash_table_unref (ways->refused);
  g_hash_table_unref (ways->entries);
  g_mutex_clear (&ways->lock);
  g_free (ways);
}

static char *
key_of (const char *shape, uint32_t n_images)
{
  return g_strdup_printf ("%u of %s", n_images, shape);
}

static char *
refusal_of (const char *shape, const YvWay *way)
{
  g_autofree char *text = yv_way_print (way);

  return g_strconcat (shape, " ! ", text, NULL);
}

static gboolean
is_entry_of (gpointer key, gpointer entry G_GNUC_UNUSED, gpointer shape)
{
  const char *of = strstr (key, " of ");

  return strcmp (of ? of + strlen (" of ") : key, shape) == 0;
}

static gboolean
is_refusal_of (gpointer line, gpointer value G_GNUC_UNUSED, gpointer shape)
{
  const size_t length = strlen (shape);

  return strncmp (line, shape, length) == 0 && g_str_has_prefix ((char *) line + length, " ! ");
}

static void
set_locked (YvWays *ways, char *key, const YvWay *way, bool is_measured)
{
  const Entry entry = {*way, is_measured};

  g_hash_table_insert (ways->entries, key, g_memdup2 (&entry, sizeof entry));
}

static void
add (YvWays *ways, const char *shape, uint32_t n_images, const YvWay *way, bool is_measured)
{
  g_autofree char *refusal = refusal_of (shape, way);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);
  const Entry *first = g_hash_table_lookup (ways->entries, shape);

  if (first && !yv_way_same_sums (&first->way, way)) {
    g_hash_table_foreach_remove (ways->entries, is_entry_of, (gpointer) shape);
    first = NULL;
  }
  if (!first)
    set_locked (ways, g_strdup (shape), way, is_measured);
  set_locked (ways, key_of (shape, n_images), way, is_measured);
  g_hash_table_remove (ways->refused, refusal);
}

void
yv_ways_add (YvWays *ways, const char *shape, uint32_t n_images, const YvWay *way)
{
  add (ways, shape, n_images, way, true);
}

void
yv_ways_keep (YvWays *ways, const char *shape, uint32_t n_images, const YvWay *way)
{
  add (ways, shape, n_images, way, false);
}

bool
yv_ways_find (YvWays *ways, const char *shape, uint32_t n_images, YvWay *out)
{
  g_autofree char *key = key_of (shape, n_images);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);
  const Entry *entry = g_hash_table_lookup (ways->entries, key);

  if (!entry)
    entry = g_hash_table_lookup (ways->entries, shape);
  if (!entry && !ways->has_for_all)
    return false;
  *out = entry ? entry->way : ways->for_all;
  return true;
}

bool
yv_ways_has (YvWays *ways, const char *shape, uint32_t n_images)
{
  g_autofree char *key = key_of (shape, n_images);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);

  return g_hash_table_contains (ways->entries, key);
}

void
yv_ways_set_for_all (YvWays *ways, const YvWay *way)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);

  ways->for_all = *way;
  ways->has_for_all = true;
}

void
yv_ways_refuse (YvWays *ways, const char *shape, const YvWay *way)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);

  g_hash_table_add (ways->refused, refusal_of (shape, way));
}

bool
yv_ways_refused (YvWays *ways, const char *shape, const YvWay *way)
{
  g_autofree char *line = refusal_of (shape, way);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);

  return g_hash_table_contains (ways->refused, line);
}

void
yv_ways_forget (YvWays *ways, const char *shape)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);

  g_hash_table_foreach_remove (ways->entries, is_entry_of, (gpointer) shape);
  g_hash_table_foreach_remove (ways->refused, is_refusal_of, (gpointer) shape);
}

void
yv_ways_copy (YvWays *to, YvWays *from, const char *shape)
{
  g_autoptr (GMutexLocker) locker = NULL;
  GHashTableIter iter;
  gpointer key, value;

  yv_ways_forget (to, shape);
  locker = g_mutex_locker_new (&from->lock);
  g_hash_table_iter_init (&iter, from->entries);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (is_entry_of (key, NULL, (gpointer) shape))
      set_locked (to, g_strdup (key), &((Entry *) value)->way, ((Entry *) value)->is_measured);
  g_hash_table_iter_init (&iter, from->refused);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (is_refusal_of (key, NULL, (gpointer) shape))
      g_hash_table_add (to->refused, g_strdup (key));
}

/* ---- as text --------------------------------------------------------------------------------- */

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The first entry of a shape comes back with those for numbers of images, all of its kernel. */
static GPtrArray *
lines_of (YvWays *ways)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&ways->lock);
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, ways->entries);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    const Entry *entry = value;
    g_autofree char *way = yv_way_print (&entry->way);

    if (entry->is_measured && strstr (key, " of "))
      g_ptr_array_add (lines, g_strconcat (key, " = ", way, NULL));
  }
  g_hash_table_iter_init (&iter, ways->refused);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (lines, g_strdup (key));
  g_ptr_array_sort (lines, compare_lines);
  return lines;
}

char *
yv_ways_print (YvWays *ways)
{
  g_autoptr (GPtrArray) lines = lines_of (ways);
  GString *text = g_string_new (NULL);

  for (uint32_t i = 0; i < lines->len; i++)
    g_string_append_printf (text, "%s\n", (char *) g_ptr_array_index (lines, i));
  return g_string_free (text, FALSE);
}

/* "4 of SHAPE = WAY" or "SHAPE ! WAY". A shape is taken as it is: one that no convolution has does
 * nothing. */
static bool
parse_line (YvWays *ways, const char *line)
{
  g_auto (GStrv) sides = g_strsplit (line, " = ", 3);
  g_auto (GStrv) refused = g_strsplit (line, " ! ", 3);
  guint64 n_images;
  YvWay way;

  if (g_strv_length (refused) == 2 && yv_way_parse (refused[1], &way)) {
    yv_ways_refuse (ways, refused[0], &way);
    return true;
  }
  if (g_strv_length (sides) != 2 || !yv_way_parse (sides[1], &way))
    return false;

  const char *of = strstr (sides[0], " of ");
  g_autofree char *number = of ? g_strndup (sides[0], (gsize) (of - sides[0])) : NULL;
  if (!of || !g_ascii_string_to_unsigned (number, 10, 1, UINT32_MAX, &n_images, NULL))
    return false;
  const char *shape = of + strlen (" of ");
  if (strstr (shape, " of ")) /* is_entry_of() would find another one */
    return false;
  yv_ways_add (ways, shape, (uint32_t) n_images, &way);
  return true;
}

static bool
parse_lines (YvWays *ways, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", MAX_LINES + 2);
  const guint n = g_strv_length (lines);

  if (n == 0)
    return true;
  if (n > MAX_LINES + 1 || *lines[n - 1] != '\0') /* the last one ends, too */
    return false;
  for (guint i = 0; i + 1 < n; i++)
    if (!parse_line (ways, lines[i]))
      return false;
  return true;
}

bool
yv_ways_parse (YvWays *ways, const char *text)
{
  g_autoptr (YvWays) trial = yv_ways_new ();

  return parse_lines (trial, text) && parse_lines (ways, text);
}
