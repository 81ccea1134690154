/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/framepool.c - an allocator over YvFrameMemory, imports that stay with their GstMemory, and
 * the answer to ALLOCATION queries.
 */
#include "gst/framepool.h"

#include <string.h>

/* Of a pool of ours, where nobody wants more: one that is written while another is read. */
#define MIN_BUFFERS 2

/* ---- the allocator -------------------------------------------------------------------------- */

#define GST_TYPE_YOLOV7_FRAME_ALLOCATOR (gst_yolov7_frame_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstYolov7FrameAllocator, gst_yolov7_frame_allocator, GST,
                      YOLOV7_FRAME_ALLOCATOR, GstAllocator)

struct _GstYolov7FrameAllocator {
  GstAllocator parent;
  YvEngine *engine; /* a reference */
};

G_DEFINE_FINAL_TYPE (GstYolov7FrameAllocator, gst_yolov7_frame_allocator, GST_TYPE_ALLOCATOR)

typedef struct {
  GstMemory base;
  YvFrameMemory *memory; /* owned where this is no part of another GstMemory, else the whole's */
} FrameMemory;

static gboolean
is_ours (const GstMemory *memory)
{
  return GST_IS_YOLOV7_FRAME_ALLOCATOR (memory->allocator);
}

static FrameMemory *
new_memory (GstAllocator *allocator, YvFrameMemory *memory, gsize size_bytes, gsize used_bytes,
            const GstAllocationParams *params)
{
  FrameMemory *self = g_new0 (FrameMemory, 1);
  guint8 *bytes = yv_frame_memory_bytes (memory);
  const gsize skipped = -(gsize) bytes & params->align;

  if (params->flags & (GST_MEMORY_FLAG_ZERO_PREFIXED | GST_MEMORY_FLAG_ZERO_PADDED))
    memset (bytes, 0, size_bytes);
  self->memory = memory;
  gst_memory_init (GST_MEMORY_CAST (self), params->flags, allocator, NULL, size_bytes,
                   params->align, skipped + params->prefix, used_bytes);
  return self;
}

/* What the device has no memory for lies in the system's, and is copied: no reason to stop. */
static GstMemory *
allocate (GstAllocator *allocator, gsize used_bytes, GstAllocationParams *params)
{
  GstYolov7FrameAllocator *self = GST_YOLOV7_FRAME_ALLOCATOR (allocator);
  YvFrameMemory *memory = NULL;
  g_autoptr (GError) error = NULL;
  gsize size_bytes;

  if (!g_size_checked_add (&size_bytes, used_bytes, params->prefix) ||
      !g_size_checked_add (&size_bytes, size_bytes, params->padding) ||
      !g_size_checked_add (&size_bytes, size_bytes, params->align))
    return NULL;
  memory = yv_frame_memory_new (self->engine, size_bytes, &error);
  if (memory)
    return GST_MEMORY_CAST (new_memory (allocator, memory, size_bytes, used_bytes, params));
  GST_WARNING_OBJECT (self, "frames are copied: %s", error->message);
  return gst_allocator_alloc (NULL, used_bytes, params);
}

static void
free_memory (GstAllocator *allocator, GstMemory *memory)
{
  FrameMemory *self = (FrameMemory *) memory;
  (void) allocator;

  if (!memory->parent)
    yv_frame_memory_free (self->memory);
  g_free (self);
}

static gpointer
map_memory (GstMemory *memory, gsize size_bytes, GstMapFlags flags)
{
  (void) size_bytes;
  (void) flags;
  return yv_frame_memory_bytes (((FrameMemory *) memory)->memory);
}

static void
unmap_memory (GstMemory *memory)
{
  (void) memory;
}

/* Without it, whoever makes a buffer writable to attach something would copy its pixels. */
static GstMemory *
share_memory (GstMemory *memory, gssize offset, gssize size_bytes)
{
  GstMemory *whole = memory->parent ? memory->parent : memory;
  FrameMemory *part = g_new0 (FrameMemory, 1);
  const gsize used_bytes = size_bytes < 0 ? memory->size - (gsize) offset : (gsize) size_bytes;

  part->memory = ((FrameMemory *) memory)->memory;
  gst_memory_init (GST_MEMORY_CAST (part),
                   GST_MINI_OBJECT_FLAGS (whole) | GST_MINI_OBJECT_FLAG_LOCK_READONLY,
                   memory->allocator, whole, memory->maxsize, memory->align,
                   memory->offset + (gsize) offset, used_bytes);
  return GST_MEMORY_CAST (part);
}

/* Into the system's memory: one of the device's takes longer to make than a frame to copy. */
static GstMemory *
copy_memory (GstMemory *memory, gssize offset, gssize size_bytes)
{
  const gsize used_bytes = size_bytes < 0 ? memory->size - (gsize) offset : (gsize) size_bytes;
  GstMemory *copy = gst_allocator_alloc (NULL, used_bytes, NULL);
  const guint8 *bytes = yv_frame_memory_bytes (((FrameMemory *) memory)->memory);
  GstMapInfo map;

  if (!copy || !gst_memory_map (copy, &map, GST_MAP_WRITE)) {
    g_clear_pointer (&copy, gst_memory_unref);
    return NULL;
  }
  memcpy (map.data, bytes + memory->offset + (gsize) offset, used_bytes);
  gst_memory_unmap (copy, &map);
  return copy;
}

static gboolean
is_span (GstMemory *first, GstMemory *second, gsize *offset)
{
  if (offset)
    *offset = first->offset - first->parent->offset;
  return first->offset + first->size == second->offset;
}

static void
finalize (GObject *object)
{
  yv_engine_unref (GST_YOLOV7_FRAME_ALLOCATOR (object)->engine);
  G_OBJECT_CLASS (gst_yolov7_frame_allocator_parent_class)->finalize (object);
}

static void
gst_yolov7_frame_allocator_class_init (GstYolov7FrameAllocatorClass *class)
{
  G_OBJECT_CLASS (class)->finalize = finalize;
  GST_ALLOCATOR_CLASS (class)->alloc = allocate;
  GST_ALLOCATOR_CLASS (class)->free = free_memory;
}

static void
gst_yolov7_frame_allocator_init (GstYolov7FrameAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);

  allocator->mem_type = "Yolov7FrameMemory";
  allocator->mem_map = map_memory;
  allocator->mem_unmap = unmap_memory;
  allocator->mem_share = share_memory;
  allocator->mem_copy = copy_memory;
  allocator->mem_is_span = is_span;
}

static GstAllocator *
new_allocator (YvEngine *engine)
{
  GstYolov7FrameAllocator *self = g_object_new (GST_TYPE_YOLOV7_FRAME_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  self->engine = yv_engine_ref (engine);
  return GST_ALLOCATOR (self);
}

/* ---- memory of others ----------------------------------------------------------------------- */

/* What is known of a GstMemory that has come by; it goes with it, before its bytes do. Nothing in
 * it is in flight then, because who has a frame in flight has its buffer. */
typedef struct {
  GstClockTime first_pts; /* of the first frame in it */
  gboolean is_refused;    /* it could not be imported */
  GPtrArray *imports;     /* (element-type YvFrameMemory) (nullable): one for each engine */
} Guest;

static GMutex guests_lock; /* of all Guests */

static GQuark
guest_quark (void)
{
  return g_quark_from_static_string ("GstYolov7Guest");
}

static void
free_guest (gpointer data)
{
  Guest *guest = data;

  g_clear_pointer (&guest->imports, g_ptr_array_unref);
  g_free (guest);
}

static void
note_guest_locked (GstMemory *memory, GstClockTime pts)
{
  Guest *guest = g_new0 (Guest, 1);

  guest->first_pts = pts;
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (memory), guest_quark (), guest, free_guest);
}

static YvFrameMemory *
find_import_locked (const Guest *guest, const YvEngine *engine)
{
  for (guint i = 0; guest->imports && i < guest->imports->len; i++) {
    YvFrameMemory *import = g_ptr_array_index (guest->imports, i);

    if (yv_frame_memory_is_of (import, engine))
      return import;
  }
  return NULL;
}

static void
drop_orphans_locked (Guest *guest)
{
  for (guint i = guest->imports->len; i > 0; i--)
    if (!yv_frame_memory_is_of (g_ptr_array_index (guest->imports, i - 1), NULL))
      g_ptr_array_remove_index_fast (guest->imports, i - 1);
}

/* All of it, whatever part of it is in use. */
static YvFrameMemory *
import_locked (Guest *guest, GstMemory *memory, YvEngine *engine)
{
  g_autoptr (GError) error = NULL;
  GstMapInfo map;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return NULL;
  YvFrameMemory *import =
      yv_frame_memory_import (engine, map.data - memory->offset, memory->maxsize, &error);
  gst_memory_unmap (memory, &map);
  if (!import) {
    guest->is_refused = TRUE;
    GST_DEBUG ("frames in memory %p are copied: %s", (void *) memory, error->message);
    return NULL;
  }
  if (!guest->imports)
    guest->imports = g_ptr_array_new_with_free_func ((GDestroyNotify) yv_frame_memory_free);
  drop_orphans_locked (guest);
  g_ptr_array_add (guest->imports, import);
  return import;
}

/* The same frame comes by twice behind a tee. */
static gboolean
is_another_frame (const Guest *guest, GstClockTime pts)
{
  return pts != guest->first_pts || !GST_CLOCK_TIME_IS_VALID (pts);
}

/* @is_part: of a larger memory, which may hold many frames one after the other and come only once:
 * that is used where it has been imported, but no reason to do so. */
static YvFrameMemory *
find_or_import (GstMemory *memory, gboolean is_part, GstClockTime pts, YvEngine *engine)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guests_lock);
  Guest *guest = gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (memory), guest_quark ());

  if (!guest) {
    if (!is_part)
      note_guest_locked (memory, pts);
    return NULL;
  }
  YvFrameMemory *import = find_import_locked (guest, engine);
  if (import || is_part || guest->is_refused || !is_another_frame (guest, pts))
    return import;
  return import_locked (guest, memory, engine);
}

/* NULL where there is more than one memory. */
static GstMemory *
whole_memory_of (GstBuffer *buffer)
{
  if (gst_buffer_n_memory (buffer) != 1)
    return NULL;
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  return memory->parent ? memory->parent : memory;
}

gboolean
gst_yolov7_frame_memory_is_ours (GstBuffer *buffer)
{
  const GstMemory *whole = whole_memory_of (buffer);

  return whole && is_ours (whole);
}

YvFrameMemory *
gst_yolov7_frame_memory_of (GstBuffer *buffer, YvEngine *engine)
{
  GstMemory *whole = whole_memory_of (buffer);

  if (!whole)
    return NULL;
  if (is_ours (whole)) {
    YvFrameMemory *own = ((FrameMemory *) whole)->memory;
    return yv_frame_memory_is_of (own, engine) ? own : NULL;
  }
  /* Other kinds may lie elsewhere each time that they are mapped. */
  if (!gst_memory_is_type (whole, GST_ALLOCATOR_SYSMEM))
    return NULL;
  const gboolean is_part = whole != gst_buffer_peek_memory (buffer, 0);
  return find_or_import (whole, is_part, GST_BUFFER_PTS (buffer), engine);
}

/* ---- the ALLOCATION query ------------------------------------------------------------------- */

/* Does downstream say where the frames are to lie? */
static gboolean
has_memory_of_downstream (GstQuery *query)
{
  for (guint i = 0; i < gst_query_get_n_allocation_pools (query); i++) {
    g_autoptr (GstBufferPool) pool = NULL;

    gst_query_parse_nth_allocation_pool (query, i, &pool, NULL, NULL, NULL);
    if (pool)
      return TRUE;
  }
  for (guint i = 0; i < gst_query_get_n_allocation_params (query); i++) {
    g_autoptr (GstAllocator) allocator = NULL;

    gst_query_parse_nth_allocation_param (query, i, &allocator, NULL);
    if (allocator)
      return TRUE;
  }
  return FALSE;
}

static void
propose_allocator (GstQuery *query, GstAllocator *allocator, GstAllocationParams *params)
{
  gst_allocation_params_init (params);
  if (gst_query_get_n_allocation_params (query) == 0) {
    gst_query_add_allocation_param (query, allocator, params);
    return;
  }
  gst_query_parse_nth_allocation_param (query, 0, NULL, params);
  gst_query_set_nth_allocation_param (query, 0, allocator, params);
}

static GstBufferPool *
new_pool (GstCaps *caps, guint size_bytes, guint n_min, GstAllocator *allocator,
          const GstAllocationParams *params)
{
  GstBufferPool *pool = gst_video_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size_bytes, n_min, 0);
  gst_buffer_pool_config_set_allocator (config, allocator, params);
  if (!gst_buffer_pool_set_config (pool, config))
    g_clear_object (&pool);
  return pool;
}

/* In the place of what downstream says of sizes, if it does. */
static void
propose_pool (GstQuery *query, GstCaps *caps, const GstVideoInfo *info, GstAllocator *allocator,
              const GstAllocationParams *params)
{
  const gboolean has_sizes = gst_query_get_n_allocation_pools (query) > 0;
  guint size_bytes = 0, n_min = 0;

  if (has_sizes)
    gst_query_parse_nth_allocation_pool (query, 0, NULL, &size_bytes, &n_min, NULL);
  size_bytes = MAX (size_bytes, (guint) GST_VIDEO_INFO_SIZE (info));
  n_min = MAX (n_min, MIN_BUFFERS);
  g_autoptr (GstBufferPool) pool = new_pool (caps, size_bytes, n_min, allocator, params);
  if (has_sizes)
    gst_query_set_nth_allocation_pool (query, 0, pool, size_bytes, n_min, 0);
  else
    gst_query_add_allocation_pool (query, pool, size_bytes, n_min, 0);
}

static void
propose_ours (GstQuery *query, GstCaps *caps, const GstVideoInfo *info, gboolean needs_pool,
              YvEngine *engine)
{
  g_autoptr (GstAllocator) allocator = new_allocator (engine);
  GstAllocationParams params;

  propose_allocator (query, allocator, &params);
  if (needs_pool)
    propose_pool (query, caps, info, allocator, &params);
}

static void
ask_for_more_buffers (GstQuery *query, guint n_more)
{
  for (guint i = 0; i < gst_query_get_n_allocation_pools (query); i++) {
    g_autoptr (GstBufferPool) pool = NULL;
    guint size_bytes, n_min, n_max;

    gst_query_parse_nth_allocation_pool (query, i, &pool, &size_bytes, &n_min, &n_max);
    n_min = n_max > 0 ? MIN (n_min + n_more, MAX (n_min, n_max)) : n_min + n_more;
    gst_query_set_nth_allocation_pool (query, i, pool, size_bytes, n_min, n_max);
  }
}

/* Whoever refuses may have written half an answer. */
static void
remove_proposals (GstQuery *query)
{
  while (gst_query_get_n_allocation_metas (query) > 0)
    gst_query_remove_nth_allocation_meta (query, 0);
  while (gst_query_get_n_allocation_params (query) > 0)
    gst_query_remove_nth_allocation_param (query, 0);
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);
}

gboolean
gst_yolov7_propose_allocation (GstPad *srcpad, GstQuery *query, YvEngine *engine, guint n_held)
{
  const gboolean is_answered = gst_pad_peer_query (srcpad, query);
  gboolean needs_pool;
  GstCaps *caps;
  GstVideoInfo info;

  if (!is_answered)
    remove_proposals (query);
  gst_query_parse_allocation (query, &caps, &needs_pool);
  if (!caps || !gst_video_info_from_caps (&info, caps))
    return is_answered;
  if (engine && !has_memory_of_downstream (query))
    propose_ours (query, caps, &info, needs_pool, engine);
  ask_for_more_buffers (query, n_held);
  return TRUE;
}
