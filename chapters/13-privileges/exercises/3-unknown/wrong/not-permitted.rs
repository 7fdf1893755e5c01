// says: after EPERM it gives up
    let load = instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0);
    let compare = instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, number);
    let refuse = answer(&SeccompAction::Errno(libc::EPERM as u32));
    [load, compare, refuse, answer(&SeccompAction::Allow)].into()
