"""Serial ports: pyserial opens and configures, our own reader takes the bytes off the file descriptor."""

import asyncio
import errno
import os
import termios
from contextlib import suppress

import serial

from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, Received
from firmware_bridge.links.unread import Unread
from firmware_bridge.units import s_to_ns

READ_BYTES = 4096  # a tty never returns more than 4095; larger buffers only cost time
MAX_UNSENT_BYTES = 64 << 10  # commands are tens of bytes: this much unsent means that the line takes nothing

_HELD = "another program holds the port; close it (fuser -v shows which)"
_NO_PORT = "that is no serial port; mend the path (ls /dev/serial/by-id)"
_REMEDIES = {
    errno.EISDIR: _NO_PORT,
    errno.ENOTTY: _NO_PORT,
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
            why = error.__context__  # where the port does not let itself be configured, pyserial tells no number
            number = why.args[0] if error.errno is None and isinstance(why, termios.error) else error.errno
            remedy = _REMEDIES.get(number or 0, str(error))
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
        self._unread = Unread()
        self._unsent = bytearray()
        self._closed = False
        self._loop.add_reader(self._fd, self._readable)

    @property
    def dropped_bytes(self) -> int:
        """How many made way because nobody read them."""
        return self._unread.dropped_bytes

    async def read(self) -> Received:
        """Wait for bytes; LinkError when the port hangs up."""
        return await self._unread.read()

    def write(self, data: bytes) -> None:
        """Send now what the line takes, and the rest when it takes more."""
        if self._unread.failure is not None:
            raise self._unread.failure
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
        at_ns = s_to_ns(self._loop.time())
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
        self._unread.put(data, at_ns)

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
        self._stop_watching()
        return self._unread.fail(LinkError(f"serial port {self._name} {what}", remedy=remedy))

    def _stop_watching(self) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
