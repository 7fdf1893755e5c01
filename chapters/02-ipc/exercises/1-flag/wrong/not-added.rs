// says: the child needs CLONE_NEWIPC
pub const NAMESPACES: CloneFlags = ch01_uts::NAMESPACES;
