// SPDX-License-Identifier: LGPL-2.1-or-later
// panels.js - the lists beside the picture: cameras, classes, zones, objects.
//
// Rows are made once and changed, so that the focus stays where it is and nothing flickers. All text
// goes in as text: names come from files and models of others.

import { css, hashOf, rgbOf, rgbOfObject } from './colors.js';

const MOST_OBJECTS = 50; // rows; the number says how many there are

const STATES = {
  connecting: 'connecting',
  playing: 'live',
  lost: 'no signal',
  failed: 'analysis failed',
};

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Makes the children of a list those of the keys, in order; make(key) makes one that is missing.
function keepRows(list, keys, makeRow) {
  const rows = new Map([...list.children].map((row) => [row.dataset.key, row]));
  keys.forEach((key, i) => {
    let row = rows.get(key);
    if (!row) {
      row = makeRow(key);
      row.dataset.key = key;
    }
    rows.delete(key);
    if (list.children[i] !== row) list.insertBefore(row, list.children[i] || null);
  });
  rows.forEach((row) => row.remove());
  return [...list.children];
}

// The time of a day, with its date where that is not today.
export function timeText(ms) {
  const date = new Date(ms);
  const time = date.toLocaleTimeString([], { hourCycle: 'h23' });
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? time : `${date.toLocaleDateString()} ${time}`;
}

export function stateText(camera) {
  return STATES[camera.state] || camera.state;
}

export class Streams {
  constructor(list, choose) {
    this.list = list;
    this.choose = choose;
  }

  show(cameras, chosen) {
    const rows = keepRows(this.list, cameras.map((camera) => camera.name), (name) => {
      const row = make('li');
      const button = make('button', 'stream');
      button.type = 'button';
      button.append(make('span', 'dot'), make('span', 'name', name), make('span', 'state'));
      button.addEventListener('click', () => this.choose(name));
      row.append(button);
      return row;
    });
    cameras.forEach((camera, i) => {
      const button = rows[i].firstChild;
      button.dataset.state = camera.state;
      button.title = camera.reason || '';
      if (camera.name === chosen) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
      setText(button.querySelector('.state'), stateText(camera));
    });
  }
}

export class Classes {
  // changed(): another choice; isHidden() is what was chosen
  constructor(list, empty, changed) {
    this.list = list;
    this.empty = empty;
    this.changed = changed;
    this.isAllShown = true; // of those that nobody chose
    this.chosen = new Map(); // name -> whether it is shown
    this.known = new Map(); // name -> color
  }

  clear() {
    this.known.clear();
    this.show([]);
  }

  isHidden(name) {
    return !(this.chosen.get(name) ?? this.isAllShown);
  }

  // Also of classes that are not seen yet.
  setAll(isShown) {
    this.isAllShown = isShown;
    this.chosen.clear();
    this.list.querySelectorAll('input').forEach((box) => { box.checked = isShown; });
    this.changed();
  }

  set(name, isShown) {
    this.chosen.set(name, isShown);
    this.changed();
  }

  makeRow(name) {
    const row = make('li');
    const label = make('label', 'class');
    const box = make('input');
    box.type = 'checkbox';
    box.checked = !this.isHidden(name);
    box.addEventListener('change', () => this.set(name, box.checked));
    const swatch = make('span', 'swatch');
    swatch.style.backgroundColor = this.known.get(name);
    label.append(box, swatch, make('span', 'name', name), make('span', 'count'));
    row.append(label);
    return row;
  }

  show(objects) {
    const counts = new Map();
    for (const object of objects) {
      const name = object.roi_type;
      counts.set(name, (counts.get(name) || 0) + 1);
      if (!this.known.has(name)) this.known.set(name, css(rgbOfObject(object, false)));
    }
    const names = [...this.known.keys()].sort();
    const rows = keepRows(this.list, names, (name) => this.makeRow(name));
    names.forEach((name, i) =>
      setText(rows[i].querySelector('.count'), String(counts.get(name) || 0)));
    this.empty.hidden = names.length > 0;
  }
}

export class Zones {
  constructor(card, body) {
    this.card = card;
    this.body = body;
  }

  show(zones) {
    this.card.hidden = zones.length === 0;
    const rows = keepRows(this.body, zones.map((zone) => `${zone.kind} ${zone.name}`), () => {
      const row = make('tr');
      const name = make('th');
      name.scope = 'row';
      name.append(make('span', 'swatch'), make('span', 'name'));
      row.append(name, make('td', 'number'), make('td', 'number'), make('td', 'number'));
      return row;
    });
    zones.forEach((zone, i) => {
      const isLine = zone.kind === 'line';
      const [name, inside, into, out] = rows[i].children;
      name.firstChild.style.backgroundColor = css(rgbOf(hashOf(zone.name)));
      setText(name.lastChild, zone.name);
      setText(inside, isLine ? '\u2013' : String(zone.count));
      setText(into, String(isLine ? zone.forward : zone.entered));
      setText(out, String(isLine ? zone.backward : zone.left));
    });
  }
}

export class Objects {
  constructor(list, count, empty) {
    this.list = list;
    this.count = count;
    this.empty = empty;
  }

  show(objects, byTrack) {
    const keyed = objects.slice(0, MOST_OBJECTS).map((object) => [
      object.id === undefined ? `at ${object.region_id}` : `id ${object.id}`, object]);
    keyed.sort((a, b) => (a[1].id ?? -1) - (b[1].id ?? -1));
    const rows = keepRows(this.list, keyed.map(([key]) => key), () => {
      const row = make('li', 'object');
      row.append(make('span', 'swatch'), make('span', 'name'), make('span', 'id'),
        make('span', 'count'));
      return row;
    });
    keyed.forEach(([, object], i) => {
      const [swatch, name, id, confidence] = rows[i].children;
      swatch.style.backgroundColor = css(rgbOfObject(object, byTrack));
      rows[i].classList.toggle('predicted', Boolean(object.predicted));
      setText(name, object.roi_type);
      setText(id, object.id === undefined ? '' : `#${object.id}`);
      const share = object.detection.confidence;
      setText(confidence, object.predicted ? 'expected' : share === undefined ? '' : share.toFixed(2));
    });
    setText(this.count, String(objects.length));
    this.empty.hidden = objects.length > 0;
  }
}
