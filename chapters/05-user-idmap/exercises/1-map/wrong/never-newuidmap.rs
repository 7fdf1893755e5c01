// says: start newuidmap(1) and newgidmap(1) for it
// shows: user
// hole: exercise-uid-map
        write(pid, "uid_map", &self.uid.text())
