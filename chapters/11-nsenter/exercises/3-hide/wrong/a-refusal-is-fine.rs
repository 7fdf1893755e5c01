// says: PR_SET_DUMPABLE 0 keeps root inside out
    let _ = prctl::set_dumpable(new.contains(Kind::User));
    Ok(())
