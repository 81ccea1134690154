/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/device.c - whether there is a device to run the element on. */
#include "tests/gst/device.h"

#include "engine/yolov7.h"

gboolean
yv_test_needs_vulkan (void)
{
  g_autofree char *devices = yv_device_list_text ();

  if (g_ascii_isdigit (*devices)) /* "0: name" */
    return TRUE;
  if (g_getenv ("YV_REQUIRE_VULKAN"))
    g_error ("%s", devices);
  g_test_skip (g_strchomp (devices));
  return FALSE;
}
