/* Position, speed and angle of the selected joint over time. */

/** The indices of the joints that span a joint's angle; null if nothing does. */
function angleEnds(recording, joint) {
  const { joints, packed } = recording;
  const ends = (packed.angles[joints[joint]] ?? []).map((other) => joints.indexOf(other));
  return ends.length && !ends.includes(-1) ? ends : null;
}

/** Degrees, 0 to 180, between the lines from a point to two others. */
function angleBetween(at, a, b) {
  const [u, v] = [a, b].map((end) => [end[0] - at[0], end[1] - at[1]]);
  return (Math.abs(Math.atan2(u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1])) * 180) / Math.PI;
}

/** Everything that is plotted of a track's joint. Arrays have one number a frame, NaN where there is none. */
function motion(recording, track, joint) {
  const blank = () => new Float64Array(recording.frameCount).fill(NaN);
  const series = { x: blank(), y: blank(), speed: blank(), angle: blank() };
  const ends = angleEnds(recording, joint);
  for (const row of track?.rows ?? []) {
    const point = recording.point(row, joint);
    if (!point) continue;
    const frame = recording.frameOfRow[row];
    [series.x[frame], series.y[frame]] = point;
    const others = ends?.map((end) => recording.point(row, end));
    if (others?.every(Boolean)) series.angle[frame] = angleBetween(point, ...others);
  }
  const { x, y } = series;
  for (let f = 1; f < recording.frameCount - 1; f++) {
    // Central difference; NaN where a neighbour is missing.
    const seconds = recording.shownAt[f + 1] - recording.shownAt[f - 1];
    series.speed[f] = Math.hypot(x[f + 1] - x[f - 1], y[f + 1] - y[f - 1]) / seconds;
  }
  return series;
}

/** Lines over time, with the least and the largest value on the left. */
class Plot extends Chart {
  lines = []; // [colour, values (F)]

  constructor(view, canvas) { super(view, canvas, 44); }

  paint(context) {
    const [low, high] = this.#limits();
    const y = (value) => 8 + (1 - (value - low) / (high - low)) * (this.height - 16);
    context.fillStyle = themeColour("--soft");
    context.strokeStyle = themeColour("--line");
    context.textAlign = "right";
    for (const value of Number.isFinite(low) ? [low, (low + high) / 2, high] : []) {
      context.fillText(Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0), this.gutter - 6, y(value));
      context.beginPath();
      context.moveTo(this.gutter, y(value));
      context.lineTo(this.width, y(value));
      context.stroke();
    }
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    for (const [colour, values] of this.lines) this.#line(context, themeColour(colour), values, y);
  }

  #frames() {
    const { recording, span } = this.view;
    const first = Math.max(0, recording.frameAt(span.from));
    const last = recording.frameAt(span.to);
    return [first, last < 0 ? recording.frameCount - 1 : Math.min(recording.frameCount - 1, last + 1)];
  }

  #limits() {
    const [first, last] = this.#frames();
    let [low, high] = [Infinity, -Infinity];
    for (const [, values] of this.lines) {
      for (let f = first; f <= last; f++) {
        if (values[f] < low) low = values[f];
        if (values[f] > high) high = values[f];
      }
    }
    return high - low < 1 ? [low - 0.5, high + 0.5] : [low, high];
  }

  #line(context, colour, values, y) {
    const [first, last] = this.#frames();
    context.strokeStyle = context.fillStyle = colour;
    context.beginPath();
    for (let f = first; f <= last; f++) {
      if (Number.isNaN(values[f])) continue;
      const at = [this.x(this.view.recording.shownAt[f]), y(values[f])];
      if (f > first && !Number.isNaN(values[f - 1])) context.lineTo(...at);
      else context.moveTo(...at);
      if (Number.isNaN(values[f + 1]) && !(values[f - 1] >= -Infinity)) context.fillRect(at[0] - 1, at[1] - 1, 2, 2);
    }
    context.stroke();
  }
}

class Plots {
  constructor(view) {
    this.view = view;
    const plot = (id) => new Plot(view, element(id));
    Object.assign(this, { position: plot("position"), speed: plot("speed"), angle: plot("angle") });
  }

  drawData() {
    const { recording, tracks, track, joint } = this.view;
    this.motion = motion(recording, tracks.find(({ id }) => id === track), joint);
    this.position.lines = [["--x", this.motion.x], ["--y", this.motion.y]];
    this.speed.lines = [["--x", this.motion.speed]];
    this.angle.lines = [["--x", this.motion.angle]];
    const whose = track === null ? "select a track" : trackName(track);
    element("plots-title").textContent = `Motion of ${spoken(recording.joints[joint])}, ${whose}`;
    for (const plot of this.#all()) plot.drawData();
    this.#captions();
  }

  drawCursor() {
    for (const plot of this.#all()) plot.drawCursor();
    this.#captions();
  }

  #all() { return [this.position, this.speed, this.angle]; }

  #captions() {
    const { recording, frame, joint } = this.view;
    const now = (name, digits, unit) => {
      const value = this.motion[name][frame];
      return Number.isNaN(value) ? "–" : `${value.toFixed(digits)}${unit}`;
    };
    const ends = angleEnds(recording, joint)?.map((end) => spoken(recording.joints[end]));
    const caption = (name) => element(`${name}-caption`);
    caption("position").querySelector(".value-x").textContent = `x ${now("x", 1, " px")}`;
    caption("position").querySelector(".value-y").textContent = `y ${now("y", 1, " px")}`;
    caption("speed").textContent = `Speed: ${now("speed", 0, " px/s")}`;
    caption("angle").textContent = ends
      ? `Angle to ${ends.join(" and ")}: ${now("angle", 0, "°")}`
      : "Angle: none at this joint";
    for (const name of ["position", "speed", "angle"])
      element(name).setAttribute("aria-label", caption(name).textContent);
  }
}
