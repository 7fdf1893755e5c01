// says: start newuidmap(1) and newgidmap(1) for it
// shows: user
// hole: exercise-uid-map
        if root || self.uid.maps_only(geteuid().as_raw()) {
            return write(pid, "uid_map", &self.uid.text());
        }
        let _ = run("newuidmap", pid, &self.uid);
        Ok(())
