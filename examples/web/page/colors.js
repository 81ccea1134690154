// SPDX-License-Identifier: LGPL-2.1-or-later
// colors.js - the color of a class or a track: the same one that yolov7overlay gives it.

// A channel of a color of full value: 1 in the third of the wheel around it, low on the far side.
function channel(hue, center, low) {
  const turn = hue - center;
  const distance = Math.abs(turn - Math.round(turn)) * 6;
  const share = Math.min(Math.max(2 - distance, 0), 1);
  return Math.floor(255 * (low + (1 - low) * share) + 0.5);
}

const LOWS = [0.1, 0.45, 0.27];

// [red, green, blue] of a number, 0..255 each.
export function rgbOf(index) {
  const hue = (0.4 + index * 0.6180339887) % 1;
  const low = LOWS[Math.floor(index / 8) % LOWS.length];
  return [channel(hue, 0, low), channel(hue, 1 / 3, low), channel(hue, 2 / 3, low)];
}

// What g_str_hash() of GLib makes of a text: names that have no number get their color by it.
export function hashOf(text) {
  let hash = 5381;
  for (const byte of new TextEncoder().encode(text)) {
    const signed = byte < 128 ? byte : byte - 256;
    hash = (Math.imul(hash, 33) + signed) >>> 0;
  }
  return hash;
}

export function css([red, green, blue]) {
  return `rgb(${red}, ${green}, ${blue})`;
}

// Black or white, whatever can be read on a color (WCAG's relative luminance).
export function inkOn(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff';
}

// The color of an object of a record.
export function rgbOfObject(object, byTrack) {
  if (byTrack && object.id !== undefined) return rgbOf(object.id);
  const number = object.detection.label_id;
  return rgbOf(number === undefined ? hashOf(object.roi_type) : number);
}
