// says: clone INIT with the flags of the new namespaces
    let all: Namespaces = bootstrap.joined.iter().map(|(kind, _)| *kind).collect();
    let all = all.kinds().filter(|kind| *kind == Kind::Network).collect::<Namespaces>();
    // SAFETY: none of these flags shares memory, and there is one thread.
    let cloned = unsafe { raw_clone((all | bootstrap.new).bits() | libc::CLONE_PARENT) };
