// says: the end comes when nobody holds the writing end any more
// verdict: HANGS
