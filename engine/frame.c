/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/frame.c - every pixel format as three components with a walk each.
 */
#include "engine/frame.h"

#include <string.h>

#include "engine/align.h"
#include "engine/error.h"
#include "engine/memory.h"

/* Offsets in YvFrameParams are 32 bits and a batch shares a staging buffer. */
#define MAX_SIDE_PX 65535
#define MAX_IMAGE_BYTES (1u << 30)
#define PLANE_ALIGN_BYTES 64

/* Where one component's samples are. */
typedef struct {
  uint32_t plane;
  uint32_t first_byte;
  uint32_t pixel_bytes;
} Component;

typedef struct {
  const char *name;
  uint32_t n_planes;
  bool is_rgb;
  uint32_t depth, low_bit;       /* a sample's bits; what is below them */
  uint32_t chroma_dx, chroma_dy; /* log2 of the subsampling of components 1 and 2 */
  Component components[3];       /* R, G, B or Y, U, V; of grey three times the same */
} Layout;

/* clang-format off */
static const Layout layouts[YV_N_FORMATS] = {
  [YV_FORMAT_RGB]       = {"RGB",   1, true,  8, 0, 0, 0, {{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
  [YV_FORMAT_BGR]       = {"BGR",   1, true,  8, 0, 0, 0, {{0, 2, 3}, {0, 1, 3}, {0, 0, 3}}},
  [YV_FORMAT_RGBX]      = {"RGBx",  1, true,  8, 0, 0, 0, {{0, 0, 4}, {0, 1, 4}, {0, 2, 4}}},
  [YV_FORMAT_BGRX]      = {"BGRx",  1, true,  8, 0, 0, 0, {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
  [YV_FORMAT_XRGB]      = {"xRGB",  1, true,  8, 0, 0, 0, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
  [YV_FORMAT_XBGR]      = {"xBGR",  1, true,  8, 0, 0, 0, {{0, 3, 4}, {0, 2, 4}, {0, 1, 4}}},
  [YV_FORMAT_GRAY8]     = {"GRAY8", 1, false, 8, 0, 0, 0, {{0, 0, 1}, {0, 0, 1}, {0, 0, 1}}},
  [YV_FORMAT_I420]      = {"I420",  3, false, 8, 0, 1, 1, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
  [YV_FORMAT_NV12]      = {"NV12",  2, false, 8, 0, 1, 1, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
  [YV_FORMAT_NV21]      = {"NV21",  2, false, 8, 0, 1, 1, {{0, 0, 1}, {1, 1, 2}, {1, 0, 2}}},
  [YV_FORMAT_Y42B]      = {"Y42B",  3, false, 8, 0, 1, 0, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
  [YV_FORMAT_NV16]      = {"NV16",  2, false, 8, 0, 1, 0, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
  [YV_FORMAT_YUY2]      = {"YUY2",  1, false, 8, 0, 1, 0, {{0, 0, 2}, {0, 1, 4}, {0, 3, 4}}},
  [YV_FORMAT_UYVY]      = {"UYVY",  1, false, 8, 0, 1, 0, {{0, 1, 2}, {0, 0, 4}, {0, 2, 4}}},
  [YV_FORMAT_YVYU]      = {"YVYU",  1, false, 8, 0, 1, 0, {{0, 0, 2}, {0, 3, 4}, {0, 1, 4}}},
  [YV_FORMAT_Y444]      = {"Y444",  3, false, 8, 0, 0, 0, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
  [YV_FORMAT_I420_10LE] = {"I420_10LE", 3, false, 10, 0, 1, 1, {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
  [YV_FORMAT_P010_10LE] = {"P010_10LE", 2, false, 10, 6, 1, 1, {{0, 0, 2}, {1, 0, 4}, {1, 2, 4}}},
};

/* Shares of red and blue in luma. */
static const struct {
  double red, blue;
} luma_weights[] = {
  [YV_MATRIX_BT601]  = {0.299,  0.114},
  [YV_MATRIX_BT709]  = {0.2126, 0.0722},
  [YV_MATRIX_BT2020] = {0.2627, 0.0593},
};
/* clang-format on */

static uint32_t
subsampled (uint32_t side_px, uint32_t shift)
{
  return (side_px + (1u << shift) - 1) >> shift;
}

/* Up to the end of the last pixel, or pair of pixels that share chroma, whatever the order of its
 * components. */
static uint64_t
plane_row_bytes (const YvImage *image, uint32_t plane)
{
  const Layout *layout = &layouts[image->format];
  uint64_t row_bytes = 0;

  for (uint32_t i = 0; i < 3; i++) {
    const Component *component = &layout->components[i];
    const uint64_t n = subsampled (image->width, i > 0 ? layout->chroma_dx : 0);

    if (component->plane == plane)
      row_bytes = MAX (row_bytes, n * component->pixel_bytes);
  }
  return row_bytes;
}

/* Of component 0, or of what shares no plane with it. */
static uint64_t
plane_rows (const YvImage *image, uint32_t plane)
{
  return subsampled (image->height, plane > 0 ? layouts[image->format].chroma_dy : 0);
}

/* Of the packed copy: from the start of @plane to the start of the next. */
static uint64_t
plane_extent_bytes (const YvImage *image, uint32_t plane)
{
  const uint64_t size_bytes = plane_rows (image, plane) * plane_row_bytes (image, plane);

  return yv_round_up (size_bytes, PLANE_ALIGN_BYTES);
}

static bool
check_plane (const YvImage *image, uint32_t plane, GError **error)
{
  const char *name = layouts[image->format].name;
  const uint64_t row_bytes = plane_row_bytes (image, plane);

  if (!image->planes[plane]) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s image: plane %u is missing", name, plane);
    return false;
  }
  if (image->stride_bytes[plane] < row_bytes) {
    g_set_error (
        error, YV_ERROR, YV_ERROR_INVALID,
        "%s image of %ux%u: stride of plane %u is %u bytes, its rows have %" G_GUINT64_FORMAT, name,
        image->width, image->height, plane, image->stride_bytes[plane], row_bytes);
    return false;
  }
  return true;
}

/* Up to the last sample of the last row, and not what lies behind it. */
static bool
check_inside_memory (const YvImage *image, uint32_t plane, GError **error)
{
  const YvFrameMemory *memory = image->memory;
  const uint64_t needed =
      (plane_rows (image, plane) - 1) * image->stride_bytes[plane] + plane_row_bytes (image, plane);
  const uintptr_t offset = (uintptr_t) image->planes[plane] - (uintptr_t) memory->bytes;

  if ((uintptr_t) image->planes[plane] >= (uintptr_t) memory->bytes &&
      offset <= memory->size_bytes && needed <= memory->size_bytes - offset)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s image of %ux%u: plane %u does not lie in its memory of %zu bytes",
               layouts[image->format].name, image->width, image->height, plane, memory->size_bytes);
  return false;
}

bool
yv_image_check (const YvImage *image, GError **error)
{
  uint64_t size_bytes = 0;

  if ((unsigned) image->format >= YV_N_FORMATS || (unsigned) image->matrix > YV_MATRIX_BT2020) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "image: unknown format %d or matrix %d",
                 (int) image->format, (int) image->matrix);
    return false;
  }
  if (image->width == 0 || image->height == 0 || image->width > MAX_SIDE_PX ||
      image->height > MAX_SIDE_PX) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "image is %ux%u px, expected 1 to %d a side",
                 image->width, image->height, MAX_SIDE_PX);
    return false;
  }
  for (uint32_t plane = 0; plane < layouts[image->format].n_planes; plane++) {
    if (!check_plane (image, plane, error) ||
        (image->memory && !check_inside_memory (image, plane, error)))
      return false;
    size_bytes += plane_extent_bytes (image, plane);
  }
  if (size_bytes > MAX_IMAGE_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "image of %ux%u has %" G_GUINT64_FORMAT " bytes, the most is %u", image->width,
                 image->height, size_bytes, MAX_IMAGE_BYTES);
    return false;
  }
  return true;
}

size_t
yv_image_size_bytes (const YvImage *image)
{
  size_t size_bytes = 0;

  for (uint32_t plane = 0; plane < layouts[image->format].n_planes; plane++)
    size_bytes += plane_extent_bytes (image, plane);
  return size_bytes;
}

/* What lies behind a row's last sample is never read: it may not be ours. */
static void
pack_plane (const YvImage *image, uint32_t plane, uint8_t *dst)
{
  const size_t row_bytes = plane_row_bytes (image, plane);
  const size_t n_rows = plane_rows (image, plane);
  const size_t stride_bytes = image->stride_bytes[plane];

  if (stride_bytes == row_bytes) {
    memcpy (dst, image->planes[plane], n_rows * row_bytes);
    return;
  }
  for (size_t row = 0; row < n_rows; row++)
    memcpy (dst + row * row_bytes, image->planes[plane] + row * stride_bytes, row_bytes);
}

void
yv_image_pack (const YvImage *image, uint8_t *dst)
{
  for (uint32_t plane = 0; plane < layouts[image->format].n_planes; plane++) {
    pack_plane (image, plane, dst);
    dst += plane_extent_bytes (image, plane);
  }
}

void
yv_image_pack_to_memory (const YvImage *image, YvFrameMemory *memory, YvImage *packed)
{
  uint8_t *at = memory->bytes;

  yv_image_pack (image, at);
  *packed = *image;
  packed->memory = memory;
  for (uint32_t plane = 0; plane < layouts[image->format].n_planes; plane++) {
    packed->planes[plane] = at;
    packed->stride_bytes[plane] = (uint32_t) plane_row_bytes (image, plane);
    at += plane_extent_bytes (image, plane);
  }
}

/* One row of the matrix: luma, U and V (or three times luma) and what their zeros add up to. */
static void
set_row (float row[4], const double coefficients[3], const double zeros[3])
{
  double constant = 0;

  for (int i = 0; i < 3; i++) {
    row[i] = (float) coefficients[i];
    constant -= coefficients[i] * zeros[i];
  }
  row[3] = (float) constant;
}

static void
set_matrix (float matrix[12], const YvImage *image)
{
  const uint32_t extra_bits = layouts[image->format].depth - 8;
  /* Of 8 bits in one step of a sample. Narrow ranges grow with the number of steps, full ones end
   * at the last. */
  const double step =
      image->full_range ? 255.0 / ((256 << extra_bits) - 1) : 1.0 / (1 << extra_bits);
  const double y = image->full_range ? step : 255.0 / 219 * step;
  const double c = image->full_range ? step : 255.0 / 224 * step;
  const double black = image->full_range ? 0 : 16 << extra_bits;
  const double grey = 128 << extra_bits;
  const double zeros[3] = {black, grey, grey};
  const double red = luma_weights[image->matrix].red;
  const double blue = luma_weights[image->matrix].blue;
  const double green = 1 - red - blue;
  const double v_to_red = 2 * (1 - red) * c;
  const double u_to_blue = 2 * (1 - blue) * c;

  set_row (matrix, (const double[]){y, 0, v_to_red}, zeros);
  set_row (matrix + 4, (const double[]){y, -u_to_blue * blue / green, -v_to_red * red / green},
           zeros);
  set_row (matrix + 8, (const double[]){y, u_to_blue, 0}, zeros);
}

/* All three components are luma: each makes its own colour. */
static void
set_grey_matrix (float matrix[12], const YvImage *image)
{
  const double y = image->full_range ? 1 : 255.0 / 219;
  const double zeros[3] = {16, 16, 16};
  const double none[3] = {0};

  for (int i = 0; i < 3; i++) {
    double coefficients[3] = {0};

    coefficients[i] = y;
    set_row (matrix + 4 * i, coefficients, image->full_range ? none : zeros);
  }
}

static void
set_identity (float matrix[12])
{
  memset (matrix, 0, 12 * sizeof (float));
  matrix[0] = matrix[5] = matrix[10] = 1;
}

/* Kernels read two bytes at once, at even places of what the device has. */
static bool
samples_are_aligned (const YvImage *image)
{
  for (uint32_t plane = 0; plane < layouts[image->format].n_planes; plane++) {
    if ((image->planes[plane] - image->memory->start) % 2 != 0 ||
        image->stride_bytes[plane] % 2 != 0)
      return false;
  }
  return true;
}

bool
yv_image_is_read_in_place (const YvImage *image, const void *device)
{
  return image->memory && image->memory->device == device &&
         (layouts[image->format].depth == 8 || samples_are_aligned (image));
}

static void
set_colours (struct YvFrameParams *params, const YvImage *image)
{
  if (layouts[image->format].is_rgb)
    set_identity (params->matrix);
  else if (image->format == YV_FORMAT_GRAY8)
    set_grey_matrix (params->matrix, image);
  else
    set_matrix (params->matrix, image);
}

/* Where planes are, and how far their rows are apart. */
typedef struct {
  size_t offset_bytes[3];
  uint32_t row_bytes[3];
} Planes;

static void
init_params (struct YvFrameParams *params, const YvImage *image, const YvLetterbox *letterbox,
             const Planes *planes)
{
  const Layout *layout = &layouts[image->format];

  *params = (struct YvFrameParams){
      .low_bit = layout->low_bit,
      .sample_mask = (1u << layout->depth) - 1,
      .frame_w = image->width,
      .frame_h = image->height,
      .resized_w = letterbox->resized_w,
      .resized_h = letterbox->resized_h,
      .left = letterbox->left,
      .top = letterbox->top,
      .chroma_x = image->chroma_left ? 0.25f : 0,
      .is_rgb = layout->is_rgb,
      .is_deep = layout->depth > 8,
  };
  for (uint32_t i = 0; i < 3; i++) {
    const Component *component = &layout->components[i];
    const size_t offset = planes->offset_bytes[component->plane] + component->first_byte;

    g_assert (offset <= UINT32_MAX);
    params->offset[i] = (uint32_t) offset;
    params->row_bytes[i] = planes->row_bytes[component->plane];
    params->pixel_bytes[i] = component->pixel_bytes;
    params->shift_x[i] = i > 0 ? layout->chroma_dx : 0;
    params->shift_y[i] = i > 0 ? layout->chroma_dy : 0;
  }
  set_colours (params, image);
}

void
yv_frame_params_init (struct YvFrameParams *params, const YvImage *image,
                      const YvLetterbox *letterbox, size_t offset_bytes)
{
  Planes planes = {0};

  for (uint32_t plane = 0; plane < layouts[image->format].n_planes; plane++) {
    planes.offset_bytes[plane] = offset_bytes;
    planes.row_bytes[plane] = (uint32_t) plane_row_bytes (image, plane);
    offset_bytes += plane_extent_bytes (image, plane);
  }
  init_params (params, image, letterbox, &planes);
}

void
yv_frame_params_init_in_place (struct YvFrameParams *params, const YvImage *image,
                               const YvLetterbox *letterbox)
{
  Planes planes = {0};

  for (uint32_t plane = 0; plane < layouts[image->format].n_planes; plane++) {
    planes.offset_bytes[plane] = (size_t) (image->planes[plane] - image->memory->start);
    planes.row_bytes[plane] = image->stride_bytes[plane];
  }
  init_params (params, image, letterbox, &planes);
}
