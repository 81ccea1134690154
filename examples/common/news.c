/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/news.c - a queue, and a source of the main context that is ready while it has
 * something. */
#include "examples/common/news.h"

typedef struct {
  CameraState state;
  char *reason;
} Change;

struct _News {
  NewsTell tell;
  gpointer user_data;
  GAsyncQueue *changes;
  GSource *source;
};

typedef struct {
  GSource source;
  News *news; /* borrowed: destroys the source */
} NewsSource;

static void
free_change (gpointer data)
{
  Change *change = data;

  g_free (change->reason);
  g_free (change);
}

static gboolean
tell_all (GSource *source, GSourceFunc unused, gpointer data)
{
  News *news = ((NewsSource *) source)->news;
  Change *change;

  (void) unused;
  (void) data;
  g_source_set_ready_time (source, -1);
  while ((change = g_async_queue_try_pop (news->changes))) {
    news->tell (change->state, change->reason, news->user_data);
    free_change (change);
  }
  return G_SOURCE_CONTINUE;
}

News *
news_new (NewsTell tell, gpointer user_data)
{
  static GSourceFuncs funcs = {.dispatch = tell_all};
  News *news = g_new0 (News, 1);

  news->tell = tell;
  news->user_data = user_data;
  news->changes = g_async_queue_new_full (free_change);
  news->source = g_source_new (&funcs, sizeof (NewsSource));
  ((NewsSource *) news->source)->news = news;
  g_source_set_ready_time (news->source, -1);
  g_source_attach (news->source, g_main_context_get_thread_default ());
  return news;
}

void
news_free (News *news)
{
  if (!news)
    return;
  g_source_destroy (news->source);
  g_source_unref (news->source);
  g_async_queue_unref (news->changes);
  g_free (news);
}

void
news_add (News *news, CameraState state, const char *reason)
{
  Change *change = g_new0 (Change, 1);

  change->state = state;
  change->reason = g_strdup (reason);
  g_async_queue_push (news->changes, change);
  g_source_set_ready_time (news->source, 0);
}
