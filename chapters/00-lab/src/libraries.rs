// ANCHOR: libraries
//! Which files does a program need before it runs?
//!
//! A dynamic program's file names a loader. The kernel starts that one, and it maps the
//! libraries; asked with `--list`, it only says where they are. ldd(1) is this, as a script.

use std::{collections::BTreeSet, ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};
use std::{path::PathBuf, process::Command};

use anyhow::{Context, ensure};

/// The loader of a program and its shared libraries; nothing for a static one, or a script.
///
/// # Errors
///
/// The program cannot be read, or a library is missing.
pub fn libraries(program: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let file = fs::read(program).with_context(|| format!("read {}", program.display()))?;
    let Some(loader) = loader(&file) else {
        return Ok(BTreeSet::new());
    };
    // Not the ones from LD_LIBRARY_PATH, as cargo sets one: it will not be set inside.
    let answer = Command::new(loader)
        .arg("--list")
        .arg(program)
        .env_clear()
        .output()
        .with_context(|| format!("run {}", loader.display()))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    ensure!(
        answer.status.success() && !text.contains("not found"),
        "{} does not find the libraries of {}: {text}{}",
        loader.display(),
        program.display(),
        String::from_utf8_lossy(&answer.stderr)
    );
    // Lines of `NAME => /PATH (ADDRESS)` or `/PATH (ADDRESS)`.
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(paths.map(PathBuf::from).collect())
}

/// The loader that a program's file asks for: the program header PT_INTERP (elf(5)).
fn loader(elf: &[u8]) -> Option<&Path> {
    const PT_INTERP: usize = 3;
    let number = |at: usize, size: usize| {
        let bytes = elf.get(at..at.checked_add(size)?)?;
        let digit = |number: usize, byte: &u8| number << 8 | usize::from(*byte);
        Some(match cfg!(target_endian = "little") {
            true => bytes.iter().rev().fold(0, digit),
            false => bytes.iter().fold(0, digit),
        })
    };
    elf.strip_prefix(b"\x7fELF")?;
    // Where the fields are, in a file of 64 bits and in one of 32.
    let is_64 = number(4, 1)? == 2;
    let (word, table, size, count) = if is_64 {
        (8, 32, 54, 56)
    } else {
        (4, 28, 42, 44)
    };
    let (offset, length) = if is_64 { (8, 32) } else { (4, 16) };
    let (table, size) = (number(table, word)?, number(size, 2)?);
    for index in 0..number(count, 2)? {
        let header = table.checked_add(index * size)?;
        if number(header, 4)? == PT_INTERP {
            let start = number(header + offset, word)?;
            let name = elf.get(start..start.checked_add(number(header + length, word)?)?)?;
            return Some(Path::new(OsStr::from_bytes(name.strip_suffix(b"\0")?)));
        }
    }
    None
}
// ANCHOR_END: libraries

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_names_its_loader_and_a_static_one_or_a_script_does_not() {
        let own = fs::read("/proc/self/exe").expect("this test has a file");
        assert_eq!(loader(&own).is_some(), !cfg!(target_feature = "crt-static"));
        assert!(loader(&own).is_none_or(Path::exists));
        assert_eq!(loader(&own[..100]), None, "not all of its headers are there");
        assert_eq!(loader(b"#!/bin/sh\n"), None);
        assert_eq!(loader(&file_of_32_bits()), Some(Path::new("/lib/ld.so")));
    }

    /// The smallest that there can be: a head of 52 bytes, one program header, the name.
    fn file_of_32_bits() -> Vec<u8> {
        let mut file = vec![0; 52 + 32];
        file[..5].copy_from_slice(b"\x7fELF\x01");
        let mut put = |at: usize, value: u32, size: usize| {
            let bytes = value.to_ne_bytes();
            let bytes = if cfg!(target_endian = "little") {
                &bytes[..size]
            } else {
                &bytes[4 - size..]
            };
            file[at..at + size].copy_from_slice(bytes);
        };
        for (at, value, size) in [(28, 52, 4), (42, 32, 2), (44, 1, 2), (52, 3, 4)] {
            put(at, value, size);
        }
        put(52 + 4, 84, 4);
        put(52 + 16, 11, 4);
        file.extend(b"/lib/ld.so\0");
        file
    }

    #[test]
    fn the_loader_lists_itself_and_the_libraries() {
        let own = format!("/proc/{}/exe", std::process::id());
        let found = libraries(Path::new(&own)).expect("this test has been loaded");
        assert!(found.iter().all(|file| file.exists()), "{found:?}");
        if !cfg!(target_feature = "crt-static") {
            assert!(found.iter().any(|file| file.to_string_lossy().contains("libc")), "{found:?}");
        }
    }

    #[test]
    fn what_is_no_program_needs_nothing_and_what_is_not_there_is_an_error() {
        assert!(libraries(Path::new("/etc/passwd")).expect("everybody may read it").is_empty());
        assert!(libraries(Path::new("/no/such/program")).is_err());
    }
}
