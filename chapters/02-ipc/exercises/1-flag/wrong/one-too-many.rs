// says: each CLONE_NEW* flag makes one new namespace
pub const NAMESPACES: CloneFlags =
    ch01_uts::NAMESPACES.union(CloneFlags::CLONE_NEWIPC).union(CloneFlags::CLONE_NEWNET);
