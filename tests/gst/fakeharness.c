/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/fakeharness.c - the element yolov7 in a harness, with fake streams. */
#include "tests/gst/fakeharness.h"

#include "gst/gstyolov7.h"
#include "tests/common/paths.h"

void
fake_init (int *argc, char ***argv)
{
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  gst_yolov7_detections_register ();
  GST_ELEMENT_REGISTER (yolov7, NULL);
}

/* ---- life ----------------------------------------------------------------------------------- */

GstHarness *
harness_new (const char *properties)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *launch = g_strdup_printf (
      "yolov7 name=d model-file=\"%s\" device=reference input-size=64 %s", model, properties);
  g_autoptr (GstCaps) caps = yv_test_caps ("GRAY8", W, H);

  fake_reset ();
  GstHarness *h = gst_harness_new_parse (launch);
  gst_harness_set_src_caps (h, gst_caps_ref (caps));
  return h;
}

void
harness_end (GstHarness *h)
{
  g_autoptr (GstElement) element = element_of (h);

  g_assert_cmpint (gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  gst_element_set_bus (element, NULL);
  assert_adds_up (h);
  gst_harness_teardown (h);
}

GstElement *
element_of (GstHarness *h)
{
  return gst_harness_find_element (h, "yolov7");
}

/* ---- in ------------------------------------------------------------------------------------- */

GstBuffer *
frame_new (guint8 number)
{
  GstBuffer *frame = gst_buffer_new_allocate (NULL, W * H, NULL);

  gst_buffer_memset (frame, 0, number, W * H);
  GST_BUFFER_PTS (frame) = number * T;
  GST_BUFFER_DURATION (frame) = T;
  return frame;
}

void
push (GstHarness *h, guint8 number)
{
  g_assert_cmpint (gst_harness_push (h, frame_new (number)), ==, GST_FLOW_OK);
}

GstFlowReturn
push_some (GstHarness *h, guint8 first, guint8 n)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint8 i = 0; i < n && flow == GST_FLOW_OK; i++)
    flow = gst_harness_push (h, frame_new ((guint8) (first + i)));
  return flow;
}

gpointer
push_all (gpointer user_data)
{
  Pusher *pusher = user_data;

  pusher->flow = push_some (pusher->h, pusher->first, pusher->n);
  return NULL;
}

/* ---- out ------------------------------------------------------------------------------------ */

Found
found_in (GstBuffer *frame)
{
  g_autoptr (GArray) array = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  Found found = {.number = -1, .stream = -1};
  gpointer state = NULL;

  if (!gst_yolov7_detections_read (frame, array)) {
    g_assert_null (gst_buffer_iterate_meta (frame, &state)); /* of any kind */
    return found;
  }
  g_assert_cmpuint (array->len, ==, 1);
  const GstYolov7Detection *d = &g_array_index (array, GstYolov7Detection, 0);
  found.number = (int) d->x;
  found.stream = (int) d->y;
  g_strlcpy (found.label, d->label, sizeof found.label);
  return found;
}

Found
pull (GstHarness *h, guint number, int expected)
{
  g_autoptr (GstBuffer) frame = gst_harness_pull (h);

  g_assert_nonnull (frame);
  g_assert_cmpuint (GST_BUFFER_PTS (frame), ==, number * T);
  const Found found = found_in (frame);
  g_assert_cmpint (found.number, ==, expected);
  return found;
}

/* Whether downstream answers is not the question: it may be unlinked. */
void
drain (GstHarness *h)
{
  g_autoptr (GstQuery) query = gst_query_new_drain ();

  gst_pad_peer_query (h->srcpad, query);
}

guint64
stat_of (GstHarness *h, const char *name)
{
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  if (!gst_structure_get_uint64 (stats, name, &value))
    g_error ("no %s in %" GST_PTR_FORMAT, name, (void *) stats);
  return value;
}

void
assert_adds_up (GstHarness *h)
{
  static const char *const fates[] = {"frames-analysed", "skipped-interval", "skipped-busy",
                                      "skipped-late", "frames-dropped"};
  guint64 sum = 0;

  for (guint i = 0; i < G_N_ELEMENTS (fates); i++)
    sum += stat_of (h, fates[i]);
  g_assert_cmpuint (sum, ==, stat_of (h, "frames-in"));
}
