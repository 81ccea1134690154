/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/progress.c - how far a file is, and what was found in it. */
#include "tools/detect/progress.h"

#include <stdio.h>

static double
frames_per_second (const Job *job, int n_frames)
{
  return n_frames * 1e6 / (double) MAX (g_get_monotonic_time () - job->started_us, 1);
}

void
print_progress (const Job *job, gboolean terminal)
{
  const int n_frames = g_atomic_int_get (&job->n_frames);
  g_autofree char *of = job->n_expected ? g_strdup_printf ("/%d", job->n_expected) : g_strdup ("");

  g_printerr ("%s%s: frame %d%s, %.1f frames/s, %d detections%s", terminal ? "\r" : "", job->path,
              n_frames, of, frames_per_second (job, n_frames),
              g_atomic_int_get (&job->n_detections), terminal ? "   " : "\n");
}

/* "4 person, 1 bus", in the order of the classes. */
static char *
describe_counts (const Job *job)
{
  const YvEngineInfo *info = yv_engine_info (job->engine);
  GString *text = g_string_new (NULL);

  for (uint32_t i = 0; i < info->n_classes; i++)
    if (job->n_of_class[i])
      g_string_append_printf (text, "%s%u %s", text->len ? ", " : "", job->n_of_class[i],
                              info->class_names[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
print_result (const Job *job, gboolean is_picture, const char *out_path)
{
  FILE *to = job->options->json ? stderr : stdout;
  g_autofree char *counts = describe_counts (job);

  fprintf (to, "%s: %dx%d, ", job->path, job->video.width, job->video.height);
  if (is_picture)
    fprintf (to, "%d detections", job->n_detections);
  else
    fprintf (to, "%d frames, %.1f frames/s, %d detections", job->n_frames,
             frames_per_second (job, job->n_frames), job->n_detections);
  if (*counts)
    fprintf (to, " (%s)", counts);
  if (is_picture)
    fprintf (to, ", %.1f ms", job->ms_of_last);
  fprintf (to, out_path ? ", written to %s\n" : "\n", out_path);
  fflush (to);
}
