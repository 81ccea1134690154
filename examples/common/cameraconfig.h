/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/cameraconfig.h - what a camera is: a name, a source, and settings of elements.
 *
 *   defaults:                      # merged under each camera
 *     yolov7: {model-file: best.pt}
 *   cameras:
 *     - name: street
 *       source: rtsp://10.0.0.7/stream
 *       yolov7: {classes: person}
 *       yolov7tracker: {zones: street.json}
 *
 * name     1..64 of A-Z a-z 0-9 _ - . (no . in front): it is in paths, topics and metrics.
 * source   rtsp:// rtsps:// rtspt:// (with user:password@ where needed); a path or file:// URI of
 *          a video, played in a loop in real time; v4l2:///dev/video0; test:ball, a pattern of
 *          videotestsrc, 640x360 at 25 a second, or test:ball,width=320,height=180,framerate=10/1.
 * maps     named after an element (yolov7, yolov7tracker, yolov7publish, yolov7overlay, rtspsrc,
 *          v4l2src), whose keys are the element's own properties. Without a map yolov7publish is
 *          left out; rtspsrc and v4l2src count only for sources of that kind.
 *
 * Where nothing else is said: yolov7 leaky=downstream; rtspsrc protocols=tcp latency=100
 * drop-on-latency=true timeout=2000000. Relative paths are relative to the file.
 *
 * A message of the network is the same camera as a JSON object, which is YAML too: give its text
 * to yv_json_check() and config_parse().
 *
 * In:    a tree of config.h.  Out: CameraConfig, plain data.  Next: camera.h runs it.
 * All errors are of YV_ERROR, "FILE:LINE: ...", and show no password. Threads: any.
 */
#pragma once

#include "examples/common/config.h"

G_BEGIN_DECLS

/* What a property of an element is set to. */
typedef struct {
  char *element;  /* name of its factory */
  char *property; /* its own name */
  char *text;     /* as gst-launch-1.0 takes it; paths are absolute */
  uint32_t line;  /* 0: no line said so, it is our default */
} CameraSetting;

typedef struct {
  char *file; /* what the text is called in messages */
  uint32_t line;
  char *name;
  char *source;                  /* may have a password: never for a message */
  char *shown_source;            /* the same without user and password */
  GPtrArray *settings;           /* of CameraSetting *; each property of an element once */
  const YvYaml *node, *defaults; /* borrowed, (nullable): the tree must outlive camera_config_own */
} CameraConfig;

/**
 * camera_config_new:
 * @file: what to call the text; relative paths start from its folder
 * @node: a camera
 * @defaults: (nullable): the same without name and source
 * @own_keys: (array zero-terminated=1) (nullable): further keys, which the program reads itself
 *
 * Looks at the text alone: neither at elements nor at files; see camera_config_check().
 */
CameraConfig *camera_config_new (const char *file, const YvYaml *node, const YvYaml *defaults,
                                 const char *const *own_keys, GError **error);
void camera_config_free (CameraConfig *config); /* NULL ok */

/**
 * camera_configs_new:
 * @root: of a file with "cameras" and perhaps "defaults"; other keys are not looked at
 *
 * Returns: (transfer full) (element-type CameraConfig): at least one, each name once; checked with
 * camera_config_check().
 */
GPtrArray *camera_configs_new (const char *file, const YvYaml *root, const char *const *own_keys,
                               GError **error);

/**
 * camera_config_check:
 *
 * Looks up each element and each property, makes the value, and looks whether files that are to be
 * read are there. A program that takes cameras from strangers looks at the settings first.
 *
 * Returns: false where one is missing or has no such value. Needs gst_init().
 */
bool camera_config_check (const CameraConfig *config, GError **error);

/* The value of one of @own_keys, of the camera or else of the defaults. Returns: (nullable) */
const YvYaml *camera_config_own (const CameraConfig *config, const char *key);

/* What a property is set to. Returns: (nullable): it is not */
const char *camera_config_get (const CameraConfig *config, const char *element,
                               const char *property);

/* Whether any property of @element is set. */
bool camera_config_has (const CameraConfig *config, const char *element);

/* Sets one, instead of what the file says. */
void camera_config_set (CameraConfig *config, const char *element, const char *property,
                        const char *text);

/* Returns: (transfer full): @text, which may come from GStreamer, without the source's user and
 * password, fit for a message. */
char *camera_config_redact (const CameraConfig *config, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CameraConfig, camera_config_free)

G_END_DECLS
