"""The sound of a source, laid under a new video: its packets as they are, or AAC where they do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from av.error import FFmpegError
from av.stream import Discard

from posecli.video.ffmpeg import reason

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, Packet
    from av.container import InputContainer, OutputContainer


@dataclass(frozen=True, slots=True)
class _Track:
    target: AudioStream
    copied: bool  # else decoded and encoded anew


class Sound:
    """All sound tracks of a file, muxed into an output as far as its video has come.

    Args:
        source: the file that has the sound, opened for this alone; the caller closes it.
        output: the container to mux into; its header must not have been written yet.
    """

    def __init__(self, source: InputContainer, output: OutputContainer) -> None:
        self.origin = Fraction(0)  # seconds of the source that become zero in the output
        self._notes: list[str] = []
        self._dropped = 0
        self._output = output
        self._source = source
        for stream in self._source.streams:
            if stream.type != "audio":
                stream.discard = Discard.all
        self._tracks = {s.index: track for s in self._source.streams.audio if (track := self._add_track(s))}
        self._packets = self._demuxed()
        self._waiting: Packet | None = None

    def _add_track(self, stream: AudioStream) -> _Track | None:
        if stream.codec_context is None:
            self._notes.append(f"sound track {stream.index} is in an unknown codec and was left out")
            return None
        try:
            return _Track(self._output.add_stream_from_template(stream), copied=True)
        except ValueError:
            codec = stream.codec_context.name
        layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        target = self._output.add_stream("aac", rate=stream.codec_context.sample_rate, layout=layout)
        self._notes.append(f"the sound was converted from {codec} to AAC, which the output's format can hold")
        return _Track(target, copied=False)

    @property
    def warnings(self) -> list[str]:
        """What was odd so far, one sentence each."""
        return self._notes + (
            [f"damaged packets of sound left out: {self._dropped}"] if self._dropped else []
        )

    def advance(self, until: Fraction | None) -> None:
        """Muxes packets that start before `until` (seconds on the source's clock), or all that are left."""
        while (packet := self._waiting or next(self._packets, None)) is not None:
            start = _start(packet)
            if until is not None and start is not None and start >= until:
                self._waiting = packet
                return
            self._waiting = None
            if start is None or start >= self.origin - _duration(packet):
                self._mux(packet)

    def finish(self) -> None:
        """Writes what the encoders still hold."""
        for track in self._tracks.values():
            if not track.copied:
                self._output.mux(track.target.encode(None))

    def _demuxed(self) -> Iterator[Packet]:
        if not self._tracks:
            return
        try:
            for packet in self._source.demux(self._source.streams.audio):
                if packet.dts is not None and packet.stream_index in self._tracks:
                    yield packet
        except FFmpegError as error:
            self._notes.append(f"the sound breaks off: {reason(error)}")

    def _mux(self, packet: Packet) -> None:
        track = self._tracks[packet.stream_index]
        if not track.copied:
            self._encode(packet, track)
            return
        shift = round(self.origin / packet.time_base)
        if packet.dts is not None:
            packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        packet.stream = track.target
        try:
            self._output.mux(packet)
        except FFmpegError as error:
            if isinstance(error, OSError):  # the disk, not the packet
                raise
            self._dropped += 1

    def _encode(self, packet: Packet, track: _Track) -> None:
        try:
            frames = cast("list[AudioFrame]", packet.decode())
        except FFmpegError:
            return  # a damaged packet leaves a gap
        for frame in frames:
            if frame.pts is not None and frame.time_base:
                frame.pts -= round(self.origin / frame.time_base)
            self._output.mux(track.target.encode(frame))


def _start(packet: Packet) -> Fraction | None:
    time = packet.dts if packet.pts is None else packet.pts
    return None if time is None else time * packet.time_base


def _duration(packet: Packet) -> Fraction:
    return (packet.duration or 0) * packet.time_base
