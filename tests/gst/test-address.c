/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-address.c - gst/publish/address.h: where a broker listens, as users write it. */
#include "gst/publish/address.h"

#include <string.h>

#include "engine/yolov7.h"
#include "tests/gst/namesake.h"

static void
addresses_are_understood (void)
{
  static const struct {
    const char *text;
    bool tls;
    const char *host;
    uint16_t port;
    bool is_tls;
  } rows[] = {
      {"localhost", false, "localhost", 1883, false},
      {"localhost", true, "localhost", 8883, true},
      {"localhost:1", false, "localhost", 1, false},
      {"localhost:65535", true, "localhost", 65535, true},
      {"tcp://localhost:1883", false, "localhost", 1883, false},
      {"mqtt://10.0.0.1", false, "10.0.0.1", 1883, false},
      {"ssl://broker.example", false, "broker.example", 8883, true},
      {"tls://broker.example:1883", false, "broker.example", 1883, true},
      {"MQTTS://broker.example", false, "broker.example", 8883, true},
      {"tcp://broker.example", true, "broker.example", 8883, true},
      {"[::1]", false, "::1", 1883, false},
      {"[::1]:99", false, "::1", 99, false},
      {"ssl://[fe80::1%eth0]:99", false, "fe80::1%eth0", 99, true},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    YvAddress address = {0};
    g_test_message ("%s", rows[i].text);
    g_assert_true (yv_address_parse (rows[i].text, rows[i].tls, &address, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (address.host, ==, rows[i].host);
    g_assert_cmpuint (address.port, ==, rows[i].port);
    g_assert_true (address.is_tls == rows[i].is_tls);
    yv_address_clear (&address);
  }
}

static void
others_are_refused (void)
{
  static const struct {
    const char *text, *says;
  } rows[] = {
      {NULL, "there is none"},
      {"", "there is none"},
      {"tcp://", "no name of a host"},
      {"://host", "none of tcp"},
      {"http://host", "none of tcp"},
      {"tcpx://host", "none of tcp"},
      {"tcp://tcp://host", "no port"},
      {":1883", "no name of a host"},
      {"host:", "no port"},
      {"host:0", "no port"},
      {"host:65536", "no port"},
      {"host:-1", "no port"},
      {"host:+1", "no port"},
      {"host: 1", "no port"},
      {"host:1e3", "no port"},
      {"host:1883/path", "no port"},
      {"host/path", "no name of a host"},
      {"a host", "no name of a host"},
      {"a,b", "no name of a host"},
      {"h\xc3\xb6st", "no name of a host"},
      {"host:1:2", "in brackets"},
      {"::1", "in brackets"},
      {"[::1", "not closed"},
      {"[]", "no name of a host"},
      {"[::1]1883", "no port"},
      {"ann:secret@host", "properties of their own"},
      {"tcp://ann:se@cret@host", "properties of their own"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    YvAddress address = {.port = 7};
    g_assert_false (yv_address_parse (rows[i].text, false, &address, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, rows[i].says));
    g_assert_null (strstr (error->message, "secret"));
    g_assert_null (strstr (error->message, "se@cret"));
    g_assert_cmpuint (address.port, ==, 7);
    g_assert_null (address.host);
  }
}

static void
a_name_that_is_too_long (void)
{
  g_autofree char *long_name = g_strnfill (256, 'a');
  g_autoptr (GError) error = NULL;
  YvAddress address = {0};

  g_assert_false (yv_address_parse (long_name, false, &address, &error));
  g_assert_cmpuint (strlen (error->message), <, 200);
}

static void
hosts_have_routes (void)
{
  static const struct {
    const char *host;
    bool is_tls;
    YvRoute routes[2];
  } rows[] = {
      {"127.0.0.1", false, {{"127.0.0.1", NULL}}},
      {"::1", false, {{"::1", NULL}}},
      {NAMESAKE_TWICE, false, {{"127.0.0.2", NULL}, {"127.0.0.1", NULL}}},
      {NAMESAKE_BOTH_KINDS, false, {{"::1", NULL}, {"127.0.0.1", NULL}}},
      {NAMESAKE_TWICE, true, {{NAMESAKE_TWICE, "0.0.0.0"}}},
      {NAMESAKE_BOTH_KINDS, true, {{NAMESAKE_BOTH_KINDS, "::"}, {NAMESAKE_BOTH_KINDS, "0.0.0.0"}}},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    const YvAddress address = {(char *) rows[i].host, 1, rows[i].is_tls};
    g_autoptr (GArray) routes = yv_address_resolve (&address, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (routes->len, ==, rows[i].routes[1].host[0] ? 2 : 1);
    for (guint j = 0; j < routes->len; j++) {
      const YvRoute *route = &g_array_index (routes, YvRoute, j);
      g_assert_cmpstr (route->host, ==, rows[i].routes[j].host);
      g_assert_cmpstr (route->local, ==, rows[i].routes[j].local);
    }
  }
}

static void
a_host_that_is_not_there_has_none (void)
{
  static const char *const hosts[] = {"no-such-host.invalid", "::1::", "1.2.3.4.5"};

  for (size_t i = 0; i < G_N_ELEMENTS (hosts); i++) {
    const YvAddress address = {(char *) hosts[i], 1, i == 0};
    g_autoptr (GError) error = NULL;
    g_assert_null (yv_address_resolve (&address, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  }
}

int
main (int argc, char **argv)
{
  namesake_init ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address/good", addresses_are_understood);
  g_test_add_func ("/address/bad", others_are_refused);
  g_test_add_func ("/address/long", a_name_that_is_too_long);
  g_test_add_func ("/address/routes", hosts_have_routes);
  g_test_add_func ("/address/no-routes", a_host_that_is_not_there_has_none);
  return g_test_run ();
}
