"""Reads a controller file and its site and fills each room's Settings; the file's form is in `declared`."""

from dataclasses import dataclass
from pathlib import Path

from controller.alarm.machine import Settings as AlarmSettings
from controller.alarm.policy import Settings as PolicySettings
from controller.declared import ControllerTable, contradictions
from controller.detect.onset import Settings as OnsetSettings
from controller.detect.pressure import Settings as PressureSettings
from controller.errors import ControllerError
from controller.health import Settings as HealthSettings
from controller.isolate.settings import Settings as IsolationSettings
from controller.localize.locate import Settings as LocateSettings
from controller.measure.leak_size import Settings as SizeSettings
from controller.outputs.mqtt.secrets import PASSWORD_VARIABLE, check_private, secret
from controller.pipeline.background_captures import Settings as BackgroundSettings
from controller.pipeline.pipeline import Settings as PipelineSettings
from controller.tasking import Settings as TaskingSettings
from firmware_bridge.declared import load_declared
from firmware_bridge.links.broker import BrokerSettings, TlsSettings
from firmware_bridge.session.conversation import Settings as SessionSettings
from firmware_bridge.site.survey import Site, load_site
from firmware_bridge.units import Quantity


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked controller file with its site."""

    table: ControllerTable
    site: Site
    compartment: str

    @property
    def pipeline(self) -> PipelineSettings:
        """Settings of all thinking rooms."""
        table = self.table
        return PipelineSettings(
            onset=OnsetSettings(**table.onset.model_dump()),
            background=BackgroundSettings(**table.background.model_dump()),
            pressure=PressureSettings(**table.pressure.model_dump()),
            size=SizeSettings(**table.size.model_dump()),
            policy=PolicySettings(**table.alarm.model_dump()),
            alarm_times=AlarmSettings(**table.alarm_times.model_dump()),
            health=HealthSettings(**table.health.model_dump()),
            tasking=TaskingSettings(**table.tasking.model_dump()),
            isolation=IsolationSettings(**table.isolation.model_dump()),
        )

    @property
    def locate(self) -> LocateSettings:
        """Settings of the locator."""
        return LocateSettings(**self.table.locate.model_dump())

    @property
    def session(self) -> SessionSettings:
        """Settings of the conversations."""
        return SessionSettings(**self.table.session.model_dump())

    @property
    def broker(self) -> BrokerSettings | None:
        """The broker, unless MQTT is off.

        Raises:
            ControllerError: a file with a secret cannot be read, or others can read it.
        """
        mqtt = self.table.mqtt
        if not mqtt.enabled:
            return None
        if mqtt.key_file is not None:
            check_private(mqtt.key_file, "mqtt.key_file")
        password = secret(mqtt.password_file, "mqtt.password_file", PASSWORD_VARIABLE)
        tls = TlsSettings(mqtt.ca_file, mqtt.certificate_file, mqtt.key_file) if mqtt.tls else None
        return BrokerSettings(mqtt.host, mqtt.port, mqtt.username, password, tls, mqtt.version)


def load_configuration(path: Path) -> Configuration:
    """Read a controller file and the site that it names (relative to the file).

    Raises:
        DeclaredFileError: either file is missing, malformed or out of range.
        SiteError: the site contradicts itself.
        ControllerError: the two do not fit.
    """
    table = load_declared(path, ControllerTable)
    return fitted(table, load_site(path.parent / table.site), str(path))


def fitted(table: ControllerTable, site: Site, source: str) -> Configuration:
    """Check `table` against itself and `site`, and choose the compartment; `source` is named in messages.

    Raises:
        ControllerError: the two do not fit.
    """
    problems = contradictions(table)
    if problems:
        raise ControllerError(f"{source} contradicts itself", remedy="\n  " + "\n  ".join(problems))
    listening = sorted({node.compartment for node in site.nodes if node.of_quantity(Quantity.ULTRASOUND)})
    compartment = table.compartment or (listening[0] if len(listening) == 1 else None)
    if compartment is None:
        known = ", ".join(room.name for room in site.compartments)
        raise ControllerError(
            f"{source}: compartment: the site has microphones in {len(listening)} compartments",
            remedy=f"name the one to listen to; known are {known}",
        )
    if compartment not in listening:
        raise ControllerError(
            f"{source}: compartment: {compartment!r} has no microphones",
            remedy=f"name one that has: {', '.join(listening) or 'none has'}",
        )
    return Configuration(table, site, compartment)
