// says: getcwd(2) tells whether a path leads there
    let is_inside = true;
