/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/users.c - a file of lines, or two variables. */
#include "examples/rtsp-server/users.h"

#include <string.h>
#include <sys/stat.h>

#include "engine/error.h"

static void
free_user (gpointer data)
{
  User *user = data;

  g_free (user->name);
  g_free (user->password);
  g_free (user);
}

GPtrArray *
users_new (void)
{
  return g_ptr_array_new_with_free_func (free_user);
}

static bool
has_user (const GPtrArray *users, const char *name)
{
  for (guint i = 0; i < users->len; i++)
    if (g_str_equal (((const User *) users->pdata[i])->name, name))
      return true;
  return false;
}

static void
add_user (GPtrArray *users, const char *name, const char *password)
{
  User *user = g_new0 (User, 1);

  user->name = g_strdup (name);
  user->password = g_strdup (password);
  g_ptr_array_add (users, user);
}

/* @line is changed. */
static const char *
read_line (GPtrArray *users, char *line)
{
  char *colon = strchr (line, ':');

  if (*line == '\0' || *line == '#')
    return NULL;
  if (!g_utf8_validate (line, -1, NULL) || !colon || colon == line || colon[1] == '\0')
    return "no user; expected name:password";
  *colon = '\0';
  if (strchr (line, '"') || has_user (users, line))
    return "a name that is there twice, or has a quote; expected another";
  add_user (users, line, colon + 1);
  return NULL;
}

static void
warn_of_readers (const char *path)
{
  struct stat status;

  if (stat (path, &status) == 0 && (status.st_mode & S_IROTH))
    g_warning ("%s: everybody on this machine can read these passwords; chmod o= it", path);
}

bool
users_read (const char *path, GPtrArray *users, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) problem = NULL;

  if (!config_check_file (path, "a file with name:password a line", error))
    return false;
  if (!g_file_get_contents (path, &text, NULL, &problem)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be read: %s", path, problem->message);
    return false;
  }
  warn_of_readers (path);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    const char *fault = read_line (users, g_strchomp (lines[i]));
    if (!fault)
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: %s", path, i + 1, fault);
    return false;
  }
  if (users->len > 0)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s:1: there are no users, so nobody could look; expected name:password a line",
               path);
  return false;
}

bool
users_from_environment (GPtrArray *users, GError **error)
{
  const char *name = g_getenv ("YV_RTSP_USERNAME"), *password = g_getenv ("YV_RTSP_PASSWORD");
  const bool has_name = name && *name, has_password = password && *password;

  if (has_name && has_password)
    add_user (users, name, password);
  if (has_name == has_password)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "of YV_RTSP_USERNAME and YV_RTSP_PASSWORD only one is set; set both or none");
  return false;
}
