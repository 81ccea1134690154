/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/object.h - the inert values that a checkpoint file holds.
 *
 * What a pickle would have built, as data: nothing in a file is ever resolved or called. Values may
 * be shared between parents and may form cycles, so whoever walks them deeper than a named
 * attribute keeps visited marks. All memory belongs to the YvCheckpoint they came from, and only as
 * much of a YvObject is there as its kind needs: never copy one by value.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/tensor.h"

G_BEGIN_DECLS

typedef enum {
  YV_OBJECT_NONE,
  YV_OBJECT_BOOL,
  YV_OBJECT_INT,
  YV_OBJECT_FLOAT,
  YV_OBJECT_STRING, /* valid UTF-8, NUL-terminated */
  YV_OBJECT_BYTES,
  YV_OBJECT_LIST,
  YV_OBJECT_TUPLE,
  YV_OBJECT_SET,
  YV_OBJECT_DICT,     /* also OrderedDict; in file order */
  YV_OBJECT_TENSOR,   /* also a Parameter */
  YV_OBJECT_CLASS,    /* a name, e.g. "models.common" "Conv" */
  YV_OBJECT_INSTANCE, /* what a class was asked to make; never made */
} YvObjectKind;

typedef struct _YvObject YvObject;

struct _YvObject {
  YvObjectKind kind;
  union {
    bool boolean;
    int64_t integer; /* Python integers beyond 64 bits are kept as FLOAT */
    double real;
    struct {
      const char *text; /* size_bytes bytes and a NUL; for BYTES any bytes */
      size_t size_bytes;
    } string;
    struct {
      YvObject **items; /* DICT: key, value, key, value ...; n_items counts both */
      uint32_t n_items;
      uint32_t n_reserved; /* the reader's own */
    } sequence;
    YvTensor tensor;
    struct {
      const char *module;
      const char *name;
    } class_name;
    struct {
      const YvObject *class_name; /* a CLASS */
      const YvObject *args;       /* TUPLE or NULL */
      const YvObject *state;      /* what BUILD was given (a DICT for modules), or NULL */
      const YvObject *items;      /* a DICT or LIST that SETITEMS/APPENDS filled, or NULL */
    } instance;
  };
};

/* The value under a string key of a DICT, of an INSTANCE's state, or of the first element of a
 * (dict, slots) state. Returns NULL where there is none, or @object is NULL or of another kind. */
const YvObject *yv_object_get (const YvObject *object, const char *key);

/* The last component of the class of an INSTANCE ("Conv" of models.common.Conv), NULL otherwise. */
const char *yv_object_class_name (const YvObject *object);

/* "models.common.Conv", for messages. Free with g_free(). */
char *yv_object_class_path (const YvObject *object);

/* True, and *out set, where @object is an INT, BOOL or FLOAT; for INT out of a double's exact range
 * too. NULL is allowed and false. */
bool yv_object_get_number (const YvObject *object, double *out);

/* The text of a STRING, else NULL. */
const char *yv_object_get_string (const YvObject *object);

/* "none", "int", "tensor", ..., for messages. */
const char *yv_object_kind_name (const YvObject *object);

G_END_DECLS
