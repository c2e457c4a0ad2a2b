"""What people do: joint angles as smooth functions of time, each with a random style.

A motion is a function of the time in seconds that returns a Pose facing the camera; where the person stands
and which way it faces belongs to the scene. Amplitudes and phases are drawn once, so it is a pure function.
Gait curves follow the joint angles of normal walking in Winter (hip +-22 degrees, waves of the knee of 18 and
60 degrees).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from posecli.data.synthetic.body import Array, Figure, Pose, Proportions, limit, pose_figure

PoseFunction = Callable[[float], Pose]
TAU = 2 * np.pi


@dataclass(frozen=True, slots=True)
class Motion:
    """A pose function and how fast it carries the person forwards, in statures a second."""

    name: str
    pose: PoseFunction
    speed: float = 0.0

    def __call__(self, time_s: float) -> Pose:
        return limit(self.pose(time_s))

    def figure(self, body: Proportions, time_s: float, yaw: float) -> Figure:
        """The body at a time, turned by yaw, standing at the origin."""
        pose = self(time_s)
        return pose_figure(body, replace(pose, yaw=pose.yaw + yaw))


@dataclass(frozen=True, slots=True)
class Sway:
    """Slow aperiodic drift: a sum of three sines with random frequencies, in -1..1."""

    frequencies: Array
    phases: Array

    @classmethod
    def random(cls, rng: np.random.Generator, fastest: float = 0.7) -> Sway:
        return cls(rng.uniform(0.15, 1, 3) * fastest, rng.uniform(0, TAU, 3))

    def __call__(self, time_s: float) -> float:
        return float(np.sin(TAU * self.frequencies * time_s + self.phases).mean())


def _bump(phase: Array, centre: float, width: float) -> Array:
    """A smooth bump of height 1 on the circle of phases 0..1."""
    distance = (phase - centre + 0.5) % 1 - 0.5
    return np.exp(-np.square(distance / width))


def _pair(value: float) -> Array:
    return np.array([value, value])


def stand(rng: np.random.Generator) -> Motion:
    """Standing about: the weight shifts, the head looks around, hands hang, rest on hips or are folded."""
    sways = [Sway.random(rng) for _ in range(6)]
    hips, folded = rng.random() < 0.2, rng.random() < 0.15
    spread = rng.uniform(0.03, 0.2)
    arm = rng.uniform([-0.15, 0.08, 0.1], [0.25, 0.25, 0.7], (2, 3))
    bent = rng.integers(2) if rng.random() < 0.35 else None  # a hand at a phone, a bag or the chin

    def pose(t: float) -> Pose:
        flexion, abduction, elbow = arm[:, 0] + 0.08 * sways[0](t), arm[:, 1], arm[:, 2] + 0.1 * sways[1](t)
        rotation = np.zeros(2)
        if hips:
            flexion, abduction, elbow, rotation = _pair(-0.5), _pair(0.75), _pair(1.75), _pair(0.9)
        elif folded:
            flexion, abduction, elbow, rotation = _pair(0.45), _pair(0.1), _pair(1.75), _pair(1.2)
        elif bent is not None:
            flexion, elbow = flexion.copy(), elbow.copy()
            flexion[bent], elbow[bent], rotation[bent] = 0.35, 1.9 + 0.15 * sways[2](t), 0.35
        lean = 0.05 * sways[3](t)
        return Pose(
            side_lean=0.06 * sways[4](t), lean=lean, twist=0.12 * sways[2](t),
            head_yaw=0.6 * sways[5](t), head_pitch=0.15 + 0.2 * sways[1](t),
            shoulder_flexion=flexion, shoulder_abduction=abduction, shoulder_rotation=rotation, elbow=elbow,
            hip_abduction=_pair(spread), hip_flexion=np.array([0.08, -0.02]) * (1 + sways[0](t)),
            knee=np.array([0.12, 0.03]) * (1 + sways[0](t)),
        )  # fmt: skip

    return Motion("stand", pose)


def walk(rng: np.random.Generator, brisk: float | None = None) -> Motion:
    """Normal walking. brisk goes from 0, strolling, to 1, striding; drawn at random if None."""
    share = rng.uniform(0, 1) if brisk is None else brisk
    amplitude, cycles = 0.28 + 0.18 * share, 0.7 + 0.35 * share
    return _gait(
        "walk", rng, amplitude, cycles, swing_knee=0.8 + 0.3 * share, lean=rng.uniform(0, 0.08), bounce=0
    )


def run(rng: np.random.Generator) -> Motion:
    """Jogging and running."""
    amplitude = rng.uniform(0.5, 0.7)
    return _gait(
        "run", rng, amplitude, rng.uniform(1.3, 1.6), swing_knee=1.6, lean=rng.uniform(0.1, 0.25), bounce=0.03
    )


def _gait(
    name: str,
    rng: np.random.Generator,
    amplitude: float,
    cycles: float,
    swing_knee: float,
    lean: float,
    bounce: float,
) -> Motion:
    """Gait: amplitude of the hip (radians), cycles (two steps) a second, flexion of the swinging knee."""
    start, arms, spread = rng.random(), rng.uniform(0.55, 1.1), rng.uniform(0.08, 0.18)
    elbow, glance = (1.4 if bounce else rng.uniform(0.2, 0.5)), Sway.random(rng)

    def pose(t: float) -> Pose:
        phase = (start + cycles * t + np.array([0.0, 0.5])) % 1  # 0 at heel strike
        swing = np.cos(TAU * phase)
        knee = 0.08 + 0.28 * _bump(phase, 0.14, 0.08) + swing_knee * _bump(phase, 0.72, 0.12)
        ankle = (
            0.12 * _bump(phase, 0.4, 0.15) - 0.35 * _bump(phase, 0.64, 0.07) + 0.1 * _bump(phase, 0.95, 0.1)
        )
        return Pose(
            lean=lean, twist=0.1 * float(swing[1] - swing[0]) / 2,
            side_lean=0.02 * float(np.sin(TAU * phase[0])),
            head_yaw=0.25 * glance(t), head_pitch=0.06,
            hip_flexion=0.1 + amplitude * swing, hip_abduction=_pair(0.03), knee=knee, ankle=ankle,
            shoulder_flexion=0.05 - arms * amplitude * swing, shoulder_abduction=_pair(spread),
            elbow=elbow + 0.25 * (1 - swing) * arms, lift=bounce * float(np.abs(np.sin(TAU * phase[0]))),
        )  # fmt: skip

    step = 2 * 0.53 * np.sin(amplitude)  # statures; the leg is 0.53 of stature
    return Motion(name, pose, speed=float(2 * step * cycles * (1.25 if bounce else 0.92)))


def wave(rng: np.random.Generator) -> Motion:
    """Standing and waving with one hand."""
    base, side = stand(rng), rng.integers(2)
    raise_arm, rate, swing = rng.uniform(1.5, 2.3), rng.uniform(1.2, 2.2), rng.uniform(0.25, 0.5)

    def pose(t: float) -> Pose:
        posed = base.pose(t)
        for values in (posed.shoulder_flexion, posed.shoulder_rotation):
            values[side] = 0.0
        # With the upper arm out to the side, flexion turns the forearm up: the plane of the wave.
        posed.shoulder_abduction[side] = raise_arm + 0.1 * np.sin(TAU * rate * t)
        posed.shoulder_flexion[side] = 0.9
        posed.elbow[side] = 1.2 + swing * np.sin(TAU * rate * t)
        return posed

    return Motion("wave", pose)


def walk_and_wave(rng: np.random.Generator, brisk: float | None = None) -> Motion:
    """Walking; one hand goes up and waves once in a while."""
    gait, side, start = walk(rng, brisk), rng.integers(2), rng.random()

    def pose(t: float) -> Pose:
        posed = gait.pose(t)
        raised = float(_bump(np.array([start + t / 4]), 0.5, 0.22)[0])
        wanted = {
            "shoulder_abduction": 1.9,
            "shoulder_flexion": 0.9,
            "elbow": 1.2 + 0.4 * np.sin(TAU * 1.6 * t),
        }
        for name, value in wanted.items():
            angles = getattr(posed, name)
            angles[side] += raised * (value - angles[side])
        return posed

    return Motion("walk_and_wave", pose, gait.speed)


def squat(rng: np.random.Generator) -> Motion:
    """Squatting with the arms stretched forwards or folded."""
    depth, rate, start = rng.uniform(0.7, 1.0), rng.uniform(0.3, 0.55), rng.random()
    reach, spread, elbow = rng.uniform(0.3, 1.5), rng.uniform(0.12, 0.3), rng.choice([0.1, 1.9])

    def pose(t: float) -> Pose:
        down = depth * (0.5 - 0.5 * np.cos(TAU * (start + rate * t)))
        return Pose(
            lean=0.75 * down, head_pitch=-0.1,
            hip_flexion=_pair(1.75 * down), hip_abduction=_pair(spread), knee=_pair(0.05 + 2.0 * down),
            ankle=_pair(0.35 * down), shoulder_flexion=_pair(0.1 + reach * (0.4 + 0.9 * down)),
            elbow=_pair(elbow),
        )  # fmt: skip

    return Motion("squat", pose)


def jump(rng: np.random.Generator) -> Motion:
    """Jumping on the spot: crouch, flight with the arms up, landing."""
    period, height, start = rng.uniform(1.0, 1.6), rng.uniform(0.06, 0.16), rng.random()
    arms = rng.uniform(0.8, 2.6)

    def pose(t: float) -> Pose:
        phase = np.array([(start + t / period) % 1])
        crouch = float(_bump(phase, 0.25, 0.1)[0] + 0.7 * _bump(phase, 0.75, 0.09)[0])
        airborne = float(np.clip((phase[0] - 0.35) / 0.3, 0, 1))
        flight = 4 * airborne * (1 - airborne)
        return Pose(
            lean=0.5 * crouch, hip_flexion=_pair(1.1 * crouch + 0.15 * flight),
            knee=_pair(0.05 + 1.5 * crouch),
            ankle=_pair(0.35 * crouch - 0.7 * flight), lift=height * flight,
            shoulder_flexion=_pair(arms * flight - 0.6 * crouch), elbow=_pair(0.3 + 0.3 * crouch),
        )  # fmt: skip

    return Motion("jump", pose)


def jumping_jack(rng: np.random.Generator) -> Motion:
    """Arms and legs open and close together."""
    rate, start, top = rng.uniform(0.7, 1.2), rng.random(), rng.uniform(2.2, 2.9)

    def pose(t: float) -> Pose:
        opened = 0.5 - 0.5 * np.cos(TAU * (start + rate * t))
        return Pose(
            shoulder_abduction=_pair(0.1 + top * opened), elbow=_pair(0.2),
            hip_abduction=_pair(0.03 + 0.4 * opened),
            knee=_pair(0.05 + 0.25 * abs(np.sin(TAU * rate * t))), lift=0.04 * float(np.sin(np.pi * opened)),
        )  # fmt: skip

    return Motion("jumping_jack", pose)


def arm_circle(rng: np.random.Generator) -> Motion:
    """Both straight arms draw circles at the sides."""
    rate, radius, start = rng.uniform(0.5, 1.1) * rng.choice([-1, 1]), rng.uniform(0.2, 0.9), rng.random()

    def pose(t: float) -> Pose:
        angle = TAU * (start + rate * t)
        return Pose(
            shoulder_abduction=_pair(1.45 + radius * np.cos(angle)),
            shoulder_flexion=_pair(radius * np.sin(angle)),
            elbow=_pair(0.12), hip_abduction=_pair(0.12),
        )  # fmt: skip

    return Motion("arm_circle", pose)


def lunge(rng: np.random.Generator) -> Motion:
    """Deep steps forwards on one leg."""
    rate, start, front = rng.uniform(0.3, 0.5), rng.random(), rng.integers(2)

    def pose(t: float) -> Pose:
        down = 0.5 - 0.5 * np.cos(TAU * (start + rate * t))
        hip, knee = np.empty(2), np.empty(2)
        hip[front], hip[1 - front] = 0.3 + 1.2 * down, -0.2 - 0.1 * down
        knee[front], knee[1 - front] = 0.2 + 1.35 * down, 0.2 + 1.35 * down
        return Pose(
            lean=0.1, hip_flexion=hip, knee=knee, ankle=_pair(0.1), elbow=_pair(1.6),
            shoulder_flexion=_pair(0.3),
            shoulder_abduction=_pair(0.25),
        )  # fmt: skip

    return Motion("lunge", pose)


def bend(rng: np.random.Generator) -> Motion:
    """Bending to the floor and up again, as in picking something up."""
    rate, start, depth = rng.uniform(0.25, 0.45), rng.random(), rng.uniform(0.7, 1.6)

    def pose(t: float) -> Pose:
        down = 0.5 - 0.5 * np.cos(TAU * (start + rate * t))
        return Pose(
            lean=depth * down, hip_flexion=_pair(0.2 * down), knee=_pair(0.1 + 0.5 * down),
            ankle=_pair(0.15 * down),
            shoulder_flexion=_pair(0.1 + 1.5 * down), elbow=_pair(0.2), head_pitch=0.2 * down,
        )  # fmt: skip

    return Motion("bend", pose)


def dance(rng: np.random.Generator) -> Motion:
    """Free movement of every joint around a beat."""
    beat = rng.uniform(0.7, 1.2)
    limbs = {
        name: [Sway.random(rng, beat) for _ in range(2)] for name in ("flex", "abd", "elbow", "hip", "knee")
    }
    trunk = [Sway.random(rng, beat) for _ in range(4)]

    def both(name: str, t: float, centre: float, amplitude: float) -> Array:
        return np.array([centre + amplitude * sway(t) for sway in limbs[name]])

    def pose(t: float) -> Pose:
        bounce = 0.5 - 0.5 * np.cos(TAU * 2 * beat * t)
        return Pose(
            lean=0.1 + 0.2 * trunk[0](t), side_lean=0.3 * trunk[1](t), twist=0.5 * trunk[2](t),
            roll=0.08 * trunk[3](t),
            head_yaw=0.5 * trunk[1](t), shoulder_flexion=both("flex", t, 0.6, 1.4),
            shoulder_abduction=both("abd", t, 0.7, 1.1), elbow=both("elbow", t, 1.1, 1.1),
            hip_flexion=both("hip", t, 0.2, 0.5), hip_abduction=both("abd", t, 0.15, 0.2),
            knee=both("knee", t, 0.35, 0.5) + 0.2 * bounce,
        )  # fmt: skip

    return Motion("dance", pose)


def kick(rng: np.random.Generator) -> Motion:
    """Kicks with one leg, arms guarding."""
    rate, start, side, height = rng.uniform(0.6, 1.0), rng.random(), rng.integers(2), rng.uniform(0.6, 1.6)

    def pose(t: float) -> Pose:
        raised = float(_bump(np.array([(start + rate * t) % 1]), 0.5, 0.16)[0])
        hip, knee = _pair(0.1), _pair(0.2)
        hip[side] += height * raised
        knee[side] += 1.2 * float(_bump(np.array([(start + rate * t) % 1]), 0.38, 0.09)[0])
        return Pose(
            lean=-0.25 * raised, hip_flexion=hip, knee=knee, elbow=_pair(1.8), shoulder_flexion=_pair(0.5),
            shoulder_abduction=_pair(0.3),
        )  # fmt: skip

    return Motion("kick", pose)


def sit(rng: np.random.Generator) -> Motion:
    """Sitting on something low, hands on the thighs or moving."""
    sways = [Sway.random(rng) for _ in range(4)]
    reach, spread = rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.35)

    def pose(t: float) -> Pose:
        return Pose(
            lean=0.1 + 0.15 * sways[0](t), head_yaw=0.5 * sways[1](t), head_pitch=0.2,
            hip_flexion=_pair(1.45),
            hip_abduction=_pair(spread), knee=_pair(1.5), shoulder_flexion=_pair(reach) + 0.2 * sways[2](t),
            elbow=_pair(1.1) + 0.3 * sways[3](t), shoulder_rotation=_pair(0.2),
        )  # fmt: skip

    return Motion("sit", pose)


MOTIONS: dict[str, tuple[Callable[[np.random.Generator], Motion], float]] = {
    "stand": (stand, 3.0),
    "walk": (walk, 4.0),
    "walk_and_wave": (walk_and_wave, 0.7),
    "run": (run, 1.5),
    "wave": (wave, 1.0),
    "squat": (squat, 1.0),
    "jump": (jump, 0.7),
    "jumping_jack": (jumping_jack, 0.7),
    "arm_circle": (arm_circle, 0.7),
    "lunge": (lunge, 0.8),
    "bend": (bend, 0.8),
    "dance": (dance, 2.0),
    "kick": (kick, 0.7),
    "sit": (sit, 0.8),
}  # and how often each is drawn


def random_motion(rng: np.random.Generator) -> Motion:
    """One of MOTIONS, with its own style."""
    weights = np.array([weight for _, weight in MOTIONS.values()])
    name = rng.choice(list(MOTIONS), p=weights / weights.sum())
    return MOTIONS[str(name)][0](rng)
