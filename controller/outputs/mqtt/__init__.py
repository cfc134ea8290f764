"""What the controller says and takes over MQTT, as docs/mqtt.md says it; nodes behind a broker are the links'."""
