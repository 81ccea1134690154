/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/record.c - what is known of a frame, as one line of JSON. */
#include "gst/publish/record.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define REPLACEMENT "\357\277\275" /* U+FFFD */

/* ---- values --------------------------------------------------------------------------------- */

static void
write_uint (GString *text, uint64_t value)
{
  char digits[20]; /* 2^64 has 20 */
  size_t n = sizeof digits;

  do {
    digits[--n] = (char) ('0' + value % 10);
    value /= 10;
  } while (value > 0);
  g_string_append_len (text, digits + n, (gssize) (sizeof digits - n));
}

/* Six decimals are a hundredth of a pixel on any screen. */
static void
write_share (GString *text, double value)
{
  const uint32_t millionths = (uint32_t) lrint (CLAMP (value, 0, 1) * 1e6);
  char decimals[7];

  if (millionths == 0 || millionths == 1000000) {
    g_string_append_c (text, millionths == 0 ? '0' : '1');
    return;
  }
  size_t n = 6;
  for (uint32_t rest = millionths, i = 6; i-- > 0; rest /= 10)
    decimals[i] = (char) ('0' + rest % 10);
  while (decimals[n - 1] == '0')
    n--;
  g_string_append (text, "0.");
  g_string_append_len (text, decimals, (gssize) n);
}

/* Returns: how many bytes of @at are written by @text as they are, 0 for one that is no text. */
static size_t
write_character (GString *text, const char *at)
{
  static const char hex[] = "0123456789abcdef";
  const unsigned char c = (unsigned char) *at;

  if (c >= 0x80) {
    const gunichar unicode = g_utf8_get_char_validated (at, -1);
    const size_t n = unicode < 0x110000 ? g_utf8_skip[c] : 0;
    g_string_append_len (text, n > 0 ? at : REPLACEMENT, (gssize) (n > 0 ? n : 3));
    return n > 0 ? n : 1;
  }
  if (c == '"' || c == '\\') {
    g_string_append_c (text, '\\');
  } else if (c < 0x20) {
    g_string_append (text, "\\u00");
    g_string_append_c (text, hex[c >> 4]);
    g_string_append_c (text, hex[c & 15]);
    return 1;
  }
  g_string_append_c (text, (char) c);
  return 1;
}

static void
write_string (GString *text, const char *string)
{
  g_string_append_c (text, '"');
  while (*string)
    string += write_character (text, string);
  g_string_append_c (text, '"');
}

static void
write_key (GString *text, const char *key)
{
  if (text->str[text->len - 1] != '{')
    g_string_append_c (text, ',');
  g_string_append_c (text, '"');
  g_string_append (text, key);
  g_string_append (text, "\":");
}

static void
write_uint_field (GString *text, const char *key, uint64_t value)
{
  write_key (text, key);
  write_uint (text, value);
}

static void
write_share_field (GString *text, const char *key, double value)
{
  write_key (text, key);
  write_share (text, value);
}

static void
write_string_field (GString *text, const char *key, const char *value)
{
  write_key (text, key);
  write_string (text, value);
}

/* ---- objects -------------------------------------------------------------------------------- */

/* A box cut to its frame, px. */
typedef struct {
  double x0, y0, x1, y1;
} Cut;

/* Where the frame's size is not known, to what an int holds, which readers keep pixels in. */
static double
limit_of (uint32_t size_px)
{
  return size_px > 0 ? size_px : G_MAXINT32;
}

static Cut
cut_box (const YvObjectFacts *object, const YvFrameFacts *facts)
{
  const double w = limit_of (facts->width), h = limit_of (facts->height);

  return (Cut){
      .x0 = CLAMP (object->x, 0, w),
      .y0 = CLAMP (object->y, 0, h),
      .x1 = CLAMP (object->x + fmax (object->w, 0), 0, w),
      .y1 = CLAMP (object->y + fmax (object->h, 0), 0, h),
  };
}

static bool
is_box (const YvObjectFacts *object)
{
  return isfinite (object->x) && isfinite (object->y) && isfinite (object->w) &&
         isfinite (object->h);
}

static void
write_detection (GString *text, const YvObjectFacts *object, const Cut *cut,
                 const YvFrameFacts *facts)
{
  g_string_append_c (text, '{');
  if (facts->width > 0 && facts->height > 0) {
    write_key (text, "bounding_box");
    g_string_append_c (text, '{');
    write_share_field (text, "x_min", cut->x0 / facts->width);
    write_share_field (text, "y_min", cut->y0 / facts->height);
    write_share_field (text, "x_max", cut->x1 / facts->width);
    write_share_field (text, "y_max", cut->y1 / facts->height);
    g_string_append_c (text, '}');
  }
  if (isfinite (object->confidence) && object->confidence >= 0)
    write_share_field (text, "confidence", object->confidence);
  if (object->label)
    write_string_field (text, "label", object->label);
  if (object->label_id >= 0)
    write_uint_field (text, "label_id", (uint64_t) object->label_id);
  g_string_append_c (text, '}');
}

static void
write_object (GString *text, const YvObjectFacts *object, uint32_t index, const YvFrameFacts *facts)
{
  const Cut cut = cut_box (object, facts);
  const uint64_t x0 = (uint64_t) (cut.x0 + 0.5), y0 = (uint64_t) (cut.y0 + 0.5);

  g_string_append_c (text, '{');
  write_key (text, "detection");
  write_detection (text, object, &cut, facts);
  write_uint_field (text, "x", x0);
  write_uint_field (text, "y", y0);
  write_uint_field (text, "w", (uint64_t) (cut.x1 + 0.5) - x0);
  write_uint_field (text, "h", (uint64_t) (cut.y1 + 0.5) - y0);
  write_string_field (text, "roi_type", object->label ? object->label : "");
  write_uint_field (text, "region_id", index);
  if (object->id >= 0)
    write_uint_field (text, "id", (uint64_t) object->id);
  if (object->is_predicted) {
    write_key (text, "predicted");
    g_string_append (text, "true");
  }
  g_string_append_c (text, '}');
}

static void
write_objects (GString *text, const YvFrameFacts *facts)
{
  bool is_first = true;

  write_key (text, "objects");
  g_string_append_c (text, '[');
  for (uint32_t i = 0; i < facts->n_objects; i++) {
    if (!is_box (&facts->objects[i]))
      continue;
    if (!is_first)
      g_string_append_c (text, ',');
    is_first = false;
    write_object (text, &facts->objects[i], i, facts);
  }
  g_string_append_c (text, ']');
}

/* ---- zones ---------------------------------------------------------------------------------- */

static void
write_points (GString *text, const YvZoneFacts *zone)
{
  write_key (text, "points");
  g_string_append_c (text, '[');
  for (uint32_t i = 0; i < zone->n_points; i++) {
    g_string_append (text, i > 0 ? ",[" : "[");
    write_share (text, zone->points[2 * i]);
    g_string_append_c (text, ',');
    write_share (text, zone->points[2 * i + 1]);
    g_string_append_c (text, ']');
  }
  g_string_append_c (text, ']');
}

static void
write_zone (GString *text, const YvZoneFacts *zone)
{
  g_string_append_c (text, '{');
  write_string_field (text, "name", zone->name);
  write_string_field (text, "kind", zone->is_line ? "line" : "zone");
  write_points (text, zone);
  if (zone->is_line) {
    write_uint_field (text, "forward", zone->forward);
    write_uint_field (text, "backward", zone->backward);
  } else {
    write_uint_field (text, "count", zone->count);
    write_uint_field (text, "entered", zone->entered);
    write_uint_field (text, "left", zone->left);
    write_uint_field (text, "dwell_mean", zone->dwell_mean_ns);
    write_uint_field (text, "dwell_max", zone->dwell_max_ns);
  }
  g_string_append_c (text, '}');
}

static void
write_zones (GString *text, const YvFrameFacts *facts)
{
  write_key (text, "zones");
  g_string_append_c (text, '[');
  for (uint32_t i = 0; i < facts->n_zones; i++) {
    if (i > 0)
      g_string_append_c (text, ',');
    write_zone (text, &facts->zones[i]);
  }
  g_string_append_c (text, ']');
}

/* ---- the frame ------------------------------------------------------------------------------ */

/* ISO 8601, UTC; to the millisecond. */
static void
write_time (GString *text, int64_t us)
{
  const time_t s = (time_t) (us / G_USEC_PER_SEC);
  const uint64_t ms = (uint64_t) us / 1000 % 1000;
  struct tm parts;
  char date[32];

  gmtime_r (&s, &parts);
  g_string_append_c (text, '"');
  g_string_append_len (text, date,
                       (gssize) strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%S.", &parts));
  for (uint64_t unit = 100; unit > 0; unit /= 10)
    g_string_append_c (text, (char) ('0' + ms / unit % 10));
  g_string_append (text, "Z\"");
}

void
yv_record_write (const YvFrameFacts *facts, GString *text)
{
  g_string_append_c (text, '{');
  write_objects (text, facts);
  if (facts->width > 0 && facts->height > 0) {
    write_key (text, "resolution");
    g_string_append_c (text, '{');
    write_uint_field (text, "width", facts->width);
    write_uint_field (text, "height", facts->height);
    g_string_append_c (text, '}');
  }
  if (facts->source)
    write_string_field (text, "source", facts->source);
  if (facts->timestamp_ns >= 0)
    write_uint_field (text, "timestamp", (uint64_t) facts->timestamp_ns);
  if (facts->system_us >= 0) {
    write_key (text, "system_timestamp");
    write_time (text, facts->system_us);
  }
  if (facts->sender_ns >= 0) {
    write_key (text, "rtp");
    g_string_append_c (text, '{');
    write_uint_field (text, "sender_ntp_unix_timestamp_ns", (uint64_t) facts->sender_ns);
    g_string_append_c (text, '}');
  }
  if (facts->tags) {
    write_key (text, "tags");
    g_string_append (text, facts->tags);
  }
  if (facts->n_zones > 0)
    write_zones (text, facts);
  write_string_field (text, "run", facts->run);
  write_uint_field (text, "sequence", facts->sequence);
  g_string_append_c (text, '}');
}

/* ---- what counts as a change ---------------------------------------------------------------- */

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t
mix (uint64_t hash, const void *bytes, size_t n_bytes)
{
  for (size_t i = 0; i < n_bytes; i++)
    hash = (hash ^ ((const unsigned char *) bytes)[i]) * UINT64_C (0x100000001b3);
  return hash;
}

#define START UINT64_C (0xcbf29ce484222325)

/* Objects are added up, since their order says nothing. */
uint64_t
yv_record_digest (const YvFrameFacts *facts)
{
  uint64_t sum = mix (START, &facts->n_objects, sizeof facts->n_objects);

  for (uint32_t i = 0; i < facts->n_objects; i++) {
    const YvObjectFacts *object = &facts->objects[i];
    const char *label = object->label ? object->label : "";
    uint64_t hash = mix (START, label, strlen (label) + 1);
    hash = mix (hash, &object->label_id, sizeof object->label_id);
    sum += mix (hash, &object->id, sizeof object->id);
  }
  for (uint32_t i = 0; i < facts->n_zones; i++) {
    const YvZoneFacts *zone = &facts->zones[i];
    const uint64_t counts[] = {zone->count, zone->entered, zone->left, zone->forward,
                               zone->backward};
    sum = mix (sum, zone->name, strlen (zone->name) + 1);
    sum = mix (sum, counts, sizeof counts);
  }
  return sum;
}
