/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/history.h - what is known against a camera: workers that died soon after they had
 * taken it, and whether attempts that failed are forgotten.
 *
 * In:    all notes that the broker has kept, in their order, and those that follow.
 * Out:   whether a camera may run beside others, and at all; examples/fleet/worker.c asks.
 *
 * A session (a worker's connection with the broker) that took a camera and neither said bye, nor
 * was followed by another one of the same process, is taken for a worker that died. Cameras that
 * were analysed for FLEET_WELL_S there, or were given back, are told to be forgotten. The others
 * share the death: of three each has a third. So who only was beside the camera that kills soon has
 * less than it, and forgets it as soon as it is well elsewhere; and machines that are switched off
 * rarely make anybody suspect.
 *
 * What the broker says of deliveries is not used: it counts workers that were asked to end, too,
 * and differs between RabbitMQ 3 and 4.
 *
 * Pure. Threads: one at a time per object.
 */
#pragma once

#include "examples/fleet/note.h"

G_BEGIN_DECLS

/* After so much analysis a camera has not killed its worker. */
#define FLEET_WELL_S 10

/* Deaths. From the first on it runs only where there is nothing else, from the second on nowhere.
 */
#define FLEET_SUSPECT 6
#define FLEET_KILLER 8

typedef struct _FleetHistory FleetHistory;

FleetHistory *fleet_history_new (void);
void fleet_history_free (FleetHistory *history); /* NULL ok */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetHistory, fleet_history_free)

void fleet_history_hear (FleetHistory *history, const FleetNote *note);

/* Deaths after @name was taken. @removed_s: messages that were added until then count no more;
 * @session: (nullable): of who asks, which lives. */
double fleet_history_deaths (const FleetHistory *history, const char *name, double removed_s,
                             const char *session);

/* Whether an attempt that failed at @failed_s is forgotten since. */
bool fleet_history_forgets (const FleetHistory *history, const char *name, double failed_s);

G_END_DECLS
