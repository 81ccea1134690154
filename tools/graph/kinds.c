/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/kinds.c - kinds of rows, each with its colours. */
#include "tools/graph/kinds.h"

#include <string.h>

const KindStyle kind_styles[N_KINDS] = {
    [KIND_CONV] = {"Conv", 0x3e78b2, 0xe6eff8},
    [KIND_REPCONV] = {"RepConv", 0x8456b8, 0xf0e8f9},
    [KIND_BLOCK] = {"block of convolutions", 0xd9822b, 0xfdf0e1},
    [KIND_POOL] = {"pooling", 0x2f9e68, 0xe3f5eb},
    [KIND_JOIN] = {"concat, sum", 0x7b8794, 0xeef1f4},
    [KIND_RESHAPE] = {"upsampling, reorg", 0xb79a1d, 0xfaf5dc},
    [KIND_HEAD] = {"head", 0xc23b46, 0xfbe6e8},
};

/* All others are blocks. */
static const struct {
  const char *module;
  Kind kind;
} kind_of_module[] = {
    {"Conv", KIND_CONV},     {"DWConv", KIND_CONV},     {"RepConv", KIND_REPCONV},
    {"MP", KIND_POOL},       {"SP", KIND_POOL},         {"MaxPool2d", KIND_POOL},
    {"Concat", KIND_JOIN},   {"Shortcut", KIND_JOIN},   {"Upsample", KIND_RESHAPE},
    {"ReOrg", KIND_RESHAPE}, {"Detect", KIND_HEAD},     {"IDetect", KIND_HEAD},
    {"Conv2d", KIND_CONV},   {"IAuxDetect", KIND_HEAD},
};

Kind
kind_of (const YvLayerInfo *layer)
{
  for (guint i = 0; i < G_N_ELEMENTS (kind_of_module); i++)
    if (strcmp (kind_of_module[i].module, layer->module) == 0)
      return kind_of_module[i].kind;
  return KIND_BLOCK;
}

bool
is_dropped (const YvLayerInfo *layer)
{
  return *layer->deployed == '\0';
}

bool
is_in_place (const YvLayerInfo *layer)
{
  return strcmp (layer->deployed, "concat in place") == 0;
}
