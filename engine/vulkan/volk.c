/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/volk.c - the one file that holds volk's code. Its function pointers are hidden
 * symbols of this library, so that a host process with its own Vulkan code does not see them. */
#define VOLK_IMPLEMENTATION
#include <volk.h>
