// says: only with the flag userxattr
// shows: user
    if !needs_userxattr() {
        overlay.set_flag("userxattr")?;
    }
