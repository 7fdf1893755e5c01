// says: permitted and effective to what is left
// hole: exercise-confine
// shows: root
    Privileges::inherited()?.apply(None)?;
