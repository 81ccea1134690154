// SPDX-License-Identifier: LGPL-2.1-or-later
// app.js - the page: which camera is watched, and what is told of it.

import { Classes, Objects, Streams, Zones, stateText, timeText } from './panels.js';
import { Overlay } from './overlay.js';
import { Player } from './player.js';
import { EXACT_S, Records } from './records.js';

const NATIVE_EXACT_S = 0.004; // dates of native players have whole ms
const PANELS_MS = 200; // numbers that change faster can't be read
const RETRY_MS = 2000;

const $ = (id) => document.getElementById(id);

const page = {
  cameras: [],
  run: null,
  chosen: null,
  entry: null, // of Records: what is drawn
  isAway: false, // the server does not answer
  video: 'loading',
  options: { boxes: true, labels: true, zones: true, byTrack: false, hidden: new Set() },
};

const video = $('video');
const canvas = $('overlay');
const records = new Records();
const overlay = new Overlay(canvas);
const player = new Player(video, (state) => { page.video = state; showNotice(); });
const streams = new Streams($('streams'), choose);
const classes = new Classes($('classes'), $('classes-empty'), redraw);
const zones = new Zones($('zones-card'), $('zones'));
const objects = new Objects($('objects'), $('objects-count'), $('objects-empty'));

// ---- what is drawn ------------------------------------------------------------------------------

function optionsNow() {
  return { ...page.options, hidden: classes.hidden };
}

function redraw() {
  overlay.fit();
  if (page.entry) overlay.draw(page.entry.record, optionsNow());
  else overlay.clear();
  // Which frame and which record that is: for whoever wants to check us.
  canvas.dataset.timestamp = page.entry ? String(page.entry.record.timestamp) : '';
  showPanels();
}

// The picture on the screen is now that of mediaTime.
function drawFrame(mediaTime) {
  const entry = records.at(player.timeOf(mediaTime), player.isNative ? NATIVE_EXACT_S : EXACT_S);
  const isOther = entry !== page.entry || overlay.fit();
  canvas.dataset.mediaTime = String(mediaTime);
  page.entry = entry;
  if (isOther) redraw();
}

// Called before the frame with that time is painted, so boxes and picture change together.
function followFrames() {
  if (!video.requestVideoFrameCallback) {
    const follow = () => { drawFrame(video.currentTime); requestAnimationFrame(follow); };
    requestAnimationFrame(follow);
    return;
  }
  const follow = (now, frame) => {
    drawFrame(frame.mediaTime);
    video.requestVideoFrameCallback(follow);
  };
  video.requestVideoFrameCallback(follow);
}

let panelsTimer = null;

function showPanels() {
  panelsTimer ??= setTimeout(() => {
    panelsTimer = null;
    const record = page.entry ? page.entry.record : { objects: [] };
    classes.show(record.objects);
    objects.show(record.objects.filter((object) => !classes.hidden.has(object.roi_type)),
      page.options.byTrack);
    if (record.zones || !page.entry) zones.show(record.zones || lastZones());
  }, PANELS_MS);
}

// Totals stay where they are while nothing is analysed.
function lastZones() {
  const last = records.list[records.list.length - 1];
  return (last && last.record.zones) || [];
}

// ---- what is said -------------------------------------------------------------------------------

function current() {
  return page.cameras.find((camera) => camera.name === page.chosen);
}

function noticeText() {
  const camera = current();
  if (page.isAway) return 'The server does not answer. Trying again.';
  if (!camera) return page.cameras.length ? 'Choose a camera.' : '';
  const reason = camera.reason ? ` ${camera.reason}` : '';
  if (camera.state === 'lost') return `No signal since ${timeText(camera.since)}.${reason}`;
  if (camera.state === 'failed') return `Analysis failed at ${timeText(camera.since)}.${reason}`;
  if (camera.state === 'connecting') return `Connecting to the camera.${reason}`;
  return page.video === 'loading' ? 'The video begins.' : '';
}

function showNotice() {
  const text = noticeText();
  const notice = $('notice');
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = text === '';
  const server = $('server');
  server.dataset.state = page.isAway ? 'away' : 'here';
  const said = page.isAway ? 'Server away' : 'Connected';
  if (server.textContent !== said) server.textContent = said;
}

let before = null; // the counters of 2 s ago, of the same camera

function rateOf(camera) {
  if (!before || before.name !== camera.name || camera.analysed < before.analysed) return null;
  const seconds = (camera.at - before.at) / 1000;
  return seconds > 0.5 ? (camera.analysed - before.analysed) / seconds : null;
}

function showFigures() {
  const camera = current();
  $('camera-title').textContent = page.chosen || 'No camera';
  if (!camera) {
    $('figures').textContent = '';
    return;
  }
  const parts = [stateText(camera)];
  const rate = rateOf(camera);
  if (rate !== null) parts.push(`${rate.toFixed(1)} analyses/s`);
  if (camera.state === 'playing' && page.video === 'playing' && !video.paused) {
    const now = camera.now_ns / 1e9 + (performance.now() - camera.at) / 1000;
    parts.push(`${Math.max(0, now - player.timeOf(video.currentTime)).toFixed(1)} s behind`);
  }
  $('figures').textContent = parts.join(' \u00b7 ');
}

// ---- what the server tells ----------------------------------------------------------------------

let source = null;
let retry = null;

function onCameras(event) {
  const { run, cameras } = JSON.parse(event.data);
  const at = performance.now();
  const old = current();
  page.isAway = false;
  if (page.run && page.run !== run) startAnew();
  page.run = run;
  if (old && at - (old.at || 0) > 1500) before = old;
  page.cameras = cameras.map((camera) => ({ ...camera, at }));
  const camera = current();
  if (camera) player.epoch = camera.epoch_us / 1e6;
  if (!page.chosen && cameras.length) choose(wantedName() || cameras[0].name);
  streams.show(page.cameras, page.chosen);
  showFigures();
  showNotice();
}

// The server is another process: nothing of what the one before told fits.
function startAnew() {
  records.clear();
  page.entry = null;
  redraw();
}

function onRecord(event) {
  let record;
  try {
    record = JSON.parse(event.data);
  } catch (error) {
    console.warn('a record that is no JSON', error);
    return;
  }
  records.add(record);
}

// EventSource comes back by itself after a break, but not after an answer that it did not like.
function listen() {
  clearTimeout(retry);
  if (source) source.close();
  const name = page.chosen ? `?camera=${encodeURIComponent(page.chosen)}` : '';
  source = new EventSource(`events${name}`);
  source.addEventListener('cameras', onCameras);
  source.addEventListener('record', onRecord);
  source.addEventListener('error', () => {
    page.isAway = true;
    showNotice();
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(listen, RETRY_MS);
  });
}

// ---- what the user does -------------------------------------------------------------------------

function wantedName() {
  const name = new URLSearchParams(window.location.hash.slice(1)).get('camera');
  return page.cameras.some((camera) => camera.name === name) ? name : null;
}

function choose(name) {
  if (name === page.chosen) return;
  page.chosen = name;
  before = null;
  window.history.replaceState(null, '', `#camera=${encodeURIComponent(name)}`);
  document.title = `${name} - Live cameras`;
  startAnew();
  classes.clear();
  zones.show([]);
  player.play(`cameras/${encodeURIComponent(name)}/live.m3u8`);
  streams.show(page.cameras, name);
  listen();
  showFigures();
}

function showPlaying() {
  $('play').textContent = video.paused ? 'Play' : 'Pause';
  $('play').setAttribute('aria-pressed', String(!video.paused));
}

function togglePlaying() {
  if (video.paused) player.resume();
  else video.pause();
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $('screen').requestFullscreen();
}

function bindSwitch(id, option) {
  const box = $(id);
  page.options[option] = box.checked; // browsers may remember it
  box.addEventListener('change', () => {
    page.options[option] = box.checked;
    redraw();
  });
}

function bind() {
  bindSwitch('show-boxes', 'boxes');
  bindSwitch('show-labels', 'labels');
  bindSwitch('show-zones', 'zones');
  bindSwitch('color-tracks', 'byTrack');
  $('classes-all').addEventListener('click', () => classes.setAll(true));
  $('classes-none').addEventListener('click', () => classes.setAll(false));
  $('play').addEventListener('click', togglePlaying);
  $('full').addEventListener('click', toggleFull);
  $('full').hidden = !$('screen').requestFullscreen;
  video.addEventListener('play', showPlaying);
  video.addEventListener('pause', showPlaying);
  video.addEventListener('resize', () => {
    $('stage').style.setProperty('--aspect', String(video.videoWidth / video.videoHeight));
  });
  window.addEventListener('hashchange', () => { const name = wantedName(); if (name) choose(name); });
  new ResizeObserver(redraw).observe(canvas);
  setInterval(showFigures, 1000);
}

bind();
followFrames();
listen();
