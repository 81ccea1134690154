/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/certificates.h - the files and passwords of a secured connection, as far as they can
 * be checked without one.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

/**
 * yv_certificates_check:
 *
 * A certificate of the client comes with its key, a password with a user name, and each file that
 * is named can be read. Names in messages are those of the properties, and of
 * gst/publish/config.h.
 *
 * @is_tls: whether the connection will be encrypted, for whatever reason; it is not to be where
 * no_tls says so
 *
 * Returns: false with YV_ERROR_INVALID or YV_ERROR_IO.
 */
bool yv_certificates_check (const YvTransportConfig *config, bool is_tls, GError **error);

/* Whether @config asks for encryption. */
bool yv_certificates_want_tls (const YvTransportConfig *config);

G_END_DECLS
