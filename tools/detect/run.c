/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/run.c - a pipeline runs until its end, an error, Ctrl-C, or nothing comes any more.
 */
#include "tools/detect/run.h"

#include <signal.h>
#include <unistd.h>

#include "tools/detect/progress.h"

#define POLL_MS 100
#define PROGRESS_MS 10000 /* where nobody looks; a terminal gets every poll */
#define STALLED_MS 30000

/* Ctrl-C: what was written so far becomes a file that plays. A second one ends the program. */
static volatile sig_atomic_t is_interrupted;

static void
on_signal (int number)
{
  is_interrupted = 1;
  signal (number, SIG_DFL);
}

void
catch_signals (void)
{
  signal (SIGINT, on_signal);
  signal (SIGTERM, on_signal);
}

gboolean
was_interrupted (void)
{
  return is_interrupted;
}

/* What the main thread keeps in mind while a pipeline runs. */
typedef struct {
  int n_frames;       /* at the last change */
  guint idle_ms;      /* since then, not counting the time a frame is being analysed */
  guint silent_ms;    /* since the last line of progress */
  gboolean is_ending; /* EOS was sent */
} Watch;

/* To what comes after the decoder, so that it ends even where the decoder does not: from then on
 * frames are refused. */
static void
send_eos (GstElement *pipeline)
{
  g_autoptr (GstElement) analyse = gst_bin_get_by_name (GST_BIN (pipeline), "analyse");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (analyse, "sink");

  gst_pad_send_event (pad, gst_event_new_eos ());
}

/* Some decoders (animated GIF) never say that they are done. Returns: false where a pipeline that
 * was asked to end does not, or one gives no frames and no end is in sight. */
static gboolean
watch (Watch *w, GstElement *pipeline, const Job *job)
{
  const int n_frames = g_atomic_int_get (&job->n_frames);
  const gboolean all_seen = job->n_expected > 0 && n_frames >= job->n_expected;
  const gboolean enough = job->options->max_frames > 0 && n_frames >= job->options->max_frames;

  if (n_frames != w->n_frames || g_atomic_int_get (&job->is_busy))
    w->idle_ms = 0;
  else
    w->idle_ms += POLL_MS;
  w->n_frames = n_frames;
  if (!w->is_ending && (is_interrupted || enough || (all_seen && w->idle_ms >= 2000))) {
    w->is_ending = TRUE;
    w->idle_ms = 0;
    send_eos (pipeline);
  }
  return w->idle_ms < STALLED_MS;
}

static void
show_progress (Watch *w, const Job *job, gboolean terminal)
{
  w->silent_ms += POLL_MS;
  if (terminal || w->silent_ms >= PROGRESS_MS) {
    print_progress (job, terminal);
    w->silent_ms = 0;
  }
}

gboolean
run_pipeline (GstElement *pipeline, Job *job, gboolean is_picture, GError **error)
{
  const gboolean terminal = isatty (STDERR_FILENO);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  Watch w = {0};

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!message) {
    message = gst_bus_timed_pop_filtered (bus, POLL_MS * GST_MSECOND,
                                          GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    if (!message && !watch (&w, pipeline, job))
      break;
    if (!message && !is_picture)
      show_progress (&w, job, terminal);
  }
  if (!is_picture && terminal)
    g_printerr ("\r%*s\r", 79, "");
  gst_element_set_state (pipeline, GST_STATE_NULL);

  if (!message)
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "no new frame for %d seconds", STALLED_MS / 1000);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  else
    return TRUE;
  g_prefix_error (error, "%s: frame %d: ", job->path, job->n_frames);
  return FALSE;
}
