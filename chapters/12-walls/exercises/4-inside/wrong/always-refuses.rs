// says: getcwd(2) tells whether a path leads there
    let is_inside = getcwd(Vec::new()).is_ok_and(|path| !path.as_bytes().starts_with(b"/"));
