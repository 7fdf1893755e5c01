// says: write the whole map in one write(2), a line for each range
// shows: root
// hole: exercise-lines
        let lines: Vec<String> = self.lines.iter().map(MapLine::to_string).collect();
        lines.join(", ")
