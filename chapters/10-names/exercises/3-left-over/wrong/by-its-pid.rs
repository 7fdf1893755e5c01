// says: the start time in /proc/PID/stat
            _ if fs::exists(format!("/proc/{}", self.run.pid))? => Status::Busy,
            _ => Status::LeftOver,
