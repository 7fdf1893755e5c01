// says: with an attribute that a user namespace may write: userxattr
// shows: user
    if needs_userxattr() {
        return overlay.mount(&stack.merged);
    }
    overlay.set_flag(c"userxattr")?;
