// says: the byte comes after the last map
// hole: exercise-parent
        gate.open()?;
        if let Some(maps) = &maps {
            maps.write(child.pid())?;
        }
