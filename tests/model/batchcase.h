/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/batchcase.h - streams that share batches, and a pair that wait for each other.
 *
 * None of these fails.
 */
#pragma once

#include "tests/model/enginecase.h"

G_BEGIN_DECLS

/* Longer than any test: what waits so long waits for a full batch. */
#define FOR_EVER_NS (UINT64_C (3600) * 1000000000)

/* low_options(), sharing batches. */
YvStreamOptions shared_options (void);

/* Ready for frames as of draw_picture(). */
YvStream *open_prepared (YvEngine *engine, const YvStreamOptions *options);

void submit (YvStream *stream, const YvImage *image);

/* @expected: whether there is a frame to replace */
void replace (YvStream *stream, const YvImage *image, bool expected);

/* Returns: of one frame, as yv_stream_collect() does */
const YvDetections *collect (YvStream *stream);

/* By a stream of its own that does not share. Returns: (element-type YvDetection) */
GArray *detect_alone (YvEngine *engine, const YvStreamOptions *shared, const YvImage *image);

void assert_found (const YvDetections *found, const GArray *expected);

/* Two streams that wait for each other's frames, and a picture for each of a few phases. */
#define N_PHASES 4

typedef struct {
  YvEngine *engine;
  YvStreamOptions options;
  YvStream *streams[2];
  YvFrameMemory *memories[N_PHASES];
  YvImage images[N_PHASES]; /* in place */
  GArray *expected[N_PHASES];
} Pair;

/* False, after a skip, where there is no Vulkan; then there is nothing to close. */
bool open_pair (Pair *pair);
void close_pair (Pair *pair);

/* The stream's next frame must have been this picture, in a batch of @n_batch. */
void collect_phase (Pair *pair, uint32_t stream, uint32_t phase, uint32_t n_batch);

G_END_DECLS
