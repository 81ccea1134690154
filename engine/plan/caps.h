/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/caps.h - what a device can do, as numbers. The only way for plan/ and ops/ to see it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Matrices m x k and k x n. */
typedef struct {
  uint32_t m, n, k;
} YvMatrixUnit;

typedef struct {
  char name[256];    /* "llvmpipe (LLVM 15.0.6, 256 bits)", "reference" */
  bool is_cpu;       /* Vulkan on a CPU */
  bool is_reference; /* engine/ref/: steps carry no kernel */
  bool texel_lanes; /* use the kernels shaped for lavapipe: texel buffers, a subgroup of at least 8,
                       dvec4 stores (shaderFloat64) */
  bool wide_lanes;  /* of these, conv_lanes64 is faster than conv_lanes32: on CPUs with 32 vector
                       registers (AVX-512); with 16 its loop outgrows them and the op cache */
  bool winograd;    /* with texel_lanes: convolutions of 3 x 3 by Winograd where they are faster */
  bool fp16_storage; /* 16-bit storage buffers and push constants with fp32 arithmetic */
  uint32_t subgroup_size;
  /* A subgroup multiplies matrices of fp16, m x k and k x n, and sums in fp32; use conv_coopmat for
   * that. 0: it can't, or shall not. */
  uint32_t coopmat_m, coopmat_n, coopmat_k;
  uint32_t conv_parts; /* into how many parts each sum of a convolution by address is cut
                          (engine/ops/split.c); 0: the best by a model */
  /* Workgroups of 128 [0] and of 256 [1] multiply them of fp16, too, in any multiple of this up to
   * coopmat2_max_side: what conv_coopmat2 is for. 0: they can't. */
  YvMatrixUnit coopmat2[2];
  uint32_t coopmat2_max_side;
  bool coopmat2_wanted;      /* use it wherever it suits; else nowhere, nor is it tried */
  uint32_t max_shared_bytes; /* of a workgroup */
  uint32_t n_cores;          /* that run workgroups side by side; 0: the driver doesn't tell */
  uint32_t max_groups[3];
  uint64_t max_storage_range_bytes; /* of one descriptor */
  uint64_t max_texels;              /* of one texel buffer */
  uint32_t align_bytes;       /* of every operand: >= all offset alignments of the device; >= 64 */
  uint32_t slice_align_bytes; /* of an operand inside another (a channel slice) that is bound by a
                                 descriptor: exactly the device's texel and storage buffer offset
                                 alignment, often less than align_bytes; 0: as align_bytes */
} YvCaps;

/* n_cores or, where the driver doesn't tell, between those of an integrated GPU and a large one. */
uint32_t yv_caps_n_cores (const YvCaps *caps);

/* engine/ref/: anything goes. */
void yv_caps_init_reference (YvCaps *caps);

G_END_DECLS
