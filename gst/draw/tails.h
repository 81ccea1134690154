/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/tails.h - where tracked objects came from: a fading line behind each.
 *
 * In:    for each frame, where each track is now (the middle of a box's lower edge), and the time.
 * Out:   the shapes of the tails, from transparent at their end to opaque at the object.
 *
 * A tail has 64 points at most: those of a long time lie further apart. So do tails have a bound,
 * 512: a further track takes the place of the one that is gone for longest, and has none where all
 * are there. Tails are drawn until their ink is that of a whole frame. A tail whose track is gone
 * fades away. Nothing is allocated once as many tracks were there at the same time as ever are.
 *
 * Pure. Threads: one at a time.
 */
#pragma once

#include "gst/draw/shapes.h"

G_BEGIN_DECLS

typedef struct _YvTails YvTails;

YvTails *yv_tails_new (void);
void yv_tails_free (YvTails *tails); /* NULL ok */

/* Forgets all: after it nothing connects with what was before. */
void yv_tails_clear (YvTails *tails);

/* Track @id is at (x, y), px, finite; @now_ns: not before that of the last call; @length_ns: >= 1,
 * how old the end of a tail is. */
void yv_tails_add (YvTails *tails, int64_t id, double x, double y, uint32_t argb, uint64_t now_ns,
                   uint64_t length_ns);

/* Adds what is younger than @length_ns to @shapes, and forgets the rest. */
void yv_tails_lay_out (YvTails *tails, uint64_t now_ns, uint64_t length_ns, int32_t line_px,
                       uint32_t frame_w, uint32_t frame_h, YvShapes *shapes);

/* How many tracks have a tail now. */
uint32_t yv_tails_count (const YvTails *tails);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvTails, yv_tails_free)

G_END_DECLS
