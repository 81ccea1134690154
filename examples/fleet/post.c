/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/post.c - a thread with a main loop, and what it tells the worker's. */
#include "examples/fleet/post.h"

struct _FleetPost {
  FleetPostCalls calls;
  GMainContext *worker, *context; /* where the calls are made; of the thread */
  GMainLoop *loop;
  GThread *thread;
  CameraConfig *config; /* until the thread takes it */
  uint32_t interval;

  int has_ended; /* atomic: the thread does nothing more of it */

  GMutex lock;    /* protects what follows */
  Camera *camera; /* NULL: not yet, or no longer */
};

/* One call, on its way to the worker. */
typedef struct {
  FleetPost *post;
  bool is_end, is_final;
  CameraState state;
  char *reason;
} Word;

static gboolean
say_word (gpointer word_)
{
  const Word *word = word_;
  const FleetPostCalls *calls = &word->post->calls;

  if (word->is_end)
    calls->ended (calls->user_data);
  else
    calls->state (word->state, word->reason, word->is_final, calls->user_data);
  return G_SOURCE_REMOVE;
}

static void
free_word (gpointer word_)
{
  Word *word = word_;

  g_free (word->reason);
  g_free (word);
}

/* Words arrive in the order in which they were sent. */
static void
send_word (const Word *text, const char *reason)
{
  Word *word = g_memdup2 (text, sizeof *text);
  g_autoptr (GSource) source = g_idle_source_new ();

  word->reason = g_strdup (reason);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, say_word, word, free_word);
  g_source_attach (source, text->post->worker);
}

static void
tell_state (Camera *camera G_GNUC_UNUSED, CameraState state, const char *reason, gpointer post)
{
  send_word (&(Word){.post = post, .state = state}, reason);
}

static void
set_camera (FleetPost *post, Camera *camera)
{
  g_mutex_lock (&post->lock);
  post->camera = camera;
  g_mutex_unlock (&post->lock);
}

static void
run_camera (FleetPost *post)
{
  const CameraCalls calls = {.state = tell_state, .user_data = post};
  g_autoptr (GError) error = NULL;
  g_autoptr (Camera) camera = camera_new (g_steal_pointer (&post->config), NULL, &calls, &error);

  if (camera && camera_start (camera, &error))
    set_camera (post, camera);
  else
    send_word (&(Word){.post = post, .state = CAMERA_FAILED, .is_final = true}, error->message);
  g_main_loop_run (post->loop);
  set_camera (post, NULL);
}

static gpointer
run (gpointer post_)
{
  FleetPost *post = post_;

  g_main_context_push_thread_default (post->context);
  run_camera (post);
  g_main_context_pop_thread_default (post->context);
  g_atomic_int_set (&post->has_ended, 1);
  send_word (&(Word){.post = post, .is_end = true}, NULL);
  return NULL;
}

static uint32_t
get_interval (const CameraConfig *config)
{
  const char *text = camera_config_get (config, "yolov7", "inference-interval");
  const guint64 interval = text ? g_ascii_strtoull (text, NULL, 10) : 1;

  return (uint32_t) CLAMP (interval, 1, G_MAXUINT32);
}

FleetPost *
fleet_post_new (CameraConfig *config, const FleetPostCalls *calls)
{
  FleetPost *post = g_new0 (FleetPost, 1);

  g_mutex_init (&post->lock);
  post->calls = *calls;
  post->config = config;
  post->interval = get_interval (config);
  post->worker = g_main_context_ref_thread_default ();
  post->context = g_main_context_new ();
  post->loop = g_main_loop_new (post->context, FALSE);
  post->thread = g_thread_new ("post", run, post);
  return post;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

/* A loop that is not yet running would miss a plain g_main_loop_quit(). */
void
fleet_post_end (FleetPost *post)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, quit, g_main_loop_ref (post->loop),
                         (GDestroyNotify) g_main_loop_unref);
  g_source_attach (source, post->context);
}

bool
fleet_post_has_ended (FleetPost *post)
{
  return g_atomic_int_get (&post->has_ended);
}

void
fleet_post_free (FleetPost *post)
{
  if (!post)
    return;
  g_thread_join (post->thread);
  camera_config_free (post->config);
  g_main_loop_unref (post->loop);
  g_main_context_unref (post->context);
  g_main_context_unref (post->worker);
  g_mutex_clear (&post->lock);
  g_free (post);
}

bool
fleet_post_get_counters (FleetPost *post, CameraCounters *out)
{
  g_mutex_lock (&post->lock);
  const bool is_there = post->camera != NULL;
  if (is_there)
    camera_get_counters (post->camera, out);
  g_mutex_unlock (&post->lock);
  return is_there;
}

uint32_t
fleet_post_interval (const FleetPost *post)
{
  return post->interval;
}
