/* What time it is: a video's clock, or a clock of our own where there is none.

   Both tell `onFrame` the frame that is on the screen now, -1 for none, and never one that is still to come. */

/** Goes through the frames by a clock of its own. */
class ClockPlayer {
  #clock = 0; // seconds
  #last = null; // when the clock was last advanced, milliseconds

  constructor(recording, onFrame, onState) {
    Object.assign(this, { recording, onFrame, onState });
    this.frame = 0;
    this.rate = 1;
    this.isPlaying = false;
    this.seek(0);
  }

  seek(frame) {
    this.frame = frame;
    this.#clock = this.recording.shownAt[frame] ?? 0;
    this.onFrame(frame);
  }

  play() {
    if (this.isPlaying) return;
    if (this.frame === this.recording.frameCount - 1) this.seek(0);
    this.isPlaying = true;
    this.#last = null;
    this.onState();
    requestAnimationFrame((now) => this.#tick(now));
  }

  pause() {
    this.isPlaying = false;
    this.onState();
  }

  setRate(rate) { this.rate = rate; }

  #tick(now) {
    if (!this.isPlaying) return;
    this.#clock += (this.rate * (now - (this.#last ?? now))) / 1000;
    this.#last = now;
    const last = this.recording.frameCount - 1;
    const frame = this.#clock > this.recording.shownAt[last] ? last : Math.max(0, this.recording.frameAt(this.#clock));
    if (frame !== this.frame) this.onFrame((this.frame = frame));
    if (frame === last) this.pause();
    else requestAnimationFrame((next) => this.#tick(next));
  }
}

const PICTURE_MS = 300; // how long to wait for a picture that may not come, since it is on the screen already
const FRACTIONS = [0.25, 0.75]; // of a frame's time on the screen: where to look for it

/** Follows a video element: by the time of the very picture on the screen, where the browser tells it.

    Browsers take a frame's duration from the file, which in MP4 is that of its place in decoding order: where the
    rate varies, they may show a neighbour of the frame that was asked for. So it is looked for again, later in the
    time that it is on the screen, until its own time is told. */
class VideoPlayer {
  #origin = null; // the video's own time of its first picture, time 0 of the poses; null until it is there
  #target = null; // the frame that is wanted
  #asked = null; // the frame that the video was last sent to
  #tries = 0;
  #shown = 0; // the time of the picture on the screen
  #isNew = false; // whether it came after the last search began
  #isToldTimes;

  constructor(recording, video, onFrame, onState) {
    Object.assign(this, { recording, video, onFrame, onState });
    this.frame = 0;
    this.#isToldTimes = "requestVideoFrameCallback" in video;
    for (const event of ["play", "pause", "ended"]) video.addEventListener(event, () => onState());
    video.addEventListener("seeked", () => this.#onSeeked());
    video.addEventListener("loadeddata", () => setTimeout(() => this.#begin(0), PICTURE_MS));
    if (this.#isToldTimes) this.#watch();
    else this.#poll();
  }

  get isPlaying() { return !this.video.paused && !this.video.ended; }

  play() {
    this.#target = null;
    this.video.play().catch(() => this.onState());
  }

  pause() { this.video.pause(); }
  setRate(rate) { this.video.playbackRate = rate; }

  seek(frame) {
    this.frame = frame; // steps that come before the picture count from here
    this.#target = frame;
    this.#tries = 0;
    if (this.#origin !== null && !this.video.seeking) this.#go();
  }

  /** The first picture is there; only from now on is it known where to look for others. */
  #begin(origin) {
    if (this.#origin !== null) return;
    this.#origin = origin;
    if (this.#target !== null) this.#go();
  }

  #go() {
    this.#asked = this.#target;
    this.#isNew = false;
    const begin = this.recording.shownAt[this.#target];
    this.video.currentTime = this.#origin + begin + this.#places(this.#target)[this.#tries++];
  }

  /** Seconds into a frame at which to look for it. Between two frames of the poses there may be others. */
  #places(frame) {
    const gap = this.recording.gapAfter(frame);
    const rate = this.recording.packed.video.frame_rate;
    const one = rate ? Math.min(gap, 1 / rate) : gap;
    return [one, gap].flatMap((length) => FRACTIONS.map((fraction) => fraction * length));
  }

  #onSeeked() {
    if (this.#target === null) return;
    if (this.#target !== this.#asked) return this.#go(); // another was wanted meanwhile
    if (!this.#isToldTimes) this.#target = null;
    else if (this.#isNew) this.#check();
    else setTimeout(() => this.#check(), PICTURE_MS);
  }

  /** Looks again for the frame that is wanted, if it is not the one on the screen. */
  #check() {
    if (this.#target === null || this.#target !== this.#asked || this.video.seeking) return;
    const isFound = this.#frameAt(this.#shown) === this.#target;
    if (isFound || this.isPlaying || this.#tries === this.#places(this.#target).length) this.#target = null;
    else this.#go();
  }

  #watch() {
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      this.#begin(mediaTime);
      this.#show(mediaTime);
      this.#check();
      this.#watch();
    });
  }

  #poll() {
    this.#show(this.video.currentTime);
    requestAnimationFrame(() => this.#poll());
  }

  #frameAt(seconds) { return this.recording.frameAt(seconds - (this.#origin ?? 0)); }

  #show(seconds) {
    this.#shown = seconds;
    this.#isNew = true;
    const frame = this.#frameAt(seconds);
    if (this.#target === null) this.frame = Math.max(0, frame);
    this.onFrame(frame);
  }
}
