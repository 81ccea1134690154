/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/history.h - what is known against a camera: workers that died soon after they had
 * taken it, and whether attempts that failed are forgotten.
 *
 * In:    all notes that the broker has kept, in their order, and those that follow.
 * Out:   with how many others a camera may be on trial, and whether at all; examples/fleet/worker.c
 * asks.
 *
 * A session (a worker's connection with the broker) that took a camera and neither said bye, nor
 * was followed by another one of the same process, is taken for a worker that died. A camera is on
 * trial there until it was analysed for FLEET_WELL_S, which forgets everything, or has stopped,
 * which acquits it of that session alone. Any that was on trial may have killed it; so the more
 * deaths a camera has seen, the fewer may be on trial beside it, until it is alone with them. Only
 * deaths where it was alone can put it away: what it has shared with others never does, nor do
 * machines that are switched off.
 *
 * A worker that dies before the broker has its note of a camera has not taken that one, as far as
 * anybody knows: so one that kills at once, behind many others, is seen late or never.
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

/* A camera that is not analysed at all keeps no others waiting after so much. */
#define FLEET_TRIAL_S 20

/* Deaths. Less than the first are no reason to let a camera wait. From then on each death lets
 * fewer be on trial together, until with any capacity each is alone, and is well then unless it
 * kills: so from the second on a camera is put away that was alone in the third's number of them.
 * That it was alone is not enough, because a worker may die before it has told what else it took.
 */
#define FLEET_SUSPECT 7
#define FLEET_KILLER 10
#define FLEET_KILLER_ALONE 3

/* Sessions that died before a camera was well, and those of them where no other was on trial. */
typedef struct {
  uint32_t n, n_alone;
} FleetDeaths;

/* With how many, itself among them, it may be on trial at a worker: 1 to @capacity. */
uint32_t fleet_deaths_company (const FleetDeaths *deaths, uint32_t capacity);

/* Whether it is to be put away. */
bool fleet_deaths_convict (const FleetDeaths *deaths);

typedef struct _FleetHistory FleetHistory;

FleetHistory *fleet_history_new (void);
void fleet_history_free (FleetHistory *history); /* NULL ok */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetHistory, fleet_history_free)

void fleet_history_hear (FleetHistory *history, const FleetNote *note);

/* @removed_s: messages that were added until then count no more;
 * @session: (nullable): of who asks, which lives. */
FleetDeaths fleet_history_deaths (const FleetHistory *history, const char *name, double removed_s,
                                  const char *session);

/* Whether an attempt that failed at @failed_s is forgotten since. */
bool fleet_history_forgets (const FleetHistory *history, const char *name, double failed_s);

G_END_DECLS
