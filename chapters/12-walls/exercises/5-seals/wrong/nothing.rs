// says: each seal forbids one kind of change
pub const SEALS: SealFlag = SealFlag::empty();
