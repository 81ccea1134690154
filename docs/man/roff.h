/* SPDX-License-Identifier: LGPL-2.1-or-later
 * docs/man/roff.h - text as roff for pages of man(7), which groff and mandoc read without a word.
 *
 * In:    plain text, or prose in the markup of our sources: the Markdown of docs/, and the comments
 *        of gtk-doc that open an element.
 * Out:   lines of roff, appended to a GString.
 * Next:  elementpage.c and helppage.c write whole pages.
 *
 * Pure, but for roff_fail(): the same text gives the same roff.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The head of a page, up to its section NAME. @name: as in `man NAME`; @section: "1" or "7". */
void roff_begin (GString *page, const char *name, const char *section, const char *summary);

/* A heading of the page, in capitals, and one below it, as it is. */
void roff_heading (GString *page, const char *title);
void roff_subheading (GString *page, const char *title);

/* Ends the paragraph before, if there is one. */
void roff_paragraph (GString *page);

/* @text in one line of fill-in roff, nothing in it is markup. For use within other lines. */
char *roff_escape (const char *text);

/* The beginning of a row of a list: what is to be described, in bold, then @detail, if not NULL. */
void roff_item (GString *page, const char *name, const char *detail);

/* Text that goes on here, in which `code`, **strong**, *stressed*, [links](to.md) and
 * #GstType:names are markup. */
void roff_text (GString *page, const char *text);

/* A block that stays as it is, line by line. */
void roff_code (GString *page, const char *text);

/**
 * roff_prose:
 * @text: paragraphs, lists ("* "), headings ("## "), blocks of code (```, or |[ and ]|) and tables
 *
 * Tables become lists: the first cell is described by the others, after the names of their columns.
 */
void roff_prose (GString *page, const char *text);

/* Says on stderr why there can be no page, and ends the program with status 1. */
G_NORETURN void roff_fail (const char *format, ...) G_GNUC_PRINTF (1, 2);

G_END_DECLS
