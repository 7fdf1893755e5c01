use proptest::{collection::vec, prelude::*};

use super::*;

/// As the kernel writes a path into mountinfo (`seq_path` with " \t\n\\", and since Linux 6.6 `#`).
fn escaped(path: &str) -> String {
    let letter = |c: char| match c {
        ' ' | '\t' | '\n' | '\\' | '#' => format!("\\{:03o}", u32::from(c)),
        c => c.to_string(),
    };
    path.chars().map(letter).collect()
}

/// A group is below its mount.
fn a_group_is_in_its_mount(mountinfo: &str, cgroup: &str) {
    for found in parse(mountinfo, cgroup) {
        let below = found.group.strip_prefix(&found.mount_point).expect("it is below");
        let is_name = |part| matches!(part, Component::Normal(_));
        assert!(below.components().all(is_name), "{found:?}");
        assert!(found.controllers.iter().all(|name| !name.is_empty() && cgroup.contains(name)));
    }
    assert!(parse(mountinfo, cgroup).len() <= mountinfo.lines().count());
}

fn name() -> impl Strategy<Value = String> {
    "[a-z \t\n\\\\#:,=ü日.-]{1,6}"
        .prop_filter("a folder's name", |name| name != "." && name != "..")
}

proptest! {
    #[test]
    fn any_text(
        mountinfo in "([0-9]{0,2} ?/?[.\\\\0-9 a]{0,9} ?- ?(cgroup2?|x)? ?[a-z,]{0,4}\n?)*",
        cgroup in "([0-9]?:?(memory|cpu,?)?:?/?[./a]{0,6}\n?)*",
    ) {
        a_group_is_in_its_mount(&mountinfo, &cgroup);
    }

    /// One hierarchy of each version, at any place, with any part of it mounted.
    #[test]
    fn a_hierarchy_is_where_it_was_mounted(
        point in vec(name(), 1..4),
        root in vec(name().prop_map(|name| name.replace('\n', "")), 0..3),
        below in vec(name().prop_map(|name| name.replace('\n', "")), 0..3),
        controllers in vec("[a-z]{1,5}", 1..4),
        is_v2: bool,
        shared in "( shared:[0-9]| master:[0-9])?",
    ) {
        let path = |parts: &[String]| format!("/{}", parts.join("/"));
        let has_names = |parts: &[String]| parts.iter().all(|part| !part.is_empty() && part != ".");
        prop_assume!(has_names(&root) && has_names(&below));
        prop_assume!(root.iter().chain(&below).all(|part| part != ".."));
        let names = controllers.join(",");
        let (kind, of_cgroup) = if is_v2 { ("cgroup2", "") } else { ("cgroup", names.as_str()) };
        let line = format!(
            "35 24 0:30 {} {} rw{shared} - {kind} none rw,{names}\n",
            escaped(&path(&root)),
            escaped(&path(&point)),
        );
        let group = path(&[&root[..], &below[..]].concat());
        let found = parse(
            &format!("1 2 0:3 / /proc rw - proc proc rw\n{line}"),
            &format!("7:other:/elsewhere\n3:{of_cgroup}:{group}\n"),
        );
        let mount_point = PathBuf::from(path(&point));
        let expected = Hierarchy {
            version: if is_v2 { Version::V2 } else { Version::V1 },
            controllers: if is_v2 { vec![] } else { controllers },
            group: below.iter().fold(mount_point.clone(), |group, name| group.join(name)),
            mount_point,
        };
        prop_assert_eq!(found, [expected]);
    }

    #[test]
    fn a_word_comes_back(word in ".*|[\\\\0-9+]*") {
        prop_assert_eq!(unescaped(&escaped(&word)), PathBuf::from(&word));
        // Nothing becomes longer.
        prop_assert!(unescaped(&word).as_os_str().len() <= word.len());
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_hierarchy() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let (mountinfo, cgroup) = text.split_once('\0').unwrap_or((&text, "0::/a\n4:memory:/b\n"));
        a_group_is_in_its_mount(mountinfo, cgroup);
        assert_eq!(unescaped(&escaped(mountinfo)), PathBuf::from(mountinfo));
    });
}
