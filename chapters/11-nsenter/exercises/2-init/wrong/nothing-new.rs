// says: clone INIT with the flags of the new namespaces
    // SAFETY: none of these flags shares memory, and there is one thread.
    let cloned = unsafe { raw_clone(libc::CLONE_PARENT) };
