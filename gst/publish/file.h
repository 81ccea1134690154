/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/file.h - records into a file, a FIFO, or what stdout is.
 *
 * A record has arrived when write() has taken all of it.
 *
 * A regular file is emptied at the start, and always whole: as lines it ends with a record, as an
 * array with its closing bracket, which each record overwrites, in one write with the record and
 * the next closing bracket. So it is a JSON array also after a crash or a full disk. What was
 * written in part is taken back.
 *
 * A FIFO, a device or stdout gets the opening bracket when it is opened and the closing one when it
 * is closed, so an array there ends only with its pipeline. A FIFO without a reader is no
 * connection; when readers leave, the next one gets lines, or an array, from their start. What lay
 * in the pipe unread is lost, as always with pipes.
 *
 * One at a time writes to a file or a FIFO, which is locked for others of this kind, and one of a
 * process to stdout. A second one is refused, at the start where it can be known there.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

extern const YvTransport yv_transport_file;

G_END_DECLS
