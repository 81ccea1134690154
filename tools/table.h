/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/table.h - text in columns that are as wide as what is in them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  const char *title;
  bool is_right;  /* aligned */
  uint32_t max_w; /* longer cells are broken into lines after "," or "+ "; 0: never */
} TableColumn;

typedef struct _Table Table;

/* @columns: borrowed */
Table *table_new (const TableColumn *columns, uint32_t n_columns);
void table_free (Table *table);

/* The next cell, row by row. @text: (transfer full) */
void table_add (Table *table, char *text);

/* To stdout, with its titles. The last row is complete. */
void table_print (const Table *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Table, table_free)

G_END_DECLS
