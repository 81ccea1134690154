/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz.h - the one function of a fuzz target, as libFuzzer and replay.c call it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Returns 0 always; what is wrong aborts. */
int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes);
