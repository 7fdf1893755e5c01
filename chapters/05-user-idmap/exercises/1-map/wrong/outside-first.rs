// says: root inside must be your own uid outside
// shows: user
// hole: exercise-lines
        let line = |line: &MapLine| format!("{} {} {}", line.outside, line.inside, line.size);
        let lines: Vec<String> = self.lines.iter().map(line).collect();
        lines.join("\n")
