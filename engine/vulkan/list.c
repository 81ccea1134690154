/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/list.c - the devices, for people. */
#include "engine/vulkan/vulkan.h"

#include "engine/vulkan/instance.h"
#include "engine/vulkan/select.h"

GArray *
yv_device_list (GError **error)
{
  const YvInstance *instance = yv_instance_get (error);
  if (!instance)
    return NULL;
  g_autoptr (GArray) choices = yv_choice_list (instance, error);
  if (!choices)
    return NULL;

  GArray *infos = g_array_sized_new (FALSE, TRUE, sizeof (YvDeviceInfo), choices->len);
  for (guint i = 0; i < choices->len; i++)
    g_array_append_val (infos, g_array_index (choices, YvChoice, i).info);
  return infos;
}
