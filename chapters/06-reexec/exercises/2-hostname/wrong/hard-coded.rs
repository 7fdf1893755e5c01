// says: a pid or the time is the same in many containers
    Ok("container-4d2c11f0".into())
