/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/oracle.c - JSON as labels and detections. */
#include "tests/unit/oracle.h"

#include "tests/common/paths.h"

void
oracle_init (Oracle *oracle)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/eval-oracle.json");
  g_autoptr (GError) error = NULL;

  oracle->parser = json_parser_new ();
  json_parser_load_from_file (oracle->parser, path, &error);
  g_assert_no_error (error);
  oracle->cases = json_node_get_array (json_parser_get_root (oracle->parser));
  g_assert_cmpuint (json_array_get_length (oracle->cases), >=, 4);
}

void
oracle_clear (Oracle *oracle)
{
  g_clear_object (&oracle->parser);
}

static JsonObject *
get_case (const Oracle *oracle, uint32_t index)
{
  return json_array_get_object_element (oracle->cases, index);
}

uint32_t
oracle_n_classes (const Oracle *oracle, uint32_t index)
{
  return (uint32_t) json_object_get_int_member (get_case (oracle, index), "n_classes");
}

static GArray *
read_labels (JsonArray *array)
{
  GArray *labels = g_array_new (FALSE, FALSE, sizeof (EvalLabel));

  for (uint32_t i = 0; i < json_array_get_length (array); i++) {
    JsonObject *object = json_array_get_object_element (array, i);
    JsonArray *box = json_object_get_array_member (object, "box");
    const EvalLabel label = {
        .x = json_array_get_double_element (box, 0),
        .y = json_array_get_double_element (box, 1),
        .w = json_array_get_double_element (box, 2),
        .h = json_array_get_double_element (box, 3),
        .area_px = json_object_get_double_member (object, "area"),
        .class_index = (uint32_t) json_object_get_int_member (object, "class"),
        .is_crowd = json_object_get_boolean_member (object, "crowd"),
    };

    g_array_append_val (labels, label);
  }
  return labels;
}

static GArray *
read_detections (JsonArray *array)
{
  GArray *detections = g_array_new (FALSE, FALSE, sizeof (YvDetection));

  for (uint32_t i = 0; i < json_array_get_length (array); i++) {
    JsonObject *object = json_array_get_object_element (array, i);
    JsonArray *box = json_object_get_array_member (object, "box");
    const YvDetection detection = {
        .x = (float) json_array_get_double_element (box, 0),
        .y = (float) json_array_get_double_element (box, 1),
        .w = (float) json_array_get_double_element (box, 2),
        .h = (float) json_array_get_double_element (box, 3),
        .confidence = (float) json_object_get_double_member (object, "confidence"),
        .class_index = (uint32_t) json_object_get_int_member (object, "class"),
    };

    g_array_append_val (detections, detection);
  }
  return detections;
}

void
oracle_add_images (const Oracle *oracle, uint32_t index,
                   void (*add) (gpointer metric, const EvalImage *image), gpointer metric)
{
  JsonArray *images = json_object_get_array_member (get_case (oracle, index), "images");

  for (uint32_t i = json_array_get_length (images); i > 0; i--) {
    JsonObject *object = json_array_get_object_element (images, i - 1);
    g_autoptr (GArray) labels = read_labels (json_object_get_array_member (object, "labels"));
    g_autoptr (GArray) detections =
        read_detections (json_object_get_array_member (object, "detections"));
    const EvalImage image = {
        .index = i - 1,
        .detections = (const YvDetection *) (void *) detections->data,
        .n_detections = detections->len,
        .labels = (const EvalLabel *) (void *) labels->data,
        .n_labels = labels->len,
    };

    add (metric, &image);
  }
}

double
oracle_figure (const Oracle *oracle, uint32_t index, const char *name, uint32_t i)
{
  return json_array_get_double_element (
      json_object_get_array_member (get_case (oracle, index), name), i);
}
