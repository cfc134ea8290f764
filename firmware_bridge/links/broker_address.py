"""How people write where a broker is. Who connects to it is `hub`."""


def parse_broker_address(text: str) -> tuple[str, int]:
    """Host and port of "HOST:PORT"; an IPv6 address stands in brackets.

    Raises:
        ValueError: it is not that.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port)
