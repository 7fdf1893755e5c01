// says: the parent sends it after the last map
// hole: exercise-parent
        gate.open()?;
        if let Some(maps) = &maps {
            maps.write(child.pid())?;
        }
