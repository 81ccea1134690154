/* SPDX-License-Identifier: LGPL-2.1-or-later
 * docs/man/elementpage.c - `elementpage ELEMENT SOURCE.c`: the page of an element, from what
 * gst-inspect-1.0 would ask it for, and from the comments of its source that gtk-doc reads. */
#include <stdio.h>
#include <string.h>

#include <gst/gst.h>

#include "docs/man/roff.h"
#include "gst/gstyolov7.h"
#include "gst/gstyolov7overlay.h"
#include "gst/gstyolov7publish.h"
#include "gst/gstyolov7tracker.h"

/* ---- comments of the source ----------------------------------------------------------------- */

/* The comment that begins with @title, without its stars; NULL: there is none. */
static char *
find_comment (const char *source, const char *title)
{
  g_autofree char *first = g_strdup_printf ("* %s\n", title);
  const char *begin = strstr (source, first);
  const char *end = begin ? strstr (begin, "*/") : NULL;

  if (!end)
    return NULL;
  g_autofree char *inside =
      g_strndup (begin + strlen (first), (gsize) (end - begin) - strlen (first));
  g_auto (GStrv) lines = g_strsplit (inside, "\n", -1);
  GString *text = g_string_new (NULL);
  for (char **line = lines; *line; line++) {
    const char *rest = *line + strspn (*line, " ");
    rest += *rest == '*';
    rest += *rest == ' ';
    g_string_append_printf (text, "%s\n", rest);
  }
  return g_string_free (text, FALSE);
}

/* The value of a line "@name: value" of @comment; NULL: there is none. */
static char *
find_field (const char *comment, const char *name)
{
  g_autofree char *key = g_strdup_printf ("@%s: ", name);
  const char *begin = strstr (comment, key);

  return begin ? g_strndup (begin + strlen (key), strcspn (begin, "\n") - strlen (key)) : NULL;
}

/* What follows the fields, up to "Since:". */
static char *
find_prose (const char *comment)
{
  const char *begin = strstr (comment, "\n\n");
  const char *end = strstr (comment, "\nSince:");

  if (*comment == '\n')
    begin = comment;
  return begin ? g_strndup (begin, end ? (gsize) (end - begin) : strlen (begin)) : g_strdup ("");
}

/* ---- properties ----------------------------------------------------------------------------- */

static const char *
type_word (const GParamSpec *pspec)
{
  const GType type = G_PARAM_SPEC_VALUE_TYPE (pspec);
  static const struct {
    GType type;
    const char *word;
  } words[] = {
      {G_TYPE_BOOLEAN, "boolean"}, {G_TYPE_INT, "integer"},    {G_TYPE_UINT, "integer"},
      {G_TYPE_INT64, "integer"},   {G_TYPE_UINT64, "integer"}, {G_TYPE_FLOAT, "number"},
      {G_TYPE_DOUBLE, "number"},   {G_TYPE_STRING, "text"},    {G_TYPE_ENUM, "one of a list"},
      {G_TYPE_FLAGS, "flags"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (G_TYPE_FUNDAMENTAL (type) == words[i].type)
      return words[i].word;
  return g_type_name (type);
}

/* "0 to 10"; NULL: the type alone says what may be set. */
static char *
range_text (GParamSpec *pspec)
{
  if (G_IS_PARAM_SPEC_INT (pspec))
    return g_strdup_printf ("%d to %d", G_PARAM_SPEC_INT (pspec)->minimum,
                            G_PARAM_SPEC_INT (pspec)->maximum);
  if (G_IS_PARAM_SPEC_UINT (pspec))
    return g_strdup_printf ("%u to %u", G_PARAM_SPEC_UINT (pspec)->minimum,
                            G_PARAM_SPEC_UINT (pspec)->maximum);
  if (G_IS_PARAM_SPEC_INT64 (pspec))
    return g_strdup_printf ("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                            G_PARAM_SPEC_INT64 (pspec)->minimum,
                            G_PARAM_SPEC_INT64 (pspec)->maximum);
  if (G_IS_PARAM_SPEC_UINT64 (pspec))
    return g_strdup_printf ("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                            G_PARAM_SPEC_UINT64 (pspec)->minimum,
                            G_PARAM_SPEC_UINT64 (pspec)->maximum);
  if (G_IS_PARAM_SPEC_FLOAT (pspec))
    return g_strdup_printf ("%g to %g", (double) G_PARAM_SPEC_FLOAT (pspec)->minimum,
                            (double) G_PARAM_SPEC_FLOAT (pspec)->maximum);
  if (G_IS_PARAM_SPEC_DOUBLE (pspec))
    return g_strdup_printf ("%g to %g", G_PARAM_SPEC_DOUBLE (pspec)->minimum,
                            G_PARAM_SPEC_DOUBLE (pspec)->maximum);
  return NULL;
}

/* NULL: none that could be typed. */
static char *
default_text (GParamSpec *pspec)
{
  const GValue *value = g_param_spec_get_default_value (pspec);

  if (G_VALUE_HOLDS_FLOAT (value))
    return g_strdup_printf ("%g", (double) g_value_get_float (value));
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_strdup_printf ("%g", g_value_get_double (value));
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return g_strdup (
        g_enum_get_value (G_PARAM_SPEC_ENUM (pspec)->enum_class, g_value_get_enum (value))
            ->value_nick);
  return G_VALUE_HOLDS_BOXED (value) || G_VALUE_HOLDS_OBJECT (value) ? NULL
                                                                     : gst_value_serialize (value);
}

/* Who may set it, and when. */
static const char *
access_text (const GParamSpec *pspec)
{
  if (!(pspec->flags & G_PARAM_WRITABLE))
    return "read only";
  if (pspec->flags & G_PARAM_CONSTRUCT_ONLY)
    return "only when the element is made";
  if (pspec->flags & GST_PARAM_MUTABLE_PLAYING)
    return "may change while playing";
  if (pspec->flags & GST_PARAM_MUTABLE_PAUSED)
    return "may change in PAUSED";
  if (pspec->flags & GST_PARAM_MUTABLE_READY)
    return "may change in READY";
  return NULL;
}

static void
append_detail (GString *detail, const char *before, const char *text)
{
  if (text && *text)
    g_string_append_printf (detail, "%s%s%s", detail->len > 0 ? ", " : "", before, text);
}

static void
append_values (GString *page, const GEnumClass *values)
{
  g_string_append (page, ".RS\n");
  for (guint i = 0; i < values->n_values; i++) {
    roff_item (page, values->values[i].value_nick, NULL);
    roff_text (page, values->values[i].value_name);
  }
  g_string_append (page, ".RE\n");
}

static void
append_property (GString *page, GParamSpec *pspec)
{
  g_autoptr (GString) detail = g_string_new (NULL);
  g_autofree char *range = range_text (pspec);
  g_autofree char *value = default_text (pspec);

  append_detail (detail, "", type_word (pspec));
  append_detail (detail, "", range);
  append_detail (detail, "default ", value);
  append_detail (detail, "", access_text (pspec));
  if (!(pspec->flags & G_PARAM_READABLE))
    append_detail (detail, "", "write only");
  roff_item (page, pspec->name, NULL);
  roff_text (page, g_param_spec_get_blurb (pspec));
  g_string_append (page, ".br\n");
  g_autofree char *in_brackets = g_strdup_printf ("(%s)", detail->str);
  roff_text (page, in_brackets);
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    append_values (page, G_PARAM_SPEC_ENUM (pspec)->enum_class);
}

/* Its own first: those of all elements are the last that anybody looks for. */
static void
append_properties (GString *page, GObjectClass *object)
{
  guint n_properties = 0;
  g_autofree GParamSpec **properties = g_object_class_list_properties (object, &n_properties);

  roff_heading (page, "Properties");
  for (guint own = 2; own-- > 0;)
    for (guint i = 0; i < n_properties; i++)
      if ((properties[i]->owner_type == G_OBJECT_CLASS_TYPE (object)) == (own == 1))
        append_property (page, properties[i]);
}

/* ---- pads and signals ----------------------------------------------------------------------- */

static void
append_pads (GString *page, GstElementClass *element)
{
  roff_heading (page, "Pads");
  for (const GList *l = gst_element_class_get_pad_template_list (element); l; l = l->next) {
    GstPadTemplate *pad = l->data;
    g_autoptr (GstCaps) caps = gst_pad_template_get_caps (pad);

    roff_item (page, GST_PAD_TEMPLATE_NAME_TEMPLATE (pad), NULL);
    for (guint i = 0; i < gst_caps_get_size (caps); i++) {
      g_autoptr (GstCaps) one = gst_caps_copy_nth (caps, i);
      g_autofree char *text = gst_caps_to_string (one);
      g_string_append (page, i > 0 ? ".br\n" : "");
      roff_text (page, text);
    }
  }
}

static void
append_signal (GString *page, const GSignalQuery *signal, const char *source)
{
  g_autofree char *title =
      g_strdup_printf ("%s::%s:", g_type_name (signal->itype), signal->signal_name);
  g_autofree char *comment = find_comment (source, title);
  g_autofree char *prose = find_prose (comment ? comment : "");
  g_autoptr (GString) types = g_string_new ("(element");

  for (guint i = 0; i < signal->n_params; i++)
    g_string_append_printf (types, ", %s",
                            g_type_name (signal->param_types[i] & ~G_SIGNAL_TYPE_STATIC_SCOPE));
  g_string_append_c (types, ')');
  roff_item (page, signal->signal_name, types->str);
  roff_text (page, prose);
}

static void
append_signals (GString *page, GType type, const char *source)
{
  guint n_signals = 0;
  g_autofree guint *ids = g_signal_list_ids (type, &n_signals);

  if (n_signals > 0)
    roff_heading (page, "Signals");
  for (guint i = 0; i < n_signals; i++) {
    GSignalQuery signal;
    g_signal_query (ids[i], &signal);
    append_signal (page, &signal, source);
  }
}

/* ---- the page ------------------------------------------------------------------------------- */

/* "a, b" of the source as pages of this section, and those of everybody. */
static void
append_see_also (GString *page, const char *others)
{
  g_auto (GStrv) names = g_strsplit (others, ", ", -1);

  roff_heading (page, "See also");
  for (char **name = names; *name; name++)
    g_string_append_printf (page, ".BR %s (7),\n", *name);
  g_string_append (page, ".BR gst\\-yolov7 (7),\n.BR yolov7 (1),\n.BR gst\\-launch\\-1.0 (1),\n"
                         ".BR gst\\-inspect\\-1.0 (1)\n");
}

static char *
write_page (GstElementFactory *factory, GstElementClass *element, const char *source)
{
  const char *name = GST_OBJECT_NAME (factory);
  g_autofree char *title = g_strdup_printf ("SECTION:element-%s", name);
  g_autofree char *comment = find_comment (source, title);
  GString *page = g_string_new (NULL);

  if (!comment)
    roff_fail ("there is no comment %s in the source", title);
  g_autofree char *summary = find_field (comment, "short_description");
  g_autofree char *others = find_field (comment, "see_also");
  g_autofree char *prose = find_prose (comment);

  roff_begin (page, name, "7", summary);
  roff_heading (page, "Synopsis");
  g_string_append_printf (page,
                          ".B gst\\-launch\\-1.0\n\\&... ! %s [\\fIproperty\\fR=\\fIvalue\\fR"
                          " ...] ! ...\n",
                          name);
  roff_heading (page, "Description");
  roff_prose (page, prose);
  append_properties (page, G_OBJECT_CLASS (element));
  append_pads (page, element);
  append_signals (page, G_OBJECT_CLASS_TYPE (element), source);
  append_see_also (page, others);
  return g_string_free (page, FALSE);
}

int
main (int argc, char **argv)
{
  g_autofree char *source = NULL;
  g_autoptr (GError) error = NULL;

  g_set_prgname ("elementpage");
  gst_init (NULL, NULL);
  if (argc != 3)
    roff_fail ("usage: elementpage ELEMENT SOURCE.c");
  if (!g_file_get_contents (argv[2], &source, NULL, &error))
    roff_fail ("%s", error->message);
  if (!GST_ELEMENT_REGISTER (yolov7, NULL) || !GST_ELEMENT_REGISTER (yolov7overlay, NULL) ||
      !GST_ELEMENT_REGISTER (yolov7publish, NULL) || !GST_ELEMENT_REGISTER (yolov7tracker, NULL))
    roff_fail ("an element can't be registered");

  g_autoptr (GstElementFactory) factory = gst_element_factory_find (argv[1]);
  if (!factory)
    roff_fail ("there is no element %s", argv[1]);
  GstElementClass *element = g_type_class_ref (gst_element_factory_get_element_type (factory));
  g_autofree char *page = write_page (factory, element, source);
  fputs (page, stdout);
  g_type_class_unref (element);
  return fflush (stdout) == 0 ? 0 : 1;
}
