// says: it is down: SIOCSIFFLAGS with IFF_UP
