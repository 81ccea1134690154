/* SPDX-License-Identifier: LGPL-2.1-or-later
 * docs/man/prosepage.c - `prosepage NAME SUMMARY FILE.md`: a page of section 7 from one of docs/.
 */
#include <stdio.h>
#include <string.h>

#include "docs/man/roff.h"

int
main (int argc, char **argv)
{
  g_autofree char *prose = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) page = g_string_new (NULL);

  g_set_prgname ("prosepage");
  if (argc != 4)
    roff_fail ("usage: prosepage NAME SUMMARY FILE.md");
  if (!g_file_get_contents (argv[3], &prose, NULL, &error))
    roff_fail ("%s", error->message);

  roff_begin (page, argv[1], "7", argv[2]);
  roff_heading (page, "Description");
  roff_prose (page, prose + strcspn (prose, "\n")); /* its title is the page's summary */
  fputs (page->str, stdout);
  return fflush (stdout) == 0 ? 0 : 1;
}
