"""How well a site can find a leak where, before there is one: expected regions, blind spots, what a node is worth."""
