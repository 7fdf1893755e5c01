//! Who uses a lot of memory, so that a limit has something to strike?

use std::hint::black_box;

use anyhow::Context;
use lab::Exit;
use lab::info;

use crate::resources::Size;

/// Allocates `size` and writes to all of it: memory that was only asked for is nobody's,
/// the kernel finds a page when it is touched.
///
/// # Errors
///
/// There is not as much address space.
pub fn hog(size: Size) -> anyhow::Result<Exit> {
    let length = usize::try_from(size.0).context("more than this machine can address")?;
    let mut memory: Vec<u8> = Vec::new();
    memory
        .try_reserve_exact(length)
        .with_context(|| format!("allocate {size} bytes"))?;
    info!("hog: asked for {size} bytes, touching them now");
    memory.resize(length, 1);
    black_box(&memory);
    info!("hog: touched all of them");
    Ok(Exit::Code(0))
}
