// ANCHOR: subid
//! Which further ids may this user map?
//!
//! /etc/subuid and /etc/subgid hold lines of `NAME-OR-UID:FIRST:COUNT` (subuid(5)).

use std::fs;

use anyhow::{Context, anyhow};
use nix::unistd::{User, getegid, geteuid};

use crate::{IdMap, MapLine, Maps};

impl Maps {
    /// This user as root, and the first range of /etc/subuid and /etc/subgid as 1, 2, 3, …
    ///
    /// # Errors
    ///
    /// This user has no range, or newuidmap(1) is not installed.
    pub fn of_granted_ids() -> anyhow::Result<Maps> {
        let map = |name: &str, file: &str, own: u32| {
            let (outside, size) = granted(file)?;
            IdMap::new(
                name,
                vec![
                    MapLine::root(own),
                    MapLine {
                        inside: 1,
                        outside,
                        size,
                    },
                ],
            )
        };
        Maps::new(
            map("uid_map", "/etc/subuid", geteuid().as_raw())?,
            map("gid_map", "/etc/subgid", getegid().as_raw())?,
        )
    }
}

fn granted(file: &str) -> anyhow::Result<(u32, u32)> {
    let uid = geteuid();
    let name = User::from_uid(uid).context("look up this user's name")?.map(|user| user.name);
    let name = name.unwrap_or_else(|| uid.to_string());
    let text = fs::read(file).unwrap_or_default(); // none: nobody has a range
    let text = String::from_utf8_lossy(&text);
    first_range(&text, &[&name, &uid.to_string()]).ok_or_else(|| {
        anyhow!(
            "{file} grants {name} no ids: `sudo usermod --add-subuids 100000-165535 --add-subgids \
             100000-165535 {name}`, or a range that no other user has"
        )
    })
}

fn first_range(text: &str, names: &[&str]) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let (name, range) = line.split_once(':')?;
        let (first, count) = range.split_once(':')?;
        let number = |text: &str| text.parse().ok().filter(|_| !text.starts_with('+'));
        let range: (u32, u32) = (number(first)?, number(count.trim_end())?);
        let is_range = range.1 > 0 && range.0.checked_add(range.1).is_some();
        (names.contains(&name) && is_range).then_some(range)
    })
}
// ANCHOR_END: subid

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::{first_range, granted};

    #[test]
    fn a_name_that_is_no_utf_8_takes_nobody_its_range() {
        let file = std::env::temp_dir().join(format!("subid-{}", std::process::id()));
        let own = format!("{}:100000:65536\n", nix::unistd::geteuid());
        std::fs::write(&file, [b"caf\xe9:1:2\n", own.as_bytes()].concat()).unwrap();
        let found = granted(file.to_str().unwrap());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(found.unwrap(), (100_000, 65_536));
    }

    #[test]
    fn the_first_range_of_a_user_counts() {
        let text = "# comment\nann:100000:65536\nbob:165536:0\n1001:231072:65536\nbob:300000:10\n";
        assert_eq!(first_range(text, &["ann"]), Some((100000, 65536)));
        assert_eq!(first_range(text, &["bob", "1002"]), Some((300000, 10)));
        assert_eq!(first_range(text, &["cid", "1001"]), Some((231072, 65536)));
        assert_eq!(first_range(text, &["dan"]), None);
        assert_eq!(first_range("user:500:4294967295\n", &["user"]), None);
        assert_eq!(first_range("user:+500:10\nuser:600:+10\n", &["user"]), None);
    }
}
