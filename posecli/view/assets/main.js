/* The page: what is selected and shown, and who has to be told. */

const STATUS_MS = 2500;

/** The state that everything on the page draws from. */
class View {
  frame = 0; // the last one that was on the screen
  isOnFrame = true; // whether that one is on the screen now
  track = null; // the selected track's id
  joint = 0;
  drag = null; // {row, joint, point, ...} while a joint is dragged
  hidden = new Set(); // track ids
  leastScore = 0.2;
  colourBy = "side";
  boxes = true;
  ids = true;
  #isDrawing = false;

  constructor(packed) {
    this.recording = new Recording(packed);
    this.tracks = this.recording.tracks();
    this.track = this.tracks.length ? this.tracks.reduce((a, b) => (b.rows.length > a.rows.length ? b : a)).id : null;
    this.joint = Math.max(0, this.recording.joints.indexOf("right_elbow"));
    this.span = new Span(this.recording, Infinity);
    this.edits = new Edits(this.recording, (label) => this.#onEdit(label));
    this.picture = new Picture(this, element("overlay"));
    this.pointing = new Pointing(this, this.picture);
    this.timeline = new Timeline(this, element("lanes"));
    this.plots = new Plots(this);
    this.panel = new Panel(this);
    this.player = this.#makePlayer();
  }

  /** The selected person on this frame; -1 if the track is not on it. */
  get row() { return this.track === null ? -1 : this.recording.rowOf(this.frame, this.track); }

  get canSplit() {
    const track = this.tracks.find(({ id }) => id === this.track);
    return track !== undefined && track.first < this.frame && this.frame <= track.last;
  }

  visibleRows() {
    if (!this.isOnFrame) return [];
    return this.recording.rowsOn(this.frame).filter((row) => !this.hidden.has(this.recording.trackId[row]));
  }

  #makePlayer() {
    const onFrame = (frame) => this.#onFrame(frame);
    const onState = () => this.#onState();
    const footage = element("footage");
    if (!footage) return new ClockPlayer(this.recording, onFrame, onState);
    const video = element("video");
    video.addEventListener("error", () => this.#onVideoError());
    Object.assign(video, { hidden: false, muted: true });
    const player = new VideoPlayer(this.recording, video, onFrame, onState);
    video.src = videoAddress(footage);
    element("sound-option").hidden = !("sound" in footage.dataset);
    footage.remove();
    return player;
  }

  #onVideoError() {
    element("notice").hidden = false;
    element("notice").textContent =
      "This browser cannot play the video, or it is not where it was. The poses are shown on black.";
    element("video").hidden = true;
    this.player = new ClockPlayer(this.recording, (frame) => this.#onFrame(frame), () => this.#onState());
  }

  #onFrame(frame) {
    this.isOnFrame = frame >= 0;
    if (frame >= 0 && frame !== this.frame) this.drag = null;
    if (frame >= 0) this.frame = frame;
    if (this.span.follow(this.recording.shownAt[this.frame] ?? 0)) this.#drawCharts();
    this.redraw();
  }

  #onState() {
    const { isPlaying } = this.player;
    element("play").textContent = isPlaying ? "❚❚" : "▶\uFE0E";
    element("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
  }

  #onEdit(label) {
    this.tracks = this.recording.tracks();
    if (!this.tracks.some(({ id }) => id === this.track)) this.track = null;
    say(label);
    this.drawData();
  }

  /** Everything that follows the frame, once before the screen is next drawn. */
  redraw() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.picture.draw();
      this.timeline.drawCursor();
      this.plots.drawCursor();
      this.panel.drawFrame();
      element("seek").value = this.frame;
      element("clock").textContent =
        `${clockText(this.recording.shownAt[this.frame])} · ${this.frame} / ${this.recording.frameCount - 1}`;
    });
  }

  /** Everything. */
  drawData() {
    const [tracks, frames] = [this.tracks.length, this.recording.frameCount];
    element("summary").textContent = `${frames} frames, ${tracks} ${tracks === 1 ? "track" : "tracks"}`;
    element("undo").disabled = !this.edits.canUndo;
    element("redo").disabled = !this.edits.canRedo;
    this.panel.drawData();
    this.#drawCharts();
    this.redraw();
  }

  #drawCharts() {
    this.timeline.drawData();
    this.plots.drawData();
  }

  seek(frame) { this.player.seek(Math.min(this.recording.frameCount - 1, Math.max(0, frame))); }
  step(frames) {
    this.player.pause();
    this.seek(this.player.frame + frames);
  }

  /** Goes a second back or on. */
  leap(seconds) {
    const { shownAt, frameCount } = this.recording;
    const frame = this.recording.frameAt(shownAt[this.player.frame] + seconds);
    this.seek(frame >= 0 ? frame : seconds < 0 ? 0 : frameCount - 1);
  }

  playOrPause() {
    if (this.player.isPlaying) this.player.pause();
    else this.player.play();
  }

  select(track, joint = this.joint) {
    Object.assign(this, { track, joint });
    this.drawData();
  }

  /** Selects a track, and goes to where it begins if it is not on this frame. */
  chooseTrack(track) {
    this.select(track.id);
    if (this.row < 0) this.seek(track.first);
  }

  toggle(id) {
    if (!this.hidden.delete(id)) this.hidden.add(id);
    this.timeline.drawData();
    this.redraw();
  }

  hide(ids) {
    this.hidden = new Set(ids);
    this.drawData();
  }

  split(id) {
    const fresh = this.edits.splitTrack(id, this.frame);
    if (fresh !== null) this.select(fresh);
  }

  placeJoint(point) { if (this.row >= 0) this.edits.moveJoint(this.row, this.joint, ...point); }
  removeJoint() {
    if (this.row >= 0 && this.recording.point(this.row, this.joint)) this.edits.removeJoint(this.row, this.joint);
  }

  save() {
    const name = this.recording.packed.name.replace(/\.\w+$/, "");
    download(correctedFile(this.recording, this.edits.labels), `${name}.corrected.json`);
    this.edits.markSaved();
    say(`${name}.corrected.json saved`);
  }

  setZoom(zoom) {
    const { width, height } = this.recording.packed;
    // As wide as there is room, unless that would be higher than the window has room for.
    const widest = `min(100%, 72vh * ${width / height})`;
    Object.assign(element("picture").style, { width: `calc(${zoom} * ${widest})`, aspectRatio: `${width} / ${height}` });
    this.redraw();
  }

  /** @returns whether the key means something. */
  onKey(event) {
    if (event.ctrlKey || event.metaKey) return this.#onCommand(event);
    const actions = {
      " ": () => this.playOrPause(),
      ArrowLeft: () => (event.shiftKey ? this.leap(-1) : this.step(-1)),
      ArrowRight: () => (event.shiftKey ? this.leap(1) : this.step(1)),
      Home: () => this.seek(0),
      End: () => this.seek(this.recording.frameCount - 1),
      Delete: () => this.removeJoint(),
      Escape: () => this.pointing.cancel(),
      "?": () => element("keys").showModal(),
    };
    return act(event, actions[event.key]);
  }

  #onCommand(event) {
    const actions = {
      z: () => (event.shiftKey ? this.edits.redo() : this.edits.undo()),
      y: () => this.edits.redo(),
      s: () => this.save(),
    };
    return act(event, actions[event.key.toLowerCase()]);
  }
}

/** Does what a key means instead of what the browser would do. */
function act(event, action) {
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}

/** Where the video is: a file, or what stands in this page. */
function videoAddress({ dataset, textContent }) {
  return dataset.url ?? URL.createObjectURL(new Blob([bytesOf(textContent)], { type: dataset.type }));
}

/** Says what was done, on the screen and to screen readers, for a moment. */
function say(text) {
  const status = element("status");
  status.textContent = text;
  status.classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => status.classList.remove("shown"), STATUS_MS);
}

/** Buttons, lists and keys of the page. */
function connect(view) {
  const on = (id, event, action) => element(id).addEventListener(event, (e) => action(e.target));
  on("play", "click", () => view.playOrPause());
  on("previous", "click", () => view.step(-1));
  on("next", "click", () => view.step(1));
  on("undo", "click", () => view.edits.undo());
  on("redo", "click", () => view.edits.redo());
  on("save", "click", () => view.save());
  on("help", "click", () => element("keys").showModal());
  on("seek", "input", (input) => view.seek(Number(input.value)));
  on("rate", "change", (input) => view.player.setRate(Number(input.value)));
  on("zoom", "change", (input) => view.setZoom(Number(input.value)));
  on("sound", "change", (input) => (element("video").muted = !input.checked));
  const set = (id, event, field, value) => on(id, event, (input) => {
    view[field] = value(input);
    view.redraw();
  });
  set("colour-by", "change", "colourBy", (input) => input.value);
  set("show-boxes", "change", "boxes", (input) => input.checked);
  set("show-ids", "change", "ids", (input) => input.checked);
  set("least-score", "input", "leastScore", (input) => Number(input.value));
  on("least-score", "input", (input) => (element("least-score-value").value = Number(input.value).toFixed(2)));
  on("range", "change", (input) => {
    view.span.setLength(Number(input.value));
    view.span.follow(view.recording.shownAt[view.frame]);
    view.drawData();
  });
  document.addEventListener("keydown", (event) => {
    // Where letters and arrows mean something already, only the commands are ours.
    const isField = event.target.matches("input[type=number], input[type=range], select, dialog *");
    const isButton = event.target.matches("button, input[type=checkbox]");
    if (isField && !event.ctrlKey && !event.metaKey) return;
    if (isButton && event.key === " ") return;
    view.onKey(event);
  });
  window.addEventListener("beforeunload", (event) => { if (!view.edits.isSaved) event.preventDefault(); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view.drawData());
  new ResizeObserver(() => view.drawData()).observe(document.querySelector("main"));
  new ResizeObserver(() => view.redraw()).observe(element("picture"));
}

const view = new View(JSON.parse(element("poses").textContent));
element("poses").remove();
element("seek").max = view.recording.frameCount - 1;
view.setZoom(1);
connect(view);
view.drawData();
