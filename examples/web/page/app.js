// SPDX-License-Identifier: LGPL-2.1-or-later
// app.js - the page: which camera is watched, and what is told of it.

import { Classes, Objects, Streams, Zones, setText, stateText, timeText } from './panels.js';
import { Overlay } from './overlay.js';
import { Player } from './player.js';
import { EXACT_S, Records } from './records.js';

const NATIVE_EXACT_S = 0.004; // dates of native players have whole ms
const PANELS_MS = 200; // numbers that change faster can't be read
const RETRY_MS = 2000;
const ASK_MS = 8000; // then the server counts as one that does not answer
const SILENT_MS = 8000; // of a server that tells something every 2 s: its host may be gone
const STILL_MS = 5000; // from here on a picture that does not move is told

const $ = (id) => document.getElementById(id);

const page = {
  cameras: [],
  run: null,
  chosen: null,
  entry: null, // of Records: what is drawn
  server: 'waiting', // or 'here'; 'away': it does not answer; 'full': it has no room for us
  video: 'loading', // see Player
  reason: '', // of the video, where the server says one
  options: { boxes: true, labels: true, zones: true, byTrack: false },
};

const video = $('video');
const canvas = $('overlay');
const records = new Records();
const overlay = new Overlay(canvas);
const player = new Player(video, onVideo);
const streams = new Streams($('streams'), choose);
const classes = new Classes($('classes'), $('classes-empty'), redraw);
const zones = new Zones($('zones-card'), $('zones'));
const objects = new Objects($('objects'), $('objects-count'), $('objects-empty'));

// ---- what is drawn ------------------------------------------------------------------------------

function optionsNow() {
  return { ...page.options, isHidden: (name) => classes.isHidden(name) };
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

// Called before the frame with that time is painted, so boxes and picture change together. The next
// call is asked for first: what fails on one frame is not to end it.
function followFrames() {
  if (!video.requestVideoFrameCallback) {
    const follow = () => { requestAnimationFrame(follow); drawFrame(video.currentTime); };
    requestAnimationFrame(follow);
    return;
  }
  const follow = (now, frame) => {
    video.requestVideoFrameCallback(follow);
    drawFrame(frame.mediaTime);
  };
  video.requestVideoFrameCallback(follow);
}

let panelsTimer = null;

function showPanels() {
  panelsTimer ??= setTimeout(() => {
    panelsTimer = null;
    const record = page.entry ? page.entry.record : { objects: [] };
    classes.show(record.objects);
    objects.show(record.objects.filter((object) => !classes.isHidden(object.roi_type)),
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

function onVideo(state, reason = '') {
  page.video = state;
  page.reason = reason;
  showNotice();
}

let moved = { time: -1, at: 0, date: 0 }; // when the picture last did

function watchPicture() {
  const isHeld = video.paused || document.hidden;
  if (isHeld || video.currentTime !== moved.time)
    moved = { time: video.currentTime, at: performance.now(), date: Date.now() };
}

function pictureText() {
  if (player.isBlocked) return 'This browser does not begin by itself: press Play.';
  if (page.video === 'loading') return 'The video begins.';
  if (page.video === 'refused') return `There is no video: ${page.reason}`;
  if (page.video === 'away') return 'The video does not come. Trying again.';
  const isStill = performance.now() - moved.at > STILL_MS;
  return isStill ? `The picture has stood still since ${timeText(moved.date)}.` : '';
}

function noticeText() {
  const camera = current();
  if (page.server === 'away') return 'The server does not answer. Trying again.';
  if (page.server === 'full')
    return 'The server has as many viewers as it takes: no boxes until one leaves. Trying again.';
  if (!camera) return page.cameras.length ? 'Choose a camera.' : '';
  const reason = camera.reason ? ` ${camera.reason}` : '';
  if (camera.state === 'lost') return `No signal since ${timeText(camera.since)}.${reason}`;
  if (camera.state === 'failed') return `Analysis failed at ${timeText(camera.since)}.${reason}`;
  if (camera.state === 'connecting') return `Connecting to the camera.${reason}`;
  return pictureText();
}

const SERVER = { waiting: 'Connecting', here: 'Connected', away: 'Server away', full: 'Server full' };

function showNotice() {
  setText($('notice'), noticeText());
  $('server').dataset.state = page.server;
  setText($('server'), SERVER[page.server]);
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
let heardAt = 0;

// What /cameras and the events of that name say. The camera that is watched may be gone.
function takeCameras({ run, cameras }) {
  const at = performance.now();
  const old = current();
  if (page.run && page.run !== run) startAnew();
  page.run = run;
  if (old && at - (old.at || 0) > 1500) before = old;
  page.cameras = cameras.map((camera) => ({ ...camera, at }));
  const camera = current();
  if (camera) player.epoch = camera.epoch_us / 1e6;
  else if (cameras.length) choose(wantedName() || cameras[0].name);
  streams.show(page.cameras, page.chosen);
  showFigures();
  showNotice();
}

function onCameras(event) {
  heardAt = performance.now();
  page.server = 'here';
  takeCameras(JSON.parse(event.data));
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

// Returns null where the server does not answer.
async function fetchCameras() {
  try {
    const answer = await fetch('cameras', { cache: 'no-store', signal: AbortSignal.timeout(ASK_MS) });
    return answer.ok ? await answer.json() : null;
  } catch (error) {
    return null;
  }
}

// EventSource does not come back after an answer that it did not like: of a server that does not know
// the camera, or has no room, or of a proxy without a server. It doesn't say which.
async function onRefused(refused) {
  const told = await fetchCameras();
  if (source !== refused) return;
  const isKnown = told && told.cameras.some((camera) => camera.name === page.chosen);
  page.server = isKnown ? 'full' : told ? 'here' : 'away';
  if (told) takeCameras(told);
  if (source !== refused) return; // another camera was chosen
  showNotice();
  retry = setTimeout(listen, RETRY_MS);
}

function onBroken() {
  if (this.readyState === EventSource.CLOSED) {
    onRefused(this);
    return;
  }
  page.server = 'away'; // it comes back by itself
  showNotice();
}

function listen() {
  clearTimeout(retry);
  if (source) source.close();
  const name = page.chosen ? `?camera=${encodeURIComponent(page.chosen)}` : '';
  heardAt = performance.now();
  source = new EventSource(`events${name}`);
  source.addEventListener('cameras', onCameras);
  source.addEventListener('record', onRecord);
  source.addEventListener('error', onBroken);
}

// A host that is gone does not say good-bye.
function watchServer() {
  if (source.readyState !== EventSource.OPEN || performance.now() - heardAt < SILENT_MS) return;
  page.server = 'away';
  listen();
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

function onSecond() {
  watchServer();
  watchPicture();
  showFigures();
  showNotice();
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
  setInterval(onSecond, 1000);
}

bind();
followFrames();
listen();
