/* What the timeline and the plots share: sharp canvases, and a span of time from left to right. */

const element = (id) => document.getElementById(id);

/** Gives a canvas as many pixels as the screen shows of it. @returns how many make a CSS pixel. */
function fitCanvas(canvas) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * density), Math.round(canvas.clientHeight * density)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return density;
}

/** A colour of the page's style sheet, "--line" for instance. */
const themeColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** "1:02.40" */
function clockText(seconds) {
  const rest = (seconds % 60).toFixed(2).padStart(5, "0");
  return `${Math.floor(seconds / 60)}:${rest}`;
}

/** Which part of the clip is shown. */
class Span {
  constructor(recording, length) {
    const last = recording.frameCount - 1;
    this.first = recording.shownAt[0];
    this.end = recording.shownAt[last] + recording.gapAfter(last);
    this.setLength(length);
  }

  setLength(length) {
    this.length = Math.min(length, this.end - this.first);
    this.from = this.first;
  }

  get to() { return this.from + this.length; }

  /** Moves so that a time can be seen. @returns whether it had to. */
  follow(seconds) {
    if (seconds >= this.from && seconds < this.to) return false;
    const latest = Math.max(this.first, this.end - this.length);
    this.from = Math.min(latest, Math.max(this.first, seconds - this.length / 10));
    return true;
  }
}

/** A canvas with time from left to right, a still picture of the data and a cursor over it. */
class Chart {
  #still = document.createElement("canvas");

  /** @param gutter CSS pixels on the left for labels. */
  constructor(view, canvas, gutter) {
    this.view = view;
    this.canvas = canvas;
    this.gutter = gutter;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.onPoint(event.offsetX, event.offsetY);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.onPoint(event.offsetX, event.offsetY);
    });
  }

  get width() { return this.canvas.clientWidth; }
  get height() { return this.canvas.clientHeight; }

  x(seconds) {
    const { span } = this.view;
    return this.gutter + ((seconds - span.from) / span.length) * (this.width - this.gutter);
  }

  onPoint(x) {
    const { span, recording } = this.view;
    const share = Math.min(1, Math.max(0, (x - this.gutter) / (this.width - this.gutter)));
    const frame = recording.frameAt(Math.min(span.from + share * span.length, recording.shownAt.at(-1)));
    this.view.seek(Math.max(0, frame));
  }

  /** Draws the data anew, by the subclass's paint(context). */
  drawData() {
    if (!this.width) return;
    const density = fitCanvas(this.canvas);
    Object.assign(this.#still, { width: this.canvas.width, height: this.canvas.height });
    const context = this.#still.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    this.paint(context);
    this.drawCursor();
  }

  drawCursor() {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.canvas.width) return;
    context.drawImage(this.#still, 0, 0);
    const density = this.canvas.width / this.width;
    const x = this.x(this.view.recording.shownAt[this.view.frame]);
    context.fillStyle = themeColour("--text");
    context.fillRect((x - 0.75) * density, 0, 1.5 * density, this.canvas.height);
  }
}
