/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/track.c - `yolov7 track DET.txt -o RESULT.txt`: the tracker of yolov7tracker on detections
 * in a file, as benchmarks have them. */
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "gst/track/tracker.h"
#include "tools/command.h"
#include "tools/track/confidence.h"
#include "tools/track/motfile.h"

typedef struct {
  char *output;
  double power;
  double min_overlap, high_confidence, birth_confidence;
  int min_sightings, max_unseen, max_predicted;
} Options;

/* One line of the result. */
typedef struct {
  uint32_t frame;
  int64_t id;
  YvTrackBox box;
  double confidence; /* as in the file; -1: predicted */
} Told;

typedef struct {
  uint32_t n_frames;
  int64_t last_id;
  double seconds; /* of one core, of tracking alone */
} Summary;

/* In the order of option_entries(). */
static const char *const names[] = {"iou-score-threshold", "high-confidence-threshold",
                                    "new-track-confidence-threshold"};

static int
check_options (const Options *o)
{
  const double shares[] = {o->min_overlap, o->high_confidence, o->birth_confidence};

  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    if (!(shares[i] >= 0 && shares[i] <= 1))
      return fail_usage ("--%s is %g, expected 0 to 1", names[i], shares[i]);
  if (!(o->power >= 0 && o->power <= 100))
    return fail_usage ("--confidence-power is %g, expected 0 to 100", o->power);
  if (o->min_sightings < 1)
    return fail_usage ("--min-frame-count-for-new-track is %d, expected 1 or more",
                       o->min_sightings);
  if (o->max_unseen < 0 || o->max_predicted < 0)
    return fail_usage ("--%s is negative, expected 0 or more frames",
                       o->max_unseen < 0 ? "min-frame-count-for-lost-track"
                                         : "max-predicted-frame-count");
  if (!o->output)
    return fail_usage ("expected -o RESULT.txt");
  return EXIT_OK;
}

static GArray *
read_confidences (const GArray *detections, double power)
{
  GArray *values = g_array_sized_new (FALSE, FALSE, sizeof (double), detections->len);

  for (guint i = 0; i < detections->len; i++)
    g_array_append_val (values, g_array_index (detections, MotDetection, i).confidence);
  confidences_convert (values, power);
  return values;
}

/* So nobody wonders about an empty result. */
static void
warn_if_nothing_begins (const GArray *confidences, const YvTrackerSettings *settings)
{
  const double least = MAX (settings->birth_confidence, settings->high_confidence);
  double most = 0;

  for (guint i = 0; i < confidences->len; i++)
    most = MAX (most, g_array_index (confidences, double, i));
  if (most >= least)
    return;
  g_autofree char *text = g_strdup_printf (
      "no detection can begin a track: the most confident one counts %.3g, a track needs %.3g; "
      "--confidence-power 1 takes confidences as they are, --new-track-confidence-threshold and "
      "--high-confidence-threshold ask for less",
      most, least);
  warn (text);
}

/* The detections of frame @frame, from @first on. Returns: where those of the next one begin. */
static guint
sightings_of_frame (const GArray *detections, const GArray *confidences, guint first,
                    uint32_t frame, GArray *seen)
{
  g_array_set_size (seen, 0);
  for (; first < detections->len; first++) {
    const MotDetection *d = &g_array_index (detections, MotDetection, first);
    if (d->frame != frame)
      break;
    const YvSighting sighting = {.box = {d->x, d->y, d->w, d->h},
                                 .confidence = g_array_index (confidences, double, first)};
    g_array_append_val (seen, sighting);
  }
  return first;
}

static void
tell_frame (const YvTracker *tracker, const GArray *detections, guint first, uint32_t frame,
            const GArray *seen, GArray *told)
{
  uint32_t n_predicted;
  const YvPrediction *predicted = yv_tracker_predicted (tracker, &n_predicted);

  for (guint i = 0; i < seen->len; i++) {
    const YvSighting *s = &g_array_index (seen, YvSighting, i);
    const Told line = {frame, s->id, s->box,
                       g_array_index (detections, MotDetection, first + i).confidence};
    if (s->id >= 0)
      g_array_append_val (told, line);
  }
  for (uint32_t i = 0; i < n_predicted; i++) {
    const Told line = {frame, predicted[i].id, predicted[i].box, -1};
    g_array_append_val (told, line);
  }
}

/* Of this thread on its core: what else runs on the machine does not count. */
static double
cpu_seconds (void)
{
  struct timespec now;

  if (clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now) != 0)
    return (double) g_get_monotonic_time () / 1e6;
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* Frames without a line were looked at, and nothing was found. */
static Summary
track_all (const GArray *detections, const GArray *confidences, const YvTrackerSettings *settings,
           GArray *told)
{
  g_autoptr (YvTracker) tracker = yv_tracker_new ();
  g_autoptr (GArray) seen = g_array_new (FALSE, FALSE, sizeof (YvSighting));
  const uint32_t first_frame = g_array_index (detections, MotDetection, 0).frame;
  const uint32_t last_frame = g_array_index (detections, MotDetection, detections->len - 1).frame;
  const double started = cpu_seconds ();
  guint first = 0;

  for (uint32_t frame = first_frame; frame <= last_frame; frame++) {
    const guint next = sightings_of_frame (detections, confidences, first, frame, seen);
    yv_tracker_see (tracker, settings, 1, (YvSighting *) seen->data, seen->len);
    tell_frame (tracker, detections, first, frame, seen, told);
    first = next;
  }
  Summary summary = {.n_frames = last_frame - first_frame + 1, .seconds = cpu_seconds () - started};
  for (guint i = 0; i < told->len; i++)
    summary.last_id = MAX (summary.last_id, g_array_index (told, Told, i).id);
  return summary;
}

static bool
write_result (const char *path, const GArray *told, GError **error)
{
  FILE *out = g_fopen (path, "w");
  bool is_written = out != NULL;

  for (guint i = 0; out && i < told->len; i++) {
    const Told *t = &g_array_index (told, Told, i);
    fprintf (out, "%u,%" G_GINT64_FORMAT ",%.3f,%.3f,%.3f,%.3f,%.6g,-1,-1,-1\n", t->frame, t->id,
             t->box.x, t->box.y, t->box.w, t->box.h, t->confidence);
  }
  if (out) {
    is_written = !ferror (out);
    is_written = fclose (out) == 0 && is_written;
  }
  if (!is_written)
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't write the result: %s", path,
                 g_strerror (errno));
  return is_written;
}

static int
track_file (const char *path, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) detections = mot_read (path, &error);
  const YvTrackerSettings settings = {
      .high_confidence = options->high_confidence,
      .birth_confidence = options->birth_confidence,
      .min_overlap = options->min_overlap,
      .max_unseen = options->max_unseen,
      .max_predicted = options->max_predicted,
      .min_sightings = (uint32_t) options->min_sightings,
  };

  if (!detections)
    return fail (error);
  g_autoptr (GArray) confidences = read_confidences (detections, options->power);
  g_autoptr (GArray) told = g_array_new (FALSE, FALSE, sizeof (Told));
  warn_if_nothing_begins (confidences, &settings);
  const Summary summary = track_all (detections, confidences, &settings, told);
  if (!write_result (options->output, told, &error))
    return fail (error);
  printf ("%u frames, %u detections, %" G_GINT64_FORMAT
          " tracks in %.2f ms of one core: %.0f frames/s\n",
          summary.n_frames, detections->len, summary.last_id, summary.seconds * 1e3,
          summary.n_frames / MAX (summary.seconds, 1e-6));
  return EXIT_OK;
}

int
command_track (int argc, char **argv)
{
  const YvTrackerSettings *usual = &yv_tracker_defaults;
  Options options = {
      .min_overlap = usual->min_overlap,
      .high_confidence = usual->high_confidence,
      .birth_confidence = usual->birth_confidence,
      .min_sightings = (int) usual->min_sightings,
      .max_unseen = (int) usual->max_unseen,
      .max_predicted = (int) usual->max_predicted,
  };
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "the result, a box a line",
       "RESULT.txt"},
      {"confidence-power", 0, 0, G_OPTION_ARG_DOUBLE, &options.power,
       "confidences count to this power; 0: 8.5 where half are above 0.9, else 1 [0]", "N"},
      {names[0], 0, 0, G_OPTION_ARG_DOUBLE, &options.min_overlap,
       "IoU that a match needs at least [0.03]", "IOU"},
      {names[1], 0, 0, G_OPTION_ARG_DOUBLE, &options.high_confidence,
       "from here on detections are matched first [0.5]", "C"},
      {names[2], 0, 0, G_OPTION_ARG_DOUBLE, &options.birth_confidence,
       "from here on detections begin a track [0.7]", "C"},
      {"min-frame-count-for-new-track", 0, 0, G_OPTION_ARG_INT, &options.min_sightings,
       "frames in a row until a track counts [1]", "N"},
      {"min-frame-count-for-lost-track", 0, 0, G_OPTION_ARG_INT, &options.max_unseen,
       "frames unseen until a track is forgotten [60]", "N"},
      {"max-predicted-frame-count", 0, 0, G_OPTION_ARG_INT, &options.max_predicted,
       "frames unseen for which a box is told where it should be [1]", "N"},
      G_OPTION_ENTRY_NULL,
  };
  int status = EXIT_USAGE;

  if (command_parse (
          &argc, &argv, "DET.txt -o RESULT.txt",
          "Follows the objects of a file of detections in MOTChallenge's text form:\n"
          "frame,id,x,y,w,h,confidence,... with frames from 1 on. In the result each has its id;\n"
          "confidence is -1 where a box is a prediction. No line uses what comes after its frame.\n"
          "\nConfidences within 0..1 count to a power, because many detectors of benchmarks are "
          "sure\nof all they find; others count by their rank among the file's. The thresholds are "
          "for\nwhat that makes of them.",
          entries, NULL)) {
    if (argc != 2)
      status = fail_usage ("expected one file of detections, found %d", argc - 1);
    else
      status = check_options (&options);
    if (status == EXIT_OK)
      status = track_file (argv[1], &options);
  }
  g_free (options.output);
  return status;
}
