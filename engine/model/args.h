/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/args.h - what the arguments of a yaml row mean.
 *
 * YOLOv7 evaluates them as Python; here they are read by a grammar that knows numbers, lists, None,
 * True and False, the names `nc` and `anchors`, and activations such as nn.LeakyReLU(0.1). All
 * else stays text, which whoever wants something else refuses by name. Nothing is ever executed.
 * (spec 1.2)
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/yaml.h"

G_BEGIN_DECLS

typedef enum {
  YV_ARG_NONE,
  YV_ARG_BOOL,
  YV_ARG_NUMBER,
  YV_ARG_TEXT,
  YV_ARG_LIST,
  YV_ARG_ACTIVATION,
} YvArgKind;

typedef struct {
  YvArgKind kind;
  double number;    /* NUMBER; BOOL: 0 or 1; ACTIVATION: its slope, 0 where it has none */
  char *text;       /* TEXT; ACTIVATION: its class, "LeakyReLU" */
  GPtrArray *items; /* LIST: of YvArg * */
} YvArg;

/* What the names in arguments stand for. */
typedef struct {
  uint32_t n_classes;   /* nc */
  const YvArg *anchors; /* anchors; NULL: the name stays text */
} YvArgScope;

/* One value. @scope NULL: no names are known; inside a list none are either, as in YOLOv7, which
 * also keeps a row from growing without bound. (transfer full), never NULL. */
YvArg *yv_arg_new (const YvYaml *node, const YvArgScope *scope);

/* The LIST of a row's arguments. @row_args: a SEQUENCE. */
YvArg *yv_args_new (const YvYaml *row_args, const YvArgScope *scope);

void yv_arg_free (YvArg *arg); /* NULL ok */

/* A NUMBER without a fraction inside [lowest, highest]. */
bool yv_arg_is_whole (const YvArg *arg, double lowest, double highest);

/* The value of `anchors`: a LIST of one LIST of positive w, h, w, h ... per level, all of the same
 * length, or a NUMBER, how many a level has without saying which. */
bool yv_arg_is_anchors (const YvArg *arg, uint32_t *n_anchors_per_level);

/* As one would write it, cut short; for messages. Free with g_free(). */
char *yv_arg_describe (const YvArg *arg);

/* The activations that are known, "SiLU, ReLU, ..."; for messages. Free with g_free(). */
char *yv_arg_activations (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvArg, yv_arg_free)

G_END_DECLS
