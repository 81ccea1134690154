/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/way.h - the ways to compute a convolution, and which of them was found best for what.
 *
 * A way is a kernel and what of its shape can be chosen. Which ways there are, and which one is
 * taken where nobody measured, is known to engine/ops/ alone (conv.h there).
 *
 * In:   what a tuner measured (engine/tune.h), or a file of that.
 * Next: a plan is made with a table of them (YvPlanOptions.ways).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/plan/step.h"

G_BEGIN_DECLS

/* "conv_lanes32", "winograd conv_lanes64", "conv_coopmat 64x128" (pixels x channels). */
char *yv_way_print (const YvWay *way); /* Free with g_free(). */

/* What yv_way_print() prints, and nothing else; false leaves @out as it was. */
bool yv_way_parse (const char *text, YvWay *out);

bool yv_way_equal (const YvWay *a, const YvWay *b);

/* Are both the same kernel, in whatever tiles? Then what they compute differs at most in the last
 * bits, and only where one of them cuts its sums into other parts (docs/numerics.md). */
bool yv_way_same_sums (const YvWay *a, const YvWay *b);

/* "f16>f16 3x3/1,1+1,1 64>128 g1 80x80>80x80 silu": all that tells how fast a convolution is, but
 * for the images that are computed at once. "silu+add" adds a residual, "add+silu" does so before
 * it activates, "silu x2" enlarges; the second size is the one before that, @dst that behind it.
 * Free with g_free(). */
char *yv_way_shape (const YvNode *node, const YvOperand *src, const YvOperand *dst);

/* A table of shapes. Thread safe: plans may be made while a tuner adds to it.
 *
 * A shape has one entry, and may have others for numbers of images, of the same kernel
 * (yv_way_same_sums): so how many frames are analysed at once changes the last bits of detections
 * at most. */
typedef struct _YvWays YvWays;

YvWays *yv_ways_new (void);
void yv_ways_free (YvWays *ways); /* NULL ok */

/* Sets the entry of @shape if it has none, else the one for @n_images. A way with other sums than
 * the shape's entry replaces all entries of the shape. It is no longer refused. */
void yv_ways_add (YvWays *ways, const char *shape, uint32_t n_images, const YvWay *way);

/* The same, for as long as this table lives, of what nobody measured: yv_ways_print() leaves it
 * out. So it stays what is taken, although it is measured for other numbers of images later. */
void yv_ways_keep (YvWays *ways, const char *shape, uint32_t n_images, const YvWay *way);

/* The way of @shape for @n_images, or else of the shape, or else the one for all.
 * Returns: false where there is none, which leaves @out as it was. */
bool yv_ways_find (YvWays *ways, const char *shape, uint32_t n_images, YvWay *out);

/* Is there an entry for just so many images? */
bool yv_ways_has (YvWays *ways, const char *shape, uint32_t n_images);

/* For all shapes without an entry: for tests and for measurements. Not printed. */
void yv_ways_set_for_all (YvWays *ways, const YvWay *way);

/* Computes something else on this device: never to be tried again. */
void yv_ways_refuse (YvWays *ways, const char *shape, const YvWay *way);
bool yv_ways_refused (YvWays *ways, const char *shape, const YvWay *way);

/* Drops what was refused and measured of @shape. */
void yv_ways_forget (YvWays *ways, const char *shape);

/* What @from has of @shape takes the place of what @to has. @to is the caller's alone. */
void yv_ways_copy (YvWays *to, YvWays *from, const char *shape);

/* "1 of SHAPE = WAY" and "SHAPE ! WAY", a line each, sorted. Free with g_free(). */
char *yv_ways_print (YvWays *ways);

/* Adds what yv_ways_print() printed. False, having added nothing, where a line is anything else or
 * there are too many. @text may be hostile, but ends with a 0. */
bool yv_ways_parse (YvWays *ways, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvWays, yv_ways_free)

G_END_DECLS
