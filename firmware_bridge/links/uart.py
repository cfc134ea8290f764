"""Serial ports: pyserial opens and configures, our own reader takes the bytes off the file descriptor."""

import asyncio
import errno
import os
import termios
from contextlib import suppress

import serial

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.units import s_to_ns

READ_BYTES = 4096  # a tty never returns more than 4095; larger buffers only cost time
MAX_UNREAD_BYTES = 4 << 20  # 30 bursts: a consumer that far behind is broken; the oldest bytes go first
MAX_UNSENT_BYTES = 64 << 10  # commands are tens of bytes: this much unsent means that the line takes nothing

_HELD = "another program holds the port; close it (fuser -v shows which)"
_REMEDIES = {
    errno.ENOENT: "no such port; plug the node in or mend the path (ls /dev/serial/by-id)",
    errno.EACCES: "permission denied; add your user to the group dialout and log in again",
    errno.EBUSY: _HELD,
    errno.EAGAIN: _HELD,  # what the exclusive lock says
}


class UartPort:
    """A serial device by path."""

    def __init__(self, path: str, baud_rate: int, mode: str = "8N1") -> None:
        """Name the device; nothing is opened yet. `mode` is data bits, parity (N, E or O) and stop bits."""
        self.name = path
        self._baud_rate = baud_rate
        self._bits, self._parity, self._stop = int(mode[0]), mode[1], int(mode[2])

    async def open(self) -> ByteLink:
        """Open exclusively; LinkError says what to do."""
        try:
            port = serial.Serial(
                self.name, self._baud_rate, self._bits, self._parity, self._stop, timeout=0, exclusive=True
            )
        except serial.SerialException as error:
            remedy = _REMEDIES.get(error.errno or 0, str(error))
            raise LinkError(f"cannot open serial port {self.name}", remedy=remedy) from error
        except (OSError, ValueError, termios.error) as error:
            raise LinkError(f"cannot open serial port {self.name}", remedy=str(error)) from error
        return UartLink(port)


class UartLink:
    """An open serial port; reading never waits for the consumer."""

    def __init__(self, port: serial.Serial) -> None:
        """Take over an open pyserial port and start reading."""
        self._port = port
        self._name = str(port.port)
        self._fd = port.fileno()
        self._loop = asyncio.get_running_loop()
        os.set_blocking(self._fd, False)
        self._unread: list[bytes] = []
        self._unread_bytes = 0
        self._last_ns = 0
        self._arrived = asyncio.Event()
        self._unsent = bytearray()
        self._failure: LinkError | None = None
        self._closed = False
        self.dropped_bytes = 0
        self._loop.add_reader(self._fd, self._readable)

    async def read(self) -> Received:
        """Wait for bytes; LinkError when the port hangs up."""
        await self._arrived.wait()
        if not self._unread and self._failure is not None:
            raise self._failure
        data = b"".join(self._unread)
        self._unread.clear()
        self._unread_bytes = 0
        if self._failure is None:
            self._arrived.clear()
        return Received(data, self._last_ns)

    def write(self, data: bytes) -> None:
        """Send now what the line takes, and the rest when it takes more."""
        if self._failure is not None:
            raise self._failure
        if len(self._unsent) + len(data) > MAX_UNSENT_BYTES:
            raise self._fail("accepts no bytes", "check the node and its flow control")
        idle = not self._unsent
        self._unsent += data
        if idle:
            self._writable()

    def close(self) -> None:
        """Release the port."""
        if self._closed:
            return
        self._closed = True
        self._fail("is closed", "open it again")
        with suppress(OSError, serial.SerialException):
            self._port.close()

    def _readable(self) -> None:
        self._last_ns = s_to_ns(self._loop.time())
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(f"was lost ({error.strerror})", "plug the node in again; it is asked for by itself")
            return
        if not data:  # a hung-up terminal returns nothing, for ever
            self._fail("hung up", "plug the node in again; it is asked for by itself")
            return
        self._unread.append(data)
        self._unread_bytes += len(data)
        while self._unread_bytes > MAX_UNREAD_BYTES:
            dropped = self._unread.pop(0)
            self._unread_bytes -= len(dropped)
            self.dropped_bytes += len(dropped)
        self._arrived.set()

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._fail(f"was lost ({error.strerror})", "plug the node in again; it is asked for by itself")
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)

    def _fail(self, what: str, remedy: str) -> LinkError:
        """Stop, and tell reader and writers why; the first reason stands."""
        self._failure = self._failure or LinkError(f"serial port {self._name} {what}", remedy=remedy)
        self._stop_watching()
        self._arrived.set()
        return self._failure

    def _stop_watching(self) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
