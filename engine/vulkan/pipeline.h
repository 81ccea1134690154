/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/pipeline.h - pipelines by kernel, element type, operand mode and constants; each is
 * made once a device and shared by all executors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/step.h"
#include "engine/vulkan/device.h"

G_BEGIN_DECLS

/* Bindings of set 0 of the texel kernels (shaders/params.h). */
enum { YV_BINDING_SRC0, YV_BINDING_SRC1, YV_BINDING_WEIGHT, YV_BINDING_DST, YV_N_BINDINGS };

/* @device: borrowed, owns the cache. NULL with the code of yv_vk_check(). */
YvPipelineCache *yv_pipeline_cache_new (YvDevice *device, GError **error);
void yv_pipeline_cache_free (YvPipelineCache *cache); /* NULL ok */

/* See yv_device_save_pipelines(). */
void yv_pipeline_cache_save (YvPipelineCache *cache);

/* The pipeline for @step, made on first need. Any thread; may block while another is made.
 * (transfer none): it lives as long as the device. Null with YV_ERROR_UNSUPPORTED where the kernel
 * has no such variant, or with the code of yv_vk_check(). */
VkPipeline yv_pipeline_for_step (YvPipelineCache *cache, const YvStep *step, GError **error);

/* The layouts that all pipelines of a mode have in common. */
VkPipelineLayout yv_pipeline_layout (const YvPipelineCache *cache, bool texel);
VkDescriptorSetLayout yv_pipeline_set_layout (const YvPipelineCache *cache);

G_END_DECLS
