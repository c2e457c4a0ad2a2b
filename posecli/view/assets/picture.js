/* The people on a canvas over the video. */

const OPAQUE_SCORE = 0.6; // from here on a joint is drawn without transparency
const FAINTEST = 0.25;
const OUTLINE = "rgba(10, 12, 16, .75)";

class Picture {
  constructor(view, canvas) {
    this.view = view;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** CSS pixels of a point of the video; pixel centres are at integers there. */
  toScreen([x, y]) {
    const { width, height } = this.view.recording.packed;
    return [((x + 0.5) * this.canvas.clientWidth) / width, ((y + 0.5) * this.canvas.clientHeight) / height];
  }

  toVideo([x, y]) {
    const { width, height } = this.view.recording.packed;
    return [(x * width) / this.canvas.clientWidth - 0.5, (y * height) / this.canvas.clientHeight - 0.5];
  }

  /** Where a joint is drawn, CSS pixels; null if it is not. A joint that is being dragged is under the pointer. */
  place(row, joint) {
    const { recording, drag } = this.view;
    if (drag?.row === row && drag.joint === joint) return this.toScreen(drag.point);
    const point = recording.point(row, joint);
    return point && recording.score(row, joint) >= this.view.leastScore ? this.toScreen(point) : null;
  }

  draw() {
    const density = fitCanvas(this.canvas);
    this.context.setTransform(density, 0, 0, density, 0, 0);
    this.context.clearRect(0, 0, this.canvas.clientWidth, this.canvas.clientHeight);
    this.context.lineCap = this.context.lineJoin = "round";
    const rows = this.view.visibleRows();
    for (const row of rows) this.#person(row);
    if (this.view.ids) for (const row of rows) this.#label(row);
  }

  /** The corners of a person's box on the screen; null if there is none. */
  boxOf(row) {
    const [x0, y0, x1, y1] = this.view.recording.box.subarray(4 * row, 4 * row + 4);
    return x1 > x0 && y1 > y0 ? [...this.toScreen([x0, y0]), ...this.toScreen([x1, y1])] : null;
  }

  #person(row) {
    const { recording, colourBy } = this.view;
    const isSelected = recording.trackId[row] === this.view.track;
    const own = trackColour(recording.trackId[row]);
    const box = this.boxOf(row);
    const width = box ? Math.min(5, Math.max(2, 0.014 * Math.sqrt((box[2] - box[0]) * (box[3] - box[1])))) : 2.5;
    if (box && this.view.boxes) this.#box(box, own, isSelected);
    const places = recording.joints.map((_, joint) => this.place(row, joint));
    const bySide = (colours, i) => (colourBy === "side" ? colours[i] : own);
    const { limbColours, keypointColours } = recording.packed;
    recording.limbs.forEach(([a, b], i) => {
      if (!places[a] || !places[b]) return;
      this.context.globalAlpha = Math.min(this.#opacity(row, a), this.#opacity(row, b));
      this.#line(places[a], places[b], bySide(limbColours, i), width);
    });
    places.forEach((place, joint) => {
      if (!place) return;
      this.context.globalAlpha = this.#opacity(row, joint);
      this.#dot(place, bySide(keypointColours, joint), width * (isSelected ? 1.35 : 1.1) + 0.5);
    });
    this.context.globalAlpha = 1;
    if (isSelected && places[this.view.joint]) this.#ring(places[this.view.joint], width * 1.35 + 5);
  }

  #opacity(row, joint) {
    return FAINTEST + (1 - FAINTEST) * Math.min(1, this.view.recording.score(row, joint) / OPAQUE_SCORE);
  }

  #line(from, to, colour, width) {
    for (const [paint, thickness] of [[OUTLINE, width + 2], [colour, width]]) {
      this.context.strokeStyle = paint;
      this.context.lineWidth = thickness;
      this.context.beginPath();
      this.context.moveTo(...from);
      this.context.lineTo(...to);
      this.context.stroke();
    }
  }

  #dot([x, y], colour, radius) {
    for (const [paint, size] of [[OUTLINE, radius + 1], [colour, radius]]) {
      this.context.fillStyle = paint;
      this.context.beginPath();
      this.context.arc(x, y, size, 0, 2 * Math.PI);
      this.context.fill();
    }
  }

  #ring([x, y], radius) {
    for (const [paint, thickness] of [[OUTLINE, 4], ["#ffffff", 2]]) {
      this.context.strokeStyle = paint;
      this.context.lineWidth = thickness;
      this.context.beginPath();
      this.context.arc(x, y, radius, 0, 2 * Math.PI);
      this.context.stroke();
    }
  }

  #box([x0, y0, x1, y1], colour, isSelected) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = isSelected ? 2.5 : 1.25;
    this.context.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }

  #label(row) {
    const id = this.view.recording.trackId[row];
    const box = this.boxOf(row);
    if (id === NO_TRACK || !box) return;
    const [text, height] = [String(id), 16];
    this.context.font = "600 11px system-ui, sans-serif";
    const width = this.context.measureText(text).width + 8;
    const x = Math.min(Math.max(0, box[0]), this.canvas.clientWidth - width);
    const y = box[1] >= height ? box[1] - height : Math.max(0, box[1]);
    this.context.fillStyle = trackColour(id);
    this.context.fillRect(x, y, width, height);
    this.context.fillStyle = "#10131a";
    this.context.textBaseline = "middle";
    this.context.fillText(text, x + 4, y + height / 2 + 0.5);
  }
}
