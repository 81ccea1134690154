/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/hosts.h - no page of another site reads what we serve.
 *
 * Such a site may let its own name point at our address (DNS rebinding); then its scripts, in the
 * browser of somebody who may look, are of the same origin as we. But what they send has that name.
 * So requests for a host that is none of ours are refused with 421. Ours are: each address, because
 * there is no name to turn; localhost; the machine's name, alone and under .local; and those that
 * the user has listed. All answers forbid other sites to take them in.
 *
 * Threads: the server's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef struct _SoupServer SoupServer;
typedef struct _Hosts Hosts;

/* @server: borrowed: it outlives the hosts
 * @names: (element-type utf8): further ones, without ports; borrowed in the same way */
Hosts *hosts_new (SoupServer *server, const GPtrArray *names);
void hosts_free (Hosts *self); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Hosts, hosts_free)

G_END_DECLS
