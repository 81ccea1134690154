/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/global.c - which names a pickle may mention. */
#include "engine/checkpoint/global.h"

#include <string.h>

#include "engine/error.h"

/* Modules, with all below them, that start programs, load code, or reach files and the network;
 * none whose name a user's own package is likely to have. */
static const char *const hostile_modules[] = {
    "_aix_support", "_osx_support", "_pickle",      "_posixsubprocess",
    "_pyrepl",      "_socket",      "aiohttp",      "asyncio",
    "bdb",          "cPickle",      "cProfile",     "codeop",
    "ctypes",       "distutils",    "ensurepip",    "ftplib",
    "http",         "httplib",      "idlelib",      "importlib",
    "lib2to3",      "marshal",      "nt",           "os",
    "pdb",          "pickle",       "pickletools",  "pip",
    "pkgutil",      "popen2",       "posix",        "pty",
    "pydoc",        "requests",     "runpy",        "shutil",
    "smtplib",      "socket",       "socketserver", "subprocess",
    "sys",          "telnetlib",    "timeit",       "urllib",
    "urllib2",      "webbrowser",   "xmlrpc",       "zipimport",
};

/* Single names in modules that are fine otherwise. */
static const struct {
  const char *module, *name;
} hostile_names[] = {
    {"types", "CodeType"},
    {"types", "FunctionType"},
    {"types", "LambdaType"},
    {"operator", "methodcaller"},
    {"_operator", "methodcaller"},
    {"functools", "reduce"},
    {"numpy.testing._private.utils", "runstring"},
    {"numpy.testing", "runstring"},
    {"numpy", "load"},
    {"code", "interact"},
    {"code", "InteractiveInterpreter"},
    {"code", "InteractiveConsole"},
    {"imp", "load_source"},
    {"imp", "load_module"},
    {"commands", "getoutput"},
    {"commands", "getstatusoutput"},
    {"multiprocessing.util", "spawnv_passfds"},
    {"torch", "load"},
    {"torch.serialization", "load"},
    {"torch.hub", "load"},
    {"torch.jit", "load"},
    {"torch.utils.cpp_extension", "load"},
    {"torch.utils.cpp_extension", "load_inline"},
    {"torch.utils.collect_env", "run"},
};

/* Of the builtins only what holds values: all others (eval, exec, open, ...) act. */
static const char *const inert_builtins[] = {
    "bool",           "bytearray", "bytes", "complex", "dict",    "float",  "frozenset",
    "getattr",        "int",       "list",  "long",    "object",  "range",  "set",
    "slice",          "str",       "tuple", "type",    "unicode", "xrange", "Ellipsis",
    "NotImplemented",
};

/* True where the first @name_chars of @name are one of the list. */
static bool
is_listed (const char *name, size_t name_chars, const char *const *list, size_t n_listed)
{
  for (size_t i = 0; i < n_listed; i++) {
    if (strncmp (name, list[i], name_chars) == 0 && list[i][name_chars] == 0)
      return true;
  }
  return false;
}

static bool
is_hostile_package (const char *path, size_t package_chars)
{
  return is_listed (path, package_chars, hostile_modules, G_N_ELEMENTS (hostile_modules));
}

static bool
is_builtin (const char *module)
{
  return strcmp (module, "builtins") == 0 || strcmp (module, "__builtin__") == 0 ||
         strcmp (module, "__builtins__") == 0;
}

static bool
is_hostile_name (const char *module, const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS (hostile_names); i++) {
    if (strcmp (module, hostile_names[i].module) == 0 && strcmp (name, hostile_names[i].name) == 0)
      return true;
  }
  return false;
}

/* A dotted name of protocol 4 walks through attributes: torch and serialization.os.system. */
static bool
passes_hostile_package (const char *name)
{
  for (const char *dot = strchr (name, '.'); dot; dot = strchr (name, '.')) {
    if (is_hostile_package (name, (size_t) (dot - name)))
      return true;
    name = dot + 1;
  }
  return false;
}

static bool
is_hostile (const char *module, const char *name)
{
  if (is_builtin (module))
    return !is_listed (name, strlen (name), inert_builtins, G_N_ELEMENTS (inert_builtins));
  return is_hostile_package (module, strcspn (module, ".")) || passes_hostile_package (name) ||
         is_hostile_name (module, name);
}

bool
yv_global_check (const char *module, const char *name, GError **error)
{
  if (!is_hostile (module, name))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "the file asks Python to call '%s.%s', which no checkpoint needs: it is malicious "
               "or was tampered with; nothing in it was run, and it should not be loaded with "
               "Python either",
               module, name);
  return false;
}
