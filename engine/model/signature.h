/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/signature.h - the parameters of a constructor, and reading a row's arguments by
 * them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/model/args.h"
#include "engine/model/blocks.h"

G_BEGIN_DECLS

#define YV_MAX_PARAMS 6

typedef enum {
  YV_PARAM_WHOLE,    /* 1 .. YV_MAX_CHANNELS */
  YV_PARAM_PAIR,     /* a whole number, or a list of two */
  YV_PARAM_PADDING,  /* as YV_PARAM_PAIR but also 0, or None for half of the kernel */
  YV_PARAM_SWITCH,   /* True or False, or 1 or 0 */
  YV_PARAM_ACT,      /* True, False, None or an activation */
  YV_PARAM_RATIO,    /* above 0, up to 8 */
  YV_PARAM_KERNELS,  /* a list of odd whole numbers */
  YV_PARAM_ONE,      /* 1, the channel axis; nothing else is supported */
  YV_PARAM_PAD_ONE,  /* None or 1 */
  YV_PARAM_THREE,    /* 3 */
  YV_PARAM_NOTHING,  /* None */
  YV_PARAM_NEAREST,  /* the text nearest */
  YV_PARAM_CLASSES,  /* 1 .. YV_MAX_CLASSES */
  YV_PARAM_ANCHORS,  /* what yv_config_parse() let through */
  YV_PARAM_ANYTHING, /* accepted and, as in YOLOv7, without effect */
} YvParamKind;

typedef struct {
  const char *name;
  YvParamKind kind;
  double fallback; /* NAN: must be given */
} YvParam;

/* One argument, read. */
typedef struct {
  uint32_t pair[2];
  double number;
  YvPools pools;
  const YvArg *arg; /* YV_PARAM_ACT, YV_PARAM_ANCHORS */
} YvValue;

typedef struct {
  const char *name;   /* of the constructor, for messages */
  uint32_t n_leading; /* arguments that come before the parameters: 1 for the channels, or 0 */
  uint32_t n_params;
  const YvParam *params;
} YvSignature;

/**
 * yv_signature_read:
 * @values: (out) (array length=n_params): point into @args
 *
 * Returns: false with YV_ERROR_MALFORMED, which names the argument, what it is and what was
 * expected.
 */
bool yv_signature_read (const YvSignature *signature, const YvArg *args, YvValue *values,
                        GError **error);

/* One argument. */
bool yv_signature_read_one (const YvSignature *signature, const YvParam *param, const YvArg *arg,
                            YvValue *value, GError **error);

G_END_DECLS
