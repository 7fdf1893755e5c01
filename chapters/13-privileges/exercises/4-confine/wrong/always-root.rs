// says: return each error
// hole: exercise-confine
    Privileges::inherited()?.apply(Some(ch05_user_idmap::User::ROOT))?;
