// says: an overlay mount without userxattr looks for trusted.overlay.opaque
// shows: root
    overlay.set_flag("userxattr")?;
