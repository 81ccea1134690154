/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/api.h - what marks a function as one that a shared library exports. Everything without it
 * stays inside. Part of the public API through yolov7.h and detectionmeta.h.
 */
#pragma once

#ifndef YV_API
#define YV_API __attribute__ ((visibility ("default")))
#endif
