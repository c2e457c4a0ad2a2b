/* The corrected poses as posecli's own JSON (docs/formats.md, "coco"). */

const VISIBLE = 2; // COCO's v of an estimated keypoint
const LINES_AT_ONCE = 1000;

/** The shortest decimal number that becomes the same 32-bit number again: 0.1, not 0.10000000149011612. */
function shortest(value) {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** Corners to x, y, width, height, such that x + width is the corner again. */
function boxEntry(corners) {
  const [x0, y0, x1, y1] = Array.from(corners, shortest);
  const side = (low, high) => {
    const rounded = Number((high - low).toFixed(9));
    return Math.fround(low + rounded) === Math.fround(high) ? rounded : high - low;
  };
  return [x0, y0, side(x0, x1), side(y0, y1)];
}

function annotation(recording, row, id) {
  const keypoints = [];
  const scores = [];
  recording.joints.forEach((_, joint) => {
    const point = recording.point(row, joint);
    const score = recording.scores[row * recording.joints.length + joint];
    keypoints.push(...(point ? [...point.map(shortest), VISIBLE] : [0, 0, 0]));
    scores.push(point && Number.isFinite(score) ? shortest(score) : null);
  });
  return {
    id,
    image_id: recording.frameIndex[recording.frameOfRow[row]],
    category_id: recording.packed.category.id,
    track_id: recording.trackId[row],
    bbox: boxEntry(recording.box.subarray(4 * row, 4 * row + 4)),
    score: shortest(recording.boxScore[row]),
    keypoints,
    keypoint_scores: scores,
    num_keypoints: keypoints.filter((_, i) => i % 3 === 2 && keypoints[i]).length,
  };
}

function image(recording, frame) {
  const { packed } = recording;
  const time = recording.time[frame];
  return {
    id: recording.frameIndex[frame],
    video_id: packed.video.id,
    file_name: packed.pictureNames[frame],
    frame_index: recording.frameIndex[frame],
    time_s: Number.isFinite(time) ? time : null,
    width: packed.video.width,
    height: packed.video.height,
  };
}

/** The lines of a JSON list, many to a string. */
function* listed(entries) {
  let lines = [];
  let separator = "";
  for (const entry of entries) {
    lines.push(separator + JSON.stringify(entry));
    separator = ",\n";
    if (lines.length === LINES_AT_ONCE) {
      yield lines.join("");
      lines = [];
    }
  }
  yield lines.join("");
}

function* annotations(recording) {
  let id = 0;
  for (let frame = 0; frame < recording.frameCount; frame++)
    for (const row of recording.rowsOn(frame)) yield annotation(recording, row, ++id);
}

function* images(recording) {
  for (let frame = 0; frame < recording.frameCount; frame++) yield image(recording, frame);
}

/** @param corrections what was done, in words; it is told in the file's provenance. @returns {Blob} */
function correctedFile(recording, corrections) {
  const { packed } = recording;
  const earlier = Array.isArray(packed.info.corrections) ? packed.info.corrections : [];
  const info = corrections.length ? { ...packed.info, corrections: [...earlier, ...corrections] } : packed.info;
  const parts = [
    `{"info":${JSON.stringify(info)},\n"videos":[${JSON.stringify(packed.video)}],\n"images":[\n`,
    ...listed(images(recording)),
    '],\n"annotations":[\n',
    ...listed(annotations(recording)),
    `],\n"categories":[${JSON.stringify(packed.category)}]}\n`,
  ];
  return new Blob(parts, { type: "application/json" });
}

/** Hands a file to the user as a download. */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
