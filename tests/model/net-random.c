/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/net-random.c - descriptions made by chance from every module of spec 1.4.
 *
 * Widths and sizes are small, because the reference runs each net three times; what can go wrong
 * (tails of tiles, slices, arena, groups) goes wrong with few channels, too. */
#include <stdio.h>
#include <string.h>

#include "tests/model/net.h"

#define MAX_ROWS 32
#define MAX_STRIDE 32

/* A net that grows. */
typedef struct {
  GRand *rand;
  TestNet *net;
  uint32_t channels[MAX_ROWS], stride[MAX_ROWS]; /* of what each row gives */
} Maker;

static uint32_t
below (Maker *m, uint32_t n)
{
  return (uint32_t) g_rand_int_range (m->rand, 0, (gint32) n);
}

static bool
chance (Maker *m, double p)
{
  return g_rand_double (m->rand) < p;
}

#define PICK(maker, table) ((table)[below (maker, G_N_ELEMENTS (table))])

/* A source for one more row: the last row as a rule. */
static uint32_t
pick_source (Maker *m)
{
  const uint32_t n_rows = m->net->rows->len;

  return chance (m, 0.7) ? n_rows - 1 : below (m, n_rows);
}

/* Of a head: the only width that is not raised to a multiple of 8 (spec 1.2). */
static uint32_t
head_width (const Maker *m)
{
  return m->net->n_anchors * (5 + m->net->n_classes);
}

static bool
is_width (const Maker *m, uint32_t channels)
{
  return channels % 8 == 0 || channels == head_width (m);
}

/* Narrow where there are many pixels. */
static uint32_t
pick_width (Maker *m, uint32_t stride)
{
  static const uint32_t widths[] = {8, 8, 16, 16, 24, 32, 40, 48, 64, 72, 96};

  if (chance (m, 0.1))
    return head_width (m);
  return widths[below (m, stride <= 2 ? 5 : stride <= 4 ? 7 : G_N_ELEMENTS (widths))];
}

static const char *
pick_act (Maker *m)
{
  static const char *const acts[] = {"True",
                                     "True",
                                     "True",
                                     "False",
                                     "None",
                                     "nn.SiLU()",
                                     "nn.LeakyReLU(0.1)",
                                     "nn.LeakyReLU()",
                                     "nn.ReLU()",
                                     "nn.ReLU6()",
                                     "nn.Hardswish()",
                                     "nn.Mish()",
                                     "nn.Sigmoid()",
                                     "nn.Identity()"};

  return PICK (m, acts);
}

/* One that divides both; 1 most often. */
static uint32_t
pick_groups (Maker *m, uint32_t c1, uint32_t c2)
{
  static const uint32_t groups[] = {2, 3, 4, 5, 8, 16, 24, 32};
  const uint32_t g = PICK (m, groups);

  return chance (m, 0.4) && c1 % g == 0 && c2 % g == 0 ? g : 1;
}

/* Appends a row that reads @source; its args are the caller's. */
static TestNetRow *
add_row (Maker *m, const char *module, uint32_t source, uint32_t channels, uint32_t stride)
{
  const uint32_t index = m->net->rows->len;
  TestNetRow row = {.module = module, .from = {(int32_t) source}, .n_from = 1, .number = 1};

  g_assert (index < MAX_ROWS);
  if (index == 0)
    row.from[0] = TEST_NET_PICTURE;
  m->channels[index] = channels;
  m->stride[index] = stride;
  g_array_append_val (m->net->rows, row);
  return &g_array_index (m->net->rows, TestNetRow, index);
}

static TestNetRow *
add_wide_row (Maker *m, const char *module, uint32_t source, uint32_t width, uint32_t stride)
{
  TestNetRow *row = add_row (m, module, source, width, stride);

  row->width = width;
  return row;
}

static void G_GNUC_PRINTF (2, 3) set_args (TestNetRow *row, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  const int length = vsnprintf (row->args, sizeof row->args, format, args);
  va_end (args);
  g_assert (length < (int) sizeof row->args);
}

/* ---- one function a kind of module -----------------------------------------------------------
 * Each appends a row that reads @s, or nothing where the module does not fit there. */

/* 2 now and then, where the input is still large enough. */
static uint32_t
pick_stride (Maker *m, uint32_t s)
{
  return m->stride[s] < MAX_STRIDE && chance (m, 0.35) ? 2 : 1;
}

static void
add_conv (Maker *m, uint32_t s)
{
  static const char *const kernels[] = {"1", "1",      "3",      "3",      "3",      "5",
                                        "7", "[1, 1]", "[3, 3]", "[1, 3]", "[5, 1]", "[3, 7]"};
  static const char *const even[] = {"2, 2, 0", "4, 2, 1", "6, 2, 2", "[6, 2], 2, [2, 0]"};
  const uint32_t stride = pick_stride (m, s);
  const uint32_t width = pick_width (m, m->stride[s] * stride);
  const uint32_t groups = pick_groups (m, m->channels[s], width);
  const char *kernel = PICK (m, kernels), *act = pick_act (m);
  TestNetRow *row = add_wide_row (m, "Conv", s, width, m->stride[s] * stride);

  if (stride == 2 && chance (m, 0.2))
    set_args (row, "%s, %u, %s", PICK (m, even), groups, act);
  else
    set_args (row, "%s, %u, None, %u, %s", kernel, stride, groups, act);
  if (stride == 1 && m->channels[s] == width && chance (m, 0.3))
    row->number = 2;
}

static void
add_conv2d (Maker *m, uint32_t s)
{
  const uint32_t width = pick_width (m, m->stride[s]);

  set_args (add_wide_row (m, "nn.Conv2d", s, width, m->stride[s]), "%s, %s",
            chance (m, 0.5) ? "1, 1, 0" : "3, 1, 1",
            chance (m, 0.5) ? "1, 1, True" : "1, 1, False");
}

static void
add_dwconv (Maker *m, uint32_t s)
{
  const uint32_t stride = pick_stride (m, s);
  const uint32_t width =
      chance (m, 0.6) ? (m->channels[s] + 7) / 8 * 8 : pick_width (m, m->stride[s]);
  const char *act = pick_act (m);

  set_args (add_wide_row (m, "DWConv", s, width, m->stride[s] * stride), "%u, %u, %s",
            1 + 2 * below (m, 4), stride, act);
}

static void
add_repconv (Maker *m, uint32_t s)
{
  const bool identity = is_width (m, m->channels[s]) && chance (m, 0.6);
  const uint32_t stride = identity && chance (m, 0.8) ? 1 : pick_stride (m, s);
  const uint32_t width = identity ? m->channels[s] : pick_width (m, m->stride[s] * stride);
  const uint32_t groups = pick_groups (m, m->channels[s], width);
  const char *act = pick_act (m);

  set_args (add_wide_row (m, "RepConv", s, width, m->stride[s] * stride), "3, %u, None, %u, %s",
            stride, groups, act);
}

static void
add_pool (Maker *m, uint32_t s)
{
  if (m->stride[s] < MAX_STRIDE && chance (m, 0.4)) {
    set_args (add_row (m, "MP", s, m->channels[s], 2 * m->stride[s]), "%s",
              chance (m, 0.5) ? "2" : "");
    return;
  }
  const uint32_t stride = pick_stride (m, s);
  set_args (add_row (m, "SP", s, m->channels[s], m->stride[s] * stride), "%u, %u",
            3 + 2 * below (m, 6), stride);
}

static void
add_reorg (Maker *m, uint32_t s)
{
  if (m->stride[s] < MAX_STRIDE && m->channels[s] <= 24)
    add_row (m, "ReOrg", s, 4 * m->channels[s], 2 * m->stride[s]);
}

static void
add_upsample (Maker *m, uint32_t s)
{
  const uint32_t factor = m->stride[s] >= 16 && chance (m, 0.2) ? 4 : 2;

  if (m->stride[s] >= 8 && m->channels[s] <= 64)
    set_args (add_row (m, "nn.Upsample", s, m->channels[s], m->stride[s] / factor),
              "None, %u, 'nearest'", factor);
}

/* Any rows of one stride, the same ones twice too. */
static void
add_concat (Maker *m, uint32_t s)
{
  const uint32_t n_rows = m->net->rows->len, n_wanted = 2 + below (m, 5);
  TestNetRow row = {.from = {(int32_t) s}, .n_from = 1};
  uint32_t channels = m->channels[s];

  for (uint32_t tries = 0; tries < 20 && row.n_from < n_wanted; tries++) {
    const uint32_t other = chance (m, 0.2) ? (uint32_t) row.from[0] : below (m, n_rows);

    if (m->stride[other] != m->stride[s] || channels + m->channels[other] > 200)
      continue;
    row.from[row.n_from++] = (int32_t) other;
    channels += m->channels[other];
  }
  TestNetRow *added = add_row (m, "Concat", s, channels, m->stride[s]);
  memcpy (added->from, row.from, sizeof row.from);
  added->n_from = row.n_from;
  set_args (added, "1");
}

static void
add_shortcut (Maker *m, uint32_t s)
{
  for (uint32_t other = 0; other < m->net->rows->len; other++)
    if (m->stride[other] == m->stride[s] && m->channels[other] == m->channels[s] &&
        (other != s || chance (m, 0.2))) {
      TestNetRow *row = add_row (m, "Shortcut", s, m->channels[s], m->stride[s]);

      row->from[row->n_from++] = (int32_t) other;
      set_args (row, "1");
      return;
    }
}

static void
add_sppcspc (Maker *m, uint32_t s)
{
  const uint32_t width = MIN (pick_width (m, m->stride[s]), 32);

  if (m->stride[s] >= 8)
    set_args (add_wide_row (m, "SPPCSPC", s, width, m->stride[s]), "%s",
              chance (m, 0.5)   ? ""
              : chance (m, 0.5) ? "False, 1, 0.3"
                                : "False, 1, 0.5, [3, 7]");
}

static void
add_spp (Maker *m, uint32_t s)
{
  const uint32_t width = pick_width (m, m->stride[s]);

  if (m->stride[s] >= 4 && m->channels[s] >= 2)
    set_args (add_wide_row (m, "SPP", s, width, m->stride[s]), "%s",
              chance (m, 0.5) ? "" : "[3, 5, 7]");
}

/* Makes two halves of its width. */
static void
add_downc (Maker *m, uint32_t s)
{
  const uint32_t stride = 2 * m->stride[s], width = (pick_width (m, stride) + 7) / 8 * 8;

  if (m->stride[s] < MAX_STRIDE)
    set_args (add_wide_row (m, "DownC", s, width, stride), "%s", chance (m, 0.5) ? "" : "2");
}

static void
add_stem (Maker *m, uint32_t s)
{
  if (4 * m->stride[s] <= MAX_STRIDE)
    add_wide_row (m, "Stem", s, pick_width (m, 4 * m->stride[s]), 4 * m->stride[s]);
}

/* Bottleneck, Res and the CSP families: shortcut, groups, expansion. Those with an X have 32 groups
 * unless told otherwise, so their hidden width is a multiple of 32. */
static void
add_block (Maker *m, uint32_t s)
{
  static const struct {
    const char *name;
    bool nests, has_x;
    double e;
  } blocks[] = {
      {"Bottleneck", false, false, 0.5},  {"Res", false, false, 0.5},
      {"ResX", false, true, 0.5},         {"BottleneckCSPA", true, false, 0.5},
      {"BottleneckCSPB", true, false, 1}, {"BottleneckCSPC", true, false, 0.5},
      {"ResCSPA", true, false, 0.5},      {"ResCSPB", true, false, 1},
      {"ResCSPC", true, false, 0.5},      {"ResXCSPA", true, true, 0.5},
      {"ResXCSPB", true, true, 1},        {"ResXCSPC", true, true, 0.5},
  };
  const uint32_t kind = below (m, G_N_ELEMENTS (blocks));
  const bool same = chance (m, 0.5) && is_width (m, m->channels[s]) && m->channels[s] <= 64;
  uint32_t width = same ? m->channels[s] : pick_width (m, m->stride[s]);

  if (m->stride[s] < 4)
    return;
  if (blocks[kind].has_x)
    width = blocks[kind].e < 1 ? 64 : 32;
  TestNetRow *row = add_wide_row (m, blocks[kind].name, s, width, m->stride[s]);
  if (blocks[kind].nests)
    row->number = 1 + below (m, 3);
  if (blocks[kind].has_x) /* their own groups, or a few */
    set_args (row, "%s", chance (m, 0.5) ? "" : chance (m, 0.5) ? "True, 4" : "False, 8");
  else if (chance (m, 0.6))
    set_args (row, "%s, %s", chance (m, 0.5) ? "True" : "False", chance (m, 0.6) ? "1" : "1, 0.75");
}

static void (*const adders[]) (Maker *m, uint32_t s) = {
    add_conv,    add_conv,    add_conv,   add_conv,     add_conv2d,   add_dwconv,   add_dwconv,
    add_repconv, add_repconv, add_pool,   add_pool,     add_reorg,    add_upsample, add_upsample,
    add_concat,  add_concat,  add_concat, add_shortcut, add_shortcut, add_sppcspc,  add_spp,
    add_downc,   add_stem,    add_block,  add_block,    add_block,
};

/* ---- whole nets ------------------------------------------------------------------------------ */

/* What reads the picture: only some modules can (the executors want pixels of 4 channels there). */
static void
add_first_row (Maker *m)
{
  m->channels[0] = 3;
  m->stride[0] = 1;
  switch (below (m, 5)) {
  case 0:
    add_row (m, "ReOrg", 0, 12, 2);
    break;
  case 1:
    add_wide_row (m, "Stem", 0, 8 + 8 * below (m, 3), 4);
    break;
  case 2:
    set_args (add_wide_row (m, "Conv", 0, 8, 1), "3, 1");
    break;
  case 3:
    set_args (add_wide_row (m, "Conv", 0, 16, 2), "6, 2, 2, 1, %s", pick_act (m));
    break;
  default:
    set_args (add_wide_row (m, "Conv", 0, 8 + 8 * below (m, 4), 2), "3, 2, None, 1, %s",
              pick_act (m));
  }
}

/* Heads look at few pixels: the last row goes down to stride 8 at least. */
static void
add_last_rows (Maker *m)
{
  while (m->stride[m->net->rows->len - 1] < 8) {
    const uint32_t s = m->net->rows->len - 1;

    set_args (add_wide_row (m, "Conv", s, 16, 2 * m->stride[s]), "3, 2");
  }
}

static int
compare_stride (gconstpointer a, gconstpointer b, gpointer maker)
{
  const Maker *m = maker;

  return (int) m->stride[*(const int32_t *) a] - (int) m->stride[*(const int32_t *) b];
}

static int32_t
pick_head_source (Maker *m)
{
  const uint32_t n_rows = m->net->rows->len;

  for (uint32_t tries = 0; tries < 20; tries++) {
    const uint32_t row = n_rows - 1 - below (m, MIN (n_rows, 8));
    if (m->stride[row] >= 8)
      return (int32_t) row;
  }
  return (int32_t) n_rows - 1;
}

static void
add_head (Maker *m)
{
  static const char *const heads[] = {"Detect", "Detect", "IDetect", "IDetect", "IAuxDetect"};
  TestNet *net = m->net;

  net->head = PICK (m, heads);
  net->n_levels = 2 + below (m, TEST_NET_MAX_LEVELS - 1);
  for (uint32_t i = 0; i < 2 * net->n_levels; i++)
    net->heads_from[i] = pick_head_source (m);
  for (uint32_t half = 0; half < 2; half++)
    g_qsort_with_data (net->heads_from + half * net->n_levels, (gint) net->n_levels,
                       sizeof *net->heads_from, compare_stride, m);
}

static void
choose_size (Maker *m)
{
  uint32_t largest = 8;

  for (uint32_t i = 0; i < m->net->rows->len; i++)
    largest = MAX (largest, m->stride[i]);
  m->net->n = chance (m, 0.2) ? 2 : 1;
  m->net->h = largest * MAX (1, (48 + below (m, 64)) / largest);
  m->net->w = largest * MAX (1, (48 + below (m, 64)) / largest);
}

TestNet *
test_net_random (uint64_t seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) seed);
  Maker maker = {.rand = rand, .net = g_new0 (TestNet, 1)};

  maker.net->seed = seed;
  maker.net->rows = g_array_new (FALSE, FALSE, sizeof (TestNetRow));
  maker.net->n_anchors = 1 + below (&maker, 4);
  maker.net->n_classes = 1 + below (&maker, 9);
  add_first_row (&maker);
  for (uint32_t i = 4 + below (&maker, 12); i > 0; i--)
    PICK (&maker, adders) (&maker, pick_source (&maker));
  add_last_rows (&maker);
  add_head (&maker);
  choose_size (&maker);
  return maker.net;
}
