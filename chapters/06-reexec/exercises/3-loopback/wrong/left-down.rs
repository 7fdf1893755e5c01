// says: lo is down in a new network namespace
