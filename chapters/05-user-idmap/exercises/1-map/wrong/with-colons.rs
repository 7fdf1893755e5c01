// says: root inside must be your own uid outside
// hole: exercise-lines
        let line = |line: &MapLine| format!("{}:{}:{}", line.inside, line.outside, line.size);
        let lines: Vec<String> = self.lines.iter().map(line).collect();
        lines.join("\n")
