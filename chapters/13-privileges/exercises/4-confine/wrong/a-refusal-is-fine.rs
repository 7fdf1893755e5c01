// says: return each error
// hole: exercise-confine
    let _ = Privileges::inherited()?.apply(process.user);
