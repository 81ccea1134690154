/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/fakestream.c - streams whose analyses end when a test says so. */
#include "tests/gst/fakestream.h"

#include "gst/gstyolov7.h"

typedef struct {
  YvStream *stream;
  YvDetection box;
  gboolean is_done;
  YvError code;
  gboolean fails;
} Fake;

typedef struct {
  YvStream *stream;
  guint number;
  YvReadyFunc ready;
  gpointer user_data;
  YvDetections result;
  YvDetection box;
} Owner;

static GMutex mutex;
static GCond changed;
static GQueue fakes;  /* of Fake *, all streams, the oldest first */
static GQueue owners; /* of Owner * */
static guint n_submits, max_under_way, n_streams;
static guint64 total_ns;
static gboolean is_quick, is_replaceable, fails_next;
static gboolean holds_loads, load_waits;
static YvError next_code;

bool __wrap_yv_stream_submit (YvStream *stream, const YvImage *images, uint32_t n_images,
                              GError **error);
bool __wrap_yv_stream_replace (YvStream *stream, const YvImage *image, bool *replaced,
                               GError **error);
const YvDetections *__wrap_yv_stream_collect (YvStream *stream, uint32_t *n_results,
                                              GError **error);
bool __wrap_yv_stream_is_ready (YvStream *stream);
void __wrap_yv_stream_abandon (YvStream *stream);
void __wrap_yv_stream_set_ready_func (YvStream *stream, YvReadyFunc ready, void *user_data);
void __wrap_yv_stream_free (YvStream *stream);
void __real_yv_stream_free (YvStream *stream);
YvEngine *__wrap_yv_engine_new (const YvEngineOptions *options, GError **error);
YvEngine *__real_yv_engine_new (const YvEngineOptions *options, GError **error);

static Owner *
find_owner (const YvStream *stream)
{
  for (GList *item = owners.head; item; item = item->next)
    if (((Owner *) item->data)->stream == stream)
      return item->data;
  g_assert_not_reached ();
}

static Fake *
oldest_of (const YvStream *stream)
{
  for (GList *item = fakes.head; item; item = item->next)
    if (((Fake *) item->data)->stream == stream)
      return item->data;
  return NULL;
}

static guint
n_under_way_locked (void)
{
  guint n = 0;

  for (GList *item = fakes.head; item; item = item->next)
    n += !((Fake *) item->data)->is_done;
  return n;
}

static YvDetection
box_of (const YvImage *image)
{
  return (YvDetection){.x = image->planes[0][0], .w = 1, .h = 1, .confidence = 0.5f};
}

static void
finish_locked (Fake *fake)
{
  fake->is_done = TRUE;
  fake->fails = fails_next;
  fake->code = next_code;
  fails_next = FALSE;
}

/* ---- in the place of the engine's ------------------------------------------------------------ */

YvEngine *
__wrap_yv_engine_new (const YvEngineOptions *options, GError **error)
{
  g_mutex_lock (&mutex);
  load_waits = holds_loads;
  g_cond_broadcast (&changed);
  while (holds_loads)
    g_cond_wait (&changed, &mutex);
  load_waits = FALSE;
  g_mutex_unlock (&mutex);
  return __real_yv_engine_new (options, error);
}

void
__wrap_yv_stream_set_ready_func (YvStream *stream, YvReadyFunc ready, void *user_data)
{
  Owner *owner = g_new0 (Owner, 1);

  g_mutex_lock (&mutex);
  *owner = (Owner){.stream = stream, .number = n_streams++, .ready = ready, .user_data = user_data};
  g_queue_push_tail (&owners, owner);
  g_mutex_unlock (&mutex);
}

static void
drop_of (const YvStream *stream)
{
  for (Fake *fake = oldest_of (stream); fake; fake = oldest_of (stream)) {
    g_queue_remove (&fakes, fake);
    g_free (fake);
  }
}

void
__wrap_yv_stream_free (YvStream *stream)
{
  if (stream) {
    g_mutex_lock (&mutex);
    Owner *owner = find_owner (stream);
    drop_of (stream);
    g_queue_remove (&owners, owner);
    g_free (owner);
    g_mutex_unlock (&mutex);
  }
  __real_yv_stream_free (stream);
}

void
__wrap_yv_stream_abandon (YvStream *stream)
{
  g_mutex_lock (&mutex);
  drop_of (stream);
  g_mutex_unlock (&mutex);
}

bool
__wrap_yv_stream_submit (YvStream *stream, const YvImage *images, uint32_t n_images, GError **error)
{
  Fake *fake = g_new0 (Fake, 1);
  (void) error;

  g_assert_cmpuint (n_images, ==, 1);
  *fake = (Fake){.stream = stream, .box = box_of (images)};
  g_mutex_lock (&mutex);
  g_queue_push_tail (&fakes, fake);
  n_submits++;
  max_under_way = MAX (max_under_way, n_under_way_locked ());
  if (is_quick)
    finish_locked (fake);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&mutex);
  return true;
}

bool
__wrap_yv_stream_replace (YvStream *stream, const YvImage *image, bool *replaced, GError **error)
{
  (void) error;

  g_mutex_lock (&mutex);
  Fake *newest = fakes.tail ? fakes.tail->data : NULL;
  *replaced = is_replaceable && newest && newest->stream == stream && !newest->is_done;
  if (*replaced) {
    newest->box = box_of (image);
    n_submits++;
    g_cond_broadcast (&changed);
  }
  g_mutex_unlock (&mutex);
  return true;
}

bool
__wrap_yv_stream_is_ready (YvStream *stream)
{
  g_mutex_lock (&mutex);
  const Fake *oldest = oldest_of (stream);
  const gboolean is_ready = oldest && oldest->is_done;
  g_mutex_unlock (&mutex);
  return is_ready;
}

const YvDetections *
__wrap_yv_stream_collect (YvStream *stream, uint32_t *n_results, GError **error)
{
  g_mutex_lock (&mutex);
  g_autofree Fake *oldest = oldest_of (stream);
  Owner *owner = find_owner (stream);
  g_assert_true (oldest && oldest->is_done);
  g_queue_remove (&fakes, oldest);
  owner->box = oldest->box;
  owner->box.y = (float) owner->number;
  owner->result = (YvDetections){.n_detections = 1,
                                 .detections = &owner->box,
                                 .n_batch = 1,
                                 .was_copied = true,
                                 .times.total_ns = total_ns};
  g_mutex_unlock (&mutex);

  if (n_results)
    *n_results = 1;
  if (!oldest->fails)
    return &owner->result;
  g_set_error (error, YV_ERROR, (int) oldest->code, "the test lets it fail");
  return NULL;
}

/* ---- for tests ------------------------------------------------------------------------------- */

/* Of the first one under way. Its stream stays, since its element waits for this. */
static void
finish_one (void)
{
  g_mutex_lock (&mutex);
  Fake *fake = NULL;
  for (GList *item = fakes.head; item && !fake; item = item->next)
    if (!((Fake *) item->data)->is_done)
      fake = item->data;
  g_assert_nonnull (fake);
  finish_locked (fake);
  const Owner owner = *find_owner (fake->stream);
  g_mutex_unlock (&mutex);
  owner.ready (owner.user_data);
}

void
fake_finish (guint n)
{
  for (guint i = 0; i < n; i++)
    finish_one ();
}

void
fake_fail (YvError code)
{
  g_mutex_lock (&mutex);
  fails_next = TRUE;
  next_code = code;
  g_mutex_unlock (&mutex);
}

void
fake_set_quick (gboolean quick)
{
  g_mutex_lock (&mutex);
  is_quick = quick;
  g_mutex_unlock (&mutex);
}

void
fake_set_replaceable (gboolean replaceable)
{
  g_mutex_lock (&mutex);
  is_replaceable = replaceable;
  g_mutex_unlock (&mutex);
}

void
fake_set_total (guint64 ns)
{
  g_mutex_lock (&mutex);
  total_ns = ns;
  g_mutex_unlock (&mutex);
}

void
fake_hold_loads (gboolean hold)
{
  g_mutex_lock (&mutex);
  holds_loads = hold;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&mutex);
}

void
fake_wait_for_load (void)
{
  g_mutex_lock (&mutex);
  while (!load_waits)
    g_cond_wait (&changed, &mutex);
  g_mutex_unlock (&mutex);
}

void
fake_wait_for_submits (guint n)
{
  g_mutex_lock (&mutex);
  while (n_submits < n)
    g_cond_wait (&changed, &mutex);
  g_mutex_unlock (&mutex);
}

guint
fake_n_submits (void)
{
  g_mutex_lock (&mutex);
  const guint n = n_submits;
  g_mutex_unlock (&mutex);
  return n;
}

guint
fake_n_under_way (void)
{
  g_mutex_lock (&mutex);
  const guint n = n_under_way_locked ();
  g_mutex_unlock (&mutex);
  return n;
}

guint
fake_max_under_way (void)
{
  g_mutex_lock (&mutex);
  const guint max = max_under_way;
  g_mutex_unlock (&mutex);
  return max;
}

void
fake_reset (void)
{
  g_mutex_lock (&mutex);
  g_assert_true (g_queue_is_empty (&fakes));
  n_submits = max_under_way = n_streams = 0;
  total_ns = 0;
  is_quick = is_replaceable = fails_next = holds_loads = FALSE;
  g_mutex_unlock (&mutex);
}
