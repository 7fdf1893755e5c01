// says: CLONE_PARENT makes the command a child of exec itself
    // SAFETY: none of these flags shares memory, and there is one thread.
    let cloned = unsafe { raw_clone(bootstrap.new.bits()) };
