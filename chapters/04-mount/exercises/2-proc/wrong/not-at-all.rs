// says: it shows the PID namespace of the process that mounts it
