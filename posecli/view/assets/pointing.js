/* Mouse, pen and finger on the picture: select people, drag joints. */

const REACH = { mouse: 12, pen: 14, touch: 24 }; // CSS pixels around a joint in which it can be caught
const LEAST_MOVE = 2; // CSS pixels; less is a click

class Pointing {
  #start = null; // where a drag began, CSS pixels

  constructor(view, picture) {
    this.view = view;
    this.picture = picture;
    const { canvas } = picture;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.cancel());
  }

  cancel() {
    this.view.drag = null;
    this.picture.canvas.classList.remove("dragging");
    this.view.redraw();
  }

  #down(event) {
    if (event.button !== 0) return;
    const at = this.#at(event);
    if (event.shiftKey) return this.view.placeJoint(this.picture.toVideo(at));
    const caught = this.#jointAt(at, REACH[event.pointerType] ?? REACH.mouse);
    if (!caught) return this.view.select(this.#trackAt(at));
    this.view.player.pause();
    this.view.select(this.view.recording.trackId[caught.row], caught.joint);
    this.#start = at;
    const [x, y] = this.picture.place(caught.row, caught.joint);
    this.view.drag = { ...caught, point: this.view.recording.point(caught.row, caught.joint), moved: false };
    this.view.drag.grip = [x - at[0], y - at[1]]; // the joint keeps its place under the pointer
    this.picture.canvas.setPointerCapture(event.pointerId);
    this.picture.canvas.classList.add("dragging");
  }

  #move(event) {
    const at = this.#at(event);
    const { drag } = this.view;
    if (!drag) {
      this.picture.canvas.classList.toggle("on-joint", this.#jointAt(at, REACH.mouse) !== null);
      return;
    }
    drag.moved ||= Math.hypot(at[0] - this.#start[0], at[1] - this.#start[1]) >= LEAST_MOVE;
    if (!drag.moved) return;
    drag.point = this.picture.toVideo([at[0] + drag.grip[0], at[1] + drag.grip[1]]);
    this.view.redraw();
  }

  #up() {
    const { drag } = this.view;
    this.cancel();
    if (drag?.moved) this.view.edits.moveJoint(drag.row, drag.joint, ...drag.point);
  }

  #at(event) {
    const bounds = this.picture.canvas.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  }

  /** The nearest joint in reach, one of the selected track if there is any. */
  #jointAt(at, reach) {
    let best = null;
    for (const row of this.view.visibleRows()) {
      const isSelected = this.view.recording.trackId[row] === this.view.track;
      this.view.recording.joints.forEach((_, joint) => {
        const place = this.picture.place(row, joint);
        if (!place) return;
        const distance = Math.hypot(place[0] - at[0], place[1] - at[1]);
        const cost = distance - (isSelected ? reach : 0);
        if (distance <= reach && (!best || cost < best.cost)) best = { row, joint, cost };
      });
    }
    return best && { row: best.row, joint: best.joint };
  }

  /** The track whose box is there, the smallest if there are several; null if there is none. */
  #trackAt([x, y]) {
    let best = null;
    for (const row of this.view.visibleRows()) {
      const box = this.picture.boxOf(row);
      if (!box || x < box[0] || y < box[1] || x > box[2] || y > box[3]) continue;
      const area = (box[2] - box[0]) * (box[3] - box[1]);
      if (!best || area < best.area) best = { area, track: this.view.recording.trackId[row] };
    }
    return best && best.track;
  }
}
