/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-record.c - what is known of a frame, as text: exact, whatever the facts are. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "gst/publish/record.h"

static const YvObjectFacts dog = {.x = 64,
                                  .y = 96.4,
                                  .w = 128,
                                  .h = 95.8,
                                  .confidence = 0.875,
                                  .label = "dog",
                                  .label_id = 16,
                                  .id = 7};

static YvFrameFacts
facts_of (const YvObjectFacts *objects, uint32_t n_objects)
{
  return (YvFrameFacts){.objects = objects,
                        .n_objects = n_objects,
                        .width = 640,
                        .height = 480,
                        .run = "r",
                        .sequence = 1,
                        .timestamp_ns = -1,
                        .system_us = -1,
                        .sender_ns = -1};
}

static char *
write_record (const YvFrameFacts *facts)
{
  GString *text = g_string_new (NULL);

  yv_record_write (facts, text);
  return g_string_free (text, FALSE);
}

static void
assert_writes (const YvFrameFacts *facts, const char *expected)
{
  g_autofree char *text = write_record (facts);

  g_assert_cmpstr (text, ==, expected);
}

/* The one object's text, as it stands between the brackets. */
static void
assert_writes_object (const YvObjectFacts *object, const char *expected)
{
  const YvFrameFacts facts = facts_of (object, 1);
  g_autofree char *all =
      g_strdup_printf ("{\"objects\":[%s],\"resolution\":{\"width\":640,\"height\":480},"
                       "\"run\":\"r\",\"sequence\":1}",
                       expected);

  assert_writes (&facts, all);
}

#define DOG                                                                                        \
  "{\"detection\":{\"bounding_box\":{\"x_min\":0.1,\"y_min\":0.200833,\"x_max\":0.3,"              \
  "\"y_max\":0.400417},\"confidence\":0.875,\"label\":\"dog\",\"label_id\":16},"                   \
  "\"x\":64,\"y\":96,\"w\":128,\"h\":96,\"roi_type\":\"dog\",\"region_id\":0,\"id\":7}"

static void
an_object_has_the_fields_of_dl_streamer (void)
{
  assert_writes_object (&dog, DOG);
}

static void
a_frame_has_all_that_is_known (void)
{
  YvFrameFacts facts = facts_of (NULL, 0);

  facts.source = "camera \"1\"";
  facts.timestamp_ns = 40000000;
  facts.system_us = G_GINT64_CONSTANT (1709210096123999); /* 2024, a leap year */
  facts.sender_ns = G_GINT64_CONSTANT (1777350580751188754);
  facts.tags = "{\"site\":1}";
  facts.sequence = G_MAXUINT64;
  assert_writes (&facts, "{\"objects\":[],\"resolution\":{\"width\":640,\"height\":480},"
                         "\"source\":\"camera \\\"1\\\"\",\"timestamp\":40000000,"
                         "\"system_timestamp\":\"2024-02-29T12:34:56.123Z\","
                         "\"rtp\":{\"sender_ntp_unix_timestamp_ns\":1777350580751188754},"
                         "\"tags\":{\"site\":1},\"run\":\"r\",\"sequence\":18446744073709551615}");
}

static void
zones_and_lines_are_told (void)
{
  const double corners[] = {0, 0, 1, 0, 0.5, 0.123456}, ends[] = {0.25, 0, 0.25, 1};
  const YvZoneFacts zones[] = {
      {.name = "door",
       .points = corners,
       .n_points = 3,
       .count = 1,
       .entered = 5,
       .left = 4,
       .dwell_mean_ns = 1500000000,
       .dwell_max_ns = 3000000000},
      {.name = "gate", .is_line = true, .points = ends, .n_points = 2, .forward = 2, .backward = 3},
  };
  YvFrameFacts facts = facts_of (NULL, 0);

  facts.zones = zones;
  facts.n_zones = 2;
  facts.width = 0;
  assert_writes (&facts,
                 "{\"objects\":[],\"zones\":[{\"name\":\"door\",\"kind\":\"zone\","
                 "\"points\":[[0,0],[1,0],[0.5,0.123456]],\"count\":1,\"entered\":5,\"left\":4,"
                 "\"dwell_mean\":1500000000,\"dwell_max\":3000000000},"
                 "{\"name\":\"gate\",\"kind\":\"line\",\"points\":[[0.25,0],[0.25,1]],"
                 "\"forward\":2,\"backward\":3}],\"run\":\"r\",\"sequence\":1}");
}

static void
what_is_not_known_is_left_out (void)
{
  const YvObjectFacts object = {.w = 1, .h = 1, .confidence = -1, .label_id = -1, .id = -1};

  assert_writes_object (&object,
                        "{\"detection\":{\"bounding_box\":{\"x_min\":0,\"y_min\":0,"
                        "\"x_max\":0.001562,\"y_max\":0.002083}},\"x\":0,\"y\":0,\"w\":1,\"h\":1,"
                        "\"roi_type\":\"\",\"region_id\":0}");
}

static void
without_a_size_there_are_no_shares (void)
{
  YvFrameFacts facts = facts_of (&dog, 1);

  facts.width = facts.height = 0;
  assert_writes (&facts, "{\"objects\":[{\"detection\":{\"confidence\":0.875,\"label\":\"dog\","
                         "\"label_id\":16},\"x\":64,\"y\":96,\"w\":128,\"h\":96,"
                         "\"roi_type\":\"dog\",\"region_id\":0,\"id\":7}],"
                         "\"run\":\"r\",\"sequence\":1}");
}

static void
predicted_objects_say_so (void)
{
  YvObjectFacts object = dog;

  object.is_predicted = true;
  g_autofree char *expected =
      g_strdup_printf ("%.*s,\"predicted\":true}", (int) strlen (DOG) - 1, DOG);
  assert_writes_object (&object, expected);
}

/* x, y, w, h, as they are and as they are written. */
static void
boxes_are_cut_to_the_frame (void)
{
  static const struct {
    double box[4];
    const char *expected;
  } rows[] = {
      {{-10, -10, 20, 20}, "\"x\":0,\"y\":0,\"w\":10,\"h\":10"},
      {{630, 470, 20, 20}, "\"x\":630,\"y\":470,\"w\":10,\"h\":10"},
      {{-50, 10, 20, 20}, "\"x\":0,\"y\":10,\"w\":0,\"h\":20"},
      {{700, 500, 20, 20}, "\"x\":640,\"y\":480,\"w\":0,\"h\":0"},
      {{-1e300, -1e300, 1e301, 1e301}, "\"x\":0,\"y\":0,\"w\":640,\"h\":480"},
      {{10, 10, -5, -5}, "\"x\":10,\"y\":10,\"w\":0,\"h\":0"},
      {{1.7e308, 0, 1.7e308, 1}, "\"x\":640,\"y\":0,\"w\":0,\"h\":1"},
      {{0.5, 0.49, 0.5, 0.5}, "\"x\":1,\"y\":0,\"w\":0,\"h\":1"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const double *b = rows[i].box;
    const YvObjectFacts object = {.x = b[0], .y = b[1], .w = b[2], .h = b[3], .label = "a"};
    const YvFrameFacts facts = facts_of (&object, 1);
    g_autofree char *text = write_record (&facts);
    if (!strstr (text, rows[i].expected))
      g_error ("row %u: no %s in %s", i, rows[i].expected, text);
  }
}

static void
what_is_no_number_is_never_written (void)
{
  YvObjectFacts objects[] = {dog, dog, dog, dog, dog, dog};

  objects[0].x = NAN;
  objects[1].y = INFINITY;
  objects[2].w = -INFINITY;
  objects[3].h = NAN;
  objects[4].confidence = NAN;
  objects[5].confidence = INFINITY;
  const YvFrameFacts facts = facts_of (objects, G_N_ELEMENTS (objects));
  g_autofree char *text = write_record (&facts);
  g_assert_null (strstr (text, "nan"));
  g_assert_null (strstr (text, "inf"));
  g_assert_null (strstr (text, "confidence"));
  g_assert_nonnull (strstr (text, "[{\"detection\""));
  g_assert_nonnull (strstr (text, "\"region_id\":4"));
  g_assert_nonnull (strstr (text, "\"region_id\":5"));
  g_assert_null (strstr (text, "\"region_id\":3"));
}

static void
shares_stay_between_nought_and_one (void)
{
  static const struct {
    double confidence;
    const char *expected;
  } rows[] = {{0, "\"confidence\":0,"},
              {1, "\"confidence\":1,"},
              {1e9, "\"confidence\":1,"},
              {0.9999999, "\"confidence\":1,"},
              {1e-9, "\"confidence\":0,"},
              {0.000001, "\"confidence\":0.000001,"},
              {0.1, "\"confidence\":0.1,"},
              {0.100001, "\"confidence\":0.100001,"},
              {1 / 3., "\"confidence\":0.333333,"}};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    YvObjectFacts object = dog;
    object.confidence = rows[i].confidence;
    const YvFrameFacts facts = facts_of (&object, 1);
    g_autofree char *text = write_record (&facts);
    g_assert_nonnull (strstr (text, rows[i].expected));
  }
}

/* As the label, and as JSON. */
static void
text_is_escaped (void)
{
  static const struct {
    const char *label, *expected;
  } rows[] = {
      {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
      {"a\nb\tc\001\037", "\"a\\u000ab\\u0009c\\u0001\\u001f\""},
      {"\177", "\"\177\""},
      {"\303\244\342\202\254\360\237\220\225", "\"\303\244\342\202\254\360\237\220\225\""},
      /* No UTF-8: a lone byte, a cut character, one too long, a surrogate, beyond Unicode. */
      {"a\377b", "\"a\357\277\275b\""},
      {"a\342\202", "\"a\357\277\275\357\277\275\""},
      {"\300\257", "\"\357\277\275\357\277\275\""},
      {"\355\240\200", "\"\357\277\275\357\277\275\357\277\275\""},
      {"\364\220\200\200x", "\"\357\277\275\357\277\275\357\277\275\357\277\275x\""},
      {"", "\"\""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const YvObjectFacts object = {.w = 1, .h = 1, .label = rows[i].label, .label_id = -1};
    const YvFrameFacts facts = facts_of (&object, 1);
    g_autofree char *text = write_record (&facts);
    g_autofree char *expected = g_strdup_printf ("\"label\":%s}", rows[i].expected);
    if (!strstr (text, expected))
      g_error ("row %u: no %s in %s", i, expected, text);
    g_assert_true (g_utf8_validate (text, -1, NULL));
  }
}

/* What json-glib makes of it is what went in. */
static void
any_record_is_json (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  for (int round = 0; round < 300; round++) {
    YvObjectFacts objects[5];
    char labels[5][12];
    for (guint i = 0; i < 5; i++) {
      for (guint k = 0; k < 11; k++)
        labels[i][k] = (char) g_rand_int_range (random, 1, 256);
      labels[i][11] = '\0';
      objects[i] = (YvObjectFacts){.x = g_rand_double_range (random, -2000, 2000),
                                   .y = g_rand_double_range (random, -2000, 2000),
                                   .w = g_rand_double_range (random, -10, 2000),
                                   .h = g_rand_double_range (random, -10, 2000),
                                   .confidence = g_rand_double_range (random, -0.5, 1.5),
                                   .label = labels[i],
                                   .label_id = g_rand_int_range (random, -1, 80),
                                   .id = g_rand_int_range (random, -1, 80)};
    }
    YvFrameFacts facts = facts_of (objects, 5);
    facts.source = labels[0];
    g_autofree char *text = write_record (&facts);
    g_assert_null (strchr (text, '\n'));
    json_parser_load_from_data (parser, text, -1, &error);
    g_assert_no_error (error);
    JsonObject *root = json_node_get_object (json_parser_get_root (parser));
    JsonArray *array = json_object_get_array_member (root, "objects");
    g_assert_cmpuint (json_array_get_length (array), ==, 5);
    for (guint i = 0; i < 5; i++) {
      JsonObject *object = json_array_get_object_element (array, i);
      const gint64 x = json_object_get_int_member (object, "x");
      const gint64 w = json_object_get_int_member (object, "w");
      g_assert_cmpint (x, >=, 0);
      g_assert_cmpint (w, >=, 0);
      g_assert_cmpint (x + w, <=, 640);
    }
  }
}

static void
ten_thousand_boxes_are_one_record (void)
{
  g_autofree YvObjectFacts *objects = g_new (YvObjectFacts, 10000);

  for (guint i = 0; i < 10000; i++)
    objects[i] = dog;
  const YvFrameFacts facts = facts_of (objects, 10000);
  g_autofree char *text = write_record (&facts);
  g_assert_nonnull (strstr (text, "\"region_id\":9999"));
  g_assert_cmpuint (strlen (text), <, 10000 * 300);
}

static void
a_record_is_appended_and_its_memory_used_again (void)
{
  GString *text = g_string_new ("x");
  const YvFrameFacts facts = facts_of (&dog, 1);

  yv_record_write (&facts, text);
  g_assert_true (g_str_has_prefix (text->str, "x{\"objects\""));
  const gsize allocated = text->allocated_len;
  g_string_truncate (text, 0);
  yv_record_write (&facts, text);
  g_assert_cmpuint (text->allocated_len, ==, allocated);
  g_string_free (text, TRUE);
}

/* ---- digests -------------------------------------------------------------------------------- */

static void
moving_and_order_change_no_digest (void)
{
  YvObjectFacts objects[] = {dog, dog};
  YvFrameFacts facts = facts_of (objects, 2);

  objects[1].label = "cat";
  objects[1].id = 8;
  const uint64_t before = yv_record_digest (&facts);
  objects[0].x += 5;
  objects[0].confidence = 0.1;
  facts.sequence++;
  g_assert_cmpuint (yv_record_digest (&facts), ==, before);
  const YvObjectFacts first = objects[0];
  objects[0] = objects[1];
  objects[1] = first;
  g_assert_cmpuint (yv_record_digest (&facts), ==, before);
}

static void
coming_going_and_counting_change_the_digest (void)
{
  YvObjectFacts objects[] = {dog, dog};
  const double points[] = {0, 0, 1, 1};
  YvZoneFacts zone = {.name = "door", .points = points, .n_points = 2};
  YvFrameFacts facts = facts_of (objects, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
#define ASSERT_IS_NEW()                                                                            \
  do {                                                                                             \
    const uint64_t digest = yv_record_digest (&facts);                                             \
    g_assert_true (g_hash_table_add (seen, g_memdup2 (&digest, sizeof digest)));                   \
  } while (0)

  ASSERT_IS_NEW ();
  facts.n_objects = 2;
  ASSERT_IS_NEW ();
  objects[1].id = 9;
  ASSERT_IS_NEW ();
  objects[1].label = "cat";
  ASSERT_IS_NEW ();
  objects[1].label_id = 3;
  ASSERT_IS_NEW ();
  facts.n_objects = 0;
  ASSERT_IS_NEW ();
  facts.zones = &zone;
  facts.n_zones = 1;
  ASSERT_IS_NEW ();
  zone.entered = 1;
  ASSERT_IS_NEW ();
  zone.count = 1;
  ASSERT_IS_NEW ();
  zone.forward = 1;
  ASSERT_IS_NEW ();
#undef ASSERT_IS_NEW
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/record/" #name, name)
  TEST (an_object_has_the_fields_of_dl_streamer);
  TEST (a_frame_has_all_that_is_known);
  TEST (zones_and_lines_are_told);
  TEST (what_is_not_known_is_left_out);
  TEST (without_a_size_there_are_no_shares);
  TEST (predicted_objects_say_so);
  TEST (boxes_are_cut_to_the_frame);
  TEST (what_is_no_number_is_never_written);
  TEST (shares_stay_between_nought_and_one);
  TEST (text_is_escaped);
  TEST (any_record_is_json);
  TEST (ten_thousand_boxes_are_one_record);
  TEST (a_record_is_appended_and_its_memory_used_again);
  TEST (moving_and_order_change_no_digest);
  TEST (coming_going_and_counting_change_the_digest);
#undef TEST
  return g_test_run ();
}
