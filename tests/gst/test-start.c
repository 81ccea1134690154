/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-start.c - yolov7 from READY to PAUSED and back: models that load, and everything
 * that a user can get wrong, each with a message that names it. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/gst/pipeline.h"

static char *folder; /* of files made here */

static char *
file_new (const char *name, const void *bytes, gsize size)
{
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (folder, name, NULL);

  g_file_set_contents (path, bytes, (gssize) size, &error);
  g_assert_no_error (error);
  return path;
}

static char *
model_path (void)
{
  return yv_test_source_path ("models/pets-tiny.pt");
}

static GstElement *
element_new (const char *property, const char *value)
{
  g_autofree char *model = model_path ();
  GstElement *element = gst_element_factory_make ("yolov7", NULL);

  g_assert_nonnull (element);
  gst_object_ref_sink (element);
  gst_util_set_object_arg (G_OBJECT (element), "model-file", model);
  if (property)
    gst_util_set_object_arg (G_OBJECT (element), property, value);
  return element;
}

static void
assert_starts (GstElement *element)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  const GstStateChangeReturn result = gst_element_set_state (element, GST_STATE_PAUSED);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  g_assert_cmpint (result, ==, GST_STATE_CHANGE_SUCCESS);
  gst_element_set_bus (element, NULL);
}

/* Exactly one message, whose text has @in_text. */
static void
assert_fails (GstElement *element, GQuark domain, int code, const char *in_text)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  gst_element_set_bus (element, bus);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_READY), ==, GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &debug);
  g_test_message ("%s", error->message);
  g_assert_error (error, domain, code);
  if (!strstr (error->message, in_text))
    g_error ("\"%s\" does not say \"%s\"", error->message, in_text);
  g_assert_nonnull (debug);
  g_autoptr (GstMessage) second = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_null (second);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
}

/* ---- what works ----------------------------------------------------------------------------- */

static void
states_cycle (void)
{
  g_autoptr (GstElement) element = element_new ("device", "reference");

  for (int i = 0; i < 5; i++) {
    assert_starts (element);
    gst_element_set_state (element, i % 2 ? GST_STATE_NULL : GST_STATE_READY);
  }
  gst_element_set_state (element, GST_STATE_NULL);
}

static void
states_cycle_on_a_vulkan_device (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstElement) element = element_new (NULL, NULL);

  for (int i = 0; i < 3; i++) {
    assert_starts (element);
    gst_element_set_state (element, GST_STATE_NULL);
  }
}

static void
a_pipeline_plays_and_stops_again_and_again (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autofree char *model = model_path ();
  g_autoptr (GstElement) pipeline = launch_pipeline (
      "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48 ! videoconvert ! "
      "yolov7 model-file=\"%s\" input-size=64 ! yolov7overlay ! fakesink",
      model);

  for (int i = 0; i < 3; i++) {
    play_to_the_end (pipeline);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
}

static void
a_config_file_alone_makes_random_weights_with_a_warning (void)
{
  g_autofree char *config = yv_test_source_path ("cfg/deploy/yolov7-tiny.yaml");
  g_autoptr (GstElement) element = gst_element_factory_make ("yolov7", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_object_ref_sink (element);
  g_object_set (element, "config-file", config, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "device", "reference");
  gst_element_set_bus (element, bus);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_SUCCESS);
  g_autoptr (GstMessage) warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (warning);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
}

static void
a_label_file_renames_the_classes (void)
{
  static const char label[] = "  Fu\xc3\x9fg\xc3\xa4nger\r\n\n";
  g_autofree char *labels = file_new ("one.txt", label, strlen (label));
  g_autoptr (GstElement) element = element_new ("label-file", labels);

  gst_util_set_object_arg (G_OBJECT (element), "device", "reference");
  g_object_set (element, "classes", " fu\xc3\x9fg\xc3\xa4nger ", NULL);
  assert_starts (element);
  gst_element_set_state (element, GST_STATE_NULL);
}

/* ---- what does not -------------------------------------------------------------------------- */

static void
no_model_is_an_error (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("yolov7", NULL);

  gst_object_ref_sink (element);
  assert_fails (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "model-file");
  gst_util_set_object_arg (G_OBJECT (element), "model-file", "");
  assert_fails (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "model-file");
}

static void
a_bad_model_file_is_an_error_that_names_it (void)
{
  g_autofree char *good = model_path ();
  g_autofree char *bytes = NULL;
  gsize size;
  g_file_get_contents (good, &bytes, &size, NULL);
  g_autofree char *missing = g_build_filename (folder, "missing.pt", NULL);
  g_autofree char *empty = file_new ("empty.pt", "", 0);
  g_autofree char *text = file_new ("text.pt", "this is no checkpoint\n", 22);
  g_autofree char *half = file_new ("half.pt", bytes, size / 2);
  g_autofree char *cut = file_new ("cut.pt", bytes, size - 100);
  const struct {
    const char *path;
    GQuark domain;
    int code;
  } rows[] = {
      {missing, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ},
      {folder, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ},
      {empty, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
      {text, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE},
      {half, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
      {cut, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstElement) element = element_new ("model-file", rows[i].path);
    assert_fails (element, rows[i].domain, rows[i].code, rows[i].path);
  }
}

/* Returns: NULL, with the test skipped, where there is no Python. */
static char *
bad_files_new (void)
{
  g_autofree char *script = yv_test_source_path ("tests/cli/make-bad-files.py");
  g_autofree char *model = model_path ();
  g_autofree char *bad = g_build_filename (folder, "bad", NULL);
  const char *argv[] = {"python3", script, model, bad, NULL};
  g_autoptr (GError) error = NULL;
  int status = -1;

  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                     &status, &error)) {
    g_test_skip (error->message);
    return NULL;
  }
  g_spawn_check_wait_status (status, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&bad);
}

static void
each_kind_of_bad_file_is_an_error_that_says_why (void)
{
  g_autofree char *bad = bad_files_new ();
  if (!bad)
    return;
  const struct {
    const char *property, *name, *in_text;
    GQuark domain;
    int code;
  } rows[] = {
#define UNSUPPORTED GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE
#define MALFORMED GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ
#define SETTINGS GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS
      {"model-file", "torchscript.pt", "TorchScript", UNSUPPORTED},
      {"model-file", "os-system.pt", "os.system", MALFORMED},
      {"model-file", "nan.pt", "is nan", MALFORMED},
      {"model-file", "unknown-module.pt", "unsupported module ZZ at row 8", UNSUPPORTED},
      {"model-file", "state.safetensors", "config-file", SETTINGS},
      {"config-file", "syntax.yaml", "syntax.yaml", MALFORMED},
      {"config-file", "not-a-model.yaml", "not-a-model.yaml", MALFORMED},
      {"config-file", "unknown-module.yaml", "FancyConv", UNSUPPORTED},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_build_filename (bad, rows[i].name, NULL);
    g_autoptr (GstElement) element = gst_element_factory_make ("yolov7", NULL);
    gst_object_ref_sink (element);
    g_object_set (element, rows[i].property, path, NULL);
    gst_util_set_object_arg (G_OBJECT (element), "device", "reference");
    g_test_message ("%s", rows[i].name);
    assert_fails (element, rows[i].domain, rows[i].code, rows[i].in_text);
    assert_fails (element, rows[i].domain, rows[i].code, path);
  }
}

static void
an_element_that_failed_starts_once_the_property_is_right (void)
{
  g_autoptr (GstElement) element = element_new ("model-file", "/nowhere/best.pt");
  g_autofree char *model = model_path ();

  gst_util_set_object_arg (G_OBJECT (element), "device", "reference");
  assert_fails (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "/nowhere/best.pt");
  g_object_set (element, "model-file", model, NULL);
  assert_starts (element);
  gst_element_set_state (element, GST_STATE_NULL);
}

static void
a_device_that_is_not_there_is_an_error (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstElement) element = element_new ("device", "Voodoo 2");

  assert_fails (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "Voodoo 2");
}

/* In a process of its own, whose loader finds no driver. */
static void
no_device_at_all_is_an_error_that_says_what_to_install (void)
{
  if (g_test_subprocess ()) {
    g_setenv ("VK_DRIVER_FILES", "/nowhere", TRUE);
    g_setenv ("VK_ICD_FILENAMES", "/nowhere", TRUE); /* of loaders before 1.3.207 */
    g_autoptr (GstElement) element = element_new (NULL, NULL);
    assert_fails (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "mesa-vulkan-drivers");
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

static void
a_wrong_label_file_is_an_error_with_both_numbers (void)
{
  g_autofree char *two = file_new ("two.txt", "a\nb\n", 4);
  g_autofree char *none = file_new ("none.txt", "\n\n", 2);
  g_autofree char *latin1 = file_new ("latin1.txt", "caf\xe9\n", 5);
  g_autofree char *missing = g_build_filename (folder, "missing.txt", NULL);
  const struct {
    const char *path, *in_text;
    int code;
  } rows[] = {
      {two, "2 names, but the model has 1 class", GST_RESOURCE_ERROR_SETTINGS},
      {none, "0 names, but the model has 1 class", GST_RESOURCE_ERROR_SETTINGS},
      {latin1, "byte 3 is not UTF-8", GST_RESOURCE_ERROR_SETTINGS},
      {missing, missing, GST_RESOURCE_ERROR_OPEN_READ},
      {folder, "not a regular file", GST_RESOURCE_ERROR_OPEN_READ},
      {"/dev/zero", "not a regular file", GST_RESOURCE_ERROR_OPEN_READ},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstElement) element = element_new ("label-file", rows[i].path);
    gst_util_set_object_arg (G_OBJECT (element), "device", "reference");
    assert_fails (element, GST_RESOURCE_ERROR, rows[i].code, rows[i].in_text);
  }
}

static void
a_class_that_the_model_lacks_is_an_error (void)
{
  static const char *const wrong[] = {"unicorn", "1", "0,unicorn", "person,-1"};

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GstElement) element = element_new ("classes", wrong[i]);
    gst_util_set_object_arg (G_OBJECT (element), "device", "reference");
    assert_fails (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "person");
  }
}

/* ---- what gst-inspect shows ----------------------------------------------------------------- */

static void
properties_have_the_documented_names_and_defaults (void)
{
  static const struct {
    const char *name, *value;
    gboolean while_playing;
  } rows[] = {
      {"model-file", "NULL", TRUE},
      {"config-file", "NULL", FALSE},
      {"label-file", "NULL", FALSE},
      {"confidence-threshold", "0.25", TRUE},
      {"iou-threshold", "0.449999988", TRUE},
      {"max-detections", "300", TRUE},
      {"classes", "NULL", TRUE},
      {"class-agnostic-nms", "false", TRUE},
      {"input-size", "0", FALSE},
      {"letterbox-mode", "auto", FALSE},
      {"device", "NULL", FALSE},
      {"precision", "auto", FALSE},
      {"fallback-precision", "fp32", FALSE},
      {"model-instance-id", "NULL", FALSE},
      {"max-in-flight", "0", FALSE},
      {"batch-size", "0", FALSE},
      {"batch-timeout", "0", FALSE},
      {"leaky", "no", TRUE},
      {"inference-interval", "1", TRUE},
      {"qos", "false", TRUE},
      {"post-messages", "false", TRUE},
      {"attach-roi-meta", "true", TRUE},
  };
  g_autoptr (GstElement) element = gst_element_factory_make ("yolov7", NULL);

  gst_object_ref_sink (element);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), rows[i].name);
    g_auto (GValue) value = G_VALUE_INIT;

    g_assert_nonnull (spec);
    g_value_init (&value, spec->value_type);
    g_object_get_property (G_OBJECT (element), rows[i].name, &value);
    g_assert_true (g_param_value_defaults (spec, &value));
    g_autofree char *text = gst_value_serialize (&value);
    g_test_message ("%s = %s", rows[i].name, text);
    if (!g_str_has_prefix (rows[i].value, "0."))
      g_assert_cmpstr (text ? text : "NULL", ==, rows[i].value);
    else
      g_assert_cmpfloat_with_epsilon (g_ascii_strtod (text, NULL),
                                      g_ascii_strtod (rows[i].value, NULL), 1e-6);
    g_assert_cmpint ((spec->flags & GST_PARAM_MUTABLE_PLAYING) != 0, ==, rows[i].while_playing);
    g_assert_cmpint ((spec->flags & GST_PARAM_MUTABLE_READY) != 0, ==, !rows[i].while_playing);
    g_assert_nonnull (g_param_spec_get_blurb (spec));
  }
}

static void
no_element_is_chosen_automatically (void)
{
  static const char *const names[] = {"yolov7", "yolov7overlay", "yolov7publish", "yolov7tracker"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (names[i]);
    g_assert_cmpuint (gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory)), ==,
                      GST_RANK_NONE);
  }
}

static void
the_plugin_says_where_it_is_from (void)
{
  g_autoptr (GstPlugin) plugin = gst_registry_find_plugin (gst_registry_get (), "yolov7");

  g_assert_nonnull (plugin);
  g_assert_cmpstr (gst_plugin_get_origin (plugin), ==, "gst-yolov7");
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *inside = g_build_filename (path, name, NULL);
    if (g_file_test (inside, G_FILE_TEST_IS_DIR))
      remove_folder (inside);
    else
      g_unlink (inside);
  }
  g_rmdir (path);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("yolov7-start-XXXXXX", NULL);
  g_assert_nonnull (folder);
  g_test_add_func ("/start/cycle", states_cycle);
  g_test_add_func ("/start/cycle-vulkan", states_cycle_on_a_vulkan_device);
  g_test_add_func ("/start/cycle-pipeline", a_pipeline_plays_and_stops_again_and_again);
  g_test_add_func ("/start/random", a_config_file_alone_makes_random_weights_with_a_warning);
  g_test_add_func ("/start/labels", a_label_file_renames_the_classes);
  g_test_add_func ("/start/no-model", no_model_is_an_error);
  g_test_add_func ("/start/bad-model", a_bad_model_file_is_an_error_that_names_it);
  g_test_add_func ("/start/bad-files", each_kind_of_bad_file_is_an_error_that_says_why);
  g_test_add_func ("/start/reuse", an_element_that_failed_starts_once_the_property_is_right);
  g_test_add_func ("/start/bad-device", a_device_that_is_not_there_is_an_error);
  g_test_add_func ("/start/no-device", no_device_at_all_is_an_error_that_says_what_to_install);
  g_test_add_func ("/start/bad-labels", a_wrong_label_file_is_an_error_with_both_numbers);
  g_test_add_func ("/start/bad-classes", a_class_that_the_model_lacks_is_an_error);
  g_test_add_func ("/start/properties", properties_have_the_documented_names_and_defaults);
  g_test_add_func ("/start/ranks", no_element_is_chosen_automatically);
  g_test_add_func ("/start/origin", the_plugin_says_where_it_is_from);
  const int status = g_test_run ();
  remove_folder (folder);
  g_free (folder);
  return status;
}
