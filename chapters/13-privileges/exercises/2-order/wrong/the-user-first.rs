// says: setresuid(2) from root to another user clears
        self.limits.apply()?;
        if let Some(user) = user {
            become_user(user)?;
        }
        self.capabilities.bound()?;
        own.become_own()?;
        prctl::set_no_new_privs().context("prctl PR_SET_NO_NEW_PRIVS")?;
        self.filter.as_ref().map_or(Ok(()), Filter::install)
