/* Corrections, each of which can be undone. */

class Edits {
  #done = [];
  #undone = [];
  #savedAt = 0;

  /** @param onChange is told in words what has changed. */
  constructor(recording, onChange) {
    this.recording = recording;
    this.onChange = onChange;
  }

  get canUndo() { return this.#done.length > 0; }
  get canRedo() { return this.#undone.length > 0; }
  get isSaved() { return this.#done.length === this.#savedAt; }
  get labels() { return this.#done.map((edit) => edit.label); }

  markSaved() { this.#savedAt = this.#done.length; }

  /** @param changes each of an array's elements: [array, where, value]. */
  #apply(label, changes) {
    if (!changes.length) return;
    const edit = { label, changes: changes.map(([array, at, after]) => ({ array, at, after, before: array[at] })) };
    for (const { array, at, after } of edit.changes) array[at] = after;
    if (this.#savedAt > this.#done.length) this.#savedAt = -1; // what was saved can't be reached any more
    this.#done.push(edit);
    this.#undone = [];
    this.onChange(label);
  }

  undo() {
    const edit = this.#done.pop();
    if (!edit) return;
    for (const { array, at, before } of edit.changes.toReversed()) array[at] = before;
    this.#undone.push(edit);
    this.onChange(`undone: ${edit.label}`);
  }

  redo() {
    const edit = this.#undone.pop();
    if (!edit) return;
    for (const { array, at, after } of edit.changes) array[at] = after;
    this.#done.push(edit);
    this.onChange(`redone: ${edit.label}`);
  }

  /** A joint that a person has placed is certain: its score becomes 1. */
  moveJoint(row, joint, x, y) {
    const { keypoints, scores, joints } = this.recording;
    const at = row * joints.length + joint;
    this.#apply(`${spoken(joints[joint])} moved`, [
      [keypoints, 2 * at, x], [keypoints, 2 * at + 1, y], [scores, at, 1],
    ]);
  }

  removeJoint(row, joint) {
    const { keypoints, scores, joints } = this.recording;
    const at = row * joints.length + joint;
    this.#apply(`${spoken(joints[joint])} removed`, [
      [keypoints, 2 * at, NaN], [keypoints, 2 * at + 1, NaN], [scores, at, NaN],
    ]);
  }

  deletePerson(row) {
    this.#apply(`${trackName(this.recording.trackId[row])} deleted on one frame`, [[this.recording.isThere, row, 0]]);
  }

  deleteTrack(id) {
    this.#apply(`${trackName(id)} deleted`, this.#rows(id).map((row) => [this.recording.isThere, row, 0]));
  }

  /** The frames from one on become a new track. @returns its id; null if nothing is on one of the sides. */
  splitTrack(id, frame) {
    const rows = this.#rows(id);
    const later = rows.filter((row) => this.recording.frameOfRow[row] >= frame);
    if (!later.length || later.length === rows.length) return null;
    const fresh = this.recording.trackId.reduce((most, other) => Math.max(most, other), 0) + 1;
    this.#apply(`track ${id} split: track ${fresh} goes on`, later.map((row) => [this.recording.trackId, row, fresh]));
    return fresh;
  }

  /** The other track becomes part of the first, which stays as it is on frames that have both. */
  mergeTracks(id, other) {
    const { frameOfRow, isThere, trackId } = this.recording;
    const taken = new Set(this.#rows(id).map((row) => frameOfRow[row]));
    const changes = this.#rows(other).map((row) =>
      taken.has(frameOfRow[row]) ? [isThere, row, 0] : [trackId, row, id]);
    const lost = changes.filter(([array]) => array === isThere).length;
    const note = lost ? ` (it is dropped on ${lost} frames that had both)` : "";
    this.#apply(`track ${other} merged into ${id}${note}`, changes);
  }

  /** From a frame on, two tracks exchange their ids. */
  swapTracks(id, other, frame) {
    const { frameOfRow, trackId } = this.recording;
    const later = (track) => this.#rows(track).filter((row) => frameOfRow[row] >= frame);
    this.#apply(`tracks ${id} and ${other} swapped from here`, [
      ...later(id).map((row) => [trackId, row, other]), ...later(other).map((row) => [trackId, row, id]),
    ]);
  }

  #rows(id) {
    const rows = [];
    this.recording.trackId.forEach((track, row) => {
      if (track === id && this.recording.isThere[row]) rows.push(row);
    });
    return rows;
  }
}
