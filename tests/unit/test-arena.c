/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-arena.c - engine/plan/arena.h: nothing alive is overwritten, little is wasted. */
#include "engine/plan/arena.h"

#include <stdbool.h>

#define N_SLOTS 60
#define N_LEVELS 40
#define ALIGN 64

static bool
clash (const YvArenaSlot *a, const YvArenaSlot *b)
{
  return a->first_level <= b->last_level && b->first_level <= a->last_level &&
         a->offset_bytes < b->offset_bytes + b->size_bytes &&
         b->offset_bytes < a->offset_bytes + a->size_bytes;
}

/* Bytes alive at the busiest level: no placement can do with less. */
static uint64_t
peak_bytes (const YvArenaSlot *slots, uint32_t n_slots)
{
  uint64_t peak = 0;

  for (uint32_t level = 0; level < N_LEVELS; level++) {
    uint64_t alive = 0;

    for (uint32_t i = 0; i < n_slots; i++)
      if (slots[i].first_level <= level && level <= slots[i].last_level)
        alive += slots[i].size_bytes;
    peak = MAX (peak, alive);
  }
  return peak;
}

static void
fill_random (GRand *rand, YvArenaSlot *slots)
{
  for (uint32_t i = 0; i < N_SLOTS; i++) {
    slots[i].first_level = (uint32_t) g_rand_int_range (rand, 0, N_LEVELS);
    slots[i].last_level = (uint32_t) g_rand_int_range (
        rand, (int) slots[i].first_level, MIN ((int) slots[i].first_level + 8, N_LEVELS));
    slots[i].size_bytes = (uint64_t) g_rand_int_range (rand, 1, 5000);
  }
}

static void
slots_alive_together_never_overlap (void)
{
  for (uint32_t seed = 0; seed < 50; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    YvArenaSlot slots[N_SLOTS] = {0};

    fill_random (rand, slots);
    const uint64_t size_bytes = yv_arena_place (slots, N_SLOTS, ALIGN);
    for (uint32_t i = 0; i < N_SLOTS; i++) {
      g_assert_cmpuint (slots[i].offset_bytes % ALIGN, ==, 0);
      g_assert_cmpuint (slots[i].offset_bytes + slots[i].size_bytes, <=, size_bytes);
      for (uint32_t k = 0; k < i; k++)
        g_assert_false (clash (&slots[i], &slots[k]));
    }
  }
}

/* The worst of these seeds needs 1.19. */
static void
the_arena_is_hardly_larger_than_the_peak (void)
{
  double worst = 0;

  for (uint32_t seed = 0; seed < 50; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    YvArenaSlot slots[N_SLOTS] = {0};

    fill_random (rand, slots);
    const double size_bytes = (double) yv_arena_place (slots, N_SLOTS, ALIGN);
    worst = MAX (worst, size_bytes / (double) peak_bytes (slots, N_SLOTS));
  }
  g_test_message ("worst arena: %.3f of the peak", worst);
  g_assert_cmpfloat (worst, <, 1.25);
}

static void
values_of_different_times_share_their_bytes (void)
{
  YvArenaSlot slots[] = {
      {.first_level = 0, .last_level = 1, .size_bytes = 1000},
      {.first_level = 1, .last_level = 2, .size_bytes = 1000},
      {.first_level = 2, .last_level = 3, .size_bytes = 1000},
  };

  g_assert_cmpuint (yv_arena_place (slots, 3, ALIGN), ==, 2048);
  g_assert_cmpuint (slots[0].offset_bytes, ==, 0);
  g_assert_cmpuint (slots[1].offset_bytes, ==, 1024);
  g_assert_cmpuint (slots[2].offset_bytes, ==, 0);
}

static void
an_arena_of_nothing_is_empty (void)
{
  YvArenaSlot slot = {.size_bytes = 0};

  g_assert_cmpuint (yv_arena_place (NULL, 0, ALIGN), ==, 0);
  g_assert_cmpuint (yv_arena_place (&slot, 1, ALIGN), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/arena/no-overlap", slots_alive_together_never_overlap);
  g_test_add_func ("/arena/near-the-peak", the_arena_is_hardly_larger_than_the_peak);
  g_test_add_func ("/arena/sharing", values_of_different_times_share_their_bytes);
  g_test_add_func ("/arena/empty", an_arena_of_nothing_is_empty);
  return g_test_run ();
}
