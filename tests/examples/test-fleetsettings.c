/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-fleetsettings.c - what a worker reads: its file, URIs with passwords, notes
 * and cameras from the network, and what those may ask for. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <unistd.h>

#include "engine/error.h"
#include "examples/fleet/note.h"
#include "examples/fleet/settings.h"

#define BROKER "broker: amqp://fleet:geheim@broker.example\n"
#define NOW_S 1795987860.0 /* of notes and cards */
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

/* ---- notes and cards ------------------------------------------------------------------------- */

static void
notes_come_back_as_they_were_sent (void)
{
  const FleetNote notes[] = {
      {.kind = FLEET_NOTE_REMOVE, .name = (char *) "a", .at_s = 1795987800.123456},
      {.kind = FLEET_NOTE_HELLO, .id = (char *) "x"},
      {.kind = FLEET_NOTE_HELLO, .id = (char *) "x", .after = (char *) "w"},
      {.kind = FLEET_NOTE_BYE, .id = (char *) "x"},
      {.kind = FLEET_NOTE_HELD,
       .name = (char *) "a",
       .added_s = 1795987800.654321,
       .id = (char *) "x",
       .session = (char *) "z"},
      {.kind = FLEET_NOTE_FORGET, .name = (char *) "a", .session = (char *) "z", .at_s = -1},
      {.kind = FLEET_NOTE_FORGET, .name = (char *) "a", .at_s = 1795987800.123456},
      {.kind = FLEET_NOTE_HELD,
       .name = (char *) "a",
       .added_s = 1795987800.654321,
       .id = (char *) "x",
       .against = (char *) "y"},
      {.kind = FLEET_NOTE_LIST, .reply_to = (char *) "amq.gen-1"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (notes); i++) {
    g_autofree char *text = fleet_note_text (&notes[i]);
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetNote) note = fleet_note_parse (text, strlen (text), NOW_S, &error);
    g_assert_no_error (error);
    g_assert_cmpint (note->kind, ==, notes[i].kind);
    g_assert_cmpstr (note->name, ==, notes[i].name);
    g_assert_cmpstr (note->id, ==, notes[i].id);
    g_assert_cmpstr (note->against, ==, notes[i].against);
    g_assert_cmpstr (note->reply_to, ==, notes[i].reply_to);
    g_assert_cmpstr (note->after, ==, notes[i].after);
    g_assert_cmpstr (note->session, ==, notes[i].session);
    /* What decides between two messages may not be rounded. */
    g_assert_true (note->at_s == notes[i].at_s);
    g_assert_true (note->added_s == notes[i].added_s);
  }
}

/* A byte that JSON escapes with six. */
static void
a_camera_that_grows_when_it_is_sent_again_is_refused (void)
{
  for (gsize n = 1; n <= 32768; n *= 2) {
    g_autofree char *tags = g_strnfill (n, 0x7f);
    g_autofree char *text = g_strdup_printf ("{\"name\":\"a\",\"tags\":\"%s\"}", tags);
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetCard) card = fleet_card_parse (text, strlen (text), &error);

    if (n >= 16384) {
      g_assert_null (card);
      g_assert_nonnull (strstr (error->message, "when it is sent again"));
      continue;
    }
    g_assert_no_error (error);
    g_autofree char *again = fleet_card_text (card, 1795987800.654321);
    g_assert_cmpuint (strlen (again), <=, FLEET_MAX_BODY_BYTES);
    g_autoptr (FleetCard) back = fleet_card_parse (again, strlen (again), &error);
    g_assert_no_error (error);
    g_assert_true (back->added_s == 1795987800.654321);
    g_assert_cmpstr (back->camera, ==, card->camera);
  }
}

static void
no_message_about_json_shows_a_password (void)
{
  static const char *const texts[] = {
      "{\"name\": \"a\", \"source\": \"rtsp://u:geheim@h/x\" \"yolov7\": {}}",
      "{\"name\": \"a\", \"source\" \"rtsp://u:geheim@h/x\"}",
      "{\"rtsp://u:geheim@h/x\"}",
      "\"rtsp://u:geheim@h/x\"",
      "{\"name\": \"rtsp://u:geheim@h/x\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetCard) card = fleet_card_parse (texts[i], strlen (texts[i]), &error);

    g_test_message ("%s", error ? error->message : "taken");
    g_assert_null (card);
    g_assert_null (strstr (error->message, "geheim"));
  }
}

static void
bad_notes_are_refused (void)
{
  static const struct {
    const char *text, *expected;
  } rows[] = {
      {"", "JSON"},
      {"x", "JSON"},
      {"[]", "not a JSON object"},
      {"7", "not a JSON object"},
      {"{\"note\":\"remove\"", "JSON"},
      {"{}", "'note' is missing"},
      {"{\"note\":7}", "'note' is no string"},
      {"{\"note\":\"stop\"}", "note 'stop' is not known"},
      {"{\"note\":\"remove\",\"at\":1}", "'name' is missing"},
      {"{\"note\":\"remove\",\"name\":\"a\"}", "'at' is missing"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":\"1\"}", "'at' is no number"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":-1}", "'at' is -1"},
      {"{\"note\":\"remove\",\"name\":\"../a\",\"at\":1}", "name '../a' is not allowed"},
      {"{\"note\":\"hello\"}", "'id' is missing"},
      {"{\"note\":\"bye\",\"id\":7}", "'id' is no string"},
      {"{\"note\":\"forget\"}", "'name' is missing"},
      {"{\"note\":\"forget\",\"name\":\"a\",\"at\":null}", "'at' is no number"},
      {"{\"note\":\"forget\",\"name\":\"a\",\"at\":9e10}", "which is to come"},
      {"{\"note\":\"held\",\"name\":\"a\",\"added\":1}", "'id' is missing"},
      {"{\"note\":\"held\",\"name\":\"a\",\"id\":\"x\"}", "'added' is missing"},
      {"{\"note\":\"held\",\"name\":\"a\",\"added\":1,\"id\":\"x\",\"against\":1}",
       "'against' is no"},
      {"{\"note\":\"list\",\"reply-to\":null}", "'reply-to' is no string"},
      {"{\"note\":\"list\",\"reply-to\":\"yolov7.failed\"}",
       "reply-to 'yolov7.failed' is no queue"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":1795987800000}",
       "'at' is 1795987800000, expected seconds since 1970, no milliseconds"},
      {"{\"note\":\"remove\",\"name\":\"a\",\"at\":1795987921}", "which is now 1795987860"},
      {"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "nests more"},
      {"{\"note\":\"hello\",\"id\":\"\xff\"}", "not UTF-8"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetNote) note =
        fleet_note_parse (rows[i].text, strlen (rows[i].text), NOW_S, &error);
    g_autofree char *shown = g_strescape (rows[i].text, NULL); /* one is no text */
    g_test_message ("%s: %s", shown, error ? error->message : "taken");
    g_assert_null (note);
    g_assert_nonnull (strstr (error->message, rows[i].expected));
  }
}

static void
names_are_plain (void)
{
  static const char *const good[] = {"a", "Street_7", "a.b-c", "0"};
  static const char *const bad[] = {"",     ".",     "..",  "-a",    "a/b",         "a b",
                                    "a\nb", "a\\b",  "{a}", "a\x1b", "str\xc3\xa4", "a%2f",
                                    "a;b",  "$(ls)", "a*"};
  g_autofree char *longest = g_strnfill (64, 'a'), *longer = g_strnfill (65, 'a');

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (fleet_is_name (good[i]));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (fleet_is_name (bad[i]));
  g_assert_true (fleet_is_name (longest));
  g_assert_false (fleet_is_name (longer));
}

static void
cards_keep_when_they_were_added (void)
{
  static const char text[] = "{\"source\":\"x\",\"added\":1795987800.123456,\"name\":\"a\"}";
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetCard) card = fleet_card_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  g_assert_null (strstr (card->camera, "added"));
  g_autofree char *again = fleet_card_text (card, card->added_s);
  g_autoptr (FleetCard) other = fleet_card_parse (again, strlen (again), &error);
  g_assert_no_error (error);
  g_assert_true (other->added_s == card->added_s);
  g_assert_cmpstr (other->camera, ==, card->camera);
}

static void
control_characters_are_not_shown (void)
{
  g_autofree char *plain = fleet_plain ("a\x1b[2J\n\xc2\x9b"
                                        "2J \xc2\xa9 \xc3\xa4\x7f");

  g_assert_cmpstr (plain, ==, "a?[2J???2J \xc2\xa9 \xc3\xa4?");
}

static void
bad_cards_are_refused (void)
{
  static const char *const rows[] = {
      "",
      "null",
      "{}",
      "{\"name\":null}",
      "{\"name\":\"a\",\"added\":\"now\"}",
      "{\"name\":\"a\",\"added\":-5}",
      "{\"name\":\"a\",\"added\":1795987800000}",
      "{\"name\":\"a\"} {\"name\":\"b\"}",
      "{\"name\":\"a\\u0000b\"}",
      "{name: a}",
      "{\"name\":\"a\",}",
      "{\"name\":\"a\",\"source\":NaN}",
  };
  g_autofree char *blanks = g_strnfill (FLEET_MAX_BODY_BYTES + 1, ' ');
  g_autoptr (GError) too_long = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (FleetCard) card = fleet_card_parse (rows[i], strlen (rows[i]), &error);
    g_test_message ("%s: %s", rows[i], error ? error->message : "taken");
    g_assert_null (card);
    g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
  }
  g_assert_null (fleet_card_parse (blanks, strlen (blanks), &too_long));
  g_assert_nonnull (strstr (too_long->message, "longer than"));
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
  TEST (notes_come_back_as_they_were_sent);
  TEST (bad_notes_are_refused);
  TEST (names_are_plain);
  TEST (cards_keep_when_they_were_added);
  TEST (control_characters_are_not_shown);
  TEST (bad_cards_are_refused);
  TEST (a_camera_that_grows_when_it_is_sent_again_is_refused);
  TEST (no_message_about_json_shows_a_password);
  TEST (password_of_the_environment_comes_first);
#undef TEST
  const int status = g_test_run ();
  remove_folder ();
  return status;
}
