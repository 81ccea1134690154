/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/commands.h - what people do with a fleet from a shell. Each connects, does its
 * work, and disconnects.
 *
 * Returns: exit statuses, 0 or 1; messages are on stderr, results on stdout.
 */
#pragma once

#include "examples/fleet/address.h"

G_BEGIN_DECLS

/* @files: (array zero-terminated=1): cameras as JSON objects; "-": stdin. All are read before the
 * first is sent. */
int fleet_command_add (const FleetAddress *address, char **files);

/* @names: (array zero-terminated=1) */
int fleet_command_remove (const FleetAddress *address, char **names);

/* What workers hold, and how many cameras wait. */
int fleet_command_list (const FleetAddress *address);

/* What is in the queue of failed messages, and why. */
int fleet_command_failed (const FleetAddress *address);

/* Puts failed cameras with these names back into the queue, or all of them. */
int fleet_command_retry (const FleetAddress *address, char **names, bool is_all);

G_END_DECLS
