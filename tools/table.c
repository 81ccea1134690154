/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/table.c - cells are broken into lines first, then measured, then printed. */
#include "tools/table.h"

#include <stdio.h>
#include <string.h>

#define COLUMN_GAP "  "

struct _Table {
  const TableColumn *columns; /* borrowed */
  uint32_t n_columns;
  GPtrArray *cells; /* of char **: the lines of each cell */
};

static void
free_cell (gpointer lines)
{
  g_strfreev (lines);
}

Table *
table_new (const TableColumn *columns, uint32_t n_columns)
{
  Table *table = g_new0 (Table, 1);

  table->columns = columns;
  table->n_columns = n_columns;
  table->cells = g_ptr_array_new_with_free_func (free_cell);
  return table;
}

void
table_free (Table *table)
{
  g_ptr_array_unref (table->cells);
  g_free (table);
}

static bool
may_break_at (const char *text, size_t at)
{
  return text[at - 1] == ',' || (at >= 2 && text[at - 2] == '+' && text[at - 1] == ' ');
}

/* Where the first line ends: at the last place within @max_w, else the first one after it. */
static size_t
line_length (const char *text, uint32_t max_w)
{
  const size_t length = strlen (text);
  size_t end = 0;

  if (max_w == 0 || length <= max_w)
    return length;
  for (size_t at = 1; at < length && (at <= max_w || end == 0); at++)
    if (may_break_at (text, at))
      end = at;
  return end > 0 ? end : length;
}

void
table_add (Table *table, char *text)
{
  const TableColumn *column = &table->columns[table->cells->len % table->n_columns];
  GPtrArray *lines = g_ptr_array_new ();
  const char *rest = text;

  do {
    const size_t length = line_length (rest, column->max_w);

    g_ptr_array_add (lines, g_strchomp (g_strndup (rest, length)));
    rest += length;
  } while (*rest);
  g_ptr_array_add (lines, NULL);
  g_ptr_array_add (table->cells, g_ptr_array_free (lines, FALSE));
  g_free (text);
}

static char **
cell_at (const Table *table, uint32_t row, uint32_t column)
{
  return table->cells->pdata[row * table->n_columns + column];
}

static int
column_width (const Table *table, uint32_t column)
{
  int width = (int) g_utf8_strlen (table->columns[column].title, -1);

  for (uint32_t row = 0; row < table->cells->len / table->n_columns; row++)
    for (char **line = cell_at (table, row, column); *line; line++)
      width = MAX (width, (int) g_utf8_strlen (*line, -1));
  return width;
}

/* Blanks at the end of a line are left out. */
static void
append_padded (GString *out, const char *text, int width, bool is_right)
{
  const int n_blanks = width - (int) g_utf8_strlen (text, -1);

  g_string_append_printf (out, "%*s%s%*s", is_right ? n_blanks : 0, "", text,
                          is_right ? 0 : n_blanks, "");
}

static void
print_line (GString *out)
{
  printf ("%s\n", g_strchomp (out->str));
  g_string_truncate (out, 0);
}

static void
print_titles (const Table *table, const int *widths)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (uint32_t c = 0; c < table->n_columns; c++) {
    g_string_append (out, c > 0 ? COLUMN_GAP : "");
    append_padded (out, table->columns[c].title, widths[c], table->columns[c].is_right);
  }
  print_line (out);
}

static void
print_row (const Table *table, uint32_t row, const int *widths)
{
  g_autoptr (GString) out = g_string_new (NULL);
  bool has_more = true;

  for (guint line = 0; has_more; line++) {
    has_more = false;
    for (uint32_t c = 0; c < table->n_columns; c++) {
      char **lines = cell_at (table, row, c);
      const guint n_lines = g_strv_length (lines);

      has_more |= n_lines > line + 1;
      g_string_append (out, c > 0 ? COLUMN_GAP : "");
      append_padded (out, line < n_lines ? lines[line] : "", widths[c], table->columns[c].is_right);
    }
    print_line (out);
  }
}

void
table_print (const Table *table)
{
  g_autofree int *widths = g_new (int, table->n_columns);

  g_assert (table->cells->len % table->n_columns == 0);
  for (uint32_t c = 0; c < table->n_columns; c++)
    widths[c] = column_width (table, c);
  print_titles (table, widths);
  for (uint32_t row = 0; row < table->cells->len / table->n_columns; row++)
    print_row (table, row, widths);
}
