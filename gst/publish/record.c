/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/record.c - what is known of a frame, as one line of JSON. */
#include "gst/publish/record.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define REPLACEMENT "\357\277\275" /* U+FFFD */

#define PUT(text, literal) put (text, literal, sizeof (literal) - 1)
/* The first member of an object has no comma before it. */
#define PUT_KEY(text, key)                                                                         \
  (text->str[text->len - 1] == '{' ? PUT (text, "\"" key "\":") : PUT (text, ",\"" key "\":"))

/* ---- values --------------------------------------------------------------------------------- */

/* As g_string_append_len(), which newer versions of GLib compile into their users, too: a frame
 * takes hundreds of these. The zero at the end is left to yv_record_write(). */
static inline void
put (GString *text, const char *bytes, size_t n_bytes)
{
  if (text->len + n_bytes >= text->allocated_len) {
    text->str[text->len] = '\0';
    g_string_append_len (text, bytes, (gssize) n_bytes);
    return;
  }
  memcpy (text->str + text->len, bytes, n_bytes);
  text->len += n_bytes;
}

static inline void
put_char (GString *text, char c)
{
  put (text, &c, 1);
}

static void
write_uint (GString *text, uint64_t value)
{
  char digits[20]; /* 2^64 has 20 */
  size_t n = sizeof digits;

  do {
    digits[--n] = (char) ('0' + value % 10);
    value /= 10;
  } while (value > 0);
  put (text, digits + n, (sizeof digits - n));
}

/* Six decimals are a hundredth of a pixel on any screen. */
static void
write_share (GString *text, double value)
{
  const uint32_t millionths = (uint32_t) lrint (CLAMP (value, 0, 1) * 1e6);
  char decimals[7];

  if (millionths == 0 || millionths == 1000000) {
    put_char (text, millionths == 0 ? '0' : '1');
    return;
  }
  size_t n = 6;
  for (uint32_t rest = millionths, i = 6; i-- > 0; rest /= 10)
    decimals[i] = (char) ('0' + rest % 10);
  while (decimals[n - 1] == '0')
    n--;
  PUT (text, "0.");
  put (text, decimals, n);
}

static bool
is_plain (char c)
{
  return (unsigned char) c >= 0x20 && (unsigned char) c < 0x80 && c != '"' && c != '\\';
}

/* What has to be escaped, or is beyond ASCII. Returns: how many bytes of @at that was. */
static size_t
write_special (GString *text, const char *at)
{
  static const char hex[] = "0123456789abcdef";
  const unsigned char c = (unsigned char) *at;

  if (c >= 0x80) {
    const gunichar unicode = g_utf8_get_char_validated (at, -1);
    const size_t n = unicode < 0x110000 ? g_utf8_skip[c] : 0;
    put (text, n > 0 ? at : REPLACEMENT, (n > 0 ? n : 3));
    return n > 0 ? n : 1;
  }
  if (c >= 0x20) {
    put_char (text, '\\');
    put_char (text, (char) c);
    return 1;
  }
  PUT (text, "\\u00");
  put_char (text, hex[c >> 4]);
  put_char (text, hex[c & 15]);
  return 1;
}

static void
write_string (GString *text, const char *string)
{
  put_char (text, '"');
  while (*string) {
    size_t n = 0;
    while (is_plain (string[n]))
      n++;
    put (text, string, n);
    string += n;
    if (*string)
      string += write_special (text, string);
  }
  put_char (text, '"');
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
  put_char (text, '{');
  if (facts->width > 0 && facts->height > 0) {
    PUT_KEY (text, "bounding_box");
    put_char (text, '{');
    PUT_KEY (text, "x_min");
    write_share (text, cut->x0 / facts->width);
    PUT_KEY (text, "y_min");
    write_share (text, cut->y0 / facts->height);
    PUT_KEY (text, "x_max");
    write_share (text, cut->x1 / facts->width);
    PUT_KEY (text, "y_max");
    write_share (text, cut->y1 / facts->height);
    put_char (text, '}');
  }
  if (isfinite (object->confidence) && object->confidence >= 0) {
    PUT_KEY (text, "confidence");
    write_share (text, object->confidence);
  }
  if (object->label) {
    PUT_KEY (text, "label");
    write_string (text, object->label);
  }
  if (object->label_id >= 0) {
    PUT_KEY (text, "label_id");
    write_uint (text, (uint64_t) object->label_id);
  }
  put_char (text, '}');
}

static void
write_object (GString *text, const YvObjectFacts *object, uint32_t index, const YvFrameFacts *facts)
{
  const Cut cut = cut_box (object, facts);
  const uint64_t x0 = (uint64_t) (cut.x0 + 0.5), y0 = (uint64_t) (cut.y0 + 0.5);

  put_char (text, '{');
  PUT_KEY (text, "detection");
  write_detection (text, object, &cut, facts);
  PUT_KEY (text, "x");
  write_uint (text, x0);
  PUT_KEY (text, "y");
  write_uint (text, y0);
  PUT_KEY (text, "w");
  write_uint (text, (uint64_t) (cut.x1 + 0.5) - x0);
  PUT_KEY (text, "h");
  write_uint (text, (uint64_t) (cut.y1 + 0.5) - y0);
  PUT_KEY (text, "roi_type");
  write_string (text, object->label ? object->label : "");
  PUT_KEY (text, "region_id");
  write_uint (text, index);
  if (object->id >= 0) {
    PUT_KEY (text, "id");
    write_uint (text, (uint64_t) object->id);
  }
  if (object->is_predicted) {
    PUT_KEY (text, "predicted");
    PUT (text, "true");
  }
  put_char (text, '}');
}

static void
write_objects (GString *text, const YvFrameFacts *facts)
{
  bool is_first = true;

  PUT_KEY (text, "objects");
  put_char (text, '[');
  for (uint32_t i = 0; i < facts->n_objects; i++) {
    if (!is_box (&facts->objects[i]))
      continue;
    if (!is_first)
      put_char (text, ',');
    is_first = false;
    write_object (text, &facts->objects[i], i, facts);
  }
  put_char (text, ']');
}

/* ---- zones ---------------------------------------------------------------------------------- */

static void
write_points (GString *text, const YvZoneFacts *zone)
{
  PUT_KEY (text, "points");
  put_char (text, '[');
  for (uint32_t i = 0; i < zone->n_points; i++) {
    if (i > 0)
      put_char (text, ',');
    put_char (text, '[');
    write_share (text, zone->points[2 * i]);
    put_char (text, ',');
    write_share (text, zone->points[2 * i + 1]);
    put_char (text, ']');
  }
  put_char (text, ']');
}

static void
write_zone (GString *text, const YvZoneFacts *zone)
{
  put_char (text, '{');
  PUT_KEY (text, "name");
  write_string (text, zone->name);
  PUT_KEY (text, "kind");
  write_string (text, zone->is_line ? "line" : "zone");
  write_points (text, zone);
  if (zone->is_line) {
    PUT_KEY (text, "forward");
    write_uint (text, zone->forward);
    PUT_KEY (text, "backward");
    write_uint (text, zone->backward);
  } else {
    PUT_KEY (text, "count");
    write_uint (text, zone->count);
    PUT_KEY (text, "entered");
    write_uint (text, zone->entered);
    PUT_KEY (text, "left");
    write_uint (text, zone->left);
    PUT_KEY (text, "dwell_mean");
    write_uint (text, zone->dwell_mean_ns);
    PUT_KEY (text, "dwell_max");
    write_uint (text, zone->dwell_max_ns);
  }
  put_char (text, '}');
}

static void
write_zones (GString *text, const YvFrameFacts *facts)
{
  PUT_KEY (text, "zones");
  put_char (text, '[');
  for (uint32_t i = 0; i < facts->n_zones; i++) {
    if (i > 0)
      put_char (text, ',');
    write_zone (text, &facts->zones[i]);
  }
  put_char (text, ']');
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
  put_char (text, '"');
  put (text, date, strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%S.", &parts));
  for (uint64_t unit = 100; unit > 0; unit /= 10)
    put_char (text, (char) ('0' + ms / unit % 10));
  PUT (text, "Z\"");
}

void
yv_record_write (const YvFrameFacts *facts, GString *text)
{
  put_char (text, '{');
  write_objects (text, facts);
  if (facts->width > 0 && facts->height > 0) {
    PUT_KEY (text, "resolution");
    put_char (text, '{');
    PUT_KEY (text, "width");
    write_uint (text, facts->width);
    PUT_KEY (text, "height");
    write_uint (text, facts->height);
    put_char (text, '}');
  }
  if (facts->source) {
    PUT_KEY (text, "source");
    write_string (text, facts->source);
  }
  if (facts->timestamp_ns >= 0) {
    PUT_KEY (text, "timestamp");
    write_uint (text, (uint64_t) facts->timestamp_ns);
  }
  if (facts->system_us >= 0) {
    PUT_KEY (text, "system_timestamp");
    write_time (text, facts->system_us);
  }
  if (facts->sender_ns >= 0) {
    PUT_KEY (text, "rtp");
    put_char (text, '{');
    PUT_KEY (text, "sender_ntp_unix_timestamp_ns");
    write_uint (text, (uint64_t) facts->sender_ns);
    put_char (text, '}');
  }
  if (facts->tags) {
    PUT_KEY (text, "tags");
    put (text, facts->tags, strlen (facts->tags));
  }
  if (facts->n_zones > 0)
    write_zones (text, facts);
  PUT_KEY (text, "run");
  write_string (text, facts->run);
  PUT_KEY (text, "sequence");
  write_uint (text, facts->sequence);
  put_char (text, '}');
  text->str[text->len] = '\0';
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
