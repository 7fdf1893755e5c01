// says: take all others out of the bounding set
// hole: exercise-confine
    Privileges::inherited()?;
