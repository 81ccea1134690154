/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/classes.c - names and indices to a table of booleans.
 */
#include "engine/classes.h"

#include <string.h>

#include "engine/error.h"

/* What fits into a message that people still read. */
#define MAX_NAMES_TOLD 100

static bool
is_index (const char *text)
{
  return *text && strspn (text, "0123456789") == strlen (text);
}

static bool
find_class (const char *text, const char *const *names, uint32_t n_classes, uint32_t *index)
{
  if (is_index (text)) {
    const uint64_t value = g_ascii_strtoull (text, NULL, 10);

    *index = (uint32_t) MIN (value, UINT32_MAX);
    return value < n_classes;
  }
  for (*index = 0; *index < n_classes; (*index)++) {
    if (g_ascii_strcasecmp (text, names[*index]) == 0)
      return true;
  }
  return false;
}

static void
set_unknown_error (const char *text, const char *const *names, uint32_t n_classes, GError **error)
{
  GString *known = g_string_new (NULL);

  for (uint32_t i = 0; i < MIN (n_classes, MAX_NAMES_TOLD); i++)
    g_string_append_printf (known, "%s%u %s", i > 0 ? ", " : "", i, names[i]);
  if (n_classes > MAX_NAMES_TOLD)
    g_string_append_printf (known, " and %u more", n_classes - MAX_NAMES_TOLD);
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "classes: \"%s\" is no class of this model, which has: %s", text, known->str);
  g_string_free (known, TRUE);
}

bool
yv_classes_parse (const char *text, const char *const *names, uint32_t n_classes, bool **wanted,
                  GError **error)
{
  g_auto (GStrv) entries = g_strsplit (text ? text : "", ",", -1);
  g_autofree bool *parsed = g_new0 (bool, n_classes);
  uint32_t n_entries = 0;

  for (char **entry = entries; *entry; entry++) {
    uint32_t index;

    if (!*g_strstrip (*entry))
      continue;
    if (!find_class (*entry, names, n_classes, &index)) {
      set_unknown_error (*entry, names, n_classes, error);
      return false;
    }
    parsed[index] = true;
    n_entries++;
  }
  *wanted = n_entries > 0 ? g_steal_pointer (&parsed) : NULL;
  return true;
}
