// says: a number can be small: pad it with zeros
    let mut bytes = [0; 2];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("read /dev/urandom")?;
    Ok(format!("container-{:04x}", u16::from_ne_bytes(bytes)))
