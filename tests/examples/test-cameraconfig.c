/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-cameraconfig.c - examples/common/cameraconfig.c: defaults are merged, and
 * whatever is wrong is told with file and line, but never with a password. */
#include "examples/common/cameraconfig.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "common/json.h"
#include "engine/error.h"

static const char *const own_keys[] = {"path", "bitrate", NULL};

#define MODEL "yolov7: {config-file: model.yaml}"
#define CAMERAS "cameras:\n"
#define ONE "  - name: a\n    source: test:ball\n"
#define WITH_MODEL "    " MODEL "\n"

static char *folder; /* with model.yaml, zones.json and street.avi */

static void
make_folder (void)
{
  static const char *const names[] = {"model.yaml", "zones.json", "street.avi"};

  folder = g_dir_make_tmp ("cameraconfig-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    g_assert_true (g_file_set_contents (path, "", 0, NULL));
  }
}

static GPtrArray *
read_text (const char *text, YvYaml **root, GError **error)
{
  g_autofree char *file = g_build_filename (folder, "c.yaml", NULL);

  *root = config_parse (text, strlen (text), file, error);
  return *root ? camera_configs_new (file, *root, own_keys, error) : NULL;
}

static void
defaults_are_merged_under_each_camera (void)
{
  g_autoptr (YvYaml) root = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all =
      read_text ("defaults:\n"
                 "  bitrate: 900\n"
                 "  yolov7: {config-file: model.yaml, classes: person}\n"
                 "cameras:\n"
                 "  - name: street\n"
                 "    source: street.avi\n"
                 "    yolov7: {classes: dog, leaky: no}\n"
                 "    yolov7tracker: {zones: zones.json}\n"
                 "  - {name: door, source: \"rtsp://u:p@10.0.0.7/x\", bitrate: 100}\n",
                 &root, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (all->len, ==, 2);
  const CameraConfig *street = all->pdata[0], *door = all->pdata[1];
  g_autofree char *model = g_build_filename (folder, "model.yaml", NULL);
  g_autofree char *video = g_build_filename (folder, "street.avi", NULL);
  g_assert_cmpstr (camera_config_get (street, "yolov7", "config-file"), ==, model);
  g_assert_cmpstr (camera_config_get (street, "yolov7", "classes"), ==, "dog");
  g_assert_cmpstr (camera_config_get (street, "yolov7", "leaky"), ==, "no");
  g_assert_cmpstr (street->source, ==, video);
  g_assert_true (camera_config_has (street, "yolov7tracker"));
  g_assert_false (camera_config_has (street, "yolov7publish"));
  g_assert_cmpstr (camera_config_own (street, "bitrate")->text, ==, "900");
  g_assert_cmpstr (camera_config_get (door, "yolov7", "classes"), ==, "person");
  g_assert_cmpstr (camera_config_get (door, "yolov7", "leaky"), ==, "downstream");
  g_assert_cmpstr (camera_config_own (door, "bitrate")->text, ==, "100");
  g_assert_null (camera_config_own (door, "path"));
  g_assert_cmpstr (door->shown_source, ==, "rtsp://10.0.0.7");
}

static void
json_is_yaml (void)
{
  static const char text[] = "{\"name\": \"a\", \"source\": \"test:ball\", \"yolov7\": "
                             "{\"config-file\": \"\\/x\\u0041.yaml\", \"confidence-threshold\": "
                             "0.5, \"multi-label\": true}}";
  g_autoptr (GError) error = NULL;

  g_assert_true (yv_json_check (text, strlen (text), 8, &error));
  g_autoptr (YvYaml) root = config_parse (text, strlen (text), "message", &error);
  g_assert_no_error (error);
  g_autoptr (CameraConfig) config = camera_config_new ("message", root, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (camera_config_get (config, "yolov7", "config-file"), ==, "/xA.yaml");
  g_assert_cmpstr (camera_config_get (config, "yolov7", "multi-label"), ==, "true");
}

static void
all_kinds_of_sources_are_taken (void)
{
  static const char *const sources[] = {
      "rtsp://10.0.0.7/stream",
      "rtsps://camera.example:322/x?y=z",
      "rtspt://[::1]:8554/a",
      "RTSP://host/x",
      "rtsp://user:p%40ss@host",
      "street.avi",
      "v4l2:///dev/video7",
      "test:ball",
      "test:snow,width=320,height=180,framerate=10/1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    g_autofree char *text =
        g_strdup_printf (CAMERAS "  - name: a\n    source: '%s'\n" WITH_MODEL, sources[i]);
    g_autoptr (YvYaml) root = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) all = read_text (text, &root, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (all->len, ==, 1);
    const CameraConfig *config = all->pdata[0];
    g_assert_false (g_str_has_prefix (config->source, "RTSP"));
  }
}

static const struct {
  const char *text;
  int line;
  const char *expected; /* in the message */
} bad[] = {
    {"", 1, "the file is empty"},
    {"just words", 1, "expected a mapping"},
    {"- a\n- b\n", 1, "expected a mapping"},
    {"cameras: [\n", 2, "yaml syntax error"},
    {"cameras:\n\t- name: a\n", 2, "yaml syntax error"},
    {"a: 1\n---\nb: 2\n", 2, "second yaml document"},
    {"cameras: &x []\nother: *x\n", 2, "alias"},
    {"defaults: {}\n", 1, "there are no cameras"},
    {"cameras:\n", 1, "there are no cameras"},
    {"cameras: []\n", 1, "there are no cameras"},
    {"cameras: {name: a}\n", 1, "there are no cameras"},
    {CAMERAS "  - street\n", 2, "a camera is \"street\"; expected a mapping"},
    {CAMERAS "  - source: test:ball\n", 2, "name is missing"},
    {CAMERAS "  - name: [a]\n    source: test:ball\n", 2, "name is a sequence"},
    {CAMERAS "  - name: a/b\n    source: test:ball\n", 2, "name is \"a/b\""},
    {CAMERAS "  - name: ..\n    source: test:ball\n", 2, "name is \"..\""},
    {CAMERAS "  - name: ''\n    source: test:ball\n", 2, "name is \"\""},
    {CAMERAS "  - name: a\n", 2, "no source"},
    {CAMERAS "  - name: a\n    source: ''\n", 3, "no source"},
    {CAMERAS "  - name: a\n    source: {x: y}\n", 3, "no source"},
    {CAMERAS "  - name: a\n    source: http://x/y\n", 3, "scheme \"http\""},
    {CAMERAS "  - name: a\n    source: rtspu://x/y\n", 3, "{protocols: udp}"},
    {CAMERAS "  - name: a\n    source: rtsp://\n", 3, "no address of a camera"},
    {CAMERAS "  - name: a\n    source: rtsp://u:a b@host/x\n", 3, "a blank in a password"},
    {CAMERAS "  - name: a\n    source: rtsp://host:99999/x\n", 3, "no address of a camera"},
    {CAMERAS "  - name: a\n    source: v4l2://video0\n", 3, "no device"},
    {CAMERAS "  - name: a\n    source: 'test:'\n", 3, "test:PATTERN"},
    {CAMERAS "  - name: a\n    source: 'test:ball ! filesink'\n", 3, "test:PATTERN"},
    {CAMERAS "  - name: a\n    source: away.avi\n" WITH_MODEL, 2, "away.avi: can't be opened"},
    {CAMERAS ONE "    surce: x\n", 4, "no key \"surce\""},
    {CAMERAS ONE "    name: b\n", 4, "\"name\" twice, first in line 2"},
    {CAMERAS ONE "    ? [a, b]\n    : c\n", 4, "no key a sequence"},
    {CAMERAS ONE, 2, "has no model"},
    {CAMERAS ONE WITH_MODEL ONE WITH_MODEL, 5, "second camera with the name a, as in line 2"},
    {"defaults: {name: a}\n" CAMERAS ONE, 1, "defaults has no key \"name\""},
    {"defaults: 7\n" CAMERAS ONE, 1, "defaults is \"7\"; expected a mapping"},
    {"defaults: {queue: {}}\n" CAMERAS ONE, 1, "no key \"queue\""},
    {CAMERAS ONE "    yolov7: best.pt\n", 4, "expected a mapping of its properties"},
    {CAMERAS ONE "    yolov7: {model-file: [a]}\n", 4, "is a sequence"},
    {CAMERAS ONE "    yolov7: {clases: person}\n", 4, "no property \"clases\""},
    {CAMERAS ONE "    yolov7: {stats: x}\n", 4, "no property \"stats\" to set"},
    {CAMERAS ONE "    yolov7: {name: x}\n", 4, "no property \"name\" to set"},
    {CAMERAS ONE "    yolov7:\n      leaky: sideways\n", 5, "one of: no, upstream, downstream"},
    {CAMERAS ONE "    yolov7: {confidence-threshold: 1.5}\n", 4, "a number of 0 to 1"},
    {CAMERAS ONE "    yolov7: {confidence-threshold: high}\n", 4, "a number of 0 to 1"},
    {CAMERAS ONE "    yolov7: {max-in-flight: 33}\n", 4, "a whole number of 0 to 32"},
    {CAMERAS ONE "    yolov7: {qos: perhaps}\n", 4, "true or false"},
    {CAMERAS ONE "    yolov7: {leaky: no, leaky: no}\n", 4, "twice"},
    {CAMERAS ONE "    yolov7: {model-file: away.pt}\n", 4, "away.pt: can't be opened"},
    {CAMERAS ONE "    yolov7: {model-file: /}\n", 4, "is a directory"},
    {CAMERAS ONE "    yolov7tracker: {zones: away.json}\n", 4, "away.json: can't be opened"},
    {CAMERAS ONE "    yolov7publish: {method: pigeon}\n", 4, "one of: file"},
    {CAMERAS ONE "    yolov7publish: {ca-file: away.pem}\n", 4, "expected a PEM file"},
    {CAMERAS ONE "    rtspsrc: {location: rtsp://x}\n", 4, "the camera's source says it"},
    {CAMERAS ONE "    rtspsrc: {protocols: pigeon}\n", 4, "rtspsrc.protocols is \"pigeon\""},
};

static void
what_is_wrong_is_told_with_its_line (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (YvYaml) root = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) all = read_text (bad[i].text, &root, &error);
    g_autofree char *place = g_strdup_printf ("/c.yaml:%d: ", bad[i].line);

    g_test_message ("%s", error ? error->message : bad[i].text);
    g_assert_null (all);
    g_assert_nonnull (error);
    g_assert_true (error->domain == YV_ERROR);
    g_assert_nonnull (strstr (error->message, place));
    g_assert_nonnull (strstr (error->message, bad[i].expected));
  }
}

/* Each has "s3cret" in a place where a password may be. */
static const char *const with_secrets[] = {
    CAMERAS "  - name: a\n    source: rtsp://u:s3cret@host:port/x\n",
    CAMERAS "  - name: a\n    source: rtsp://u:s3cret/x@host/x\n",
    CAMERAS "  - name: a\n    source: rtsp://u:s3cret@@/x\n",
    CAMERAS "  - name: a\n    source: http://u:s3cret@host/x\n",
    CAMERAS "  - name: a\n    source: rtsp://u:s3cret@host/x\n",
    CAMERAS "  - name: a\n    source: rtsp://host/x?password=s3cret\n",
    CAMERAS "  - name: a\n    source:rtsp://u:s3cret@host/x\n",
    CAMERAS "  - {name: a, source:rtsp://u:s3cret@host/x}\n",
    CAMERAS "  - rtsp://u:s3cret@host/x\n",
    CAMERAS "  - name: rtsp://u:s3cret@host/x\n",
    CAMERAS "  - name: a\n    source: rtsp:/u:s3cret@host/x\n" WITH_MODEL,
    CAMERAS "  - name: a\n    source: u:s3cret@host/x\n" WITH_MODEL,
    CAMERAS "  - name: a\n    source: file://u:s3cret@host/x\n" WITH_MODEL,
    CAMERAS "  - name: a\n    source: test:u:s3cret@host\n" WITH_MODEL,
    CAMERAS ONE "    yolov7: rtsp://u:s3cret@host/x\n",
    "rtsp://u:s3cret@host/x",
    CAMERAS ONE "    yolov7publish: {password: [s3cret]}\n",
    CAMERAS ONE "    rtspsrc: {user-pw: s3cret}\n",
    CAMERAS ONE "    rtspsrc: {proxy-pw: s3cret}\n",
    CAMERAS ONE "    yolov7: {rtsp://u:s3cret@host/x: 1}\n",
    CAMERAS ONE "    yolov7: {rtsp://u:s3cret@host/x: [1]}\n",
    CAMERAS ONE "    yolov7: {u:s3cret@host: 1, u:s3cret@host: 1}\n",
    CAMERAS ONE "    yolov7: {input-size: rtsp://u:s3cret@host/x}\n",
    CAMERAS ONE "    yolov7: {model-file: rtsp://u:s3cret@host/x}\n",
    CAMERAS ONE "    yolov7publish: {ca-file: u:s3cret@host}\n",
};

static void
no_message_shows_a_password (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (with_secrets); i++) {
    g_autoptr (YvYaml) root = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) all = read_text (with_secrets[i], &root, &error);

    g_test_message ("%s", error ? error->message : "taken");
    g_assert_null (all);
    g_assert_nonnull (error);
    g_assert_null (strstr (error->message, "s3cret"));
  }
}

static void
what_elements_say_is_redacted (void)
{
  static const struct {
    const char *source, *said, *shown;
  } rows[] = {
      {"rtsp://u:s3cret@host/x", "can't open rtsp://u:s3cret@host/x", "can't open rtsp://host"},
      {"rtsp://u:s3cret@host/x", "of \"rtsp://u:s3cret@host:554//x?y\".", "of \"rtsp://host:554"},
      {"rtsp://u:s3cret@host/x", "(\"rtsp://[::1]:554\")", "(\"rtsp://[::1]:554"},
      {"rtsp://u:s3cret@host/x", "RTSP://u:s3cret@host and u:s3cret", "RTSP://host and ******"},
      {"rtsp://u:s3cret@host/x", "xs3crety", "x***y"},
      {"rtsp://u:p@host/x", "rtsp://u:a@b/c@host/x", "rtsp://***"},
      {"rtsp://u:p@host/x", "see https://a.b/c?d=e and file:///c/d",
       "see https://a.b and file:///c/d"},
      {"rtsp://u:a%40b@host", "no a@b and no a%40b", "no *** and no ***"},
      {"rtsp://host/key=s3cret&y", "no /key=s3cret&y there", "no *** there"},
      {"rtsp://host/x?pw=s3cret", "404: rtsp://host//x?pw=s3cret", "404: rtsp://host"},
      {"rtsp://host/x?ch=1&pw=s3%20cret", "no 1, pw s3 cret, s3%20cret", "no 1, pw ***, ***"},
      {"rtsp://o:i@host/x", "Could not: i is no password of o@host",
       "Could not: *** is no password of ***host"},
      {"rtsp://o:i@host/x", "Hello: oi i", "Hello: oi ***"},
      {"rtsp://host/", "a/b", "a/b"},
      {"test:ball", "as it is", "as it is"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf ("{name: a, source: \"%s\"}", rows[i].source);
    g_autoptr (GError) error = NULL;
    g_autoptr (YvYaml) root = config_parse (text, strlen (text), "c", &error);
    g_autoptr (CameraConfig) config = camera_config_new ("c", root, NULL, NULL, &error);
    g_assert_no_error (error);
    g_autofree char *shown = camera_config_redact (config, rows[i].said);
    g_assert_cmpstr (shown, ==, rows[i].shown);
  }
}

static void
passwords_of_publishers_are_redacted (void)
{
  static const char text[] = "{name: a, source: test:ball, yolov7publish: {password: s3cret}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (YvYaml) root = config_parse (text, strlen (text), "c", &error);
  g_autoptr (CameraConfig) config = camera_config_new ("c", root, NULL, NULL, &error);

  g_assert_no_error (error);
  g_autofree char *shown = camera_config_redact (config, "refused s3cret");
  g_assert_cmpstr (shown, ==, "refused ***");
}

static void
files_that_are_none_are_refused (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (config_read ("/nowhere/c.yaml", &error));
  g_assert_nonnull (strstr (error->message, "/nowhere/c.yaml: can't be opened"));
  g_clear_error (&error);
  g_assert_null (config_read (folder, &error));
  g_assert_nonnull (strstr (error->message, "is a directory"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  make_folder ();
  g_test_add_func ("/cameraconfig/defaults", defaults_are_merged_under_each_camera);
  g_test_add_func ("/cameraconfig/json", json_is_yaml);
  g_test_add_func ("/cameraconfig/sources", all_kinds_of_sources_are_taken);
  g_test_add_func ("/cameraconfig/bad", what_is_wrong_is_told_with_its_line);
  g_test_add_func ("/cameraconfig/secrets", no_message_shows_a_password);
  g_test_add_func ("/cameraconfig/redacted", what_elements_say_is_redacted);
  g_test_add_func ("/cameraconfig/passwords", passwords_of_publishers_are_redacted);
  g_test_add_func ("/cameraconfig/files", files_that_are_none_are_refused);
  return g_test_run ();
}
