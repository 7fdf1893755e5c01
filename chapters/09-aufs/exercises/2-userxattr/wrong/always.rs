// says: an overlay mount without that flag looks for trusted.overlay.opaque
// shows: root
    overlay.set_flag("userxattr")?;
