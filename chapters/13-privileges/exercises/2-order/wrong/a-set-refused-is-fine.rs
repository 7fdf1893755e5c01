// says: return each error
        self.limits.apply()?;
        self.capabilities.bound()?;
        if let Some(user) = user {
            become_user(user)?;
        }
        let _ = own.become_own();
        prctl::set_no_new_privs().context("prctl PR_SET_NO_NEW_PRIVS")?;
        self.filter.as_ref().map_or(Ok(()), Filter::install)?;
        Ok(())
