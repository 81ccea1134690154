/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/head.c - forward rule of the detection heads (spec 2.3, 2.4, 3.1, 3.2). */
#include <math.h>
#include <string.h>

#include "engine/graph/forward.h"
#include "engine/graph/random.h"

/* Without weights, logits vary by about one, and objectness and classes are unlikely, as they are
 * when training begins: so a picture gives some candidates, and not one for each cell. */
#define RANDOM_LOGIT_SCALE 0.5
#define RANDOM_OBJ_BIAS (-3.0)
#define RANDOM_CLASS_BIAS (-1.0)

/* What is read from the module before any level is built. */
typedef struct {
  uint32_t n_levels, n_anchors, n_classes;
  const YvModule *convs, *aux_convs;       /* ModuleLists; aux: (nullable) */
  const YvModule *implicit_a, *implicit_m; /* ModuleLists, or NULL: none, or already folded */
} Head;

static uint32_t
n_outputs (const Head *head)
{
  return head->n_anchors * (5 + head->n_classes);
}

/* True where the implicits are already in the convolutions: the file says so, or every batch-norm
 * is missing from its tensors (spec 2.6). */
static bool
is_fused (const YvBuilder *builder, const YvModule *module)
{
  return yv_module_number (module, "fused", 0, 0) != 0 ||
         (builder->n_missing_batchnorms > 0 && builder->n_batchnorms == 0);
}

static const YvModule *
list_of_levels (YvBuilder *builder, const YvModule *module, const char *name, uint32_t n_levels)
{
  const YvModule *list = yv_module_child (module, name);

  if (list && list->children->len == n_levels)
    return list;
  yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "\"%s\" has %u parts, expected %u", name,
                   list ? list->children->len : 0, n_levels);
  return NULL;
}

static bool
read_head (YvBuilder *builder, const YvModule *module, uint32_t n_in, Head *head)
{
  const bool aux = yv_module_is (module, "IAuxDetect");

  head->n_levels = yv_builder_number (builder, module, "nl", 0, NAN, 1, YV_MAX_LEVELS);
  head->n_anchors = yv_builder_number (builder, module, "na", 0, NAN, 1, YV_MAX_ANCHORS);
  head->n_classes = yv_builder_number (builder, module, "nc", 0, NAN, 1, YV_MAX_CLASSES);
  if (builder->error)
    return false;
  if (n_in != (aux ? 2 : 1) * head->n_levels) {
    yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has %u inputs, expected %u", n_in,
                     (aux ? 2 : 1) * head->n_levels);
    return false;
  }

  head->convs = list_of_levels (builder, module, "m", head->n_levels);
  if (aux)
    head->aux_convs = list_of_levels (builder, module, "m2", head->n_levels);
  if (!yv_module_is (module, "Detect") && !is_fused (builder, module)) {
    head->implicit_a = list_of_levels (builder, module, "ia", head->n_levels);
    head->implicit_m = list_of_levels (builder, module, "im", head->n_levels);
  }
  return builder->error == NULL;
}

/* ---- the convolutions ---- */

static double *
filled (uint32_t n, double value)
{
  double *values = g_new (double, n);

  for (uint32_t i = 0; i < n; i++)
    values[i] = value;
  return values;
}

/* The vector of an implicit; without tensors near @neutral, but never it. */
static double *
implicit_vector (YvBuilder *builder, const YvModule *implicit, uint32_t c, double neutral)
{
  if (builder->model->tensors)
    return yv_builder_vector (builder, implicit, implicit->path, "implicit", c);

  uint64_t state = yv_random_seed (builder->seed, implicit->path);
  double *values = g_new (double, c);
  for (uint32_t i = 0; i < c; i++)
    values[i] = neutral + 0.05 * yv_random_normal (&state);
  return values;
}

static YvNode *
add_implicit_node (YvBuilder *builder, const YvModule *implicit, YvNode *x)
{
  YvNode *node =
      yv_builder_add (builder, implicit, YV_OP_AFFINE, implicit->path, &x, 1, x ? x->c_out : 0, 1);

  if (!node)
    return NULL;
  node->affine.role = YV_AFFINE_IMPLICIT;
  node->affine.n_params = node->c_out;
  return node;
}

/* x + a */
static YvNode *
implicit_add (YvBuilder *builder, const YvModule *implicit, YvNode *x)
{
  YvNode *node = add_implicit_node (builder, implicit, x);

  if (!node)
    return NULL;
  node->affine.scale = filled (node->c_out, 1);
  node->affine.shift = implicit_vector (builder, implicit, node->c_out, 0);
  return node->affine.shift ? node : NULL;
}

/* x * m */
static YvNode *
implicit_mul (YvBuilder *builder, const YvModule *implicit, YvNode *x)
{
  YvNode *node = add_implicit_node (builder, implicit, x);

  if (!node)
    return NULL;
  node->affine.scale = implicit_vector (builder, implicit, node->c_out, 1);
  node->affine.shift = filled (node->c_out, 0);
  return node->affine.scale ? node : NULL;
}

static void
make_up_logits (const Head *head, YvWeight *weight)
{
  g_autofree double *scale = filled (weight->c_out, RANDOM_LOGIT_SCALE);
  g_autofree double *shift = filled (weight->c_out, 0);
  const uint32_t n_fields = 5 + head->n_classes;

  for (uint32_t o = 0; o < weight->c_out; o++)
    if (o % n_fields >= 4)
      shift[o] = o % n_fields == 4 ? RANDOM_OBJ_BIAS : RANDOM_CLASS_BIAS;
  yv_weight_scale (weight, scale, shift);
}

static YvNode *
head_conv (YvBuilder *builder, const Head *head, const YvModule *conv, YvNode *x)
{
  YvNode *node = yv_forward_conv_at (builder, conv, conv->path, true, x);

  if (!node)
    return NULL;
  if (node->c_out != n_outputs (head))
    return yv_builder_fail (builder, conv, YV_ERROR_MALFORMED,
                            "has %u output channels, expected %u anchors * (5 + %u classes) = %u",
                            node->c_out, head->n_anchors, head->n_classes, n_outputs (head));
  if (!builder->model->tensors)
    make_up_logits (head, node->conv.weight);
  return node;
}

/* im * m (ia + x) */
static YvNode *
level_logits (YvBuilder *builder, const Head *head, uint32_t level, YvNode *x)
{
  if (head->implicit_a)
    x = implicit_add (builder, head->implicit_a->children->pdata[level], x);
  x = head_conv (builder, head, head->convs->children->pdata[level], x);
  if (head->implicit_m)
    x = implicit_mul (builder, head->implicit_m->children->pdata[level], x);
  return x;
}

/* ---- anchors and strides ---- */

/* The stride of each level follows from the layers; what the file says must agree. */
static void
set_strides (YvBuilder *builder, const YvModule *module, YvNode *const *in, YvDetectSpec *spec)
{
  for (uint32_t i = 0; i < spec->n_levels; i++) {
    const double stride = yv_builder_stride (builder, in[i]);
    const double stored = yv_module_number (module, "stride", i, stride);
    if (!(stride >= 1 && stride <= 1024 && stride == floor (stride)))
      yv_builder_fail (builder, module, YV_ERROR_UNSUPPORTED,
                       "level %u has stride %g, expected a whole number from 1 to 1024", i, stride);
    else if (stored != stride)
      yv_builder_fail (builder, module, YV_ERROR_MALFORMED,
                       "level %u is stored with stride %g, but its layers make %g", i, stored,
                       stride);
    spec->stride[i] = builder->error ? 1 : (uint32_t) stride;
  }
}

/* Takes all anchors from a list in the order [level][anchor][w, h]. */
static void
set_anchors (YvBuilder *builder, const YvModule *module, const double *values, bool in_cells,
             YvDetectSpec *spec)
{
  for (uint32_t l = 0; l < spec->n_levels; l++)
    for (uint32_t a = 0; a < spec->n_anchors; a++)
      for (uint32_t k = 0; k < 2; k++) {
        const double value = *values++ * (in_cells ? spec->stride[l] : 1);
        if (!(value >= 0 && value <= 1e6))
          yv_builder_fail (builder, module, YV_ERROR_MALFORMED,
                           "anchor %u of level %u is %g pixels, expected 0 to 1e6", a, l, value);
        spec->anchor_px[l][a][k] = (float) value;
      }
}

/* Anchors that only a yaml gives may run against the strides; training then turns their levels
 * around before it stores them (spec 3.2). */
static void
order_anchors (YvDetectSpec *spec)
{
  const uint32_t last = spec->n_levels - 1;
  const float *small = spec->anchor_px[0][0];
  const float *large = spec->anchor_px[last][spec->n_anchors - 1];
  const double areas = (double) large[0] * large[1] - (double) small[0] * small[1];
  const double strides = (double) spec->stride[last] - spec->stride[0];

  if (areas * strides >= 0)
    return;
  for (uint32_t l = 0; l < spec->n_levels / 2; l++) {
    float kept[YV_MAX_ANCHORS][2];
    memcpy (kept, spec->anchor_px[l], sizeof kept);
    memcpy (spec->anchor_px[l], spec->anchor_px[last - l], sizeof kept);
    memcpy (spec->anchor_px[last - l], kept, sizeof kept);
  }
}

static void
find_anchors (YvBuilder *builder, const YvModule *module, YvDetectSpec *spec)
{
  const uint32_t n_values = spec->n_levels * spec->n_anchors * 2;
  const YvAttr *attr = yv_module_attr (module, "anchors");
  const bool grid = yv_builder_has_tensor (builder, module->path, "anchor_grid");

  if (grid || yv_builder_has_tensor (builder, module->path, "anchors")) {
    g_autofree double *values = yv_builder_vector (builder, module, module->path,
                                                   grid ? "anchor_grid" : "anchors", n_values);
    if (values)
      set_anchors (builder, module, values, !grid, spec);
  } else if (attr && attr->n_values == n_values) {
    set_anchors (builder, module, attr->values, false, spec);
    order_anchors (spec);
  } else {
    yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has %u anchor numbers, expected %u",
                     attr ? attr->n_values : 0, n_values);
  }
}

/* ---- the nodes ---- */

static YvNode *
add_decode (YvBuilder *builder, const YvModule *module, const YvDetectSpec *all, uint32_t level,
            YvNode *logits)
{
  g_autofree char *name = g_strdup_printf ("%s.decode.%u", module->path, level);
  YvNode *node =
      yv_builder_add (builder, module, YV_OP_DECODE, name, &logits, 1, 5 + all->n_classes, 1);

  if (!node)
    return NULL;
  node->detect.n_levels = 1;
  node->detect.n_anchors = all->n_anchors;
  node->detect.n_classes = all->n_classes;
  node->detect.stride[0] = all->stride[level];
  memcpy (node->detect.anchor_px[0], all->anchor_px[level], sizeof all->anchor_px[level]);
  return node;
}

/* Levels have different strides, so the node is not made by yv_builder_add(). */
static YvNode *
add_detect (YvBuilder *builder, const YvModule *module, const YvDetectSpec *spec,
            YvNode *const *decoded)
{
  const double stride = 0; /* nobody reads it */
  uint32_t inputs[YV_MAX_LEVELS];

  if (builder->error)
    return NULL;
  for (uint32_t i = 0; i < spec->n_levels; i++)
    inputs[i] = decoded[i]->id;

  YvNode *node = yv_graph_add (builder->graph, YV_OP_DETECT, module->path, builder->row, inputs,
                               spec->n_levels, 5 + spec->n_classes);
  g_array_append_val (builder->strides, stride);
  node->detect = *spec;
  return node;
}

YvNode *
yv_forward_detect (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  Head head = {0};

  if (!read_head (builder, module, n_in, &head))
    return NULL;

  YvDetectSpec spec = {
      .n_levels = head.n_levels,
      .decoded = true,
      .n_anchors = head.n_anchors,
      .n_classes = head.n_classes,
  };
  set_strides (builder, module, in, &spec);
  find_anchors (builder, module, &spec);

  YvNode *decoded[YV_MAX_LEVELS];
  for (uint32_t i = 0; i < head.n_levels; i++)
    decoded[i] = add_decode (builder, module, &spec, i, level_logits (builder, &head, i, in[i]));
  for (uint32_t i = 0; head.aux_convs && i < head.n_levels; i++)
    head_conv (builder, &head, head.aux_convs->children->pdata[i], in[head.n_levels + i]);
  return add_detect (builder, module, &spec, decoded);
}
