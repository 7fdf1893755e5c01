// says: start newuidmap(1) and newgidmap(1) for it
// shows: user
// hole: exercise-uid-map
        if root || self.uid.maps_only(geteuid().as_raw()) {
            write(pid, "uid_map", &self.uid.text())
        } else {
            run("newuidmap", pid, &self.gid)
        }
