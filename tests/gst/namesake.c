/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/namesake.c - a host with more than one address. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/gst/namesake.h"

#include <dlfcn.h>
#include <glib.h>
#include <netdb.h>

typedef int (*Resolver) (const char *, const char *, const struct addrinfo *, struct addrinfo **);

static const struct {
  const char *name, *first;
} hosts[] = {{NAMESAKE_TWICE, "127.0.0.2"}, {NAMESAKE_BOTH_KINDS, "::1"}};

static Resolver real;

void
namesake_init (void)
{
  *(void **) &real = dlsym (RTLD_NEXT, "getaddrinfo"); /* as POSIX says how */
  g_assert_nonnull (real);
}

/* Each address of a list is memory of its own, so lists may be put together. */
static int
resolve_twice (const char *first, const char *service, const struct addrinfo *hints,
               struct addrinfo **list)
{
  struct addrinfo *last = NULL;
  int code = real (first, service, hints, list);

  if (code)
    return code;
  for (last = *list; last->ai_next;)
    last = last->ai_next;
  code = real ("127.0.0.1", service, hints, &last->ai_next);
  if (code)
    freeaddrinfo (*list);
  return code;
}

int
getaddrinfo (const char *name, const char *service, const struct addrinfo *hints,
             struct addrinfo **list)
{
  for (size_t i = 0; i < G_N_ELEMENTS (hosts); i++) {
    if (!g_strcmp0 (name, hosts[i].name))
      return resolve_twice (hosts[i].first, service, hints, list);
  }
  return real (name, service, hints, list);
}
