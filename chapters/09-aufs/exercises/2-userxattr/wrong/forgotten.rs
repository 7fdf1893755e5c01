// says: with an attribute that a user namespace may write: userxattr
// shows: user
