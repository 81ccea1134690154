/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-batcher-memory.c - batches where memory runs out, and sizes of batches that are
 * made ready while others run. */
#include "engine/batcher.h"
#include "engine/engine.h"
#include "engine/error.h"
#include "engine/vulkan/device.h"
#include "tests/model/batchcase.h"
#include "tests/model/gate.h"

/* ---- memory ---------------------------------------------------------------------------------- */

static PFN_vkAllocateMemory real_allocate;

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_nothing (VkDevice device, const VkMemoryAllocateInfo *info,
                  const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  (void) device;
  (void) info;
  (void) allocator;
  (void) memory;
  return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/* The second batch finds no slot, and is made of single frames, of which the second finds none. */
static void
batches_become_smaller_where_memory_runs_out (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  YvImage square = pair.images[1];
  square.width = square.height = FRAME_H;
  g_autoptr (GError) error = NULL;

  close_gate (pair.engine);
  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[0]);
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_nothing;
  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[1]);
  open_gate ();
  for (uint32_t k = 0; k < 2; k++) {
    collect_phase (&pair, k, 0, 2);
    collect_phase (&pair, k, 1, 1);
  }
  g_assert_cmpuint (pair.engine->batcher->max_batch, ==, 1);
  g_assert_cmpuint (pair.engine->batcher->max_running, ==, 1);
  g_assert_false (yv_stream_submit (pair.streams[0], &square, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
  device->vk.vkAllocateMemory = real_allocate;
  remove_gate ();

  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[2]);
  for (uint32_t k = 0; k < 2; k++)
    collect_phase (&pair, k, 2, 1);
  close_pair (&pair);
}

static Bell refusals;

/* As long as the gate is closed. */
static VKAPI_ATTR VkResult VKAPI_CALL
allocate_behind_gate (VkDevice device, const VkMemoryAllocateInfo *info,
                      const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  if (gate_is_open ())
    return real_allocate (device, info, allocator, memory);
  ring (&refusals);
  return allocate_nothing (device, info, allocator, memory);
}

static gpointer
open_gate_when_refused (gpointer data)
{
  wait_for_ring (&refusals);
  open_gate ();
  return data;
}

/* A stream that joins, and then a frame's copy, give up the batches of two, and wait for the one
 * that runs. */
static void
check_that_batches_give_way (Pair *pair, void (*take_memory) (Pair *pair))
{
  YvDevice *device = pair->engine->device;

  refusals.n_calls = 0;
  close_gate (pair->engine);
  for (uint32_t k = 0; k < 2; k++)
    submit (pair->streams[k], &pair->images[k]);
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_behind_gate;
  GThread *thread = g_thread_new ("opens", open_gate_when_refused, NULL);
  take_memory (pair);
  g_thread_join (thread);
  device->vk.vkAllocateMemory = real_allocate;
  for (uint32_t k = 0; k < 2; k++)
    collect_phase (pair, k, k, 2);
  g_assert_cmpuint (pair->engine->batcher->max_batch, ==, 1);
}

static void
prepare_another_size (Pair *pair)
{
  YvStreamOptions options = pair->options;

  options.input_size = 96;
  yv_stream_free (open_prepared (pair->engine, &options));
}

static void
submit_to_copy (Pair *pair)
{
  YvImage image = pair->images[2];

  image.memory = NULL;
  submit (pair->streams[0], &image);
}

static void
batches_give_way_to_streams_that_join (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  check_that_batches_give_way (&pair, prepare_another_size);
  remove_gate ();
  close_pair (&pair);
}

static void
batches_give_way_to_copies (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  check_that_batches_give_way (&pair, submit_to_copy);
  assert_found (collect (pair.streams[0]), pair.expected[2]);
  remove_gate ();
  close_pair (&pair);
}

/* Other streams, of the options as they are now: nothing else is ready. */
static void
open_pair_again (Pair *pair)
{
  for (uint32_t k = 0; k < 2; k++)
    yv_stream_free (pair->streams[k]);
  yv_engine_drop_idle_runners (pair->engine);
  for (uint32_t k = 0; k < 2; k++)
    pair->streams[k] = open_prepared (pair->engine, &pair->options);
}

static Bell company; /* rung when the batch that the next one was started behind is done */

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_nothing_once_alone (VkDevice device, const VkMemoryAllocateInfo *info,
                             const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  open_gate ();
  wait_for_rings (&company, 1);
  return allocate_nothing (device, info, allocator, memory);
}

/* It lacked memory beside another, which is done when it hears of it. */
static void
a_batch_that_lacked_memory_in_company_starts_again_alone (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  pair.options.batch_size = 1; /* there is no larger one to give up */
  open_pair_again (&pair);
  yv_stream_set_ready_func (pair.streams[0], ring, &company);
  close_gate (pair.engine);
  submit (pair.streams[0], &pair.images[0]);
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_nothing_once_alone;
  submit (pair.streams[1], &pair.images[1]);
  collect_phase (&pair, 0, 0, 1);
  collect_phase (&pair, 1, 1, 1);
  device->vk.vkAllocateMemory = real_allocate;
  remove_gate ();
  close_pair (&pair);
}

/* Single frames of the other are ready, larger batches are not. */
static void
a_size_that_can_not_be_made_limits_its_network_alone (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  YvStreamOptions options = pair.options;
  options.input_size = 96;
  options.batch_size = 0;
  g_autoptr (YvStream) small = open_prepared (pair.engine, &options);
  options.batch_size = 4;
  g_assert_true (yv_stream_set_options (small, &options, NULL));
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_nothing;
  g_assert_true (yv_stream_prepare (small, FRAME_W, FRAME_H, NULL));
  device->vk.vkAllocateMemory = real_allocate;
  g_assert_cmpuint (pair.engine->batcher->max_batch, ==, YV_MAX_BATCH);
  for (uint32_t k = 0; k < 2; k++)
    submit (pair.streams[k], &pair.images[k]);
  for (uint32_t k = 0; k < 2; k++)
    collect_phase (&pair, k, k, 2);
  const YvBatchNet *own = g_ptr_array_index (pair.engine->batcher->nets, 1);
  g_assert_cmpuint (own->max_batch, ==, 2);
  close_pair (&pair);
}

static void
memory_is_counted (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  YvEngineMemory before, after, freed;
  if (!engine)
    return;

  YvStreamOptions options = shared_options ();
  yv_engine_memory (engine, &before);
  g_assert_cmpuint (before.weights_bytes, >, 0);
  YvFrameMemory *memory = yv_frame_memory_new (engine, 1 << 20, NULL);
  YvStream *stream = open_prepared (engine, &options);
  yv_engine_memory (engine, &after);
  g_assert_cmpuint (after.activations_bytes, >, before.activations_bytes);
  g_assert_cmpuint (after.frames_bytes, >=, before.frames_bytes + (1 << 20));
  yv_stream_free (stream);
  yv_frame_memory_free (memory);
  g_assert_true (yv_engine_drop_idle_runners (engine));
  yv_engine_memory (engine, &freed);
  g_assert_cmpuint (freed.activations_bytes, ==, 0);
  g_assert_cmpuint (freed.frames_bytes, ==, 0);
  g_assert_cmpuint (freed.weights_bytes, >=, before.weights_bytes);

  g_autoptr (YvEngine) reference = open_engine ("reference");
  yv_engine_memory (reference, &after);
  g_assert_cmpuint (after.weights_bytes, ==, 0);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static Bell makers; /* rung by who is kept from making a size */
static GThread *kept;

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_once_open (VkDevice device, const VkMemoryAllocateInfo *info,
                    const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  if (g_thread_self () == g_atomic_pointer_get (&kept)) {
    ring (&makers);
    wait_for_gate ();
  }
  return real_allocate (device, info, allocator, memory);
}

static gpointer
prepare_while_kept (gpointer data)
{
  g_atomic_pointer_set (&kept, g_thread_self ());
  prepare_another_size (data);
  g_atomic_pointer_set (&kept, NULL);
  return NULL;
}

/* One that joins does not wait for what the others make ready, unless it is the same. */
static void
sizes_are_made_side_by_side (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  YvDevice *device = pair.engine->device;
  YvStreamOptions options = pair.options;
  options.input_size = 128;
  close_gate (pair.engine);
  remove_gate (); /* only the memory's is wanted */
  real_allocate = device->vk.vkAllocateMemory;
  device->vk.vkAllocateMemory = allocate_once_open;
  GThread *thread = g_thread_new ("kept", prepare_while_kept, &pair);
  wait_for_ring (&makers);
  yv_stream_free (open_prepared (pair.engine, &options));
  open_gate ();
  g_thread_join (thread);
  device->vk.vkAllocateMemory = real_allocate;
  close_pair (&pair);
}

/* Until it has made what is wanted of it. */
static void
wait_for_maker (YvBatcher *batcher)
{
  bool is_making = true;

  while (is_making) {
    g_thread_yield ();
    g_mutex_lock (&batcher->mutex);
    is_making = batcher->net_to_make != NULL;
    g_mutex_unlock (&batcher->mutex);
  }
}

/* Only single frames are ready at first, and nobody waits for more. */
static void
sizes_are_made_while_smaller_ones_run (void)
{
  Pair pair;
  if (!open_pair (&pair))
    return;

  for (uint32_t k = 0; k < 2; k++)
    yv_stream_free (pair.streams[k]);
  pair.options.batch_size = 0;
  pair.options.batch_timeout_ns = 0;
  pair.options.input_size = 128; /* of which none is ready */
  g_autoptr (GArray) expected = detect_alone (pair.engine, &pair.options, &pair.images[0]);
  for (uint32_t k = 0; k < 2; k++)
    pair.streams[k] = open_prepared (pair.engine, &pair.options);
  close_gate (pair.engine); /* so that two wait behind one */
  for (uint32_t i = 0; i < 3; i++)
    submit (pair.streams[i % 2], &pair.images[0]);
  open_gate ();
  for (uint32_t i = 0; i < 3; i++)
    assert_found (collect (pair.streams[i % 2]), expected);
  wait_for_maker (pair.engine->batcher);
  remove_gate ();
  close_gate (pair.engine);
  for (uint32_t i = 0; i < 3; i++)
    submit (pair.streams[i % 2], &pair.images[0]);
  open_gate ();
  for (uint32_t i = 0; i < 3; i++) {
    const YvDetections *found = collect (pair.streams[i % 2]);

    assert_found (found, expected);
    g_assert_cmpuint (found->n_batch, ==, i == 0 ? 1 : 2);
  }
  remove_gate ();
  close_pair (&pair);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batcher/out-of-memory", batches_become_smaller_where_memory_runs_out);
  g_test_add_func ("/batcher/company", a_batch_that_lacked_memory_in_company_starts_again_alone);
  g_test_add_func ("/batcher/joining", batches_give_way_to_streams_that_join);
  g_test_add_func ("/batcher/copies", batches_give_way_to_copies);
  g_test_add_func ("/batcher/network", a_size_that_can_not_be_made_limits_its_network_alone);
  g_test_add_func ("/batcher/memory", memory_is_counted);
  g_test_add_func ("/batcher/side-by-side", sizes_are_made_side_by_side);
  g_test_add_func ("/batcher/sizes", sizes_are_made_while_smaller_ones_run);
  return g_test_run ();
}
