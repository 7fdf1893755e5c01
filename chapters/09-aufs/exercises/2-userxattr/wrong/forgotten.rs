// says: only with the flag userxattr
// shows: user
