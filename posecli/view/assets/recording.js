/* The poses as flat arrays: one row a person on a frame, rows in order of frames. */

const CLOCK_TOLERANCE = 0.001; // seconds; browsers tell a frame's time in microseconds
const FALLBACK_RATE = 25; // frames a second, where nothing tells when a frame is shown
const NO_TRACK = 0; // the id of people in files that know no tracks

/** @param {string} base64 @returns {Uint8Array} */
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

class Recording {
  constructor(packed) {
    const array = (Kind, name) => new Kind(bytesOf(packed[name]).buffer);
    this.packed = packed;
    this.joints = packed.category.keypoints;
    this.limbs = packed.category.skeleton.map(([a, b]) => [a - 1, b - 1]);
    this.frameIndex = array(Float64Array, "frameIndex"); // (F)
    this.time = array(Float64Array, "time"); // (F) seconds, NaN where the file does not tell
    this.firstRow = array(Uint32Array, "firstRow"); // (F + 1)
    this.trackId = array(Float64Array, "trackId"); // (P)
    this.box = array(Float32Array, "box"); // (P, 4) corners
    this.boxScore = array(Float32Array, "boxScore"); // (P)
    this.keypoints = array(Float32Array, "keypoints"); // (P, K, 2) pixels
    this.scores = array(Float32Array, "scores"); // (P, K)
    this.isThere = new Uint8Array(this.trackId.length).fill(1); // (P) 0: deleted
    this.frameCount = this.frameIndex.length;
    this.frameOfRow = this.#framesOfRows();
    this.shownAt = this.#clock();
  }

  #framesOfRows() {
    const frames = new Uint32Array(this.trackId.length);
    for (let f = 0; f < this.frameCount; f++) frames.fill(f, this.firstRow[f], this.firstRow[f + 1]);
    return frames;
  }

  /** (F) seconds: the file's times, or a steady rate where they are missing or go backwards. */
  #clock() {
    const isGood = this.time.every((t, i) => Number.isFinite(t) && (i === 0 || t > this.time[i - 1]));
    if (isGood) return this.time;
    const rate = this.packed.video.frame_rate || FALLBACK_RATE;
    return Float64Array.from(this.frameIndex, (index) => index / rate);
  }

  /** Seconds from a frame to the next; the last one's is the one before's. */
  gapAfter(frame) {
    const f = Math.min(frame, this.frameCount - 2);
    return f < 0 ? 1 / FALLBACK_RATE : this.shownAt[f + 1] - this.shownAt[f];
  }

  /** The frame that is shown at a time; -1 before the first and after the last. */
  frameAt(seconds) {
    let low = 0;
    let high = this.frameCount; // the first frame that is shown later
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.shownAt[middle] <= seconds + CLOCK_TOLERANCE) low = middle + 1;
      else high = middle;
    }
    const last = this.frameCount - 1;
    const isOver = low - 1 === last && seconds > this.shownAt[last] + this.gapAfter(last) + CLOCK_TOLERANCE;
    return isOver ? -1 : low - 1;
  }

  /** The rows of the people on a frame. */
  rowsOn(frame) {
    const rows = [];
    if (frame < 0 || frame >= this.frameCount) return rows;
    for (let row = this.firstRow[frame]; row < this.firstRow[frame + 1]; row++) if (this.isThere[row]) rows.push(row);
    return rows;
  }

  /** The row of a track on a frame; -1 if it is not there. */
  rowOf(frame, id) {
    return this.rowsOn(frame).find((row) => this.trackId[row] === id) ?? -1;
  }

  /** [x, y] in pixels; null if the joint was not estimated. */
  point(row, joint) {
    const at = 2 * (row * this.joints.length + joint);
    const x = this.keypoints[at];
    const y = this.keypoints[at + 1];
    return Number.isFinite(x) && Number.isFinite(y) ? [x, y] : null;
  }

  /** 0 to 1; 0 where there is none. */
  score(row, joint) {
    return this.scores[row * this.joints.length + joint] || 0;
  }

  /** The mean score of a person's joints. */
  confidence(row) {
    let sum = 0;
    for (let joint = 0; joint < this.joints.length; joint++) sum += this.score(row, joint);
    return sum / this.joints.length;
  }

  /** The tracks in order of their ids, each with its rows in order of time. */
  tracks() {
    const rows = new Map();
    this.trackId.forEach((id, row) => {
      if (!this.isThere[row]) return;
      if (!rows.has(id)) rows.set(id, []);
      rows.get(id).push(row);
    });
    return [...rows].sort(([a], [b]) => a - b).map(([id, own]) => this.#track(id, own));
  }

  #track(id, rows) {
    const first = this.frameOfRow[rows[0]];
    const last = this.frameOfRow[rows.at(-1)];
    const score = rows.reduce((sum, row) => sum + this.confidence(row), 0) / rows.length;
    const seconds = this.shownAt[last] + this.gapAfter(last) - this.shownAt[first];
    return { id, rows, first, last, seconds, score };
  }
}

/** The colour that posecli render gives a track: neighbouring ids lie far apart on the colour wheel. */
function trackColour(id) {
  const golden = (Math.sqrt(5) - 1) / 2;
  const [hue, saturation, value] = [(((id * golden) % 1) + 1) % 1, 0.65, 0.95];
  const channel = (n) => {
    const k = (n + hue * 6) % 6;
    return Math.round(255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return `rgb(${channel(5)}, ${channel(3)}, ${channel(1)})`;
}

/** "left wrist" */
const spoken = (joint) => joint.replaceAll("_", " ");

/** "track 3", "people without a track" */
const trackName = (id) => (id === NO_TRACK ? "people without a track" : `track ${id}`);
