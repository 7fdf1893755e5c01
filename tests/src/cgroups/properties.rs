use proptest::{collection::vec, prelude::*};

use super::*;

proptest! {
    #[test]
    fn any_line(line in ".*|([0-9 ]{0,6}/[.\\\\0-9a]{0,6} ?){0,3} ?- ?cgroup x [a-z,]{0,5}") {
        if let Some(found) = hierarchy(&line) {
            prop_assert!(line.contains(" - cgroup"));
            prop_assert!(found.mount_point.as_os_str().len() <= line.len());
        }
    }

    #[test]
    fn a_mount_point_comes_back(names in vec("[a-z \t\n\\\\ü]{1,6}", 1..4)) {
        let path = format!("/{}", names.join("/"));
        let letter = |c: char| match c {
            ' ' | '\t' | '\n' | '\\' => format!("\\{:03o}", u32::from(c)),
            c => c.to_string(),
        };
        let escaped: String = path.chars().map(letter).collect();
        let line = format!("35 24 0:30 / {escaped} rw - cgroup none rw,memory");
        prop_assert_eq!(hierarchy(&line).unwrap().mount_point, PathBuf::from(path));
    }
}
