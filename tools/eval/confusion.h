/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/confusion.h - which class is taken for which.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "tools/eval/label.h"

G_BEGIN_DECLS

/* As in test.py: surer detections than this, and labels covered more than this. */
#define CONFUSION_CONFIDENCE 0.25f
#define CONFUSION_IOU 0.45

typedef struct {
  uint32_t n_classes;
  uint64_t *counts; /* [detected][labelled], each n_classes + 1: the last is background */
} Confusion;

/* Returns: (transfer full): or NULL with an error where there is no memory for its square. */
Confusion *confusion_new (uint32_t n_classes, GError **error);
void confusion_free (Confusion *confusion); /* NULL ok */

/* Pairs each label with at most one detection of any class, largest IoU first. What is left over
 * has background for a partner. Crowds are not looked at. */
void confusion_add (Confusion *confusion, const EvalImage *image);

uint64_t confusion_count (const Confusion *confusion, uint32_t detected, uint32_t labelled);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Confusion, confusion_free)

G_END_DECLS
