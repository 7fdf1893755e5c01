// ANCHOR: all
//! How are a message's bytes laid out?
//!
//! ```text
//! magic (5) · length of the rest (8) · checksum of the rest (8) · the rest
//! ```
//!
//! The rest is a row of fields. A string of bytes is its length (4) and the bytes. A list is the
//! number of its items (4) and the items. An optional field is a list of none or one. Numbers are
//! little-endian.

use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::ffi::OsStringExt,
};

use anyhow::{Context, anyhow, bail, ensure};

/// What a message begins with: which kind it is.
pub type Magic = [u8; 5];

/// Writes a message.
///
/// # Errors
///
/// Whatever `to` fails with.
pub fn write_framed(mut to: impl Write, magic: &Magic, rest: &[u8]) -> anyhow::Result<()> {
    let (length, sum) = ((rest.len() as u64).to_le_bytes(), checksum(rest).to_le_bytes());
    to.write_all(&[magic, &length[..], &sum, rest].concat())?;
    Ok(())
}

/// Reads one message, and not a byte more.
///
/// # Errors
///
/// It is of another kind, cut short, or not what was written.
pub fn read_framed(mut from: impl Read, magic: &Magic) -> anyhow::Result<Vec<u8>> {
    let mut head = [0; 21];
    from.read_exact(&mut head)
        .map_err(|_| anyhow!("it is cut short: no whole head came"))?;
    let mut fields = Bytes(&head);
    ensure!(fields.take(magic.len())? == magic, "it is not a message of this kind");
    let (length, sum) = (fields.read_u64()?, fields.read_u64()?);
    let mut rest = Vec::with_capacity(4096); // a usual message comes with one read(2)
    from.take(length).read_to_end(&mut rest)?;
    ensure!(rest.len() as u64 == length, "it is cut short: {} bytes of {length}", rest.len());
    ensure!(checksum(&rest) == sum, "its checksum is wrong");
    Ok(rest)
}

/// FNV-1a: one changed byte changes it. It is against accidents, not against an attacker.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Puts a number.
pub fn put_number(to: &mut Vec<u8>, number: u32) {
    to.extend(number.to_le_bytes());
}

/// Puts a string of bytes.
pub fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_number(to, bytes.len() as u32); // execve(2) takes no argument nearly as long as 4 GiB
    to.extend(bytes);
}

/// Puts a list.
pub fn put_list<T>(to: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_number(to, items.len() as u32);
    items.iter().for_each(|item| put(to, item));
}

/// Bytes that are read from the front. Each method fails if too few bytes are left.
pub struct Bytes<'a>(pub &'a [u8]);

#[allow(missing_docs, clippy::missing_errors_doc)]
impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(length).context("it is cut short")?;
        self.0 = left;
        Ok(taken)
    }

    pub fn read_u32(&mut self) -> anyhow::Result<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into()?))
    }

    pub fn read_u64(&mut self) -> anyhow::Result<u64> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into()?))
    }

    pub fn read_bytes(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = self.read_u32()? as usize;
        self.take(length)
    }

    /// A string of bytes for a system call: without a zero.
    pub fn read_string(&mut self) -> anyhow::Result<OsString> {
        let bytes = self.read_bytes()?;
        if bytes.contains(&0) {
            bail!("a string has a zero in it");
        }
        Ok(OsString::from_vec(bytes.to_owned()))
    }

    pub fn read_list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<Vec<T>> {
        let count = self.read_u32()?;
        (0..count).map(|_| item(self)).collect()
    }

    /// An optional field.
    pub fn read_optional<T>(
        &mut self,
        item: impl Fn(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        let mut items = self.read_list(item)?;
        ensure!(items.len() <= 1, "an optional field is there {} times", items.len());
        Ok(items.pop())
    }

    /// Yes or no.
    pub fn read_flag(&mut self) -> anyhow::Result<bool> {
        match self.read_u32()? {
            0 => Ok(false),
            1 => Ok(true),
            other => bail!("{other} is neither yes (1) nor no (0)"),
        }
    }

    /// Checks that nothing is left.
    pub fn end(self) -> anyhow::Result<()> {
        ensure!(self.0.is_empty(), "it has {} bytes too many", self.0.len());
        Ok(())
    }
}
// ANCHOR_END: all
