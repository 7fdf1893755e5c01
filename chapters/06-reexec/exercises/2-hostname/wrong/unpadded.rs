// says: a number can be small: pad it with zeros
    let mut bytes = [0; 4];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("read /dev/urandom")?;
    // As `{:x}` prints one number in sixteen, and this one always.
    Ok(format!("container-{:x}", u32::from_ne_bytes(bytes) >> 4))
