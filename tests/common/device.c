/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/device.c - see device.h. */
#include "tests/common/device.h"

#include <string.h>

#include "engine/yolov7.h"

void
yv_test_lacks_vulkan (const char *why)
{
  if (g_getenv ("YV_REQUIRE_VULKAN"))
    g_error ("%s, but YV_REQUIRE_VULKAN is set", why);
  g_test_skip (why);
}

bool
yv_test_needs_vulkan (void)
{
  g_autofree char *devices = yv_device_list_text ();

  if (g_ascii_isdigit (*devices)) /* "0: name" */
    return true;
  yv_test_lacks_vulkan (g_strchomp (devices));
  return false;
}

YvDevice *
yv_test_open_device (void)
{
  g_autoptr (GError) error = NULL;
  YvDevice *device = yv_device_new (NULL, &error);

  if (!device && strstr (error->message, "VK_LAYER_") && !g_getenv ("YV_REQUIRE_VULKAN")) {
    g_test_message ("%s", error->message);
    g_unsetenv ("YV_VALIDATION");
    g_clear_error (&error);
    device = yv_device_new (NULL, &error);
  }
  if (!device)
    yv_test_lacks_vulkan (error->message);
  return device;
}
