"""Every place where a configuration says that nodes or instruments may be asked. Who asks there is the bridge's."""

from controller.config import Configuration
from controller.declared import MqttLinkTable, SerialLinkTable, TcpLinkTable
from firmware_bridge.link import LinkPort
from firmware_bridge.links.mqtt import MqttHub, MqttPort
from firmware_bridge.links.mqtt_topics import TopicsPort
from firmware_bridge.links.tcp import TcpPort
from firmware_bridge.links.uart import UartPort


def ports_of(configuration: Configuration) -> tuple[list[LinkPort], MqttHub | None]:
    """Every place to ask; those behind the broker only while MQTT is on."""
    links = configuration.table.links
    ports: list[LinkPort] = [UartPort(link.port, link.baud_rate) for link in links if isinstance(link, SerialLinkTable)]
    ports += [TcpPort(link.host, link.port) for link in links if isinstance(link, TcpLinkTable)]
    instruments = [node.instrument for node in configuration.site.nodes if node.instrument is not None]
    ports += [UartPort(i.line.port, i.line.baud_rate, i.line.mode) for i in instruments if i.line is not None]
    prefixes = [link.prefix for link in links if isinstance(link, MqttLinkTable)]
    published = [instrument for instrument in instruments if instrument.line is None]
    broker = configuration.broker
    if broker is None or not (prefixes or published):
        return ports, None
    hub = MqttHub(broker, on_change=lambda _connected, _reason: None)  # the alarm output tells of the broker
    ports += [MqttPort(hub, prefix) for prefix in prefixes]
    ports += [TopicsPort(hub, instrument.place, instrument.topics) for instrument in published]
    return ports, hub
