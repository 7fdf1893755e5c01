// says: with an attribute that a user namespace may write: userxattr
// shows: user
    if !needs_userxattr() {
        overlay.set_flag("userxattr")?;
    }
