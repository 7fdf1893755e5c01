// says: without its flag the child stays in the parent's
pub const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWIPC;
