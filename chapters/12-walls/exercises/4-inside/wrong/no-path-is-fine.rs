// says: getcwd(2) fails with ENOENT
    let is_inside = getcwd(Vec::new()).map_or(true, |path| path.as_bytes().starts_with(b"/"));
