"""Every kind of cable: the only files of the ground floor that touch the outside world."""
