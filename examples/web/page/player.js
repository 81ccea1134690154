// SPDX-License-Identifier: LGPL-2.1-or-later
// player.js - plays an HLS stream of fragmented MP4, near its live edge, with Media Source
// Extensions; and lets the browser play it where it has none.
//
// A playlist is fetched twice a second, and what is new in it is appended. What can go wrong on the
// way (a server that is gone or starts anew, segments that left the list, another size, a full
// buffer, media that the browser does not take) ends in one of two ways: the next round goes on, or
// all begins anew at the live edge.

const POLL_MS = 500;
const RETRY_MS = 1000;
const FETCH_MS = 8000; // then a request counts as failed
const BEHIND_S = 1.6; // of the end of what is buffered, at the start: a segment and a round
const RUSH_S = 3.5; // from here on it plays faster, until it is there again
const JUMP_S = 8; // from here on it jumps
const KEPT_S = 10; // behind the picture that is shown

// Lines of a playlist: [{ init, uri, name, duration }], the oldest first.
export function parsePlaylist(text, base) {
  const segments = [];
  let init = null;
  let duration = 0;
  for (const line of text.split(/\r?\n/)) {
    const map = line.match(/^#EXT-X-MAP:.*URI="([^"]*)"/);
    if (map) init = new URL(map[1], base).href;
    else if (line.startsWith('#EXTINF:')) duration = parseFloat(line.slice(8));
    else if (line && !line.startsWith('#') && init)
      segments.push({ init, uri: new URL(line, base).href, duration });
  }
  return segments;
}

// "avc1.42c01f" out of the box avcC of an initialization; null where there is none.
export function codecOf(bytes) {
  for (let i = 4; i + 8 <= bytes.length; i++) {
    if (bytes[i] === 0x61 && bytes[i + 1] === 0x76 && bytes[i + 2] === 0x63 && bytes[i + 3] === 0x43) {
      const profile = [...bytes.slice(i + 5, i + 8)];
      return 'avc1.' + profile.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }
  }
  return null;
}

// What names of one run of the server have in common: RUN-NUMBER.
function runOf(uri) {
  return uri.slice(0, uri.lastIndexOf('-'));
}

// Leaves no listener behind: a camera may be watched for weeks.
export function wait(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

class Failure extends Error {}

export class Player {
  // told(state, reason): 'loading', 'playing', 'refused' (the server has no video, and says why), or
  // 'away' (it does not answer)
  constructor(video, told) {
    this.video = video;
    this.told = told;
    this.Source = window.ManagedMediaSource || window.MediaSource;
    this.isNative = !this.Source;
    this.isBlocked = false; // the browser waits for its user to begin
    this.epoch = null; // s since 1970 at media time 0: only native players need it
    this.run = null;
    video.addEventListener('error', () => { this.isBroken = true; });
    video.addEventListener('playing', () => { this.isBlocked = false; });
  }

  play(url) {
    this.stop();
    this.abort = new AbortController();
    this.url = new URL(url, window.location.href).href;
    const signal = this.abort.signal;
    (this.isNative ? this.runNative(signal) : this.runRounds(signal));
  }

  stop() {
    if (this.abort) this.abort.abort();
    this.abort = null;
    this.close();
  }

  // The media time of a frame, s, as records have it.
  timeOf(mediaTime) {
    if (!this.isNative) return mediaTime;
    const start = this.video.getStartDate ? this.video.getStartDate().getTime() / 1000 : NaN;
    return start + mediaTime - this.epoch;
  }

  // read(response) has as long as the answer: a body may stall, too. Nothing is asked for twice, so
  // nothing has to be in a cache.
  async fetch(url, signal, read) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), FETCH_MS);
    const ended = () => late.abort();
    signal.addEventListener('abort', ended);
    try {
      return await read(await fetch(url, { signal: late.signal, cache: 'no-store' }));
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', ended);
    }
  }

  async fetchBytes(url, signal) {
    return this.fetch(url, signal, async (response) => {
      if (!response.ok) throw new Failure(`${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    });
  }

  // Returns { segments, reason }: of none, why; '' where the video is only not there yet.
  async fetchPlaylist(signal) {
    return this.fetch(this.url, signal, async (response) => {
      const text = await response.text();
      if (response.ok) return { segments: parsePlaylist(text, this.url), reason: '' };
      if (response.status !== 503) throw new Failure(`${response.status}`);
      const isOurs = (response.headers.get('Content-Type') || '').startsWith('text/plain');
      return { segments: [], reason: isOurs ? text : '' }; // that of a proxy is a page
    });
  }

  // ---- Media Source -----------------------------------------------------------------------------

  async runRounds(signal) {
    this.told('loading');
    while (!signal.aborted) {
      try {
        // Who looks at a still picture needs no new ones, and the server may rest.
        const isHeld = this.source && this.video.paused && !this.isFresh;
        if (!isHeld) await this.runRound(signal);
        if (this.isBroken && !signal.aborted) this.close();
        await wait(POLL_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        // A piece that is gone, or media that are refused: all anew. No answer: what is here may go
        // on, and whether the server is the same one shows when it is back.
        const isAway = error instanceof TypeError || error.name === 'AbortError';
        if (!isAway) this.close();
        this.told(isAway ? 'away' : 'loading');
        await wait(RETRY_MS, signal);
      }
    }
  }

  async runRound(signal) {
    const { segments, reason } = await this.fetchPlaylist(signal);
    if (signal.aborted) return;
    if (segments.length) await this.takeNew(segments, signal);
    else this.told(reason ? 'refused' : 'loading', reason);
  }

  async takeNew(segments, signal) {
    if (this.run !== runOf(segments[0].uri)) this.close();
    this.run = runOf(segments[0].uri);
    let at = segments.findIndex((segment) => segment.uri === this.last) + 1;
    if (at === 0) {
      // The first time, or a tab that slept: at the live edge.
      this.isFresh = true;
      at = Math.max(0, segments.length - 2);
    }
    for (; at < segments.length && !signal.aborted; at++) await this.take(segments[at], signal);
    if (signal.aborted) return;
    this.steer();
    await this.trim();
    if (!signal.aborted) this.told('playing');
  }

  async take(segment, signal) {
    if (segment.init !== this.init) {
      const bytes = await this.fetchBytes(segment.init, signal);
      if (signal.aborted) return;
      await this.setUp(bytes, signal);
      if (signal.aborted) return;
      this.init = segment.init;
    }
    const bytes = await this.fetchBytes(segment.uri, signal);
    if (signal.aborted) return;
    await this.append(bytes);
    if (!signal.aborted) this.last = segment.uri;
  }

  // Another size or encoder comes with another initialization; time goes on.
  async setUp(bytes, signal) {
    const codec = codecOf(bytes);
    const type = `video/mp4; codecs="${codec}"`;
    if (!codec || !this.Source.isTypeSupported(type)) throw new Failure(`can't play ${codec}`);
    if (!this.source) await this.open(type);
    else if (type !== this.type) this.buffer.changeType(type);
    if (signal.aborted) return;
    this.type = type;
    await this.append(bytes);
  }

  open(type) {
    this.source = new this.Source();
    this.isBroken = false;
    this.video.disableRemotePlayback = true; // which a ManagedMediaSource asks for
    this.objectUrl = URL.createObjectURL(this.source);
    this.video.src = this.objectUrl;
    const source = this.source;
    return new Promise((resolve, reject) => {
      source.addEventListener('sourceopen', () => {
        if (source !== this.source) return reject(new Failure('closed'));
        this.buffer = source.addSourceBuffer(type);
        return resolve();
      }, { once: true });
    });
  }

  close() {
    this.init = this.last = this.run = this.type = null;
    this.buffer = this.source = null;
    this.isFresh = true;
    this.isBroken = false;
    if (!this.objectUrl) return;
    URL.revokeObjectURL(this.objectUrl);
    this.objectUrl = null;
    this.video.removeAttribute('src');
    this.video.load();
  }

  // Runs what a SourceBuffer does, and waits for its end.
  change(action) {
    const buffer = this.buffer;
    return new Promise((resolve, reject) => {
      const done = (event) => {
        buffer.removeEventListener('updateend', done);
        buffer.removeEventListener('error', done);
        if (event.type === 'error') reject(new Failure('media were refused'));
        else resolve();
      };
      buffer.addEventListener('updateend', done);
      buffer.addEventListener('error', done);
      try {
        action(buffer);
      } catch (error) {
        buffer.removeEventListener('updateend', done);
        buffer.removeEventListener('error', done);
        reject(error);
      }
    });
  }

  async append(bytes) {
    try {
      await this.change((buffer) => buffer.appendBuffer(bytes));
    } catch (error) {
      if (error.name !== 'QuotaExceededError') throw error;
      await this.trim(1);
      await this.change((buffer) => buffer.appendBuffer(bytes));
    }
  }

  async trim(kept = KEPT_S) {
    const { buffered, currentTime } = this.video;
    const end = currentTime - kept;
    if (!buffered.length || buffered.start(0) > end - 1) return;
    await this.change((buffer) => buffer.remove(0, end));
  }

  // Near the live edge, over gaps, and not where nothing is.
  steer() {
    const { video } = this;
    const { buffered } = video;
    if (!buffered.length) return;
    const last = buffered.length - 1;
    const edge = Math.max(buffered.start(last), buffered.end(last) - BEHIND_S);
    if (this.isFresh) {
      this.isFresh = false;
      video.currentTime = edge;
      this.start();
      return;
    }
    if (video.paused) return;
    const behind = buffered.end(last) - video.currentTime;
    if (behind > JUMP_S || behind < 0) video.currentTime = edge;
    else if (!this.isBuffered(video.currentTime)) this.skipGap();
    video.playbackRate = behind > RUSH_S || (behind > BEHIND_S + 0.4 && video.playbackRate > 1) ? 1.1 : 1;
  }

  isBuffered(time) {
    const { buffered } = this.video;
    for (let i = 0; i < buffered.length; i++)
      if (time >= buffered.start(i) && time < buffered.end(i)) return true;
    return false;
  }

  skipGap() {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) > currentTime) {
        this.video.currentTime = buffered.start(i);
        return;
      }
    }
  }

  // Browsers that let nothing play by itself wait for the button. Another refusal is of a source that
  // was taken away meanwhile.
  async start() {
    try {
      await this.video.play();
    } catch (error) {
      if (error.name === 'NotAllowedError') this.isBlocked = true;
    }
  }

  // After a pause: what comes now, not what came then.
  resume() {
    const { seekable } = this.video;
    this.last = null;
    if (this.isNative && seekable.length) this.video.currentTime = seekable.end(seekable.length - 1);
    this.start();
  }

  // ---- the browser's own player -------------------------------------------------------------------

  async runNative(signal) {
    this.told('loading');
    while (!signal.aborted) {
      try {
        const { segments, reason } = await this.fetchPlaylist(signal);
        if (signal.aborted) return;
        if (segments.length) this.keepNative(segments);
        else this.told(reason ? 'refused' : 'loading', reason);
        await wait(RETRY_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.told('away');
        await wait(RETRY_MS, signal);
      }
    }
  }

  keepNative(segments) {
    if (this.run !== runOf(segments[0].uri) || this.isBroken) {
      this.run = runOf(segments[0].uri);
      this.isBroken = false;
      this.video.src = this.url;
      this.start();
    }
    this.told('playing');
  }
}
