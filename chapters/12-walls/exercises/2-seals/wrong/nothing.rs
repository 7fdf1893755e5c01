// says: all four seals
pub const SEALS: SealFlag = SealFlag::empty();
