/* SPDX-License-Identifier: LGPL-2.1-or-later
 * embed-engine.c - finds objects in pictures, without GStreamer: the engine as a library.
 *
 *   make && ./embed-engine best.pt street.ppm           prints a line for each object:
 *   street.ppm: person 0.961 at 643.758,236.315 40.633x91.735
 *
 * Built with pkg-config's yolov7 alone, so from any folder (see Makefile). A picture is a binary
 * PPM (P6, 8 bits), because that takes no library: ffmpeg -i street.jpg street.ppm makes one. What
 * a camera or a decoder gives, such as NV12, goes to the engine as it is: see <yolov7/image.h>.
 *
 * One engine is a model on a device and is made once; one stream is one camera. Exit status: 0, 1
 * where something failed, 2 for wrong arguments. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <yolov7/yolov7.h>

/* ---- pictures ------------------------------------------------------------------------------- */

#define MAX_SIDE_PX 16384u

/* A number of the header, behind blanks and comments, which run from # to the end of the line.
 * Returns: 0 where there is none; of one that is too large to be of a picture any that is. */
static uint32_t
read_number (const char **at, const char *end)
{
  uint32_t number = 0;

  while (*at < end && (g_ascii_isspace (**at) || **at == '#')) {
    const bool is_comment = **at == '#';
    while (is_comment && *at < end && **at != '\n')
      (*at)++;
    if (*at < end)
      (*at)++;
  }
  for (; *at < end && g_ascii_isdigit (**at); (*at)++)
    number = 10 * MIN (number, 999999) + (uint32_t) (**at - '0');
  return number;
}

/* @image: (out): its pixels lie in @bytes. Returns: false, and @error says what is wrong. */
static bool
view_ppm (const char *bytes, size_t n_bytes, YvImage *image, GError **error)
{
  const char *at = bytes + 2, *end = bytes + n_bytes;

  if (n_bytes < 2 || bytes[0] != 'P' || bytes[1] != '6') {
    g_set_error (
        error, YV_ERROR, YV_ERROR_MALFORMED,
        "not a binary PPM: it does not begin with P6; convert it: ffmpeg -i PICTURE x.ppm");
    return false;
  }
  const uint32_t width = read_number (&at, end);
  const uint32_t height = read_number (&at, end);
  const uint32_t most = read_number (&at, end);
  if (width == 0 || width > MAX_SIDE_PX || height == 0 || height > MAX_SIDE_PX || most != 255) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "the header says %ux%u px and %u as the largest value; expected sides of 1 to %u "
                 "and 255",
                 width, height, most, MAX_SIDE_PX);
    return false;
  }
  at += at < end;                                        /* one blank ends the header */
  const size_t n_expected = (size_t) width * height * 3; /* less than 2^30 */
  if ((size_t) (end - at) < n_expected) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "cut short: %zu bytes of pixels, expected %zu for %ux%u px", (size_t) (end - at),
                 n_expected, width, height);
    return false;
  }
  *image = (YvImage){
      .format = YV_FORMAT_RGB,
      .width = width,
      .height = height,
      .planes = {(const uint8_t *) at},
      .stride_bytes = {3 * width},
  };
  return true;
}

/* ---- detections ----------------------------------------------------------------------------- */

static bool
print_detections (const char *path, const YvDetections *found, const YvEngineInfo *info,
                  GError **error)
{
  for (uint32_t i = 0; i < found->n_detections; i++) {
    const YvDetection *d = &found->detections[i];
    printf ("%s: %s %.3f at %.3f,%.3f %.3fx%.3f\n", path, info->class_names[d->class_index],
            (double) d->confidence, (double) d->x, (double) d->y, (double) d->w, (double) d->h);
  }
  if (fflush (stdout) == 0)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "stdout: %s", g_strerror (errno));
  return false;
}

static bool
detect (YvEngine *engine, YvStream *stream, const char *path, GError **error)
{
  g_autofree char *bytes = NULL;
  size_t n_bytes;
  YvImage image;

  if (!g_file_get_contents (path, &bytes, &n_bytes, error))
    return false;
  /* The result belongs to the stream and is valid until its next call. */
  const YvDetections *found =
      view_ppm (bytes, n_bytes, &image, error) ? yv_stream_detect (stream, &image, error) : NULL;
  if (!found) {
    g_prefix_error (error, "%s: ", path);
    return false;
  }
  return print_detections (path, found, yv_engine_info (engine), error);
}

static int
fail (const GError *error)
{
  fprintf (stderr, "embed-engine: %s\n", error->message);
  return EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc < 3) {
    fprintf (stderr, "usage: embed-engine MODEL PICTURE.ppm...\n"
                     "The environment variable DEVICE says where: an index, part of a name, or\n"
                     "\"reference\"; else the best device is used.\n");
    return 2;
  }
  const YvEngineOptions options = {.model_file = argv[1], .device = g_getenv ("DEVICE")};
  const YvStreamOptions settings = YV_STREAM_DEFAULTS;

  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  if (!engine)
    return fail (error);
  if (yv_engine_info (engine)->warning)
    fprintf (stderr, "embed-engine: warning: %s\n", yv_engine_info (engine)->warning);
  g_autoptr (YvStream) stream = yv_stream_new (engine, &settings, &error);
  if (!stream)
    return fail (error);

  for (int i = 2; i < argc; i++)
    if (!detect (engine, stream, argv[i], &error))
      return fail (error);
  return EXIT_SUCCESS;
}
