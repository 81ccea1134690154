/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/constructors.h - the table of modules that a row of a model description may name.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/model/blocks.h"
#include "engine/model/expand.h"
#include "engine/model/signature.h"

G_BEGIN_DECLS

/* A row whose arguments have been read. Everything is borrowed. */
typedef struct {
  YvPlace place;
  uint32_t c1, c2;
  uint32_t n; /* CSP blocks only: how many blocks inside */
  const YvValue *values;
  const YvExpandRow *row;
} YvCall;

/* Sources and channels out (spec 1.2). */
typedef enum {
  YV_CHANNELS_PASSES,  /* as many channels as it takes */
  YV_CHANNELS_ADDS,    /* as YV_CHANNELS_PASSES, of two sources */
  YV_CHANNELS_SCALES,  /* first argument: channels out, scaled by width_multiple */
  YV_CHANNELS_NESTS,   /* as YV_CHANNELS_SCALES, and takes the repeats as its third argument */
  YV_CHANNELS_SUMS,    /* as many channels as all sources together */
  YV_CHANNELS_FOLDS,   /* four times as many: space to depth */
  YV_CHANNELS_DETECTS, /* sees all sources */
} YvChannelRule;

typedef struct {
  const char *yaml_name;
  YvChannelRule rule;
  uint32_t n_params;
  YvParam params[YV_MAX_PARAMS]; /* after the channels and the repeats */
  YvModule *(*make) (const YvCall *call);
  double (*stride) (const YvCall *call); /* cells of the input per cell of the output; NULL: 1 */
} YvConstructor;

/* By the name in the yaml; NULL: there is none. */
const YvConstructor *yv_find_constructor (const char *yaml_name);

G_END_DECLS
