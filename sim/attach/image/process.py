"""A node image as a child process: started, fed over its wire and its bench, ended. What it is told is `firmware`'s."""

import mmap
import os
import select
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from sim.attach.image.messages import HEAD
from sim.errors import NodeImageError

KINDS = ("native", "qemu")
ANSWER_S = 20.0  # an image answers in a millisecond; a machine that is busy for so long is no place to simulate on
END_S = 2.0
SHARED_BYTES = 16 << 20  # the board's second memory, all of it
ROOT = Path(__file__).parents[3]
IMAGES = {"native": "leaknode", "qemu": "leaknode-mps2.elf"}
TARGETS = {"native": "firmware", "qemu": "firmware-qemu"}


def image_path(kind: str) -> Path:
    """Where `make firmware` and `make firmware-qemu` put what they make.

    Raises:
        NodeImageError: it was not made yet, or there is no emulator to run it.
    """
    path = ROOT / "build" / "firmware" / IMAGES[kind]
    if not path.exists():
        raise NodeImageError(f"no node image {path}", remedy=f"make {TARGETS[kind]}")
    if kind == "qemu" and shutil.which("qemu-system-arm") is None:
        raise NodeImageError(
            "no qemu-system-arm here", remedy="sudo apt install --no-install-recommends qemu-system-arm"
        )
    return path


class _Pipes:
    """A byte stream to a child and one from it, with the far ends to be handed over.

    An emulator writes bytes one by one, of which a socket that nobody reads holds some hundred; a pipe holds 64 KB.
    """

    def __init__(self) -> None:
        self.far_in, self.near_out = os.pipe()
        self.near_in, self.far_out = os.pipe()
        os.set_blocking(self.near_out, False)

    def close_far(self) -> None:
        os.close(self.far_in)
        os.close(self.far_out)

    def close(self) -> None:
        os.close(self.near_in)
        os.close(self.near_out)


class NodeProcess:
    """One running image and the near ends of its two byte streams."""

    def __init__(self, kind: str, image: Path | None = None) -> None:
        """Start it.

        Args:
            kind: `native` or `qemu`.
            image: another one than `make` makes.

        Raises:
            NodeImageError: it cannot be started.
        """
        path = image_path(kind) if image is None else image
        self.name = path.name
        self.shared: NDArray[np.int16] | None = None
        self._wire, self._bench = _Pipes(), _Pipes()
        self._names = TemporaryDirectory(prefix="leaksim-node-")
        keep = [self._wire.far_in, self._wire.far_out, self._bench.far_in, self._bench.far_out]
        memory: list[int] = []
        emulated = kind == "qemu"
        if emulated:
            memory = [os.memfd_create("samples")]
            os.ftruncate(memory[0], SHARED_BYTES)
            self.shared = np.frombuffer(mmap.mmap(memory[0], SHARED_BYTES), dtype="<i2")
            command = _emulator(path, self._wire, self._bench, memory[0], Path(self._names.name))
        else:
            command = [str(path), "--bench", str(self._bench.far_in), str(self._bench.far_out)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if emulated else self._wire.far_in,
                stdout=subprocess.DEVNULL if emulated else self._wire.far_out,
                stderr=subprocess.DEVNULL if emulated else None,  # it warns of a network that nobody plugged in
                pass_fds=keep + memory,
                process_group=0,  # Ctrl-C is for us, who end it in order
            )
        except OSError as error:
            self._let_go()
            raise NodeImageError(f"{path} does not start", remedy=str(error)) from error
        finally:
            self._wire.close_far()
            self._bench.close_far()
            for handle in memory:
                os.close(handle)
        self._open = True

    def say(self, message: bytes, wire: bytes = b"") -> None:
        """Send on the bench, and before that on the wire."""
        for near, data in ((self._wire.near_out, wire), (self._bench.near_out, message)):
            left = memoryview(data)
            while left:
                _, writable, _ = select.select((), (near,), (), ANSWER_S)
                if not writable:
                    raise self._broken()
                try:
                    left = left[os.write(near, left) :]
                except OSError as error:
                    raise self._broken() from error

    def hear(self) -> tuple[int, bytes]:
        """The next message on the bench: kind and payload."""
        kind, length = HEAD.unpack(self._read(self._bench.near_in, HEAD.size))
        return kind, self._read(self._bench.near_in, length)

    def from_wire(self, length: int) -> bytes:
        """So many bytes of what it wrote to its wire."""
        return self._read(self._wire.near_in, length)

    def end(self) -> None:
        """End it; again does nothing."""
        if not self._open:
            return
        self._open = False
        self._let_go()
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _let_go(self) -> None:
        self._wire.close()
        self._bench.close()
        self.shared = None
        self._names.cleanup()

    def _broken(self) -> NodeImageError:
        try:
            told = f"ended with status {self._process.wait(0.1)}"
        except subprocess.TimeoutExpired:
            told = "does not answer any more"
        return NodeImageError(f"node image {self.name} {told}", remedy="build it anew: make firmware firmware-qemu")

    def _read(self, near: int, length: int) -> bytes:
        pieces = []
        while length > 0:
            readable, _, _ = select.select((near,), (), (), ANSWER_S)
            piece = os.read(near, length) if readable else b""
            if not piece:
                raise self._broken()
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)


def _emulator(path: Path, wire: _Pipes, bench: _Pipes, memory: int, folder: Path) -> list[str]:
    command = [
        "qemu-system-arm",
        *("-machine", "mps2-an385,memory-backend=samples"),
        *("-object", f"memory-backend-file,id=samples,mem-path=/proc/self/fd/{memory},size=16M,share=on"),
        *("-nodefaults", "-display", "none", "-monitor", "none"),
        *("-chardev", _pipe("wire", wire, folder), "-serial", "chardev:wire"),
        *("-chardev", _pipe("bench", bench, folder), "-serial", "chardev:bench"),
        *("-kernel", str(path)),
    ]
    # A guest does not see that its peer is gone: the kernel ends the emulator with us, however we end.
    setpriv = shutil.which("setpriv")
    return command if setpriv is None else [setpriv, "--pdeathsig", "KILL", *command]


def _pipe(name: str, pipes: _Pipes, folder: Path) -> str:
    """QEMU knows pipes by names only: these lead to its own descriptors."""
    (folder / f"{name}.in").symlink_to(f"/proc/self/fd/{pipes.far_in}")
    (folder / f"{name}.out").symlink_to(f"/proc/self/fd/{pipes.far_out}")
    return f"pipe,id={name},path={folder / name}"
