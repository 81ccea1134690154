/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/api.h - which release this is, and what marks a function as one that a shared library
 * exports. Everything without it stays inside. Part of the public API through yolov7.h and
 * detectionmeta.h.
 */
#pragma once

/* The release that these headers are of: meson.build has the same. */
#define YV_VERSION_MAJOR 0
#define YV_VERSION_MINOR 1
#define YV_VERSION_MICRO 0

/* Whether that is this release or a later one: for #if. */
#define YV_CHECK_VERSION(major, minor, micro)                                                      \
  (YV_VERSION_MAJOR > (major) || (YV_VERSION_MAJOR == (major) && YV_VERSION_MINOR > (minor)) ||    \
   (YV_VERSION_MAJOR == (major) && YV_VERSION_MINOR == (minor) && YV_VERSION_MICRO >= (micro)))

#ifndef YV_API
#define YV_API __attribute__ ((visibility ("default")))
#endif
