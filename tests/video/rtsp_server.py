"""A small RTSP server (RFC 2326): MPEG transport streams (RFC 2250), over the connection itself."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

PACKET = 188  # bytes of a transport stream's packet
AT_ONCE = 7  # of them in a packet of RTP
TRANSPORT_STREAM = 33  # the payload's type (RFC 3551)
CLOCK = 90_000

DESCRIPTION = (  # SDP (RFC 8866)
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=test",
    "t=0 0",
    f"m=video 0 RTP/AVP {TRANSPORT_STREAM}",
    "a=control:track1",
    "",
)


class RtspServer:
    """Serves 127.0.0.1; a context manager.

    Args:
        connections: what is sent to each client in turn, a transport stream in pieces; then the server hangs up on it.
            Clients beyond are turned away.
    """

    def __init__(self, connections: Iterable[Callable[[], Iterable[bytes]]]) -> None:
        self.connections = list(connections)
        self.served = 0
        self.transports: list[str] = []  # that clients asked for
        self.torn_down = threading.Event()  # a client said that it is leaving
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Client)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._server.server_address[1]}/live"

    def __enter__(self) -> RtspServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Client(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        owner: RtspServer = self.server.owner  # type: ignore[attr-defined]
        answers: dict[str, Callable[[dict[str, str]], tuple[str, dict[str, str], str]]] = {
            "DESCRIBE": lambda _: ("200 OK", {"Content-Type": "application/sdp"}, "\r\n".join(DESCRIPTION)),
            "SETUP": self._set_up,
        }
        with suppress(OSError):
            while request := self._request():
                method, headers = request
                if owner.served >= len(owner.connections):
                    return
                code, fields, body = answers.get(method, lambda _: ("200 OK", {}, ""))(headers)
                self._answer(code, fields | {"CSeq": headers["cseq"]}, body)
                if method == "PLAY":
                    owner.served += 1
                    self._serve(owner, owner.connections[owner.served - 1]())
                    return

    def _request(self) -> tuple[str, dict[str, str]] | None:
        method = self.rfile.readline().decode().split(" ")[0].strip()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return (method, headers) if method else None

    def _answer(self, code: str, fields: dict[str, str], body: str) -> None:
        fields |= {"Session": "1", "Content-Length": str(len(body))}
        lines = [f"RTSP/1.0 {code}", *(f"{name}: {value}" for name, value in fields.items()), "", body]
        self.wfile.write("\r\n".join(lines).encode())

    def _set_up(self, headers: dict[str, str]) -> tuple[str, dict[str, str], str]:
        self.server.owner.transports.append(headers["transport"])  # type: ignore[attr-defined]
        if "TCP" not in headers["transport"]:
            return "461 Unsupported Transport", {}, ""
        return "200 OK", {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}, ""

    def _serve(self, owner: RtspServer, pieces: Iterable[bytes]) -> None:
        listener = threading.Thread(target=self._listen, args=(owner,))
        listener.start()
        with suppress(OSError):
            self._play(pieces)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)  # or the listener would wait on
        listener.join()

    def _listen(self, owner: RtspServer) -> None:
        with suppress(OSError, ValueError):
            for line in self.rfile:
                if b"TEARDOWN " in line:  # reports of RTP may come before it
                    owner.torn_down.set()

    def _play(self, pieces: Iterable[bytes]) -> None:
        number = 0
        for piece in pieces:
            for start in range(0, len(piece), PACKET * AT_ONCE):
                payload = piece[start : start + PACKET * AT_ONCE]
                rtp = struct.pack(">BBHII", 0x80, TRANSPORT_STREAM, number % 65536, number * CLOCK // 1000, 1)
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(rtp + payload)) + rtp + payload)
                number += 1


def transport_stream(path: Path) -> bytes:
    """The whole packets of an MPEG transport stream."""
    data = path.read_bytes()
    return data[: len(data) // PACKET * PACKET]
