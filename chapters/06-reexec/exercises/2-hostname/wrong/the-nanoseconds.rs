// says: a pid or the time is the same in many containers
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(format!("container-{:08x}", now.subsec_nanos()))
