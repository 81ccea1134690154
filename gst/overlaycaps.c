/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/overlaycaps.c - what becomes of the caps of yolov7overlay. */
#include "gst/overlaycaps.h"

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

/* Adds structure @i of @caps to @result with the feature, or without it. */
static void
append_as (GstCaps *result, const GstCaps *caps, guint i, gboolean with_composition)
{
  g_autoptr (GstCaps) one = gst_caps_copy_nth (caps, i);
  GstCapsFeatures *features = gst_caps_get_features (one, 0);

  if (gst_caps_features_is_any (features))
    return;
  if (!with_composition)
    gst_caps_features_remove (features, COMPOSITION);
  else if (!gst_caps_features_contains (features, COMPOSITION))
    gst_caps_features_add (features, COMPOSITION);
  gst_caps_append (result, g_steal_pointer (&one));
}

static gboolean
is_system_memory (const GstCapsFeatures *features)
{
  g_autoptr (GstCapsFeatures) memory = gst_caps_features_copy (features);

  gst_caps_features_remove (memory, COMPOSITION);
  return gst_caps_features_is_equal (memory, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
}

/* What may come out for what comes in: the same; or with a composition. That is the only way in
 * memory that can't be mapped. */
static void
append_out (GstCaps *result, const GstCaps *caps, guint i, gboolean may_attach)
{
  const GstCapsFeatures *features = gst_caps_get_features (caps, i);
  const gboolean is_mappable = is_system_memory (features);

  if (gst_caps_features_contains (features, COMPOSITION)) {
    if (is_mappable || may_attach)
      append_as (result, caps, i, TRUE);
    return;
  }
  if (is_mappable)
    append_as (result, caps, i, FALSE);
  if (may_attach)
    append_as (result, caps, i, TRUE);
}

/* And the other way round. */
static void
append_in (GstCaps *result, const GstCaps *caps, guint i, gboolean may_attach)
{
  const GstCapsFeatures *features = gst_caps_get_features (caps, i);
  const gboolean is_mappable = is_system_memory (features);
  const gboolean has_composition = gst_caps_features_contains (features, COMPOSITION);

  if (is_mappable ? !has_composition || may_attach : has_composition && may_attach)
    append_as (result, caps, i, FALSE);
  if (has_composition && (is_mappable || may_attach))
    append_as (result, caps, i, TRUE);
}

gboolean
gst_yolov7_overlay_caps_are_mappable (const GstCaps *caps)
{
  return is_system_memory (gst_caps_get_features (caps, 0));
}

gboolean
gst_yolov7_overlay_caps_have_composition (const GstCaps *caps, guint i)
{
  return gst_caps_features_contains (gst_caps_get_features (caps, i), COMPOSITION);
}

GstCaps *
gst_yolov7_overlay_caps_first (const GstCaps *caps, gboolean with_composition)
{
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    if (gst_yolov7_overlay_caps_have_composition (caps, i) == with_composition)
      return gst_caps_fixate (gst_caps_copy_nth (caps, i));
  return NULL;
}

GstCaps *
gst_yolov7_overlay_caps_out (const GstCaps *in, gboolean may_attach)
{
  GstCaps *out = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (in); i++)
    append_out (out, in, i, may_attach);
  return out;
}

GstCaps *
gst_yolov7_overlay_caps_in (const GstCaps *out, gboolean may_attach)
{
  GstCaps *in = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (out); i++)
    append_in (in, out, i, may_attach);
  return in;
}
