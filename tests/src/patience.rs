//! How long may something take on this machine?

use std::{env, fs, sync::LazyLock, thread::available_parallelism, time::Duration};

/// `JUDGE_PATIENCE`, for a machine whose processor is emulated: so many times slower it is than
/// usual.
static FACTOR: LazyLock<Option<u32>> = LazyLock::new(|| {
    let text = env::var("JUDGE_PATIENCE").ok()?;
    let factor = text.parse().ok().filter(|factor| *factor > 0);
    Some(factor.expect("JUDGE_PATIENCE is a whole number above 0"))
});

/// What takes this long on a usual machine may take as long as this returns: longer where other
/// programs keep the processors busy.
pub fn patience(usual: Duration) -> Duration {
    usual * FACTOR.unwrap_or_else(busyness)
}

/// What is done so many times on a usual machine is done this often here, in about the same time.
pub fn repetitions(usual: u32) -> u32 {
    (usual / FACTOR.unwrap_or(1)).max(1)
}

/// How many processes wanted each processor in the last minute (proc_loadavg(5)): 1 to 10.
fn busyness() -> u32 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(1.0);
    let processors = available_parallelism().map_or(1, usize::from) as f64;
    (load / processors).ceil().clamp(1.0, 10.0) as u32
}
