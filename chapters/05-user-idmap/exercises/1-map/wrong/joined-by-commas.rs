// says: write the whole map in one write(2), a line for each range
// hole: exercise-lines
        let lines: Vec<String> = self.lines.iter().map(MapLine::to_string).collect();
        lines.join(", ")
