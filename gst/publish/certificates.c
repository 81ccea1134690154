/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/certificates.c - the files and passwords of a secured connection. */
#include "gst/publish/certificates.h"

#include <errno.h>
#include <stdio.h>

#include "engine/yolov7.h"

#define CA_FILE "ca-file (ssl_CA_certificate)"
#define CERT_FILE "cert-file (ssl_client_certificate)"
#define KEY_FILE "key-file (ssl_private_key)"

static bool
check_file (const char *name, const char *path, GError **error)
{
  if (!path)
    return true;
  FILE *file = fopen (path, "rbe");
  if (!file) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s \"%s\" can't be read: %s", name, path,
                 g_strerror (errno));
    return false;
  }
  fclose (file);
  return true;
}

static bool
fail (const char *text, GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s", text);
  return false;
}

bool
yv_certificates_check (const YvTransportConfig *config, bool is_tls, GError **error)
{
  if (config->password && !config->username)
    return fail ("there is a password, and no username", error);
  if (config->no_tls && is_tls)
    return fail ("\"TLS\" is false, but the address, a certificate or psk asks for TLS", error);
  if (config->cert_file && !config->key_file)
    return fail (CERT_FILE " is set without " KEY_FILE, error);
  if (config->key_file && !config->cert_file)
    return fail (KEY_FILE " is set without " CERT_FILE, error);
  return check_file (CA_FILE, config->ca_file, error) &&
         check_file (CERT_FILE, config->cert_file, error) &&
         check_file (KEY_FILE, config->key_file, error);
}

bool
yv_certificates_want_tls (const YvTransportConfig *config)
{
  return config->tls || config->ca_file || config->cert_file || config->key_file;
}
