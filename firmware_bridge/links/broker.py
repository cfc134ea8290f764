"""Who we are to a broker and how it is reached: user, TLS, version of MQTT. What is said over it is others'."""

import ssl
from dataclasses import dataclass, field
from typing import Any, Literal

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware_bridge.scaled_loop import real_seconds

CONNECT_TIMEOUT_S = 5.0
MAX_QUEUED_MESSAGES = 1024  # messages that nobody has read yet; more are let go
MAX_PACKET_BYTES = 1 << 19  # told to an MQTT 5 broker: twice the largest payload that any room of ours takes

Version = Literal["3.1.1", "5"]
_PROTOCOLS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How the broker proves itself, and we ourselves: files in PEM form; `ca_file` None trusts the system's."""

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)  # no log or traceback shows it
    tls: TlsSettings | None = None
    version: Version = "3.1.1"


def new_client(broker: BrokerSettings, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
    """A client for one connection; a client that was connected once would send again what it had queued.

    Raises:
        aiomqtt.MqttError: the files for TLS cannot be used, or the host's name is none.
    """
    try:
        broker.host.encode("idna")
    except UnicodeError as error:  # which nobody expects of a connection that fails
        raise aiomqtt.MqttError(f"{broker.host!r} is no name of a host ({error})") from error
    options: dict[str, Any] = {}
    if broker.version == "5":
        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        limits.MaximumPacketSize = MAX_PACKET_BYTES
        options["properties"] = limits
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        protocol=_PROTOCOLS[broker.version],
        timeout=real_seconds(CONNECT_TIMEOUT_S),
        will=will,
        max_queued_incoming_messages=MAX_QUEUED_MESSAGES,
        tls_context=None if broker.tls is None else _context(broker.tls),
        **options,
    )


def _context(tls: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or later, the broker's certificate and name checked; read anew each time, as certificates are renewed."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.certificate_file is not None:
            # A key under a password would make OpenSSL ask on the terminal and block: an empty one makes it fail.
            context.load_cert_chain(tls.certificate_file, tls.key_file, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise aiomqtt.MqttError(f"the files for TLS cannot be used ({error})") from error
    return context
