/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/site.h - what is behind which address.
 *
 *   /                           the page, and its parts (examples/web/page/)
 *   /cameras                    JSON: what is known of every camera
 *   /cameras/NAME/live.m3u8     the playlist; 503 with Retry-After where no video begins for 6 s,
 *                               or at once with the reason where one is known
 *   /cameras/NAME/PIECE         what the playlist lists
 *   /events?camera=NAME         server-sent events: "cameras", the JSON of /cameras, when a state
 *                               changes and every 2 s; "record", each record of that camera
 *   /metrics                    for Prometheus
 *
 * All else is 404, whatever is in the path: names are looked up among those that we gave, no file
 * is opened. What is asked of another host is 421. Threads: the one whose main context was the
 * default when it was made.
 */
#pragma once

#include "examples/common/http.h"
#include "examples/web/channel.h"
#include "examples/web/events.h"

G_BEGIN_DECLS

typedef struct _Site Site;

typedef struct {
  guint connections, viewers; /* at a time */
} SiteLimits;

/* @http: borrowed: it outlives the site
 * @run: of this process
 * @channels: (element-type Channel): borrowed, as they are now and as they will be
 * @hosts: (element-type utf8): borrowed: see examples/web/hosts.h */
Site *site_new (Http *http, const char *run, GPtrArray *channels, const GPtrArray *hosts,
                const SiteLimits *limits);
void site_free (Site *self); /* NULL ok */

/* A camera has another state. */
void site_tell_states (Site *self);

/* What @channel found. */
void site_tell_record (Site *self, Channel *channel, GBytes *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Site, site_free)

G_END_DECLS
