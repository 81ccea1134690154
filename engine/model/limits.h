/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/limits.h - how large the parts of a network may be.
 *
 * Far beyond any YOLOv7; more is a mistake or an attack. Whoever reads a number of a file checks it
 * against these, so that what follows may multiply such numbers in 64 bits.
 */
#pragma once

#define YV_MAX_CHANNELS 65536
#define YV_MAX_CLASSES 16384 /* LVIS has 1203, OpenImages 601 */
#define YV_MAX_LEVELS 8      /* of a head */
#define YV_MAX_ANCHORS 16    /* of a level */
#define YV_MAX_KERNEL 64     /* sides, strides and paddings of convolutions and pools, px */
#define YV_MAX_UPSAMPLE 16   /* factor */
