/* SPDX-License-Identifier: LGPL-2.1-or-later
 * docs/man/helppage.c - `helppage PROGRAM [SUBCOMMAND]`: the page of a program, or of a subcommand
 * of it, from what it prints for --help: either what GOption does, or "NAME - SUMMARY" and
 * "usage: NAME ..." above all else. */
#include <stdio.h>
#include <string.h>

#include <gio/gio.h>

#include "docs/man/roff.h"

/* What the program prints for --help. No driver of a GPU is loaded for a page. */
static char *
read_help (const char *program, const char *subcommand)
{
  const char *const argv[] = {program, subcommand ? subcommand : "--help",
                              subcommand ? "--help" : NULL, NULL};
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_subprocess_launcher_setenv (launcher, "VK_DRIVER_FILES", "/nonexistent", TRUE);
  g_subprocess_launcher_setenv (launcher, "VK_ICD_FILENAMES", "/nonexistent", TRUE);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C.UTF-8", TRUE);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  if (!process || !g_subprocess_communicate_utf8 (process, NULL, NULL, &text, NULL, &error))
    roff_fail ("%s: %s", program, error->message);
  if (!g_subprocess_get_successful (process))
    roff_fail ("%s --help failed", program);
  return text;
}

/* What `yolov7 --help` says of a subcommand in its list. */
static char *
find_summary (const char *program, const char *subcommand)
{
  g_autofree char *help = read_help (program, NULL);
  g_autofree char *row = g_strdup_printf ("\n  %s ", subcommand);
  const char *begin = strstr (help, row);

  if (!begin)
    roff_fail ("%s --help knows no %s", program, subcommand);
  begin += strlen (row);
  begin += strspn (begin, " ");
  return g_strndup (begin, strcspn (begin, "\n"));
}

/* "  -b, --batch=N   how many": a row of a list, described by what follows two blanks. */
static void
append_row (GString *page, const char *line)
{
  const char *name = line + strspn (line, " ");
  const char *gap = strstr (name, "  ");
  g_autofree char *left = gap ? g_strndup (name, (gsize) (gap - name)) : g_strdup (name);

  roff_item (page, left, NULL);
  roff_text (page, gap ? gap : "");
}

/* Lines of --help below its usage: headings end in a colon, rows are indented. */
static void
append_lines (GString *page, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean in_paragraph = FALSE;

  for (char **line = lines; *line && !g_str_has_prefix (*line, "Devices for"); line++) {
    const gsize length = strlen (*line);
    const gboolean is_text = length > 0 && **line != ' ';

    if (is_text && !in_paragraph && (*line)[length - 1] == ':' && line[1] && *line[1] == ' ') {
      (*line)[length - 1] = '\0';
      roff_heading (page, strcmp (*line, "Application Options") == 0 ? "Options" : *line);
      continue;
    }
    if (**line == ' ')
      append_row (page, *line);
    if (is_text && !in_paragraph)
      roff_paragraph (page);
    if (is_text)
      roff_text (page, *line);
    in_paragraph = is_text;
  }
}

static void
append_see_also (GString *page, const char *program)
{
  g_autofree char *escaped = program ? roff_escape (program) : NULL;

  roff_heading (page, "See also");
  if (escaped)
    g_string_append_printf (page, ".BR %s (1),\n", escaped);
  g_string_append (page, ".BR gst\\-yolov7 (7)\n");
}

/* Cuts the first line off @text, without @before. */
static char *
take_line (const char **text, const char *before)
{
  const char *begin = *text;
  const gsize length = strcspn (begin, "\n");

  if (!g_str_has_prefix (begin, before))
    roff_fail ("--help has '%.*s' where '%s' should begin the line", (int) length, begin, before);
  *text = begin + length;
  *text += strspn (*text, "\n");
  return g_strndup (begin + strlen (before), length - strlen (before));
}

/* The first sentence: what a program that has no summary says of itself. */
static char *
first_sentence (const char *text)
{
  char *sentence = g_strndup (text, strcspn (text, ".:"));

  return g_strdelimit (sentence, "\n", ' ');
}

/* One line, or below it others, each of which says after two blanks what it is for. */
static void
append_usage (GString *page, const char *usage, const char **rest)
{
  static const char *const below = "       ";

  if (!g_str_has_prefix (*rest, below)) {
    roff_text (page, usage);
    return;
  }
  append_row (page, usage);
  while (g_str_has_prefix (*rest, below)) {
    g_autofree char *line = take_line (rest, below);
    append_row (page, line);
  }
}

static char *
program_page (const char *program, const char *subcommand)
{
  g_autofree char *base = g_path_get_basename (program);
  g_autofree char *name = g_strjoin ("-", base, subcommand, NULL);
  g_autofree char *help = read_help (program, subcommand);
  g_autofree char *title = g_strdup_printf ("%s - ", name);
  const gboolean has_title = g_str_has_prefix (help, title);
  const char *rest = help;
  GString *page = g_string_new (NULL);

  g_autofree char *summary = take_line (&rest, has_title ? title : "Usage:");
  g_autofree char *usage = take_line (&rest, has_title ? "usage: " : "  ");
  if (!has_title) {
    g_free (summary);
    summary = subcommand ? find_summary (program, subcommand) : first_sentence (rest);
  }
  roff_begin (page, name, "1", summary);
  roff_heading (page, "Synopsis");
  append_usage (page, usage, &rest);
  roff_heading (page, *rest == ' ' ? "Subcommands" : "Description");
  append_lines (page, rest);
  append_see_also (page, subcommand ? base : NULL);
  return g_string_free (page, FALSE);
}

int
main (int argc, char **argv)
{
  g_set_prgname ("helppage");
  if (argc != 2 && argc != 3)
    roff_fail ("usage: helppage PROGRAM [SUBCOMMAND]");
  g_autofree char *page = program_page (argv[1], argv[2]);
  fputs (page, stdout);
  return fflush (stdout) == 0 ? 0 : 1;
}
