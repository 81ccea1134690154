/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/config.h - settings out of a YAML file, with messages that name file and line.
 *
 * In:    a file that a person wrote, or a text from the network.
 * Out:   its tree (common/yaml.h), and values out of that, each within its range.
 * Next:  cameraconfig.h reads cameras; each program reads the keys of its own.
 *
 * All errors are of YV_ERROR and begin with "FILE:LINE: "; a value that may be secret is never in
 * one. Pure but for config_read(). Threads: any.
 */
#pragma once

#include "common/yaml.h"

G_BEGIN_DECLS

/* Returns: (transfer full): the tree of a file whose root is a mapping; NULL with an error. */
YvYaml *config_read (const char *path, GError **error);

/* The same of a text: @file is what to call it. */
YvYaml *config_parse (const char *text, size_t size_bytes, const char *file, GError **error);

/**
 * config_check_keys:
 * @what: "a camera", for the message
 * @known: (array zero-terminated=1)
 *
 * Returns: false where @map is no mapping, or has a key that is not @known, not a text, or there
 * twice.
 */
bool config_check_keys (const char *file, const YvYaml *map, const char *what,
                        const char *const *known, GError **error);

/* Each reads the value of @key, which the message names. @node: (nullable): the value is not
 * given, and @value stays as it is. Returns: false with an error, and @value as it was. */

/* A text that is not empty; borrowed from @node. */
bool config_text (const char *file, const char *key, const YvYaml *node, const char **value,
                  GError **error);

/* A whole number of @min .. @max. */
bool config_number (const char *file, const char *key, const YvYaml *node, gint64 min, gint64 max,
                    gint64 *value, GError **error);

/* true or false */
bool config_bool (const char *file, const char *key, const YvYaml *node, bool *value,
                  GError **error);

/* One of @choices (zero-terminated): its index. */
bool config_choice (const char *file, const char *key, const YvYaml *node,
                    const char *const *choices, guint *value, GError **error);

/* Whether @text could be a URI with a password, wherever somebody wrote it by mistake: no message
 * shows it then. */
bool config_may_be_secret (const char *text);

/* Returns: (transfer full): as yv_yaml_describe(), but of what may be secret that it is. */
char *config_describe (const YvYaml *node);

/* Returns: (transfer full): an excerpt of @text in quotes, but of what may be secret that it is. */
char *config_quote (const char *text);

/* As yv_check_is_file(), but a path that may be secret is not in the message. */
bool config_check_file (const char *path, const char *expected, GError **error);

/* Returns: (transfer full): @path, or where it is relative, beside @file. */
char *config_path (const char *file, const char *path);

G_END_DECLS
