// says: root inside must be your own uid outside
// shows: user
// hole: exercise-uid-map
        if root {
            write(pid, "uid_map", &self.uid.text())
        } else {
            run("newuidmap", pid, &self.uid)
        }
