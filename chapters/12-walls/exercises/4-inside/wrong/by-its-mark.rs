// says: getcwd(2) fails with ENOENT
    let is_inside = !getcwd(Vec::new())
        .is_ok_and(|path| path.as_bytes().starts_with(b"(unreachable)"));
