// says: the child waits at the gate for a byte
// hole: exercise-parent
// verdict: HANGS
        if let Some(maps) = &maps {
            maps.write(child.pid())?;
        }
        std::mem::forget(gate);
