"""The ground floor: what controller and simulator must agree on - wire, links, time base, installed site."""
