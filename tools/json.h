/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/json.h - members of a JSON object in one call each.
 */
#pragma once

#include <stdint.h>

#include <json-glib/json-glib.h>

static inline void
json_add_number (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static inline void
json_add_count (JsonBuilder *json, const char *name, uint64_t value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, (gint64) value);
}

static inline void
json_add_text (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static inline void
json_add_flag (JsonBuilder *json, const char *name, gboolean value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_boolean_value (json, value);
}

/* The finished object as text, on one line or indented. Free with g_free(). */
static inline char *
json_finish (JsonBuilder *json, gboolean pretty)
{
  g_autoptr (JsonNode) root = json_builder_get_root (json);

  return json_to_string (root, pretty);
}
