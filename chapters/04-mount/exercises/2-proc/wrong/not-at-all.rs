// says: it shows the PID namespace of whoever mounts it
