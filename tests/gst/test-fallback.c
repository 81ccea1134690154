/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-fallback.c - yolov7 on a device that is wrong in fp16: fp32 and a warning on the
 * bus, or an error.
 *
 * The linker puts functions of this file in the place of the engine's check and of what opens a
 * device (meson.build: --wrap); tests/model/test-selftest.c has the check itself. */
#include <gst/gst.h>
#include <string.h>

#include "engine/selftest.h"
#include "engine/vulkan/device.h"
#include "gst/gstyolov7.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"

/* How the check fails. */
static YvError code = YV_ERROR_UNSUPPORTED;

/* What devices were opened by, one a line. */
static GString *selectors;
static bool is_gone; /* after it was opened once */

YvDevice *__real_yv_device_new (const char *selector, GError **error);
YvDevice *__wrap_yv_device_new (const char *selector, GError **error);
bool __wrap_yv_selftest_fp16 (YvEngine *engine, GError **error);

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_nothing (VkDevice device, const VkMemoryAllocateInfo *info,
                  const VkAllocationCallbacks *callbacks, VkDeviceMemory *memory)
{
  (void) device;
  (void) info;
  (void) callbacks;
  (void) memory;
  return VK_ERROR_DEVICE_LOST;
}

YvDevice *
__wrap_yv_device_new (const char *selector, GError **error)
{
  const bool is_again = selectors && selectors->len > 0;

  if (selectors)
    g_string_append_printf (selectors, "%s\n", selector ? selector : "best");
  return __real_yv_device_new (is_gone && is_again ? "00000000-gone" : selector, error);
}

/* A device that was lost stays lost. */
bool
__wrap_yv_selftest_fp16 (YvEngine *engine, GError **error)
{
  if (code == YV_ERROR_DEVICE_LOST)
    engine->device->vk.vkAllocateMemory = allocate_nothing;
  g_set_error (error, YV_ERROR, (int) code, "conv_tile gives 7 wrong values of 64");
  return false;
}

static bool
has_fp16 (void)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();

  if (device && yv_device_caps (device)->fp16_storage)
    return true;
  if (device)
    g_test_skip ("the device has no 16-bit storage");
  return false;
}

static GstStateChangeReturn
start (GstElement *element, GstBus *bus, const char *precision, const char *fallback)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");

  gst_util_set_object_arg (G_OBJECT (element), "model-file", model);
  gst_util_set_object_arg (G_OBJECT (element), "precision", precision);
  if (fallback)
    gst_util_set_object_arg (G_OBJECT (element), "fallback-precision", fallback);
  gst_element_set_bus (element, bus);
  const GstStateChangeReturn result = gst_element_set_state (element, GST_STATE_PAUSED);
  gst_element_set_bus (element, NULL);
  return result;
}

static void
stop (GstElement *element)
{
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}

static void
expect_warning (void)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) warning = NULL;
  g_autofree char *debug = NULL;

  GstElement *element = gst_object_ref_sink (g_object_new (GST_TYPE_YOLOV7, NULL));
  g_assert_cmpint (start (element, bus, "fp16", NULL), ==, GST_STATE_CHANGE_SUCCESS);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &warning, &debug);
  g_test_message ("%s", warning->message);
  g_assert_nonnull (strstr (warning->message, "fp32"));
  g_assert_nonnull (strstr (warning->message, "conv_tile"));
  stop (element);
}

/* By default, whether the device computes something else, or cannot run it at all. */
static void
fp32_is_used_with_a_warning_on_the_bus (void)
{
  const YvError codes[] = {YV_ERROR_NO_DEVICE, YV_ERROR_DEVICE_LOST, YV_ERROR_UNSUPPORTED};

  if (!has_fp16 ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    code = codes[i];
    expect_warning ();
  }
}

/* By its UUID: the best one may be another by then. */
static void
the_same_device_is_opened_again (void)
{
  if (!has_fp16 ())
    return;
  g_autoptr (YvDevice) best = yv_test_open_device ();
  g_autofree char *expected = g_strdup_printf ("best\n%s\n", yv_device_uuid (best));

  code = YV_ERROR_DEVICE_LOST;
  selectors = g_string_new (NULL);
  expect_warning ();
  g_assert_cmpstr (selectors->str, ==, expected);
  g_string_free (g_steal_pointer (&selectors), TRUE);
}

static void
a_device_that_is_gone_is_an_error (void)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  if (!has_fp16 ())
    return;
  code = YV_ERROR_DEVICE_LOST;
  selectors = g_string_new (NULL);
  is_gone = true;
  GstElement *element = gst_object_ref_sink (g_object_new (GST_TYPE_YOLOV7, NULL));
  g_assert_cmpint (start (element, bus, "fp16", NULL), ==, GST_STATE_CHANGE_FAILURE);
  is_gone = false;
  g_string_free (g_steal_pointer (&selectors), TRUE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &debug);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "cannot be opened again"));
  g_assert_nonnull (strstr (error->message, "conv_tile"));
  stop (element);
}

static void
what_fp32_does_not_mend_is_an_error (void)
{
  const YvError codes[] = {YV_ERROR_IO, YV_ERROR_MALFORMED, YV_ERROR_INVALID,
                           YV_ERROR_OUT_OF_MEMORY};

  if (!has_fp16 ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autoptr (GstBus) bus = gst_bus_new ();
    GstElement *element = gst_object_ref_sink (g_object_new (GST_TYPE_YOLOV7, NULL));

    code = codes[i];
    g_assert_cmpint (start (element, bus, "fp16", NULL), ==, GST_STATE_CHANGE_FAILURE);
    stop (element);
  }
  code = YV_ERROR_UNSUPPORTED;
}

static void
without_fallback_it_does_not_start (void)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  if (!has_fp16 ())
    return;
  GstElement *element = gst_object_ref_sink (g_object_new (GST_TYPE_YOLOV7, NULL));
  g_assert_cmpint (start (element, bus, "fp16", "none"), ==, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &debug);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "fp16"));
  stop (element);
}

static void
fp32_is_not_checked (void)
{
  g_autoptr (GstBus) bus = gst_bus_new ();

  if (!has_fp16 ())
    return;
  GstElement *element = gst_object_ref_sink (g_object_new (GST_TYPE_YOLOV7, NULL));
  g_assert_cmpint (start (element, bus, "fp32", "none"), ==, GST_STATE_CHANGE_SUCCESS);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_null (message);
  stop (element);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/fallback/warning", fp32_is_used_with_a_warning_on_the_bus);
  g_test_add_func ("/fallback/same-device", the_same_device_is_opened_again);
  g_test_add_func ("/fallback/gone", a_device_that_is_gone_is_an_error);
  g_test_add_func ("/fallback/other-faults", what_fp32_does_not_mend_is_an_error);
  g_test_add_func ("/fallback/none", without_fallback_it_does_not_start);
  g_test_add_func ("/fallback/fp32", fp32_is_not_checked);
  return g_test_run ();
}
