/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/device.h - whether there is a device to test on, and what it means where not. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

/* The running test cannot use Vulkan because of @why: skips it, or fails where YV_REQUIRE_VULKAN is
 * set. */
void yv_test_lacks_vulkan (const char *why);

/* False, after yv_test_lacks_vulkan(), where this machine has no Vulkan device. */
bool yv_test_needs_vulkan (void);

/* The best device; NULL after yv_test_lacks_vulkan(). YV_VALIDATION without the layer being
 * installed is no validation, or a failure where YV_REQUIRE_VULKAN is set. */
YvDevice *yv_test_open_device (void);

G_END_DECLS
