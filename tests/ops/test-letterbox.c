/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/test-letterbox.c - letterbox.comp against engine/ref/letterbox.c: bit for bit where
 * components are scaled as bytes, to a level of 255 where chroma and a matrix take part; and
 * against what upstream made of four pictures. And conv_first.comp, against engine/ref/first.c and
 * against the steps that it stands for. */
#include <math.h>
#include <string.h>

#include "engine/align.h"
#include "engine/checkpoint/checkpoint.h"
#include "tests/common/paths.h"
#include "tests/ops/opcase.h"

#define MAX_BATCH 3
#define LEVEL (1.0 / 255)

/* A frame that is fitted into net_w x net_h. */
typedef struct {
  const char *name;
  YvFormat format;
  uint32_t w, h, net_w, net_h;
  YvMatrix matrix;
  bool full_range, chroma_left;
} FrameShape;

static const FrameShape packed[] = {
    {"same size", YV_FORMAT_RGB, 64, 32, 64, 32, YV_MATRIX_BT601, false, false},
    {"one pixel", YV_FORMAT_BGR, 1, 1, 32, 32, YV_MATRIX_BT601, false, false},
    {"half", YV_FORMAT_RGBX, 128, 64, 64, 32, YV_MATRIX_BT601, false, false},
    {"down, padded above and below", YV_FORMAT_BGRX, 277, 131, 96, 64, YV_MATRIX_BT601, false,
     false},
    {"down, padded left and right", YV_FORMAT_XRGB, 97, 211, 96, 64, YV_MATRIX_BT601, false, false},
    {"up", YV_FORMAT_XBGR, 23, 17, 96, 64, YV_MATRIX_BT601, false, false},
    {"a wide one", YV_FORMAT_RGB, 3001, 40, 256, 32, YV_MATRIX_BT601, false, false},
    {"a high one", YV_FORMAT_RGB, 5, 2999, 32, 256, YV_MATRIX_BT601, false, false},
    {"1920 x 1080", YV_FORMAT_RGB, 1920, 1080, 320, 192, YV_MATRIX_BT601, false, false},
    {"773 x 512", YV_FORMAT_BGR, 773, 512, 320, 224, YV_MATRIX_BT601, false, false},
};

static const FrameShape converted[] = {
    {"grey", YV_FORMAT_GRAY8, 77, 51, 64, 64, YV_MATRIX_BT601, false, false},
    {"grey of full range", YV_FORMAT_GRAY8, 77, 51, 64, 64, YV_MATRIX_BT601, true, false},
    {"I420, BT.601", YV_FORMAT_I420, 100, 60, 64, 64, YV_MATRIX_BT601, false, false},
    {"I420, BT.709, odd", YV_FORMAT_I420, 101, 61, 64, 64, YV_MATRIX_BT709, false, true},
    {"I420, same size", YV_FORMAT_I420, 64, 64, 64, 64, YV_MATRIX_BT2020, true, false},
    {"NV12, up", YV_FORMAT_NV12, 31, 23, 96, 64, YV_MATRIX_BT709, true, true},
    {"NV12, down", YV_FORMAT_NV12, 640, 360, 128, 96, YV_MATRIX_BT709, false, true},
    {"NV12, one pixel", YV_FORMAT_NV12, 1, 1, 32, 32, YV_MATRIX_BT601, false, false},
    {"I420, large", YV_FORMAT_I420, 4099, 60, 256, 32, YV_MATRIX_BT601, false, false},
    {"NV21, odd", YV_FORMAT_NV21, 75, 43, 64, 64, YV_MATRIX_BT601, false, false},
    {"Y42B, odd", YV_FORMAT_Y42B, 101, 61, 64, 64, YV_MATRIX_BT709, false, true},
    {"Y42B, up", YV_FORMAT_Y42B, 31, 23, 96, 64, YV_MATRIX_BT601, false, false},
    {"NV16, same size", YV_FORMAT_NV16, 64, 64, 64, 64, YV_MATRIX_BT2020, false, false},
    {"YUY2, odd", YV_FORMAT_YUY2, 77, 51, 64, 64, YV_MATRIX_BT601, false, false},
    {"YUY2, one pixel", YV_FORMAT_YUY2, 1, 1, 32, 32, YV_MATRIX_BT601, false, false},
    {"UYVY, down", YV_FORMAT_UYVY, 640, 360, 128, 96, YV_MATRIX_BT709, false, true},
    {"YVYU, up", YV_FORMAT_YVYU, 33, 21, 96, 64, YV_MATRIX_BT601, true, true},
    {"Y444, odd", YV_FORMAT_Y444, 101, 61, 64, 64, YV_MATRIX_BT709, false, true},
    {"Y444, same size", YV_FORMAT_Y444, 64, 64, 64, 64, YV_MATRIX_BT2020, true, false},
    {"I420_10LE, odd", YV_FORMAT_I420_10LE, 101, 61, 64, 64, YV_MATRIX_BT709, false, true},
    {"I420_10LE, same size", YV_FORMAT_I420_10LE, 64, 64, 64, 64, YV_MATRIX_BT601, true, false},
    {"P010_10LE, down", YV_FORMAT_P010_10LE, 640, 360, 128, 96, YV_MATRIX_BT2020, false, true},
    {"P010_10LE, up", YV_FORMAT_P010_10LE, 31, 23, 96, 64, YV_MATRIX_BT709, true, false},
    {"P010_10LE, one pixel", YV_FORMAT_P010_10LE, 1, 1, 32, 32, YV_MATRIX_BT601, false, false},
};

/* Frames that own their bytes, and where they go. */
typedef struct {
  YvImage images[MAX_BATCH];
  YvLetterbox letterboxes[MAX_BATCH];
  uint8_t *bytes[MAX_BATCH];
  YvBatch batch;
} Frames;

static uint32_t
pixel_bytes (YvFormat format)
{
  return format <= YV_FORMAT_BGR ? 3 : format <= YV_FORMAT_XBGR ? 4 : 2;
}

static bool
is_deep (YvFormat format)
{
  return format == YV_FORMAT_I420_10LE || format == YV_FORMAT_P010_10LE;
}

/* Planes one after the other, all with room behind their rows; any format fits. */
static void
add_frame (Frames *frames, const FrameShape *s)
{
  const uint32_t i = frames->batch.n_images++;
  const uint32_t stride_bytes = (s->w + 1) * pixel_bytes (s->format) + 5;
  const size_t plane_bytes = (size_t) stride_bytes * (s->h + 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (s->w + s->h);
  YvImage *image = &frames->images[i];

  frames->bytes[i] = g_new (uint8_t, 3 * plane_bytes);
  for (size_t k = 0; k < 3 * plane_bytes; k++)
    frames->bytes[i][k] = (uint8_t) g_rand_int (rand);
  *image = (YvImage){.format = s->format,
                     .width = s->w,
                     .height = s->h,
                     .matrix = s->matrix,
                     .full_range = s->full_range,
                     .chroma_left = s->chroma_left};
  for (uint32_t plane = 0; plane < 3; plane++) {
    image->planes[plane] = frames->bytes[i] + plane * plane_bytes;
    image->stride_bytes[plane] = stride_bytes;
  }

  YvLetterbox *letterbox = &frames->letterboxes[i];
  const double scale = fmin ((double) s->net_w / s->w, (double) s->net_h / s->h);
  *letterbox = (YvLetterbox){
      .frame_w = s->w,
      .frame_h = s->h,
      .net_w = s->net_w,
      .net_h = s->net_h,
      .resized_w = (uint32_t) CLAMP (lrint (s->w * scale), 1, s->net_w),
      .resized_h = (uint32_t) CLAMP (lrint (s->h * scale), 1, s->net_h),
  };
  letterbox->left = (s->net_w - letterbox->resized_w) / 2;
  letterbox->top = (s->net_h - letterbox->resized_h) / 2;
  frames->batch.images = frames->images;
  frames->batch.letterboxes = frames->letterboxes;
}

static void
clear_frames (Frames *frames)
{
  for (uint32_t i = 0; i < MAX_BATCH; i++)
    g_free (frames->bytes[i]);
}

static OpCase
new_case (const FrameShape *s, const Frames *frames, uint32_t n, YvDType dtype)
{
  return (OpCase){
      .name = s->name,
      .node = {.op = YV_OP_INPUT, .name = (char *) "input", .c_out = 3},
      .n = n,
      .dtype = dtype,
      .dst_dtype = dtype,
      .dst = {.c = 3, .h = s->net_h, .w = s->net_w, .is_input = true},
      .amplitude = 1,
      .batch = &frames->batch,
  };
}

/* Bytes are the same; only the division by 255 may round otherwise. */
static OpBound
byte_bound (const OpCase *c, double largest)
{
  (void) largest;
  return (OpBound){.relative = op_rounding (c->dtype)};
}

static void
check_packed (YvDType dtype)
{
  for (size_t i = 0; i < G_N_ELEMENTS (packed); i++) {
    Frames frames = {0};

    add_frame (&frames, &packed[i]);
    const OpCase c = new_case (&packed[i], &frames, 1, dtype);
    op_case_check (&c, byte_bound);
    clear_frames (&frames);
  }
}

static void
packed_formats_in_fp32 (void)
{
  check_packed (YV_DTYPE_F32);
}

static void
packed_formats_in_fp16 (void)
{
  check_packed (YV_DTYPE_F16);
}

/* A sum of products near a half may be rounded either way: one level, in few pixels. What is made
 * of 10 bits is not rounded: float arithmetic and the device's places alone differ. */
static void
assert_close_to_a_level (OpRun *run, const FrameShape *shape)
{
  const double bound = is_deep (shape->format) ? 1e-5 : 1.001 * LEVEL;
  g_autofree float *got = op_run_got (run);
  g_autofree float *expected = op_run_expected (run);
  const uint64_t n_elems = op_run_n_elems (run);
  uint64_t n_different = 0;

  for (uint64_t i = 0; i < n_elems; i++) {
    const double difference = fabs ((double) got[i] - expected[i]);
    if (difference > bound)
      g_error ("%s: element %" G_GUINT64_FORMAT ": got %g, expected %g", shape->name, i,
               got[i] / LEVEL, expected[i] / LEVEL);
    n_different += difference > 1e-5;
  }
  g_assert_cmpuint (n_different * 1000, <=, n_elems);
}

static void
other_formats_are_converted (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (converted); i++) {
    Frames frames = {0};

    add_frame (&frames, &converted[i]);
    const OpCase c = new_case (&converted[i], &frames, 1, YV_DTYPE_F32);
    g_autoptr (OpRun) run = op_run_new (&c);
    if (run) {
      op_run_submit (run, NULL, NULL, NULL, NULL);
      assert_close_to_a_level (run, &converted[i]);
      op_run_assert_rest_untouched (run);
    }
    clear_frames (&frames);
  }
}

/* Frames of different sizes and formats side by side. */
static void
a_batch_of_different_frames (void)
{
  const FrameShape shapes[MAX_BATCH] = {
      {"RGB", YV_FORMAT_RGB, 50, 41, 64, 64, YV_MATRIX_BT601, false, false},
      {"grey", YV_FORMAT_GRAY8, 200, 17, 64, 64, YV_MATRIX_BT601, true, false},
      {"BGRx", YV_FORMAT_BGRX, 64, 64, 64, 64, YV_MATRIX_BT601, false, false},
  };
  Frames frames = {0};

  for (int i = 0; i < MAX_BATCH; i++)
    add_frame (&frames, &shapes[i]);
  const OpCase c = new_case (&shapes[0], &frames, MAX_BATCH, YV_DTYPE_F32);
  op_case_check (&c, byte_bound);
  clear_frames (&frames);
}

/* ---- the first convolution, too ------------------------------------------------------------- */

/* Tiles are of 8 x 8 pixels and 16 channels. */
typedef struct {
  uint32_t c_out, stride;
  bool is_reorged;
  YvActKind act;
  uint32_t c_before; /* the output is a slice of a wider value */
} FirstShape;

static const FirstShape first_shapes[] = {
    {32, 2, false, YV_ACT_LEAKY_RELU, 0}, {32, 1, false, YV_ACT_SILU, 0},
    {1, 2, false, YV_ACT_NONE, 0},        {17, 1, false, YV_ACT_SILU, 8},
    {40, 2, false, YV_ACT_SILU, 0},       {64, 1, true, YV_ACT_SILU, 0},
    {80, 1, true, YV_ACT_LEAKY_RELU, 16},
};

static YvNode
first_node (const FirstShape *f, YvWeight *weight)
{
  yv_weight_add_random (weight, 11);
  for (uint32_t o = 0; o < weight->c_out; o++)
    weight->bias[o] = 0.25 * sin (o);
  return (YvNode){
      .op = YV_OP_CONV,
      .name = (char *) "first",
      .act = {.kind = f->act, .slope = 0.1f},
      .conv = {
          .weight = weight, .stride_h = f->stride, .stride_w = f->stride, .pad_h = 1, .pad_w = 1}};
}

static OpCase
new_first_case (const FrameShape *s, const FirstShape *f, const Frames *frames, uint32_t n,
                const YvNode *first, YvDType dtype)
{
  const uint32_t scale = f->is_reorged ? 2 : f->stride;
  OpCase c = new_case (s, frames, n, dtype);

  c.first = first;
  c.picture_h = s->net_h;
  c.picture_w = s->net_w;
  c.dst = (OpTensor){.c = f->c_out,
                     .h = yv_pieces (s->net_h, scale),
                     .w = yv_pieces (s->net_w, scale),
                     .c_before = f->c_before};
  return c;
}

/* Sums of 27 or 108 products; in fp16 a pixel of the picture may be rounded the other way. */
static OpBound
first_bound (const OpCase *c, double largest)
{
  const double rounding = op_rounding (c->dtype);

  return (OpBound){.absolute = 1e-5 * largest + (c->dtype == YV_DTYPE_F16 ? rounding * largest : 0),
                   .relative = rounding};
}

static void
check_first (const FrameShape *shapes, uint32_t n, const FirstShape *f, YvDType dtype)
{
  g_autoptr (YvWeight) weight = yv_weight_new (f->c_out, f->is_reorged ? 12 : 3, 1, 3, 3);
  const YvNode first = first_node (f, weight);
  Frames frames = {0};

  for (uint32_t i = 0; i < n; i++)
    add_frame (&frames, &shapes[i]);
  const OpCase c = new_first_case (&shapes[0], f, &frames, n, &first, dtype);
  op_case_check (&c, first_bound);
  clear_frames (&frames);
}

static void
check_firsts (YvDType dtype)
{
  static const FrameShape odd = {
      .name = "odd sides", .format = YV_FORMAT_RGB, .w = 91, .h = 67, .net_w = 53, .net_h = 37};
  static const FrameShape even = {
      .name = "even sides", .format = YV_FORMAT_XBGR, .w = 91, .h = 67, .net_w = 52, .net_h = 36};

  for (size_t i = 0; i < G_N_ELEMENTS (first_shapes); i++) {
    const FirstShape *f = &first_shapes[i];

    check_first (f->is_reorged ? &even : &odd, 1, f, dtype);
  }
}

static void
the_first_convolution_reads_frames_in_fp32 (void)
{
  check_firsts (YV_DTYPE_F32);
}

static void
the_first_convolution_reads_frames_in_fp16 (void)
{
  check_firsts (YV_DTYPE_F16);
}

static void
the_first_convolution_reads_batches (void)
{
  const FrameShape shapes[MAX_BATCH] = {
      {"RGB", YV_FORMAT_RGB, 50, 41, 64, 64, YV_MATRIX_BT601, false, false},
      {"a high one", YV_FORMAT_BGR, 20, 117, 64, 64, YV_MATRIX_BT601, true, false},
      {"BGRx", YV_FORMAT_BGRX, 64, 64, 64, 64, YV_MATRIX_BT601, false, false},
  };

  check_first (shapes, MAX_BATCH, &first_shapes[0], YV_DTYPE_F32);
  check_first (shapes, MAX_BATCH, &first_shapes[6], YV_DTYPE_F32);
}

/* The picture as the device itself makes it, so that conversions that round otherwise than the
 * reference's do not count: a convolution that picks one channel of one tap. */
static void
the_first_convolution_sees_what_letterbox_makes (void)
{
  const FirstShape copy = {3, 1, false, YV_ACT_NONE, 0};
  g_autofree float *data = g_new0 (float, 3 * 3 * 9);
  const YvTensor tensor = {.dtype = YV_DTYPE_F32,
                           .n_dims = 4,
                           .shape = {3, 3, 3, 3},
                           .stride_elems = {27, 9, 3, 1},
                           .data = (const uint8_t *) data};

  for (uint32_t c = 0; c < 3; c++)
    data[c * 27 + c * 9 + 4] = 1;
  for (size_t i = 0; i < G_N_ELEMENTS (converted); i++) {
    g_autoptr (YvWeight) weight = yv_weight_new (3, 3, 1, 3, 3);
    const YvNode first = {
        .op = YV_OP_CONV,
        .name = (char *) "copy",
        .conv = {.weight = weight, .stride_h = 1, .stride_w = 1, .pad_h = 1, .pad_w = 1}};
    Frames frames = {0};

    yv_weight_add_tensor (weight, &tensor);
    add_frame (&frames, &converted[i]);
    OpCase plain = new_case (&converted[i], &frames, 1, YV_DTYPE_F32);
    plain.by_address = true;
    const OpCase c = new_first_case (&converted[i], &copy, &frames, 1, &first, YV_DTYPE_F32);
    g_autoptr (OpRun) a = op_run_new (&plain);
    g_autoptr (OpRun) b = op_run_new (&c);
    if (a) {
      op_run_submit (a, NULL, NULL, NULL, NULL);
      op_run_submit (b, NULL, NULL, NULL, NULL);
      g_autofree float *expected = op_run_got (a);
      g_autofree float *got = op_run_got (b);
      g_assert_cmpuint (op_run_n_elems (a), ==, op_run_n_elems (b));
      g_assert_cmpmem (got, op_run_n_elems (b) * sizeof *got, expected,
                       op_run_n_elems (a) * sizeof *expected);
    }
    clear_frames (&frames);
  }
}

static YvTensor
tensor_of (const YvCheckpoint *file, const char *name, uint32_t index)
{
  g_autofree char *key = g_strdup_printf ("%s.%u", name, index);
  const YvObject *object = yv_object_get (yv_checkpoint_root (file), key);

  g_assert_nonnull (object);
  return object->tensor;
}

/* Upstream's bytes are [3, h, w], as the destination is read back. */
static void
assert_upstreams_pixels (OpRun *run, const char *name, uint32_t index, const YvTensor *want)
{
  g_autofree float *got = op_run_got (run);
  const uint64_t n_elems = yv_tensor_n_elems (want);
  double sum = 0, largest = 0;

  g_assert_cmpuint (n_elems, ==, op_run_n_elems (run));
  for (uint64_t i = 0; i < n_elems; i++) {
    const double difference = fabs (got[i] / LEVEL - yv_tensor_get (want, i));

    sum += difference;
    largest = fmax (largest, difference);
  }
  g_test_message ("%s.%u: largest difference %.5f / 255, mean %.7f / 255", name, index, largest,
                  sum / (double) n_elems);
  g_assert_cmpfloat (largest, <=, 1);
  g_assert_cmpfloat (sum / (double) n_elems, <, 0.05);
}

static void
compare_with_upstream (const YvCheckpoint *file, uint32_t index, YvLetterboxMode mode)
{
  const char *name = mode == YV_LETTERBOX_AUTO ? "auto" : "fixed";
  const YvTensor frame = tensor_of (file, "frame", index);
  const YvTensor want = tensor_of (file, name, index);
  const YvImage image = {
      .format = YV_FORMAT_RGB,
      .width = (uint32_t) frame.shape[1],
      .height = (uint32_t) frame.shape[0],
      .planes = {frame.data},
      .stride_bytes = {(uint32_t) frame.shape[1] * 3},
  };
  Frames frames = {.images = {image}};

  frames.batch =
      (YvBatch){.n_images = 1, .images = frames.images, .letterboxes = frames.letterboxes};
  g_assert_true (
      yv_letterbox_fit (image.width, image.height, 640, 32, mode, true, &frames.letterboxes[0]));
  g_assert_cmpuint (frames.letterboxes[0].net_h, ==, want.shape[1]);
  g_assert_cmpuint (frames.letterboxes[0].net_w, ==, want.shape[2]);
  const FrameShape shape = {
      .name = name, .net_w = frames.letterboxes[0].net_w, .net_h = frames.letterboxes[0].net_h};
  const OpCase c = new_case (&shape, &frames, 1, YV_DTYPE_F32);
  g_autoptr (OpRun) run = op_run_new (&c);
  if (!run)
    return;
  op_run_submit (run, NULL, NULL, NULL, NULL);
  assert_upstreams_pixels (run, name, index, &want);
}

static void
pictures_become_what_upstream_made_of_them (void)
{
  g_autofree char *path = yv_test_shared_path ("reference/letterbox.safetensors");
  g_autoptr (GError) error = NULL;

  if (!path) {
    g_test_skip ("reference/letterbox.safetensors is not there");
    return;
  }
  g_autoptr (YvCheckpoint) file = yv_checkpoint_open (path, &error);
  g_assert_no_error (error);
  for (uint32_t i = 0; i < 4; i++) {
    compare_with_upstream (file, i, YV_LETTERBOX_AUTO);
    compare_with_upstream (file, i, YV_LETTERBOX_FIXED);
  }
}

static void
bench (void)
{
  static const FrameShape real[] = {
      {"RGB", YV_FORMAT_RGB, 1920, 1080, 640, 384, YV_MATRIX_BT709, false, false},
      {"NV12", YV_FORMAT_NV12, 1920, 1080, 640, 384, YV_MATRIX_BT709, false, true},
      {"I420", YV_FORMAT_I420, 768, 576, 640, 640, YV_MATRIX_BT601, false, false},
      {"YUY2", YV_FORMAT_YUY2, 1920, 1080, 640, 384, YV_MATRIX_BT709, false, true},
      {"P010_10LE", YV_FORMAT_P010_10LE, 1920, 1080, 640, 384, YV_MATRIX_BT709, false, true},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (real); i++) {
    Frames frames = {0};

    add_frame (&frames, &real[i]);
    const OpCase c = new_case (&real[i], &frames, 1, YV_DTYPE_F32);
    op_case_bench (&c, 0, real[i].net_w * real[i].net_h * 16e-9);
    clear_frames (&frames);
  }
}

int
main (int argc, char **argv)
{
  if (op_bench_wanted (argc, argv)) {
    bench ();
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/letterbox/packed/fp32", packed_formats_in_fp32);
  g_test_add_func ("/letterbox/packed/fp16", packed_formats_in_fp16);
  g_test_add_func ("/letterbox/converted", other_formats_are_converted);
  g_test_add_func ("/letterbox/batch", a_batch_of_different_frames);
  g_test_add_func ("/first/fp32", the_first_convolution_reads_frames_in_fp32);
  g_test_add_func ("/first/fp16", the_first_convolution_reads_frames_in_fp16);
  g_test_add_func ("/first/batch", the_first_convolution_reads_batches);
  g_test_add_func ("/first/same-bits", the_first_convolution_sees_what_letterbox_makes);
  g_test_add_func ("/letterbox/upstream", pictures_become_what_upstream_made_of_them);
  return op_run_tests ();
}
