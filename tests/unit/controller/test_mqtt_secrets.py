"""Secrets come from private files or the environment, and TLS files that cannot be used are told without a crash."""

from pathlib import Path

import aiomqtt
import pytest

from controller.config import fitted
from controller.declared import ControllerTable
from controller.errors import ControllerError
from controller.outputs.mqtt.secrets import PASSWORD_VARIABLE, check_private, secret
from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import BridgeError
from firmware_bridge.links.broker import BrokerSettings, TlsSettings, new_client
from tests.support.sites import small_site


@pytest.mark.parametrize(
    ("mode", "refused"), [(0o600, False), (0o400, False), (0o640, False), (0o644, True), (0o660, True)]
)
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int, refused: bool) -> None:
    file = tmp_path / "secret"
    file.write_text("tea leaves\n")
    file.chmod(mode)
    if refused:
        with pytest.raises(ControllerError, match=r"open to others.*chmod 600") as error:
            secret(str(file), "mqtt.password_file", PASSWORD_VARIABLE)
        assert "tea leaves" not in str(error.value)
    else:
        assert secret(str(file), "mqtt.password_file", PASSWORD_VARIABLE) == "tea leaves"


def test_a_file_that_is_no_text_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"tea\xff")
    file.chmod(0o600)
    with pytest.raises(ControllerError, match="not text") as error:
        secret(str(file), "mqtt.password_file", PASSWORD_VARIABLE)
    assert "0xff" not in str(error.value)


def test_the_environment_is_asked_where_no_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    assert secret(None, "", PASSWORD_VARIABLE) is None
    monkeypatch.setenv(PASSWORD_VARIABLE, "tea leaves")
    assert secret(None, "", PASSWORD_VARIABLE) == "tea leaves"


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ControllerError, match=r"mqtt\.key_file"):
        check_private("/no/such/key", "mqtt.key_file")


@pytest.mark.parametrize(
    ("mqtt", "why"),
    [
        ({"ca_file": "/ca"}, "nothing would be encrypted"),
        ({"tls": True, "key_file": "/key"}, "mqtt.certificate_file: missing"),
        ({"command_users": ("a/b",)}, "command_users"),
        ({"command_users": ("+",)}, "command_users"),
        ({"version": "4"}, "version"),
    ],
)
def test_settings_that_cannot_be_are_refused(mqtt: dict[str, object], why: str) -> None:
    with pytest.raises(BridgeError, match=why):
        fitted(parse_declared({"format": 1, "site": "-", "mqtt": mqtt}, "t", ControllerTable), small_site(), "t")


async def test_tls_files_that_cannot_be_used_are_told_as_the_brokers_trouble(tmp_path: Path) -> None:
    bad = tmp_path / "ca.crt"
    bad.write_text("no certificate")
    for tls in (TlsSettings(str(bad)), TlsSettings("/no/such/file"), TlsSettings(None, str(bad), str(bad))):
        with pytest.raises(aiomqtt.MqttError, match="files for TLS"):
            new_client(BrokerSettings("nowhere", 8883, tls=tls))


def test_no_representation_shows_the_password() -> None:
    assert "tea" not in repr(BrokerSettings("host", 1883, "me", "tea leaves"))
