// says: what is to differ takes random bytes
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(format!("container-{:08x}", now.subsec_nanos()))
