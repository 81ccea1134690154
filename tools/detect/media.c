/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/media.c - what is in a file, and pipelines that decode and write it. */
#include "tools/detect/media.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/yolov7.h"
#include "gst/frameview.h"

/* ---- reading -------------------------------------------------------------------------------- */

static void
describe_video (GstDiscovererVideoInfo *video, GstClockTime duration, MediaContents *out)
{
  const guint rate_n = gst_discoverer_video_info_get_framerate_num (video);
  const guint rate_d = gst_discoverer_video_info_get_framerate_denom (video);
  g_autoptr (GstCaps) caps =
      gst_discoverer_stream_info_get_caps (GST_DISCOVERER_STREAM_INFO (video));

  *out = (MediaContents){
      .is_picture = gst_discoverer_video_info_is_image (video),
      .width = gst_discoverer_video_info_get_width (video),
      .height = gst_discoverer_video_info_get_height (video),
  };
  out->is_jpeg = out->is_picture && caps && gst_caps_get_size (caps) > 0 &&
                 gst_structure_has_name (gst_caps_get_structure (caps, 0), "image/jpeg");
  if (out->is_picture)
    out->n_frames = 1;
  else if (rate_n > 0 && rate_d > 0 && GST_CLOCK_TIME_IS_VALID (duration))
    out->n_frames = (int) MIN (
        gst_util_uint64_scale_round (duration, rate_n, (guint64) rate_d * GST_SECOND), G_MAXINT);
}

static gboolean
check_readable (const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: is a directory; name the files in it, %s/*",
                 path, path);
    return FALSE;
  }
  if (g_access (path, R_OK) == 0)
    return TRUE;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", path, g_strerror (errno));
  return FALSE;
}

gboolean
media_discover (GstDiscoverer *discoverer, const char *path, MediaContents *out, GError **error)
{
  if (!check_readable (path, error))
    return FALSE;

  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *uri = gst_filename_to_uri (absolute, error);
  g_autoptr (GstDiscovererInfo) info =
      uri ? gst_discoverer_discover_uri (discoverer, uri, error) : NULL;
  if (!info || gst_discoverer_info_get_result (info) != GST_DISCOVERER_OK) {
    if (error && *error)
      g_prefix_error (error, "%s: not a picture or video that GStreamer can decode: ", path);
    else
      g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                   "%s: GStreamer has no decoder for it; install gstreamer1.0-libav or "
                   "gstreamer1.0-plugins-bad",
                   path);
    return FALSE;
  }

  GList *streams = gst_discoverer_info_get_video_streams (info);
  if (!streams) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "%s: there is no picture in it", path);
    return FALSE;
  }
  describe_video (streams->data, gst_discoverer_info_get_duration (info), out);
  gst_discoverer_stream_info_list_free (streams);
  return TRUE;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The first whose elements are installed; the last is in the sets that everybody has. 4:2:0,
 * because players refuse H.264 of anything else. */
static const struct {
  const char *elements[3];
  const char *launch;
  const char *extension;
} video_writers[] = {
    {{"x264enc", "mp4mux"}, "x264enc speed-preset=veryfast ! mp4mux", "mp4"},
    {{"openh264enc", "h264parse", "mp4mux"}, "openh264enc ! h264parse ! mp4mux", "mp4"},
    {{"vp8enc", "webmmux"}, "vp8enc deadline=1 target-bitrate=4000000 ! webmmux", "webm"},
    {{"jpegenc", "matroskamux"}, "jpegenc ! matroskamux", "mkv"},
};

static gboolean
is_installed (const char *element)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (element);

  return factory != NULL;
}

static gboolean
are_installed (const char *const *elements, guint n_elements)
{
  for (guint i = 0; i < n_elements && elements[i]; i++)
    if (!is_installed (elements[i]))
      return FALSE;
  return TRUE;
}

static const char *
choose_writer (const MediaContents *contents, const char **extension)
{
  if (contents->is_picture) {
    *extension = contents->is_jpeg ? "jpg" : "png";
    return contents->is_jpeg ? "jpegenc quality=95" : "pngenc";
  }
  for (guint i = 0; i < G_N_ELEMENTS (video_writers); i++) {
    if (are_installed (video_writers[i].elements, G_N_ELEMENTS (video_writers[i].elements))) {
      *extension = video_writers[i].extension;
      return video_writers[i].launch;
    }
  }
  return NULL;
}

/* The input's name without its ending, and a number where this run has used that name before. */
static char *
choose_name (const char *input_path, const char *extension, GHashTable *taken)
{
  g_autofree char *base = g_path_get_basename (input_path);
  char *dot = strrchr (base, '.');

  if (dot && dot != base)
    *dot = '\0';
  char *name = g_strdup_printf ("%s.%s", base, extension);
  for (guint n = 2; g_hash_table_contains (taken, name); n++) {
    g_free (name);
    name = g_strdup_printf ("%s-%u.%s", base, n, extension);
  }
  g_hash_table_add (taken, g_strdup (name));
  return name;
}

static gboolean
is_same_file (const char *a, const char *b)
{
  GStatBuf x, y;

  return g_stat (a, &x) == 0 && g_stat (b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

gboolean
media_output_init (MediaOutput *output, const char *folder, const char *input_path,
                   const MediaContents *contents, GHashTable *taken, GError **error)
{
  const char *extension = NULL;

  *output = (MediaOutput){.writer = choose_writer (contents, &extension)};
  if (!output->writer) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "no video encoder is installed: apt-get install gstreamer1.0-plugins-ugly");
    return FALSE;
  }

  g_autofree char *name = choose_name (input_path, extension, taken);
  g_autofree char *partial_name = g_strdup_printf (".%s.part", name);
  output->path = g_build_filename (folder, name, NULL);
  output->partial_path = g_build_filename (folder, partial_name, NULL);
  if (!is_same_file (output->path, input_path))
    return TRUE;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s: the result would replace it; give --output another folder", input_path);
  media_output_clear (output);
  return FALSE;
}

void
media_output_clear (MediaOutput *output)
{
  g_clear_pointer (&output->path, g_free);
  g_clear_pointer (&output->partial_path, g_free);
}

gboolean
media_output_commit (const MediaOutput *output, GError **error)
{
  if (g_rename (output->partial_path, output->path) == 0)
    return TRUE;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be put in place: %s", output->path,
               g_strerror (errno));
  return FALSE;
}

void
media_output_discard (const MediaOutput *output)
{
  g_unlink (output->partial_path);
}

/* ---- pipelines ------------------------------------------------------------------------------ */

/* jpegparse reads the orientation that cameras write into pictures; decodebin leaves it out. */
static const char *
choose_decoder (const MediaContents *contents)
{
  return contents->is_jpeg && is_installed ("jpegparse") ? "jpegparse ! jpegdec" : "decodebin";
}

static char *
describe_tail (const MediaContents *contents, const MediaOutput *output)
{
  if (!output)
    return g_strdup ("fakesink sync=false");

  /* Encoders of 4:2:0 video want even sides: a black line makes up for a missing one. */
  const gboolean odd = !contents->is_picture && (contents->width % 2 || contents->height % 2);
  g_autofree char *pad = g_strdup_printf ("! videobox right=-%u bottom=-%u ", contents->width % 2,
                                          contents->height % 2);
  return g_strdup_printf ("queue ! yolov7overlay ! videoconvert %s%s! %s ! filesink name=out",
                          contents->is_picture ? "" : "! video/x-raw,format=I420 ", odd ? pad : "",
                          output->writer);
}

GstElement *
media_pipeline (const char *path, const MediaContents *contents, const MediaOutput *output,
                GError **error)
{
  g_autofree char *tail = describe_tail (contents, output);
  g_autofree char *launch = g_strdup_printf (
      "filesrc name=in ! %s ! queue ! videoconvert ! videoflip video-direction=auto "
      "! video/x-raw,format=" GST_YOLOV7_FORMATS " ! identity name=analyse silent=true ! %s",
      choose_decoder (contents), tail);
  GstElement *pipeline = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline) {
    g_prefix_error (error, "GStreamer is incomplete (gstreamer1.0-plugins-base and -good): ");
    return NULL;
  }
  g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  g_object_set (in, "location", path, NULL);
  if (output) {
    g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
    g_object_set (out, "location", output->partial_path, NULL);
  }
  return pipeline;
}
