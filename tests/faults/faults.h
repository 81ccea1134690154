/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/faults/faults.h - makes calls of Vulkan fail, and counts what lives on devices.
 *
 * layer.c is a layer for the Vulkan loader and at once the library that these functions are in: a
 * test program is linked with it, and the loader, which is told by the environment to load it
 * (fault_env in meson.build), meets the same copy of it. Any thread.
 *
 * Known calls are all that return VkResult and that the engine makes of an instance or a device;
 * tests/lint/check-faults.sh sees to that. A call that fails by order does not reach the driver,
 * and gives null handles.
 */
#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <vulkan/vulkan_core.h>

G_BEGIN_DECLS

#ifndef FAULT_API
#define FAULT_API __attribute__ ((visibility ("default")))
#endif

/* Whether the loader has loaded the layer; true from the first instance on. */
FAULT_API bool fault_is_loaded (void);

/* Name and results of known call @index, in no order; NULL behind the last. */
FAULT_API const char *fault_call_name (uint32_t index);

/* The @index-th way in which a call may fail, as its man page has it; VK_SUCCESS behind the last.
 */
FAULT_API VkResult fault_call_result (const char *call, uint32_t index);

/* How often it has been called in this process. */
FAULT_API uint32_t fault_count (const char *call);

/* The @nth use of @call from now on, 1 being the next, returns @result; so do those behind it where
 * @lasts. One order a call; another takes its place. Those of several calls hold at once.
 *
 * As of a device really lost, once a call has returned VK_ERROR_DEVICE_LOST for a device all that
 * can return it for this device do, until it is destroyed; what was submitted before is done by
 * then. */
FAULT_API void fault_arm (const char *call, uint32_t nth, VkResult result, bool lasts);

/* vkAllocateMemory() fails where all of it together would be more than this. */
FAULT_API void fault_set_budget (uint64_t size_bytes);

/* No order holds any longer, there is no budget, and none has failed so far. Devices that are lost
 * stay so. */
FAULT_API void fault_disarm (void);

/* How many calls have failed by order since then. */
FAULT_API uint32_t fault_n_failed (void);

/* What has been created of devices and not destroyed, devices included, sets and command buffers,
 * which go with their pools, not; nor the instance, which the engine keeps. */
FAULT_API uint32_t fault_n_live (void);
FAULT_API uint64_t fault_live_bytes (void); /* of device memory */

/* From now on the device looks like a discrete GPU, whose memory is not the host's. */
FAULT_API void fault_set_discrete (bool is_discrete);

G_END_DECLS
