/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/worker-private.h - what worker.c, which hears of everything, intake.c, where
 * cameras come in, and seats.c, where they run, share.
 */
#pragma once

#include "examples/fleet/courier.h"
#include "examples/fleet/history.h"
#include "examples/fleet/holds.h"
#include "examples/fleet/report.h"
#include "examples/fleet/worker.h"

G_BEGIN_DECLS

/* What becomes of a message once its camera has stopped. */
typedef enum {
  FLEET_NOTHING,   /* settled already, or nobody's any more */
  FLEET_GIVE_BACK, /* to the queue, as it is */
  FLEET_TRY_AGAIN, /* to the queue, with one attempt more */
  FLEET_PUT_AWAY,  /* to the failed ones */
} FleetRelease;

/* A camera that runs, or has run and is not yet ended. */
typedef struct {
  FleetWorker *worker; /* borrowed: owns this */
  FleetJob *job;
  char *message; /* to be sent again */
  FleetRelease release;
  uint64_t tag;
  uint32_t attempts;
  char *reason;
  char *doubt;    /* (nullable): why it failed, until it is known whether the device did */
  gint64 told_us; /* the FLEET_WELL_S or FLEET_STEADY_S of analysis that was told last */
} FleetSeat;

typedef struct {
  uint64_t tag;
  uint32_t consumer; /* that was there when it came, or later */
  gint64 until_us;
} FleetParked;

struct _FleetWorker {
  FleetSettings *settings; /* borrowed */
  FleetBench *bench;       /* borrowed */
  FleetWorkerEnded ended;
  gpointer user_data;
  FleetCourier *courier;
  FleetHolds *holds;
  FleetHistory *history;
  FleetCapacity capacity;
  GHashTable *seats; /* name -> FleetSeat */
  char *hello;       /* the id of this session's */
  char *after;       /* (nullable): of the last session before it in which cameras came */
  uint32_t n_hellos; /* that were heard, of one in each stream */
  uint32_t session;
  bool is_connected, was_connected;
  bool is_ready;     /* all that was told is known, and cameras come */
  uint32_t consumer; /* the number of the last one */
  GArray *parked;    /* of FleetParked: messages that go back in a while */
  uint32_t n_parked; /* in the place of others that the consumer may have, when last looked */
  bool is_ending;
  GError *error;
  guint tick;
  FleetTotals totals;
};

#define FLEET_SAY(...) g_printerr ("yolov7-fleet: " __VA_ARGS__)

/* ---- of worker.c ----------------------------------------------------------------------------- */

/* The message is deleted, or goes back to the queue. */
void fleet_worker_settle (FleetWorker *worker, uint64_t tag, bool is_deleted);

void fleet_worker_tell_all (FleetWorker *worker, const FleetNote *note);

/* A camera has stopped, and has killed nobody in this session. */
void fleet_worker_acquit (FleetWorker *worker, const char *name);

/* The same, and all that is known against it is to be forgotten. @at_s: attempts that failed until
 * then, too; negative: none. */
void fleet_worker_forget (FleetWorker *worker, const char *name, double at_s);

double fleet_worker_now_s (void); /* since 1970 */

/* Asks for as many more as there is room for. */
void fleet_worker_ask (FleetWorker *worker);

/* Ends it because of what can't be mended here. @error: (transfer full) */
void fleet_worker_fail (FleetWorker *worker, GError *error);

/* Where nothing runs any more: the session, or the worker, may end. */
void fleet_worker_look_whether_idle (FleetWorker *worker);

/* ---- of intake.c ----------------------------------------------------------------------------- */

/* A message has come that should be a camera. */
void fleet_intake_take (FleetWorker *worker, const FleetArrival *arrival);

/* How many cameras it takes at the moment. */
uint32_t fleet_intake_capacity (const FleetWorker *worker);

/* Neither deleted nor run: it goes back in a while, so that it does not come again at once. */
void fleet_intake_park (FleetWorker *worker, uint64_t tag);

/* To be called about once a second. */
void fleet_intake_look (FleetWorker *worker, gint64 now_us);

/* The session is over, and messages are nobody's. */
void fleet_intake_forget (FleetWorker *worker);

/* ---- of seats.c ------------------------------------------------------------------------------ */

GHashTable *fleet_seats_new (void);

/* A camera that is held now. @config: (transfer full) */
void fleet_seats_start (FleetWorker *worker, const FleetCard *card, CameraConfig *config);

/* Its message is settled, or nobody's. */
void fleet_seats_stop (FleetWorker *worker, const char *name);
void fleet_seats_stop_all (FleetWorker *worker); /* and settles nothing */

/* Those whose analysis failed, once it is known whether the device works; to be called about once a
 * second. Where it does not the worker ends. */
void fleet_seats_judge (FleetWorker *worker);

/* Tells of those that are well; to be called about once a second. */
void fleet_seats_look (FleetWorker *worker);

/* Of the cameras that are held, the one that was taken last goes to others. */
void fleet_seats_give_newest_back (FleetWorker *worker);

G_END_DECLS
