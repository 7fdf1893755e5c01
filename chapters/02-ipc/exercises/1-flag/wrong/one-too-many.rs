// says: each CLONE_NEW* flag makes one new namespace
        let network = lab::Namespaces::of(lab::Kind::Network);
        let child = spawn(CLONE_NEWUTS | CLONE_NEWIPC | network, || {
