/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7publish.c - tells others what was found: files, MQTT, Kafka. */

/**
 * SECTION:element-yolov7publish
 * @title: yolov7publish
 * @short_description: publishes detections as JSON, to files, MQTT and Kafka
 * @see_also: yolov7
 *
 * yolov7publish writes a record, a JSON object, for each frame that was analysed, and lets all
 * buffers pass as they are, whatever their caps. The record has the schema of DL Streamer's
 * gvametaconvert, the properties have the names of gvametapublish, and this element stands for
 * both. gst/publish/record.h has every field.
 *
 * It reads what `yolov7` attaches, and where a frame has none of that, the objects of GStreamer's
 * analytics elements (since 1.24), or any GstVideoRegionOfInterestMeta; and the zones of a tracker.
 * Frames that nobody analysed have no record, also where the tracker predicts objects; what its
 * zones counted meanwhile is in the next record.
 *
 * A thread of its own carries the records. Neither a broker that is away nor a full disk holds the
 * stream or ends it: records wait, up to #GstYolov7Publish:queue-size and
 * #GstYolov7Publish:queue-bytes, then the oldest are dropped. What is wrong is told by a warning,
 * and by an info message when it is over; #GstYolov7Publish:stats counts. A record that was on its
 * way when a connection broke is sent again, with "redelivered": true; it has the same "run" and
 * "sequence" as before.
 *
 * At the end of the stream, and on the way to READY, records have #GstYolov7Publish:drain-timeout
 * to arrive. What is lost then is told by a warning.
 *
 * #GstYolov7Publish:when, #GstYolov7Publish:source and #GstYolov7Publish:tags may be changed while
 * playing and take effect with the next frame. Any other property set between READY and its end is
 * refused with a warning, and stays as it was.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt ! yolov7publish file-path=street.json ! fakesink
 * ]|
 * Writes what is found in a file to another one.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! yolov7 model-file=best.pt leaky=downstream \
 *   ! yolov7publish method=mqtt address=broker:1883 topic=cameras/door source=door when=on-change \
 *   ! fakesink
 * ]|
 * Tells an MQTT broker when somebody comes or goes.
 *
 * Since: 0.1
 */
#include "gst/gstyolov7publish.h"

#include "engine/yolov7.h"
#include "gst/facts.h"
#include "gst/publish/file.h"
#ifdef HAVE_RDKAFKA
#include "gst/publish/kafka.h"
#endif
#ifdef HAVE_MOSQUITTO
#include "gst/publish/mqtt.h"
#endif
#include "gst/publish/publisher.h"
#include "gst/publishreport.h"
#include "gst/publishsettings.h"

GST_DEBUG_CATEGORY_STATIC (yolov7_publish_debug);
#define GST_CAT_DEFAULT yolov7_publish_debug

/* ---- tables --------------------------------------------------------------------------------- */

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static const YvTransport *const transports[] = {
    [GST_YOLOV7_PUBLISH_FILE] = &yv_transport_file,
#ifdef HAVE_MOSQUITTO
    [GST_YOLOV7_PUBLISH_MQTT] = &yv_transport_mqtt,
#endif
#ifdef HAVE_RDKAFKA
    [GST_YOLOV7_PUBLISH_KAFKA] = &yv_transport_kafka,
#endif
    [GST_YOLOV7_PUBLISH_KAFKA + 1] = NULL,
};

#define REST_US 10000 /* records of up to so long go together */

/* Behind those of gst/publishsettings.h. */
#define PROP_STATS 1000

struct _GstYolov7Publish {
  GstBaseTransform parent;

  /* protected by the object lock */
  GstYolov7PublishSettings settings;
  YvPublisher *publisher; /* from start() to stop() */
  char *tags;             /* those of the settings in one line; NULL where they are no JSON */
  gboolean are_texts_new; /* source or tags were set since the streaming thread looked */
  YvPublisherStats last;  /* of the run before, while there is no publisher */
  guint64 n_frames;       /* that came in; of this run, or the last */
  guint64 n_silent;       /* those that nobody analysed */

  /* streaming thread only, from start() to stop() */
  GstYolov7Facts facts;
  GString *text; /* of the last record; kept for its memory */
  char *run, *used_source, *used_tags;
  guint width, height; /* px; 0 where the caps do not say */
  guint64 sequence;    /* of the last record */
  guint64 digest;      /* of the last record */
  gboolean has_digest;
  gboolean was_drained; /* at the end of the stream: its time was given */
};

G_DEFINE_FINAL_TYPE (GstYolov7Publish, gst_yolov7_publish, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (yolov7publish, "yolov7publish", GST_RANK_NONE, GST_TYPE_YOLOV7_PUBLISH)

/* ---- words for the user --------------------------------------------------------------------- */

static void
on_trouble (void *user_data, const GError *error)
{
  GST_ELEMENT_WARNING (user_data, RESOURCE, WRITE, ("Publishing: %s.", error->message), (NULL));
}

static void
on_recovery (void *user_data, const char *text)
{
  GST_ELEMENT_INFO (user_data, RESOURCE, WRITE, ("Publishing: %s.", text), (NULL));
}

static void
on_log (void *user_data, const char *text)
{
  GST_DEBUG_OBJECT (user_data, "%s", text);
}

static gboolean
fail_to_start (GstYolov7Publish *self, const GError *error)
{
  if (g_error_matches (error, YV_ERROR, YV_ERROR_IO))
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("Can't publish: %s.", error->message), (NULL));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("Can't publish: %s.", error->message),
                       ("'gst-inspect-1.0 yolov7publish' tells what its properties take"));
  return FALSE;
}

/* ---- properties ----------------------------------------------------------------------------- */

/* Tags that are no JSON are kept until start() says so. */
static void
take_property_locked (GstYolov7Publish *self, guint id, const GValue *value, GParamSpec *pspec,
                      char *tags)
{
  if (!gst_yolov7_publish_settings_set (&self->settings, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (self, id, pspec);
  if (g_str_equal (pspec->name, "tags")) {
    g_free (self->tags);
    self->tags = g_strdup (tags);
  }
  self->are_texts_new = TRUE;
}

static char *
tags_of_value (const GValue *value, GParamSpec *pspec, GError **error)
{
  const char *text = g_str_equal (pspec->name, "tags") ? g_value_get_string (value) : NULL;

  return text && *text ? yv_publish_tags (text, error) : NULL;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (object);
  g_autoptr (GError) error = NULL;
  g_autofree char *tags = tags_of_value (value, pspec, &error);

  GST_OBJECT_LOCK (self);
  const gboolean is_running = self->publisher != NULL;
  const gboolean is_fixed = is_running && !(pspec->flags & GST_PARAM_MUTABLE_PLAYING);
  if (!is_fixed && !(is_running && error))
    take_property_locked (self, id, value, pspec, tags);
  GST_OBJECT_UNLOCK (self);

  if (is_fixed)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                         ("%s can't be changed while records are published: it stays as it was. "
                          "Set it in READY.",
                          pspec->name),
                         (NULL));
  else if (is_running && error)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("The old tags stay: %s.", error->message),
                         (NULL));
}

static GstStructure *
make_stats_locked (GstYolov7Publish *self)
{
  const YvPublisherStats stats =
      self->publisher ? yv_publisher_stats (self->publisher) : self->last;

  return gst_yolov7_publish_report (self->n_frames, self->n_silent, &stats);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_STATS)
    g_value_take_boxed (value, make_stats_locked (self));
  else if (!gst_yolov7_publish_settings_get (&self->settings, id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *class)
{
  gst_yolov7_publish_settings_install (class);
  g_object_class_install_property (
      class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
                          "Frames, records, and what became of them, since the start",
                          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

/* ---- life ----------------------------------------------------------------------------------- */

static YvPublisher *
make_publisher (GstYolov7Publish *self, GstYolov7PublishSettings *settings, GError **error)
{
  const YvTransport *transport = transports[settings->method];
  const YvPublisherEvents events = {on_trouble, on_recovery, on_log, self};
  g_autofree char *tags = settings->tags ? yv_publish_tags (settings->tags, error) : NULL;

  if ((settings->tags && !tags) || !gst_yolov7_publish_settings_complete (settings, error))
    return NULL;
  if (!transport) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "this plugin was built without the library for this method. Install "
                 "libmosquitto-dev for mqtt, librdkafka-dev for kafka, and build it again");
    return NULL;
  }
  const YvTransportConfig config = yv_publish_config_transport (&settings->config);
  const YvPublisherOptions options = {
      .max_records = settings->queue_size,
      .max_bytes = settings->queue_bytes,
      .rest_us = REST_US,
      .max_wait_us = (int64_t) settings->config.max_wait_s * G_USEC_PER_SEC,
      .max_attempts = settings->config.max_attempts,
      .random_seed = g_random_int (),
  };
  return yv_publisher_new (transport, &config, &options, &events, error);
}

static gboolean
start (GstBaseTransform *base)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (base);
  g_auto (GstYolov7PublishSettings) settings = {0};
  g_autoptr (GError) error = NULL;

  GST_OBJECT_LOCK (self);
  gst_yolov7_publish_settings_copy (&self->settings, &settings);
  GST_OBJECT_UNLOCK (self);
  YvPublisher *publisher = make_publisher (self, &settings, &error);
  if (!publisher)
    return fail_to_start (self, error);

  gst_yolov7_facts_init (&self->facts);
  self->text = g_string_new (NULL);
  self->run = g_uuid_string_random ();
  self->sequence = 0;
  self->width = self->height = 0;
  self->has_digest = self->was_drained = FALSE;
  GST_OBJECT_LOCK (self);
  self->publisher = publisher;
  self->n_frames = self->n_silent = 0;
  self->are_texts_new = TRUE;
  GST_OBJECT_UNLOCK (self);
  yv_publisher_start (publisher);
  return TRUE;
}

/* Caps of any kind may say a size. */
static gboolean
set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (base);
  const GstStructure *s = gst_caps_get_structure (in, 0);
  gint width = 0, height = 0;
  (void) out;

  if (!gst_structure_get_int (s, "width", &width) || !gst_structure_get_int (s, "height", &height))
    width = height = 0;
  self->width = width > 0 && height > 0 ? (guint) width : 0;
  self->height = width > 0 && height > 0 ? (guint) height : 0;
  return TRUE;
}

static gint64
stream_time (GstBaseTransform *base, GstBuffer *buffer)
{
  if (base->segment.format != GST_FORMAT_TIME || !GST_BUFFER_PTS_IS_VALID (buffer))
    return -1;
  const guint64 ns =
      gst_segment_to_stream_time (&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  return ns <= G_MAXINT64 ? (gint64) ns : -1;
}

/* Takes what was set meanwhile. Returns: which frames have records */
static GstYolov7PublishWhen
take_changes (GstYolov7Publish *self, gboolean is_analysed)
{
  GST_OBJECT_LOCK (self);
  self->n_frames++;
  self->n_silent += is_analysed ? 0 : 1;
  if (self->are_texts_new) {
    g_free (self->used_source);
    g_free (self->used_tags);
    self->used_source = g_strdup (self->settings.source);
    self->used_tags = g_strdup (self->tags);
  }
  self->are_texts_new = FALSE;
  const GstYolov7PublishWhen when = self->settings.when;
  GST_OBJECT_UNLOCK (self);
  return when;
}

static gboolean
is_new (GstYolov7Publish *self, const YvFrameFacts *facts)
{
  const guint64 digest = yv_record_digest (facts);
  const gboolean differs = !self->has_digest || digest != self->digest;

  self->digest = digest;
  self->has_digest = TRUE;
  return differs;
}

static void
publish (GstYolov7Publish *self, YvFrameFacts *facts, gint64 timestamp_ns)
{
  facts->source = self->used_source;
  facts->tags = self->used_tags;
  facts->run = self->run;
  facts->sequence = ++self->sequence;
  facts->timestamp_ns = timestamp_ns;
  facts->system_us = g_get_real_time ();
  g_string_truncate (self->text, 0);
  yv_record_write (facts, self->text);
  GST_LOG_OBJECT (self, "record %" G_GUINT64_FORMAT ": %u objects", self->sequence,
                  facts->n_objects);
  yv_publisher_push (self->publisher, self->text->str, self->text->len);
}

static GstFlowReturn
transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (base);
  YvFrameFacts facts = {0};
  const gboolean is_analysed =
      gst_yolov7_facts_read (&self->facts, buffer, self->width, self->height, &facts);
  const GstYolov7PublishWhen when = take_changes (self, is_analysed);

  if (is_analysed && (is_new (self, &facts) || when == GST_YOLOV7_PUBLISH_EVERY_FRAME))
    publish (self, &facts, stream_time (base, buffer));
  return GST_FLOW_OK;
}

/* The end of a stream is told when its records have arrived, or time is up. */
static void
drain (GstYolov7Publish *self)
{
  GST_OBJECT_LOCK (self);
  const guint64 timeout_ns = self->settings.drain_timeout;
  GST_OBJECT_UNLOCK (self);
  self->was_drained = TRUE;
  if (!yv_publisher_drain (self->publisher, (gint64) (timeout_ns / 1000)))
    GST_INFO_OBJECT (self, "records are left at the end of the stream");
}

/* A flush may come from any thread, also while the element stops. */
static void
interrupt (GstYolov7Publish *self)
{
  GST_OBJECT_LOCK (self);
  if (self->publisher)
    yv_publisher_interrupt (self->publisher);
  GST_OBJECT_UNLOCK (self);
}

/* Behind a jump, or in another stream, the first frame is news, and records have time to arrive. */
static void
begin_anew (GstYolov7Publish *self)
{
  self->has_digest = FALSE;
  self->was_drained = FALSE;
}

static gboolean
sink_event (GstBaseTransform *base, GstEvent *event)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (base);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    drain (self);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START) {
    interrupt (self);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    yv_publisher_resume (self->publisher);
    begin_anew (self);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START ||
             GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    begin_anew (self);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_yolov7_publish_parent_class)->sink_event (base, event);
}

static gboolean
stop (GstBaseTransform *base)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (base);
  YvPublisher *publisher = self->publisher;

  GST_OBJECT_LOCK (self);
  const guint64 timeout_ns = self->was_drained ? 0 : self->settings.drain_timeout;
  GST_OBJECT_UNLOCK (self);
  const guint64 n_lost = yv_publisher_stop (publisher, (gint64) (timeout_ns / 1000));
  GST_OBJECT_LOCK (self);
  self->last = yv_publisher_stats (publisher);
  self->publisher = NULL;
  GST_OBJECT_UNLOCK (self);
  yv_publisher_free (publisher);
  if (n_lost > 0)
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
                         ("Publishing: %" G_GUINT64_FORMAT " records had not arrived when time was "
                          "up, and are lost. A longer drain-timeout would help, or what an earlier "
                          "warning says.",
                          n_lost),
                         (NULL));
  gst_yolov7_facts_clear (&self->facts);
  g_string_free (self->text, TRUE);
  g_clear_pointer (&self->run, g_free);
  g_clear_pointer (&self->used_source, g_free);
  g_clear_pointer (&self->used_tags, g_free);
  return TRUE;
}

static void
finalize (GObject *object)
{
  GstYolov7Publish *self = GST_YOLOV7_PUBLISH (object);

  gst_yolov7_publish_settings_clear (&self->settings);
  g_free (self->tags);
  G_OBJECT_CLASS (gst_yolov7_publish_parent_class)->finalize (object);
}

static void
gst_yolov7_publish_class_init (GstYolov7PublishClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (yolov7_publish_debug, "yolov7publish", 0, "publishes detections");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  install_properties (object);

  gst_element_class_set_static_metadata (element, "YOLOv7 publisher", "Analyzer/Metadata/Video",
                                         "Publishes detections as JSON, to files, MQTT and Kafka",
                                         "The gst-yolov7 authors");
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);

  transform->start = GST_DEBUG_FUNCPTR (start);
  transform->set_caps = GST_DEBUG_FUNCPTR (set_caps);
  transform->sink_event = GST_DEBUG_FUNCPTR (sink_event);
  transform->transform_ip = GST_DEBUG_FUNCPTR (transform_ip);
  transform->stop = GST_DEBUG_FUNCPTR (stop);
}

static void
gst_yolov7_publish_init (GstYolov7Publish *self)
{
  gst_yolov7_publish_settings_init (&self->settings);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
