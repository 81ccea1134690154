/* SPDX-License-Identifier: LGPL-2.1-or-later
 * docs/man/roff.c - text as roff for pages of man(7). */
#include "docs/man/roff.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH                                                                                      \
  78 /* columns of a line of text in the source of a page; mandoc asks for 80 at most              \
      */

/* ---- characters and lines ------------------------------------------------------------------- */

/* What roff would take for something else, or groff set as a typographic sign. */
static void
append_character (GString *out, const char *c)
{
  static const struct {
    const char *from, *to;
  } signs[] = {
      {"\\", "\\e"},   {"-", "\\-"},   {"`", "\\(ga"},          {"'", "\\(aq"},
      {"^", "\\(ha"},  {"~", "\\(ti"}, {"\xe2\x80\xa6", "..."}, /* GOption's ellipsis */
      {"\"", "\\(dq"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (signs); i++) {
    if (g_str_has_prefix (c, signs[i].from)) {
      g_string_append (out, signs[i].to);
      return;
    }
  }
  g_string_append_len (out, c, g_utf8_next_char (c) - c);
}

static void
append_escaped (GString *out, const char *text, gsize length)
{
  for (const char *c = text; c < text + length; c = g_utf8_next_char (c))
    append_character (out, c);
}

char *
roff_escape (const char *text)
{
  GString *out = g_string_new (NULL);

  append_escaped (out, text, strlen (text));
  return g_string_free (out, FALSE);
}

/* A line that begins with these is a request. */
static void
append_line (GString *page, const char *line)
{
  if (*line == '.' || *line == '\'')
    g_string_append (page, "\\&");
  g_string_append (page, line);
  g_string_append_c (page, '\n');
}

/* Roff that is filled: its words in lines of WIDTH. */
static void
append_filled (GString *page, const char *roff)
{
  g_auto (GStrv) words = g_strsplit_set (roff, " \n\t", -1);
  g_autoptr (GString) line = g_string_new (NULL);

  for (char **word = words; *word; word++) {
    if (!**word)
      continue;
    if (line->len > 0 && line->len + 1 + strlen (*word) > WIDTH) {
      append_line (page, line->str);
      g_string_truncate (line, 0);
    }
    if (line->len > 0)
      g_string_append_c (line, ' ');
    g_string_append (line, *word);
  }
  if (line->len > 0)
    append_line (page, line->str);
}

/* ---- markup within a paragraph -------------------------------------------------------------- */

static void
append_bold (GString *out, const char *text, gsize length)
{
  g_string_append (out, "\\fB");
  append_escaped (out, text, length);
  g_string_append (out, "\\fR");
}

/* `code`, **strong** or *stressed*: what is between two of @mark. */
static const char *
take_marked (GString *out, const char *text, const char *mark)
{
  const gsize n_mark = strlen (mark);
  const char *end = g_str_has_prefix (text, mark) ? strstr (text + n_mark, mark) : NULL;

  if (!end)
    return NULL;
  append_bold (out, text + n_mark, (gsize) (end - text) - n_mark);
  return end + n_mark;
}

/* [words](address): the words, and the address where it leads out of the documentation. */
static const char *
take_link (GString *out, const char *text)
{
  const char *middle = *text == '[' ? strstr (text, "](") : NULL;
  const char *end = middle ? strchr (middle, ')') : NULL;

  if (!end || memchr (text, '\n', (gsize) (middle - text)))
    return NULL;
  append_escaped (out, text + 1, (gsize) (middle - text) - 1);
  if (g_str_has_prefix (middle + 2, "http")) {
    g_string_append (out, " (");
    append_escaped (out, middle + 2, (gsize) (end - middle) - 2);
    g_string_append_c (out, ')');
  }
  return end + 1;
}

/* #GstType:property and #GstType::signal of gtk-doc: the last name. */
static const char *
take_reference (GString *out, const char *text)
{
  const char *name = g_str_has_prefix (text, "#Gst") ? strchr (text, ':') : NULL;
  const gsize n_type = name ? strcspn (text, " \n:") : 0;

  if (!name || text + n_type != name)
    return NULL;
  name += strspn (name, ":");
  const gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  if (length == 0)
    return NULL;
  append_bold (out, name, length);
  return name + length;
}

static char *
marked_up (const char *text)
{
  GString *out = g_string_new (NULL);

  while (*text) {
    const char *next = take_marked (out, text, "`");
    if (!next)
      next = take_marked (out, text, "**");
    if (!next && g_ascii_isalpha (text[1]))
      next = take_marked (out, text, "*");
    if (!next)
      next = take_link (out, text);
    if (!next)
      next = take_reference (out, text);
    if (!next) {
      append_character (out, text);
      next = g_utf8_next_char (text);
    }
    text = next;
  }
  return g_string_free (out, FALSE);
}

/* ---- blocks --------------------------------------------------------------------------------- */

void
roff_begin (GString *page, const char *name, const char *section, const char *summary)
{
  g_autofree char *title = g_ascii_strup (name, -1);
  g_autofree char *about = roff_escape (summary);
  g_autofree char *escaped = roff_escape (name);

  /* groff 1.23 adjusts anew behind each heading, as the string AD says. */
  g_string_append_printf (page,
                          ".\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n"
                          ".\\\" Written by docs/man of gst-yolov7 when it was built.\n"
                          ".ds AD l\n.TH \"%s\" \"%s\" \"%s\" \"gst-yolov7 %s\"\n"
                          ".nh\n.ad l\n.SH NAME\n%s \\- %s\n",
                          title, section, YV_MAN_DATE, YV_VERSION, escaped, about);
}

void
roff_heading (GString *page, const char *title)
{
  g_autofree char *capitals = g_ascii_strup (title, -1);
  g_autofree char *escaped = roff_escape (capitals);

  g_string_append_printf (page, ".SH \"%s\"\n", escaped);
}

void
roff_subheading (GString *page, const char *title)
{
  g_autofree char *escaped = roff_escape (title);

  g_string_append_printf (page, ".SS \"%s\"\n", escaped);
}

void
roff_item (GString *page, const char *name, const char *detail)
{
  g_autofree char *escaped = roff_escape (name);
  g_autofree char *more = detail ? roff_escape (detail) : NULL;

  g_string_append_printf (page, ".TP\n\\fB%s\\fR%s%s\n", escaped, more ? " " : "",
                          more ? more : "");
}

void
roff_paragraph (GString *page)
{
  const char *last = g_strrstr (page->str, "\n.");

  /* A heading has begun one. */
  if (last && strchr (last + 1, '\n') == page->str + page->len - 1 &&
      (g_str_has_prefix (last, "\n.SH") || g_str_has_prefix (last, "\n.SS")))
    return;
  g_string_append (page, ".PP\n");
}

void
roff_text (GString *page, const char *text)
{
  g_autofree char *roff = marked_up (text);

  append_filled (page, roff);
}

void
roff_code (GString *page, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  roff_paragraph (page);
  g_string_append (page, ".RS 4\n.nf\n");
  for (char **line = lines; *line; line++) {
    g_autofree char *escaped = roff_escape (*line);
    if (*escaped || line[1])
      append_line (page, *escaped ? escaped : "\\&");
  }
  g_string_append (page, ".fi\n.RE\n");
}

/* ---- tables --------------------------------------------------------------------------------- */

/* The cells of "| a | b |", stripped; a bar within `code` divides nothing. */
static GPtrArray *
cells_of (const char *row)
{
  GPtrArray *cells = g_ptr_array_new_with_free_func (g_free);
  gboolean in_code = FALSE;
  const char *begin = row + 1;

  for (const char *c = begin; *c; c++) {
    if (*c == '`')
      in_code = !in_code;
    if (*c != '|' || in_code)
      continue;
    g_ptr_array_add (cells, g_strstrip (g_strndup (begin, (gsize) (c - begin))));
    begin = c + 1;
  }
  return cells;
}

/* A cell after the name of its column, if that has one. */
static void
append_cell (GString *text, const char *column, const char *cell)
{
  if (!*cell)
    return;
  if (text->len > 0)
    g_string_append (text, "; ");
  if (*column)
    g_string_append_printf (text, "%s: ", column);
  g_string_append (text, cell);
}

static void
append_row (GString *page, const GPtrArray *columns, const char *line)
{
  g_autoptr (GPtrArray) cells = cells_of (line);
  g_autoptr (GString) text = g_string_new (NULL);

  if (cells->len == 0)
    return;
  g_autofree char *tag = marked_up (cells->pdata[0]);
  g_string_append_printf (page, ".TP\n%s\n", *tag ? tag : "\\&");
  for (guint i = 1; i < cells->len; i++)
    append_cell (text, i < columns->len ? columns->pdata[i] : "", cells->pdata[i]);
  roff_text (page, text->str);
}

/* The rows from @lines on; returns the first line behind them. */
static char **
append_table (GString *page, char **lines)
{
  g_autoptr (GPtrArray) columns = cells_of (*lines++);

  for (; *lines && **lines == '|'; lines++)
    if (!g_str_has_prefix (*lines, "|-"))
      append_row (page, columns, *lines);
  return lines;
}

/* ---- prose ---------------------------------------------------------------------------------- */

static char **
append_code (GString *page, char **lines, const char *end)
{
  g_autoptr (GString) code = g_string_new (NULL);

  for (lines++; *lines && !g_str_has_prefix (*lines, end); lines++)
    g_string_append_printf (code, "%s\n", *lines);
  roff_code (page, code->str);
  return *lines ? lines + 1 : lines;
}

static gboolean
begins_block (const char *line)
{
  return !*line || *line == '#' || *line == '|' || g_str_has_prefix (line, "```") ||
         g_str_has_prefix (line, "* ");
}

/* Lines up to the next block, as one text. "#Gst..." at the beginning of a line is a reference. */
static char **
append_paragraph (GString *page, const char *first, char **lines)
{
  g_autoptr (GString) text = g_string_new (first);

  for (lines++; *lines && (!begins_block (*lines) || g_str_has_prefix (*lines, "#Gst")); lines++)
    g_string_append_printf (text, "\n%s", *lines);
  roff_text (page, text->str);
  return lines;
}

static char **
append_block (GString *page, char **lines)
{
  const char *line = *lines;

  if (!*line)
    return lines + 1;
  if (g_str_has_prefix (line, "```"))
    return append_code (page, lines, "```");
  if (g_str_has_prefix (line, "|["))
    return append_code (page, lines, "]|");
  if (*line == '|')
    return append_table (page, lines);
  if (g_str_has_prefix (line, "* ")) {
    g_string_append (page, ".IP \\(bu 2\n");
    return append_paragraph (page, line + 2, lines);
  }
  if (*line == '#' && !g_str_has_prefix (line, "#Gst")) {
    roff_heading (page, line + strspn (line, "# "));
    return lines + 1;
  }
  roff_paragraph (page);
  return append_paragraph (page, line, lines);
}

void
roff_prose (GString *page, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line;)
    line = append_block (page, line);
}

void
roff_fail (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_printerr ("%s: %s\n", g_get_prgname (), message);
  exit (1);
}
