// says: PARENT writes the maps while INIT waits
    // SAFETY: none of these flags shares memory, and there is one thread.
    let new = bootstrap.new.kinds().filter(|kind| *kind != Kind::User).collect::<Namespaces>();
    let cloned = unsafe { raw_clone(new.bits() | libc::CLONE_PARENT) };
