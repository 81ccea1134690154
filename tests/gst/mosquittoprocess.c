/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mosquittoprocess.c - a real mosquitto that a test starts and ends. */
#include "tests/gst/mosquittoprocess.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/gst/mqttwire.h"

/* Another program may take the port between our look and mosquitto's. */
#define MAX_ATTEMPTS 20

/* Debian puts it where only root looks. */
static char *
find_program (void)
{
  char *path = g_find_program_in_path ("mosquitto");

  if (!path && g_file_test ("/usr/sbin/mosquitto", G_FILE_TEST_IS_EXECUTABLE))
    path = g_strdup ("/usr/sbin/mosquitto");
  return path;
}

bool
mosquitto_is_installed (void)
{
  g_autofree char *program = find_program ();

  if (!program)
    g_test_skip ("there is no mosquitto: apt-get install mosquitto");
  return program != NULL;
}

char *
mosquitto_process_path (const Mosquitto *mosquitto, const char *name)
{
  return g_build_filename (mosquitto->folder, name, NULL);
}

static void
choose_port (Mosquitto *mosquitto)
{
  close (mqtt_wire_listen (&mosquitto->port));
  g_free (mosquitto->address);
  mosquitto->address = g_strdup_printf ("localhost:%u", mosquitto->port);
}

Mosquitto *
mosquitto_process_new (const char *options)
{
  g_autoptr (GError) error = NULL;
  Mosquitto *mosquitto = g_new0 (Mosquitto, 1);

  mosquitto->folder = g_dir_make_tmp ("yv-mosquitto-XXXXXX", &error);
  g_assert_no_error (error);
  if (options) {
    g_auto (GStrv) parts = g_strsplit (options, "%s", -1);
    mosquitto->options = g_strjoinv (mosquitto->folder, parts);
  }
  mosquitto->log = -1;
  choose_port (mosquitto);
  return mosquitto;
}

static void
write_configuration (const Mosquitto *mosquitto)
{
  g_autofree char *path = mosquitto_process_path (mosquitto, "mosquitto.conf");
  g_autoptr (GError) error = NULL;
  /* Root would become another user, who can't read the folder. */
  g_autofree char *text = g_strdup_printf (
      "%s"
      "persistence true\npersistence_location %s/\nautosave_interval 3600\n"
      "max_queued_messages 0\nmax_inflight_messages 0\n"
      "log_dest stderr\nlog_type information\nlog_type error\nconnection_messages false\n"
      "listener %u 127.0.0.1\n%s\n",
      getuid () == 0 ? "user root\n" : "", mosquitto->folder, mosquitto->port,
      mosquitto->options ? mosquitto->options : "allow_anonymous true");

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

/* Returns: whether it says that it runs, before it ends. */
static bool
wait_until_it_runs (int log)
{
  g_autoptr (GString) said = g_string_new (NULL);
  char byte;

  while (read (log, &byte, 1) == 1) {
    g_string_append_c (said, byte);
    if (byte == '\n' && strstr (said->str, " running"))
      return true;
  }
  g_test_message ("mosquitto did not start: %s", said->str);
  return false;
}

/* So that none is left where the test itself is killed. */
static void
end_with_parent (gpointer unused)
{
  (void) unused;
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static bool
try_to_start (Mosquitto *mosquitto)
{
  g_autofree char *program = find_program (),
                  *path = mosquitto_process_path (mosquitto, "mosquitto.conf");
  const char *const words[] = {program, "-c", path, NULL};
  g_autoptr (GError) error = NULL;

  write_configuration (mosquitto);
  g_spawn_async_with_pipes (NULL, (char **) words, NULL,
                            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, end_with_parent,
                            NULL, &mosquitto->pid, NULL, NULL, &mosquitto->log, &error);
  g_assert_no_error (error);
  return wait_until_it_runs (mosquitto->log);
}

static void
stop (Mosquitto *mosquitto, int signal_number)
{
  int status;

  if (mosquitto->pid == 0)
    return;
  kill (mosquitto->pid, signal_number);
  while (waitpid (mosquitto->pid, &status, 0) < 0)
    g_assert_cmpint (errno, ==, EINTR);
  mosquitto->pid = 0;
  close (mosquitto->log);
  mosquitto->log = -1;
}

void
mosquitto_process_start (Mosquitto *mosquitto)
{
  g_assert_cmpint (mosquitto->pid, ==, 0);
  for (int i = 0; i < MAX_ATTEMPTS; i++) {
    if (try_to_start (mosquitto))
      return;
    stop (mosquitto, SIGKILL);
    choose_port (mosquitto);
  }
  g_error ("mosquitto does not start");
}

void
mosquitto_process_end (Mosquitto *mosquitto)
{
  stop (mosquitto, SIGTERM);
}

void
mosquitto_process_kill (Mosquitto *mosquitto)
{
  stop (mosquitto, SIGKILL);
}

void
mosquitto_process_run (const Mosquitto *mosquitto, const char *word, ...)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *said = NULL;
  int status = 0;
  va_list more;

  va_start (more, word);
  for (; word; word = va_arg (more, const char *))
    g_ptr_array_add (words, (char *) word);
  va_end (more);
  g_ptr_array_add (words, NULL);
  g_spawn_sync (mosquitto->folder, (char **) words->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                NULL, &said, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s: %s", (char *) words->pdata[0], said);
}

/* Signed by itself. */
static void
make_ca (const Mosquitto *mosquitto, const char *key, const char *certificate, const char *name)
{
  mosquitto_process_run (mosquitto, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                         certificate, "-days", "2", "-subj", name, NULL);
}

static void
make_signed (const Mosquitto *mosquitto, const char *name, const char *common_name,
             const char *key_password)
{
  g_autofree char *key = g_strconcat (name, ".key", NULL),
                  *request = g_strconcat (name, ".csr", NULL);
  g_autofree char *certificate = g_strconcat (name, ".crt", NULL);
  g_autofree char *subject = g_strconcat ("/CN=", common_name, NULL);
  g_autofree char *password = g_strconcat ("pass:", key_password ? key_password : "", NULL);
  g_autofree char *names = mosquitto_process_path (mosquitto, "names");
  g_autofree char *extension = g_strconcat ("subjectAltName=DNS:", common_name, "\n", NULL);

  g_assert_true (g_file_set_contents (names, extension, -1, NULL));
  mosquitto_process_run (mosquitto, "openssl", "req", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-keyout", key, "-out", request, "-subj",
                         subject, key_password ? "-passout" : "-nodes",
                         key_password ? password : NULL, NULL);
  mosquitto_process_run (mosquitto, "openssl", "x509", "-req", "-in", request, "-CA", "ca.crt",
                         "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
                         "-out", certificate, NULL);
}

void
mosquitto_process_make_certificates (const Mosquitto *mosquitto, const char *server_name,
                                     const char *key_password)
{
  make_ca (mosquitto, "ca.key", "ca.crt", "/CN=test CA");
  make_ca (mosquitto, "other.key", "other.crt", "/CN=another CA");
  make_signed (mosquitto, "server", server_name, NULL);
  make_signed (mosquitto, "client", "camera", key_password);
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_remove (path);
  }
  g_rmdir (folder);
}

void
mosquitto_process_free (Mosquitto *mosquitto)
{
  if (!mosquitto)
    return;
  stop (mosquitto, SIGKILL);
  remove_folder (mosquitto->folder);
  g_free (mosquitto->folder);
  g_free (mosquitto->address);
  g_free (mosquitto->options);
  g_free (mosquitto);
}
