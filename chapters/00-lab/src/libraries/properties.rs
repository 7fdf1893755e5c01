use proptest::{collection::vec, prelude::*};

use super::*;

/// What is found is in the file, and a zero follows it.
fn a_loader_is_named_in_the_file(file: &[u8]) {
    let Some(found) = loader(file) else { return };
    let name = found.as_os_str().as_bytes();
    let with_zero = [name, b"\0"].concat();
    assert!(file.windows(with_zero.len()).any(|part| part == with_zero), "{found:?}");
    assert!(file.starts_with(b"\x7fELF"));
}

fn put(file: &mut [u8], at: usize, value: usize, size: usize) {
    let bytes = (value as u64).to_ne_bytes();
    let from = if cfg!(target_endian = "little") {
        0
    } else {
        8 - size
    };
    file[at..at + size].copy_from_slice(&bytes[from..from + size]);
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200), is_64: bool) {
        a_loader_is_named_in_the_file(&bytes);
        let class = if is_64 { 2 } else { 1 };
        a_loader_is_named_in_the_file(&[b"\x7fELF", &[class][..], &bytes].concat());
    }

    /// elf(5): Elf64_Ehdr and Elf64_Phdr, or Elf32_Ehdr and Elf32_Phdr.
    #[test]
    fn any_file_with_a_loader(
        is_64: bool,
        name in vec(1..=u8::MAX, 0..20),
        before in 0..4_usize,
        gap in 0..9_usize,
        more in 0..9_usize,
        cut: prop::sample::Index,
    ) {
        let (head, header) = if is_64 { (64, 56 + more) } else { (52, 32 + more) };
        let table = head + gap;
        let at = table + before * header;
        let start = at + header;
        let mut file = vec![0; start];
        file[..5].copy_from_slice(&[0x7f, b'E', b'L', b'F', if is_64 { 2 } else { 1 }]);
        let (word, of_table, of_size, of_count) =
            if is_64 { (8, 32, 54, 56) } else { (4, 28, 42, 44) };
        put(&mut file, of_table, table, word);
        put(&mut file, of_size, header, 2);
        put(&mut file, of_count, before + 1, 2);
        (0..before).for_each(|index| put(&mut file, table + index * header, 1, 4));
        put(&mut file, at, 3, 4);
        let (of_offset, of_length) = if is_64 { (8, 32) } else { (4, 16) };
        put(&mut file, at + of_offset, start, word);
        put(&mut file, at + of_length, name.len() + 1, word);
        file.extend([&name[..], b"\0"].concat());
        prop_assert_eq!(loader(&file), Some(Path::new(OsStr::from_bytes(&name))));
        let cut = cut.index(file.len());
        prop_assert_eq!(loader(&file[..cut]), None);
        for value in [0, 1, 0xff] {
            let mut garbled = file.clone();
            garbled[cut] = value;
            a_loader_is_named_in_the_file(&garbled);
        }
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_elf() {
    bolero::check!().for_each(|bytes: &[u8]| {
        a_loader_is_named_in_the_file(bytes);
        a_loader_is_named_in_the_file(&[b"\x7fELF\x02", bytes].concat());
    });
}
