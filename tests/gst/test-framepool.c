/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-framepool.c - gst/framepool.h: which buffers the device reads where they lie, and
 * what is proposed to those who make them. */
#include "gst/framepool.h"

#include <string.h>

#include "engine/engine.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/slot.h"
#include "gst/frameview.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/gst/frames.h"
#include "tests/gst/leaks.h"
#include "tests/gst/pipeline.h"

#define W 96
#define H 64
#define FRAME_BYTES (3 * W * H)

static YvEngine *
open_engine (const char *device)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
  const YvEngineOptions options = {.model_file = path, .device = device};
  g_autoptr (GError) error = NULL;
  YvEngine *engine = yv_engine_new (&options, &error);

  g_assert_no_error (error);
  return engine;
}

/* Two that most tests share, because opening one takes long. */
static YvEngine *shared_engines[2];

/* Returns: (transfer full): or NULL after a skip */
static YvEngine *
share_vulkan (guint i)
{
  if (!yv_test_needs_vulkan ())
    return NULL;
  if (!shared_engines[i])
    shared_engines[i] = open_engine (NULL);
  return yv_engine_ref (shared_engines[i]);
}

/* NULL after a skip where its device does not import. */
static YvEngine *
share_importing (void)
{
  g_autoptr (YvEngine) engine = share_vulkan (0);

  if (!engine || engine->device->import_align_bytes > 0)
    return g_steal_pointer (&engine);
  g_test_skip ("the device lacks VK_EXT_external_memory_host");
  return NULL;
}

/* The test, its allocators and we. */
static void
assert_n_refs (YvEngine *engine, gint n)
{
  g_assert_true (g_atomic_ref_count_compare (&engine->n_refs, n));
}

/* ---- what is proposed ----------------------------------------------------------------------- */

/* What downstream writes into the query; then it says whether that is its answer. */
typedef struct {
  gboolean is_linked, answers, knows_video_meta, has_pool, has_sizes, has_allocator;
  guint n_min, n_max;
  gsize align;
} Downstream;

static gboolean
answer_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  const Downstream *self = g_object_get_data (G_OBJECT (pad), "downstream");
  GstAllocationParams params;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);
  gst_allocation_params_init (&params);
  params.align = self->align;
  if (self->knows_video_meta)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  if (self->has_allocator || self->align > 0) {
    g_autoptr (GstAllocator) system = gst_allocator_find (GST_ALLOCATOR_SYSMEM);
    gst_query_add_allocation_param (query, self->has_allocator ? system : NULL, &params);
  }
  if (self->has_pool || self->has_sizes) {
    g_autoptr (GstBufferPool) pool = self->has_pool ? gst_buffer_pool_new () : NULL;
    gst_query_add_allocation_pool (query, pool, 2 * FRAME_BYTES, self->n_min, self->n_max);
  }
  return self->answers;
}

static GstQuery *
ask (const Downstream *downstream, const char *caps_text, gboolean needs_pool, YvEngine *engine,
     guint n_held, gboolean *is_answered)
{
  g_autoptr (GstPad) src = gst_object_ref_sink (gst_pad_new ("src", GST_PAD_SRC));
  g_autoptr (GstPad) sink = gst_object_ref_sink (gst_pad_new ("sink", GST_PAD_SINK));
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  GstQuery *query = gst_query_new_allocation (caps, needs_pool);

  g_object_set_data (G_OBJECT (sink), "downstream", (gpointer) downstream);
  gst_pad_set_query_function (sink, answer_query);
  gst_pad_set_active (src, TRUE);
  gst_pad_set_active (sink, TRUE);
  if (downstream->is_linked)
    g_assert_cmpint (gst_pad_link (src, sink), ==, GST_PAD_LINK_OK);
  *is_answered = gst_yolov7_propose_allocation (src, query, engine, n_held);
  return query;
}

#define RGB_CAPS "video/x-raw, format=RGB, width=96, height=64, framerate=25/1"

static GstBufferPool *
pool_of (GstQuery *query, guint *size_bytes, guint *n_min, guint *n_max)
{
  GstBufferPool *pool = NULL;

  g_assert_cmpuint (gst_query_get_n_allocation_pools (query), ==, 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, size_bytes, n_min, n_max);
  return pool;
}

static GstAllocator *
allocator_of (GstQuery *query, GstAllocationParams *params)
{
  GstAllocator *allocator = NULL;

  g_assert_cmpuint (gst_query_get_n_allocation_params (query), ==, 1);
  gst_query_parse_nth_allocation_param (query, 0, &allocator, params);
  return allocator;
}

/* Strides are padded only where downstream can read them, and where it can that is passed on. */
static void
our_pool_is_proposed_where_downstream_has_none (void)
{
  static const Downstream rows[] = {
      {.is_linked = FALSE},
      {.is_linked = TRUE, .answers = FALSE},
      {.is_linked = TRUE, .knows_video_meta = TRUE, .has_pool = TRUE, .has_allocator = TRUE},
      {.is_linked = TRUE, .answers = TRUE},
      {.is_linked = TRUE, .answers = TRUE, .knows_video_meta = TRUE},
      {.is_linked = TRUE, .answers = TRUE, .align = 63},
      {.is_linked = TRUE, .answers = TRUE, .has_sizes = TRUE, .n_min = 5, .n_max = 6},
  };
  g_autoptr (YvEngine) engine = open_engine ("reference");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gboolean is_answered;
    g_autoptr (GstQuery) query = ask (&rows[i], RGB_CAPS, TRUE, engine, 3, &is_answered);
    guint size_bytes, n_min, n_max;
    GstAllocationParams params;
    g_autoptr (GstBufferPool) pool = pool_of (query, &size_bytes, &n_min, &n_max);
    g_autoptr (GstAllocator) allocator = allocator_of (query, &params);

    g_test_message ("row %u", i);
    g_assert_true (is_answered);
    g_assert_true (GST_IS_VIDEO_BUFFER_POOL (pool));
    g_assert_cmpstr (allocator->mem_type, ==, "Yolov7FrameMemory");
    g_assert_cmpuint (params.align, ==, rows[i].align);
    g_assert_cmpuint (size_bytes, ==, rows[i].has_sizes ? 2 * FRAME_BYTES : FRAME_BYTES);
    g_assert_cmpuint (n_min, ==, 3 + MAX (2, rows[i].n_min));
    g_assert_cmpuint (n_max, ==, 0);
    g_assert_cmpint (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL), ==,
                     rows[i].answers && rows[i].knows_video_meta);
  }
}

static void
what_downstream_brings_stays (void)
{
  static const struct {
    Downstream downstream;
    guint n_min, n_max;
  } rows[] = {
      {{.is_linked = TRUE, .answers = TRUE, .has_pool = TRUE, .n_min = 2}, 5, 0},
      {{.is_linked = TRUE, .answers = TRUE, .has_pool = TRUE, .n_min = 2, .n_max = 4}, 4, 4},
      {{.is_linked = TRUE, .answers = TRUE, .has_pool = TRUE, .n_min = 2, .n_max = 16}, 5, 16},
      {{.is_linked = TRUE, .answers = TRUE, .has_sizes = TRUE, .has_allocator = TRUE}, 3, 0},
  };
  g_autoptr (YvEngine) engine = open_engine ("reference");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Downstream *downstream = &rows[i].downstream;
    gboolean is_answered;
    g_autoptr (GstQuery) query = ask (downstream, RGB_CAPS, TRUE, engine, 3, &is_answered);
    guint size_bytes, n_min, n_max;
    g_autoptr (GstBufferPool) pool = pool_of (query, &size_bytes, &n_min, &n_max);

    g_test_message ("row %u", i);
    g_assert_true (is_answered);
    g_assert_cmpint (pool != NULL, ==, downstream->has_pool);
    g_assert_false (GST_IS_VIDEO_BUFFER_POOL (pool));
    g_assert_cmpuint (n_min, ==, rows[i].n_min);
    g_assert_cmpuint (n_max, ==, rows[i].n_max);
    g_assert_cmpuint (gst_query_get_n_allocation_params (query), ==, downstream->has_allocator);
  }
}

static void
nothing_is_proposed_that_nobody_can_use (void)
{
  static const Downstream refuses = {.is_linked = TRUE};
  static const Downstream answers = {.is_linked = TRUE, .answers = TRUE};
  g_autoptr (YvEngine) engine = open_engine ("reference");
  gboolean is_answered;

  g_autoptr (GstQuery) audio = ask (&refuses, "audio/x-raw", TRUE, engine, 1, &is_answered);
  g_assert_false (is_answered);
  g_assert_cmpuint (gst_query_get_n_allocation_pools (audio), ==, 0);
  g_autoptr (GstQuery) other = ask (&answers, "audio/x-raw", TRUE, engine, 1, &is_answered);
  g_assert_true (is_answered);
  g_assert_cmpuint (gst_query_get_n_allocation_params (other), ==, 0);
  g_autoptr (GstQuery) no_pool = ask (&answers, RGB_CAPS, FALSE, engine, 1, &is_answered);
  g_assert_true (is_answered);
  g_assert_cmpuint (gst_query_get_n_allocation_pools (no_pool), ==, 0);
  g_assert_cmpuint (gst_query_get_n_allocation_params (no_pool), ==, 1);
  g_autoptr (GstQuery) no_engine = ask (&answers, RGB_CAPS, TRUE, NULL, 1, &is_answered);
  g_assert_true (is_answered);
  g_assert_cmpuint (gst_query_get_n_allocation_pools (no_engine), ==, 0);
  g_assert_cmpuint (gst_query_get_n_allocation_params (no_engine), ==, 0);
}

/* ---- our memory ------------------------------------------------------------------------------ */

/* As upstream gets it, and uses it. */
static GstBufferPool *
start_pool (YvEngine *engine)
{
  static const Downstream nobody = {.is_linked = FALSE};
  gboolean is_answered;
  g_autoptr (GstQuery) query = ask (&nobody, RGB_CAPS, TRUE, engine, 0, &is_answered);
  GstBufferPool *pool = pool_of (query, NULL, NULL, NULL);

  g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static void
stop_pool (GstBufferPool *pool)
{
  g_assert_true (gst_buffer_pool_set_active (pool, FALSE));
  gst_object_unref (pool);
}

static GstBuffer *
acquire (GstBufferPool *pool)
{
  GstBuffer *buffer = NULL;

  g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), ==, GST_FLOW_OK);
  return buffer;
}

static void
a_buffer_of_our_pool_is_read_in_place_by_its_engine_alone (void)
{
  g_autoptr (YvEngine) engine = share_vulkan (0);
  if (!engine)
    return;

  g_autoptr (YvEngine) other = share_vulkan (1), reference = open_engine ("reference");
  GstBufferPool *pool = start_pool (engine);
  GstBuffer *buffer = acquire (pool);
  YvFrameMemory *memory = gst_yolov7_frame_memory_of (buffer, engine);
  GstMapInfo map;

  g_assert_nonnull (memory);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READWRITE));
  g_assert_cmpuint (map.size, ==, FRAME_BYTES);
  g_assert_true (map.data == yv_frame_memory_bytes (memory));
  memset (map.data, 7, map.size);
  gst_buffer_unmap (buffer, &map);
  g_assert_null (gst_yolov7_frame_memory_of (buffer, other));
  g_assert_null (gst_yolov7_frame_memory_of (buffer, other)); /* nor is it imported */
  g_assert_null (gst_yolov7_frame_memory_of (buffer, reference));

  assert_n_refs (engine, 3);
  gst_buffer_unref (buffer);
  stop_pool (pool);
  assert_n_refs (engine, 2);
}

static void
copies_and_parts_of_our_memory_behave (void)
{
  g_autoptr (YvEngine) engine = share_vulkan (0);
  if (!engine)
    return;

  GstBufferPool *pool = start_pool (engine);
  GstBuffer *buffer = acquire (pool);
  YvFrameMemory *memory = gst_yolov7_frame_memory_of (buffer, engine);
  gst_buffer_memset (buffer, 0, 3, FRAME_BYTES);
  gst_buffer_memset (buffer, 100, 9, 50);
  g_autoptr (GstBuffer) shallow = gst_buffer_copy (buffer), deep = gst_buffer_copy_deep (buffer);
  g_autoptr (GstBuffer) part =
      gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 100, FRAME_BYTES / 2);
  g_autoptr (GstBuffer) rest =
      gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 100 + FRAME_BYTES / 2, (gsize) -1);
  GstMapInfo map;

  g_assert_true (gst_yolov7_frame_memory_of (shallow, engine) == memory);
  g_assert_true (gst_yolov7_frame_memory_of (part, engine) == memory);
  g_assert_null (gst_yolov7_frame_memory_of (deep, engine));
  g_assert_true (gst_memory_is_type (gst_buffer_peek_memory (deep, 0), GST_ALLOCATOR_SYSMEM));
  g_assert_cmpint (gst_buffer_memcmp (deep, 100, yv_frame_memory_bytes (memory) + 100, 50), ==, 0);

  g_assert_true (gst_buffer_map (part, &map, GST_MAP_READ));
  g_assert_true (map.data == yv_frame_memory_bytes (memory) + 100);
  g_assert_cmpuint (map.size, ==, FRAME_BYTES / 2);
  g_assert_cmpuint (map.data[49], ==, 9);
  g_assert_cmpuint (map.data[50], ==, 3);
  gst_buffer_unmap (part, &map);
  part = gst_buffer_append (g_steal_pointer (&part), g_steal_pointer (&rest));
  g_assert_cmpuint (gst_buffer_n_memory (part), ==, 2);
  g_assert_null (gst_yolov7_frame_memory_of (part, engine));
  g_assert_true (gst_buffer_map (part, &map, GST_MAP_READ)); /* spans both: merged without a copy */
  g_assert_cmpuint (map.size, ==, FRAME_BYTES - 100);
  g_assert_true (map.data == yv_frame_memory_bytes (memory) + 100);
  gst_buffer_unmap (part, &map);
  gst_buffer_unref (buffer);
  stop_pool (pool);
}

static void
our_allocator_keeps_what_it_is_asked_for (void)
{
  static const Downstream nobody = {.is_linked = FALSE};
  g_autoptr (YvEngine) engine = open_engine ("reference");
  gboolean is_answered;
  GstAllocationParams params;
  GstMapInfo map;
  g_autoptr (GstQuery) query = ask (&nobody, RGB_CAPS, TRUE, engine, 0, &is_answered);
  g_autoptr (GstAllocator) allocator = allocator_of (query, &params);

  params.align = 255;
  params.prefix = 256;
  params.padding = 77;
  params.flags = GST_MEMORY_FLAG_ZERO_PREFIXED | GST_MEMORY_FLAG_ZERO_PADDED;
  g_autoptr (GstMemory) memory = gst_allocator_alloc (allocator, 1000, &params);
  g_assert_true (gst_memory_map (memory, &map, GST_MAP_READ));
  g_assert_cmpuint (map.size, ==, 1000);
  g_assert_cmpuint (map.maxsize, >=, 1000 + 77);
  g_assert_cmpuint ((gsize) map.data & 255, ==, 0);
  for (guint i = 0; i < 77; i++)
    g_assert_cmpuint (map.data[1000 + i] | map.data[-1 - (gint) i], ==, 0);
  gst_memory_unmap (memory, &map);

  gst_allocation_params_init (&params);
  g_autoptr (GstMemory) plain =
      gst_allocator_alloc (allocator, (gsize) YV_MAX_FRAME_MEMORY_BYTES + 1, &params);
  g_assert_true (gst_memory_is_type (plain, GST_ALLOCATOR_SYSMEM)); /* more than the engine gives */
}

/* ---- memory of others ----------------------------------------------------------------------- */

static uint32_t n_imports, n_frees;
static gboolean refuses_imports;
static struct VolkDeviceTable real;

static VKAPI_ATTR VkResult VKAPI_CALL
count_import (VkDevice device, VkExternalMemoryHandleTypeFlagBits kind, const void *pages,
              VkMemoryHostPointerPropertiesEXT *out)
{
  n_imports++;
  return refuses_imports ? VK_ERROR_INVALID_EXTERNAL_HANDLE
                         : real.vkGetMemoryHostPointerPropertiesEXT (device, kind, pages, out);
}

static VKAPI_ATTR void VKAPI_CALL
count_free (VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *allocator)
{
  n_frees++;
  real.vkFreeMemory (device, memory, allocator);
}

static void
count_imports_of (YvEngine *engine, gboolean refuses)
{
  real = engine->device->vk;
  engine->device->vk.vkGetMemoryHostPointerPropertiesEXT = count_import;
  engine->device->vk.vkFreeMemory = count_free;
  n_imports = n_frees = 0;
  refuses_imports = refuses;
}

static void
stop_counting (YvEngine *engine)
{
  engine->device->vk = real;
}

static GstBuffer *
new_frame (GstMemory *memory, GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new ();

  gst_buffer_append_memory (buffer, gst_memory_ref (memory));
  GST_BUFFER_PTS (buffer) = pts;
  return buffer;
}

/* A frame of its own for each call, in the same memory. */
static YvFrameMemory *
pass (GstMemory *memory, GstClockTime pts, YvEngine *engine)
{
  g_autoptr (GstBuffer) buffer = new_frame (memory, pts);

  return gst_yolov7_frame_memory_of (buffer, engine);
}

static void
memory_that_comes_by_again_is_imported (void)
{
  g_autoptr (YvEngine) engine = share_importing ();
  if (!engine)
    return;

  g_autoptr (YvEngine) other = share_vulkan (1);
  g_autoptr (GstMemory) memory = gst_allocator_alloc (NULL, FRAME_BYTES, NULL);
  g_autoptr (GstMemory) untimed = gst_allocator_alloc (NULL, FRAME_BYTES, NULL);
  GstMapInfo map;

  count_imports_of (engine, FALSE);
  g_assert_null (pass (memory, 0, engine));
  g_assert_null (pass (memory, 0, engine)); /* behind a tee */
  g_assert_cmpuint (n_imports, ==, 0);
  YvFrameMemory *import = pass (memory, 40, engine);
  g_assert_nonnull (import);
  g_assert_true (pass (memory, 80, engine) == import);
  g_assert_true (pass (memory, 0, engine) == import);
  g_assert_cmpuint (n_imports, ==, 1);
  g_assert_true (gst_memory_map (memory, &map, GST_MAP_READ));
  g_assert_true (yv_frame_memory_bytes (import) == map.data - memory->offset);
  gst_memory_unmap (memory, &map);

  YvFrameMemory *second = pass (memory, 120, other); /* both engines keep theirs */
  g_assert_nonnull (second);
  g_assert_true (second != import);
  g_assert_true (pass (memory, 160, engine) == import);
  g_assert_true (pass (memory, 160, other) == second);
  g_assert_null (pass (untimed, GST_CLOCK_TIME_NONE, engine));
  g_assert_nonnull (pass (untimed, GST_CLOCK_TIME_NONE, engine));
  g_assert_cmpuint (n_imports, ==, 2);
  stop_counting (engine);
}

static void
some_memory_is_never_imported (void)
{
  g_autoptr (YvEngine) engine = share_importing ();
  if (!engine)
    return;

  g_autoptr (YvEngine) reference = open_engine ("reference"), other = share_vulkan (1);
  g_autoptr (GstMemory) memory = gst_allocator_alloc (NULL, 2 * FRAME_BYTES, NULL);
  g_autoptr (GstMemory) first = gst_memory_share (memory, 0, FRAME_BYTES);
  g_autoptr (GstMemory) second = gst_memory_share (memory, FRAME_BYTES, FRAME_BYTES);
  g_autoptr (GstMemory) plain = gst_allocator_alloc (NULL, FRAME_BYTES, NULL);
  GstBufferPool *pool = start_pool (other);

  count_imports_of (engine, FALSE);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) both = new_frame (first, i), alien = acquire (pool);

    gst_buffer_append_memory (both, gst_memory_ref (plain));
    g_assert_null (gst_yolov7_frame_memory_of (both, engine));
    g_assert_null (gst_yolov7_frame_memory_of (alien, engine));
    g_assert_null (pass (first, i, engine)); /* many frames, one after the other */
    g_assert_null (pass (second, i, engine));
    g_assert_null (pass (plain, i, reference));
  }
  g_assert_cmpuint (n_imports, ==, 0);
  g_assert_null (pass (memory, 0, engine));
  YvFrameMemory *whole = pass (memory, 1, engine);
  g_assert_nonnull (whole);
  g_assert_true (pass (second, 2, engine) == whole); /* it is there */
  g_autoptr (GstBuffer) nothing = gst_buffer_new ();
  g_assert_null (gst_yolov7_frame_memory_of (nothing, engine));
  stop_counting (engine);
  stop_pool (pool);
}

static void
what_could_not_be_imported_is_not_tried_again (void)
{
  g_autoptr (YvEngine) engine = share_importing ();
  if (!engine)
    return;

  g_autoptr (GstMemory) memory = gst_allocator_alloc (NULL, FRAME_BYTES, NULL);

  count_imports_of (engine, TRUE);
  for (guint i = 0; i < 4; i++)
    g_assert_null (pass (memory, i, engine));
  g_assert_cmpuint (n_imports, ==, 1);
  stop_counting (engine);
}

static gboolean bytes_are_gone;

static void
free_bytes (gpointer bytes)
{
  g_assert_cmpuint (n_frees, ==, 1); /* the import went before */
  bytes_are_gone = TRUE;
  g_free (bytes);
}

static void
an_import_goes_before_its_memory_does (void)
{
  g_autoptr (YvEngine) engine = share_importing ();
  if (!engine)
    return;

  guint8 *bytes = g_malloc (FRAME_BYTES);
  GstMemory *memory =
      gst_memory_new_wrapped (0, bytes, FRAME_BYTES, 0, FRAME_BYTES, bytes, free_bytes);

  count_imports_of (engine, FALSE);
  pass (memory, 0, engine);
  g_assert_nonnull (pass (memory, 1, engine));
  g_assert_cmpuint (n_frees, ==, 0);
  bytes_are_gone = FALSE;
  gst_memory_unref (memory);
  g_assert_true (bytes_are_gone);
  g_assert_cmpuint (n_frees, ==, 1);
  stop_counting (engine);
}

static void
imports_of_an_engine_that_is_gone_go_with_the_next (void)
{
  g_autoptr (YvEngine) next = share_importing ();
  if (!next)
    return;

  YvEngine *engine = open_engine (NULL);
  g_autoptr (GstMemory) memory = gst_allocator_alloc (NULL, FRAME_BYTES, NULL);
  pass (memory, 0, engine);
  g_assert_nonnull (pass (memory, 1, engine));
  count_imports_of (engine, FALSE);
  yv_engine_unref (engine);
  const uint32_t n_frees_of_engine = n_frees; /* its device is kept by the import alone */
  g_assert_nonnull (pass (memory, 2, next));
  g_assert_cmpuint (n_frees, ==, n_frees_of_engine + 1);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void
assert_nothing_was_copied (YvEngine *engine)
{
  g_assert_cmpuint (engine->runners->len, ==, 1);
  YvRunner *runner = g_ptr_array_index (engine->runners, 0);
  YvSlot *slot = yv_vulkan_executor_slot (runner->executor, 0);

  g_assert_cmpuint (slot->intake.n_entries, >, 0);
  g_assert_null (slot->intake.staging);
}

/* @memory: NULL: copied */
static GArray *
detect (YvStream *stream, GstBuffer *buffer, YvFrameMemory *memory)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  g_autoptr (GError) error = NULL;
  GstYolov7FrameView view;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, W, H);
  g_assert_true (gst_yolov7_frame_view_map (&view, &info, buffer, GST_MAP_READ));
  view.image.memory = memory;
  const YvDetections *detections = yv_stream_detect (stream, &view.image, &error);
  g_assert_no_error (error);
  g_array_append_vals (found, detections->detections, detections->n_detections);
  gst_yolov7_frame_view_unmap (&view);
  return found;
}

static void
assert_same (const GArray *got, const GArray *expected)
{
  g_assert_cmpuint (expected->len, >, 0);
  g_assert_cmpmem (got->data, got->len * sizeof (YvDetection), expected->data,
                   expected->len * sizeof (YvDetection));
}

static void
what_is_read_in_place_is_found_the_same (void)
{
  YvStreamOptions options = YV_STREAM_DEFAULTS;
  options.input_size = 64;
  options.confidence_threshold = 0.001f;
  g_autoptr (YvEngine) copying = share_importing ();
  if (!copying)
    return;

  g_autoptr (YvEngine) engine = open_engine (NULL);
  g_autoptr (YvStream) stream = yv_stream_new (engine, &options, NULL);
  g_autoptr (YvStream) copying_stream = yv_stream_new (copying, &options, NULL);
  g_autofree guint8 *pixels = g_malloc (FRAME_BYTES);
  GstBufferPool *pool = start_pool (engine);
  GstBuffer *ours = acquire (pool);
  g_autoptr (GstMemory) guest = gst_allocator_alloc (NULL, FRAME_BYTES, NULL);
  pass (guest, 0, engine);
  g_autoptr (GstBuffer) theirs = new_frame (guest, 40);

  for (guint i = 0; i < FRAME_BYTES; i++)
    pixels[i] = (guint8) (i * 31 ^ i >> 5);
  gst_buffer_fill (ours, 0, pixels, FRAME_BYTES);
  gst_buffer_fill (theirs, 0, pixels, FRAME_BYTES);
  g_autoptr (GArray) expected = detect (copying_stream, ours, NULL);
  g_autoptr (GArray) of_ours = detect (stream, ours, gst_yolov7_frame_memory_of (ours, engine));
  g_autoptr (GArray) of_theirs =
      detect (stream, theirs, gst_yolov7_frame_memory_of (theirs, engine));
  assert_same (of_ours, expected);
  assert_same (of_theirs, expected);
  assert_nothing_was_copied (engine);
  gst_buffer_unref (ours);
  stop_pool (pool);
}

/* An element in the middle of a pipeline, as upstream sees it. */
typedef struct {
  YvEngine *engine;
  guint n_queries, n_frames, n_in_place;
} Middle;

static GstPadProbeReturn
on_query (GstPad *pad, GstPadProbeInfo *probe, gpointer user_data)
{
  Middle *middle = user_data;
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (probe);

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  g_autoptr (GstElement) element = gst_pad_get_parent_element (pad);
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
  middle->n_queries++;
  g_assert_true (gst_yolov7_propose_allocation (src, query, middle->engine, 1));
  return GST_PAD_PROBE_HANDLED;
}

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *probe, gpointer user_data)
{
  Middle *middle = user_data;
  (void) pad;

  middle->n_frames++;
  middle->n_in_place +=
      gst_yolov7_frame_memory_of (GST_PAD_PROBE_INFO_BUFFER (probe), middle->engine) != NULL;
  return GST_PAD_PROBE_OK;
}

static void
play (const char *launch, Middle *middle)
{
  g_autoptr (GstElement) pipeline = launch_pipeline ("%s", launch);
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), "middle");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");

  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH, on_query,
                     middle, NULL);
  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, middle, NULL);
  play_to_the_end (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
sources_and_converters_use_our_pool (void)
{
  static const char *const launches[] = {
      "videotestsrc num-buffers=5 ! identity name=middle ! fakesink",
      "videotestsrc num-buffers=5 ! video/x-raw,format=NV12,width=98,height=50 ! queue ! identity "
      "name=middle ! fakesink",
      "videotestsrc num-buffers=5 ! video/x-raw,format=AYUV ! videoconvert ! "
      "video/x-raw,format=I420 ! identity name=middle ! fakesink",
  };
  g_autoptr (YvEngine) engine = share_vulkan (0);
  if (!engine)
    return;

  for (guint i = 0; i < G_N_ELEMENTS (launches); i++) {
    Middle middle = {.engine = engine};

    g_test_message ("%s", launches[i]);
    play (launches[i], &middle);
    g_assert_cmpuint (middle.n_queries, >=, 1);
    g_assert_cmpuint (middle.n_frames, ==, 5);
    g_assert_cmpuint (middle.n_in_place, ==, 5);
    assert_n_refs (engine, 2); /* allocators have gone */
  }
}

/* Behind a tee upstream has a pool of its own, before videoconvert one of that: memory is imported
 * once it comes again. */
static void
memory_of_other_pools_is_read_in_place (void)
{
  static const char *const launches[] = {
      "videotestsrc num-buffers=30 ! tee name=t allow-not-linked=true t. ! identity name=middle ! "
      "fakesink",
      "videotestsrc num-buffers=30 ! video/x-raw,format=NV12 ! identity name=middle ! videoconvert "
      "! video/x-raw,format=RGB ! fakesink",
  };
  Middle middle = {.engine = share_importing ()};
  if (!middle.engine)
    return;

  for (guint i = 0; i < G_N_ELEMENTS (launches); i++) {
    middle.n_frames = middle.n_in_place = 0;
    g_test_message ("%s", launches[i]);
    play (launches[i], &middle);
    g_assert_cmpuint (middle.n_frames, ==, 30);
    g_assert_cmpuint (middle.n_in_place, >=, 20);
  }
  yv_engine_unref (middle.engine);
}

static void
play_both_ways (gconstpointer engine)
{
  Middle middle = {.engine = (YvEngine *) engine};

  play ("videotestsrc num-buffers=5 ! identity name=middle ! fakesink", &middle);
  play ("videotestsrc num-buffers=9 ! tee name=t t. ! queue ! fakesink async=false t. ! queue ! "
        "identity name=middle ! fakesink async=false",
        &middle);
  assert_n_refs (middle.engine, 2);
}

static void
pools_and_imports_leave_nothing (void)
{
  g_autoptr (YvEngine) engine = share_vulkan (0);

  if (engine)
    assert_leaves_nothing (play_both_ways, engine, "pools and imports");
}

int
main (int argc, char **argv)
{
  g_setenv ("GST_TRACERS", "leaks", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/framepool/query/ours", our_pool_is_proposed_where_downstream_has_none);
  g_test_add_func ("/framepool/query/theirs", what_downstream_brings_stays);
  g_test_add_func ("/framepool/query/nothing", nothing_is_proposed_that_nobody_can_use);
  g_test_add_func ("/framepool/ours/engine",
                   a_buffer_of_our_pool_is_read_in_place_by_its_engine_alone);
  g_test_add_func ("/framepool/ours/copies", copies_and_parts_of_our_memory_behave);
  g_test_add_func ("/framepool/ours/params", our_allocator_keeps_what_it_is_asked_for);
  g_test_add_func ("/framepool/guests/again", memory_that_comes_by_again_is_imported);
  g_test_add_func ("/framepool/guests/never", some_memory_is_never_imported);
  g_test_add_func ("/framepool/guests/refused", what_could_not_be_imported_is_not_tried_again);
  g_test_add_func ("/framepool/guests/freed", an_import_goes_before_its_memory_does);
  g_test_add_func ("/framepool/guests/engine-gone",
                   imports_of_an_engine_that_is_gone_go_with_the_next);
  g_test_add_func ("/framepool/frames/found", what_is_read_in_place_is_found_the_same);
  g_test_add_func ("/framepool/frames/our-pool", sources_and_converters_use_our_pool);
  g_test_add_func ("/framepool/frames/their-pool", memory_of_other_pools_is_read_in_place);
  g_test_add_func ("/framepool/leaks", pools_and_imports_leave_nothing);
  const int status = g_test_run ();
  yv_engine_unref (shared_engines[0]);
  yv_engine_unref (shared_engines[1]);
  return status;
}
