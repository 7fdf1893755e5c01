// ANCHOR: size
//! How do you write a number of bytes?

use std::{fmt, str::FromStr, sync::LazyLock};

use nix::unistd::{SysconfVar, sysconf};

/// A number of bytes, written as `100m`: with k, m or g (1024, 1024², 1024³) or plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The kernel counts memory in pages, and rounds a limit down to whole ones. 4096 bytes on most
/// machines, 16 or 64 KiB on some.
static PAGE: LazyLock<u64> = LazyLock::new(|| {
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    page.and_then(|page| u64::try_from(page).ok()).unwrap_or(4096)
});

/// What version 1 takes for "no limit": the most that fits into a signed long, in pages.
fn unlimited() -> u64 {
    i64::MAX as u64 / *PAGE * *PAGE
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" => 1 << 10,
            "m" => 1 << 20,
            "g" => 1 << 30,
            unit => return Err(format!("{unit:?} is no unit: use k, m or g")),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("a size is a whole number with k, m or g, such as 100m".into());
        }
        let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        match bytes {
            None => Err("more bytes than the kernel can count".into()),
            Some(bytes) if bytes >= unlimited() => {
                Err(format!("{bytes} bytes means \"no limit\" to the kernel: leave the option out"))
            }
            Some(bytes) if bytes < *PAGE => {
                let page = *PAGE;
                Err(format!(
                    "{bytes} bytes is less than a page, and the least limit is one page: {page}"
                ))
            }
            Some(bytes) => Ok(Size(bytes)),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
// ANCHOR_END: size

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_none() {
        assert_eq!("100m".parse(), Ok(Size(104_857_600)));
        assert_eq!("64k".parse(), Ok(Size(65536)));
        assert_eq!("1G".parse(), Ok(Size(1 << 30)));
        assert_eq!("70000".parse(), Ok(Size(70000)));
        for wrong in ["", "m", "0", "0m", "-1", "-100m", "1.5g", "100x", "1mm", "lots", "4095"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong:?}");
        }
        let too_many = ["99999999999g", "9223372036854775807", "18446744073709551616"];
        for wrong in too_many.into_iter().chain([" 1m", "1 m"]) {
            assert!(wrong.parse::<Size>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_size_is_a_page_at_least_however_large_a_page_is_here() {
        // SAFETY: sysconf takes a number and returns one.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64;
        assert!((page - 1).to_string().parse::<Size>().is_err());
        assert_eq!(page.to_string().parse(), Ok(Size(page)));
        let most = i64::MAX as u64 / page * page;
        assert!(most.to_string().parse::<Size>().is_err());
        assert_eq!((most - 1).to_string().parse(), Ok(Size(most - 1)));
    }
}
