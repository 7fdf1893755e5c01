// says: each CLONE_NEW* flag of clone(2) makes one new namespace
        let network = lab::Namespaces::of(lab::Kind::Network);
        let child = spawn(CLONE_NEWUTS | CLONE_NEWIPC | network, || {
