"""What a run looked like, for people: a picture of the hull and a page. Needs matplotlib (the extra `report`)."""
