// SPDX-License-Identifier: LGPL-2.1-or-later
// overlay.js - draws a record over the picture: boxes, tags, zones.
//
// The canvas has the pixels of the screen, so lines are sharp; places are shares of the frame.
// An outline lies within its box, as yolov7overlay draws it.

import { css, inkOn, hashOf, rgbOf, rgbOfObject } from './colors.js';

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
  }

  // Returns whether it had another size; then it is empty.
  fit() {
    const scale = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * scale));
    this.scale = scale;
    if (this.canvas.width === width && this.canvas.height === height) return false;
    this.canvas.width = width;
    this.canvas.height = height;
    return true;
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  // options: { boxes, labels, zones, byTrack, isHidden(class name) }
  draw(record, options) {
    this.fit();
    this.clear();
    const { width, height } = this.canvas;
    this.line = Math.max(1.5 * this.scale, (width + height) / 900);
    this.font = Math.max(11 * this.scale, Math.min(18 * this.scale, (width + height) / 110));
    this.context.font = `600 ${this.font}px system-ui, sans-serif`;
    this.context.textBaseline = 'middle';
    this.context.lineJoin = 'miter';
    if (options.zones) (record.zones || []).forEach((zone) => this.drawZone(zone));
    if (!options.boxes) return;
    const shown = record.objects.filter((object) => !options.isHidden(object.roi_type));
    shown.slice().reverse().forEach((object) => this.drawBox(object, options));
    if (options.labels) shown.slice().reverse().forEach((object) => this.drawTag(object, options));
  }

  // Of an object, in pixels of the canvas.
  rectOf(object) {
    const box = object.detection.bounding_box;
    if (!box) return null;
    const { width, height } = this.canvas;
    const x = Math.round(box.x_min * width);
    const y = Math.round(box.y_min * height);
    return {
      x,
      y,
      w: Math.max(1, Math.round(box.x_max * width) - x),
      h: Math.max(1, Math.round(box.y_max * height) - y),
    };
  }

  drawBox(object, options) {
    const rect = this.rectOf(object);
    if (!rect) return;
    const line = Math.min(Math.round(this.line), rect.w / 2, rect.h / 2);
    this.context.strokeStyle = css(rgbOfObject(object, options.byTrack));
    this.context.lineWidth = line;
    this.context.setLineDash(object.predicted ? [4 * line, 3 * line] : []);
    this.context.strokeRect(rect.x + line / 2, rect.y + line / 2, rect.w - line, rect.h - line);
    this.context.setLineDash([]);
  }

  drawTag(object, options) {
    const rect = this.rectOf(object);
    if (!rect) return;
    const pieces = [object.roi_type];
    if (object.id !== undefined) pieces.push(`#${object.id}`);
    const confidence = object.detection.confidence;
    if (confidence !== undefined && !object.predicted) pieces.push(confidence.toFixed(2));
    this.tag(pieces.join(' '), rect.x, rect.y, rgbOfObject(object, options.byTrack));
  }

  // Above a place; below it where there is no room; within the picture.
  tag(text, x, y, rgb) {
    const pad = this.font * 0.35;
    const width = this.context.measureText(text).width + 2 * pad;
    const height = this.font * 1.4;
    const left = Math.max(0, Math.min(x, this.canvas.width - width));
    const top = Math.max(0, Math.min(y >= height ? y - height : y, this.canvas.height - height));
    this.context.fillStyle = css(rgb);
    this.context.fillRect(left, top, width, height);
    this.context.fillStyle = inkOn(rgb);
    this.context.fillText(text, left + pad, top + height / 2 + this.font * 0.05);
  }

  drawZone(zone) {
    const { width, height } = this.canvas;
    const points = zone.points.map(([x, y]) => [x * width, y * height]);
    if (points.length < 2) return;
    const rgb = rgbOf(hashOf(zone.name));
    const isLine = zone.kind === 'line';
    this.context.beginPath();
    points.forEach(([x, y]) => this.context.lineTo(x, y));
    if (!isLine) this.context.closePath();
    if (!isLine) {
      this.context.fillStyle = `rgba(${rgb.join(', ')}, 0.12)`;
      this.context.fill();
    }
    this.context.strokeStyle = css(rgb);
    this.context.lineWidth = this.line;
    this.context.stroke();
    const [x, y] = isLine ? middleOf(points) : topOf(points);
    this.tag(zoneText(zone), x, y, rgb);
  }
}

function middleOf(points) {
  const [first, last] = [points[0], points[points.length - 1]];
  return [(first[0] + last[0]) / 2, (first[1] + last[1]) / 2];
}

function topOf(points) {
  return points.reduce((top, point) => (point[1] < top[1] ? point : top));
}

function zoneText(zone) {
  if (zone.kind === 'line') return `${zone.name} >${zone.forward} <${zone.backward}`;
  return `${zone.name} ${zone.count} +${zone.entered} -${zone.left}`;
}
