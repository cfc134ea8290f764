"""The pins of this machine, as gpiozero gives them: opened, driven, read. What they mean is lamps.py's and so on."""

import warnings
from collections.abc import Callable
from typing import Protocol, TypeVar

from controller.errors import ControllerError

NO_LIBRARY = (
    "pip install 'leakloc[pi]' on a Raspberry Pi (Python 3.13: Debian's python3-lgpio and a virtual environment with "
    "--system-site-packages), or remove the [[outputs]] that have a pin"
)
HELD = "see that no other program holds it (a controller that runs does), and that the user is in group gpio"


class _Device(Protocol):
    value: object

    def close(self) -> None: ...


Device = TypeVar("Device", bound=_Device)


class Pin(Protocol):
    """One pin that is driven."""

    def write(self, on: bool) -> None:
        """Energise it, or let it fall."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Pins(Protocol):
    """Where pins come from."""

    def output(self, number: int, *, active_high: bool) -> Pin:
        """A pin that is driven, not energised yet."""
        ...

    def button(self, number: int, *, pull_up: bool, debounce_s: float, pressed: Callable[[], None]) -> Pin:
        """A pin that is read; `pressed` is called from a thread of the library's own."""
        ...


class GpioPins:
    """Through gpiozero: lgpio or another library of its choice on a Pi, its mock factory in tests."""

    def __init__(self, factory: object = None) -> None:
        """Pins of `factory`, or of the one that gpiozero finds (environment: GPIOZERO_PIN_FACTORY).

        Raises:
            ControllerError: gpiozero is not installed.
        """
        try:
            import gpiozero
        except ImportError as error:
            raise ControllerError("outputs: pins are configured, but gpiozero is missing", remedy=NO_LIBRARY) from error
        self._gpiozero = gpiozero
        self._factory = factory

    def output(self, number: int, *, active_high: bool) -> Pin:
        """See `Pins`.

        Raises:
            ControllerError: the pin cannot be had.
        """
        return _Driven(
            self._made(
                number,
                lambda: self._gpiozero.DigitalOutputDevice(
                    number, active_high=active_high, initial_value=False, pin_factory=self._factory
                ),
            )
        )

    def button(self, number: int, *, pull_up: bool, debounce_s: float, pressed: Callable[[], None]) -> Pin:
        """See `Pins`.

        Raises:
            ControllerError: the pin cannot be had.
        """

        def make() -> _Device:
            button = self._gpiozero.Button(
                number, pull_up=pull_up, bounce_time=debounce_s or None, pin_factory=self._factory
            )
            button.when_pressed = pressed
            return button  # type: ignore[no-any-return]

        return _Driven(self._made(number, make))

    def probe(self, number: int) -> None:
        """Have a pin for a moment, as an input that pulls nowhere: whatever hangs on it stays as it is.

        Raises:
            ControllerError: the pin cannot be had.
        """
        gpiozero = self._gpiozero
        self._made(
            number,
            lambda: gpiozero.InputDevice(number, pull_up=None, active_state=True, pin_factory=self._factory),
        ).close()

    def _made(self, number: int, make: Callable[[], Device]) -> Device:
        try:
            with warnings.catch_warnings():  # gpiozero warns of each library that it tries in vain
                warnings.simplefilter("ignore")
                return make()
        except Exception as error:  # each pin library has errors of its own
            raise ControllerError(
                f"outputs: pin {number} cannot be had ({error})",
                remedy=NO_LIBRARY if isinstance(error, self._gpiozero.BadPinFactory) else HELD,
            ) from error


class _Driven:
    """A gpiozero device as a `Pin`."""

    def __init__(self, device: _Device) -> None:
        self._device = device

    def write(self, on: bool) -> None:
        """See `Pin`."""
        self._device.value = on

    def close(self) -> None:
        """See `Pin`."""
        self._device.close()
