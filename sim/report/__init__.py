"""What a run looked like, for people: a picture, a page and a summary. Only the picture needs the extra `report`."""
