/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/yaml.h - a yaml text as a tree of nodes, each with its line.
 *
 * The only user of libyaml. A description of a model or of a data set is small and plain, so what
 * could make a small text large is refused: aliases, deep nesting, more than one document. Nothing
 * is interpreted here: whether "1" is a number is decided by who asked.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

#define YV_YAML_MAX_BYTES (1024 * 1024)
#define YV_YAML_MAX_NODES 200000
#define YV_YAML_MAX_DEPTH 16

typedef enum {
  YV_YAML_SCALAR,
  YV_YAML_SEQUENCE,
  YV_YAML_MAPPING,
} YvYamlKind;

typedef struct {
  YvYamlKind kind;
  uint32_t line;    /* from 1 */
  char *text;       /* SCALAR: valid UTF-8 */
  bool plain;       /* SCALAR: written without quotes */
  GPtrArray *items; /* SEQUENCE: of YvYaml *; MAPPING: key, value, key, value ... */
} YvYaml;

/**
 * yv_yaml_parse:
 * @file: what to call the text in messages
 *
 * Returns: (transfer full): the root of the one document, or NULL with YV_ERROR_MALFORMED,
 * "FILE:LINE: ...".
 */
YvYaml *yv_yaml_parse (const char *text, size_t size_bytes, const char *file, GError **error);

void yv_yaml_free (YvYaml *node); /* NULL ok */

/* The value under a scalar key, NULL where there is none or @node is no mapping. */
const YvYaml *yv_yaml_get (const YvYaml *node, const char *key);

/* "a mapping", "a sequence", or the scalar in quotes, cut short; for messages. Free with
 * g_free(). */
char *yv_yaml_describe (const YvYaml *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvYaml, yv_yaml_free)

G_END_DECLS
