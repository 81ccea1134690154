/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/oracle.h - the cases of tests/golden/eval-oracle.json, whose figures numpy computed.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "tools/eval/label.h"

G_BEGIN_DECLS

typedef struct {
  JsonParser *parser; /* owned */
  JsonArray *cases;   /* the parser's */
} Oracle;

void oracle_init (Oracle *oracle);
void oracle_clear (Oracle *oracle);

uint32_t oracle_n_classes (const Oracle *oracle, uint32_t index);

/* Calls @add with each image of a case, the last one first: the order must not matter. */
void oracle_add_images (const Oracle *oracle, uint32_t index,
                        void (*add) (gpointer metric, const EvalImage *image), gpointer metric);

/* Figure @i of the list @name. */
double oracle_figure (const Oracle *oracle, uint32_t index, const char *name, uint32_t i);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Oracle, oracle_clear)

G_END_DECLS
