/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/users.h - who may look: names and passwords, out of a file or the
 * environment. No message shows a password.
 */
#pragma once

#include "examples/rtsp-server/serverconfig.h"

G_BEGIN_DECLS

/* Returns: (transfer full) (element-type User) */
GPtrArray *users_new (void);

/* name:password a line; empty lines and those that begin with # are left out. Returns: false with
 * an error, "PATH:LINE: ...", where there is no such line, or a name is there twice. */
bool users_read (const char *path, GPtrArray *users, GError **error);

/* YV_RTSP_USERNAME and YV_RTSP_PASSWORD; nobody where neither is set. Returns: false where only
 * one is. */
bool users_from_environment (GPtrArray *users, GError **error);

G_END_DECLS
