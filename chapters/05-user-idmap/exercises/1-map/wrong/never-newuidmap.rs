// says: newuidmap(1) is root's, and writes for an ordinary user
// shows: user
// hole: exercise-uid-map
        write(pid, "uid_map", &self.uid.text())
