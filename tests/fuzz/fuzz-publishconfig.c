/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-publishconfig.c - any bytes as the JSON file of a broker, and as tags: refused
 * with an error, or strings that make sense. */
#include <glib.h>
#include <string.h>

#include "engine/error.h"
#include "gst/publish/config.h"
#include "tests/fuzz/fuzz.h"

static void
check_config (const YvPublishConfig *config)
{
  const YvTransportConfig t = yv_publish_config_transport (config);

  g_assert_cmpint (config->max_attempts, >=, -1);
  g_assert_cmpuint (config->max_wait_s, <=, 300);
  for (guint i = 0; t.settings && t.settings[i]; i += 2)
    g_assert_nonnull (t.settings[i + 1]);
}

static void
check_tags (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *tags = yv_publish_tags (text, &error);

  g_assert_true ((tags == NULL) == (error != NULL));
  g_assert_true (!tags || (tags[0] == '{' && !strchr (tags, '\n')));
  g_autofree char *again = tags ? yv_publish_tags (tags, NULL) : NULL;
  g_assert_cmpstr (again, ==, tags);
  g_assert_true (!error || g_utf8_validate (error->message, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_auto (YvPublishConfig) config = {0};
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strndup ((const char *) bytes, size_bytes);

  const bool is_taken =
      yv_publish_config_parse (&config, (const char *) bytes, size_bytes, "fuzz", &error);
  g_assert_true (is_taken == (error == NULL));
  if (is_taken)
    check_config (&config);
  else
    g_assert_true (error->domain == YV_ERROR && g_utf8_validate (error->message, -1, NULL));
  check_tags (text);
  return 0;
}
