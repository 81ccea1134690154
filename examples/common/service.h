/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/service.h - what a server asks of the system that it runs on.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * service_raise_files:
 *
 * Raises the soft limit of open file descriptors to the hard one: 1024, which is usual, are used up
 * by 75 RTSP cameras. For main(), before it opens anything.
 *
 * Returns: descriptors that the process may have; each is smaller than that.
 */
guint service_raise_files (void);

/**
 * service_tell_ready:
 *
 * Tells systemd, where it asks (Type=notify), that the service has started, and where it wants to
 * know (WatchdogSec=) from now on that the default main context runs. Elsewhere does nothing.
 */
void service_tell_ready (void);

G_END_DECLS
