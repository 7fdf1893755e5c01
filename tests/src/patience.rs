//! How long may something take on this machine?

use std::{env, sync::LazyLock, time::Duration};

/// How many times slower than usual this machine is: `JUDGE_PATIENCE`, for one whose
/// processor is emulated.
static FACTOR: LazyLock<u32> = LazyLock::new(|| match env::var("JUDGE_PATIENCE") {
    Ok(text) => text
        .parse()
        .ok()
        .filter(|factor| *factor > 0)
        .expect("JUDGE_PATIENCE is a whole number above 0"),
    Err(_) => 1,
});

/// What takes this long on a usual machine may take as long as this returns.
pub fn patience(usual: Duration) -> Duration {
    usual * *FACTOR
}

/// What is done so many times on a usual machine is done this often here, in about the same time.
pub fn repetitions(usual: u32) -> u32 {
    (usual / *FACTOR).max(1)
}
