/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-blocks.c - memory for texts: nobody else's, and given back. */
#include <string.h>

#include "gst/publish/blocks.h"

#define BLOCK (64 * 1024)

typedef struct {
  char *at;
  size_t n_bytes;
  char content;
  YvBlock *block;
} Text;

static Text
take (YvBlocks *blocks, size_t n_bytes, char content)
{
  Text text = {.n_bytes = n_bytes, .content = content};

  text.at = yv_blocks_take (blocks, n_bytes, &text.block);
  memset (text.at, content, n_bytes);
  return text;
}

static void
give (YvBlocks *blocks, const Text *text)
{
  for (size_t i = 0; i < text->n_bytes; i++)
    g_assert_cmpint (text->at[i], ==, text->content);
  yv_blocks_give (blocks, text->block);
}

static void
nothing_is_taken_before_the_first_text (void)
{
  YvBlocks blocks = {0};

  g_assert_cmpuint (blocks.n_bytes, ==, 0);
  yv_blocks_clear (&blocks);
}

static void
a_text_that_comes_and_goes_takes_one_block (void)
{
  YvBlocks blocks = {0};

  for (int i = 0; i < 1000; i++) {
    const Text text = take (&blocks, 1 + (size_t) i * 16, (char) i);
    g_assert_cmpuint (blocks.n_bytes, ==, BLOCK);
    give (&blocks, &text);
  }
  yv_blocks_clear (&blocks);
}

/* Ten texts at a time, oldest first. */
static void
a_flow_takes_no_more_memory_than_it_needs (void)
{
  YvBlocks blocks = {0};
  Text texts[10] = {{0}};

  for (int i = 0; i < 10000; i++) {
    Text *text = &texts[i % 10];
    if (text->at)
      give (&blocks, text);
    *text = take (&blocks, 4000, (char) i);
    g_assert_cmpuint (blocks.n_bytes, <=, 2 * BLOCK);
  }
  for (int i = 0; i < 10; i++)
    give (&blocks, &texts[i]);
  yv_blocks_clear (&blocks);
}

static void
what_piled_up_is_given_back (void)
{
  YvBlocks blocks = {0};
  Text texts[1000];

  for (int i = 0; i < 1000; i++)
    texts[i] = take (&blocks, 4000, (char) i);
  g_assert_cmpuint (blocks.n_bytes, >=, 1000 * 4000);
  g_assert_cmpuint (blocks.n_bytes, <, 1000 * 4000 + 1000 * 4000 / 10);
  for (int i = 0; i < 1000; i++)
    give (&blocks, &texts[i]);
  g_assert_cmpuint (blocks.n_bytes, <=, BLOCK);
  yv_blocks_clear (&blocks);
  g_assert_cmpuint (blocks.n_bytes, ==, 0);
}

/* However they fit into blocks: those that wait may take hardly more than a user allows them. */
static void
texts_of_any_length_waste_little (void)
{
  static const size_t lengths[] = {1000, 9000, 13000, 16384, 16385, 22000, 33000, 65500, 70000};

  for (size_t k = 0; k < G_N_ELEMENTS (lengths); k++) {
    const size_t n_bytes = lengths[k];
    YvBlocks blocks = {0};
    Text texts[60];

    for (int i = 0; i < 60; i++)
      texts[i] = take (&blocks, n_bytes, (char) i);
    g_assert_cmpuint (blocks.n_bytes, <, 60 * n_bytes + 60 * n_bytes / 3 + BLOCK);
    for (int i = 0; i < 60; i++)
      give (&blocks, &texts[i]);
    g_assert_cmpuint (blocks.n_bytes, <=, BLOCK);
    yv_blocks_clear (&blocks);
  }
}

/* Around the size of a block, behind an empty one and one in use. */
static void
a_long_text_has_a_block_of_its_own (void)
{
  for (size_t n_bytes = BLOCK - 64; n_bytes <= BLOCK + 64; n_bytes++) {
    YvBlocks blocks = {0};
    const Text first = take (&blocks, n_bytes, 'a');
    give (&blocks, &first);
    const Text small = take (&blocks, 1, 'b'), second = take (&blocks, n_bytes, 'c');
    const Text third = take (&blocks, 3 * n_bytes, 'd'), last = take (&blocks, 1, 'e');
    give (&blocks, &third);
    give (&blocks, &small);
    give (&blocks, &last);
    give (&blocks, &second);
    g_assert_cmpuint (blocks.n_bytes, <=, BLOCK);
    yv_blocks_clear (&blocks);
  }
}

static void
texts_in_any_order_keep_what_is_theirs (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  YvBlocks blocks = {0};
  Text texts[200] = {{0}};

  for (int i = 0; i < 20000; i++) {
    Text *text = &texts[g_rand_int_range (random, 0, 200)];
    if (text->at)
      give (&blocks, text);
    const int32_t most = i % 100 == 0 ? 3 * BLOCK : 6000;
    *text = i % 3 == 0 ? (Text){0}
                       : take (&blocks, (size_t) g_rand_int_range (random, 1, most), (char) i);
  }
  for (int i = 0; i < 200; i++)
    if (texts[i].at)
      give (&blocks, &texts[i]);
  g_assert_cmpuint (blocks.n_bytes, <=, BLOCK);
  yv_blocks_clear (&blocks);
}

/* In a process of its own: it ends. */
static void
a_text_that_was_not_given_back_is_noticed (void)
{
  if (g_test_subprocess ()) {
    YvBlocks blocks = {0};
    take (&blocks, 100, 'a');
    yv_blocks_clear (&blocks);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*n_bytes == 0*");
}

static void
memory_that_nobody_has_ends_the_process (void)
{
  if (g_test_subprocess ()) {
    YvBlocks blocks = {0};
    take (&blocks, G_MAXSIZE / 4, 'a');
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*no memory for * bytes of records*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/blocks/" #name, name)
  TEST (nothing_is_taken_before_the_first_text);
  TEST (a_text_that_comes_and_goes_takes_one_block);
  TEST (a_flow_takes_no_more_memory_than_it_needs);
  TEST (what_piled_up_is_given_back);
  TEST (texts_of_any_length_waste_little);
  TEST (a_long_text_has_a_block_of_its_own);
  TEST (texts_in_any_order_keep_what_is_theirs);
  TEST (a_text_that_was_not_given_back_is_noticed);
  TEST (memory_that_nobody_has_ends_the_process);
#undef TEST
  return g_test_run ();
}
