// says: what is to differ takes random bytes
    Ok("container-4d2c11f0".into())
