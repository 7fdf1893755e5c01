// says: waitpid(2) returns the status: pass it on
            break Exit::Code(0);
