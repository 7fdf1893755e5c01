// says: without its flag the child stays in the parent's
// hole: exercise-flag
pub const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWPID;
