// says: without one, it is you who must
        self.limits.apply()?;
        self.capabilities.bound()?;
        if let Some(user) = user {
            become_user(user)?;
        }
        own.become_own()?;
        self.filter.as_ref().map_or(Ok(()), Filter::install)
