/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-fleetsettings.c - what a worker reads: its file, URIs with passwords, and
 * what cameras from the network may ask for. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <unistd.h>

#include "engine/error.h"
#include "examples/fleet/settings.h"

#define BROKER "broker: amqp://fleet:geheim@broker.example\n"
#define START BROKER "name: w\n"
#define DEFAULTS "defaults: {yolov7: {config-file: model.yaml}}\n"

static char *folder; /* with model.yaml, secret, a folder "open" with zones.json and a link out */

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = in_folder (name);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
make_folder (void)
{
  g_autofree char *made = g_dir_make_tmp ("fleetsettings-XXXXXX", NULL);

  folder = g_canonicalize_filename (made, NULL);
  g_autofree char *open = in_folder ("open"), *link = in_folder ("open/link");
  g_assert_cmpint (g_mkdir (open, 0700), ==, 0);
  write_file ("model.yaml", "");
  write_file ("secret", "from-file\nmore");
  write_file ("open/zones.json", "");
  g_assert_cmpint (symlink ("../secret", link), ==, 0);
}

static void
remove_folder (void)
{
  static const char *const names[] = {"open/link", "open/zones.json", "open",
                                      "secret",    "model.yaml",      ""};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = in_folder (names[i]);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_free (folder);
}

/* "@" in @text is the folder. */
static FleetSettings *
parse (const char *text, GError **error)
{
  g_autofree char *path = in_folder ("w.yaml");
  g_auto (GStrv) parts = g_strsplit (text, "@@", -1);
  g_autofree char *complete = g_strjoinv (folder, parts);

  return fleet_settings_parse (complete, strlen (complete), path, error);
}

static void
everything_has_a_default (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetSettings) settings = parse (START DEFAULTS, &error);

  g_assert_no_error (error);
  g_assert_true (settings->is_measured);
  g_assert_cmpint (settings->metrics_port, ==, -1);
  g_assert_cmpuint (settings->attempts, ==, 5);
  g_assert_cmpfloat (settings->share, ==, 0.8);
  g_assert_cmpstr (settings->address.password, ==, "geheim");
  g_assert_cmpuint (settings->address.port, ==, 5672);
  g_assert_cmpstr (settings->address.vhost, ==, "/");
}

static void
all_keys_are_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetSettings) settings =
      parse ("broker: amqps://u%40x@[::1]:17/v%2Fh\npassword-file: secret\nname: w-1.2\n"
             "capacity: 7\nfps: 10\nshare: 50\nslow-below: 70\nslow-after: 3\nraise-after: 4\n"
             "patience: 5\nattempts: 0\nmetrics-address: \"::\"\nmetrics-port: 0\n"
             "ca-file: secret\ncert-file: secret\nkey-file: secret\n" DEFAULTS,
             &error);

  g_assert_no_error (error);
  g_assert_true (settings->address.is_tls);
  g_assert_cmpstr (settings->address.user, ==, "u@x");
  g_assert_cmpstr (settings->address.host, ==, "::1");
  g_assert_cmpstr (settings->address.vhost, ==, "v/h");
  g_assert_cmpstr (settings->address.password, ==, "from-file");
  g_assert_true (g_str_has_suffix (settings->address.ca_file, "/secret"));
  g_assert_cmpuint (settings->capacity.most, ==, 7);
  g_assert_false (settings->is_measured);
  g_assert_cmpuint (settings->attempts, ==, 0);
}

static void
bad_files_are_refused_with_their_line (void)
{
  static const struct {
    const char *text, *expected;
  } rows[] = {
      {"", "w.yaml"},
      {"- a\n", "w.yaml:1: is a sequence"},
      {"name: w\n", "w.yaml:1: there is no key broker"},
      {"broker: [a]\nname: w\n", "w.yaml:1: broker is no text"},
      {"broker: http://geheim@b\nname: w\n",
       "w.yaml:1: the broker's URI can't be used: it is no amqp"},
      {"broker: geheim\nname: w\n", "w.yaml:1: the broker's URI can't be used: it is no URI"},
      {"broker: amqp://\nname: w\n", "w.yaml:1: the broker's URI can't be used: it names no host"},
      {"broker: amqp://u:geheim@b:0\nname: w\n", "its port is none"},
      {"broker: amqp://u:geheim@b:99999\nname: w\n", "w.yaml:1: the broker's URI can't be used"},
      {"broker: amqp://u:geheim%@b\nname: w\n", "w.yaml:1: the broker's URI can't be used"},
      {"broker: amqp://u:geheim@b?verify=no\nname: w\n", "what follows its '?' is not known"},
      {START "password-file: gone\n", "gone"},
      {START "ca-file: secret\n", "w.yaml:3: ca-file has no effect without TLS"},
      {"broker: amqps://b\nname: w\ncert-file: secret\n", "cert-file and key-file belong together"},
      {BROKER "name: a/b\n", "w.yaml:2: name is \"a/b\""},
      {BROKER "name: -a\n", "w.yaml:2: name is \"-a\""},
      {START "capacity: 0\n", "w.yaml:3: capacity is \"0\""},
      {START "capacity: many\n", "w.yaml:3: capacity is \"many\""},
      {START "capacity: 100000\n", "w.yaml:3: capacity is"},
      {START "fps: 0\n", "w.yaml:3: fps is \"0\""},
      {START "share: 101\n", "w.yaml:3: share is"},
      {START "slow-below: -1\n", "w.yaml:3: slow-below is"},
      {START "patience: 1.5\n", "w.yaml:3: patience is"},
      {START "attempts: [1]\n", "w.yaml:3: attempts is"},
      {START "metrics-port: 65536\n", "w.yaml:3: metrics-port is"},
      {START "colour: red\n", "w.yaml:3: a worker has no key \"colour\""},
      {START "name: again\n", "w.yaml:3: a worker has the key \"name\" twice"},
      {START "allow: all\n", "w.yaml:3: allow is \"all\""},
      {START "allow: {sources: rtsp}\n", "w.yaml:3: sources is \"rtsp\""},
      {START "allow: {sources: [ftp]}\n", "w.yaml:3: a source is \"ftp\""},
      {START "allow: {directories: [open]}\n", "w.yaml:3: there is no directory open"},
      {START "allow: {directories: [/no/where]}\n", "w.yaml:3: there is no directory /no/where"},
      {START "allow: {properties: {yolov7overlay: [x]}}\n", "w.yaml:3: properties has no key"},
      {START "allow: {properties: {yolov7: device}}\n", "w.yaml:3: yolov7 is \"device\""},
      {START "defaults: {yolov7: {colour: red}}\n", "w.yaml:3: yolov7 has no property \"colour\""},
      {START "defaults: {yolov7: {config-file: gone.yaml}}\n", "w.yaml:3: yolov7.config-file"},
      {START "defaults:\n  yolov7: {config-file: model.yaml}\n"
             "  yolov7publish: {drain-timeout: 5000000000}\n",
       "yolov7publish.drain-timeout is 5000000000"},
      {START "defaults: {yolov7tracker: {}}\n", "has no model"},
      {START "defaults: {fakesink: {sync: true}}\n", "w.yaml:3: defaults has no key"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetSettings) settings = parse (rows[i].text, &error);
    g_test_message ("%s", error ? error->message : rows[i].text);
    g_assert_null (settings);
    g_assert_nonnull (error);
    g_assert_true (error->domain == YV_ERROR);
    g_assert_nonnull (strstr (error->message, rows[i].expected));
    g_assert_null (strstr (error->message, "geheim"));
  }
}

/* ---- cameras --------------------------------------------------------------------------------- */

#define OPEN "allow: {sources: [test, rtsp, file], directories: [\"@@/open\"]}\n"

static CameraConfig *
make_camera (const char *allow, const char *camera, GError **error)
{
  g_autofree char *text = g_strconcat (START DEFAULTS, allow, NULL);
  g_autoptr (GError) problem = NULL;
  g_autoptr (FleetSettings) settings = parse (text, &problem);
  g_auto (GStrv) parts = g_strsplit (camera, "@@", -1);
  g_autofree char *complete = g_strjoinv (folder, parts);

  g_assert_no_error (problem);
  return fleet_settings_camera (settings, "a", complete, error);
}

static void
camera_has_defaults_and_its_own (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetSettings) settings =
      parse (START "defaults:\n  yolov7: {config-file: model.yaml}\n"
                   "  yolov7publish: {method: mqtt, address: b, topic: \"{worker}/{name}\"}\n",
             &error);

  g_assert_no_error (error);
  g_autoptr (CameraConfig) config = fleet_settings_camera (
      settings, "door",
      "{\"name\":\"door\",\"source\":\"rtsp://u:geheim@h/x\",\"yolov7\":{\"classes\":\"0\"},"
      "\"yolov7tracker\":{\"zones\":\"{}\"}}",
      &error);
  g_assert_no_error (error);
  g_assert_cmpstr (camera_config_get (config, "yolov7publish", "topic"), ==, "w/door");
  g_assert_cmpstr (camera_config_get (config, "yolov7publish", "source"), ==, "door");
  g_assert_cmpstr (camera_config_get (config, "yolov7", "classes"), ==, "0");
  g_assert_true (g_str_has_prefix (camera_config_get (config, "yolov7", "config-file"), "/"));
  g_assert_nonnull (camera_config_get (config, "yolov7publish", "drain-timeout"));
}

static void
files_in_directories_are_allowed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CameraConfig) config =
      make_camera (OPEN,
                   "{\"name\":\"a\",\"source\":\"@@/open/zones.json\","
                   "\"yolov7tracker\":{\"zones\":\"@@/open/zones.json\"}}",
                   &error);

  g_assert_no_error (error);
  g_assert_nonnull (config);
}

static void
hostile_cameras_are_refused (void)
{
  static const struct {
    const char *allow, *camera, *expected;
  } rows[] = {
      {"", "{\"name\":\"a\"}", "source"},
      {"", "{\"name\":\"a\",\"source\":7}", "source"},
      {"", "{\"name\":\"a\",\"source\":[\"test:ball\"]}", "source"},
      {"", "{\"name\":\"a\",\"source\":\"test:ball\"}", "of the kind \"test\""},
      {"", "{\"name\":\"a\",\"source\":\"/etc/passwd\"}", "of the kind \"file\""},
      {"", "{\"name\":\"a\",\"source\":\"file:///etc/passwd\"}", "of the kind \"file\""},
      {"", "{\"name\":\"a\",\"source\":\"../x\"}", "of the kind \"file\""},
      {"", "{\"name\":\"a\",\"source\":\"rtsp:/../etc/passwd\"}", "of the kind \"file\""},
      {"", "{\"name\":\"a\",\"source\":\"FILE:///etc/passwd\"}", "scheme"},
      {"", "{\"name\":\"a\",\"source\":\"RTSPH://h/x\"}", "of the kind \"rtsph\""},
      {"", "{\"name\":\"a\",\"source\":\"rtspu://h/x\"}", "scheme"},
      {"", "{\"name\":\"a\",\"source\":\"rtsp://u:geheim@h h/x\"}", "no address"},
      {OPEN, "{\"name\":\"a\",\"source\":\"file://@@/open/%2e%2e/secret\"}", "no absolute path"},
      {"", "{\"name\":\"a\",\"source\":\"v4l2:///dev/video0\"}", "of the kind \"v4l2\""},
      {OPEN, "{\"name\":\"a\",\"source\":\"/etc/passwd\"}", "no absolute path"},
      {OPEN, "{\"name\":\"a\",\"source\":\"@@/open/../secret\"}", "no absolute path"},
      {OPEN, "{\"name\":\"a\",\"source\":\"@@/open/link\"}", "no absolute path"},
      {OPEN, "{\"name\":\"a\",\"source\":\"@@/open/gone\"}", "no absolute path"},
      {OPEN, "{\"name\":\"a\",\"source\":\"@@/openly\"}", "no absolute path"},
      {OPEN, "{\"name\":\"a\",\"source\":\"secret\"}", "no absolute path"},
      {OPEN,
       "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7tracker\":{\"zones\":\"@@/secret\"}}",
       "yolov7tracker.zones is"},
      {OPEN, "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7\":{\"model-file\":\"@@/secret\"}}",
       "yolov7.model-file is none of the properties"},
      {OPEN, "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7\":{\"device\":\"0\"}}",
       "yolov7.device is none"},
      {OPEN,
       "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7publish\":{\"file-path\":\"/etc/"
       "passwd\"}}",
       "yolov7publish.file-path is none"},
      {OPEN, "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7publish\":{\"address\":\"evil\"}}",
       "yolov7publish.address is none"},
      {OPEN, "{\"name\":\"a\",\"source\":\"rtsp://h/x\",\"rtspsrc\":{\"location\":\"rtsp://i/\"}}",
       "rtspsrc.location is none"},
      {OPEN, "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7overlay\":{}}", "has no key"},
      {OPEN, "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7\":[]}", "yolov7 is a sequence"},
      {OPEN, "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7\":{\"classes\":{}}}",
       "yolov7.classes is a mapping"},
      {OPEN, "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7\":{\"iou-threshold\":7}}",
       "yolov7.iou-threshold is \"7\""},
      {OPEN "", "{\"name\":\"a\",\"source\":\"http://h/x\"}", "scheme"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (CameraConfig) config = make_camera (rows[i].allow, rows[i].camera, &error);
    g_test_message ("%s: %s", rows[i].camera, error ? error->message : "taken");
    g_assert_null (config);
    g_assert_nonnull (strstr (error->message, rows[i].expected));
    g_assert_null (strstr (error->message, "geheim"));
  }
}

static void
model_may_be_allowed_in_a_directory (void)
{
  static const char allow[] = "allow: {sources: [test], directories: [\"@@/open\"],"
                              " properties: {yolov7: [model-file]}}\n";
  g_autoptr (GError) error = NULL, refused = NULL;
  g_autoptr (CameraConfig) config =
      make_camera (allow,
                   "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7\":{\"model-file\":\"@@/open/"
                   "zones.json\"}}",
                   &error);
  g_autoptr (CameraConfig) other = make_camera (
      allow,
      "{\"name\":\"a\",\"source\":\"test:ball\",\"yolov7\":{\"model-file\":\"/etc/passwd\"}}",
      &refused);

  g_assert_no_error (error);
  g_assert_nonnull (config);
  g_assert_null (other);
  g_assert_nonnull (strstr (refused->message, "no absolute path"));
}

static void
password_of_the_environment_comes_first (void)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("YV_FLEET_PASSWORD", "from-environment", TRUE);
  g_autoptr (FleetSettings) settings = parse (START "password-file: secret\n" DEFAULTS, &error);
  g_unsetenv ("YV_FLEET_PASSWORD");
  g_assert_no_error (error);
  g_assert_cmpstr (settings->address.password, ==, "from-environment");
  g_assert_null (strstr (settings->address.shown, "geheim"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_unsetenv ("YV_FLEET_PASSWORD");
  make_folder ();
#define TEST(name) g_test_add_func ("/fleet/" #name, name)
  TEST (everything_has_a_default);
  TEST (all_keys_are_read);
  TEST (bad_files_are_refused_with_their_line);
  TEST (camera_has_defaults_and_its_own);
  TEST (files_in_directories_are_allowed);
  TEST (hostile_cameras_are_refused);
  TEST (model_may_be_allowed_in_a_directory);
  TEST (password_of_the_environment_comes_first);
#undef TEST
  const int status = g_test_run ();
  remove_folder ();
  return status;
}
