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

/** Follows a video element: by the time of the very picture on the screen, where the browser tells it. */
class VideoPlayer {
  #origin = null; // the video's own time of its first picture, which is time 0 of the poses
  #target = null; // the frame that is wanted
  #asked = null; // the frame that the video was last sent to

  constructor(recording, video, onFrame, onState) {
    Object.assign(this, { recording, video, onFrame, onState });
    this.frame = 0;
    for (const event of ["play", "pause", "ended"]) video.addEventListener(event, () => onState());
    video.addEventListener("seeked", () => this.#arrive());
    if ("requestVideoFrameCallback" in video) this.#watch();
    else this.#poll();
  }

  get isPlaying() { return !this.video.paused && !this.video.ended; }

  play() { this.video.play().catch(() => this.onState()); }
  pause() { this.video.pause(); }
  setRate(rate) { this.video.playbackRate = rate; }

  seek(frame) {
    this.frame = frame; // steps that come before the picture count from here
    this.#target = frame;
    if (!this.video.seeking) this.#go();
  }

  #go() {
    // A little into the frame, so that rounding never ends up in the one before; the video may have more frames
    // than the poses, if only every n-th was looked at.
    const { recording } = this;
    const rate = recording.packed.video.frame_rate;
    this.#asked = this.#target;
    const inside = Math.min(recording.gapAfter(this.#target) / 4, rate ? 0.25 / rate : Infinity);
    this.video.currentTime = (this.#origin ?? 0) + recording.shownAt[this.#target] + inside;
  }

  #arrive() {
    if (this.#target !== this.#asked) return this.#go(); // another was wanted meanwhile
    this.#target = null;
    if (!this.isPlaying) this.#show(this.video.currentTime);
  }

  #watch() {
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      this.#origin ??= this.video.currentTime < 0.5 ? mediaTime : 0;
      this.#show(mediaTime);
      this.#watch();
    });
  }

  #poll() {
    this.#show(this.video.currentTime);
    requestAnimationFrame(() => this.#poll());
  }

  #show(seconds) {
    const frame = this.recording.frameAt(seconds - (this.#origin ?? 0));
    if (this.#target === null) this.frame = Math.max(0, frame);
    this.onFrame(frame);
  }
}
