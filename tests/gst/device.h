/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/device.h - whether there is a device to run the element on. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* False, with the running test skipped, where this machine has no Vulkan device; fails instead
 * where YV_REQUIRE_VULKAN is set. */
gboolean yv_test_needs_vulkan (void);

G_END_DECLS
