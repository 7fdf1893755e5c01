// says: answer ENOSYS
    [answer(&SeccompAction::Allow)].into()
