/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/threadsync.c - tells ThreadSanitizer what GLib's locks do; linked only where it is
 * on.
 *
 * GLib waits with futex(2), and a packaged GLib is not built for the sanitizer, which then sees
 * neither a lock nor the order that it gives to what it protects, and calls each use of that a
 * race. These functions stand before GLib's, for programs and for the libraries that they load:
 * each does what GLib's does and says so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <threads.h>

#include <glib.h>

/* The sanitizer's own, of <sanitizer/tsan_interface.h>: what this thread did before a release of an
 * address happened before what another does after acquiring it. */
void __tsan_acquire (void *address);
void __tsan_release (void *address);

/* GLib's function of this name, looked up once: dlsym() takes locks itself. */
#define NEXT(name)                                                                                 \
  __extension__({                                                                                  \
    static gpointer next;                                                                          \
    if (!g_atomic_pointer_get (&next))                                                             \
      g_atomic_pointer_set (&next, dlsym (RTLD_NEXT, #name));                                      \
    (__typeof__ (&name)) g_atomic_pointer_get (&next);                                             \
  })

/* The three of each kind of lock. */
#define LOCK(prefix, type)                                                                         \
  void prefix##_lock (type *lock)                                                                  \
  {                                                                                                \
    NEXT (prefix##_lock) (lock);                                                                   \
    __tsan_acquire (lock);                                                                         \
  }                                                                                                \
                                                                                                   \
  gboolean prefix##_trylock (type *lock)                                                           \
  {                                                                                                \
    const gboolean taken = NEXT (prefix##_trylock) (lock);                                         \
                                                                                                   \
    if (taken)                                                                                     \
      __tsan_acquire (lock);                                                                       \
    return taken;                                                                                  \
  }                                                                                                \
                                                                                                   \
  void prefix##_unlock (type *lock)                                                                \
  {                                                                                                \
    __tsan_release (lock);                                                                         \
    NEXT (prefix##_unlock) (lock);                                                                 \
  }

LOCK (g_mutex, GMutex)
LOCK (g_rec_mutex, GRecMutex)

#undef LOCK

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  NEXT (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  __tsan_release (mutex);
  const gboolean signalled = NEXT (g_cond_wait_until) (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return signalled;
}

/* Who sees the value acquires it by the atomic read that GLib's macro makes. */
void (g_once_init_leave) (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  NEXT (g_once_init_leave) (location, result);
}

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  __tsan_release (count);
  const gboolean is_last = NEXT (g_atomic_ref_count_dec) (count);
  if (is_last)
    __tsan_acquire (count);
  return is_last;
}

/* ---- pools: a task begins after it was pushed and ends before the pool is freed ------------- */

typedef struct {
  GFunc run;
  gpointer user_data;
} Work;

static void
run_task (gpointer task, gpointer data)
{
  Work *work = data;

  __tsan_acquire (work);
  work->run (task, work->user_data);
  __tsan_release (work);
}

/* The work stays until the program ends: the pool has no place to free it at. */
GThreadPool *
g_thread_pool_new (GFunc func, gpointer user_data, gint max_threads, gboolean exclusive,
                   GError **error)
{
  Work *work = g_new (Work, 1);

  *work = (Work){func, user_data};
  return NEXT (g_thread_pool_new) (run_task, work, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer task, GError **error)
{
  __tsan_release (pool->user_data);
  return NEXT (g_thread_pool_push) (pool, task, error);
}

void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  gpointer work = pool->user_data;

  NEXT (g_thread_pool_free) (pool, immediate, wait);
  if (wait)
    __tsan_acquire (work);
}

/* The sanitizer does not know C11's threads, which librdkafka makes: it has no memory of its own
 * for them, and crashes in the first function that it looks at. So they are POSIX's, which in the C
 * library they are anyway. */
typedef struct {
  thrd_start_t start;
  void *argument;
} Start;

static gpointer
start_thread (gpointer data)
{
  const Start start = *(Start *) data;

  g_free (data);
  return GINT_TO_POINTER (start.start (start.argument));
}

int
thrd_create (thrd_t *thread, thrd_start_t start, void *argument)
{
  Start *both = g_new (Start, 1);

  *both = (Start){start, argument};
  if (pthread_create (thread, NULL, start_thread, both) == 0)
    return thrd_success;
  g_free (both);
  return thrd_error;
}

int
thrd_join (thrd_t thread, int *result)
{
  gpointer value = NULL;

  if (pthread_join (thread, &value) != 0)
    return thrd_error;
  if (result)
    *result = GPOINTER_TO_INT (value);
  return thrd_success;
}

int
thrd_detach (thrd_t thread)
{
  return pthread_detach (thread) == 0 ? thrd_success : thrd_error;
}
