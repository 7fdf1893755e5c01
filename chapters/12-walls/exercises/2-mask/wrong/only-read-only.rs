// says: every mount is locked
    place.bind_read_only(&found, name, CLOSED)
