/* The lists and buttons on the right: tracks, and the selected joint. */

class Panel {
  constructor(view) {
    this.view = view;
    view.recording.joints.forEach((joint, i) => element("joint").add(new Option(spoken(joint), i)));
    element("joint").addEventListener("change", (event) => view.select(view.track, Number(event.target.value)));
    element("show-all").addEventListener("click", () => view.hide([]));
    element("show-none").addEventListener("click", () => view.hide(view.tracks.map(({ id }) => id)));
    element("other-track").addEventListener("change", () => this.drawFrame());
    for (const axis of ["x", "y"]) element(`joint-${axis}`).addEventListener("change", () => this.#typed());
    element("remove-joint").addEventListener("click", () => view.removeJoint());
    this.#onTrack("split", (track) => view.split(track));
    this.#onTrack("delete-track", (track) => view.edits.deleteTrack(track));
    this.#onTrack("remove-person", () => view.edits.deletePerson(view.row));
    this.#onTrack("merge", (track) => view.edits.mergeTracks(track, this.other));
    this.#onTrack("swap", (track) => view.edits.swapTracks(track, this.other, view.frame));
  }

  #onTrack(id, act) { element(id).addEventListener("click", () => act(this.view.track)); }

  get other() { return element("other-track").value === "" ? null : Number(element("other-track").value); }

  /** After an edit or a selection. */
  drawData() {
    const { tracks, track } = this.view;
    element("tracks").replaceChildren(...tracks.map((one) => this.#item(one)));
    element("track-title").textContent = track === null ? "No track selected" : `Selected: ${trackName(track)}`;
    const { other } = this;
    const others = tracks.filter(({ id }) => id !== track && id !== NO_TRACK);
    element("other-track").replaceChildren(...others.map(({ id }) => new Option(`track ${id}`, id)));
    if (others.some(({ id }) => id === other)) element("other-track").value = other;
    element("joint").value = this.view.joint;
    this.drawFrame();
  }

  #item(track) {
    const item = document.createElement("li");
    item.classList.toggle("selected", track.id === this.view.track);
    const shown = document.createElement("input");
    Object.assign(shown, { type: "checkbox", checked: !this.view.hidden.has(track.id) });
    shown.setAttribute("aria-label", `show ${trackName(track.id)}`);
    shown.addEventListener("change", () => this.view.toggle(track.id));
    const choose = document.createElement("button");
    choose.type = "button";
    choose.setAttribute("aria-pressed", track.id === this.view.track);
    choose.addEventListener("click", () => this.view.chooseTrack(track));
    choose.append(...this.#cells(track));
    item.append(shown, choose);
    return item;
  }

  #cells(track) {
    const cell = (tag, className, text) => {
      const made = document.createElement(tag);
      Object.assign(made, { className, textContent: text });
      return made;
    };
    const swatch = cell("span", "swatch", "");
    swatch.style.background = trackColour(track.id);
    const name = track.id === NO_TRACK ? "none" : String(track.id);
    const length = `${track.seconds.toFixed(1)} s · ${track.rows.length} frames`;
    const meter = cell("meter", "", "");
    Object.assign(meter, { min: 0, max: 1, value: track.score, title: `mean score ${track.score.toFixed(2)}` });
    meter.setAttribute("aria-label", `mean score ${track.score.toFixed(2)}`);
    return [swatch, cell("span", "name", name), cell("span", "length", length), meter];
  }

  /** When another frame is shown. */
  drawFrame() {
    const { view, other } = this;
    const { row, track, joint, recording } = view;
    const isTrack = track !== null && track !== NO_TRACK;
    element("split").disabled = !isTrack || !view.canSplit;
    element("delete-track").disabled = track === null;
    element("remove-person").disabled = row < 0;
    element("merge").disabled = element("swap").disabled = !isTrack || other === null;
    const point = row < 0 ? null : recording.point(row, joint);
    for (const [i, axis] of ["x", "y"].entries()) {
      const input = element(`joint-${axis}`);
      input.disabled = row < 0;
      if (document.activeElement !== input) input.value = point ? point[i].toFixed(1) : "";
    }
    element("remove-joint").disabled = !point;
    element("joint-score").textContent = point ? `score ${recording.score(row, joint).toFixed(2)}` : "";
    element("joint-hint").textContent = this.#hint(row, point);
  }

  #hint(row, point) {
    if (this.view.track === null) return "Click a person, a track or a joint.";
    if (row < 0) return "This track is not on this frame.";
    return point ? "Drag it on the picture, or type its place." : "Not placed here: shift + click where it is.";
  }

  #typed() {
    const [x, y] = ["x", "y"].map((axis) => element(`joint-${axis}`).valueAsNumber);
    if (Number.isFinite(x) && Number.isFinite(y)) this.view.placeJoint([x, y]);
  }
}
