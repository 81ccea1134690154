/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/net.h - small model descriptions made by chance, and how to make one that fails
 * smaller.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

#define TEST_NET_PICTURE (-1)
#define TEST_NET_MAX_FROM 8
#define TEST_NET_MAX_LEVELS 4

/* A row of the description. */
typedef struct {
  const char *module;
  int32_t from[TEST_NET_MAX_FROM]; /* absolute rows; TEST_NET_PICTURE only in row 0 */
  uint32_t n_from;
  uint32_t number;
  uint32_t width; /* channels, its first argument; 0: it has no such argument */
  char args[64];  /* what comes after: "3, 2, None" */
} TestNetRow;

/* A description and the size to run it at. */
typedef struct {
  uint64_t seed; /* that made it; also of the weights */
  GArray *rows;  /* of TestNetRow, without the head */
  const char *head;
  int32_t heads_from[2 * TEST_NET_MAX_LEVELS]; /* IAuxDetect: twice as many */
  uint32_t n_levels, n_anchors, n_classes;
  uint32_t n, h, w;
} TestNet;

/* The same for a seed, for ever. */
TestNet *test_net_random (uint64_t seed);
TestNet *test_net_copy (const TestNet *net);
void test_net_free (TestNet *net); /* NULL ok */

/* As yaml that --config takes, with seed and size in a comment. Free with g_free(). */
char *test_net_print (const TestNet *net);

/* Drops rows, levels, sources, repeats and arguments, and reduces widths and sizes, while @fails
 * says that what is left still fails. @fails: false for a description that is none (it is asked
 * about some). Returns: (transfer full): a net nothing more can be taken from. */
TestNet *test_net_shrink (const TestNet *net, bool (*fails) (const TestNet *net, void *data),
                          void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestNet, test_net_free)

G_END_DECLS
