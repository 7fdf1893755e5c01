// says: limit swap too, in bytes
    let _ = (group, most);
