// says: what the command gives up, PID 1
// hole: exercise-stay
    let mut privileges = Privileges::inherited()?;
    privileges.filter = None;
    privileges.apply(None)
