// SPDX-License-Identifier: LGPL-2.1-or-later
// records.js - what was found, by the time of the frame that it was found in.
//
// A record's "timestamp" (ns) and the media time of its frame in the video (s) are the same number:
// the server's encoder has the clock and the base time of the analysis, and writes that time into
// each segment. The media counts in 1/90000 s, browsers in us; so a frame and its record agree to
// less than 20 us, and frames are further apart than that.

const MOST = 2048; // a minute and a half at 25 frames a second
export const EXACT_S = 0.001;
const EXPIRE_S = 1; // as yolov7overlay: how long boxes stay on frames that nobody analysed
const BETWEEN_S = 3; // of two records that are so close what moved from one to the other is known

function mix(from, to, share) {
  return from + (to - from) * share;
}

// A tracked object on its way from where it was seen to where it will be.
function moved(object, later, share) {
  const from = object.detection.bounding_box;
  const to = later.detection.bounding_box;
  if (!from || !to) return object;
  const box = Object.fromEntries(Object.keys(from).map((key) => [key, mix(from[key], to[key], share)]));
  return { ...object, detection: { ...object.detection, bounding_box: box } };
}

// Whether it is what yolov7publish writes, as far as this page looks at it.
function isObject(object) {
  if (!object || typeof object.roi_type !== 'string' || !object.detection) return false;
  const box = object.detection.bounding_box;
  return !box || ['x_min', 'y_min', 'x_max', 'y_max'].every((key) => Number.isFinite(box[key]));
}

function isZone(zone) {
  return zone && typeof zone.name === 'string' && Array.isArray(zone.points)
    && zone.points.every((point) => Array.isArray(point) && point.every(Number.isFinite));
}

function isRecord(record) {
  return record && Number.isFinite(record.timestamp)
    && Array.isArray(record.objects) && record.objects.every(isObject)
    && (record.zones === undefined || (Array.isArray(record.zones) && record.zones.every(isZone)));
}

export class Records {
  constructor() {
    this.clear();
  }

  clear() {
    this.list = []; // by time
    this.run = null;
  }

  // Another run of the analysis has another time: what is known belongs to none of its frames.
  add(record) {
    if (!isRecord(record)) {
      console.warn('a record that is none', record);
      return;
    }
    if (record.run !== this.run) this.clear();
    this.run = record.run;
    const entry = { time: record.timestamp / 1e9, record };
    let at = this.list.length;
    while (at > 0 && this.list[at - 1].time > entry.time) at--;
    if (at > 0 && this.list[at - 1].time === entry.time) return; // told again after a break
    this.list.splice(at, 0, entry);
    if (this.list.length > MOST) this.list.splice(0, this.list.length - MOST);
  }

  // The record of the frame at a media time; or else of the last one before it that was analysed,
  // with its tracks moved to where they are by the next one.
  at(time, tolerance = EXACT_S) {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].time <= time + tolerance) low = middle + 1;
      else high = middle;
    }
    const before = this.list[low - 1];
    const after = this.list[low];
    if (!before) return null;
    const age = time - before.time;
    if (age <= tolerance) return before;
    if (after && after.time - before.time <= BETWEEN_S) return between(before, after, time);
    return age <= EXPIRE_S ? before : null;
  }
}

// Tracks on their way; what only one of the two knows is shown while that is the nearer one.
function between(before, after, time) {
  const share = (time - before.time) / (after.time - before.time);
  const later = new Map(after.record.objects.map((object) => [object.id, object]));
  later.delete(undefined);
  const known = before.record.objects.filter((object) => later.has(object.id));
  const ids = new Set(known.map((object) => object.id));
  const nearer = share < 0.5 ? before : after;
  const objects = [
    ...known.map((object) => moved(object, later.get(object.id), share)),
    ...nearer.record.objects.filter((object) => !ids.has(object.id)),
  ];
  return { time: before.time, record: { ...before.record, objects } };
}
