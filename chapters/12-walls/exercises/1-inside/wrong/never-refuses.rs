// says: getcwd(2) knows no path to it
    let is_inside = true;
