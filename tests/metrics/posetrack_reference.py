"""PoseTrack AP once more, slow and from the written rules alone, for scenes whose ignore regions are rectangles."""

import math

import numpy as np

from posecli.skeletons import POSETRACK17


def ap_by_joint(sequences):
    """Joint -> AP in per cent, of sequences in sorted order of their names."""
    predictions = {name: [] for name in POSETRACK17.keypoints}  # (score, right)
    labelled = dict.fromkeys(POSETRACK17.keypoints, 0)
    for _, moments in sorted(sequences.items()):
        for moment in moments:
            if moment.truth:
                _frame(moment, predictions, labelled)
    return {name: _ap(predictions[name], labelled[name]) for name in POSETRACK17.keypoints}


def _frame(moment, predictions, labelled):
    truth = [(joints, s.head) for s in moment.truth if (joints := _outside(s.joints, moment.ignored))]
    found = [joints for s in moment.found if (joints := _outside(s.joints, moment.ignored))]
    for joints, _ in truth:
        for name in joints:
            labelled[name] += 1
    best = []  # of each prediction: (share, person)
    for joints in found:
        shares = [len(_hits(joints, *person)) / len(person[0]) for person in truth]
        best.append((max(shares), shares.index(max(shares))) if shares else (0, None))
    for i, joints in enumerate(found):
        share, person = best[i]
        rivals = [s for s, p in best if p == person]
        wins = share > 0 and share == max(rivals) and best.index(best[i]) == i
        right = _hits(joints, *truth[person]) if wins else set()
        for name, (_, _, *score) in joints.items():
            number = score[0] if score and score[0] is not None else -9999
            predictions[name].append((number, name in right))


def _outside(joints, rectangles):
    kept = {}
    for name, (x, y, *score) in joints.items():
        inside = False
        for corners in rectangles:
            xs, ys = zip(*corners, strict=True)
            inside |= min(xs) < x < max(xs) and min(ys) < y < max(ys)
        if not inside:
            kept[name] = (x, y, *score)
    return kept


def _hits(joints, labels, head):
    size = 0.6 * math.hypot(head[2] - head[0], head[3] - head[1])
    return {
        name
        for name in joints.keys() & labels.keys()
        if math.dist(joints[name][:2], labels[name][:2]) / size <= 0.5
    }


def _ap(predictions, labelled):
    if not predictions:
        return 0.0
    if not labelled:
        return math.nan
    order = np.array([score for score, _ in predictions], float).argsort()[::-1]
    curve, right = [], 0
    for rank, i in enumerate(order, start=1):
        right += predictions[i][1]
        curve.append((right / labelled, right / rank))
    area, reached = 0.0, 0.0
    for recall, _ in curve:
        if recall > reached:
            area += (recall - reached) * max(p for r, p in curve if r >= recall)
            reached = recall
    return 100 * area
