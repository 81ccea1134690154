/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/module.h - one module and its children, as PyTorch would print it: a class, a few
 * numbers, and names. No weights.
 *
 * The same tree comes out of a pickled checkpoint (from_checkpoint.c) and out of a yaml row
 * (from_config.c, which expands e.g. Conv into Conv2d + BatchNorm2d + activation the way the
 * constructor does), so that the graph builder has one kind of input. Attribute names are PyTorch's
 * and YOLOv7's own:
 *
 *   Conv2d            in_channels out_channels kernel_size[2] stride[2] padding[2] groups
 *                     bias (1: it has one)
 *   BatchNorm2d       num_features eps          (SyncBatchNorm is given this class, too)
 *   SiLU Identity ReLU ReLU6 Hardswish Mish Sigmoid   none;   LeakyReLU   negative_slope
 *   MaxPool2d         kernel_size stride padding
 *   Upsample          scale_factor
 *   Concat            d
 *   Detect IDetect IAuxDetect   nc na nl;  anchors[nl*na*2] in pixels and stride[nl] where known;
 *                     children m (ModuleList of Conv2d "0".."nl-1"), ia, im (ModuleLists of
 *                     ImplicitA, ImplicitM), m2 (aux). fused = 1: the implicits are already in m.
 *   Conv              children conv, bn, act.   No bn child: fused before saving.
 *   RepConv           children act and either rbr_reparam, or rbr_dense, rbr_1x1 (Sequentials "0"
 *                     Conv2d, "1" BatchNorm2d) and, where it exists, rbr_identity (BatchNorm2d)
 *   SPPCSPC           children cv1..cv7 (Conv), m (ModuleList of MaxPool2d)
 *   MP, SP            child m (MaxPool2d)
 *   other blocks      their children under their own names; Bottleneck and Res: add = 0 or 1;
 *                     a Sequential of n equal blocks: children "0".."n-1"
 *   ImplicitA ImplicitM   channel
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  char *key;
  uint32_t n_values;
  double *values;
} YvAttr;

typedef struct _YvModule YvModule;

struct _YvModule {
  char *class_name;    /* last component: "Conv", "Conv2d" */
  char *name;          /* under the parent: "cv1"; of a row its number */
  char *path;          /* where its tensors are: "model.51.cv1" */
  GArray *attrs;       /* of YvAttr */
  GPtrArray *children; /* of YvModule *, in the order of the file */
};

YvModule *yv_module_new (const char *class_name, const char *parent_path, const char *name);
void yv_module_free (YvModule *module); /* with its children; NULL ok */

/* Appends @child, which @module then owns, and returns it. */
YvModule *yv_module_add (YvModule *module, YvModule *child);
YvModule *yv_module_child (const YvModule *module, const char *name); /* NULL where absent */
bool yv_module_is (const YvModule *module, const char *class_name);   /* NULL module: false */

void yv_module_set (YvModule *module, const char *key, double value);
void yv_module_set_many (YvModule *module, const char *key, const double *values,
                         uint32_t n_values);

/* NULL where absent. */
const YvAttr *yv_module_attr (const YvModule *module, const char *key);

/* Element @index of an attribute; of a one-element attribute the one, whatever @index (so that
 * kernel_size may be a number or a pair). @fallback where absent. */
double yv_module_number (const YvModule *module, const char *key, uint32_t index, double fallback);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvModule, yv_module_free)

G_END_DECLS
