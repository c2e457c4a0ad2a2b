/* One lane a track: how sure its joints are at each time. */

const LANE = 22; // CSS pixels
const TALLEST = 16_000; // CSS pixels; browsers draw no higher canvas

class Timeline extends Chart {
  constructor(view, canvas) {
    super(view, canvas, 44);
    canvas.addEventListener("keydown", (event) => view.onKey(event));
  }

  get laneHeight() { return Math.max(1, Math.min(LANE, TALLEST / Math.max(1, this.view.tracks.length))); }

  drawData() {
    this.canvas.style.height = `${Math.max(1, this.view.tracks.length) * this.laneHeight}px`;
    this.canvas.setAttribute("aria-valuemax", this.view.recording.frameCount - 1);
    super.drawData();
  }

  drawCursor() {
    super.drawCursor();
    const { frame, recording } = this.view;
    this.canvas.setAttribute("aria-valuenow", frame);
    this.canvas.setAttribute("aria-valuetext", `frame ${frame}, ${clockText(recording.shownAt[frame])}`);
  }

  onPoint(x, y) {
    super.onPoint(x);
    const track = this.view.tracks[Math.floor(y / this.laneHeight)];
    if (track && track.id !== this.view.track) this.view.select(track.id);
  }

  paint(context) {
    this.view.tracks.forEach((track, i) => {
      const top = i * this.laneHeight;
      const isHidden = this.view.hidden.has(track.id);
      if (track.id === this.view.track) {
        context.fillStyle = themeColour("--line");
        context.fillRect(0, top, this.width, this.laneHeight);
      }
      context.globalAlpha = isHidden ? 0.3 : 1;
      this.#label(context, track, top);
      this.#bars(context, track, top, isHidden ? 0.3 : 1);
      context.globalAlpha = 1;
    });
  }

  #label(context, track, top) {
    context.fillStyle = themeColour("--text");
    context.textAlign = "right";
    context.fillText(track.id === NO_TRACK ? "–" : track.id, this.gutter - 8, top + this.laneHeight / 2);
  }

  /** A bar a pixel column: as high as the mean score of the frames in it, on a faint band where there are any. */
  #bars(context, track, top, opacity) {
    const height = this.laneHeight - 3;
    const columns = this.#columns(track);
    context.fillStyle = trackColour(track.id);
    for (const [x, { sum, count, width }] of columns) {
      context.globalAlpha = 0.22 * opacity;
      context.fillRect(x, top + 1.5, width, height);
      context.globalAlpha = opacity;
      const filled = (height * sum) / count;
      context.fillRect(x, top + 1.5 + height - filled, width, filled);
    }
  }

  #columns(track) {
    const { recording, span } = this.view;
    const columns = new Map();
    for (const row of track.rows) {
      const frame = recording.frameOfRow[row];
      const time = recording.shownAt[frame];
      const gap = Math.max(0, Math.min(recording.gapAfter(frame), 1)); // a long pause is no long picture
      if (time + gap < span.from || time > span.to) continue;
      const left = Math.max(this.gutter, Math.floor(this.x(time)));
      const width = Math.max(1, Math.floor(this.x(time + gap)) - left);
      const column = columns.get(left) ?? { sum: 0, count: 0, width: 0 };
      column.sum += recording.confidence(row);
      column.count += 1;
      column.width = Math.max(column.width, width);
      columns.set(left, column);
    }
    return columns;
  }
}
