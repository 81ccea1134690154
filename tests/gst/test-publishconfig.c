/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publishconfig.c - what a user asks of a publisher: taken, or refused by name. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/error.h"
#include "gst/publish/config.h"

static bool
parse (YvPublishConfig *config, const char *text, GError **error)
{
  return yv_publish_config_parse (config, text, strlen (text), "broker.json", error);
}

static void
a_file_of_dl_streamer_is_taken (void)
{
  g_auto (YvPublishConfig) config = {.topic = g_strdup ("old"), .client_id = g_strdup ("mine")};
  g_autoptr (GError) error = NULL;

  parse (&config,
         "{\"address\": \"broker:8883\", \"client-id\": null, \"topic\": \"cameras\","
         "\"max-connect-attempts\": -1, \"max-reconnect-interval\": 7, \"TLS\": true,"
         "\"ssl_verify\": 1, \"ssl_enable_server_cert_auth\": 1, \"ssl_CA_certificate\": \"ca\","
         "\"ssl_client_certificate\": \"cert\", \"ssl_private_key\": \"key\","
         "\"disable-proxy\": true, \"username\": \"me\", \"password\": \"secret\"}",
         &error);
  g_assert_no_error (error);
  const YvTransportConfig t = yv_publish_config_transport (&config);
  g_assert_cmpstr (t.address, ==, "broker:8883");
  g_assert_cmpstr (t.client_id, ==, "mine"); /* null says nothing */
  g_assert_cmpstr (t.topic, ==, "cameras");
  g_assert_cmpint (config.max_attempts, ==, -1);
  g_assert_cmpuint (config.max_wait_s, ==, 7);
  g_assert_true (t.tls);
  g_assert_false (t.tls_insecure);
  g_assert_cmpstr (t.ca_file, ==, "ca");
  g_assert_cmpstr (t.cert_file, ==, "cert");
  g_assert_cmpstr (t.key_file, ==, "key");
  g_assert_cmpstr (t.username, ==, "me");
  g_assert_cmpstr (t.password, ==, "secret");
  g_assert_null (t.settings);
}

static void
other_members_are_settings_of_the_transport (void)
{
  g_auto (YvPublishConfig) config = {0}, copy = {0};
  g_autoptr (GError) error = NULL;
  const char *const expected[] = {"qos", "1", "linger.ms", "0.5", "enable", "false", "id", "x"};

  parse (&config, "{\"qos\": 1, \"linger.ms\": 0.5, \"enable\": false, \"id\": \"x\"}", &error);
  g_assert_no_error (error);
  yv_publish_config_copy (&config, &copy);
  for (int i = 0; i < 2; i++) {
    const YvTransportConfig t = yv_publish_config_transport (i == 0 ? &config : &copy);
    for (guint k = 0; k < G_N_ELEMENTS (expected); k++)
      g_assert_cmpstr (t.settings[k], ==, expected[k]);
    g_assert_null (t.settings[G_N_ELEMENTS (expected)]);
  }
}

static void
verification_is_given_up_only_where_it_is_said (void)
{
  static const struct {
    const char *text;
    bool insecure;
  } rows[] = {
      {"{\"TLS\": true}", false},
      {"{\"TLS\": true, \"ssl_verify\": 0}", true},
      {"{\"TLS\": true, \"ssl_enable_server_cert_auth\": 0}", true},
      {"{\"TLS\": true, \"ssl_verify\": 0, \"ssl_enable_server_cert_auth\": 0}", true},
      {"{\"TLS\": true, \"ssl_verify\": 1}", false},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (YvPublishConfig) config = {0};
    g_assert_true (parse (&config, rows[i].text, NULL));
    g_assert_cmpint (config.tls_insecure, ==, rows[i].insecure);
  }
}

/* No verification is not yet a wish for TLS, and "TLS": false is one for none. */
static void
tls_is_what_is_said (void)
{
  static const struct {
    const char *text;
    bool tls, no_tls;
  } rows[] = {
      {"{}", false, false},
      {"{\"ssl_verify\": 0}", false, false},
      {"{\"TLS\": false}", false, true},
      {"{\"TLS\": false, \"ssl_verify\": 0}", false, true},
      {"{\"TLS\": true}", true, false},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (YvPublishConfig) config = {0};
    g_assert_true (parse (&config, rows[i].text, NULL));
    const YvTransportConfig t = yv_publish_config_transport (&config);
    g_assert_cmpint (t.tls, ==, rows[i].tls);
    g_assert_cmpint (t.no_tls, ==, rows[i].no_tls);
  }
}

static void
what_is_wrong_is_named (void)
{
  static const struct {
    const char *text, *expected;
  } rows[] = {
      {"", "broker.json: expected a JSON object"},
      {"[]", "broker.json: expected a JSON object"},
      {"7", "broker.json: expected a JSON object"},
      {"{\"topic\": \"a\"", "broker.json: line 1"},
      {"{\n\"topic\" \"a\"}", "broker.json: line 2"},
      {"{\"topic\": 7}", "broker.json: \"topic\": expected a string or null"},
      {"{\"topic\": []}", "broker.json: \"topic\": expected a string or null"},
      {"{\"password\": true}", "broker.json: \"password\": expected a string or null"},
      {"{\"TLS\": 1}", "broker.json: \"TLS\": expected true or false"},
      {"{\"TLS\": \"yes\"}", "broker.json: \"TLS\": expected true or false"},
      {"{\"disable-proxy\": null}", "broker.json: \"disable-proxy\": expected true or false"},
      {"{\"ssl_verify\": 2}", "broker.json: \"ssl_verify\": expected a whole number from 0 to 1"},
      {"{\"ssl_verify\": true}", "broker.json: \"ssl_verify\": expected a whole number"},
      {"{\"ssl_verify\": 0, \"ssl_enable_server_cert_auth\": 1}", "checked with the name in it"},
      {"{\"ssl_verify\": 1, \"ssl_enable_server_cert_auth\": 0}", "checked with the name in it"},
      {"{\"max-connect-attempts\": -2}", "expected a whole number from -1 to 2147483647"},
      {"{\"max-connect-attempts\": 1e9}", "expected a whole number from -1 to 2147483647"},
      {"{\"max-reconnect-interval\": 0}", "expected a whole number from 1 to 300"},
      {"{\"max-reconnect-interval\": 301}", "expected a whole number from 1 to 300"},
      {"{\"qos\": {}}", "broker.json: \"qos\": expected a string, a number or a boolean"},
      {"{\"qos\": [1]}", "broker.json: \"qos\": expected a string, a number or a boolean"},
      {"{\"qos\": null}", "broker.json: \"qos\": expected a string, a number or a boolean"},
      {"{'topic': 'a'}", "broker.json: "},
      {"{/* */\"topic\": \"a\"}", "broker.json: "},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (YvPublishConfig) config = {0};
    g_autoptr (GError) error = NULL;
    g_assert_false (parse (&config, rows[i].text, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
    if (!strstr (error->message, rows[i].expected))
      g_error ("%s: \"%s\" does not say \"%s\"", rows[i].text, error->message, rows[i].expected);
  }
}

/* Also not the one in front of a mistake. */
static void
no_error_tells_a_password (void)
{
  static const char *const texts[] = {"{\"password\": \"s3cret\" \"x\": 1}",
                                      "{\"password\": \"s3cret\", \"TLS\": 7}",
                                      "{\"password\": [\"s3cret\"]}", "{\"password\": s3cret}",
                                      "{\"sasl.password\": {\"s3cret\": 1}}"};

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_auto (YvPublishConfig) config = {0};
    g_autoptr (GError) error = NULL;
    g_assert_false (parse (&config, texts[i], &error));
    g_assert_null (strstr (error->message, "s3cret"));
  }
}

static void
hostile_texts_are_refused (void)
{
  g_auto (YvPublishConfig) config = {0};
  g_autoptr (GError) deep_error = NULL, long_error = NULL, many_error = NULL;
  g_autofree char *deep = g_strnfill (10000, '[');
  g_autofree char *large = g_strnfill (65537, ' ');
  g_autoptr (GString) many = g_string_new ("{");

  g_assert_false (parse (&config, deep, &deep_error));
  g_assert_nonnull (strstr (deep_error->message, "nests more than"));
  g_assert_false (parse (&config, large, &long_error));
  g_assert_nonnull (strstr (long_error->message, "has 65537 bytes, expected at most 65536"));
  for (int i = 0; i < 1000; i++)
    g_string_append_printf (many, "%s\"m%d\":1", i > 0 ? "," : "", i);
  g_string_append_c (many, '}');
  g_assert_false (parse (&config, many->str, &many_error));
  g_assert_nonnull (strstr (many_error->message, "not so many settings"));
}

static void
files_that_cannot_be_read_are_named (void)
{
  g_auto (YvPublishConfig) config = {0};
  g_autoptr (GError) missing = NULL, folder = NULL, large = NULL;
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "yv-publishconfig-XXXXXX", NULL);
  g_autofree char *text = g_strnfill (70000, ' ');

  g_assert_false (yv_publish_config_read (&config, "/no/such/file", &missing));
  g_assert_error (missing, YV_ERROR, YV_ERROR_IO);
  g_assert_true (g_str_has_prefix (missing->message, "/no/such/file: "));
  g_assert_false (yv_publish_config_read (&config, "/", &folder));
  g_assert_nonnull (strstr (folder->message, "directory"));

  close (g_mkstemp (path));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_false (yv_publish_config_read (&config, path, &large));
  g_assert_nonnull (strstr (large->message, "70000 bytes"));
  g_assert_true (g_file_set_contents (path, "{\"topic\":\"a\"}", -1, NULL));
  g_assert_true (yv_publish_config_read (&config, path, NULL));
  g_assert_cmpstr (config.topic, ==, "a");
  g_remove (path);
}

static void
the_environment_counts_where_nothing_else_says_who (void)
{
  g_auto (YvPublishConfig) none = {0}, some = {.username = g_strdup ("me")},
                           rest = {.password = g_strdup ("mine")};

  g_setenv ("YV_PUBLISH_USERNAME", "env", TRUE);
  g_setenv ("YV_PUBLISH_PASSWORD", "secret", TRUE);
  yv_publish_config_take_environment (&none);
  yv_publish_config_take_environment (&some);
  yv_publish_config_take_environment (&rest);
  g_assert_cmpstr (none.username, ==, "env");
  g_assert_cmpstr (none.password, ==, "secret");
  g_assert_cmpstr (some.username, ==, "me");
  g_assert_cmpstr (some.password, ==, "secret");
  g_assert_cmpstr (rest.username, ==, "env");
  g_assert_cmpstr (rest.password, ==, "mine");
  g_unsetenv ("YV_PUBLISH_USERNAME");
  g_unsetenv ("YV_PUBLISH_PASSWORD");
}

static void
tags_become_one_line (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *tags =
      yv_publish_tags ("{\n \"site\": \"north\",\n \"n\": [1, 2.5, null]\n}", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (tags, ==, "{\"site\":\"north\",\"n\":[1,2.5,null]}");
}

/* What json-glib would read, and write as something else, or as no JSON. */
static void
tags_stay_what_they_are (void)
{
  static const char *const texts[] = {
      "{\"a\":9223372036854775807,\"b\":-9223372036854775808}",
      "{\"a\":1e22,\"b\":1E-7,\"c\":-0.5e+3,\"d\":0}",
      "{\"a b\":\" \\\" \\\\ x\",\"b\":[true,false,null,{}]}",
      "{\"a\":\"\\u00e4\\ud83d\\ude00\\n\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *tags = yv_publish_tags (texts[i], &error);
    g_assert_no_error (error);
    g_assert_cmpstr (tags, ==, texts[i]);
  }
}

static void
tags_that_json_glib_would_take_are_refused (void)
{
  static const struct {
    const char *text, *expected;
  } rows[] = {
      {"{\"a\":1e999}", "tags: has a number that is too large at byte 5"},
      {"{\"a\":-1e999}", "has a number that is too large"},
      {"{\"a\":9223372036854775808}", "has a number that is too large"},
      {"{\"a\":18446744073709551615}", "has a number that is too large"},
      {"{\"a\":01}", "has no number of JSON"},
      {"{\"a\":0x10}", "has no number of JSON"},
      {"{\"a\":+1}", "has no number of JSON"},
      {"{\"a\":-}", "has no number of JSON"},
      {"{\"a\":.5}", "has no number of JSON"},
      {"{\"a\":5.}", "has no number of JSON"},
      {"{\"a\":1e}", "has no number of JSON"},
      {"{\"a\":1.2.3}", "has no number of JSON"},
      {"{\"a\":inf}", "has a word that JSON has not"},
      {"{\"a\":NaN}", "has a word that JSON has not"},
      {"{\"a\":True}", "has a word that JSON has not"},
      {"var a = {\"a\":1}", "has a word that JSON has not"},
      {"{\"a\":\"x\\u0000y\"}", "has a broken escape"},
      {"{\"a\":\"\\q\"}", "has a broken escape"},
      {"{\"a\":\"x\ny\"}", "has a control character in a text"},
      {"{\"a\":1,}", "is no JSON"},
      {"{\"a\":[1,]}", "is no JSON"},
      {"{\"a\":[1 2]}", "is no JSON"},
      {"{\"a\":[,1]}", "is no JSON"},
      {"{\"a\":[1}]", "is no JSON"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *tags = yv_publish_tags (rows[i].text, &error);
    if (tags)
      g_error ("%s became %s", rows[i].text, tags);
    if (!strstr (error->message, rows[i].expected))
      g_error ("%s: \"%s\" does not say \"%s\"", rows[i].text, error->message, rows[i].expected);
  }
}

static void
tags_that_are_no_object_are_refused (void)
{
  static const char *const texts[] = {"",  "north",           "[1]", "{", "{a:1}", "\"", "null",
                                      "7", "{\"a\":\"\377\"}"};

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *tags = yv_publish_tags (texts[i], &error);
    if (tags)
      g_error ("\"%s\" became %s", texts[i], tags);
    g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
    g_assert_true (g_str_has_prefix (error->message, "tags: "));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/publishconfig/" #name, name)
  TEST (a_file_of_dl_streamer_is_taken);
  TEST (other_members_are_settings_of_the_transport);
  TEST (verification_is_given_up_only_where_it_is_said);
  TEST (tls_is_what_is_said);
  TEST (what_is_wrong_is_named);
  TEST (no_error_tells_a_password);
  TEST (hostile_texts_are_refused);
  TEST (files_that_cannot_be_read_are_named);
  TEST (the_environment_counts_where_nothing_else_says_who);
  TEST (tags_become_one_line);
  TEST (tags_stay_what_they_are);
  TEST (tags_that_json_glib_would_take_are_refused);
  TEST (tags_that_are_no_object_are_refused);
#undef TEST
  return g_test_run ();
}
