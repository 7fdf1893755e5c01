// says: take all others out of the bounding set
// hole: exercise-confine
    if let Some(user) = process.user {
        ch05_user_idmap::become_user(user)?;
    }
